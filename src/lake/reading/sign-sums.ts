import type { Add } from '../delta/actions.js';
import type { ObjectStore } from '../store/store.js';
import type { CellColumn } from './cell.js';
import { SIGN } from './changes.js';
import { rowsOf } from './file-rows.js';
import { isIn, keyOf } from './plain-rows.js';
import { readRows } from './table-rows.js';

/**
 * Sessions of one partition whose rows do not add up: Σ sign by (session_id, session_start) is 1 while it stands and 0 when it was
 * merged away or its start was corrected. Memory is bounded by a part of the partition's sessions.
 */
export interface WrongSum {
  sessionId: string;
  /** ISO 8601 */
  sessionStart: string;
  sum: number;
}

const SESSIONS_MAX = 1_000_000;

/** `files`: all of one partition. */
export async function wrongSums(
  store: ObjectStore,
  files: readonly Add[],
  columns: readonly CellColumn[],
): Promise<WrongSum[]> {
  const rows = files.reduce((total, file) => total + (rowsOf(file) ?? SESSIONS_MAX), 0);
  const parts = Math.max(1, Math.ceil(rows / SESSIONS_MAX));
  const wanted = ['session_id', 'session_start', SIGN].map(
    (name) => columns.find((each) => each.name === name)!,
  );
  const wrong: WrongSum[] = [];
  for (let part = 0; part < parts; part++) {
    const sums = new Map<string, number>();
    for await (const { cells, rows: own } of readRows(store, { files, columns: wanted })) {
      const identity = cells.slice(0, 2);
      for (const row of own) {
        const key = keyOf(identity, row);
        if (isIn({ part, parts }, key)) sums.set(key, (sums.get(key) ?? 0) + (cells[2]!(row) as number));
      }
    }
    for (const [key, sum] of sums) if (sum !== 0 && sum !== 1) wrong.push({ ...sessionOf(key), sum });
  }
  return wrong;
}

function sessionOf(key: string): Omit<WrongSum, 'sum'> {
  const at = key.lastIndexOf('\u0000');
  const micros = BigInt(key.slice(at + 1));
  return { sessionId: key.slice(0, at), sessionStart: new Date(Number(micros / 1_000n)).toISOString() };
}
