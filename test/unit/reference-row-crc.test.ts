import { crc32c } from '@node-rs/crc32';
import { describe, expect, it } from 'vitest';
import type { Row } from '#src/model/types.js';
import { addCrc, encodeRow, rowCrc } from '#src/reference/row-crc.js';
import { LaneProbe, tinyModel } from '../support/reference-lane.js';

const model = tinyModel();
const ROW = new LaneProbe(model).send(
  { user: 'ü', at: 0, page: 'a', price: 1.5 },
  { user: 'ü', at: 1, page: 'b' },
  { user: 'w', at: 90 },
).rows[0]!;

/** The row with another value in one column. */
function change(column: string, value: Row[number]): Row {
  return ROW.with(
    model.columns.findIndex(({ name }) => name === column),
    value,
  );
}

describe('the canonical bytes of a row', () => {
  it('are the documented ones', () => {
    const int = (value: number | bigint) => {
      const bytes = Buffer.alloc(9);
      bytes[0] = 1;
      bytes.writeBigInt64LE(BigInt(value), 1);
      return bytes;
    };
    const text = (value: string) => {
      const size = Buffer.alloc(4);
      size.writeUInt32LE(Buffer.byteLength(value));
      return Buffer.concat([size, Buffer.from(value)]);
    };
    const string = (value: string) => Buffer.concat([Buffer.of(3), text(value)]);
    const list = (...values: string[]) =>
      Buffer.concat([Buffer.of(4, values.length, 0, 0, 0), ...values.map(text)]);
    const start = Date.UTC(2026, 0, 1);
    const expected = Buffer.concat([
      string(`ü:${start}`),
      string('ü'),
      int(start),
      int(start + 1_000),
      int(1),
      int(2),
      int(0),
      string('a'),
      string('b'),
      Buffer.from([2, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f]),
      int(2n),
      list('a', 'b'),
      list('a', 'b'),
      string('gap'),
      int(0),
      int(1),
    ]);
    expect(Buffer.from(encodeRow(model, ROW)).toString('hex')).toBe(expected.toString('hex'));
    expect(rowCrc(model, ROW)).toBe(crc32c(expected));
  });

  it('leave out what differs from attempt to attempt', () => {
    for (const [column, value] of [
      ['created_at', 5],
      ['batch_id', 7n],
      ['file_id', 9n],
    ] as const) {
      expect(rowCrc(model, change(column, value)), column).toBe(rowCrc(model, ROW));
    }
  });

  it('differ for every other column', () => {
    const others: [string, Row[number]][] = [
      ['session_id', 'x'],
      ['session_end', 1],
      ['events', 3],
      ['entry', null],
      ['last_price', 1.25],
      ['unique', 2n ** 64n - 1n],
      ['pages', ['ab']],
      ['distinct', []],
      ['closed_by', 'early'],
      ['revision', 1],
      ['sign', -1],
    ];
    const crcs = others.map(([column, value]) => rowCrc(model, change(column, value)));
    expect(new Set([rowCrc(model, ROW), ...crcs]).size).toBe(others.length + 1);
  });

  it('hold rows of any size', () => {
    const pages = Array.from({ length: 1_000 }, (_, index) => `${index}€`.repeat(20));
    const bytes = encodeRow(model, change('pages', pages));
    expect(bytes.byteLength).toBeGreaterThan(80_000);
    expect(Buffer.from(bytes).includes('999€'.repeat(20))).toBe(true);
  });
});

it('sums of CRCs do not depend on the order and stay below 2^32', () => {
  const sum = [0xffff_ffff, 5, 0x8000_0000].reduce(addCrc, 0);
  expect(sum).toBe([5, 0x8000_0000, 0xffff_ffff].reduce(addCrc, 0));
  expect(sum).toBe(0x8000_0004);
});
