import { type Data, DataType, type Table, tableFromIPC } from 'apache-arrow';
import type { CompiledModel } from '../model/types.js';
import { arrowSchema } from './arrow-schema.js';
import { type EncodedFile, encodeBuilt } from './encode.js';
import { readParquet } from './parquet-package.js';
import { isNull, type Place, takeRows } from './take-rows.js';

/**
 * Data files from which rows are taken. A file is looked through by the columns that say whose a row is, and those alone are
 * decoded; what is left of one is written as the engine would have written it.
 */

/** A value that a row may have, in its column's own type, or a regular expression that its text as a whole meets. */
export type RowMatch = { column: string } & ({ value: string | number } | { pattern: string });

/** The rows, ascending, in which one of the columns matches. Throws Error for bytes that are no data file. */
export function matchingRows(parquet: Uint8Array, matches: readonly RowMatch[]): number[] {
  const columns = [...new Set(matches.map(({ column }) => column))];
  const table: Table = tableFromIPC(readParquet(parquet, { columns }).intoIPCStream());
  const found = new Set<number>();
  for (const match of matches) {
    const { column } = match;
    const chunks = chunksOf(table, column);
    const equals =
      'pattern' in match
        ? likeness(column, chunks[0], match.pattern)
        : equality(column, chunks[0], match.value);
    for (const [row, { chunk, at }] of allPlaces(chunks).entries()) {
      if (!isNull(chunks[chunk]!, at) && equals(chunks[chunk]!, at)) found.add(row);
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
  const table: Table = tableFromIPC(readParquet(parquet).intoIPCStream());
  const isGone = new Set(gone);
  const places = allPlaces(chunksOf(table, model.columns[0]!.name)).filter((_, row) => !isGone.has(row));
  if (places.length === 0) return null;
  const wanted = arrowSchema(model).fields;
  const columns = model.columns.map((column, index) => {
    const built = takeRows(column, chunksOf(table, column.name), places);
    const [is, should] = [built.data.type as DataType, wanted[index]!.type as DataType];
    if (String(is) === String(should)) return built;
    throw new Error(`its column ${column.name} is ${is}, not ${should}`);
  });
  return encodeBuilt(model, columns, places.length);
}

function chunksOf(table: Table, name: string): readonly Data[] {
  const column = table.getChild(name);
  if (column === null) throw new Error(`it has no column ${name}`);
  return column.data;
}

function allPlaces(chunks: readonly Data[]): Place[] {
  return chunks.flatMap(({ length }, chunk) => Array.from({ length }, (_, at) => ({ chunk, at })));
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
