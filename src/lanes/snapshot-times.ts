/**
 * When lanes are due for a snapshot. Each has its own place in the interval and keeps it, so that a cut carries few of them:
 * also after a standstill in which all became due together.
 */

/** Multiples of it, modulo 1, are spread evenly, however many there are. */
const GOLDEN_RATIO = 0.618_033_988_749_895;

/** From a lane's assignment to its first snapshot: a tenth of an interval to a little more than one. */
export function firstSnapshotMs(partition: number, intervalMs: number): number {
  return intervalMs * (0.1 + ((partition * GOLDEN_RATIO) % 1));
}

/** After one that was due at `dueMs` and is taken at `nowMs`: at its place in the interval, half an interval away at least. */
export function nextSnapshotMs(dueMs: number, nowMs: number, intervalMs: number): number {
  const intervals = Math.ceil((nowMs + intervalMs / 2 - dueMs) / intervalMs);
  return dueMs + intervals * intervalMs;
}
