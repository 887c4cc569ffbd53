import type { HeadraceError } from '../errors.js';
import { lastCheckpoint } from '../lake/delta/checkpoint.js';
import { type WrittenCheckpoint, writeCheckpoint } from '../lake/delta/checkpoint-write.js';
import { FileNeeds } from '../lake/maintenance/file-needs.js';
import type { ObjectStore } from '../lake/store/store.js';
import { type LaneSource, LedgerHistory } from './history.js';
import { historyFrom } from './ledger.js';

export interface CheckpointRequest {
  source: LaneSource;
  /** A checkpoint of this version or a newer one, by another engine, will do. */
  unlessFrom: number;
  nowMs: number;
}

/** Where the newest checkpoint is now, and how many files it has; null: nobody counted them. */
export interface CheckpointResult {
  version: number;
  written: WrittenCheckpoint | null;
}

/** A checkpoint of the table's newest version, with what the ledger says up to it. Throws HeadraceError as writeCheckpoint does. */
export async function checkpointLedger(
  store: ObjectStore,
  { source, unlessFrom, nowMs }: CheckpointRequest,
  onDamaged: (error: HeadraceError) => void,
): Promise<CheckpointResult> {
  const there = await lastCheckpoint(store);
  if (there >= unlessFrom) return { version: there, written: null };
  const history = new LedgerHistory(source);
  const needs = new FileNeeds();
  const followed = historyFrom(history);
  const written = await writeCheckpoint(store, {
    nowMs,
    follow: {
      onCheckpoint: async (start) => {
        needs.begin(start.version, start.actions, start.note);
        await followed.onCheckpoint(start);
      },
      onVersion: async (version) => {
        needs.take(version);
        await followed.onVersion(version);
      },
      onDamaged,
    },
    note: (files) => ({ ...history.note(), ...needs.note(files) }),
  });
  return { version: written?.version ?? there, written };
}
