import type { Add } from '../delta/actions.js';
import type { ObjectStore } from '../store/store.js';
import type { CellColumn } from './cell.js';
import { IDENTITY, SIGN } from './changes.js';
import { rowsOf } from './file-rows.js';
import { isIn, keyOf } from './plain-rows.js';
import { readRows } from './table-rows.js';

/**
 * Sessions of one partition whose rows do not add up. Σ sign by (session_id, session_start) is 1 while it stands and 0 when it was
 * merged away or its start was corrected; and by revision it is never below 0, since only a row that is there can be taken back.
 * Memory is bounded by a part of the partition's sessions.
 */
export interface WrongSum {
  sessionId: string;
  /** ISO 8601 */
  sessionStart: string;
  /** Null: of all revisions together. */
  revision: string | null;
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
  const wanted = [...IDENTITY, SIGN].map((name) => columns.find((each) => each.name === name)!);
  const wrong: WrongSum[] = [];
  for (let part = 0; part < parts; part++) {
    const sums = new Map<string, number>();
    for await (const { cells, rows: own } of readRows(store, { files, columns: wanted })) {
      const [identity, session, sign] = [cells.slice(0, 3), cells.slice(0, 2), cells[3]!];
      for (const row of own) {
        if (!isIn({ part, parts }, keyOf(session, row))) continue;
        const key = keyOf(identity, row);
        const sum = (sums.get(key) ?? 0) + (sign(row) as number);
        if (sum === 0) sums.delete(key);
        else sums.set(key, sum);
      }
    }
    wrong.push(...wrongOf(sums));
  }
  return wrong;
}

/** By (session_id, session_start, revision), those that are not 0. */
function wrongOf(sums: ReadonlyMap<string, number>): WrongSum[] {
  const wrong: WrongSum[] = [];
  const sessions = new Map<string, number>();
  for (const [key, sum] of sums) {
    const at = key.lastIndexOf('\u0000');
    const session = key.slice(0, at);
    sessions.set(session, (sessions.get(session) ?? 0) + sum);
    if (sum < 0) wrong.push({ ...sessionOf(session), revision: key.slice(at + 1), sum });
  }
  const named = new Set(wrong.map(({ sessionId, sessionStart }) => `${sessionId} ${sessionStart}`));
  for (const [key, sum] of sessions) {
    if (sum === 0 || sum === 1) continue;
    const session = sessionOf(key);
    if (!named.has(`${session.sessionId} ${session.sessionStart}`))
      wrong.push({ ...session, revision: null, sum });
  }
  return wrong;
}

function sessionOf(key: string): Pick<WrongSum, 'sessionId' | 'sessionStart'> {
  const at = key.lastIndexOf('\u0000');
  const micros = BigInt(key.slice(at + 1));
  return { sessionId: key.slice(0, at), sessionStart: new Date(Number(micros / 1_000n)).toISOString() };
}
