import { type Data, type Table, tableFromIPC } from 'apache-arrow';
import { readParquet } from 'parquet-wasm';
import { invariant } from '../invariant.js';
import type { Column, CompiledModel } from '../model/types.js';

/**
 * Rows of a data file as JSON objects, the model's columns in their order:
 *
 *   string, list<string>          strings
 *   int8, uint16, uint32, float   numbers
 *   uint64                        strings: JSON's numbers end at 2⁵³ for most readers
 *   time                          ISO 8601, UTC, milliseconds: 2026-01-31T12:00:00.123Z
 *   nothing                       null
 */

/** One column's values within one record batch. */
interface Chunk {
  from: number;
  rows: number;
  write(row: number): string;
}

export class JsonRows {
  readonly rows: number;
  readonly #members: readonly { prefix: string; chunks: readonly Chunk[] }[];
  readonly #keys: readonly { from: number; rows: number; data: Data }[];

  /** Throws Error when the bytes are no data file of the model. */
  constructor(model: CompiledModel, parquet: Uint8Array) {
    const table: Table = tableFromIPC(readParquet(parquet).intoIPCStream());
    this.rows = table.numRows;
    this.#members = model.columns.map((column, index) => ({
      prefix: `${index === 0 ? '{' : ','}${JSON.stringify(column.name)}:`,
      chunks: dataOf(table, column.name).map(({ from, data }) => chunkOf(column, from, data)),
    }));
    this.#keys = dataOf(table, keyColumn(model).name);
  }

  /** The session key's bytes: they are the row's key in a topic. */
  key(row: number): Uint8Array {
    const { from, data } = chunkWith(this.#keys, row);
    const at = row - from;
    return (data.values as Uint8Array).subarray(data.valueOffsets[at], data.valueOffsets[at + 1]);
  }

  json(row: number): string {
    let text = '';
    for (const { prefix, chunks } of this.#members) text += prefix + chunkWith(chunks, row).write(row);
    return `${text}}`;
  }
}

/** A model need not keep its key as a column; the session's id holds it. */
function keyColumn(model: CompiledModel): Column {
  const column =
    model.columns.find(({ op }) => op.op === 'key') ?? model.columns.find(({ op }) => op.op === 'session_id');
  invariant(column !== undefined, 'a model without session_id', { model: model.name });
  return column;
}

function dataOf(table: Table, name: string): { from: number; rows: number; data: Data }[] {
  const vector = table.getChild(name);
  if (vector === null) throw new Error(`the file has no column ${name}`);
  let from = 0;
  return vector.data.map((data: Data) => {
    const chunk = { from, rows: data.length, data };
    from += data.length;
    return chunk;
  });
}

function chunkWith<C extends { from: number; rows: number }>(chunks: readonly C[], row: number): C {
  let low = 0;
  for (let high = chunks.length - 1; low < high; ) {
    const middle = (low + high + 1) >> 1;
    if (chunks[middle]!.from <= row) low = middle;
    else high = middle - 1;
  }
  return chunks[low]!;
}

function chunkOf(column: Column, from: number, data: Data): Chunk {
  const value = jsonOf(column, data);
  const write = (row: number) =>
    data.nullCount > 0 && !data.getValid(row - from) ? 'null' : value(row - from);
  return { from, rows: data.length, write };
}

function jsonOf(column: Column, data: Data): (at: number) => string {
  const values = data.values as ArrayLike<number | bigint>;
  switch (column.type) {
    case 'int8':
    case 'uint16':
    case 'uint32':
      return (at) => String(values[at]);
    case 'uint64':
      return (at) => `"${values[at]}"`;
    case 'float':
      return (at) => JSON.stringify(values[at]);
    case 'time':
      return (at) => `"${new Date(Number((values[at] as bigint) / 1_000n)).toISOString()}"`;
    case 'string':
      return (at) => JSON.stringify(textAt(data, at));
    case 'list<string>':
      return (at) => JSON.stringify(listAt(data, at));
  }
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** From the buffers: apache-arrow's own getters drop a leading BOM. */
function textAt(data: Data, at: number): string {
  return decoder.decode(
    (data.values as Uint8Array).subarray(data.valueOffsets[at], data.valueOffsets[at + 1]),
  );
}

function listAt(data: Data, at: number): string[] {
  const items = data.children[0]!;
  const texts: string[] = [];
  for (let item = data.valueOffsets[at]!; item < data.valueOffsets[at + 1]!; item++) {
    texts.push(textAt(items, item));
  }
  return texts;
}
