import type { LakeConfig } from '../../config/types.js';
import { filesOfVersion, type LedgerFile } from '../../followers/ledger-files.js';
import { appIdOf } from '../../ledger/history.js';
import { type OpenedTable, openTable } from '../ledger/open-table.js';

/** What a table in ClickHouse is made of anew: the lake's files as they are now, and where that leaves each lane. */
export interface LakeRows {
  opened: OpenedTable;
  version: number;
  /** In the order in which they came: the newest tokens are those that somebody may still send. */
  files: readonly LakeFile[];
  /** Of all cuts whose versions the log still has. */
  ledgerFiles: readonly LedgerFile[];
  /** Of all lanes there ever were. */
  appIds: readonly string[];
}

export interface LakeFile {
  /** Below the table. */
  path: string;
  /** The path in its cut, where rows were taken out of it since. */
  origin: string;
  sizeBytes: number;
}

/** Throws HeadraceError LAKE_…. */
export async function readLakeRows(place: LakeConfig): Promise<LakeRows> {
  const ledgerFiles: LedgerFile[] = [];
  const opened = await openTable(place, {
    keepFiles: true,
    onVersion: ({ version, actions }) => {
      for (const file of filesOfVersion(version, actions).files) ledgerFiles.push(file);
    },
  });
  const { delta, history, owner } = opened;
  const versions = new Map(ledgerFiles.map((file) => [file.path, file.version]));
  const files = [...delta.activeFiles]
    .map(([each, { size }]) => ({ path: each, origin: history.rewrites.originOf(each), sizeBytes: size }))
    .sort((a, b) => (versions.get(a.origin) ?? -1) - (versions.get(b.origin) ?? -1));
  const appIds = history
    .topicIds()
    .flatMap((topicId) => history.lanes(topicId).map(({ partition }) => appIdOf(owner, topicId, partition)));
  return { opened, version: delta.version, files, ledgerFiles, appIds };
}
