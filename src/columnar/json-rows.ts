import { type Data, type RecordBatch, type Table, tableFromIPC } from 'apache-arrow';
import { invariant } from '../invariant.js';
import { SHARED_COLUMNS } from '../model/shared-columns.js';
import type { Column, CompiledModel } from '../model/types.js';
import { readParquet } from './parquet-package.js';

/**
 * Rows of a data file as JSON objects, the model's columns in their order:
 *
 *   string, list<string>          strings
 *   int8 … uint32, float          numbers
 *   int64, uint64                 strings: JSON's numbers end at 2⁵³ for most readers
 *   bool                          true, false
 *   time                          ISO 8601, UTC, milliseconds: 2026-01-31T12:00:00.123Z
 *   nothing                       null
 */

/** One record batch. */
interface Batch {
  /** The file's row that is its first. */
  from: number;
  /** Of a row of the batch: its columns as JSON, each behind what stands in front of it in the object. */
  members: readonly { prefix: string; json(at: number): string }[];
  key(at: number): Uint8Array;
}

export class JsonRows {
  readonly rows: number;
  readonly #batches: readonly Batch[];

  /** Throws Error when the bytes are no data file of the model. */
  constructor(model: CompiledModel, parquet: Uint8Array) {
    const table: Table = tableFromIPC(readParquet(parquet).intoIPCStream());
    this.rows = table.numRows;
    const batches: Batch[] = [];
    let from = 0;
    for (const batch of table.batches) {
      batches.push(openBatch(model, batch, from));
      from += batch.numRows;
    }
    this.#batches = batches;
  }

  /** The session key's bytes: they are the row's key in a topic. */
  key(row: number): Uint8Array {
    const batch = this.#batchOf(row);
    return batch.key(row - batch.from);
  }

  json(row: number): string {
    const { members, from } = this.#batchOf(row);
    let text = '{';
    for (const { prefix, json } of members) text += prefix + json(row - from);
    return `${text}}`;
  }

  /** The columns of a row, each as JSON. */
  texts(row: number): string[] {
    const { members, from } = this.#batchOf(row);
    return members.map(({ json }) => json(row - from));
  }

  #batchOf(row: number): Batch {
    let low = 0;
    for (let high = this.#batches.length - 1; low < high; ) {
      const middle = (low + high + 1) >> 1;
      if (this.#batches[middle]!.from <= row) low = middle;
      else high = middle - 1;
    }
    return this.#batches[low]!;
  }
}

function openBatch(model: CompiledModel, batch: RecordBatch, from: number): Batch {
  const keys = textsOf(dataOf(batch, keyColumn(model).name));
  return {
    from,
    members: model.columns.map((column, index) => ({
      prefix: `${index === 0 ? '' : ','}${JSON.stringify(column.name)}:`,
      json: jsonOrNull(column, batch),
    })),
    key: (at) => keys.bytes.subarray(keys.ends[at], keys.ends[at + 1]),
  };
}

/** A model need not keep its key as a column; the session's id holds it. */
function keyColumn(model: CompiledModel): Column {
  const column =
    model.columns.find(({ op }) => op.op === 'key') ?? model.columns.find(({ op }) => op.op === 'session_id');
  invariant(column !== undefined, 'a model without session_id', { model: model.name });
  return column;
}

function dataOf(batch: RecordBatch, name: string): Data {
  const data = batch.getChild(name)?.data[0];
  if (data === undefined) throw new Error(`the file has no column ${name}`);
  return data;
}

/** A column that the file has not was added to the table later; those that every table has, none lacks. */
function jsonOrNull(column: Column, batch: RecordBatch): (at: number) => string {
  const data = batch.getChild(column.name)?.data[0];
  if (data === undefined) {
    if (IN_EVERY_FILE.has(column.op.op)) dataOf(batch, column.name);
    const nothing = column.type === 'list<string>' ? '[]' : 'null';
    return () => nothing;
  }
  const json = jsonOf(column, data);
  if (data.nullCount === 0) return json;
  const { nullBitmap, offset } = data;
  return (at) => (((nullBitmap[(offset + at) >> 3]! >> ((offset + at) & 7)) & 1) === 0 ? 'null' : json(at));
}

/** By these a file of ours is known. */
const IN_EVERY_FILE: ReadonlySet<string> = new Set(SHARED_COLUMNS);

function jsonOf(column: Column, data: Data): (at: number) => string {
  const values = data.values as ArrayLike<number | bigint>;
  switch (column.type) {
    case 'int8':
    case 'uint8':
    case 'int16':
    case 'uint16':
    case 'int32':
    case 'uint32':
      return (at) => String(values[at]);
    case 'int64':
    case 'uint64':
      return (at) => `"${values[at]}"`;
    case 'bool': {
      const { offset } = data;
      const bits = data.values as Uint8Array;
      return (at) => String(((bits[(offset + at) >> 3]! >> ((offset + at) & 7)) & 1) === 1);
    }
    case 'float':
      return (at) => JSON.stringify(values[at]);
    case 'time':
      return (at) => `"${new Date(Number((values[at] as bigint) / 1_000n)).toISOString()}"`;
    case 'string': {
      const texts = textsOf(data);
      return (at) => JSON.stringify(textAt(texts, at));
    }
    case 'list<string>':
      return listsOf(data);
  }
}

/** Texts one behind the other, and where each begins: apache-arrow's own getters drop a leading BOM. */
interface Texts {
  bytes: Buffer;
  ends: Int32Array;
}

function textsOf(data: Data): Texts {
  const values = data.values as Uint8Array;
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return { bytes, ends: data.valueOffsets };
}

function textAt({ bytes, ends }: Texts, at: number): string {
  return bytes.toString('utf8', ends[at], ends[at + 1]);
}

function listsOf(data: Data): (at: number) => string {
  const texts = textsOf(data.children[0]!);
  const ends: Int32Array = data.valueOffsets;
  return (at) => {
    if (ends[at] === ends[at + 1]) return '[]';
    let text = '';
    for (let item = ends[at]!; item < ends[at + 1]!; item++)
      text += `,${JSON.stringify(textAt(texts, item))}`;
    return `[${text.slice(1)}]`;
  };
}
