import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type EncodedFile, encodeRows } from '#src/columnar/encode.js';
import type { CompiledModel, Row } from '#src/model/types.js';
import { seededRandom } from '#src/random.js';
import { encodeRow } from '#src/reference/row-crc.js';
import { clickstreamLike, clickstreamRow, everyType } from '../support/columnar-model.js';
import { SEAL } from '../support/columnar-rows.js';
import { KernelColumns } from '../support/kernel-columns.js';

const ROW: Row = [
  ...['id', 1_769_817_600_000, 1, 2, 3, 4n, 0.5, 5, 's', 'low', ['x']],
  ...[-1, -2, -3n, 4, true, false],
  ...[0, 0n, 0n, 'gap', 0, 1],
];
const kernel = await KernelColumns.start(1024);

function bytesOf(row: Row): Buffer {
  return Buffer.from(encodeRow(everyType, row));
}

/** Hashed, since comparing arrays of bytes one by one takes seconds. */
function expectSameFile(model: CompiledModel, rows: readonly Row[]): void {
  const digest = ({ bytes, ...rest }: EncodedFile) => ({
    ...rest,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  });
  expect(digest(kernel.encode(model, rows, SEAL))).toEqual(digest(encodeRows(model, rows, SEAL)));
}

describe('the file of columns that the kernel built', () => {
  it('is, byte for byte, the one of the reference, over many blocks of rows', () => {
    const random = seededRandom(1);
    const rows = Array.from({ length: 1_000 }, (_, serial) => clickstreamRow(random, serial));
    expectSameFile(clickstreamLike, rows);
  });

  it('is that of no rows, too', () => {
    expectSameFile(everyType, []);
  });

  it('has the bounds of the least and greatest text by bytes, whichever block they are in', () => {
    const texts = [
      'b',
      'a\u0000',
      'a',
      '\u{10ffff}',
      '\uffff',
      '',
      'abcdefgh',
      'abcdefghi',
      'abcdefgh\u0000',
    ];
    for (const [first, second] of texts.flatMap((a) => texts.map((b) => [a, b] as const))) {
      const rows = Array.from({ length: 300 }, (_, i) => ROW.with(8, i < 299 ? first : second));
      const { stats } = kernel.encode(everyType, rows, SEAL);
      expect(stats, JSON.stringify([first, second])).toBe(encodeRows(everyType, rows, SEAL).stats);
    }
  });

  it('has no bounds of floats after one that is not finite, and those of later blocks otherwise', () => {
    for (const [early, late] of [
      [Number.NaN, 1],
      [1, Infinity],
      [-Infinity, 1],
      [null, 2],
      [-0, 0],
      [5e-324, -1.5],
    ] as const) {
      const rows = Array.from({ length: 300 }, (_, i) => ROW.with(6, i < 200 ? early : late));
      expectSameFile(everyType, rows);
    }
  });

  it('keeps texts of any length apart from their neighbours', () => {
    const lengths = [0, 1, 15, 16, 17, 31, 32, 33, 127, 128, 129, 5_000, 3];
    const rows = lengths.map((length, i) =>
      ROW.with(8, `${i % 10}`.repeat(length)).with(
        10,
        lengths.slice(i).map((l) => 'é'.repeat(l)),
      ),
    );
    expectSameFile(everyType, rows);
  });
});

describe('building columns', () => {
  it('gives all of its memory back', () => {
    const before = kernel.used;
    kernel.build(everyType, [bytesOf(ROW), bytesOf(ROW.with(8, null))], () => {
      expect(kernel.used).toBeGreaterThan(before);
    });
    expect(kernel.used).toBe(before);
  });

  it('says when memory is full, and keeps none', async () => {
    const small = await KernelColumns.start(24);
    const before = small.used;
    const rows = Array.from({ length: 3_000 }, () => bytesOf(ROW));
    small.build(everyType, rows, (at) => {
      expect(at).toBe(0);
    });
    expect(small.used).toBe(before);
    small.build(everyType, rows.slice(0, 10), (at) => {
      expect(at).toBeGreaterThan(1);
    });
  });

  it('refuses a row with a value of another type than its column has, and keeps no memory', () => {
    const before = kernel.used;
    const wrong = bytesOf(ROW);
    wrong[0] = 1;
    kernel.build(everyType, [bytesOf(ROW), wrong], (at) => {
      expect(at).toBe(1);
    });
    expect(kernel.used).toBe(before);
  });

  it('is a bug of the kernel when it finds a null where there can be none', () => {
    const rows = [ROW, ROW.with(0, null)];
    expect(() => kernel.encode(everyType, rows, SEAL)).toThrow(/null in a column that has none/);
  });
});
