import type { ObjectStore } from '../store/store.js';
import { type ArchiveReport, archive } from './archive.js';
import { type CompactReport, compact } from './compact.js';
import { type ExpireReport, expire } from './expire.js';
import { type FoldReport, fold } from './fold.js';
import type { MaintenanceRun } from './run.js';
import { type VacuumOptions, type VacuumReport, vacuumTable } from './vacuum-table.js';

/** What an engine does to its table in one go, in the background. Null: not this. */
export interface RoundWishes {
  foldIntervalMs: number | null;
  compactIntervalMs: number | null;
  expireAfterMs: number | null;
  archive: { to: ObjectStore; ageMs: number } | null;
  vacuum: Pick<VacuumOptions, 'retentionMs' | 'followers'> | null;
}

export interface RoundReport {
  fold: FoldReport | null;
  compact: CompactReport | null;
  expire: ExpireReport | null;
  archive: ArchiveReport | null;
  vacuum: VacuumReport | null;
  /** Another engine is at it, or was so a short time ago. */
  gaveWay: boolean;
}

/**
 * One engine of a group at a time, without a lock: the table's log says who did what when. What another did less than half an interval ago
 * is left out; and who loses a file to another's version leaves the rest of the round to it.
 */
export async function maintenanceRound(run: MaintenanceRun, wishes: RoundWishes): Promise<RoundReport> {
  const report: RoundReport = {
    fold: null,
    compact: null,
    expire: null,
    archive: null,
    vacuum: null,
    gaveWay: false,
  };
  const isDue = (kind: 'fold' | 'compact', intervalMs: number | null) => {
    if (intervalMs === null || run.isStopped || report.gaveWay) return false;
    const lastMs = run.index.maintained.get(kind)?.atMs ?? Number.NEGATIVE_INFINITY;
    if (run.options.clock.nowMs() - lastMs >= intervalMs / 2) return true;
    report.gaveWay = true;
    return false;
  };
  if (isDue('fold', wishes.foldIntervalMs)) {
    report.fold = await fold(run, { giveWay: true });
    report.gaveWay ||= report.fold.givenUp > 0;
  }
  if (isDue('compact', wishes.compactIntervalMs)) {
    report.compact = await compact(run, { all: false, giveWay: true });
    report.gaveWay ||= report.compact.givenUp > 0;
  }
  if (run.isStopped || report.gaveWay) return report;
  if (wishes.archive !== null) report.archive = await archive(run, { ...wishes.archive, dryRun: false });
  if (wishes.expireAfterMs !== null)
    report.expire = await expire(run, { ageMs: wishes.expireAfterMs, dryRun: false });
  if (wishes.vacuum !== null && !run.isStopped)
    report.vacuum = await vacuumTable(run, { ...wishes.vacuum, dryRun: false });
  return report;
}
