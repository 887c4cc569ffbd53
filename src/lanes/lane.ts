import { HeadraceError } from '../errors.js';
import type { LaneHistory, recoveryOf } from '../ledger/history.js';
import { type LaneEvent, type LaneState, stateAfter, takesPart } from '../ledger/lane-states.js';
import type { HeldLane } from '../ledger/protocol.js';
import type { EvictionOrder, LaneGap } from '../ledger/types.js';
import type { AssignCommand } from '../pool/messages.js';
import type { Rest } from './idle.js';

/** A lane as the main thread sees it. */
export interface Lane extends HeldLane {
  state: LaneState;
  /** Index of the worker that keeps it, for as long as it is assigned. */
  worker: number;
  /** Bounded run: where the input ends. */
  endOffset: bigint | null;
  /** Bounded run: nothing is left to do. */
  finished: boolean;
  halted: HeadraceError | null;
  /** Snapshots that could not be read. */
  unusable: Set<string>;
  /** Where a batch did not check out; a second time at the same place halts the lane. */
  corruptAt: bigint | null;
  /** Behind the last event handed to the worker; while the lane is fetched, the fetcher knows better. */
  position: bigint;
  /** Fetch position at the last cut: a cut of lanes that did not move since is left out. */
  cutPosition: bigint | null;
  /** Offset of the newest snapshot in the ledger. */
  snapshotOffset: bigint | null;
  nextSnapshotMs: number;
  /** Watermark moves lie behind the newest snapshot, at its offset or after it. */
  marked: boolean;
  gaps: LaneGap[];
  /** Where it stands, as its worker said last; null: not known. */
  rest: Rest | null;
  /** When the replay began, and where, for its progress. */
  replay: { fromMs: number; fromOffset: bigint } | null;
}

/** Lanes whose seals count. */
export function isHeld(lane: Lane): boolean {
  return takesPart(lane.state);
}

/** False: the event means nothing to the lane where it stands. */
export function move(lane: Lane, event: LaneEvent): boolean {
  const next = stateAfter(lane.state, event);
  if (next !== null) lane.state = next;
  return next !== null;
}

/** A lane that was just assigned, before anything is known of it. */
export function startingLane(start: {
  partition: number;
  incarnation: number;
  worker: number;
  parent: number;
  endOffset: bigint | null;
  /** Monotonic. */
  nowMs: number;
  /** Until its first snapshot. */
  snapshotInMs: number;
}): Lane {
  const { nowMs, snapshotInMs, ...lane } = start;
  return {
    ...lane,
    state: 'starting',
    committedTo: 0n,
    // whose it is now, the ledger says at its first move, rows or not
    lastCommitMs: Number.NEGATIVE_INFINITY,
    finished: false,
    halted: null,
    unusable: new Set(),
    corruptAt: null,
    position: 0n,
    cutPosition: null,
    snapshotOffset: null,
    nextSnapshotMs: nowMs + snapshotInMs,
    marked: false,
    gaps: [],
    rest: null,
    replay: null,
  };
}

/** What a lane's worker needs to bring it back. */
export function assignment(
  { partition, incarnation }: Lane,
  { startOffset, committedTo }: LaneHistory,
  recovery: NonNullable<ReturnType<typeof recoveryOf>>,
  common: { appId: string; eviction: EvictionOrder },
): AssignCommand {
  return { partition, incarnation, startOffset, committedTo, ...recovery, ...common };
}

export function noSnapshot(
  { partition, unusable }: Lane,
  { truncated, committedTo }: LaneHistory,
): HeadraceError {
  if (truncated === true) {
    return new HeadraceError(
      'SNAPSHOT_UNUSABLE',
      "the table's log was cleaned up behind the lane's last snapshots, and what came after them is not known any more",
      {
        where: { partition, committed_to: committedTo, tried: [...unusable].join(' ') || undefined },
        remedy:
          'bring the log files of before back from a copy of the table, and keep its log for longer than an engine may be away (delta.logRetentionDuration)',
      },
    );
  }
  return new HeadraceError('SNAPSHOT_UNUSABLE', 'no snapshot of the lane can be read', {
    where: { partition, tried: [...unusable].join(' ') },
    remedy: 'restore one of these files from a backup of the table',
  });
}
