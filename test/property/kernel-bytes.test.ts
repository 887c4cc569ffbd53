import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Codec } from '#src/reference/batch-reader.js';
import { PLAIN_CODECS } from '#src/reference/codecs/plain.js';
import { buildBatch, type RecordSpec } from '../support/batch-builder.js';
import {
  CONTENT_BYTES_MAX,
  KernelBytes,
  type Verdict,
  verdictOf,
  walkVerdict,
} from '../support/kernel-bytes.js';
import { type Lz4Block, type Lz4Sequence, lz4BlockOf, lz4FrameOf } from '../support/lz4-writer.js';
import { propertySettings } from '../support/property-seed.js';
import { type SnappyElement, snappyBlockOf, xerialOf } from '../support/snappy-writer.js';
import { xxh32 } from '../support/xxh32.js';

/** The kernel against the plain codecs: the same content, or the same words for what is wrong, whatever the bytes are. */

let kernel: KernelBytes;

beforeAll(() => {
  kernel = new KernelBytes();
});

const few = fc.uint8Array({ minLength: 1, maxLength: 40 });
const many = fc.uint8Array({ minLength: 250, maxLength: 900 });
const literals = fc.oneof({ weight: 5, arbitrary: few }, { weight: 1, arbitrary: many });
const offset = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.nat(70_000));

const match = fc.record({
  offset,
  bytes: fc.oneof(fc.integer({ min: 4, max: 40 }), fc.integer({ min: 40, max: 3000 })),
});
const sequences = fc
  .tuple(
    literals,
    fc.array(fc.record({ literals: fc.oneof(literals, fc.constant(new Uint8Array(0))), match }), {
      maxLength: 8,
    }),
    fc.oneof(literals, fc.constant(new Uint8Array(0))),
  )
  .map(([first, rest, last]): Lz4Sequence[] => [
    { literals: first, match: rest[0]?.match ?? { offset: 0, bytes: 4 } },
    ...rest,
    { literals: last, match: null },
  ]);

const lz4Frame = fc
  .record({
    blocks: fc.array(fc.oneof(sequences, literals), { maxLength: 4 }),
    blockSizeCode: fc.constantFrom(4, 5, 6, 7),
    linked: fc.boolean(),
    blockChecksums: fc.boolean(),
    contentChecksum: fc.boolean(),
    contentSize: fc.boolean(),
  })
  .map(({ blocks, contentChecksum, contentSize, ...rest }) => {
    let content = Buffer.alloc(0);
    const written = blocks.map((block): Lz4Block => {
      if (block instanceof Uint8Array) {
        content = Buffer.concat([content, block]);
        return { bytes: block, stored: true };
      }
      const made = lz4BlockOf(block, rest.linked ? content : undefined);
      content = Buffer.concat([content, made.content]);
      return made.block;
    });
    const frame = lz4FrameOf({
      ...rest,
      blocks: written,
      ...(contentChecksum ? { checkedContent: content } : {}),
      ...(contentSize ? { contentBytes: content.length } : {}),
    });
    return { payload: frame, content };
  });

const copy = fc.oneof(
  fc.record({ kind: fc.constant(1 as const), offset, bytes: fc.integer({ min: 4, max: 11 }) }),
  fc.record({
    kind: fc.constantFrom(2 as const, 3 as const),
    offset,
    bytes: fc.integer({ min: 1, max: 64 }),
  }),
);
const literal = fc.record(
  { literal: literals, lengthBytes: fc.constantFrom(2 as const, 3 as const, 4 as const) },
  { requiredKeys: ['literal'] },
);
const snappyBlock = fc
  .tuple(literal, fc.array(fc.oneof<fc.Arbitrary<SnappyElement>[]>(copy, literal), { maxLength: 12 }))
  .map(([first, rest]) => snappyBlockOf([first, ...rest]));
const snappy = fc.oneof(
  snappyBlock.map(({ block, content }) => ({ payload: block, content: Buffer.from(content) })),
  fc.array(snappyBlock, { maxLength: 4 }).map((blocks) => ({
    payload: xerialOf(blocks.map(({ block }) => block)),
    content: Buffer.concat(blocks.map(({ content }) => content)),
  })),
);

/** What the world does to bytes: some change, some are missing, some come twice. */
const damage = fc.record({
  changes: fc.array(
    fc.tuple(fc.nat(), fc.oneof(fc.constantFrom(0, 1, 0x0f, 0x7f, 0x80, 0xf0, 0xff), fc.nat(255))),
    {
      maxLength: 4,
    },
  ),
  cut: fc.option(fc.nat(), { nil: null }),
  doubled: fc.option(fc.nat(), { nil: null }),
});

function damaged(
  payload: Uint8Array,
  { changes, cut, doubled }: typeof damage extends fc.Arbitrary<infer T> ? T : never,
) {
  let bytes = Buffer.from(payload);
  for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
  if (doubled !== null) bytes = Buffer.concat([bytes.subarray(0, doubled % bytes.length), bytes]);
  return cut === null ? bytes : bytes.subarray(0, cut % (bytes.length + 1));
}

/** So that damage to an LZ4 header is met behind its checksum. */
function withHeaderChecksum(frame: Buffer): Buffer {
  const bytes = Buffer.from(frame);
  const headerBytes = ((bytes[4] ?? 0) & 0x08) === 0 ? 2 : 10;
  if (bytes.length > 4 + headerBytes) {
    bytes[4 + headerBytes] = (xxh32(bytes.subarray(4, 4 + headerBytes)) >>> 8) & 0xff;
  }
  return bytes;
}

function expectAgreement(codec: Codec, payload: Uint8Array, bytesMax: number): void {
  const reference = verdictOf(() => PLAIN_CODECS.decompress(codec, payload, bytesMax));
  expectVerdict(kernel.decompress(codec, payload, bytesMax), reference);
}

/** As toEqual, which takes its time for long contents. */
function expectVerdict(verdict: Verdict, expected: Verdict): void {
  if ('content' in verdict && 'content' in expected && verdict.content.equals(expected.content)) return;
  expect(verdict).toEqual(expected);
}

/** The kernel alone, with the plain codec behind it, and the plain codec. */
function expectContent(codec: 'lz4' | 'snappy', payload: Uint8Array, content: Buffer): void {
  expectVerdict(
    { content: kernel.alone(codec, payload, CONTENT_BYTES_MAX) ?? Buffer.from('refused') },
    { content },
  );
  expectVerdict(kernel.decompress(codec, payload, CONTENT_BYTES_MAX), { content });
  const plain = verdictOf(() => PLAIN_CODECS.decompress(codec, payload, CONTENT_BYTES_MAX));
  expectVerdict(plain, { content });
}

describe('LZ4', () => {
  it('gives what its sequences say', () => {
    fc.assert(
      fc.property(lz4Frame, ({ payload, content }) => expectContent('lz4', payload, content)),
      propertySettings({ numRuns: 300 }),
    );
  });

  it('is judged alike when damaged or over the limit', () => {
    fc.assert(
      fc.property(
        lz4Frame,
        damage,
        fc.boolean(),
        fc.integer({ min: -3, max: 3 }),
        (frame, how, repaired, room) => {
          expectAgreement('lz4', frame.payload, Math.max(0, frame.content.length + room));
          const bytes = damaged(frame.payload, how);
          expectAgreement('lz4', repaired ? withHeaderChecksum(bytes) : bytes, CONTENT_BYTES_MAX);
        },
      ),
      propertySettings({ numRuns: 800 }),
    );
  });

  it('is judged alike when only its sequences are random', () => {
    const nibbles = fc.array(fc.constantFrom(0, 1, 4, 0x0f, 0x10, 0x11, 0x1f, 0x40, 0xf0, 0xff, 0x20), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(fc.array(nibbles, { minLength: 1, maxLength: 3 }), fc.boolean(), (blocks, linked) => {
        const frame = lz4FrameOf({
          linked,
          blocks: blocks.map((bytes) => ({ bytes: Uint8Array.from(bytes), stored: false })),
        });
        expectAgreement('lz4', frame, CONTENT_BYTES_MAX);
      }),
      propertySettings({ numRuns: 800 }),
    );
  });
});

describe('snappy', () => {
  it('gives what its elements say', () => {
    fc.assert(
      fc.property(snappy, ({ payload, content }) => expectContent('snappy', payload, content)),
      propertySettings({ numRuns: 300 }),
    );
  });

  it('is judged alike when damaged or over the limit', () => {
    fc.assert(
      fc.property(snappy, damage, fc.integer({ min: -3, max: 3 }), ({ payload, content }, how, room) => {
        expectAgreement('snappy', payload, Math.max(0, content.length + room));
        // no more room than the content needs, so that what leads over it is seen
        expectAgreement('snappy', damaged(payload, how), content.length);
      }),
      propertySettings({ numRuns: 800 }),
    );
  });
});

describe('other codecs', () => {
  it('reach the kernel with zeros behind them, and their faults as they are', () => {
    fc.assert(
      fc.property(many, damage, (content, how) => {
        expect(kernel.decompress('gzip', gzipSync(content), content.length)).toEqual({
          content: Buffer.from(content),
        });
        expectAgreement('gzip', damaged(gzipSync(content), how), CONTENT_BYTES_MAX);
        expectAgreement('zstd', damaged(content, how), CONTENT_BYTES_MAX);
        expectAgreement('none', content, content.length - 1);
      }),
      propertySettings({ numRuns: 200 }),
    );
  });
});

describe('the walk over records', () => {
  const bytes = fc.option(fc.uint8Array({ maxLength: 200 }), { nil: null });
  const record: fc.Arbitrary<RecordSpec> = fc.record({
    timestampMs: fc.integer({ min: -(2 ** 51), max: 2 ** 51 }),
    key: bytes,
    value: bytes,
    headers: fc.array(fc.record({ key: fc.string({ maxLength: 5 }), value: bytes }), { maxLength: 3 }),
  });

  const expectSameWalk = (records: Uint8Array, count: number, lastOffsetDelta: number) => {
    const reference = walkVerdict(PLAIN_CODECS, records, count, lastOffsetDelta);
    expect(walkVerdict(kernel.codecs, kernel.place(records), count, lastOffsetDelta)).toBe(reference);
    return reference;
  };

  it('says of whole and of damaged records what the reference says', () => {
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 5 }),
        damage,
        fc.integer({ min: -1, max: 1 }),
        (records, how, lie) => {
          const whole = buildBatch({ records, baseTimestampMs: 0 }).subarray(61);
          expect(expectSameWalk(whole, records.length, records.length - 1)).toBeNull();
          expectSameWalk(whole, Math.max(0, records.length + lie), records.length - 1);
          expectSameWalk(whole, records.length, records.length - 1 + lie);
          if (whole.length > 0) expectSameWalk(damaged(whole, how), records.length, records.length - 1);
        },
      ),
      propertySettings({ numRuns: 800 }),
    );
  });

  it('says of random lengths and varints what the reference says', () => {
    const edges = [0, 1, 2, 3, 4, 6, 8, 14, 16, 20, 0x7f, 0x80, 0x81, 0xff];
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...edges), { maxLength: 40 }),
        fc.nat(3),
        fc.integer({ min: -1, max: 70 }),
        (all, count, last) => void expectSameWalk(Uint8Array.from(all), count, last),
      ),
      propertySettings({ numRuns: 4000 }),
    );
  });
});
