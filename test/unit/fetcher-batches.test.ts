import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type WalkLimits, walkBatches } from '#src/kafka/fetch-batches.js';
import { ByteSlices } from '#src/kafka/wire/byte-slices.js';
import { encodeBatch, type FakeBatch } from '../support/fake-broker-codec.js';

const NO_LIMITS: WalkLimits = { position: 0n, endOffset: null, bytesMax: 2 ** 30 };

const walk = (batches: readonly FakeBatch[], limits: Partial<WalkLimits> = {}) =>
  walkBatches(ByteSlices.of(Buffer.concat(batches.map(encodeBatch))), { ...NO_LIMITS, ...limits });

describe('walking batch headers', () => {
  test('goes on behind the last offset of the last batch, holes by compaction included', () => {
    const batches = [
      { baseOffset: 10n, lastOffsetDelta: 4, bytes: 61, leaderEpoch: 3 },
      { baseOffset: 40n, lastOffsetDelta: 99, bytes: 500, leaderEpoch: 4 },
    ];
    expect(walk(batches, { position: 12n })).toEqual({
      keptBytes: 561,
      batches: 2,
      batchBytesMax: 500,
      nextOffset: 140n,
      leaderEpoch: 4,
      stop: 'end',
      detail: '',
      stoppedAtBytes: null,
    });
  });

  test('keeps only whole batches, wherever the bytes end', () => {
    const bytes = Buffer.concat([
      encodeBatch({ baseOffset: 0n, lastOffsetDelta: 9, bytes: 80 }),
      encodeBatch({ baseOffset: 10n, lastOffsetDelta: 9, bytes: 70 }),
    ]);
    for (let length = 0; length < bytes.length; length++) {
      const { keptBytes, nextOffset, stop } = walkBatches(
        ByteSlices.of(bytes.subarray(0, length)),
        NO_LIMITS,
      );
      expect(keptBytes).toBe(length < 80 ? 0 : 80);
      expect(nextOffset).toBe(length < 80 ? 0n : 10n);
      expect(stop).toBe(length % 80 === 0 ? 'end' : 'cut-off');
    }
  });

  test('says how large a batch is that was cut off', () => {
    const bytes = encodeBatch({ baseOffset: 0n, lastOffsetDelta: 9, bytes: 5000 });
    expect(walkBatches(ByteSlices.of(bytes.subarray(0, 100)), NO_LIMITS)).toMatchObject({
      stop: 'cut-off',
      stoppedAtBytes: 5000,
    });
  });

  test.each([0, 1])('stops at message format v%i, keeping what lies before', (magic) => {
    const result = walk([
      { baseOffset: 0n, lastOffsetDelta: 0 },
      { baseOffset: 1n, lastOffsetDelta: 0, magic },
    ]);
    expect(result).toMatchObject({ stop: 'unsupported', nextOffset: 1n, batches: 1 });
    expect(result.detail).toContain(`v${magic}`);
  });

  test.each([
    ['a length below the header', { baseOffset: 5n, lastOffsetDelta: 0, batchLength: 48 }],
    ['a length of zero', { baseOffset: 5n, lastOffsetDelta: 0, batchLength: 0 }],
    ['a negative length', { baseOffset: 5n, lastOffsetDelta: 0, batchLength: -12 }],
    ['a base offset going backwards', { baseOffset: 4n, lastOffsetDelta: 0 }],
    ['a negative base offset', { baseOffset: -1n, lastOffsetDelta: 0 }],
    ['a negative last offset delta', { baseOffset: 5n, lastOffsetDelta: -1 }],
    ['an end behind the last offset there is', { baseOffset: 2n ** 63n - 2n, lastOffsetDelta: 1 }],
  ])('takes %s for nonsense, keeping what lies before', (_what, batch) => {
    const result = walk([{ baseOffset: 0n, lastOffsetDelta: 4 }, batch]);
    expect(result).toMatchObject({ stop: 'corrupt', nextOffset: 5n, batches: 1 });
  });

  test('keeps nothing at or behind the end offset', () => {
    const batches = [0n, 10n, 20n].map((baseOffset) => ({ baseOffset, lastOffsetDelta: 9 }));
    expect(walk(batches, { endOffset: 20n })).toMatchObject({
      stop: 'end-offset',
      batches: 2,
      nextOffset: 20n,
    });
    expect(walk(batches, { endOffset: 15n })).toMatchObject({
      stop: 'end-offset',
      batches: 2,
      nextOffset: 20n,
    });
  });

  test('keeps what fits, and says how large the next one is', () => {
    const batches = [0n, 10n].map((baseOffset) => ({ baseOffset, lastOffsetDelta: 9, bytes: 100 }));
    const full = { stop: 'full', keptBytes: 100, stoppedAtBytes: 100 };
    expect(walk(batches, { bytesMax: 199 })).toMatchObject(full);
    expect(walk(batches, { bytesMax: 200 })).toMatchObject({ stop: 'end', keptBytes: 200 });
  });

  test('of any bytes ends, and never keeps more than there is', () => {
    const someBatches = fc.array(
      fc.record({
        baseOffset: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        lastOffsetDelta: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 2 }),
        bytes: fc.integer({ min: 61, max: 200 }),
        batchLength: fc.option(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { nil: undefined }),
        magic: fc.constantFrom(2, 2, 2, 1, 3, -1),
      }),
    );
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      someBatches.map((batches) =>
        Buffer.concat(
          batches.map(({ batchLength, ...batch }) =>
            encodeBatch(batchLength === undefined ? batch : { ...batch, batchLength }),
          ),
        ),
      ),
    );
    fc.assert(
      fc.property(anything, (bytes) => {
        const result = walkBatches(ByteSlices.of(bytes), NO_LIMITS);
        expect(result.keptBytes).toBeLessThanOrEqual(bytes.length);
        expect(result.nextOffset).toBeGreaterThanOrEqual(0n);
        expect(result.nextOffset).toBeLessThan(2n ** 63n);
        expect(result.batches === 0).toBe(result.keptBytes === 0);
        if (result.stop === 'end') expect(result.keptBytes).toBe(bytes.length);
      }),
      { numRuns: 500 },
    );
  });
});
