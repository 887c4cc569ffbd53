import type { Add } from '../delta/actions.js';
import type { ObjectStore } from '../store/store.js';
import type { CellReader } from './arrow-cells.js';
import type { CellColumn } from './cell.js';
import { IDENTITY, OF_THE_CUT, SIGN } from './changes.js';
import { rowsOf } from './file-rows.js';
import { boundsOf } from './stats-bounds.js';
import { type RowsWanted, readRows, type WantedRows, wantedFiles } from './table-rows.js';
import type { Condition } from './where.js';

/**
 * A table of changes as plain rows, each session's newest revision: Σ sign by (session_id, session_start, revision) within each
 * partition, and of each the rows that are left. What takes rows back is read first, then all rows of the partition are passed
 * through, so that memory is bounded by the rows with sign −1 of one partition; of very many a part at a time.
 */
export interface PlainRowsWanted extends RowsWanted {
  /** Of the whole table. */
  allColumns: readonly CellColumn[];
  /** Told of rows with sign −1 that took nothing back: a restore or an expiry took their session away. */
  onUnmatched?: (rows: number) => void;
}

/** Keys of rows that are held at a time. */
const TAKEN_MAX = 2_000_000;

/** Rows come with the wanted columns, as readRows has them. Throws what it throws. */
export async function* readPlainRows(
  store: ObjectStore,
  wanted: PlainRowsWanted,
): AsyncGenerator<WantedRows> {
  const { where = [], onUnmatched } = wanted;
  // what differs between a row and the one that takes it back can be asked only of what is left
  const [before, after] = [where.filter((each) => !isOfOne(each)), where.filter(isOfOne)];
  let unmatched = 0;
  for (const files of byPartition(wantedFiles(wanted.files, before))) {
    const sign = columnOf(wanted, SIGN);
    const taking = files.filter((file) => mayTake(file, sign));
    if (taking.length === 0) {
      yield* readRows(store, { files, columns: wanted.columns, where });
      continue;
    }
    const rows = taking.reduce((sum, file) => sum + (rowsOf(file) ?? TAKEN_MAX), 0);
    const parts = Math.max(1, Math.ceil(rows / TAKEN_MAX));
    for (let part = 0; part < parts; part++) {
      const taken = await takenRows(store, wanted, taking, before, { part, parts });
      yield* leftRows(store, wanted, files, { before, after }, taken, { part, parts });
      for (const left of taken.values()) unmatched += left;
    }
  }
  if (unmatched > 0) onUnmatched?.(unmatched);
}

interface Part {
  part: number;
  parts: number;
}

/** How often each row is taken back. */
type Taken = Map<string, number>;

async function takenRows(
  store: ObjectStore,
  wanted: PlainRowsWanted,
  files: readonly Add[],
  where: readonly Condition[],
  part: Part,
): Promise<Taken> {
  const taken: Taken = new Map();
  const columns = [columnOf(wanted, SIGN), ...IDENTITY.map((name) => columnOf(wanted, name))];
  for await (const { rows, cells } of readRows(store, { files, columns, where })) {
    const [sign, ...identity] = cells;
    for (const row of rows) {
      if ((sign!(row) as number) >= 0) continue;
      const key = keyOf(identity, row);
      if (isIn(part, key)) taken.set(key, (taken.get(key) ?? 0) + 1);
    }
  }
  return taken;
}

async function* leftRows(
  store: ObjectStore,
  wanted: PlainRowsWanted,
  files: readonly Add[],
  { before, after }: { before: readonly Condition[]; after: readonly Condition[] },
  taken: Taken,
  part: Part,
): AsyncGenerator<WantedRows> {
  const own = [columnOf(wanted, SIGN), ...IDENTITY.map((name) => columnOf(wanted, name))];
  const asked = after.map(({ column }) => column);
  const columns = [...wanted.columns, ...own, ...asked];
  for await (const block of readRows(store, { files, columns, where: before })) {
    const { length } = wanted.columns;
    const [sign, ...identity] = block.cells.slice(length, length + own.length);
    const tests = after.map(({ holds }, index) => {
      const cell = block.cells[length + own.length + index]!;
      return (row: number) => holds(cell(row));
    });
    const rows = block.rows.filter((row) => {
      if ((sign!(row) as number) < 0) return false;
      const key = keyOf(identity, row);
      if (!isIn(part, key) || takesBack(taken, key)) return false;
      return tests.every((test) => test(row));
    });
    if (rows.length > 0) yield { ...block, rows, cells: block.cells.slice(0, length) };
  }
}

function takesBack(taken: Taken, key: string): boolean {
  const left = taken.get(key);
  if (left === undefined) return false;
  if (left === 1) taken.delete(key);
  else taken.set(key, left - 1);
  return true;
}

function isOfOne({ column: { name } }: Condition): boolean {
  return name === SIGN || OF_THE_CUT.has(name);
}

/** Files of one partition after the other; they come sorted, so that a partition's lie together or nearly so. */
export function byPartition(files: readonly Add[]): Add[][] {
  const groups = new Map<string, Add[]>();
  for (const file of files) {
    const key = partitionKey(file);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [file]);
    else group.push(file);
  }
  return [...groups.values()];
}

/** The same for files of the same partition, whatever the order of its columns in the log. */
export function partitionKey({ partitionValues }: Pick<Add, 'partitionValues'>): string {
  return JSON.stringify(Object.entries(partitionValues).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** False: none of its rows has the sign −1. */
export function mayTake(file: Add, sign: CellColumn): boolean {
  const { min } = boundsOf(file, sign);
  return min === null || (min as number) < 0;
}

/** Two numbers end it, so that keys differ whatever the id holds. */
export function keyOf(identity: readonly CellReader[], row: number): string {
  return identity.map((read) => String(read(row))).join('\u0000');
}

/** FNV-1a over UTF-16 units: spreads keys evenly over the parts. */
export function isIn({ part, parts }: Part, key: string): boolean {
  if (parts === 1) return true;
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % parts === part;
}

function columnOf({ allColumns }: PlainRowsWanted, name: string): CellColumn {
  const column = allColumns.find((each) => each.name === name);
  if (column === undefined) throw new Error(`the table has no column ${name}`);
  return column;
}
