/**
 * A file in doubt was perhaps tried: nobody knows of a full answer. ClickHouse tells a repetition by the token, but only
 * within its window, and for sure only while the server has not been started anew. Within both, sending it again is safe
 * whatever happened before, and brings views what they missed. Otherwise the rows are asked for.
 */

/** What the server says, all at one time. */
export interface ServerFacts {
  /** Its clock, ms since 1970. */
  nowMs: number;
  uptimeSeconds: number;
  /** Files that were recorded in headrace_files, by whomever, since the intent was written. */
  insertsSince: number;
}

/** Replicated tables forget tokens after an hour (replicated_deduplication_window_seconds). */
const AGE_MS_MAX = 30 * 60_000;
/** uptime() is in whole seconds, and the intent's time comes from a clock that was read before. */
const RESTART_MARGIN_MS = 5_000;

/**
 * Has the server been started anew since an intent was written, for sure? It may have ended between noting the token and
 * storing the rows then. chDB, which has no uptime, says 0: nothing is sure there.
 */
export function hasRestartedSince(facts: ServerFacts, intentAtMs: number | null): boolean {
  if (intentAtMs === null || facts.uptimeSeconds === 0) return false;
  return intentAtMs < facts.nowMs - (facts.uptimeSeconds + 1) * 1_000;
}

/** Does the token still tell a repetition of what was begun at `intentAtMs`? `window`: of the table, in inserts. */
export function isTokenGood(facts: ServerFacts, intentAtMs: number | null, window: number): boolean {
  if (intentAtMs === null) return false;
  const startedMs = facts.nowMs - facts.uptimeSeconds * 1_000;
  return (
    intentAtMs > startedMs + RESTART_MARGIN_MS &&
    facts.nowMs - intentAtMs < AGE_MS_MAX &&
    facts.insertsSince < window / 2
  );
}
