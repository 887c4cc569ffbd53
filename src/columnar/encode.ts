import { invariant } from '../invariant.js';
import type { Column, CompiledModel, Row } from '../model/types.js';
import type { BuiltColumn } from './built-column.js';
import { type ChunkMemory, ownMemory } from './chunk-memory.js';
import {
  buildBool,
  buildConstant,
  buildFloat,
  buildInt64,
  buildInteger,
  buildTime,
  isTimeMs,
} from './numbers.js';
import { ParquetFile } from './parquet-file.js';
import { changesOf, type RowChanges } from './row-changes.js';
import { fileType } from './schema.js';
import { statsJson } from './stats.js';
import { buildString, buildStringList } from './text.js';

export { groupByDate } from './session-date.js';

/**
 * Rows of one partition → one Parquet file with one row group. The same rows and the same seal give the same bytes,
 * which is what a retried insert into ClickHouse is recognised by.
 *
 * Texts but ids have dictionaries where those pay, whole numbers and times are differences, the rest is plain, all of it with
 * Snappy. Statistics are left out: a file has one row group, so Delta's stats say the same.
 */

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

/** A file of rows that were not in one before. */
export interface EncodedRows extends EncodedFile {
  changes: RowChanges;
}

/** `rows` belong to one session_date; what they hold at created_at, batch_id and file_id is ignored. */
export function encodeRows(model: CompiledModel, rows: readonly Row[], seal: Seal): EncodedRows {
  const columns = model.columns.map((column) => (isSealed(column) ? null : buildColumn(column, rows)));
  return encodeColumns(model, columns, rows.length, seal);
}

/** The columns of rows of one session_date, by column index; null for those that the seal fills in. */
export function encodeColumns(
  model: CompiledModel,
  built: readonly (BuiltColumn | null)[],
  rows: number,
  seal: Seal,
  memory?: ChunkMemory,
): EncodedRows {
  invariant(isTimeMs(seal.createdAtMs), 'created_at is not a time', { value: seal.createdAtMs });
  invariant(isId(seal.batchId) && isId(seal.fileId), 'batch_id or file_id is not in 0…2⁶³−1');
  const columns = model.columns.map((column, index) => built[index] ?? sealedColumn(column, rows, seal));
  return encodeBuilt(model, columns, rows, memory);
}

/** All columns of rows of one session_date, those of the seal too. */
export function encodeBuilt(
  model: CompiledModel,
  columns: readonly BuiltColumn[],
  rows: number,
  memory: ChunkMemory = ownMemory(),
): EncodedRows {
  const changes = changesOf(model, columns, rows);
  const file = new ParquetFile(model, memory, { hasStatistics: false, hasDictionary });
  if (rows > 0) {
    file.beginGroup(rows);
    for (const [index, column] of model.columns.entries()) file.add(column, columns[index]!);
  }
  return { bytes: file.end(), rows, stats: statsJson(model, columns, rows), changes };
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

/** Texts repeat, except those that name one key or one session. */
function hasDictionary({ type, op: { op } }: Column): boolean {
  return type === 'list<string>' || (type === 'string' && op !== 'key' && op !== 'session_id');
}

/** Of a file of many, which repeat over many cuts: the ids of cuts and files, which are few and far apart, and places on earth. */
export function hasMergedDictionary(column: Column): boolean {
  const { type, op } = column;
  return hasDictionary(column) || type === 'float' || op.op === 'batch_id' || op.op === 'file_id';
}

function isId(id: bigint): boolean {
  return id >= 0n && id < 2n ** 63n;
}
