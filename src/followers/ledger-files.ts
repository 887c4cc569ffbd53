import { HeadraceError } from '../errors.js';
import type { Action } from '../lake/delta/actions.js';
import type { CutEntry, LaneRows, LedgerEntry } from '../ledger/types.js';

/** A data file of the table, as the ledger names it. */
export interface LedgerFile {
  /** Path below the table, unencoded: also the token by which ClickHouse knows the file again. */
  path: string;
  /** The ledger's version that has it, and its place among that version's files: files are ordered by both. */
  version: number;
  index: number;
  rows: number;
  sizeBytes: number;
  /** Partitions of the lanes whose rows lie in it. */
  lanes: readonly number[];
  /** How many rows are of which lane, in the file's order; undefined: its version did not say. */
  laneRows?: readonly LaneRows[];
  /** Decimal, below 2⁶³: file_id of its rows. */
  fileId: string;
  /** session_date of its rows, YYYY-MM-DD. */
  date: string;
}

/** Files of one version that a follower has to do with, and how many it leaves alone. */
export interface VersionFiles {
  files: LedgerFile[];
  /** Added by others than our cuts: compactions, restores, foreign writers. Their rows came in already or are not ours. */
  skipped: number;
}

/**
 * The files that a version's cuts brought, in the order in which their rows were let out. A cut of early 0.1
 * does not say which lanes lie in which file: each file of such a version counts as one of all its lanes.
 *
 * @throws HeadraceError LAKE_LOG_CORRUPT when the cuts name a file that the version does not add, or a name is not ours
 */
export function filesOfVersion(version: number, actions: readonly Action[]): VersionFiles {
  const adds = new Map<string, { sizeBytes: number; rows: number }>();
  let cuts: readonly CutEntry[] = [];
  let skipped = 0;
  for (const action of actions) {
    if ('commitInfo' in action) {
      const entry = action.commitInfo.headrace as LedgerEntry | undefined;
      if (entry?.format === 1) cuts = entry.cuts;
    }
    if (!('add' in action)) continue;
    if (action.add.dataChange) {
      adds.set(action.add.path, { sizeBytes: action.add.size, rows: rowsOf(action.add.stats) });
    } else skipped++;
  }
  if (cuts.length === 0) return { files: [], skipped: skipped + adds.size };
  const named = cuts.flatMap((cut) => cut.files ?? []);
  const files: NonNullable<CutEntry['files']> = named.length > 0 ? named : filesOfAllLanes(adds, cuts);
  return {
    files: files.map(({ path, rows, lanes, laneRows }, index) => {
      const add = adds.get(path);
      if (add === undefined) throw corrupt(version, path, 'a cut names a file that its version does not add');
      const file = {
        path,
        version,
        index,
        rows,
        sizeBytes: add.sizeBytes,
        lanes,
        ...nameParts(version, path),
      };
      return laneRows === undefined ? file : { ...file, laneRows };
    }),
    skipped: skipped + adds.size - files.length,
  };
}

function filesOfAllLanes(adds: ReadonlyMap<string, { rows: number }>, cuts: readonly CutEntry[]) {
  const lanes = [...new Set(cuts.flatMap((cut) => cut.lanes.map((lane) => lane.partition)))];
  return [...adds].map(([path, { rows }]) => ({ path, rows, lanes }));
}

function rowsOf(stats: string | undefined): number {
  if (stats === undefined) return 0;
  const { numRecords } = JSON.parse(stats) as { numRecords?: number };
  return numRecords ?? 0;
}

/** session_date=2026-01-01/part-<cut>-<worker>-<file id>.parquet */
function nameParts(version: number, path: string): { fileId: string; date: string } {
  const match = /^[^/=]+=(\d{4}-\d\d-\d\d)\/part-\d+-\d+-(\d+)\.parquet$/.exec(path);
  if (match === null) throw corrupt(version, path, 'a cut names a file whose name is not one of ours');
  return { date: match[1]!, fileId: match[2]! };
}

function corrupt(version: number, path: string, message: string): HeadraceError {
  return new HeadraceError('LAKE_LOG_CORRUPT', message, {
    where: { version, path },
    remedy: 'restore this version of the log from a copy of the table',
  });
}
