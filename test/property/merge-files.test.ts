import { DataType } from 'apache-arrow';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { BuiltColumn } from '#src/columnar/built-column.js';
import { encodeRows } from '#src/columnar/encode.js';
import { FileColumns, takeColumns } from '#src/columnar/file-columns.js';
import { mergeFiles } from '#src/columnar/merge-files.js';
import { placesOf } from '#src/columnar/row-places.js';
import type { Row } from '#src/model/types.js';
import { everyType } from '../support/columnar-model.js';
import { everyTypeRow, SEAL } from '../support/columnar-rows.js';
import { propertySettings } from '../support/property-seed.js';

/** Files that are merged, whose rows the kernel's module puts in order: the columns and statistics of a file that was written so. */

const fileOf = (rows: readonly Row[]) => encodeRows(everyType, rows, SEAL);

/** All values of a file by a reader of its own and TypeScript's gathering, without what lies behind the last of them. */
function columnsOf(bytes: Uint8Array) {
  const file = new FileColumns(bytes);
  return takeColumns(everyType, [file], placesOf(file.lengths)).map(plain);
}

/** What readers find at the place of a null is no value: arrow-rs leaves there what it likes. */
function plain({ data, nullCount, bounds }: BuiltColumn) {
  const cells: string[] = [];
  const { valueOffsets: ends, nullBitmap } = data;
  const child = data.children[0];
  const bitOf = (bits: Uint8Array, row: number) => (bits[row >> 3]! >> (row & 7)) & 1;
  const textOf = (values: Uint8Array, from: number, to: number) =>
    Buffer.from(values.subarray(from, to)).toString('hex');
  for (let row = 0; row < data.length; row++) {
    if (nullCount > 0 && bitOf(nullBitmap, row) === 0) cells.push('null');
    else if (child !== undefined) {
      const items = child.valueOffsets.subarray(ends[row], ends[row + 1]! + 1);
      const texts = [...items.slice(1)].map((end, item) => textOf(child.values, items[item]!, end));
      cells.push(`[${texts}]`);
    } else if (DataType.isUtf8(data.type)) cells.push(textOf(data.values, ends[row]!, ends[row + 1]!));
    else cells.push(String(DataType.isBool(data.type) ? bitOf(data.values, row) : data.values[row]));
  }
  return { nullCount, bounds, cells };
}

const rowsOfFiles = fc.array(fc.array(everyTypeRow, { minLength: 1, maxLength: 30 }), {
  minLength: 1,
  maxLength: 5,
});
const withGone = rowsOfFiles.chain((files) =>
  fc.tuple(fc.constant(files), fc.tuple(...files.map((rows) => fc.subarray([...rows.keys()])))),
);

it('leaves the rows that stay, as they come, and says of them what a file of them says', async () => {
  await fc.assert(
    fc.asyncProperty(withGone, async ([files, gone]) => {
      const inputs = files.map((rows, at) => ({ bytes: fileOf(rows).bytes, gone: new Set(gone[at]) }));
      const wanted = files.flatMap((rows, at) => rows.filter((_, row) => !gone[at]!.includes(row)));
      const merged = await mergeFiles(everyType, inputs, { orderBy: [], fileCount: 1 });
      expect(merged).toHaveLength(wanted.length === 0 ? 0 : 1);
      if (wanted.length === 0) return;
      const alone = fileOf(wanted);
      expect(merged[0]!.rows).toBe(wanted.length);
      expect(merged[0]!.stats).toBe(alone.stats);
      expect(columnsOf(merged[0]!.bytes)).toEqual(columnsOf(alone.bytes));
    }),
    propertySettings({ numRuns: 100 }),
  );
});

it('puts them in the order of a text, absent ones first and equal ones as they came, over several files', async () => {
  const column = everyType.columns.find(({ type, nullable }) => type === 'string' && nullable)!;
  const textOf = (row: Row) => row[column.index] as string | null;
  const order = (a: Row, b: Row) => {
    const [one, other] = [textOf(a), textOf(b)];
    if (one === null || other === null) return Number(one !== null) - Number(other !== null);
    return Buffer.compare(Buffer.from(one), Buffer.from(other));
  };
  await fc.assert(
    fc.asyncProperty(rowsOfFiles, fc.integer({ min: 1, max: 4 }), async (files, fileCount) => {
      const inputs = files.map((rows) => ({ bytes: fileOf(rows).bytes, gone: new Set<number>() }));
      const wanted = files.flat().sort(order);
      const merged = await mergeFiles(everyType, inputs, { orderBy: [column.name], fileCount });
      let at = 0;
      for (const { bytes, rows, stats } of merged) {
        const alone = fileOf(wanted.slice(at, at + rows));
        at += rows;
        expect(stats).toBe(alone.stats);
        expect(columnsOf(bytes)).toEqual(columnsOf(alone.bytes));
      }
      expect(at).toBe(wanted.length);
    }),
    propertySettings({ numRuns: 100 }),
  );
});

it('writes row groups of many pages, which read as the rows that went in', async () => {
  const some = fc.sample(everyTypeRow, { ...propertySettings({ numRuns: 300 }), numRuns: 300 });
  const rows = Array.from({ length: 50_000 }, (_, at) => some[(at * 7) % some.length]!);
  const { bytes, stats } = fileOf(rows);
  const inputs = Array.from({ length: 3 }, () => ({ bytes, gone: new Set<number>() }));
  const [merged, ...others] = await mergeFiles(everyType, inputs, { orderBy: [], fileCount: 1 });
  expect(others).toEqual([]);
  expect(merged!.stats).toBe(fileOf([...rows, ...rows, ...rows]).stats);
  expect(merged!.stats).not.toBe(stats);
  const wanted = new FileColumns(bytes);
  const thrice = [
    ...placesOf(wanted.lengths).at,
    ...placesOf(wanted.lengths).at,
    ...placesOf(wanted.lengths).at,
  ];
  const places = {
    length: thrice.length,
    chunk: new Uint32Array(thrice.length),
    at: Uint32Array.from(thrice),
  };
  expect(wanted.lengths).toHaveLength(1);
  const columns = columnsOf(merged!.bytes);
  for (const [index, column] of takeColumns(everyType, [wanted], places).map(plain).entries()) {
    const wrong = column.cells.findIndex((cell, row) => cell !== columns[index]!.cells[row]);
    expect({ index, wrong, is: columns[index]!.cells[wrong], bounds: columns[index]!.bounds }).toEqual({
      ...{ index, wrong: -1, is: undefined },
      bounds: column.bounds,
    });
  }
});
