import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Row } from '#src/model/types.js';
import { decodeRow } from '#src/reference/row-bytes.js';
import { encodeRow } from '#src/reference/row-crc.js';
import { everyType } from '../support/columnar-model.js';
import { everyTypeRow } from '../support/columnar-rows.js';
import { propertySettings } from '../support/property-seed.js';

const SEALED = ['created_at', 'batch_id', 'file_id'];
const ROW: Row = [
  ...['id', 1_769_817_600_000, 1, 2, 3, 4n, 0.5, 5, 's', 'low', ['x']],
  ...[-1, -2, -3n, 4, true, false],
  ...[0, 0n, 0n, 'gap', 0, 1],
];

/** A copy, since the next call overwrites what encodeRow gives. */
function bytesOf(row: Row): Buffer {
  return Buffer.from(encodeRow(everyType, row));
}

/** What of a row its bytes know. */
function known(row: Row): Row {
  return row.map((value, index) => {
    if (SEALED.includes(everyType.columns[index]!.name)) return null;
    if (typeof value === 'string') return Buffer.from(value).toString();
    return Array.isArray(value) ? value.map((item) => Buffer.from(item).toString()) : value;
  });
}

describe('a row read from its canonical bytes', () => {
  it('is the row that was written, without what only the seal knows', () => {
    fc.assert(
      fc.property(everyTypeRow, (row) => {
        expect(decodeRow(everyType, bytesOf(row))).toEqual(known(row));
      }),
      propertySettings({ numRuns: 200 }),
    );
  });

  it('keeps whole numbers of 64 bits, −0, NaN and the infinities', () => {
    for (const [index, value] of [
      [5, 2n ** 64n - 1n],
      [2, -128],
      [6, -0],
      [6, Number.NaN],
      [6, -Infinity],
      [7, -62_167_219_200_000],
      [13, -(2n ** 63n)],
      [15, null],
      [16, true],
    ] as const) {
      expect(decodeRow(everyType, bytesOf(ROW.with(index, value)))[index]).toBe(value);
    }
  });

  it('is refused at every shorter and at any greater length', () => {
    const whole = bytesOf(ROW);
    for (let end = 0; end < whole.length; end++) {
      expect(() => decodeRow(everyType, whole.subarray(0, end)), `${end} bytes`).toThrow(RangeError);
    }
    expect(() => decodeRow(everyType, Buffer.concat([whole, Buffer.of(0)]))).toThrow(/1 bytes are left/);
  });

  it('is refused when a value has the tag of another type, by the name of its column', () => {
    const bytes = bytesOf(ROW);
    bytes[0] = 1;
    expect(() => decodeRow(everyType, bytes)).toThrow(/tag 1 at byte 0 .* session_id/);
  });

  it('allocates nothing for a list that claims more items than there are bytes', () => {
    const bytes = bytesOf(ROW);
    const list = bytes.indexOf(Buffer.from([4, 1, 0, 0, 0, 1, 0, 0, 0, 0x78]));
    bytes.writeUInt32LE(0xffff_ffff, list + 1);
    expect(() => decodeRow(everyType, bytes)).toThrow(RangeError);
  });
});
