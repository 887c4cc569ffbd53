import { type Data, type DataType, makeData, tableFromIPC, Utf8 } from 'apache-arrow';
import type { CompiledModel } from '../model/types.js';
import { arrowSchema } from './arrow-schema.js';
import type { BuiltColumn } from './built-column.js';
import { readParquet } from './parquet-package.js';
import type { RowPlaces } from './row-places.js';
import { takeRows } from './take-rows.js';

/** Columns of one or several data files, decoded, as chunks one behind the other. */

/** Few large record batches: each costs some dozen objects a column. */
const BATCH_ROWS = 131_072;

export class FileColumns {
  readonly rows: number;
  /** Of the chunks. */
  readonly lengths: readonly number[];
  readonly #chunks: ReadonlyMap<string, readonly Data[]>;

  /** `columns`: these alone are decoded. Throws Error for bytes that are no Parquet file. */
  constructor(parquet: Uint8Array, columns?: readonly string[]) {
    const decoded = readParquet(parquet, {
      batchSize: BATCH_ROWS,
      ...(columns === undefined ? {} : { columns: [...columns] }),
    });
    const { batches, schema } = tableFromIPC(decoded.intoIPCStream());
    this.lengths = batches.map(({ numRows }) => numRows);
    this.rows = this.lengths.reduce((sum, length) => sum + length, 0);
    this.#chunks = new Map(
      schema.fields.map(({ name }, at) => [
        name as string,
        batches.map(({ data }) => (data.children as readonly Data[])[at]!),
      ]),
    );
  }

  get names(): string[] {
    return [...this.#chunks.keys()];
  }

  /** Null: the file has no such column. */
  find(name: string): readonly Data[] | null {
    return this.#chunks.get(name) ?? null;
  }

  /** Throws Error when there is no such column. */
  chunks(name: string): readonly Data[] {
    const found = this.find(name);
    if (found === null) throw new Error(`it has no column ${name}`);
    return found;
  }
}

/** One column of several files, as the model wants it. Throws Error for a file whose column is another. */
export function chunksOfAll(model: CompiledModel, files: readonly FileColumns[], index: number): Data[] {
  const { name, type, nullable } = model.columns[index]!;
  const wanted = arrowSchema(model).fields[index]!.type as DataType;
  return files.flatMap((file) => {
    const found = file.find(name);
    if (found === null) {
      // a column that came to the table after the file
      if (!nullable && type !== 'list<string>') throw new Error(`it has no column ${name}`);
      return file.lengths.map((length) => emptyChunk(wanted, length, type === 'list<string>'));
    }
    const is = found[0]?.type;
    if (is !== undefined && String(is) !== String(wanted))
      throw new Error(`its column ${name} is ${is}, not ${wanted}`);
    return found;
  });
}

/** Rows of files as columns for another file, all of the model's, in its order. */
export function takeColumns(
  model: CompiledModel,
  files: readonly FileColumns[],
  places: RowPlaces,
): BuiltColumn[] {
  return model.columns.map((column, index) => takeRows(column, chunksOfAll(model, files, index), places));
}

/** Nothing in every row: null, and for lists, which have no nulls, the empty one. */
function emptyChunk(type: DataType, length: number, isList: boolean): Data {
  if (isList) {
    const child = makeData({
      type: new Utf8(),
      length: 0,
      nullCount: 0,
      valueOffsets: new Int32Array(1),
      data: new Uint8Array(0),
    });
    return makeData({
      type,
      length,
      nullCount: 0,
      valueOffsets: new Int32Array(length + 1),
      child,
    } as never);
  }
  const nullBitmap = new Uint8Array(Math.ceil(length / 8));
  const props = { type, length, nullCount: length, nullBitmap };
  if (type instanceof Utf8) {
    return makeData({ ...props, type, valueOffsets: new Int32Array(length + 1), data: new Uint8Array(0) });
  }
  return makeData({
    ...props,
    data: new (type as DataType & { ArrayType: new (n: number) => unknown }).ArrayType(length),
  } as never);
}
