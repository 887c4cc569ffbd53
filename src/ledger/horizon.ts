import type { LaneHistory } from './history.js';

/** How far a follower is with a partition; −1: it has nothing of it. */
export interface FollowerPosition {
  partition: number;
  version: number;
}

/**
 * The oldest version of the log that somebody still has to read (rule 14): of each lane what lies behind its second newest
 * snapshot, or its start, and of each follower what it has not passed.
 */
export function neededFrom(lanes: readonly LaneHistory[], followers: readonly FollowerPosition[]): number {
  const ofLanes = lanes.map(({ snapshots, cuts, version }) =>
    snapshots.length >= 2 ? snapshots[0]!.version : Math.min(version, ...cuts.map((cut) => cut.version)),
  );
  return Math.min(Number.MAX_SAFE_INTEGER, ...ofLanes, ...followers.map(({ version }) => version + 1));
}
