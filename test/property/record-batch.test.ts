import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeadraceError } from '#src/errors.js';
import { decodeBatches, type KafkaRecord } from '#src/reference/record-batches.js';
import {
  type BatchSpec,
  buildBatch,
  concatBytes,
  type RecordSpec,
  repairCrc,
} from '../support/batch-builder.js';
import { propertySettings } from '../support/property-seed.js';

/** Batches from outside: whatever they say, the decoder gives their records or a typed error. */

const LIMITS = { decompressedBatchBytesMax: 1 << 20, recordBytesMax: 64 };

const bytes = fc.option(fc.uint8Array({ maxLength: 100 }), { nil: null });
const record: fc.Arbitrary<RecordSpec> = fc.record({
  timestampMs: fc.integer({ min: 0, max: 2 ** 45 }),
  key: bytes,
  value: bytes,
  headers: fc.array(fc.record({ key: fc.string({ maxLength: 5 }), value: bytes }), { maxLength: 3 }),
});
const batch: fc.Arbitrary<BatchSpec> = fc.record({
  records: fc.array(record, { maxLength: 8 }),
  codec: fc.constantFrom('none', 'gzip', 'snappy', 'lz4', 'zstd'),
  baseTimestampMs: fc.integer({ min: 0, max: 2 ** 45 }),
});

function copyOf(record: KafkaRecord) {
  const copy = (part: Uint8Array | null) => (part === null ? null : [...part]);
  return { ...record, key: copy(record.key), value: copy(record.value) };
}

/**
 * Decodes bytes that lie between others in shared memory. The records may only be views of the batch itself or of what it
 * was decompressed to; gives the error's code, or null.
 */
function decodeGuarded(input: Uint8Array): string | null {
  const guard = 64;
  const memory = new SharedArrayBuffer(input.length + 2 * guard);
  new Uint8Array(memory).fill(0x0e);
  const inside = new Uint8Array(memory, guard, input.length);
  inside.set(input);
  try {
    decodeBatches(inside, { fromOffset: 0n, limits: LIMITS }, ({ key, value }) => {
      for (const part of [key, value]) {
        if (part === null) continue;
        const fits = part.byteOffset + part.byteLength <= part.buffer.byteLength;
        const own =
          part.buffer !== (memory as ArrayBufferLike) ||
          (part.byteOffset >= guard && part.byteOffset + part.byteLength <= guard + input.length);
        if (!fits || !own) throw new Error('a record outside its batch');
      }
    });
    return null;
  } catch (error) {
    if (!(error instanceof HeadraceError)) throw error;
    expect(error.code).toMatch(/^BATCH_/);
    return error.code;
  }
}

describe('record batches', () => {
  it('give back what was encoded, from any offset on, with any codec, in one piece or several', () => {
    fc.assert(
      fc.property(fc.array(batch, { maxLength: 4 }), fc.nat({ max: 30 }), (specs, from) => {
        let offset = 0;
        const expected: ReturnType<typeof copyOf>[] = [];
        const encoded = specs.map((spec) => {
          const baseOffset = offset;
          const records = spec.records!;
          records.forEach((each, index) => {
            const sizeOf = (part: unknown) => (part as Uint8Array | null)?.length ?? 0;
            expected.push(
              copyOf({
                offset: BigInt(baseOffset + index),
                timestampMs: each.timestampMs!,
                key: each.key as Uint8Array | null,
                value: each.value as Uint8Array | null,
                tooLarge: sizeOf(each.key) + sizeOf(each.value) > LIMITS.recordBytesMax,
              }),
            );
          });
          offset = baseOffset + Math.max(1, records.length);
          return buildBatch({ ...spec, baseOffset });
        });
        const seen: ReturnType<typeof copyOf>[] = [];
        const options = { fromOffset: BigInt(from), limits: LIMITS };
        const decoded = decodeBatches(concatBytes(...encoded), options, (each) => seen.push(copyOf(each)));
        expect(seen).toMatchObject(expected.filter((each) => each.offset >= BigInt(from)));
        expect(decoded).toEqual({
          nextOffset: BigInt(Math.max(from, offset)),
          batches: specs.length,
          records: seen.length,
        });
      }),
      propertySettings({ numRuns: 200 }),
    );
  });

  it('are corrupt at every truncated prefix, also when length and checksum are made to fit', () => {
    fc.assert(
      fc.property(batch, (spec) => {
        const whole = buildBatch(spec);
        for (let length = 1; length < whole.length; length++) {
          expect(decodeGuarded(whole.subarray(0, length))).toBe('BATCH_CORRUPT');
          if (length < 61) continue;
          const repaired = Uint8Array.from(whole.subarray(0, length));
          new DataView(repaired.buffer).setInt32(8, length - 12);
          repairCrc(repaired);
          // an empty batch with its compressed nothing cut off holds what it says
          const nothing = spec.records!.length === 0 && length === 61;
          expect(decodeGuarded(repaired)).toBe(nothing ? null : 'BATCH_CORRUPT');
        }
      }),
      propertySettings({ numRuns: 30 }),
    );
  });

  it('with a changed byte under the checksum are corrupt, and deliver nothing', () => {
    fc.assert(
      fc.property(batch, fc.nat(), fc.integer({ min: 1, max: 255 }), (spec, where, mask) => {
        const changed = buildBatch(spec);
        changed[17 + (where % (changed.length - 17))]! ^= mask;
        expect(decodeGuarded(changed)).toBe('BATCH_CORRUPT');
      }),
      propertySettings({ numRuns: 500 }),
    );
  });

  it('with changed bytes and a right checksum are read or refused, never read out of bounds', () => {
    const change = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(
        fc.array(batch, { minLength: 1, maxLength: 2 }),
        fc.array(change, { minLength: 1, maxLength: 6 }),
        (specs, changes) => {
          const parts = specs.map((spec, index) => buildBatch({ ...spec, baseOffset: index * 100 }));
          for (const part of parts) {
            for (const [where, mask] of changes) part[where % part.length]! ^= mask;
            repairCrc(part);
          }
          decodeGuarded(concatBytes(...parts));
        },
      ),
      propertySettings({ numRuns: 3_000 }),
    );
  });

  it('that lie about a length or a count are read or refused, never believed', () => {
    const at = fc.constantFrom(8, 23, 57);
    const lie = fc.oneof(fc.integer(), fc.integer({ min: -70, max: 300 }));
    fc.assert(
      fc.property(batch, at, lie, (spec, field, value) => {
        const lying = buildBatch(spec);
        new DataView(lying.buffer).setInt32(field, value);
        repairCrc(lying);
        decodeGuarded(lying);
      }),
      propertySettings({ numRuns: 2_000 }),
    );
  });

  it('of random bytes are refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (input) => {
        expect(decodeGuarded(input)).not.toBeNull();
      }),
      propertySettings({ numRuns: 1_000 }),
    );
  });
});
