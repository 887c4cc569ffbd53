import { isSnapshotOld } from '../ledger/protocol.js';

/** A lane that moved is committed at least this often (rule 4). */
export const IDLE_COMMIT_MS = 30_000;

/** What decides whether a live lane has something to say at a cut. */
export interface LaneWishes {
  /** Behind the last event that its worker was given, and where that was at the last cut. */
  position: bigint;
  cutPosition: bigint | null;
  committedTo: bigint;
  /** Monotonic, as `nowMs`. */
  lastCommitMs: number;
  isHalted: boolean;
  /** Of the newest snapshot in the ledger, and when it was taken (wall clock); null: none, or not known. */
  snapshotOffset: bigint | null;
  snapshottedMs: number | null;
  nextSnapshotMs: number;
  /** Marks lie behind the newest snapshot. */
  marked: boolean;
}

export interface CutTime {
  /** Monotonic. */
  nowMs: number;
  wallMs: number;
  idleCommitMs: number;
  /** How long whoever cleans the ledger's log up keeps it. */
  logKeptMs: number;
  snapshotIntervalMs: number;
}

/** It moved since the last cut; its way was not committed for long (rule 4); or a snapshot is due. */
export function wantsCut(lane: LaneWishes, time: CutTime, recovers = false): boolean {
  if (lane.position !== lane.cutPosition) return true;
  if (lane.isHalted) return false;
  const isOverdue = time.nowMs - lane.lastCommitMs >= time.idleCommitMs && lane.position !== lane.committedTo;
  return isOverdue || wantsSnapshot(lane, time, recovers);
}

/**
 * `recovers`: other lanes are on their way back. Theirs is the worker's time then, and a cut's commit waits for its
 * snapshots: one that is due may be an interval late.
 */
export function wantsSnapshot(lane: LaneWishes, time: CutTime, recovers = false): boolean {
  const dueMs = lane.nextSnapshotMs + (recovers ? time.snapshotIntervalMs : 0);
  return time.nowMs >= dueMs && differsFromSnapshot(lane, time);
}

/** Would a snapshot say anything that the newest does not, or be there when that one is of no use any more (rules 13 and 14)? */
export function differsFromSnapshot(lane: LaneWishes, { wallMs, logKeptMs }: CutTime): boolean {
  const isOld = isSnapshotOld(lane.snapshottedMs, wallMs, logKeptMs);
  return lane.marked || lane.position !== lane.snapshotOffset || isOld;
}
