import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '#src/clock.js';
import { type Add, commitInfoOf } from '#src/lake/delta/actions.js';
import { decodeVersion } from '#src/lake/delta/decode.js';
import { versionPath } from '#src/lake/delta/path.js';
import type { LedgerEntry } from '#src/ledger/types.js';

/** A version of the table, as far as it is looked at. */
export interface LaneCommit {
  /** When it was seen; ms since 1970. */
  seenMs: number;
  /** The engine's id. */
  engine: string;
  partitions: number[];
}

/** Who commits which lanes, and when: seen from outside, by the ledger of the table. */
export class LaneCommits {
  readonly #table: string;
  #nextVersion = 0;
  readonly commits: LaneCommit[] = [];
  /** Data files, all of them. */
  readonly files: Add[] = [];
  /** The engine that committed a lane last. */
  readonly owners = new Map<number, string>();

  constructor(table: string) {
    this.#table = table;
  }

  /** Reads the versions that are new. */
  poll(): void {
    for (;;) {
      const path = join(this.#table, versionPath(this.#nextVersion));
      if (!existsSync(path)) return;
      this.#read(readFileSync(path));
      this.#nextVersion++;
    }
  }

  #read(bytes: Buffer): void {
    const actions = decodeVersion(this.#nextVersion, bytes);
    const { engine, cuts } = commitInfoOf(actions)!.headrace as LedgerEntry;
    const lanes = cuts.flatMap((cut) => cut.lanes).filter((lane) => lane.start !== true);
    const partitions = [...new Set(lanes.map(({ partition }) => partition))];
    for (const partition of partitions) this.owners.set(partition, engine);
    this.commits.push({ seenMs: systemClock.nowMs(), engine, partitions });
    for (const action of actions) if ('add' in action) this.files.push(action.add);
  }
}
