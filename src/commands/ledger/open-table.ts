import type { LakeConfig } from '../../config/types.js';
import { HeadraceError } from '../../errors.js';
import { type Action, commitInfoOf, type VersionActions } from '../../lake/delta/actions.js';
import { DeltaLog } from '../../lake/delta/log.js';
import { tablePlace } from '../../lake/delta/table-place.js';
import { openStore } from '../../lake/store/open-store.js';
import type { ObjectStore } from '../../lake/store/store.js';
import { LedgerHistory } from '../../ledger/history.js';
import { factsOf } from '../../ledger/ledger.js';

/** A sessions table from the outside: whose it is, and what its ledger says. Nothing is written, no engine is asked. */
export interface OpenedTable {
  /** Absolute path, or s3://bucket/prefix. */
  table: string;
  store: ObjectStore;
  delta: DeltaLog;
  owner: TableOwner;
  history: LedgerHistory;
  /** When each version was written, ms since 1970. */
  times: ReadonlyMap<number, number>;
}

export interface TableOwner {
  group: string;
  topic: string;
  model: string;
}

const NAME_A_TABLE = 'name a table that headrace writes, or the folder or prefix that holds it';

/**
 * `lake`: the table, or what holds it. `onVersion` is told of every version that is still there, in order, behind
 * `onCheckpoint` where the log begins with one; `keepFiles`: `delta` has its files, which a checkpoint then has too.
 * @throws HeadraceError LAKE_NOT_OURS (no table there, or none of headrace's), LAKE_LOG_CORRUPT, LAKE_IO
 */
export async function openTable(
  lake: LakeConfig,
  {
    onCheckpoint = () => {},
    onVersion = () => {},
    keepFiles = false,
  }: {
    onCheckpoint?: (version: number, actions: readonly Action[], note: unknown) => void;
    onVersion?: (version: VersionActions, history: LedgerHistory) => void;
    keepFiles?: boolean;
  } = {},
): Promise<OpenedTable> {
  const place = await placeOf(lake);
  const table = place.path;
  const store = await openStore(place);
  const times = new Map<number, number>();
  const read: { owner: TableOwner | null; history: LedgerHistory | null } = { owner: null, history: null };
  const delta = await DeltaLog.open(store, {
    keepFiles,
    onCheckpoint: async ({ version, actions, note, readKept }) => {
      // who follows along has heard of versions that count no more
      if (times.size > 0) throw cleanedUp(table);
      const kept = await readKept();
      for (const each of kept) times.set(each.version, commitInfoOf(each.actions)?.timestamp ?? 0);
      read.owner = ownerOf(actions);
      if (read.owner === null) return;
      read.history = new LedgerHistory(read.owner);
      const { txns } = factsOf({ version, actions });
      await read.history.begin({ version, txns, note, readKept: async () => kept.map(factsOf) });
      onCheckpoint(version, actions, note);
      for (const each of kept) onVersion(each, read.history);
    },
    onVersion: (version) => {
      times.set(version.version, commitInfoOf(version.actions)?.timestamp ?? 0);
      read.owner ??= ownerOf(version.actions);
      if (read.owner === null) return;
      read.history ??= new LedgerHistory(read.owner);
      read.history.apply(factsOf(version));
      onVersion(version, read.history);
    },
  });
  const { owner, history } = read;
  if (delta !== null && owner !== null && history !== null)
    return { table, store, delta, owner, history, times };
  const what = delta === null ? 'there is no Delta table' : 'the Delta table was not made by headrace';
  throw new HeadraceError('LAKE_NOT_OURS', what, { where: { path: table }, remedy: NAME_A_TABLE });
}

/** The same table must be meant by those who name group and topic, too. Throws HeadraceError LAKE_NOT_OURS. */
export function checkOwner({ table, owner }: OpenedTable, named: { group: string; topic: string }): void {
  for (const key of ['group', 'topic'] as const) {
    if (owner[key] === named[key]) continue;
    throw new HeadraceError('LAKE_NOT_OURS', `the table's ${key} is ${owner[key]}, not ${named[key]}`, {
      where: { table },
      remedy: 'give the configuration of the engine that writes it',
    });
  }
}

function cleanedUp(table: string): HeadraceError {
  return new HeadraceError('LAKE_IO', "the table's log was cleaned up while it was read", {
    where: { table },
    remedy: 'call again',
  });
}

/** What an engine would be told of a folder that is no table, to make one there, is no help here. */
export async function placeOf(lake: LakeConfig): Promise<LakeConfig> {
  try {
    return await tablePlace(lake);
  } catch (error) {
    if (!(error instanceof HeadraceError) || error.code !== 'LAKE_NOT_OURS') throw error;
    throw new HeadraceError(error.code, error.message, { where: error.where, remedy: NAME_A_TABLE });
  }
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
