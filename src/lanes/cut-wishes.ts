import type { Lane } from './lane.js';

/** What a lane wants of the next cut. `position` is behind the last event that was handed to its worker. */

/** A lane that moved is committed at least this often (rule 4). */
export const IDLE_COMMIT_MS = 30_000;

export function wantsCut(lane: Lane, position: bigint, nowMs: number): boolean {
  if (position !== lane.cutPosition) return true;
  if (lane.halted !== null) return false;
  const overdue = nowMs - lane.lastCommitMs >= IDLE_COMMIT_MS && position !== lane.committedTo;
  return overdue || wantsSnapshot(lane, position, nowMs);
}

export function wantsSnapshot(lane: Lane, position: bigint, nowMs: number): boolean {
  return nowMs >= lane.nextSnapshotMs && differsFromSnapshot(lane, position);
}

export function differsFromSnapshot(lane: Lane, position: bigint): boolean {
  return lane.marked || position !== lane.snapshotOffset;
}
