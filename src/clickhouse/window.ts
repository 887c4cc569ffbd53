/**
 * How many inserts a table must be able to recognise again: those that others, and the engine itself, may have made between
 * the first try of a file and its last (ledger, rule 19).
 */

export interface InsertLoad {
  /** Of all engines that insert into the table. */
  insertsPerSecond: number;
  /** Until a dead engine's lanes are another's. */
  sessionTimeoutMs: number;
  /** Until that one has caught up and tries the files in doubt. */
  recoveryMs: number;
  /** The longest that one try can take. */
  requestTimeoutMs: number;
}

/** For what is not foreseen: bursts, a second failure during the first. */
const SAFETY = 4;

export function windowNeeded({
  insertsPerSecond,
  sessionTimeoutMs,
  recoveryMs,
  requestTimeoutMs,
}: InsertLoad): number {
  const seconds = (sessionTimeoutMs + recoveryMs + requestTimeoutMs) / 1_000;
  return Math.ceil(SAFETY * insertsPerSecond * seconds);
}

/** What of an engine decides how often it inserts. */
export interface EngineLoad {
  workers: number;
  cutIntervalMs: number;
  sessionTimeoutMs: number;
  requestTimeoutMs: number;
}

/** A worker writes one file a date and cut; sessions that end around midnight are of two. */
const FILES_PER_WORKER_AND_CUT = 2;
/** A lane is replayed from its newest snapshot, half a minute old: this is ample. */
const RECOVERY_MS = 5 * 60_000;

/** An upper bound of this engine's inserts; others of its group are in the safety factor, or have windows of their own to ask for. */
export function loadOf({
  workers,
  cutIntervalMs,
  sessionTimeoutMs,
  requestTimeoutMs,
}: EngineLoad): InsertLoad {
  return {
    insertsPerSecond: (workers * FILES_PER_WORKER_AND_CUT * 1_000) / cutIntervalMs,
    sessionTimeoutMs,
    recoveryMs: RECOVERY_MS,
    requestTimeoutMs,
  };
}
