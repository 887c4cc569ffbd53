import { filesOfVersion, type LedgerFile } from '../../followers/ledger-files.js';
import type { VersionActions } from '../../lake/delta/actions.js';
import type { LedgerHistory } from '../../ledger/history.js';
import { factsOf } from '../../ledger/ledger.js';
import type { CutLaneEntry, SnapshotRef } from '../../ledger/types.js';

/** All that the ledger says of a lane since it started (over): a history keeps only what a recovery needs. */
export interface LaneCuts {
  partition: number;
  startOffset: bigint;
  /** In order; each version's together. */
  cuts: LaneCut[];
}

export interface LaneCut {
  version: number;
  cutId: string;
  entry: CutLaneEntry;
}

/** Where a replay can begin: at the lane's start, or with a snapshot. */
export interface Base {
  offset: bigint;
  snapshot: SnapshotRef | null;
  /** The first cut that is met then. */
  firstCut: number;
}

/** Takes the table's versions in, in order. */
export class LaneCutsOfTable {
  readonly #lanes = new Map<string, LaneCuts>();
  readonly #files = new Map<number, LedgerFile[]>();

  /** Files that folds, compactions, expiries and archives took out of the table; they lie there until a vacuum. */
  readonly maintained = new Set<string>();

  /** `history` has applied the version. Throws HeadraceError LAKE_LOG_CORRUPT. */
  take(version: VersionActions, history: LedgerHistory): void {
    const facts = factsOf(version);
    for (const topicId of history.topicIds()) {
      const written = new Set(history.partitionsOf(facts, topicId));
      for (const { id, lanes } of facts.entry?.cuts ?? []) {
        for (const entry of lanes) {
          if (written.has(entry.partition))
            this.#take(topicId, { version: version.version, cutId: id, entry });
        }
      }
    }
    if (facts.entry?.maintenance !== undefined) {
      for (const action of version.actions) if ('remove' in action) this.maintained.add(action.remove.path);
    }
    const { files } = filesOfVersion(version.version, version.actions);
    if (files.length > 0) this.#files.set(version.version, files);
  }

  lane(topicId: string, partition: number): LaneCuts | undefined {
    return this.#lanes.get(`${topicId}/${partition}`);
  }

  /** The data files of a version that hold rows of the lane. */
  filesOf(version: number, partition: number): LedgerFile[] {
    return (this.#files.get(version) ?? []).filter(({ lanes }) => lanes.includes(partition));
  }

  #take(topicId: string, cut: LaneCut): void {
    const { entry } = cut;
    const key = `${topicId}/${entry.partition}`;
    const known = this.#lanes.get(key);
    if (known === undefined || entry.reset === true) {
      const startOffset = BigInt(entry.reset === true ? entry.to : entry.from);
      this.#lanes.set(key, { partition: entry.partition, startOffset, cuts: [] });
    }
    if (entry.start !== true && entry.reset !== true) this.#lanes.get(key)!.cuts.push(cut);
  }
}

/** The lane's start, then its snapshots, in order of their offsets. */
export function basesOf({ startOffset, cuts }: LaneCuts): Base[] {
  const bases: Base[] = [{ offset: startOffset, snapshot: null, firstCut: 0 }];
  for (const [index, { cutId, entry }] of cuts.entries()) {
    if (entry.snapshot === undefined) continue;
    const offset = BigInt(entry.to);
    bases.push({ offset, snapshot: { ...entry.snapshot, offset, cutId }, firstCut: index + 1 });
  }
  return bases;
}
