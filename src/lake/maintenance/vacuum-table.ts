import type { FileNeed } from './file-needs.js';
import type { GuardPlace } from './follower-guard.js';
import type { MaintenanceRun } from './run.js';
import { deleteFiles, filesBeside, planVacuum, type VacuumPlan } from './vacuum.js';

export interface VacuumOptions {
  /** How long files that were taken out stay for those who read older versions. */
  retentionMs: number;
  /** Only say what would go. */
  dryRun: boolean;
  /** How far followers are; one that can't be asked holds every file. */
  followers(): Promise<{ places: readonly GuardPlace[]; silent: readonly string[] }>;
}

export interface VacuumReport {
  /** What went, or would. */
  deleted: { files: number; bytes: number; paths: string[] };
  /** Files that a follower may still come for. */
  held: FileNeed[];
  places: readonly GuardPlace[];
  silent: readonly string[];
  /** Files that are too young. */
  young: { files: number; bytes: number };
}

/** Together longer than followers take to say how far they are. */
const LOOK_EVERY_MS = 3_000;
const LOOKS_MAX = 4;

function isUnsure({ held }: VacuumPlan): boolean {
  return held.some(({ atMost }) => atMost === true);
}

/** Deletes data files that are in the table no more, as far as nobody can come for them. Throws HeadraceError LAKE_IO. */
export async function vacuumTable(
  run: MaintenanceRun,
  { retentionMs, dryRun, followers }: VacuumOptions,
): Promise<VacuumReport> {
  const { store, clock, tell } = run.options;
  const beside = filesBeside(await store.list(''), run.index.files);
  const facts = {
    removedAtMs: (path: string) => run.index.removed.get(path)?.atMs ?? null,
    needOf: (path: string) => run.index.needs.of(path),
    nowMs: clock.nowMs(),
    retentionMs,
  };
  const all = planVacuum(beside, { ...facts, places: [], isHeldByAll: false });
  // nobody has to be asked for nothing
  let { places, silent } = all.free.length === 0 ? { places: [], silent: [] } : await followers();
  const planned = () => planVacuum(beside, { ...facts, places, isHeldByAll: silent.length > 0 });
  let plan = planned();
  // of a file from before a checkpoint that does not say in which version it came it is known only that followers beyond that
  // checkpoint need it no more: while commits go on, those are always a little behind the newest one
  for (let looks = 1; looks < LOOKS_MAX && silent.length === 0 && isUnsure(plan); looks++) {
    await clock.sleep(LOOK_EVERY_MS);
    ({ places, silent } = await followers());
    plan = planned();
  }
  // what was listed before this may be in the table now
  await run.refresh();
  const free = plan.free.filter(({ path }) => !run.index.files.has(path));
  if (!dryRun) {
    await deleteFiles(store, free, run.index.files, (done) =>
      tell(() => `vacuum: ${done} of ${free.length} files deleted`),
    );
  }
  const bytesOf = (files: readonly { sizeBytes: number }[]) =>
    files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return {
    deleted: { files: free.length, bytes: bytesOf(free), paths: free.map(({ path }) => path) },
    held: plan.held,
    places,
    silent,
    young: { files: plan.young.length, bytes: bytesOf(plan.young) },
  };
}
