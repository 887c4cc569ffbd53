import type { ObjectStore } from '../store/store.js';
import { checkpointOf, versionPath } from './path.js';

/**
 * The names of checkpoints, ours and other tools': what all versions up to one add up to, as Parquet files of one action a row, so
 * that the log before it can be cleaned up. Classic ones are read, whole or in parts; ours are whole.
 *
 *   N.checkpoint.parquet │ N.checkpoint.<part>.<parts>.parquet │ _last_checkpoint: { version, size, parts?, … }
 */

/** A checkpoint all of whose parts are there. */
export interface CheckpointFiles {
  version: number;
  paths: string[];
}

const LAST_CHECKPOINT = '_delta_log/_last_checkpoint';
const WHOLE = /\.checkpoint\.parquet$/;
const PART = /\.checkpoint\.(\d{10})\.(\d{10})\.parquet$/;

/** The checkpoints of a listed log that are there whole, the newest first. */
export function wholeCheckpoints(paths: readonly string[]): CheckpointFiles[] {
  const versions = new Map<number, string[]>();
  for (const path of paths) {
    const version = checkpointOf(path);
    if (version !== null) versions.set(version, [...(versions.get(version) ?? []), path]);
  }
  return [...versions.keys()]
    .sort((a, b) => b - a)
    .flatMap((version) => {
      const files = wholeOf(versions.get(version)!);
      return files === null ? [] : [{ version, paths: files }];
    });
}

/** The newest of them, or null. */
export function newestCheckpoint(paths: readonly string[]): CheckpointFiles | null {
  return wholeCheckpoints(paths)[0] ?? null;
}

/** The file of a checkpoint of ours. */
export function checkpointPath(version: number): string {
  return versionPath(version).replace('.json', '.checkpoint.parquet');
}

function wholeOf(paths: readonly string[]): string[] | null {
  const whole = paths.find((path) => WHOLE.test(path));
  if (whole !== undefined) return [whole];
  const byCount = new Map<number, Map<number, string>>();
  for (const path of paths) {
    const match = PART.exec(path);
    if (match === null) continue;
    const [part, parts] = [Number(match[1]), Number(match[2])];
    byCount.set(parts, (byCount.get(parts) ?? new Map<number, string>()).set(part, path));
  }
  for (const [parts, found] of byCount) {
    if (found.size === parts) return [...found].sort(([a], [b]) => a - b).map(([, path]) => path);
  }
  return null;
}

/** The version that the newest checkpoint is said to reach to, or −1. Throws HeadraceError LAKE_IO. */
export async function lastCheckpoint(store: ObjectStore): Promise<number> {
  const bytes = await store.get(LAST_CHECKPOINT);
  if (bytes === null) return -1;
  try {
    const { version } = JSON.parse(Buffer.from(bytes).toString()) as { version?: unknown };
    return typeof version === 'number' ? version : -1;
  } catch {
    // a hint that can't be read is none: readers list the log then
    return -1;
  }
}

export interface LastCheckpoint {
  version: number;
  /** Actions in it. */
  size: number;
  sizeInBytes: number;
  numOfAddFiles: number;
}

/** Says which checkpoint is the newest, unless a newer one is said to be. */
export async function tellLastCheckpoint(store: ObjectStore, hint: LastCheckpoint): Promise<void> {
  if ((await lastCheckpoint(store)) >= hint.version) return;
  await store.put(LAST_CHECKPOINT, Buffer.from(JSON.stringify(hint)));
}

const INTERVAL_DEFAULT = 100;

/** After how many versions a new one is due, by `delta.checkpointInterval`. */
export function checkpointInterval(configuration: Readonly<Record<string, string>>): number {
  const interval = Number(configuration['delta.checkpointInterval']);
  return Number.isSafeInteger(interval) && interval > 0 ? interval : INTERVAL_DEFAULT;
}
