import { invariant } from '../invariant.js';
import type { Marks } from '../model/marks.js';
import type { CutEntry, CutLaneEntry, LaneGap, SealedFile, SealedLane, SealedReport } from './types.js';

/**
 * The rules of exactly once as pure functions: observed facts in, decisions out. All I/O is in ledger.ts and
 * coordinator.ts. The rules' numbers are those of "The ledger" in src/ARCHITECTURE.md.
 * A lane's states are in lane-states.ts.
 */

/** What is known of a lane that this engine holds and that may have sealed something. */
export interface HeldLane {
  partition: number;
  incarnation: number;
  /** Table version of the commit on which the lane's state was built: its last one (rule 6). */
  parent: number;
  /** The ledger's offset for the lane. */
  committedTo: bigint;
  /** When the lane's `txn` was last written, monotonic ms. */
  lastCommitMs: number;
  /** What it passed over since its state was built. */
  gaps?: readonly LaneGap[];
}

/** A cut that every worker has reported. */
export interface SealedCut {
  id: string;
  createdAtMs: number;
  reports: readonly SealedReport[];
}

export interface CommitPlan {
  cuts: CutEntry[];
  files: SealedFile[];
  /** One `txn` per lane: the offset that the lane reaches with this commit. */
  lanes: { partition: number; incarnation: number; to: bigint }[];
  /** Lanes that lost a file to another lane's reset: they must recover (rule 7). */
  resets: number[];
  /** Snapshots that this commit makes usable. */
  snapshots: { partition: number; path: string; sizeBytes: number; offset: bigint; cutId: string }[];
}

/**
 * What to commit of the sealed cuts, in order. `null`: nothing that must be written now; the lanes' way since their last
 * commit stays pending and belongs to the next cut (rule 4). Lanes are committed when they have rows, dead letters,
 * marks or a snapshot, when they moved and anything is committed at all, or when they moved and their last commit is
 * `idleCommitMs` old.
 */
export function planCommit(
  cuts: readonly SealedCut[],
  held: ReadonlyMap<number, HeldLane>,
  nowMs: number,
  idleCommitMs: number,
): CommitPlan | { resets: number[] } {
  const dead = new DeadLanes(held);
  const position = new Map<number, bigint>();
  const plan: CommitPlan = { cuts: [], files: [], lanes: [], resets: [], snapshots: [] };
  let urgent = false;
  for (const cut of cuts) {
    const entry: CutEntry = { id: cut.id, createdAtMs: cut.createdAtMs, lanes: [], deadLetterFiles: [] };
    for (const report of cut.reports) {
      const alive = dead.survivors(report);
      for (const sealed of report.lanes) {
        if (!alive.has(sealed.partition)) continue;
        const lane = held.get(sealed.partition)!;
        const from = position.get(sealed.partition) ?? lane.committedTo;
        invariant(sealed.to >= from, 'a sealed lane lies behind the ledger', { partition: sealed.partition });
        const content = hasContent(sealed);
        if (!content && sealed.to === from) continue;
        urgent ||= content || nowMs - lane.lastCommitMs >= idleCommitMs;
        entry.lanes.push(laneEntry(sealed, from, lane));
        position.set(sealed.partition, sealed.to);
        if (sealed.snapshot !== null)
          plan.snapshots.push({ partition: sealed.partition, ...sealed.snapshot });
      }
      const files = report.files.filter((file) => isWhole(file, alive));
      plan.files.push(...files);
      if (files.length > 0) entry.files = [...(entry.files ?? []), ...files.map(fileEntry)];
      const letters = report.deadLetterFile;
      if (letters !== null && isWhole(letters, alive)) {
        const { path, sizeBytes } = letters;
        entry.deadLetterFiles.push({ path, sizeBytes, letters: letters.letters });
      }
    }
    if (entry.lanes.length > 0) plan.cuts.push(entry);
  }
  plan.resets = dead.resets();
  if (!urgent) return { resets: plan.resets };
  plan.cuts = mergeEmptyCuts(plan.cuts);
  for (const [partition, to] of position) {
    plan.lanes.push({ partition, incarnation: held.get(partition)!.incarnation, to });
  }
  return plan;
}

/**
 * Which lanes are lost to another writer's version: those whose `txn` it carries and whose state here was built on an
 * older version. Parent versions are compared, never offsets: idle and early marks commit with from = to (rule 6).
 */
export function lanesLost(
  version: number,
  txnPartitions: readonly number[],
  lanes: Iterable<{ partition: number; parent: number }>,
): number[] {
  const written = new Set(txnPartitions);
  return [...lanes]
    .filter((lane) => written.has(lane.partition) && version > lane.parent)
    .map((lane) => lane.partition);
}

/**
 * Must the log be listed before it is believed (rule 9)? After half the time for which it is kept: the other half is for what is
 * under way. By whichever clock says more: the monotonic one stops with the machine.
 */
export function mustList(
  looked: { monotonicMs: number; wallMs: number },
  now: { monotonicMs: number; wallMs: number },
  logKeptMs: number,
): boolean {
  const passedMs = Math.max(now.monotonicMs - looked.monotonicMs, now.wallMs - looked.wallMs);
  return passedMs > logKeptMs / 2;
}

/**
 * Must a lane be snapshotted although it stands? Others may clean the log up for all that is older than what it is kept for, and
 * with it the commit that makes the lane's newest snapshot usable (rule 14).
 */
export function isSnapshotOld(snapshottedMs: number | null, nowMs: number, logKeptMs: number): boolean {
  return snapshottedMs === null || nowMs - snapshottedMs > logKeptMs / 4;
}

/** Has a seal something that must reach the ledger, whether or not its offset moved? */
export function hasContent(lane: SealedLane): boolean {
  return lane.rows > 0 || lane.deadLetters > 0 || lane.snapshot !== null || hasMarks(lane.marks);
}

export function hasMarks(marks: Marks): boolean {
  return Object.values(marks).some((value) => value !== undefined && value !== false);
}

/**
 * Incarnations of lanes that can't be committed any more: those that are void, and those that share a file with one: a
 * file is committed only if every lane in it is (rule 7). Later reports of a dead incarnation are dead too.
 */
class DeadLanes {
  readonly #held: ReadonlyMap<number, HeldLane>;
  readonly #dead = new Set<string>();
  readonly #resets = new Set<number>();

  constructor(held: ReadonlyMap<number, HeldLane>) {
    this.#held = held;
  }

  /** Partitions of the report's lanes that can be committed. */
  survivors(report: SealedReport): Set<number> {
    const alive = new Set<number>();
    for (const lane of report.lanes) {
      const current = this.#held.get(lane.partition)?.incarnation === lane.incarnation;
      if (current && !this.#dead.has(keyOf(lane))) alive.add(lane.partition);
      else this.#dead.add(keyOf(lane));
    }
    const files: { lanes: number[] }[] = [...report.files];
    if (report.deadLetterFile !== null) files.push(report.deadLetterFile);
    for (let broken = true; broken; ) {
      broken = false;
      for (const file of files) {
        if (isWhole(file, alive)) continue;
        for (const partition of file.lanes) {
          if (!alive.delete(partition)) continue;
          broken = true;
          this.#dead.add(keyOf(report.lanes.find((lane) => lane.partition === partition)!));
          this.#resets.add(partition);
        }
      }
    }
    return alive;
  }

  resets(): number[] {
    return [...this.#resets];
  }
}

function keyOf(lane: SealedLane): string {
  return `${lane.partition}/${lane.incarnation}`;
}

function isWhole(file: { lanes: readonly number[] }, alive: ReadonlySet<number>): boolean {
  return file.lanes.every((partition) => alive.has(partition));
}

function fileEntry({ path, rows, lanes, laneRows }: SealedFile): NonNullable<CutEntry['files']>[number] {
  return { path, rows, lanes, ...(laneRows === undefined ? {} : { laneRows }) };
}

function laneEntry(sealed: SealedLane, from: bigint, { parent, gaps = [] }: HeldLane): CutLaneEntry {
  const passed = gaps.filter((gap) => gap.from >= from && gap.to <= sealed.to);
  return {
    partition: sealed.partition,
    from: Number(from),
    to: Number(sealed.to),
    watermarkMs: sealed.watermarkMs,
    marks: sealed.marks,
    rows: sealed.rows,
    deadLetters: sealed.deadLetters,
    crc: sealed.crc,
    parent,
    ...(passed.length === 0 ? {} : { gaps: passed }),
    ...(sealed.snapshot === null
      ? {}
      : { snapshot: { path: sealed.snapshot.path, sizeBytes: sealed.snapshot.sizeBytes } }),
  };
}

/**
 * A lane that only moved in one cut and has a later entry needs no entry of its own for the first: its way
 * belongs to the later one. Keeps commits short when many small cuts go into one.
 */
function mergeEmptyCuts(cuts: CutEntry[]): CutEntry[] {
  const later = new Map<number, CutLaneEntry>();
  for (const cut of [...cuts].reverse()) {
    // a cut may name a lane more than once, in order of its offsets
    cut.lanes = cut.lanes.toReversed().filter((lane) => {
      const next = later.get(lane.partition);
      const empty =
        lane.rows === 0 &&
        lane.deadLetters === 0 &&
        lane.snapshot === undefined &&
        lane.gaps === undefined &&
        !hasMarks(lane.marks);
      if (empty && next !== undefined) {
        next.from = lane.from;
        return false;
      }
      later.set(lane.partition, lane);
      return true;
    });
    cut.lanes.reverse();
  }
  return cuts.filter((cut) => cut.lanes.length > 0 || cut.deadLetterFiles.length > 0);
}
