import { type Data, DataType } from 'apache-arrow';
import type { CompiledModel } from '../model/types.js';
import { type EncodedFile, encodeBuilt } from './encode.js';
import { FileColumns, takeColumns } from './file-columns.js';
import { placesOf } from './row-places.js';
import { isNull } from './take-rows.js';

/**
 * Data files from which rows are taken. A file is looked through by the columns that say whose a row is, and those alone are
 * decoded; what is left of one is written as the engine would have written it.
 */

/** A value that a row may have, in its column's own type, or a regular expression that its text as a whole meets. */
export type RowMatch = { column: string } & ({ value: string | number } | { pattern: string });

/** The rows, ascending, in which one of the columns matches. Throws Error for bytes that are no data file. */
export function matchingRows(parquet: Uint8Array, matches: readonly RowMatch[]): number[] {
  const columns = [...new Set(matches.map(({ column }) => column))];
  const file = new FileColumns(parquet, columns);
  const places = placesOf(file.lengths);
  const found = new Set<number>();
  for (const match of matches) {
    const { column } = match;
    const chunks = file.chunks(column);
    const equals =
      'pattern' in match
        ? likeness(column, chunks[0], match.pattern)
        : equality(column, chunks[0], match.value);
    for (let row = 0; row < places.length; row++) {
      const [chunk, at] = [chunks[places.chunk[row]!]!, places.at[row]!];
      if (!isNull(chunk, at) && equals(chunk, at)) found.add(row);
    }
  }
  return [...found].sort((a, b) => a - b);
}

/** Null: nothing is left. Throws Error for a file whose columns are not as ours. */
export function withoutRows(
  model: CompiledModel,
  parquet: Uint8Array,
  gone: readonly number[],
): EncodedFile | null {
  const file = new FileColumns(parquet);
  const isGone = new Set(gone);
  const places = placesOf(file.lengths, (row) => isGone.has(row));
  if (places.length === 0) return null;
  return encodeBuilt(model, takeColumns(model, [file], places), places.length);
}

/** By the bytes of a text: apache-arrow's own getters drop a leading BOM. */
function equality(name: string, first: Data | undefined, value: string | number) {
  const type = first?.type as DataType | undefined;
  if (type === undefined) return () => false;
  if (typeof value === 'string' && DataType.isUtf8(type)) {
    const bytes = Buffer.from(value);
    return ({ values, valueOffsets }: Data, at: number) =>
      bytes.equals((values as Uint8Array).subarray(valueOffsets[at], valueOffsets[at + 1]));
  }
  if (typeof value === 'number' && DataType.isInt(type))
    return ({ values }: Data, at: number) => Number(values[at]) === value;
  throw new Error(`its column ${name} is ${type}`);
}

function likeness(name: string, first: Data | undefined, pattern: string) {
  const type = first?.type as DataType | undefined;
  if (type === undefined) return () => false;
  if (!DataType.isUtf8(type)) throw new Error(`its column ${name} is ${type}`);
  const expression = new RegExp(pattern, 'u');
  return ({ values, valueOffsets }: Data, at: number) => {
    const text = (values as Uint8Array).subarray(valueOffsets[at], valueOffsets[at + 1]);
    return expression.test(Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString());
  };
}
