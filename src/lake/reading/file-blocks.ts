import { type RecordBatch, tableFromIPC } from 'apache-arrow';
import { ParquetFile, readParquet } from '../../columnar/parquet-package.js';
import { HeadraceError, messageOf } from '../../errors.js';
import type { Add } from '../delta/actions.js';
import type { ObjectStore } from '../store/store.js';
import { type CellReader, cellReader } from './arrow-cells.js';
import type { Cell, CellColumn } from './cell.js';
import { partitionCell } from './partition-value.js';

/**
 * A data file, block by block: so many rows at a time are decoded, so that memory is bounded by the compressed file and one
 * block, however many rows it has.
 */
export interface RowBlock {
  file: Add;
  /** The file's row that is its first. */
  from: number;
  rows: number;
  /** Of the columns that were asked for, in their order. */
  cells: readonly CellReader[];
  /** As the file has them: without partition columns, and without columns that were added later. */
  batch: RecordBatch;
}

/** Of our own files, which have 250,000 rows at most, one or two. */
const BLOCK_ROWS_MAX = 131_072;

/**
 * Partition columns are filled in from the log, columns that the file does not have are null.
 * @throws HeadraceError LAKE_FILE_BROKEN (missing, of another size, damaged, of other types), LAKE_IO
 */
export async function* readFileBlocks(
  store: ObjectStore,
  file: Add,
  columns: readonly CellColumn[],
): AsyncGenerator<RowBlock> {
  const bytes = await store.get(file.path);
  if (bytes === null) throw brokenFile(store, file, 'it is not there');
  if (bytes.byteLength !== file.size) {
    throw brokenFile(store, file, `it has ${bytes.byteLength} bytes, the log says ${file.size}`);
  }
  const names = columns.filter(({ isPartition }) => !isPartition).map(({ name }) => name);
  const groups = await rowsOfGroups(store, file, bytes);
  let from = 0;
  for (const [group, rows] of groups.entries()) {
    for (let offset = 0; offset < rows; offset += BLOCK_ROWS_MAX) {
      const limit = Math.min(BLOCK_ROWS_MAX, rows - offset);
      const table = decode(store, file, () =>
        tableFromIPC(
          readParquet(bytes, {
            columns: names,
            rowGroups: [group],
            offset,
            limit,
            batchSize: limit,
          }).intoIPCStream(),
        ),
      );
      for (const batch of table.batches) {
        const cells = decode(store, file, () => columns.map((column) => readerOf(column, file, batch)));
        yield { file, from, rows: batch.numRows, cells, batch };
        from += batch.numRows;
      }
    }
  }
}

/** Rows a row group; the footer alone is looked at. */
async function rowsOfGroups(store: ObjectStore, file: Add, bytes: Uint8Array): Promise<number[]> {
  try {
    const opened = await ParquetFile.fromFile(new Blob([bytes as Uint8Array<ArrayBuffer>]));
    try {
      return opened
        .metadata()
        .rowGroups()
        .map((group) => Number(group.numRows()));
    } finally {
      opened.free();
    }
  } catch (error) {
    throw brokenFile(store, file, messageOf(error), error);
  }
}

function decode<T>(store: ObjectStore, file: Add, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw brokenFile(store, file, messageOf(error), error);
  }
}

function readerOf({ name, type, isPartition }: CellColumn, file: Add, batch: RecordBatch): CellReader {
  if (isPartition) {
    const cell: Cell = partitionCell(type, file.partitionValues[name]);
    return () => cell;
  }
  const data = batch.getChild(name)?.data[0];
  if (data === undefined) return () => null;
  try {
    return cellReader(type, data);
  } catch (error) {
    throw new Error(`column ${name} is ${type.kind} in the table: ${messageOf(error)}`, { cause: error });
  }
}

export function brokenFile(
  store: Pick<ObjectStore, 'url'>,
  { path }: Pick<Add, 'path'>,
  why: string,
  cause?: unknown,
): HeadraceError {
  return new HeadraceError('LAKE_FILE_BROKEN', `a file of the table can't be read: ${why}`, {
    where: { table: store.url, path },
    remedy:
      'bring it back from a copy of the table; headrace lake check finds all such files, lake restore brings back a version without them',
    ...(cause === undefined ? {} : { cause }),
  });
}
