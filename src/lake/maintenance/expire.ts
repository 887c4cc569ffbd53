import type { MaintenanceRun } from './run.js';
import type { IndexedFile } from './table-index.js';

/**
 * Expiry: all files of partitions that are older than so many days leave the table in one version. They lie in the folder until a
 * vacuum, so followers that are behind still get their rows.
 */

const DAY_MS = 86_400_000;
/** A version of another's that took one of the files out is looked at, and the rest is tried again. */
const ATTEMPTS_MAX = 5;

export interface ExpireReport {
  version: number | null;
  /** Days, ascending. */
  partitions: string[];
  files: number;
  bytes: number;
  rows: number;
}

/** The last day all of whose rows are older than `ageMs`, and the files up to it. The null partition has no age. */
export function olderFiles(
  files: Iterable<IndexedFile>,
  column: string,
  { ageMs, nowMs }: { ageMs: number; nowMs: number },
): { files: IndexedFile[]; partitions: string[]; before: string } {
  const before = new Date(Math.floor((nowMs - ageMs) / DAY_MS) * DAY_MS).toISOString().slice(0, 10);
  const older = [...files].filter(({ add }) => {
    const day = add.partitionValues[column];
    return day != null && /^\d{4}-\d\d-\d\d$/.test(day) && day < before;
  });
  const partitions = [...new Set(older.map(({ add }) => add.partitionValues[column]!))].sort();
  return { files: older, partitions, before };
}

export async function expire(
  run: MaintenanceRun,
  { ageMs, dryRun }: { ageMs: number; dryRun: boolean },
): Promise<ExpireReport> {
  const column = run.options.model.partitionColumn;
  for (let attempt = 1; ; attempt++) {
    const nowMs = run.options.clock.nowMs();
    const older = olderFiles(run.index.files.values(), column, { ageMs, nowMs });
    const report = { ...reportOf(older.files), partitions: older.partitions, version: null };
    if (dryRun || older.files.length === 0) return report;
    const version = await run.options.commit({
      kind: 'expire',
      removed: older.files.map(({ add }) => add),
      added: [],
      removedDataChange: true,
      addedDataChange: true,
      operation: 'DELETE',
      operationParameters: { predicate: JSON.stringify([`${column} < '${older.before}'`]) },
      detail: { before: older.before },
    });
    await run.refresh();
    if (version !== null || attempt >= ATTEMPTS_MAX) return { ...report, version };
  }
}

export function reportOf(files: readonly IndexedFile[]): { files: number; bytes: number; rows: number } {
  return {
    files: files.length,
    bytes: files.reduce((sum, { add }) => sum + add.size, 0),
    rows: files.reduce((sum, { rows }) => sum + (rows ?? 0), 0),
  };
}
