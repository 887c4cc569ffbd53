import type { Data } from 'apache-arrow';
import { messageOf } from '../errors.js';
import type { CompiledModel } from '../model/types.js';
import { ownMemory } from './chunk-memory.js';
import { type EncodedFile, hasMergedDictionary } from './encode.js';
import { chunksOfAll, FileColumns } from './file-columns.js';
import { joinedChunks } from './joined-chunks.js';
import { ParquetFile } from './parquet-file.js';
import { rowOrder } from './row-order.js';
import { type RowPlaces, reordered, slicedPlaces } from './row-places.js';
import { ColumnStats, statsJson } from './stats.js';
import { takeRows } from './take-rows.js';

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
  const rows = rowsLeft(files, inputs);
  const columns: (readonly Data[])[] = [];
  for (const index of model.columns.keys()) {
    columns.push(joinedChunks(chunksOfAll(model, files, index)));
    await pause?.();
  }
  // what was joined is not kept twice
  files.length = 0;
  const places = orderedPlaces(model, columns, rows, orderBy);
  const merged: EncodedFile[] = [];
  const count = Math.min(fileCount, places.length);
  for (let file = 0; file < count; file++) {
    const [from, to] = [file, file + 1].map((part) => Math.round((places.length * part) / count));
    merged.push(await writeRowGroups(model, columns, slicedPlaces(places, from!, to!), pause));
  }
  return merged;
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

/** `columns` have one chunk each. */
function orderedPlaces(
  model: CompiledModel,
  columns: readonly (readonly Data[])[],
  rows: Uint32Array,
  orderBy: readonly string[],
): RowPlaces {
  const places = { length: rows.length, chunk: new Uint32Array(rows.length), at: rows };
  if (orderBy.length === 0) return places;
  const by = orderBy.map((name) => columns[model.columns.findIndex((column) => column.name === name)]!);
  return reordered(places, rowOrder(by, places));
}

async function writeRowGroups(
  model: CompiledModel,
  columns: readonly (readonly Data[])[],
  places: RowPlaces,
  pause: MergeOptions['pause'],
): Promise<EncodedFile> {
  const stats = model.columns.map(() => new ColumnStats());
  const options = { hasStatistics: true, hasDictionary: hasMergedDictionary };
  const file = new ParquetFile(model, ownMemory(), options);
  for (let at = 0; at < places.length; at += ROW_GROUP_ROWS) {
    const some = slicedPlaces(places, at, at + ROW_GROUP_ROWS);
    file.beginGroup(some.length);
    for (const [index, column] of model.columns.entries()) {
      const taken = takeRows(column, columns[index]!, some);
      stats[index]!.take(taken);
      file.add(column, taken);
      await pause?.();
    }
  }
  const rows = places.length;
  return { bytes: file.end(), rows, stats: statsJson(model, stats, rows) };
}
