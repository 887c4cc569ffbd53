import { gzipSync } from 'node:zlib';
import lz4 from 'lz4-napi';
import { describe, expect, test } from 'vitest';
import type { Codec } from '#src/reference/batch-reader.js';
import { PLAIN_CODECS } from '#src/reference/codecs/plain.js';
import { compressSnappy } from '../../native-bench/snappy-block.js';
import { eventLines, noise } from '../support/codec-content.js';
import { FIXTURES, fixture, SMALL_CONTENT } from '../support/codec-fixtures.js';
import { verdictOf } from '../support/kernel-bytes.js';
import { lz4BlockOf, lz4FrameOf } from '../support/lz4-writer.js';
import { snappyBlockOf, xerialOf } from '../support/snappy-writer.js';

const LIMIT = 16 * 1024 * 1024;

const read = (codec: Codec, payload: Uint8Array, bytesMax = LIMIT) =>
  verdictOf(() => PLAIN_CODECS.decompress(codec, payload, bytesMax));
const corrupt = (message: RegExp) => ({ kind: 'corrupt', message: expect.stringMatching(message) });
const tooLarge = { kind: 'too_large', message: expect.stringMatching(/limit of \d+/) };

/** A content's payload by each codec, made by its own encoders or by hand. */
const PAYLOADS: [Codec, string, Buffer][] = [
  ['gzip', 'one member', gzipSync(SMALL_CONTENT)],
  [
    'gzip',
    'three members',
    Buffer.concat([0, 1000, 1001].map((from, i, all) => gzipSync(SMALL_CONTENT.subarray(from, all[i + 1])))),
  ],
  ['snappy', 'a raw block', compressSnappy(SMALL_CONTENT)],
  [
    'snappy',
    'xerial',
    xerialOf([compressSnappy(SMALL_CONTENT.subarray(0, 999)), compressSnappy(SMALL_CONTENT.subarray(999))]),
  ],
  ['lz4', 'a frame', lz4.compressFrameSync(SMALL_CONTENT)],
  [
    'lz4',
    'a checked frame',
    lz4.compressFrameSync(SMALL_CONTENT, { contentChecksum: true, blockChecksums: true }),
  ],
  ['zstd', 'a frame', fixture('zstd-3-sized')],
  ['zstd', 'a checked frame', fixture('zstd-19-sized-checked')],
  ['zstd', 'a frame of unknown size', fixture('zstd-1-streamed')],
];

describe('each codec', () => {
  test.each(PAYLOADS)('%s: %s is read', (codec, _, payload) => {
    expect(read(codec, payload)).toEqual({ content: SMALL_CONTENT });
  });

  test.each(PAYLOADS)('%s: %s is read where it lies in shared memory', (codec, _, payload) => {
    const shared = new Uint8Array(new SharedArrayBuffer(payload.length + 20)).subarray(7, 7 + payload.length);
    shared.set(payload);
    expect(read(codec, shared)).toEqual({ content: SMALL_CONTENT });
  });

  test.each(PAYLOADS)('%s: %s fits a limit of its size and none below', (codec, _, payload) => {
    // of LZ4 only what its blocks could hold is known before
    const size = codec === 'lz4' ? 64 * 1024 : SMALL_CONTENT.length;
    expect(read(codec, payload, size)).toEqual({ content: SMALL_CONTENT });
    expect(read(codec, payload, SMALL_CONTENT.length - 1)).toEqual(tooLarge);
    expect(read(codec, payload, 0)).toEqual(tooLarge);
  });

  test.each(PAYLOADS)('%s: %s is corrupt wherever it ends too early', (codec, name, payload) => {
    const wholeAt = new Set<number>();
    for (let bytes = 1; bytes < payload.length; bytes++) {
      const verdict = read(codec, payload.subarray(0, bytes));
      if ('content' in verdict) wholeAt.add(bytes);
      else expect(verdict.kind).toBe('corrupt');
    }
    // a prefix that is a whole payload itself: members and chunks stand for themselves
    const ends: Record<string, number> = { 'three members': 2, xerial: 2 };
    expect(wholeAt.size).toBe(ends[name] ?? 0);
  });

  test.each(PAYLOADS)('%s: %s with bytes behind it is corrupt', (codec, _, payload) => {
    for (const tail of [Buffer.of(0), Buffer.of(0, 0, 0, 0, 0), Buffer.of(0x1f), Buffer.from('more')]) {
      expect(read(codec, Buffer.concat([payload, tail]))).toEqual(corrupt(/./));
    }
  });

  test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)('%s: no bytes are no records', (codec) => {
    expect(read(codec, Buffer.of(), 0)).toEqual({ content: Buffer.of() });
  });

  test('none: the payload itself, up to the limit', () => {
    expect(PLAIN_CODECS.decompress('none', SMALL_CONTENT, SMALL_CONTENT.length)).toBe(SMALL_CONTENT);
    expect(read('none', SMALL_CONTENT, SMALL_CONTENT.length - 1)).toEqual(tooLarge);
  });
});

describe('what other encoders made', () => {
  test.each(FIXTURES)('$name', ({ codec, name, content }) => {
    const verdict = read(codec, fixture(name));
    expect('content' in verdict && verdict.content.equals(content)).toBe(true);
  });
});

describe('bombs stay within the limit', () => {
  const MEBIBYTE = 1024 * 1024;
  const zeros = Buffer.alloc(64 * MEBIBYTE);
  /** Frame header without content size, window 128 KiB, blocks of 128 KiB of one byte. */
  const repeated = Buffer.concat([
    Buffer.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38),
    ...Array.from({ length: 512 }, (_, index) => Buffer.of(index === 511 ? 0x03 : 0x02, 0x00, 0x10, 0x61)),
  ]);
  const copies = Array.from({ length: 100_000 }, () => ({ kind: 2 as const, offset: 0, bytes: 64 }));
  test.each<[Codec, string, Buffer]>([
    ['gzip', 'of zeros', gzipSync(zeros, { level: 9 })],
    ['lz4', 'of zeros', lz4.compressFrameSync(zeros)],
    ['zstd', 'of repeated blocks', repeated],
    ['snappy', 'of copies', snappyBlockOf([{ literal: Buffer.of(1) }, ...copies]).block],
  ])('%s %s', (codec, _, payload) => {
    const before = process.memoryUsage();
    expect(read(codec, payload, MEBIBYTE)).toEqual(tooLarge);
    const after = process.memoryUsage();
    expect(after.arrayBuffers + after.external - before.arrayBuffers - before.external).toBeLessThan(
      8 * MEBIBYTE,
    );
  });
});

describe('lies', () => {
  const block = (literal: string) => snappyBlockOf([{ literal: Buffer.from(literal) }]).block;
  const rawZstd = (header: number[], content: string) =>
    Buffer.concat([
      Buffer.of(0x28, 0xb5, 0x2f, 0xfd, ...header),
      Buffer.of((content.length << 3) | 1, 0, 0),
      Buffer.from(content),
    ]);
  const lz4Literals = (bytes: number) => lz4BlockOf([{ literals: noise(1, bytes), match: null }]).block;

  test.each<[Codec, string, Uint8Array, RegExp]>([
    [
      'snappy',
      'a length of 4 GiB',
      snappyBlockOf([{ literal: Buffer.from('abc') }], 2 ** 32 - 1).block,
      /more than it can/,
    ],
    ['snappy', 'a length of 35 bits', Buffer.of(0xff, 0xff, 0xff, 0xff, 0x7f, 0), /more than it can/],
    ['snappy', 'an endless length', Buffer.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff), /32 bits/],
    [
      'snappy',
      'one byte more than there is',
      snappyBlockOf([{ literal: Buffer.from('abc') }], 4).block,
      /less than it says/,
    ],
    [
      'snappy',
      'one byte less',
      snappyBlockOf([{ literal: Buffer.from('abc') }], 2).block,
      /more than it says/,
    ],
    ['snappy', 'a copy of nothing', Buffer.of(4, 1, 1), /before the content/],
    ['snappy', 'a copy from offset 0', Buffer.of(5, 0, 0x61, 1, 0), /before the content/],
    [
      'snappy',
      'a later framing',
      (() => {
        const framed = xerialOf([block('abc')]);
        framed[15] = 2;
        return framed;
      })(),
      /another version/,
    ],
    ['snappy', 'a chunk longer than the payload', xerialOf([block('abc')]).subarray(0, -1), /cut off/],
    ['lz4', 'a content size too small', lz4FrameOf({ blocks: [lz4Literals(9)], contentBytes: 8 }), /LZ4/],
    ['lz4', 'a content size too large', lz4FrameOf({ blocks: [lz4Literals(9)], contentBytes: 10 }), /LZ4/],
    [
      'lz4',
      'a content size of 2^63',
      lz4FrameOf({ blocks: [lz4Literals(9)], contentBytes: 2 ** 63 }),
      /more than it can/,
    ],
    ['lz4', 'a dictionary', lz4FrameOf({ blocks: [lz4Literals(9)], flags: 1 }), /no Kafka client/],
    ['lz4', 'a reserved flag', lz4FrameOf({ blocks: [lz4Literals(9)], flags: 2 }), /LZ4/],
    [
      'lz4',
      'an empty stored block',
      lz4FrameOf({ blocks: [{ bytes: Buffer.of(), stored: true }, lz4Literals(9)] }),
      /without content/,
    ],
    [
      'lz4',
      'an empty block',
      lz4FrameOf({ blocks: [{ bytes: Buffer.of(0), stored: false }, lz4Literals(9)] }),
      /without content/,
    ],
    ['zstd', 'a content size too small', rawZstd([0x80, 0x38, 2, 0, 0, 0], 'abc'), /another size/],
    ['zstd', 'a content size too large', rawZstd([0x20, 4], 'abc'), /more than it can/],
    ['zstd', 'a content size of 2^63', rawZstd([0xe0, 0, 0, 0, 0, 0, 0, 0, 0x80], 'abc'), /more than it can/],
    ['zstd', 'a dictionary', rawZstd([0x21, 7, 3], 'abc'), /dictionary/],
    ['zstd', 'a reserved bit', rawZstd([0x28, 3], 'abc'), /reserved/],
    [
      'zstd',
      'a block of the reserved type',
      Buffer.of(0x28, 0xb5, 0x2f, 0xfd, 0x20, 0, 7, 0, 0),
      /unknown type/,
    ],
    [
      'zstd',
      'a block larger than its window',
      Buffer.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0x0b, 0x20, 0, 1),
      /larger than its frame/,
    ],
    [
      'zstd',
      'a skippable frame longer than the payload',
      Buffer.of(0x50, 0x2a, 0x4d, 0x18, 9, 0, 0, 0, 1),
      /cut off/,
    ],
  ])('%s: %s', (codec, _, payload, message) => {
    expect(read(codec, payload)).toEqual(corrupt(message));
  });
});

describe('changed bytes never pass where there is a checksum', () => {
  const checked = PAYLOADS.filter(
    ([codec, name]) => codec === 'gzip' || (codec === 'lz4' && name === 'a checked frame'),
  );
  test.each(checked)('%s: %s', (codec, name, payload) => {
    // a gzip header has bytes that mean nothing: time, extra flags, system
    const from = codec === 'gzip' ? 10 : 0;
    for (let at = from; at < payload.length; at += 7) {
      if (name === 'three members') continue;
      const bytes = Buffer.from(payload);
      bytes[at]! ^= 0x10;
      expect(read(codec, bytes)).toEqual(corrupt(/./));
    }
  });
});

describe('zstd', () => {
  test('frames, one behind the other, with what may be skipped between and around', () => {
    const skippable = Buffer.of(0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3);
    const payload = [
      skippable,
      fixture('zstd-3-sized'),
      fixture('zstd-1-streamed'),
      skippable,
      fixture('zstd-3-sized'),
    ];
    const content = Buffer.concat([SMALL_CONTENT, SMALL_CONTENT, SMALL_CONTENT]);
    expect(read('zstd', Buffer.concat(payload))).toEqual({ content });
    expect(read('zstd', Buffer.concat(payload), content.length - 1)).toEqual(tooLarge);
  });

  test('changed bytes give a content, a fault, and never anything else', () => {
    const payload = fixture('zstd-3-mixed-streamed-checked');
    const kinds = new Set<string>();
    for (let at = 0; at < payload.length; at += 41) {
      const bytes = Buffer.from(payload);
      bytes[at]! ^= 1 << (at % 8);
      const verdict = read('zstd', bytes, 300_000);
      kinds.add('content' in verdict ? 'content' : verdict.kind);
    }
    expect(kinds).toContain('corrupt');
  });

  test('a Huffman tree of a single weight that uses no bits ends', () => {
    // weight 1 has all 32 states of its table: without bits to use up, nothing would end the reading
    const tree = Buffer.of(5, 0x10, 0xf8, 0x01, 0x00, 0x04);
    const literals = Buffer.alloc(3);
    literals.writeUIntLE(2 | (4 << 4) | ((tree.length + 1) << 14), 0, 3);
    const block = Buffer.concat([literals, tree, Buffer.of(1), Buffer.of(0)]);
    const frame = Buffer.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0x38, (block.length << 3) | 5, 0, 0);
    const payload = Buffer.concat([frame, block]);
    expect(read('zstd', payload)).toEqual(corrupt(/more Huffman weights/));
  });
});

test('LZ4: a large content of many blocks', () => {
  const content = Buffer.concat([eventLines(3, 200_000), noise(3, 70_000), eventLines(4, 100_000)]);
  const verdict = read('lz4', lz4.compressFrameSync(content));
  expect('content' in verdict && verdict.content.equals(content)).toBe(true);
});
