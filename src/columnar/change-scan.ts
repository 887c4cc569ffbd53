import type { CompiledModel } from '../model/types.js';
import { chunksOfAll, FileColumns } from './file-columns.js';
import { RowHashes } from './row-hash.js';
import { placesOf, type RowPlaces } from './row-places.js';

/**
 * Looks through a data file for change rows. A −row repeats the row that it takes back, revision included, so the two are equal in
 * every column but the sign and those that the seal fills in.
 */

/** What session_id, session_start and revision of each row come to, and its sign. */
export interface ChangeKeys {
  rows: number;
  /** 53 bits each. */
  keys: Float64Array;
  signs: Int32Array;
}

/** Throws Error for a file whose columns are not the model's. */
export function changeKeys(model: CompiledModel, parquet: Uint8Array): ChangeKeys {
  const { session_start: start, revision, sign } = model.columnIndex;
  const id = model.columns.findIndex(({ op }) => op.op === 'session_id');
  const wanted = [id, start, revision, sign].filter((index) => index >= 0);
  const file = new FileColumns(
    parquet,
    wanted.map((index) => model.columns[index]!.name),
  );
  const places = placesOf(file.lengths);
  const hashes = new RowHashes(places);
  for (const index of wanted) if (index !== sign) hashes.take(chunksOfAll(model, [file], index));
  const keys = new Float64Array(places.length);
  for (let row = 0; row < places.length; row++) keys[row] = hashes.of(row);
  return { rows: file.rows, keys, signs: signsOf(model, file, places) };
}

/** Of some rows of a file, ascending, what all of their content comes to: 53 bits each. Throws Error as above. */
export function contentHashes(
  model: CompiledModel,
  parquet: Uint8Array,
  rows: readonly number[],
): Float64Array {
  const file = new FileColumns(parquet);
  const wanted = new Set(rows);
  const places = placesOf(file.lengths, (row) => !wanted.has(row));
  const hashes = new RowHashes(places);
  for (const { index, op } of model.columns)
    if (!NO_CONTENT.has(op.op)) hashes.take(chunksOfAll(model, [file], index));
  return Float64Array.from(rows, (_, at) => hashes.of(at));
}

const NO_CONTENT: ReadonlySet<string> = new Set(['created_at', 'batch_id', 'file_id', 'sign']);

function signsOf(model: CompiledModel, file: FileColumns, places: RowPlaces): Int32Array {
  const chunks = chunksOfAll(model, [file], model.columnIndex.sign);
  const signs = new Int32Array(places.length);
  for (let row = 0; row < places.length; row++)
    signs[row] = (chunks[places.chunk[row]!]!.values as Int32Array)[places.at[row]!]!;
  return signs;
}
