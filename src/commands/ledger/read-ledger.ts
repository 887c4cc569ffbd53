import type { LakeConfig } from '../../config/types.js';
import { appIdOf, type LaneHistory } from '../../ledger/history.js';
import type { FollowerPlace } from './follower-places.js';
import { type OpenedTable, openTable } from './open-table.js';

/** The ledger of a table, read from the outside: nothing is written, no engine is asked. */
export interface LedgerReport {
  /** Absolute path of the table, or s3://bucket/prefix. */
  table: string;
  version: number;
  /** When that version was written, ms since 1970. */
  writtenMs: number;
  group: string;
  topic: string;
  model: string;
  topics: TopicReport[];
  /** Followers that could not be asked, and why. */
  troubles: string[];
}

/** A topic that was deleted and made again has another id, and lanes of its own. */
export interface TopicReport {
  topicId: string;
  lanes: LaneReport[];
}

export interface LaneReport {
  partition: number;
  appId: string;
  startOffset: bigint;
  /** The version in which an operator started it over there, or null. */
  resetIn: number | null;
  /** Everything below it is in the table. */
  committedTo: bigint;
  /** Of its last commit. */
  version: number;
  committedMs: number;
  watermarkMs: number | null;
  /** Those that the ledger knows, the newest last, and whether their files are there. */
  snapshots: SnapshotReport[];
  /** Bounded runs end with all sessions let out: where the last one did. */
  endedAt: bigint | null;
  /** How far the followers are that are known, or were asked. */
  followers: FollowerPlace[];
}

export interface SnapshotReport {
  path: string;
  offset: bigint;
  sizeBytes: number;
  takenMs: number;
  isThere: boolean;
}

const SNAPSHOTS = '_headrace/snapshots/';

/**
 * `lake`: the table, or what holds it.
 * @throws HeadraceError LAKE_NOT_OURS (no table there, or none of headrace's), LAKE_LOG_CORRUPT, LAKE_IO
 */
export async function readLedger(lake: LakeConfig): Promise<LedgerReport> {
  return await reportOf(await openTable(lake));
}

export async function reportOf(opened: OpenedTable): Promise<LedgerReport> {
  const { table, store, delta, owner, history, times } = opened;
  const stored = new Set((await store.list(SNAPSHOTS)).map((object) => object.path));
  const laneReport = (topicId: string, lane: LaneHistory): LaneReport => {
    const { partition, startOffset, resetIn, committedTo, version, watermarkMs, endedAt } = lane;
    return {
      partition,
      appId: appIdOf(owner, topicId, partition),
      startOffset,
      resetIn,
      committedTo,
      version,
      committedMs: times.get(version) ?? 0,
      watermarkMs,
      snapshots: lane.snapshots.map((snapshot) => snapshotReport(snapshot, times, stored)),
      endedAt,
      followers: [],
    };
  };
  const topics = history.topicIds().map((topicId) => ({
    topicId,
    lanes: history.lanes(topicId).map((lane) => laneReport(topicId, lane)),
  }));
  return {
    table,
    version: delta.version,
    writtenMs: times.get(delta.version) ?? 0,
    ...owner,
    topics,
    troubles: [],
  };
}

function snapshotReport(
  { path, offset, sizeBytes, version }: LaneHistory['snapshots'][number],
  times: ReadonlyMap<number, number>,
  stored: ReadonlySet<string>,
): SnapshotReport {
  return { path, offset, sizeBytes, takenMs: times.get(version) ?? 0, isThere: stored.has(path) };
}
