import { HeadraceError } from '../../errors.js';
import type { Action } from '../../lake/delta/actions.js';
import { DeltaLog } from '../../lake/delta/log.js';
import { resolveTableFolder } from '../../lake/delta/table-folder.js';
import { LocalStore } from '../../lake/store/local.js';
import { appIdOf, type LaneHistory, LedgerHistory } from '../../ledger/history.js';
import { factsOf } from '../../ledger/ledger.js';

/** The ledger of a table, read from the outside: nothing is written, no engine is asked. */
export interface LedgerReport {
  /** Absolute path of the table. */
  table: string;
  version: number;
  /** When that version was written, ms since 1970. */
  writtenMs: number;
  group: string;
  topic: string;
  model: string;
  topics: TopicReport[];
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
  /** Everything below it is in the table. */
  committedTo: bigint;
  /** Of its last commit. */
  version: number;
  committedMs: number;
  watermarkMs: number | null;
  /** Newest one that the ledger knows, and whether its file is there. */
  snapshot: SnapshotReport | null;
  /** Bounded runs end with all sessions let out: where the last one did. */
  endedAt: bigint | null;
}

export interface SnapshotReport {
  path: string;
  offset: bigint;
  sizeBytes: number;
  takenMs: number;
  isThere: boolean;
}

interface TableOwner {
  group: string;
  topic: string;
  model: string;
}

const NAME_A_TABLE = 'name a table that headrace writes, or the folder that holds it';
const SNAPSHOTS = '_headrace/snapshots/';

/**
 * `path`: the table, or the folder that holds it.
 * @throws HeadraceError LAKE_NOT_OURS (no table there, or none of headrace's), LAKE_LOG_CORRUPT, LAKE_IO
 */
export async function readLedger(path: string): Promise<LedgerReport> {
  const table = await folderOf(path);
  const store = new LocalStore(table);
  const times = new Map<number, number>();
  const read: { owner: TableOwner | null; history: LedgerHistory | null; topicIds: Set<string> } = {
    owner: null,
    history: null,
    topicIds: new Set(),
  };
  const log = await DeltaLog.open(store, {
    onVersion: ({ version, actions }) => {
      times.set(version, timeOf(actions));
      read.owner ??= ownerOf(actions);
      if (read.owner === null) return;
      read.history ??= new LedgerHistory(read.owner);
      const facts = factsOf({ version, actions });
      read.history.apply(facts);
      for (const { appId } of facts.txns) noteTopic(appId, read.owner, read.topicIds);
    },
  });
  const { owner, history } = read;
  if (log === null || owner === null || history === null) {
    throw new HeadraceError(
      'LAKE_NOT_OURS',
      log === null ? 'there is no Delta table' : 'the Delta table was not made by headrace',
      { where: { path: table }, remedy: NAME_A_TABLE },
    );
  }
  const stored = new Set((await store.list(SNAPSHOTS)).map((object) => object.path));
  const laneReport = (topicId: string, lane: LaneHistory): LaneReport => {
    const { partition, startOffset, committedTo, version, watermarkMs, endedAt } = lane;
    const newest = lane.snapshots.at(-1) ?? null;
    return {
      partition,
      appId: appIdOf(owner, topicId, partition),
      startOffset,
      committedTo,
      version,
      committedMs: times.get(version)!,
      watermarkMs,
      snapshot: newest === null ? null : snapshotReport(newest, times, stored),
      endedAt,
    };
  };
  const topics = [...read.topicIds].map((topicId) => ({
    topicId,
    lanes: history.lanes(topicId).map((lane) => laneReport(topicId, lane)),
  }));
  return { table, version: log.version, writtenMs: times.get(log.version)!, ...owner, topics };
}

/** What an engine would be told of a folder that is no table, to make one there, is no help here. */
async function folderOf(path: string): Promise<string> {
  try {
    return await resolveTableFolder(path);
  } catch (error) {
    if (!(error instanceof HeadraceError) || error.code !== 'LAKE_NOT_OURS') throw error;
    throw new HeadraceError(error.code, error.message, { where: error.where, remedy: NAME_A_TABLE });
  }
}

function snapshotReport(
  { path, offset, sizeBytes, version }: LaneHistory['snapshots'][number],
  times: ReadonlyMap<number, number>,
  stored: ReadonlySet<string>,
): SnapshotReport {
  return { path, offset, sizeBytes, takenMs: times.get(version)!, isThere: stored.has(path) };
}

/** Null: these actions don't say, or say that the table is another's. */
function ownerOf(actions: readonly Action[]): TableOwner | null {
  for (const action of actions) {
    if (!('metaData' in action)) continue;
    const { configuration } = action.metaData;
    const [group, topic, model] = ['group', 'topic', 'model'].map((key) => configuration[`headrace.${key}`]);
    if (group !== undefined && topic !== undefined && model !== undefined) return { group, topic, model };
  }
  return null;
}

/** `headrace/<group>/<topic>/<topic id>/<partition>` */
function noteTopic(appId: string, { group, topic }: TableOwner, topicIds: Set<string>): void {
  const prefix = `headrace/${group}/${topic}/`;
  if (appId.startsWith(prefix)) topicIds.add(appId.slice(prefix.length).split('/')[0]!);
}

function timeOf(actions: readonly Action[]): number {
  for (const action of actions) if ('commitInfo' in action) return action.commitInfo.timestamp;
  return 0;
}
