import { HeadraceError } from '../../errors.js';
import { type CheckpointFiles, wholeCheckpoints } from '../delta/checkpoint.js';
import { gap, keptUpTo } from '../delta/log-listing.js';
import { checkpointOf, versionOf } from '../delta/path.js';
import type { ObjectInfo, ObjectStore } from '../store/store.js';

/**
 * What is there of a table's log: which versions still have their file, and from which checkpoints a state can be built. A log that was
 * cleaned up begins somewhere; what lies before it can't be read.
 *
 *   checkpoint 40            checkpoint 60
 *   ······|──────────────────────|───────────▶ newest
 *         ▲ oldest: the first state that can be built      (the files of 41 … are there without a gap)
 */
export interface ReadableLog {
  /** Whose files are there, without a gap up to the newest; none: first > last. */
  first: number;
  last: number;
  newest: number;
  /** The oldest version whose state can be read. */
  oldest: number;
  /** Those that are there whole, ascending, none behind the newest version. */
  checkpoints: readonly CheckpointFiles[];
}

/** Null: there is no log. Throws HeadraceError LAKE_LOG_CORRUPT, LAKE_IO. */
export async function readableLog(store: ObjectStore): Promise<ReadableLog | null> {
  return readableLogOf(await store.list('_delta_log/'), store.url);
}

/** Pure. `table`: for messages. */
export function readableLogOf(listed: readonly ObjectInfo[], table: string): ReadableLog | null {
  const paths = listed.map(({ path }) => path);
  const versions = paths.flatMap((path) => versionOf(path) ?? []).sort((a, b) => a - b);
  const checkpoints = wholeCheckpoints(paths).reverse();
  const newestWhole = checkpoints.at(-1)?.version ?? -1;
  if (versions.length === 0 && checkpoints.length === 0) return null;
  const { first, last } = runOf(versions, listed, newestWhole, table);
  const newest = Math.max(last, newestWhole);
  const log = { first, last, newest, oldest: newest, checkpoints };
  const bases = [...(first === 0 ? [0] : []), ...checkpoints.map(({ version }) => version)];
  const readable = bases.filter((base) => base === 0 || isReadable(log, base));
  if (readable.length === 0) throw noStart(table, first, paths);
  return { ...log, oldest: Math.min(...readable) };
}

/** The checkpoints from which a version's state can be built, the nearest first; null: from version 0 on. */
export function basesOf(
  { first, last, checkpoints }: Pick<ReadableLog, 'first' | 'last' | 'checkpoints'>,
  version: number,
): (CheckpointFiles | null)[] {
  const behindIsThere = ({ version: at }: CheckpointFiles) =>
    at === version || (at < version && at + 1 >= first && version <= last);
  const bases: (CheckpointFiles | null)[] = checkpoints.filter(behindIsThere).reverse();
  if (first === 0 && version <= last) bases.push(null);
  return bases;
}

function isReadable(log: Pick<ReadableLog, 'first' | 'last' | 'checkpoints'>, version: number): boolean {
  return basesOf(log, version).length > 0;
}

/** The files that count: below the newest checkpoint of a log that was cleaned up only some do (rule 9). */
function runOf(
  versions: readonly number[],
  listed: readonly ObjectInfo[],
  checkpoint: number,
  table: string,
): { first: number; last: number } {
  const isThere = new Set(versions);
  let last = Math.max(checkpoint, -1);
  if (checkpoint < 0) last = versions[0]! - 1;
  while (isThere.has(last + 1)) last++;
  const behind = versions.find((version) => version > last);
  if (behind !== undefined) throw gap({ url: table }, last + 1, `the log goes on with version ${behind}`);
  if (versions[0] === 0 && versions.length === last + 1) return { first: 0, last };
  const kept = checkpoint < 0 ? [versions[0]!] : keptUpTo(listed, checkpoint);
  return { first: kept[0] ?? checkpoint + 1, last };
}

function noStart(table: string, first: number, paths: readonly string[]): HeadraceError {
  const checkpoint = Math.max(-1, ...paths.flatMap((path) => checkpointOf(path) ?? []));
  const what =
    checkpoint < 0
      ? `it starts at version ${first}`
      : `its checkpoint (version ${checkpoint}) is not there whole`;
  return new HeadraceError('LAKE_LOG_CORRUPT', `the table's log has no version 0: ${what}`, {
    where: { table, version: 0, checkpoint: checkpoint < 0 ? undefined : checkpoint },
    remedy: 'bring the older log files back',
  });
}
