import { messageOf } from '../errors.js';
import type { Column, CompiledModel } from '../model/types.js';
import type { BuiltColumn } from './built-column.js';
import { type OwnMemory, withMemory } from './chunk-memory.js';
import { writeChunk } from './chunk-writer.js';
import { type EncodedFile, hasMergedDictionary } from './encode.js';
import { chunksOfAll, FileColumns } from './file-columns.js';
import { GatherSource } from './gather-source.js';
import { joinedChunks } from './joined-chunks.js';
import { type MadeChunk, ParquetFile } from './parquet-file.js';
import { rowOrder } from './row-order.js';
import { ColumnStats, statsJson } from './stats.js';

/**
 * Data files of one partition → fewer and larger ones with the same rows, but for those that are taken out, in the order of some
 * columns. Decoded at once is what goes in; what comes out is built some thousand rows at a time. Row groups carry statistics,
 * so that readers pass over those that can't hold what they look for.
 */

export interface MergeInput {
  bytes: Uint8Array;
  /** Rows to leave out, by number. */
  gone: ReadonlySet<number>;
}

export interface MergeOptions {
  /** Columns by name, the first counting most; none: rows stay in the order in which they come. */
  orderBy: readonly string[];
  /** How many files come out, of about as many rows each; fewer when there are not that many rows. */
  fileCount: number;
  /** Waited for now and then: what else the thread has to do. */
  pause?(): Promise<void>;
}

/** Readers work off row groups of some 100,000 rows best; a reader's thread takes one at a time. */
export const ROW_GROUP_ROWS = 122_880;

/** A file that another tool wrote in a form that can't be written again here. */
export class ForeignInput extends Error {
  /** Which of the inputs. */
  readonly index: number;

  constructor(index: number, cause: unknown) {
    super(messageOf(cause), { cause });
    this.index = index;
  }
}

/** Throws ForeignInput for a file whose columns are not the model's. */
export async function mergeFiles(
  model: CompiledModel,
  inputs: readonly MergeInput[],
  { orderBy, fileCount, pause }: MergeOptions,
): Promise<EncodedFile[]> {
  const files: FileColumns[] = [];
  for (const [index, { bytes }] of inputs.entries()) {
    files.push(openedInput(model, bytes, index));
    await pause?.();
  }
  const rows = orderedRows(model, files, rowsLeft(files, inputs), orderBy);
  const merged = mergedFiles(model, rows.length, fileCount);
  if (rows.length === 0) return [];
  // column by column: one at a time lies in the writer's memory
  return await withMemory(async (memory) => {
    const order = memory.place(rows);
    memory.keep();
    for (const [index, column] of model.columns.entries()) {
      const source = new GatherSource(memory, column, chunksOfAll(model, files, index));
      const beforeSource = memory.keep();
      for (const { stats, groups } of merged) {
        for (const { from, to, chunks } of groups) {
          const taken = source.take(order + from * rows.BYTES_PER_ELEMENT, to - from);
          stats[index]!.take(taken);
          chunks.push(madeChunk(memory, column, taken, to - from));
          await pause?.();
        }
      }
      memory.drop(beforeSource);
    }
    return merged.map((file) => encodedFile(model, memory, file));
  });
}

interface MergedFile {
  rows: number;
  /** Of each column. */
  stats: ColumnStats[];
  /** Numbers of rows, in their order; a chunk of each column. */
  groups: { from: number; to: number; chunks: MadeChunk[] }[];
}

function mergedFiles(model: CompiledModel, rows: number, fileCount: number): MergedFile[] {
  const count = Math.min(fileCount, rows);
  return Array.from({ length: count }, (_, file) => {
    const [from, to] = [file, file + 1].map((part) => Math.round((rows * part) / count)) as [number, number];
    const groups: MergedFile['groups'] = [];
    for (let at = from; at < to; at += ROW_GROUP_ROWS)
      groups.push({ from: at, to: Math.min(at + ROW_GROUP_ROWS, to), chunks: [] });
    return { rows: to - from, stats: model.columns.map(() => new ColumnStats()), groups };
  });
}

function madeChunk(memory: OwnMemory, column: Column, taken: BuiltColumn, rows: number): MadeChunk {
  const beforeTaken = memory.keep();
  const chunk = writeChunk(memory, column, taken, rows, hasMergedDictionary(column));
  memory.drop(beforeTaken);
  const { nullCount, bounds } = taken;
  return { chunk, nullCount, bounds };
}

function encodedFile(
  model: CompiledModel,
  memory: OwnMemory,
  { rows, stats, groups }: MergedFile,
): EncodedFile {
  const file = new ParquetFile(model, memory, {
    hasStatistics: true,
    hasDictionary: hasMergedDictionary,
  });
  for (const { from, to, chunks } of groups) {
    file.beginGroup(to - from);
    for (const [index, column] of model.columns.entries()) file.addChunk(column, chunks[index]!);
  }
  return { bytes: file.end(), rows, stats: statsJson(model, stats, rows) };
}

function openedInput(model: CompiledModel, bytes: Uint8Array, index: number): FileColumns {
  try {
    const file = new FileColumns(bytes);
    for (const column of model.columns.keys()) chunksOfAll(model, [file], column);
    const known = new Set(model.columns.map(({ name }) => name));
    const more = file.names.find((name) => !known.has(name));
    if (more !== undefined) throw new Error(`it has a column ${more} that the model has not`);
    return file;
  } catch (error) {
    throw new ForeignInput(index, error);
  }
}

/** Numbers over all files of the rows that stay. */
function rowsLeft(files: readonly FileColumns[], inputs: readonly MergeInput[]): Uint32Array {
  const rows = new Uint32Array(files.reduce((sum, file) => sum + file.rows, 0));
  let [first, kept] = [0, 0];
  for (const [index, { rows: own }] of files.entries()) {
    const { gone } = inputs[index]!;
    for (let row = 0; row < own; row++) if (!gone.has(row)) rows[kept++] = first + row;
    first += own;
  }
  return rows.subarray(0, kept);
}

/** Numbers of rows in the order of the columns, of which only these are joined. */
function orderedRows(
  model: CompiledModel,
  files: readonly FileColumns[],
  rows: Uint32Array,
  orderBy: readonly string[],
): Uint32Array {
  if (orderBy.length === 0) return rows;
  const places = { length: rows.length, chunk: new Uint32Array(rows.length), at: rows };
  const by = orderBy.map((name) => {
    const index = model.columns.findIndex((column) => column.name === name);
    return joinedChunks(chunksOfAll(model, files, index));
  });
  const order = rowOrder(by, places);
  for (let row = 0; row < order.length; row++) order[row] = rows[order[row]!]!;
  return order;
}
