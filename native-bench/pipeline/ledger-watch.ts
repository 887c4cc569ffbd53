import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Add, commitInfoOf } from '#src/lake/delta/actions.js';
import { decodeVersion } from '#src/lake/delta/decode.js';
import { versionPath } from '#src/lake/delta/path.js';
import type { LedgerEntry } from '#src/ledger/types.js';

/** Follows a run from outside, by what it has committed: the ledger of the table that it writes. */
export class LedgerWatch {
  readonly #table: string;
  #nextVersion = 0;
  /** Data files, all of them. */
  readonly files: Add[] = [];
  events = 0;
  rows = 0;
  deadLetters = 0;
  /** When the first lane's start was put, before anything was fetched; ms since 1970, null before. */
  startedMs: number | null = null;
  /** When the newest version was put. */
  lastMs: number | null = null;

  constructor(table: string) {
    this.#table = table;
  }

  /** Reads the versions that are new; answers how many. */
  poll(): number {
    let found = 0;
    for (; ; found++) {
      const path = join(this.#table, versionPath(this.#nextVersion));
      if (!existsSync(path)) return found;
      this.#read(readFileSync(path));
      this.#nextVersion++;
    }
  }

  #read(bytes: Buffer): void {
    const actions = decodeVersion(this.#nextVersion, bytes);
    const info = commitInfoOf(actions)!;
    const { cuts } = info.headrace as LedgerEntry;
    for (const lane of cuts.flatMap(({ lanes }) => lanes)) {
      this.startedMs ??= info.timestamp;
      this.events += lane.to - lane.from;
      this.rows += lane.rows;
      this.deadLetters += lane.deadLetters;
    }
    this.lastMs = info.timestamp;
    for (const action of actions) if ('add' in action) this.files.push(action.add);
  }
}
