import type { CompiledModel } from '../model/types.js';
import type { BuiltColumn } from './built-column.js';

/** What a file's rows are, by their sign and revision: counted when it is written, a look at two columns. */
export interface RowChanges {
  /** Rows that take an earlier one back. */
  takenBack: number;
  /** Rows that are the first of their session. */
  first: number;
}

export function changesOf(
  { columnIndex }: CompiledModel,
  columns: readonly BuiltColumn[],
  rows: number,
): RowChanges {
  const [sign, revision] = [columns[columnIndex.sign], columns[columnIndex.revision]];
  // rows that say neither, of a model made by hand, can take nothing back
  if (sign === undefined || revision === undefined) return { takenBack: 0, first: rows };
  const signs = sign.data.values as ArrayLike<number>;
  const isZero = zeroTest(revision.data.values as Integers);
  let takenBack = 0;
  let first = 0;
  for (let row = 0; row < rows; row++) {
    if (signs[row]! < 0) takenBack++;
    else if (isZero(row)) first++;
  }
  return { takenBack, first };
}

type Integers = Int32Array | BigInt64Array;

/** 64-bit numbers are looked at by halves: a BigInt a row would cost more than the row's other columns. */
function zeroTest(values: Integers): (row: number) => boolean {
  if (!(values instanceof BigInt64Array)) return (row) => values[row] === 0;
  const halves = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
  return (row) => halves[2 * row] === 0 && halves[2 * row + 1] === 0;
}
