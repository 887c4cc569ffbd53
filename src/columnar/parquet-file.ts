import * as layout from '../kernel/chunk-layout.js';
import type { Column, CompiledModel } from '../model/types.js';
import type { Bounds, BuiltColumn } from './built-column.js';
import type { ChunkMemory } from './chunk-memory.js';
import { writeStatistics } from './chunk-statistics.js';
import { type Chunk, writeChunk } from './chunk-writer.js';
import { pathOf, physicalType, schemaElements } from './parquet-schema.js';
import { ThriftWriter } from './thrift.js';

/**
 * A Parquet file: row groups of columns, then the footer that says where everything is. Data pages are of version 1, which all
 * readers know; all of them are compressed with Snappy.
 */

/** The form `name version …` is what parquet-mr parses. */
const CREATED_BY = 'headrace version 1';
const MAGIC = Buffer.from('PAR1');
const FORMAT_VERSION = 1;
const SNAPPY = 1;

/** A column of a row group, and what is said of its values. */
export interface MadeChunk {
  chunk: Chunk;
  nullCount: number;
  bounds: Bounds | null;
}

interface WrittenChunk extends MadeChunk {
  column: Column;
  at: number;
}

interface RowGroup {
  at: number;
  rows: number;
  chunks: WrittenChunk[];
}

export interface ChunkOptions {
  /** Are the least and greatest value of each chunk told? */
  hasStatistics: boolean;
  hasDictionary(column: Column): boolean;
}

export class ParquetFile {
  readonly #model: CompiledModel;
  readonly #memory: ChunkMemory;
  readonly #options: ChunkOptions;
  readonly #parts: Uint8Array[] = [MAGIC];
  readonly #groups: RowGroup[] = [];
  #at = MAGIC.length;

  constructor(model: CompiledModel, memory: ChunkMemory, options: ChunkOptions) {
    this.#model = model;
    this.#memory = memory;
    this.#options = options;
  }

  /** All columns of the model follow, in its order. */
  beginGroup(rows: number): void {
    this.#groups.push({ at: this.#at, rows, chunks: [] });
  }

  add(column: Column, built: BuiltColumn): void {
    const { rows } = this.#groups.at(-1)!;
    const { nullCount, bounds } = built;
    const chunk = writeChunk(this.#memory, column, built, rows, this.#options.hasDictionary(column));
    this.addChunk(column, { chunk, nullCount, bounds });
  }

  /** One that was written before its turn. */
  addChunk(column: Column, made: MadeChunk): void {
    this.#groups.at(-1)!.chunks.push({ column, at: this.#at, ...made });
    this.#parts.push(...made.chunk.pages);
    this.#at += made.chunk.bytes;
  }

  end(): Uint8Array {
    const footer = this.#footer();
    const length = Buffer.alloc(4);
    length.writeUInt32LE(footer.length);
    const file = new Uint8Array(this.#at + footer.length + length.length + MAGIC.length);
    let at = 0;
    for (const part of [...this.#parts, footer, length, MAGIC]) {
      file.set(part, at);
      at += part.length;
    }
    return file;
  }

  #footer(): Uint8Array {
    const thrift = new ThriftWriter();
    const { columns } = this.#model;
    const rows = this.#groups.reduce((sum, group) => sum + group.rows, 0);
    const schema = schemaOf(this.#model);
    thrift.element(() => {
      thrift.i32(1, FORMAT_VERSION);
      thrift.structs(2, schema.count, () => thrift.raw(schema.bytes));
      thrift.i64(3, rows);
      thrift.structs(4, this.#groups.length, () => {
        for (const [index, group] of this.#groups.entries()) this.#writeGroup(thrift, group, index);
      });
      thrift.text(6, CREATED_BY);
      // all columns are in the order of their type, without which readers trust no statistics
      thrift.structs(7, columns.length, () => {
        for (const _ of columns) thrift.element(() => thrift.struct(1, () => {}));
      });
    });
    return thrift.bytes();
  }

  #writeGroup(thrift: ThriftWriter, { at, rows, chunks }: RowGroup, index: number): void {
    const sum = (of: (chunk: Chunk) => number) => chunks.reduce((total, { chunk }) => total + of(chunk), 0);
    thrift.element(() => {
      thrift.structs(1, chunks.length, () => {
        for (const written of chunks) this.#writeChunk(thrift, written);
      });
      thrift.i64(
        2,
        sum(({ rawBytes }) => rawBytes),
      );
      thrift.i64(3, rows);
      thrift.i64(5, at);
      thrift.i64(
        6,
        sum(({ bytes }) => bytes),
      );
      thrift.i16(7, index);
    });
  }

  #writeChunk(thrift: ThriftWriter, written: WrittenChunk): void {
    const { column, at, chunk } = written;
    const { dictionaryBytes, encodings } = chunk;
    thrift.element(() => {
      thrift.i64(2, 0);
      thrift.struct(3, () => {
        thrift.i32(1, physicalType(column));
        thrift.i32s(2, encodingsOf(chunk));
        thrift.texts(3, pathOf(column));
        thrift.i32(4, SNAPPY);
        thrift.i64(5, chunk.values);
        thrift.i64(6, chunk.rawBytes);
        thrift.i64(7, chunk.bytes);
        thrift.i64(9, at + dictionaryBytes);
        if (dictionaryBytes > 0) thrift.i64(11, at);
        if (this.#options.hasStatistics && column.type !== 'list<string>')
          thrift.struct(12, () => writeStatistics(thrift, column, written.nullCount, written.bounds));
        const kinds = [...encodings].map(([encoding, count]) => [
          layout.PAGE_DATA as number,
          encoding,
          count,
        ]);
        if (dictionaryBytes > 0) kinds.push([layout.PAGE_DICTIONARY, layout.ENCODING_PLAIN, 1]);
        thrift.structs(13, kinds.length, () => {
          for (const kind of kinds)
            thrift.element(() => kind.forEach((value, i) => void thrift.i32(i + 1, value)));
        });
      });
    });
  }
}

/** Levels are runs; a dictionary's own page is plain. */
function encodingsOf({ encodings, dictionaryBytes }: Chunk): number[] {
  const all = new Set([layout.ENCODING_RLE, ...encodings.keys()]);
  if (dictionaryBytes > 0) all.add(layout.ENCODING_PLAIN);
  return [...all].sort((a, b) => a - b);
}

const schemas = new WeakMap<CompiledModel, ReturnType<typeof schemaElements>>();

function schemaOf(model: CompiledModel): ReturnType<typeof schemaElements> {
  let schema = schemas.get(model);
  if (schema === undefined) {
    schema = schemaElements(model);
    schemas.set(model, schema);
  }
  return schema;
}
