import type { Add } from '../delta/actions.js';
import type { ObjectStore } from '../store/store.js';
import type { Cell, CellColumn } from './cell.js';
import { jsonWriter } from './cell-text.js';
import { readFileBlocks } from './file-blocks.js';
import { boundsOf, type ColumnBounds } from './stats-bounds.js';
import { compareCells } from './where.js';

/** Kinds of values that have an order, and bounds. */
const NESTED = new Set(['array', 'map', 'struct', 'binary']);

/**
 * A file against its statistics, as sentences: number of rows, nulls, and bounds that no value may lie outside of; and nulls where
 * the table allows none. A reader that passes a file over by wrong statistics loses rows without a word.
 * @throws HeadraceError LAKE_FILE_BROKEN, LAKE_IO
 */
export async function falseStats(
  store: ObjectStore,
  file: Add,
  columns: readonly CellColumn[],
): Promise<{ rows: number; differences: string[] }> {
  const own = columns.filter(({ isPartition }) => !isPartition);
  const tallies = own.map((column) => new ColumnTally(column, boundsOf(file, column)));
  let rows = 0;
  for await (const block of readFileBlocks(store, file, own)) {
    rows += block.rows;
    for (const [at, tally] of tallies.entries()) {
      const read = block.cells[at]!;
      for (let row = 0; row < block.rows; row++) tally.take(read(row));
    }
  }
  const differences = tallies.flatMap((tally) => tally.differences());
  const said = tallies[0]?.bounds.rows ?? null;
  if (said !== null && said !== rows) differences.unshift(`it has ${rows} rows, its statistics say ${said}`);
  return { rows, differences };
}

class ColumnTally {
  readonly bounds: ColumnBounds;
  readonly #column: CellColumn;
  readonly #isOrdered: boolean;
  #nulls = 0;
  #outside: { value: Exclude<Cell, null>; rows: number } | null = null;

  constructor(column: CellColumn, bounds: ColumnBounds) {
    this.#column = column;
    this.bounds = bounds;
    this.#isOrdered = !NESTED.has(column.type.kind);
  }

  take(cell: Cell): void {
    if (cell === null) {
      this.#nulls++;
      return;
    }
    if (!this.#isOrdered) return;
    const { min, max } = this.bounds;
    const order = (bound: Exclude<Cell, null>) => compareCells(this.#column, cell as string, bound as string);
    if ((min === null || !(order(min) < 0)) && (max === null || !(order(max) > 0))) return;
    if (this.#outside === null) this.#outside = { value: cell, rows: 0 };
    this.#outside.rows++;
  }

  differences(): string[] {
    const { name, type, nullable } = this.#column;
    const found: string[] = [];
    const { nulls } = this.bounds;
    if (nulls !== null && nulls !== this.#nulls) {
      found.push(`column ${name} has ${this.#nulls} nulls, its statistics say ${nulls}`);
    }
    if (!nullable && this.#nulls > 0) found.push(`column ${name} has ${this.#nulls} nulls and may have none`);
    if (this.#outside !== null) {
      const { value, rows } = this.#outside;
      found.push(`column ${name} has ${jsonWriter(type)(value)} outside its bounds, in ${rows} rows`);
    }
    return found;
  }
}
