import { gzipSync } from 'node:zlib';
import lz4 from 'lz4-napi';
import { beforeAll, describe, expect, test } from 'vitest';
import { HeadraceError } from '#src/errors.js';
import type { Codec } from '#src/reference/batch-reader.js';
import { PLAIN_CODECS } from '#src/reference/codecs/plain.js';
import { compressSnappy } from '../../native-bench/snappy-block.js';
import { varint } from '../support/batch-builder.js';
import { eventLines } from '../support/codec-content.js';
import { FIXTURES, fixture, SMALL_CONTENT } from '../support/codec-fixtures.js';
import { CONTENT_BYTES_MAX, KernelBytes, verdictOf, walkVerdict } from '../support/kernel-bytes.js';
import { lz4BlockOf, lz4FrameOf } from '../support/lz4-writer.js';
import { snappyBlockOf, xerialOf } from '../support/snappy-writer.js';

/** What random inputs (test/property) would meet too rarely. */

let kernel: KernelBytes;

beforeAll(() => {
  kernel = new KernelBytes(8 * CONTENT_BYTES_MAX);
});

const PAYLOADS: [Codec, string, Buffer][] = [
  ['gzip', 'a member', gzipSync(SMALL_CONTENT)],
  ['snappy', 'a raw block', compressSnappy(SMALL_CONTENT)],
  ['snappy', 'xerial', xerialOf([compressSnappy(SMALL_CONTENT)])],
  ['lz4', 'a frame', lz4.compressFrameSync(SMALL_CONTENT)],
  [
    'lz4',
    'a checked frame',
    lz4.compressFrameSync(SMALL_CONTENT, { contentChecksum: true, blockChecksums: true }),
  ],
  ['zstd', 'a frame', fixture('zstd-3-sized')],
];

const LETTER = Buffer.from('a');
const FIRST = snappyBlockOf([{ literal: LETTER }]).block;
const COPIES = Array.from({ length: 60 }, () => ({ kind: 2 as const, offset: 0, bytes: 64 }));

function grownBlock(sequences: Parameters<typeof lz4BlockOf>[0]): Buffer {
  const { block } = lz4BlockOf([...sequences, { literals: LETTER, match: null }]);
  return lz4FrameOf({ blocks: [block] });
}

describe('where the records lie', () => {
  test.each(PAYLOADS)('%s, %s: in the region, from the ring or from elsewhere', (codec, _, payload) => {
    expect(kernel.decompress(codec, payload, CONTENT_BYTES_MAX)).toEqual({ content: SMALL_CONTENT });
    const fromElsewhere = kernel.codecs.decompress(codec, payload, CONTENT_BYTES_MAX);
    expect(fromElsewhere.buffer).toBe(kernel.memory.buffer);
    expect(Buffer.from(fromElsewhere).equals(SMALL_CONTENT)).toBe(true);
  });

  test('uncompressed: in the ring, as they are', () => {
    const placed = kernel.place(SMALL_CONTENT);
    expect(kernel.codecs.decompress('none', placed, CONTENT_BYTES_MAX)).toBe(placed);
  });

  test('a limit above the room for a batch is our own mistake', () => {
    const placed = kernel.place(SMALL_CONTENT);
    expect(() => kernel.codecs.decompress('lz4', placed, 8 * CONTENT_BYTES_MAX + 1)).toThrow(HeadraceError);
  });
});

describe('the kernel itself', () => {
  test.each(FIXTURES.filter(({ codec }) => codec === 'lz4'))('reads $name', ({ name, content }) => {
    const alone = kernel.alone('lz4', fixture(name), 8 * CONTENT_BYTES_MAX);
    expect(alone?.equals(content)).toBe(true);
  });

  test.each(PAYLOADS.filter(([codec]) => codec === 'lz4' || codec === 'snappy'))(
    'refuses %s, %s wherever it ends too early',
    (codec, name, payload) => {
      const wholeAt: number[] = [];
      for (let bytes = 1; bytes < payload.length; bytes++) {
        const alone = kernel.alone(codec as 'lz4' | 'snappy', payload.subarray(0, bytes), CONTENT_BYTES_MAX);
        if (alone !== null) wholeAt.push(bytes);
      }
      // xerial without a chunk is empty
      expect(wholeAt).toEqual(name === 'xerial' ? [16] : []);
    },
  );

  test('fills its limit to the last byte, and not one more', () => {
    const content = eventLines(6, 10_000);
    const size = content.length;
    const snappy = compressSnappy(content);
    expect(kernel.alone('snappy', snappy, size)?.equals(content)).toBe(true);
    expect(kernel.alone('snappy', snappy, size - 1)).toBeNull();
    const { block } = lz4BlockOf([{ literals: content, match: null }]);
    const stored = lz4FrameOf({ blocks: [{ bytes: content, stored: true }] });
    expect(kernel.alone('lz4', stored, size)?.equals(content)).toBe(true);
    expect(kernel.alone('lz4', stored, size - 1)).toBeNull();
    expect(kernel.alone('lz4', lz4FrameOf({ blocks: [block] }), 65_536)?.equals(content)).toBe(true);
  });

  test('refuses a block that grows over its size, stored or compressed', () => {
    const match = { offset: 0, bytes: 70_000 };
    const grown = lz4BlockOf([
      { literals: Buffer.from('a'), match },
      { literals: Buffer.from('b'), match: null },
    ]);
    expect(grown.content.length).toBe(70_002);
    expect(kernel.alone('lz4', lz4FrameOf({ blocks: [grown.block] }), CONTENT_BYTES_MAX)).toBeNull();
    const larger = lz4FrameOf({ blocks: [grown.block], blockSizeCode: 5 });
    expect(kernel.alone('lz4', larger, CONTENT_BYTES_MAX)?.equals(grown.content)).toBe(true);
    const stored = lz4FrameOf({ blocks: [{ bytes: Buffer.alloc(65_537), stored: true }] });
    expect(kernel.alone('lz4', stored, CONTENT_BYTES_MAX)).toBeNull();
  });

  test.each<['lz4' | 'snappy', string, Uint8Array, number]>([
    ['lz4', 'a match', grownBlock([{ literals: LETTER, match: { offset: 0, bytes: 70_000 } }]), 65_536],
    [
      'lz4',
      'literals',
      grownBlock([
        { literals: LETTER, match: { offset: 0, bytes: 65_000 } },
        { literals: eventLines(7, 3000), match: { offset: 0, bytes: 4 } },
      ]),
      65_536,
    ],
    ['snappy', 'a literal', snappyBlockOf([{ literal: eventLines(7, 3000) }], 100).block, 100],
    ['snappy', 'copies', snappyBlockOf([{ literal: LETTER }, ...COPIES], 100).block, 100],
    [
      'snappy',
      'copies of a second block',
      xerialOf([FIRST, snappyBlockOf([{ literal: LETTER }, ...COPIES], 99).block]),
      100,
    ],
  ])('writes nothing behind its room for %s: %s that leads over it', (codec, _, payload, bytesMax) => {
    // it watches what is written
    expect(kernel.decompress(codec, payload, bytesMax)).toMatchObject({ kind: 'corrupt' });
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 15, 16, 17, 31, 33])(
    'repeats what lies %i bytes back',
    (offset) => {
      const literal = Buffer.from('abcdefghijklmnopqrstuvwxyz0123456789').subarray(0, offset);
      for (const bytes of [4, 7, 8, 15, 16, 17, 18, 19, 31, 32, 33, 63, 64, 65, 200]) {
        const expected = Buffer.alloc(offset + bytes, literal);
        const last = { literals: Buffer.from('end'), match: null };
        const lz4Block = lz4BlockOf([
          { literals: literal, match: { offset: offset - 1, bytes } },
          last,
        ]).block;
        const whole = Buffer.concat([expected, Buffer.from('end')]);
        expect(kernel.alone('lz4', lz4FrameOf({ blocks: [lz4Block] }), CONTENT_BYTES_MAX)).toEqual(whole);
        if (bytes > 64) continue;
        const snappyBlock = snappyBlockOf([{ literal }, { kind: 2, offset: offset - 1, bytes }]).block;
        expect(kernel.alone('snappy', snappyBlock, CONTENT_BYTES_MAX)).toEqual(expected);
      }
    },
  );

  test.each<['lz4' | 'snappy', string, Uint8Array]>([
    [
      'lz4',
      'a match of offset 0',
      lz4FrameOf({ blocks: [{ bytes: Buffer.of(0x10, 0x61, 0, 0, 0x10, 0x61), stored: false }] }),
    ],
    [
      'lz4',
      'a match before the content',
      lz4FrameOf({ blocks: [{ bytes: Buffer.of(0x10, 0x61, 2, 0, 0x10, 0x61), stored: false }] }),
    ],
    [
      'lz4',
      'an endless length',
      lz4FrameOf({ blocks: [{ bytes: Buffer.alloc(60_000, 0xff), stored: false }] }),
    ],
    ['lz4', 'an empty block', lz4FrameOf({ blocks: [{ bytes: Buffer.of(0), stored: false }] })],
    ['lz4', 'an empty stored block', lz4FrameOf({ blocks: [{ bytes: Buffer.of(), stored: true }] })],
    ['snappy', 'a copy of offset 0', Buffer.of(5, 0, 0x61, 0x01, 0)],
    ['snappy', 'a copy before the content', Buffer.of(5, 0, 0x61, 0x01, 2)],
    ['snappy', 'a literal of 4 GiB', Buffer.of(5, 63 << 2, 0xff, 0xff, 0xff, 0xff, 0x61)],
  ])('refuses %s: %s, and the words are the plain codec’s', (codec, _, payload) => {
    expect(kernel.alone(codec, payload, CONTENT_BYTES_MAX)).toBeNull();
    const plain = verdictOf(() => PLAIN_CODECS.decompress(codec, payload, CONTENT_BYTES_MAX));
    expect(plain).toMatchObject({ kind: 'corrupt' });
    expect(kernel.decompress(codec, payload, CONTENT_BYTES_MAX)).toEqual(plain);
  });
});

describe('the walk finds each fault, in the reference’s words', () => {
  const record = (...fields: (number | Uint8Array)[]) => {
    const body = Buffer.concat(fields.map((field) => (typeof field === 'number' ? varint(field) : field)));
    return Buffer.concat([varint(body.length), body]);
  };
  /** attributes, time delta, offset delta, null key, null value, no headers */
  const whole = record(Buffer.of(0), 0, 0, -1, -1, 0);
  const long = (bytes: number, last: number) =>
    Buffer.concat([Buffer.alloc(bytes - 1, 0x80), Buffer.of(last)]);

  test.each<[string | null, Uint8Array, number]>([
    [null, whole, 1],
    [null, Buffer.of(), 0],
    [null, record(Buffer.of(0), long(10, 0), long(5, 0), -1, -1, 0), 1],
    [null, record(Buffer.of(0), 2 ** 52 - 1, 0, -1, -1, 0), 1],
    ['more records than bytes for them', whole, 2],
    ['record offsets that do not grow within their batch', record(Buffer.of(0), 0, 10, -1, -1, 0), 1],
    ['record offsets that do not grow within their batch', Buffer.concat([whole, whole]), 2],
    ['bytes behind the last record', Buffer.concat([whole, whole]), 1],
    ['a record longer than its batch', Buffer.concat([varint(8), Buffer.alloc(7)]), 1],
    ['a record longer than its batch', Buffer.concat([varint(-1), Buffer.alloc(7)]), 1],
    ['a record shorter than it says', record(Buffer.of(0), 0, 0, -1, -1, 0, 0), 1],
    ['a lying header count', record(Buffer.of(0), 0, 0, -1, -1, 1), 1],
    ['a lying header count', record(Buffer.of(0), 0, 0, -1, -1, -1), 1],
    ['a length beyond its record', Buffer.alloc(7), 1],
    ['a length beyond its record', record(Buffer.of(0), 0, 0, 9, -1, 0), 1],
    ['a length beyond its record', record(Buffer.of(0), 0, 0, -2, -1, 0), 1],
    ['a length beyond its record', record(Buffer.of(0), 0, 0, -1, 2 ** 31 - 1, 0), 1],
    ['a length beyond its record', record(Buffer.of(0), 0, 0, -1, -1, 1, -1, -1), 1],
    ['a varint that is cut off', record(Buffer.of(0), 0, 0, -1, -1, Buffer.of(0x80)), 1],
    ['a varint of more than 32 bits', record(Buffer.of(0), 0, long(5, 0x10), -1, -1, 0), 1],
    ['a varint longer than 5 bytes', record(Buffer.of(0), 0, long(6, 0), -1, -1, 0), 1],
    ['a varint longer than 10 bytes', record(Buffer.of(0), long(11, 0), 0, -1, -1, 0), 1],
    ['a timestamp beyond 2^52', record(Buffer.of(0), 2 ** 52, 0, -1, -1, 0), 1],
    ['a timestamp beyond 2^52', record(Buffer.of(0), long(10, 0x01), 0, -1, -1, 0), 1],
    ['a timestamp beyond 2^52', record(Buffer.of(0), long(9, 0x01), 0, -1, -1, 0), 1],
  ])('%s', (words, records, count) => {
    const expected = words === null ? null : `corrupt: ${words}`;
    expect(walkVerdict(PLAIN_CODECS, records, count, 9)).toBe(expected);
    expect(walkVerdict(kernel.codecs, kernel.place(records), count, 9)).toBe(expected);
    // outside the kernel's memory as well
    expect(walkVerdict(kernel.codecs, records, count, 9)).toBe(expected);
  });
});
