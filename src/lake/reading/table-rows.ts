import type { Add } from '../delta/actions.js';
import type { ObjectStore } from '../store/store.js';
import type { CellReader } from './arrow-cells.js';
import type { Cell, CellColumn } from './cell.js';
import { readFileBlocks } from './file-blocks.js';
import type { Condition } from './where.js';

/**
 * Rows of a table's files, one file after the other in the order of their paths: those of a partition lie together. Memory is
 * bounded by one file and one block of its rows.
 */
export interface RowsWanted {
  files: Iterable<Add>;
  columns: readonly CellColumn[];
  where?: readonly Condition[];
}

/** Rows of one file that all conditions hold for. */
export interface WantedRows {
  file: Add;
  /** Places in the block. */
  rows: readonly number[];
  /** The file's row at place 0. */
  from: number;
  /** Of the wanted columns. */
  cells: readonly CellReader[];
}

/** Throws what readFileBlocks throws. */
export async function* readRows(
  store: ObjectStore,
  { files, columns, where = [] }: RowsWanted,
): AsyncGenerator<WantedRows> {
  // those of conditions on partitions are settled a file at a time
  const tests = where.filter(({ column }) => !column.isPartition);
  const read = [...columns, ...tests.map(({ column }) => column)];
  for (const file of wantedFiles(files, where)) {
    for await (const { rows, from, cells } of readFileBlocks(store, file, read)) {
      const tested = tests.map(({ holds }, index) => [holds, cells[columns.length + index]!] as const);
      const places: number[] = [];
      for (let row = 0; row < rows; row++) {
        if (tested.every(([holds, cell]) => holds(cell(row)))) places.push(row);
      }
      if (places.length > 0) yield { file, rows: places, from, cells: cells.slice(0, columns.length) };
    }
  }
}

/** Those that may have such rows, in the order of their paths. */
export function wantedFiles(files: Iterable<Add>, where: readonly Condition[]): Add[] {
  return [...files]
    .filter((file) => where.every(({ mayHold }) => mayHold(file)))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** A row's cells, in the order of the columns. */
export function rowAt(cells: readonly CellReader[], row: number): Cell[] {
  return cells.map((read) => read(row));
}
