import { HeadraceError } from '../../errors.js';
import type { Action, Add } from '../delta/actions.js';
import { DeltaLog } from '../delta/log.js';
import type { ObjectStore } from '../store/store.js';
import { olderFiles, reportOf } from './expire.js';
import type { MaintenanceRun } from './run.js';
import type { IndexedFile } from './table-index.js';

/**
 * Archival: old partitions go to a Delta table of their own, in another folder or bucket, with the same columns, that any reader reads
 * alone or beside the first. A path in a Delta log lies below its table for most readers, so files can't simply be named elsewhere.
 *
 *   1. the files' bytes are copied             an archive's reader sees nothing yet
 *   2. one version of the table removes them   and names, in our entry, what went where: here it is decided
 *   3. one version of the archive adds them    with a `txn` of the table's version: never twice, and if it is not done
 *                                              before an end, the next call does it first
 *
 * Between 2 and 3 the rows are in neither; between the other two steps in one.
 */

const ATTEMPTS_MAX = 5;

export interface ArchivedFile extends Omit<Add, 'dataChange' | 'stats'> {
  stats: string | null;
}

/** What a version of the table says that it gave to an archive. */
export interface ArchivedVersion {
  version: number;
  to: string;
  files: readonly ArchivedFile[];
}

export interface ArchiveReport {
  version: number | null;
  /** Of the archive: what this call added. */
  archiveVersions: number[];
  partitions: string[];
  files: number;
  bytes: number;
  rows: number;
}

export async function archive(
  run: MaintenanceRun,
  { to, ageMs, dryRun }: { to: ObjectStore; ageMs: number; dryRun: boolean },
): Promise<ArchiveReport> {
  const archiveVersions = dryRun ? [] : await bringOver(run, to);
  const column = run.options.model.partitionColumn;
  const copied = new Set<string>();
  for (let attempt = 1; ; attempt++) {
    const nowMs = run.options.clock.nowMs();
    const older = olderFiles(run.index.files.values(), column, { ageMs, nowMs });
    const report = { ...reportOf(older.files), partitions: older.partitions, version: null, archiveVersions };
    if (dryRun || older.files.length === 0) return report;
    const isWhole = await copy(run, to, older.files, copied);
    const version = isWhole ? await remove(run, to, older.files, older.before) : null;
    await run.refresh();
    if (version !== null) {
      archiveVersions.push(...(await bringOver(run, to)));
      return { ...report, version };
    }
    if (run.isStopped || attempt >= ATTEMPTS_MAX) return report;
  }
}

/** False: a file is gone, or the run is to stop. */
async function copy(
  run: MaintenanceRun,
  to: ObjectStore,
  files: readonly IndexedFile[],
  copied: Set<string>,
): Promise<boolean> {
  for (const [index, { add }] of files.entries()) {
    if (run.isStopped) return false;
    if (copied.has(add.path)) continue;
    run.options.tell(() => `archive: ${index} of ${files.length} files copied`);
    const bytes = await run.read(add.path, add.size);
    if (bytes === null) return false;
    await run.pace.spend(add.size, run.options.signal);
    await to.put(add.path, bytes);
    copied.add(add.path);
  }
  return true;
}

async function remove(
  run: MaintenanceRun,
  to: ObjectStore,
  files: readonly IndexedFile[],
  before: string,
): Promise<number | null> {
  const given = files.map(({ add: { path, partitionValues, size, modificationTime } }) => ({
    path,
    partitionValues,
    size,
    modificationTime,
    stats: run.index.statsOf(path),
  }));
  return await run.options.commit({
    kind: 'archive',
    removed: files.map(({ add }) => add),
    added: [],
    removedDataChange: true,
    addedDataChange: true,
    operation: 'DELETE',
    operationParameters: {
      predicate: JSON.stringify([`${run.options.model.partitionColumn} < '${before}'`]),
    },
    detail: { before, to: to.url, files: given },
  });
}

/** What versions of the table gave to this archive and it does not have yet. Returns its new versions. */
async function bringOver(run: MaintenanceRun, to: ObjectStore): Promise<number[]> {
  const { metaData } = run.log;
  const appId = `headrace-archive/${metaData.id}`;
  const given = run.index.archived.filter((each) => each.to === to.url);
  if (given.length === 0) return [];
  const log = await openArchive(run, to);
  const versions: number[] = [];
  while (true) {
    const done = log.txns.get(appId)?.version ?? -1n;
    const next = given.find(({ version }) => BigInt(version) > done);
    if (next === undefined) return versions;
    const version = log.version + 1;
    const outcome = await log.tryCommit(version, archiveActions(run, log, next, appId));
    if (outcome === 'committed') versions.push(version);
    else await log.refresh();
  }
}

function archiveActions(
  run: MaintenanceRun,
  log: DeltaLog,
  { version, files }: ArchivedVersion,
  appId: string,
): Action[] {
  const nowMs = run.options.clock.nowMs();
  const { metaData } = run.log;
  const isOlder = log.metaData.schemaString !== metaData.schemaString;
  const { schema: _, ...own } = log.metaData;
  return [
    {
      commitInfo: {
        timestamp: nowMs,
        operation: 'WRITE',
        operationParameters: { mode: 'Append' },
        isBlindAppend: true,
        headrace: { attempt: run.options.random.id63().toString(36), archiveOf: version },
      },
    },
    ...(isOlder ? [{ metaData: { ...own, schemaString: metaData.schemaString } }] : []),
    { txn: { appId, version: BigInt(version), lastUpdated: nowMs } },
    ...files.map(({ stats, ...file }) => ({
      add: { ...file, dataChange: true, ...(stats === null ? {} : { stats }) },
    })),
  ];
}

async function openArchive(run: MaintenanceRun, to: ObjectStore): Promise<DeltaLog> {
  for (;;) {
    const there = await DeltaLog.open(to);
    const { metaData } = run.log;
    if (there !== null) {
      if (there.metaData.configuration[ARCHIVE_OF] === metaData.id) return there;
      throw new HeadraceError('LAKE_NOT_OURS', 'another table lies where the archive is to be', {
        where: { archive: to.url },
        remedy: 'name an empty or new folder or prefix with --to; nothing was archived',
      });
    }
    const { id63 } = run.options.random;
    const created = await DeltaLog.create(to, {
      id: uuidOf(id63(), id63()),
      name: `${metaData.name ?? 'sessions'}_archive`,
      description: `Older partitions of ${run.options.store.url}`,
      schemaString: metaData.schemaString,
      partitionColumns: metaData.partitionColumns,
      configuration: { [ARCHIVE_OF]: metaData.id },
      createdTimeMs: run.options.clock.nowMs(),
      commitInfo: {
        timestamp: run.options.clock.nowMs(),
        operation: 'CREATE TABLE',
        headrace: { attempt: id63().toString(36) },
      },
    });
    if (created !== 'conflict') return created;
  }
}

const ARCHIVE_OF = 'headrace.archive_of';

/** A version 4 UUID. */
function uuidOf(high: bigint, low: bigint): string {
  const hex = high.toString(16).padStart(16, '0') + low.toString(16).padStart(16, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}
