import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Add, commitInfoOf } from '#src/lake/delta/actions.js';
import { decodeVersion } from '#src/lake/delta/decode.js';
import { versionPath } from '#src/lake/delta/path.js';
import type { LedgerEntry } from '#src/ledger/types.js';

/** What the table's log says of each cut. */
export interface CutTimes {
  /** When the cut was ordered; ms since 1970. */
  cutMs: number;
  /** When the version that has it was put. */
  committedMs: number;
}

/** By the cut's id, which is batch_id of its rows, and the table's data files. */
export function readCutTimes(table: string): { cuts: Map<string, CutTimes>; files: Add[] } {
  const cuts = new Map<string, CutTimes>();
  const files: Add[] = [];
  for (let version = 0; ; version++) {
    const path = join(table, versionPath(version));
    if (!existsSync(path)) return { cuts, files };
    const actions = decodeVersion(version, readFileSync(path));
    const { timestamp, headrace } = commitInfoOf(actions)!;
    for (const { id, createdAtMs } of (headrace as LedgerEntry).cuts) {
      cuts.set(id, { cutMs: createdAtMs, committedMs: timestamp });
    }
    for (const action of actions) if ('add' in action) files.push(action.add);
  }
}
