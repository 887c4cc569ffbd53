import type { ObjectInfo, ObjectStore } from '../store/store.js';
import { wholeCheckpoints } from './checkpoint.js';
import { openCheckpoint } from './checkpoint-open.js';
import { SEALS, sealOf } from './checkpoint-seal.js';
import { checkpointOf, sidecarOf, versionOf } from './path.js';

/**
 * Takes old versions out of the log, as the protocol allows it: only what lies before a checkpoint that can be read, so that every
 * version from there on can still be told. Never a version that is younger than the table keeps its log (by the files' times), and
 * none that somebody still has to read (rule 14).
 */
export interface CleanUpOptions {
  nowMs: number;
  retentionMs: number;
  /** Somebody still reads this version and those behind it. */
  neededFrom: number;
}

export interface CleanUpPlan {
  /** Versions from this one on stay, and its checkpoint; null: nothing can go. */
  keepFrom: number | null;
  /** What goes, in this order: the oldest versions first, so that what is left has no gap. */
  paths: string[];
}

/** Deletes; how many versions went. Throws HeadraceError LAKE_IO. */
export async function cleanUpLog(store: ObjectStore, options: CleanUpOptions): Promise<CleanUpPlan> {
  const plan = await planCleanUp(store, options);
  for (const path of plan.paths) await store.delete(path);
  return plan;
}

export async function planCleanUp(store: ObjectStore, options: CleanUpOptions): Promise<CleanUpPlan> {
  const listed = await store.list('_delta_log/');
  const limit = Math.min(firstYoung(listed, options), options.neededFrom);
  const checkpoints = wholeCheckpoints(listed.map(({ path }) => path));
  for (const checkpoint of checkpoints) {
    if (checkpoint.version > limit) continue;
    const isReadable = await openCheckpoint(store, checkpoint, { withFiles: false, strict: true }).then(
      () => true,
      () => false,
    );
    if (!isReadable) continue;
    const keepFrom = checkpoint.version;
    return { keepFrom, paths: await pathsBefore(store, listed, keepFrom) };
  }
  return { keepFrom: null, paths: [] };
}

/** The first version that is not old, nor one behind it; versions' times ascend. */
function firstYoung(listed: readonly ObjectInfo[], { nowMs, retentionMs }: CleanUpOptions): number {
  let last = -1;
  for (const { path, modifiedMs } of listed) {
    const version = versionOf(path);
    if (version === null) continue;
    if (modifiedMs > nowMs - retentionMs) return version;
    last = version;
  }
  return last;
}

async function pathsBefore(
  store: ObjectStore,
  listed: readonly ObjectInfo[],
  keepFrom: number,
): Promise<string[]> {
  const seals = await store.list(SEALS);
  const ofVersion = ({ path }: ObjectInfo) =>
    versionOf(path) ?? checkpointOf(path) ?? sidecarOf(path) ?? sealOf(path) ?? Number.POSITIVE_INFINITY;
  return [...listed, ...seals]
    .map((object) => ({ path: object.path, version: ofVersion(object) }))
    .filter(({ version }) => version < keepFrom)
    .sort((a, b) => a.version - b.version)
    .map(({ path }) => path);
}
