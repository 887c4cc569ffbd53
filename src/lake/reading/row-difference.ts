import { createHash } from 'node:crypto';
import type { Add } from '../delta/actions.js';
import type { ObjectStore } from '../store/store.js';
import type { Cell, CellColumn } from './cell.js';
import { jsonWriter } from './cell-text.js';
import { contentColumns, isOfChanges, SIGN } from './changes.js';
import { byPartition, partitionKey } from './plain-rows.js';
import type { TableAt } from './table-at.js';
import { readRows, rowAt, wantedFiles } from './table-rows.js';
import type { Condition } from './where.js';

/**
 * How the rows of two versions differ: Σ sign by content over the files that only the later one has, less that over those that only
 * the earlier one has. Files of both are not read, since they cancel; files that were written anew with the same rows (a fold, a
 * compaction) leave nothing. Memory is bounded by the rows that differ, of one partition while it is read.
 */
export interface RowDifference {
  columns: readonly CellColumn[];
  /** Rows that stand in the later version only, and in the earlier one only. */
  added: readonly DifferentRow[];
  removed: readonly DifferentRow[];
  filesRead: number;
}

export interface DifferentRow {
  cells: readonly Cell[];
  partitionValues: Readonly<Record<string, string | null>>;
}

/** Rows that differ, in memory: some gigabytes. */
const ROWS_MAX = 1_000_000;

/** Null: more rows differ than can be held. Throws what reading files throws. */
export async function rowDifference(
  store: ObjectStore,
  [before, after]: readonly [TableAt, TableAt],
  columns: readonly CellColumn[],
  where: readonly Condition[],
): Promise<RowDifference | null> {
  const wanted = contentColumns(columns);
  const found = { columns: wanted, added: [] as DifferentRow[], removed: [] as DifferentRow[], filesRead: 0 };
  const sides = [
    { weight: -1, files: onlyIn(before, after), table: before },
    { weight: 1, files: onlyIn(after, before), table: after },
  ].map((side) => ({ ...side, files: wantedFiles(side.files, where) }));
  for (const files of byPartition(sides.flatMap((side) => side.files))) {
    const fold = new ContentFold(wanted);
    for (const { weight, files: own, table } of sides) {
      const key = partitionKey(files[0]!);
      const here = own.filter((file) => partitionKey(file) === key);
      found.filesRead += here.length;
      if (
        !(await fold.take(store, here, { weight, columns, where, isOfChanges: isOfChanges(table.metaData) }))
      )
        return null;
    }
    for (const { cells, sum } of fold.left()) {
      const row = { cells, partitionValues: files[0]!.partitionValues };
      const rows = sum > 0 ? found.added : found.removed;
      for (let i = 0; i < Math.abs(sum); i++) rows.push(row);
    }
    if (found.added.length + found.removed.length > ROWS_MAX) return null;
  }
  return found;
}

/** A file of the same name is the same file: names are never used twice. */
function onlyIn(one: TableAt, other: TableAt): Add[] {
  return [...one.files.values()].filter(({ path, size }) => other.files.get(path)?.size !== size);
}

class ContentFold {
  readonly #columns: readonly CellColumn[];
  readonly #json: ((cell: Cell) => string)[];
  readonly #rows = new Map<string, { cells: readonly Cell[]; sum: number }>();

  constructor(columns: readonly CellColumn[]) {
    this.#columns = columns;
    this.#json = columns.map(({ type }) => jsonWriter(type));
  }

  left() {
    return this.#rows.values();
  }

  /** False: there are too many. */
  async take(
    store: ObjectStore,
    files: readonly Add[],
    how: {
      weight: number;
      columns: readonly CellColumn[];
      where: readonly Condition[];
      isOfChanges: boolean;
    },
  ): Promise<boolean> {
    const sign = how.isOfChanges ? how.columns.filter(({ name }) => name === SIGN) : [];
    const columns = [...this.#columns, ...sign];
    for await (const { cells, rows } of readRows(store, { files, columns, where: how.where })) {
      const signOf = cells[this.#columns.length] ?? (() => 1);
      const content = cells.slice(0, this.#columns.length);
      for (const row of rows) this.#add(rowAt(content, row), how.weight * (signOf(row) as number));
      if (this.#rows.size > ROWS_MAX) return false;
    }
    return true;
  }

  #add(cells: readonly Cell[], weight: number): void {
    const text = cells.map((cell, at) => this.#json[at]!(cell)).join('\u0000');
    const key = createHash('sha1').update(text).digest('base64');
    const known = this.#rows.get(key);
    if (known === undefined) this.#rows.set(key, { cells, sum: weight });
    else if (known.sum + weight === 0) this.#rows.delete(key);
    else known.sum += weight;
  }
}
