import type { Cell, CellColumn } from './cell.js';
import type { DifferentRow, RowDifference } from './row-difference.js';

/**
 * Rows that differ → what became of sessions. An old and a new row of one session_id belong together when they have the same
 * session_start; of those that are left, in the order of their starts, when the new one is of a later revision (the start itself was
 * corrected). An id may name several sessions, one after the other: what fits no other was added or removed.
 */
export type SessionDifference =
  | { kind: 'added'; after: DifferentRow }
  | { kind: 'removed'; before: DifferentRow }
  | { kind: 'changed'; before: DifferentRow; after: DifferentRow };

/** In the order of id and start. Of a table without sessions, rows are added or removed. */
export function sessionDifferences({ columns, added, removed }: RowDifference): SessionDifference[] {
  const at = (name: string) => columns.findIndex((column) => column.name === name);
  const place = { id: at('session_id'), start: at('session_start'), revision: at('revision') };
  if (place.id < 0 || place.start < 0) return apart(removed, added);
  const ids = new Map<Cell, { before: DifferentRow[]; after: DifferentRow[] }>();
  const group = (id: Cell) => {
    const known = ids.get(id) ?? { before: [], after: [] };
    ids.set(id, known);
    return known;
  };
  for (const row of removed) group(row.cells[place.id]!).before.push(row);
  for (const row of added) group(row.cells[place.id]!).after.push(row);
  return [...ids]
    .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
    .flatMap(([, { before, after }]) => pairs(before, after, place));
}

function pairs(
  before: readonly DifferentRow[],
  after: readonly DifferentRow[],
  place: { start: number; revision: number },
): SessionDifference[] {
  const startOf = (row: DifferentRow) => row.cells[place.start] as bigint;
  const revisionOf = (row: DifferentRow) => Number(row.cells[place.revision] ?? 0);
  const byStart = (a: DifferentRow, b: DifferentRow) => (startOf(a) < startOf(b) ? -1 : 1);
  const found: SessionDifference[] = [];
  const open = [...after].sort(byStart);
  const take = (fits: (row: DifferentRow) => boolean): DifferentRow | undefined => {
    const index = open.findIndex(fits);
    return index < 0 ? undefined : open.splice(index, 1)[0];
  };
  const left: DifferentRow[] = [];
  for (const old of [...before].sort(byStart)) {
    const same = take((row) => startOf(row) === startOf(old));
    if (same === undefined) left.push(old);
    else found.push({ kind: 'changed', before: old, after: same });
  }
  for (const old of left) {
    const later = take((row) => revisionOf(row) > revisionOf(old));
    if (later === undefined) found.push({ kind: 'removed', before: old });
    else found.push({ kind: 'changed', before: old, after: later });
  }
  return [...found, ...open.map((row) => ({ kind: 'added' as const, after: row }))];
}

function apart(removed: readonly DifferentRow[], added: readonly DifferentRow[]): SessionDifference[] {
  return [
    ...removed.map((before) => ({ kind: 'removed' as const, before })),
    ...added.map((after) => ({ kind: 'added' as const, after })),
  ];
}

/** Columns whose values differ, by their place. */
export function changedColumns(
  columns: readonly CellColumn[],
  json: readonly ((cell: Cell) => string)[],
  { before, after }: { before: DifferentRow; after: DifferentRow },
): number[] {
  return columns.flatMap((_, at) =>
    json[at]!(before.cells[at]!) === json[at]!(after.cells[at]!) ? [] : [at],
  );
}
