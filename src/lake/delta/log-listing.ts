import { HeadraceError } from '../../errors.js';
import type { ObjectInfo, ObjectStore } from '../store/store.js';
import { type CheckpointFiles, wholeCheckpoints } from './checkpoint.js';
import { checkpointOf, versionOf, versionPath } from './path.js';

/** What a listing of `_delta_log/` says: which versions and checkpoints are there, and where one may begin to read. */
export interface LogListing {
  objects: readonly ObjectInfo[];
  /** Ascending. */
  versions: readonly number[];
  /** Those that are there whole, the newest first. */
  checkpoints: readonly CheckpointFiles[];
  /** Is there a log at all, be it damaged? */
  isThere: boolean;
}

/** `upTo`: what lies above it counts for nothing. */
export function listingOf(
  objects: readonly ObjectInfo[],
  upTo: number = Number.POSITIVE_INFINITY,
): LogListing {
  const paths = objects.map(({ path }) => path);
  const versions = paths.flatMap((path) => versionOf(path) ?? []).sort((a, b) => a - b);
  const isHinted = paths.includes('_delta_log/_last_checkpoint');
  return {
    objects,
    versions: versions.filter((version) => version <= upTo),
    checkpoints: wholeCheckpoints(paths).filter(({ version }) => version <= upTo),
    isThere: versions.length > 0 || isHinted || paths.some((path) => checkpointOf(path) !== null),
  };
}

/** Where a log can be read from: a checkpoint, or null: version 0. */
export type LogBeginning = CheckpointFiles | null;

/**
 * The places to begin at, the best one first; the others are for when its checkpoint can't be read. A log that is whole is read from
 * version 0, unless checkpoints are wanted; behind a checkpoint nothing may be missing.
 */
export function beginnings({ versions, checkpoints }: LogListing, fromCheckpoint: boolean): LogBeginning[] {
  const zero: LogBeginning[] = versions[0] === 0 && isWhole(versions, 0) ? [null] : [];
  const good = checkpoints.filter(({ version }, index) => index === 0 || isWhole(versions, version + 1));
  return fromCheckpoint || !isWholeUpTo(versions, checkpoints[0]?.version ?? 0)
    ? [...good, ...zero]
    : [null, ...good];
}

/** Is every version there from this one to the last? */
function isWhole(versions: readonly number[], from: number): boolean {
  const at = versions.findIndex((version) => version >= from);
  if (at < 0) return true;
  return versions[at] === from && versions.at(-1)! - from === versions.length - 1 - at;
}

/** Is everything there from version 0 to this one? */
function isWholeUpTo(versions: readonly number[], version: number): boolean {
  return versions[version] === version && versions[0] === 0;
}

/**
 * The versions up to a checkpoint's that are still there without a gap, ascending. One that was put later than the one behind it
 * is no part of the table: an engine that stood still has put it where the true one was deleted (rule 9).
 */
export function keptUpTo(listed: readonly ObjectInfo[], checkpoint: number): number[] {
  const modifiedMs = new Map<number, number>();
  for (const { path, modifiedMs: ms } of listed) {
    const version = versionOf(path);
    if (version !== null) modifiedMs.set(version, ms);
  }
  const kept: number[] = [];
  for (let version = checkpoint; ; version--) {
    const ms = modifiedMs.get(version);
    if (ms === undefined || ms > (modifiedMs.get(version + 1) ?? Number.POSITIVE_INFINITY)) break;
    kept.push(version);
  }
  return kept.reverse();
}

/** Throws HeadraceError LAKE_LOG_CORRUPT when a version between `read` and the last one is missing. */
export function refuseGaps(store: ObjectStore, { versions }: LogListing, read: number): void {
  const behind = versions.filter((version) => version > read);
  const missing = behind.findIndex((version, index) => version !== read + 1 + index);
  if (missing >= 0) throw gap(store, read + 1 + missing, `the log goes on with version ${behind[missing]}`);
}

const V2_CHECKPOINT = /\.checkpoint\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.(parquet|json)$/;

export function noStart(store: ObjectStore, { versions, objects }: LogListing): HeadraceError {
  const checkpoint = Math.max(-1, ...objects.flatMap(({ path }) => checkpointOf(path) ?? []));
  const isV2 = objects.some(({ path }) => V2_CHECKPOINT.test(path));
  const what = isV2
    ? `its checkpoint (version ${checkpoint}) is of a kind (V2) that headrace can't read`
    : checkpoint >= 0
      ? `its checkpoint (version ${checkpoint}) is not there whole`
      : versions[0] === undefined
        ? 'there is a _last_checkpoint and neither log nor checkpoint'
        : `it starts at version ${versions[0]}`;
  return new HeadraceError('LAKE_LOG_CORRUPT', `the table's log has no version 0: ${what}`, {
    where: { table: store.url, version: 0, checkpoint: checkpoint >= 0 ? checkpoint : undefined },
    remedy: 'bring the older log files back, or give headrace a table of its own',
  });
}

export function gap(store: Pick<ObjectStore, 'url'>, version: number, goesOn: string): HeadraceError {
  return new HeadraceError(
    'LAKE_LOG_CORRUPT',
    `version ${version} is missing from the table's log: ${goesOn}`,
    {
      where: { table: store.url, version, path: versionPath(version) },
      remedy: 'restore the missing file from a copy of the table; nothing was written',
    },
  );
}
