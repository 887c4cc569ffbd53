import type { Machine } from '../machine.js';

/** From kills to the figures that are printed: plain data. */

/** One engine that was killed. */
export interface Kill {
  /** ms since 1970. */
  killedMs: number;
  /** When the other was given lanes. */
  assignedMs: number;
  /** By lane of the killed one: from the kill to its first new commit. */
  lanesMs: number[];
  /** Read again, up to where the ledger stood. */
  replayedEvents: number;
}

export interface WaitFigures {
  p50: number;
  p95: number;
  max: number;
}

export interface ProtocolFigures {
  kills: number;
  lanes: number;
  /** From SIGKILL to the assignment, one figure a kill. */
  killToAssignedMs: WaitFigures;
  /** From the assignment to a lane's first new commit, over all lanes of all kills. */
  assignedToCommitMs: WaitFigures;
  /** From the assignment until all lanes had one, one figure a kill. */
  assignedToAllMs: WaitFigures;
  /** From SIGKILL to a lane's first new commit. */
  killToCommitMs: WaitFigures;
  replayedEventsMean: number;
}

export interface RecoveryResult {
  benchmark: 'recovery';
  startedAt: string;
  machine: Machine;
  workload: {
    kafka: string;
    openSessions: number;
    partitions: number;
    eventsPerSecond: number;
    settleSeconds: number;
    events: number;
    sessions: number;
    /** Of what was asked for: the stream goes on as long as it takes. */
    sha256: string;
  };
  flags: string[];
  classic: ProtocolFigures;
  /** Null: not asked for. */
  kip848: ProtocolFigures | null;
  /** The longest time for which a snapshot held a worker; null: none was taken. */
  snapshotStopMs: number | null;
}

/** Null without a kill. */
export function protocolFigures(kills: readonly Kill[]): ProtocolFigures | null {
  if (kills.length === 0) return null;
  const lanes = kills.flatMap(({ lanesMs }) => lanesMs);
  const sinceAssigned = ({ lanesMs, killedMs, assignedMs }: Kill) =>
    lanesMs.map((ms) => ms - (assignedMs - killedMs));
  return {
    kills: kills.length,
    lanes: lanes.length,
    killToAssignedMs: waitFigures(kills.map(({ assignedMs, killedMs }) => assignedMs - killedMs)),
    assignedToCommitMs: waitFigures(kills.flatMap(sinceAssigned)),
    assignedToAllMs: waitFigures(kills.map((kill) => Math.max(...sinceAssigned(kill)))),
    killToCommitMs: waitFigures(lanes),
    replayedEventsMean: kills.reduce((sum, kill) => sum + kill.replayedEvents, 0) / kills.length,
  };
}

/** Nearest rank: p95 of few values is the largest. */
export function waitFigures(values: readonly number[]): WaitFigures {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!;
  return { p50: at(0.5), p95: at(0.95), max: sorted.at(-1)! };
}
