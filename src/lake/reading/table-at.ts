import { HeadraceError } from '../../errors.js';
import { type Action, type Add, commitInfoOf, type Protocol, type VersionActions } from '../delta/actions.js';
import type { CheckpointFiles } from '../delta/checkpoint.js';
import { openCheckpoint } from '../delta/checkpoint-open.js';
import { decodeVersion } from '../delta/decode.js';
import { versionPath } from '../delta/path.js';
import type { TableMetaData, TxnState } from '../delta/table-state.js';
import type { ObjectStore } from '../store/store.js';
import { basesOf, type ReadableLog } from './readable-log.js';
import { TableFold } from './table-fold.js';

/** A table as one of its versions left it. */
export interface TableAt {
  version: number;
  /** When it was written, as it says itself, ms since 1970; null: its file is gone, or it does not say. */
  timeMs: number | null;
  protocol: Protocol;
  metaData: TableMetaData;
  /** By unencoded path, with their statistics. */
  files: ReadonlyMap<string, Add>;
  txns: ReadonlyMap<string, TxnState>;
}

/** Versions asked for ahead: an object store's answers take their time. */
const AHEAD = 8;

/**
 * The table at a version. A checkpoint that can't be read is passed over for an older one, or for the log from version 0 on.
 * @throws HeadraceError USAGE (no such version, or cleaned up), LAKE_LOG_CORRUPT, LAKE_NOT_OURS (protocol), LAKE_IO
 */
export async function readTableAt(store: ObjectStore, log: ReadableLog, version: number): Promise<TableAt> {
  refuseUnreadable(store, log, version);
  const [nearest, ...others] = basesOf(log, version);
  if (nearest === undefined) throw notBuildable(store, version);
  const { fold, last } = await foldFrom(store, [nearest, ...others], version);
  const { protocol, metaData, files, txns } = fold;
  const timeMs = commitInfoOf(last ?? (await actionsOf(store, log, version)))?.timestamp ?? null;
  return { version, timeMs, protocol, metaData, files, txns };
}

/** What a checkpoint says, its files included. Throws HeadraceError LAKE_LOG_CORRUPT, LAKE_NOT_OURS, LAKE_IO. */
export async function checkpointActions(store: ObjectStore, files: CheckpointFiles): Promise<Action[]> {
  return (await openCheckpoint(store, files, { withFiles: true, strict: true })).actions;
}

/** Versions in order, both ends included. Throws HeadraceError LAKE_LOG_CORRUPT when one is not there. */
export async function* readVersions(
  store: ObjectStore,
  first: number,
  last: number,
): AsyncGenerator<VersionActions> {
  const under: Promise<Uint8Array | null>[] = [];
  let next = first;
  const ask = () => {
    const answer = store.get(versionPath(next++));
    // met below, in order
    answer.catch(() => undefined);
    under.push(answer);
  };
  for (let version = first; version <= last; version++) {
    while (next <= last && under.length < AHEAD) ask();
    const bytes = await under.shift()!;
    if (bytes === null) throw goneMeanwhile(store, version);
    yield { version, actions: decodeVersion(version, bytes) };
  }
}

async function foldFrom(
  store: ObjectStore,
  bases: readonly (CheckpointFiles | null)[],
  version: number,
): Promise<{ fold: TableFold; last: readonly Action[] | null }> {
  const fold = new TableFold();
  const [base, ...others] = bases;
  if (base != null) {
    try {
      fold.apply(base.version, await checkpointActions(store, base));
    } catch (error) {
      const isBroken = error instanceof HeadraceError && error.code === 'LAKE_LOG_CORRUPT';
      if (!isBroken || others.length === 0) throw error;
      return await foldFrom(store, others, version);
    }
  }
  let last: readonly Action[] | null = null;
  for await (const each of readVersions(store, fold.version + 1, version)) {
    fold.apply(each.version, each.actions);
    last = each.actions;
  }
  return { fold, last };
}

/** Of a version that a checkpoint stands for: its file may be gone. */
async function actionsOf(
  store: ObjectStore,
  { first, last }: ReadableLog,
  version: number,
): Promise<readonly Action[]> {
  if (version < first || version > last) return [];
  const bytes = await store.get(versionPath(version));
  return bytes === null ? [] : decodeVersion(version, bytes);
}

function refuseUnreadable(store: ObjectStore, { oldest, newest }: ReadableLog, version: number): void {
  if (version >= oldest && version <= newest) return;
  const why =
    version > newest
      ? `the newest is ${newest}`
      : `the log was cleaned up: the oldest that can be read is ${oldest}`;
  throw new HeadraceError('USAGE', `there is no version ${version} of the table: ${why}`, {
    where: { table: store.url },
    remedy: 'headrace lake history shows which there are',
  });
}

function notBuildable(store: ObjectStore, version: number): HeadraceError {
  return new HeadraceError(
    'USAGE',
    `version ${version} of the table can't be read: log files between it and its checkpoint were cleaned up`,
    { where: { table: store.url }, remedy: 'headrace lake history shows which can' },
  );
}

function goneMeanwhile(store: ObjectStore, version: number): HeadraceError {
  return new HeadraceError('LAKE_IO', `version ${version} was cleaned up while the log was read`, {
    where: { table: store.url, version, path: versionPath(version) },
    remedy: 'call again',
  });
}
