import { isHidden } from '../delta/table-folder.js';
import type { ObjectInfo, ObjectStore } from '../store/store.js';
import type { FileNeed } from './file-needs.js';
import { freeFiles, type GuardPlace } from './follower-guard.js';

/** A file that no version names may be one that is about to be committed: nobody commits one that is this old. */
export const STRAY_AGE_MS = 7 * 86_400_000;

export interface VacuumFacts {
  /** When the table's log says that a file was taken out, ms since 1970; null: it does not say. */
  removedAtMs(path: string): number | null;
  needOf(path: string): FileNeed;
  /** How far followers are. */
  places: readonly GuardPlace[];
  /** A follower could not be asked. */
  isHeldByAll: boolean;
  nowMs: number;
  /** How long files that were taken out stay for those who read older versions. */
  retentionMs: number;
}

export interface VacuumPlan {
  /** They may go. */
  free: ObjectInfo[];
  /** A follower may still come for them. */
  held: FileNeed[];
  /** Too young: taken out less than the retention ago, or named by no version and perhaps about to be. */
  young: ObjectInfo[];
}

/**
 * Data files that lie in the folder and are not in the table: removed ones that nobody vacuumed, and those of engines that ended. What
 * lies below the folder of another table is that one's, be it as old as it may.
 */
export function filesBeside(
  listed: readonly ObjectInfo[],
  active: { has(path: string): boolean },
): ObjectInfo[] {
  const others = tablesBelow(listed);
  return listed.filter(
    ({ path }) =>
      path.endsWith('.parquet') &&
      !isInHidden(path) &&
      !active.has(path) &&
      !others.some((folder) => path.startsWith(folder)),
  );
}

/** Folders of other Delta tables, with a slash at the end. */
function tablesBelow(listed: readonly ObjectInfo[]): string[] {
  const folders = listed.flatMap(({ path }) => /^(.+?\/)_delta_log\//.exec(path)?.[1] ?? []);
  return [...new Set(folders)];
}

/** Names that begin with a dot or an underscore are passed over, and so is all below such a folder. */
function isInHidden(path: string): boolean {
  return path.split('/').some((name) => isHidden(name) && !/^_[^=]+=/.test(name));
}

/** Which of these files, none of which is in the table, may be deleted. Pure; nobody else decides that a data file goes. */
export function planVacuum(beside: readonly ObjectInfo[], facts: VacuumFacts): VacuumPlan {
  const { removedAtMs, needOf, places, isHeldByAll, nowMs, retentionMs } = facts;
  const isYoung = ({ path, modifiedMs }: ObjectInfo) => {
    const atMs = removedAtMs(path);
    if (atMs === null) return nowMs - modifiedMs < Math.max(STRAY_AGE_MS, retentionMs);
    return nowMs - atMs < retentionMs;
  };
  const due = beside.filter((file) => !isYoung(file));
  const open = isHeldByAll
    ? []
    : freeFiles(
        due.map(({ path }) => needOf(path)),
        places,
      );
  const free = new Set(open.map(({ path }) => path));
  return {
    free: due.filter(({ path }) => free.has(path)),
    held: due.filter(({ path }) => !free.has(path)).map(({ path }) => needOf(path)),
    young: beside.filter(isYoung),
  };
}

/** Exactly these, and none that is in the table again. Returns how many and how many bytes. */
export async function deleteFiles(
  store: ObjectStore,
  free: readonly ObjectInfo[],
  active: { has(path: string): boolean },
  onDeleted: (done: number) => void = () => {},
): Promise<{ files: number; bytes: number }> {
  const done = { files: 0, bytes: 0 };
  for (const { path, sizeBytes } of free) {
    if (active.has(path)) continue;
    await store.delete(path);
    done.files++;
    done.bytes += sizeBytes;
    onDeleted(done.files);
  }
  return done;
}
