import type { WriterProperties } from 'parquet-wasm';
import { HeadraceError } from '../errors.js';
import { invariant } from '../invariant.js';
import type { Column, CompiledModel, Row } from '../model/types.js';
import { arrowSchema } from './arrow-schema.js';
import { arrowStream } from './arrow-stream.js';
import type { BuiltColumn } from './built-column.js';
import {
  buildBool,
  buildConstant,
  buildFloat,
  buildInt64,
  buildInteger,
  buildTime,
  isTimeMs,
} from './numbers.js';
import {
  Compression,
  EnabledStatistics,
  Encoding,
  Table,
  WriterPropertiesBuilder,
  writeParquet,
} from './parquet-package.js';
import { fileType } from './schema.js';
import { statsJson } from './stats.js';
import { buildString, buildStringList } from './text.js';

export { groupByDate } from './session-date.js';

/**
 * Rows of one partition → one Parquet file with one row group. The same rows and the same seal give the same bytes,
 * which is what a retried insert into ClickHouse is recognised by.
 *
 * Memory: the wasm table and the writer's properties are consumed by writeParquet, also when it throws; the wasm
 * heap grows to the largest file and stays there.
 */

/** The form `name version …` is what parquet-mr parses. */
const CREATED_BY = 'headrace version 1';

/** What a row does not know of itself: when and by which cut and file it was sealed. */
export interface Seal {
  /** ms since 1970 */
  createdAtMs: number;
  /** Below 2⁶³. */
  batchId: bigint;
  /** Below 2⁶³. */
  fileId: bigint;
}

export interface EncodedFile {
  bytes: Uint8Array;
  rows: number;
  /** Delta's stats object as JSON text. */
  stats: string;
}

/** `rows` belong to one session_date; what they hold at created_at, batch_id and file_id is ignored. */
export function encodeRows(model: CompiledModel, rows: readonly Row[], seal: Seal): EncodedFile {
  const columns = model.columns.map((column) => (isSealed(column) ? null : buildColumn(column, rows)));
  return encodeColumns(model, columns, rows.length, seal);
}

/** The columns of rows of one session_date, by column index; null for those that the seal fills in. */
export function encodeColumns(
  model: CompiledModel,
  built: readonly (BuiltColumn | null)[],
  rows: number,
  seal: Seal,
): EncodedFile {
  invariant(isTimeMs(seal.createdAtMs), 'created_at is not a time', { value: seal.createdAtMs });
  invariant(isId(seal.batchId) && isId(seal.fileId), 'batch_id or file_id is not in 0…2⁶³−1');
  const columns = model.columns.map((column, index) => built[index] ?? sealedColumn(column, rows, seal));
  return encodeBuilt(model, columns, rows);
}

/** All columns of rows of one session_date, those of the seal too. */
export function encodeBuilt(
  model: CompiledModel,
  columns: readonly BuiltColumn[],
  rows: number,
): EncodedFile {
  return { bytes: toParquet(model, columns, rows), rows, stats: statsJson(model, columns, rows) };
}

/** Is it one of those that the seal fills in? */
export function isSealed({ op: { op } }: Column): boolean {
  return op === 'created_at' || op === 'batch_id' || op === 'file_id';
}

function sealedColumn(column: Column, rows: number, seal: Seal): BuiltColumn {
  switch (column.op.op) {
    case 'created_at':
      return buildConstant('timestamp', BigInt(seal.createdAtMs) * 1000n, rows);
    case 'batch_id':
      return buildConstant('int64', seal.batchId, rows);
    case 'file_id':
      return buildConstant('int64', seal.fileId, rows);
  }
  invariant(false, 'a column was not built', { column: column.name });
}

function buildColumn(column: Column, rows: readonly Row[]): BuiltColumn {
  const type = fileType(column);
  switch (type) {
    case 'int8':
    case 'uint8':
    case 'int16':
    case 'uint16':
    case 'int32':
      return buildInteger(column, rows, type);
    case 'bool':
      return buildBool(column, rows);
    case 'uint32':
    case 'int64':
    case 'uint64':
      return buildInt64(column, rows);
    case 'float':
      return buildFloat(column, rows);
    case 'time':
      return buildTime(column, rows);
    case 'string':
      return buildString(column, rows);
    case 'list<string>':
      return buildStringList(column, rows);
  }
}

function toParquet(model: CompiledModel, columns: readonly BuiltColumn[], rows: number): Uint8Array {
  const stream = arrowStream(arrowSchema(model), columns, rows);
  try {
    return writeParquet(Table.fromIPCStream(stream), writerProperties(model, rows));
  } catch (cause) {
    throw new HeadraceError('INVARIANT', 'the Parquet writer refused a file', {
      where: { model: model.name, rows },
      cause,
    });
  }
}

/**
 * What is worth its CPU, by kind of column. Measured on 12,000 rows of `clickstream` (34 columns) with sessions of twenty
 * events, in turns in one process; CPU of the writer against the first line, bytes a row:
 *
 * | | CPU | bytes |
 * |---|---|---|
 * | dictionaries with zstd for text but ids, snappy for the rest | 1 | 137 |
 * | the same, numbers as differences | 0.99 | 123 |
 * | **dictionaries for text but ids, numbers as differences, snappy** | **0.86** | **131** |
 * | the same with lz4_raw, which fewer readers know; no gain at 2,000 rows a file | 0.79 | 133 |
 * | dictionaries for text but ids, snappy | 0.87 | 145 |
 * | dictionaries for text but ids, not compressed | 0.73 | 287 |
 * | no dictionary, not compressed | 0.53 | 737 |
 *
 * Two fifths of it are the lists, whose levels cost more than their texts. Statistics are left out: a file has one row group,
 * so Delta's stats say the same. V2 pages, larger pages and larger batches change little; dictionaries for numbers and
 * differences of texts cost more. Columns inside lists cannot be named to this writer, so the general setting is theirs.
 *
 * `isMerged`: a file made of several has row groups, with statistics, and dictionaries for what repeats over many cuts only.
 */
export function writerProperties(
  model: CompiledModel,
  rowGroupRows: number,
  isMerged = false,
): WriterProperties {
  let builder = new WriterPropertiesBuilder()
    .setCompression(Compression.SNAPPY)
    .setMaxRowGroupSize(Math.max(rowGroupRows, 1))
    .setStatisticsEnabled(isMerged ? EnabledStatistics.Chunk : EnabledStatistics.None)
    .setDictionaryEnabled(true)
    .setCreatedBy(CREATED_BY);
  for (const column of model.columns) {
    if (hasDictionary(column) || (isMerged && repeatsInMerged(column))) continue;
    builder = builder.setColumnDictionaryEnabled(column.name, false);
    if (isWhole(column)) builder = builder.setColumnEncoding(column.name, Encoding.DELTA_BINARY_PACKED);
  }
  return builder.build();
}

/** Texts repeat, except those that name one key or one session. */
function hasDictionary({ type, op: { op } }: Column): boolean {
  return type === 'list<string>' || (type === 'string' && op !== 'key' && op !== 'session_id');
}

/** In a file of many: the ids of cuts and files, which are few and far apart, and places on earth. */
function repeatsInMerged({ type, op: { op } }: Column): boolean {
  return type === 'float' || op === 'batch_id' || op === 'file_id';
}

/** Whole numbers, times too. */
function isWhole({ type }: Column): boolean {
  return type !== 'string' && type !== 'list<string>' && type !== 'float' && type !== 'bool';
}

function isId(id: bigint): boolean {
  return id >= 0n && id < 2n ** 63n;
}
