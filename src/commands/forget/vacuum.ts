import { systemClock } from '../../clock.js';
import type { ObjectInfo } from '../../lake/store/store.js';
import { formatElapsed } from '../../telemetry/progress.js';
import type { OpenedTable } from '../ledger/open-table.js';
import { freeFiles, type GuardPlace } from './follower-guard.js';
import type { FileNeed, TableFiles } from './table-files.js';

/** A file that no version names may be one that is about to be committed: nobody commits one that is this old. */
export const STRAY_AGE_MS = 7 * 86_400_000;

export interface VacuumPlan {
  /** They may go. */
  free: FileNeed[];
  /** A follower may still come for them. */
  held: FileNeed[];
  /** No version names them, and they are young. */
  young: ObjectInfo[];
}

/**
 * What may be deleted of the files that hold rows of the person and are not in the table: those that this erasure took out, and those
 * beside the table, removed by others or never committed. `isHeldByAll`: a follower could not be asked.
 */
export function planVacuum(
  { removed, beside }: { removed: readonly string[]; beside: readonly ObjectInfo[] },
  files: Pick<TableFiles, 'needOf' | 'wasRemoved'>,
  { places, isHeldByAll }: { places: readonly GuardPlace[]; isHeldByAll: boolean },
  nowMs: number,
): VacuumPlan {
  const isYoung = ({ path, modifiedMs }: ObjectInfo) =>
    !files.wasRemoved(path) && nowMs - modifiedMs < STRAY_AGE_MS;
  const due = beside.filter((file) => !isYoung(file)).map(({ path }) => path);
  const needs = [...new Set([...removed, ...due])].map((path) => files.needOf(path));
  const free = isHeldByAll ? [] : freeFiles(needs, places);
  return { free, held: needs.filter((file) => !free.includes(file)), young: beside.filter(isYoung) };
}

/** Exactly these, and none that is in the table again. */
export async function vacuum({ store, delta }: OpenedTable, free: readonly FileNeed[]): Promise<number> {
  let deleted = 0;
  for (const { path } of free) {
    if (delta.activeFiles.has(path)) continue;
    await store.delete(path);
    deleted++;
  }
  return deleted;
}

/** When the last of them may go. */
export function youngText(young: readonly ObjectInfo[]): string {
  const newestMs = Math.max(...young.map(({ modifiedMs }) => modifiedMs));
  const leftMs = Math.max(0, newestMs + STRAY_AGE_MS - systemClock.nowMs());
  return `${young.length} that no version names, from engines that ended or are about to commit: in ${formatElapsed(leftMs)}`;
}
