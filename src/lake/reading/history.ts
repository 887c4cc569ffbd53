import { type Action, type CommitInfo, commitInfoOf } from '../delta/actions.js';
import type { ObjectStore } from '../store/store.js';
import { rowsOf } from './file-rows.js';
import { basesOf, type ReadableLog } from './readable-log.js';
import { checkpointActions, readVersions } from './table-at.js';

/** What a version did to the table. */
export interface VersionStory {
  version: number;
  /** As it says itself, ms since 1970. */
  timeMs: number | null;
  operation: string | null;
  /** Who wrote it. */
  engine: string | null;
  filesAdded: number;
  filesRemoved: number;
  rowsAdded: number | null;
  /** Null: some of the files were added in versions that were cleaned up. */
  rowsRemoved: number | null;
  bytesAdded: number;
  bytesRemoved: number | null;
  /** Transactions that it carries: our lanes, with the offsets up to which they are done. */
  txns: { appId: string; version: bigint }[];
  /** Can the table be read as it left it? */
  isReadable: boolean;
}

interface KnownFile {
  rows: number | null;
  bytes: number;
}

/**
 * The versions whose files are there, in order. Where the log was cleaned up, what its oldest checkpoint knows of files tells
 * what later versions took out. `from`: earlier ones are not read, and rows of their files that are taken out are not known.
 */
export async function* historyOf(
  store: ObjectStore,
  log: ReadableLog,
  from: number = log.first,
): AsyncGenerator<VersionStory> {
  const known = new Map<string, KnownFile>();
  const note = (actions: readonly Action[]) => {
    for (const action of actions) {
      if ('add' in action) known.set(action.add.path, { rows: rowsOf(action.add), bytes: action.add.size });
    }
  };
  const oldest = log.checkpoints[0];
  if (from === log.first && from > 0 && oldest !== undefined) note(await checkpointActions(store, oldest));
  for await (const { version, actions } of readVersions(store, from, log.last)) {
    note(actions);
    yield storyOf(version, actions, known, basesOf(log, version).length > 0);
  }
}

function storyOf(
  version: number,
  actions: readonly Action[],
  known: Map<string, KnownFile>,
  isReadable: boolean,
): VersionStory {
  const info: Partial<CommitInfo> = commitInfoOf(actions) ?? {};
  const added: KnownFile[] = [];
  const removed: (KnownFile | undefined)[] = [];
  const txns: VersionStory['txns'] = [];
  for (const action of actions) {
    if ('add' in action) added.push(known.get(action.add.path)!);
    else if ('txn' in action) txns.push({ appId: action.txn.appId, version: action.txn.version });
    else if ('remove' in action) {
      const { path, size } = action.remove;
      const file = known.get(path);
      removed.push(file ?? (size === undefined ? undefined : { rows: null, bytes: size }));
      // it may be added again
      if (!actions.some((each) => 'add' in each && each.add.path === path)) known.delete(path);
    }
  }
  return {
    version,
    timeMs: info.timestamp ?? null,
    operation: info.operation ?? null,
    engine: info.engineInfo ?? null,
    filesAdded: added.length,
    filesRemoved: removed.length,
    rowsAdded: sum(added.map(({ rows }) => rows)),
    rowsRemoved: sum(removed.map((file) => file?.rows ?? null)),
    bytesAdded: added.reduce((total, { bytes }) => total + bytes, 0),
    bytesRemoved: sum(removed.map((file) => file?.bytes ?? null)),
    txns,
    isReadable,
  };
}

/** Null where one is not known. */
export function sum(numbers: readonly (number | null)[]): number | null {
  return numbers.reduce((total, each) => (total === null || each === null ? null : total + each), 0);
}
