import type { EvictionOrder } from '../ledger/types.js';

/**
 * What to do when a worker's session memory fills: sessions that were idle for long are let out early, with closed_by
 * `memory`, before a lane has to halt. Pure: facts in, an order for the next cut out.
 *
 * The order is conditional, since the main thread's facts are as old as the ring is long: in a catch-up, hours of event
 * time may lie between what was last reported and where the cut will be met. So it says how full is too full, who gives
 * and how far; the worker follows it at the cut's place only as far as needed, and reports the marks that came of it.
 *
 * - The most idle go first, of all lanes, and the largest lane gives first: those are least likely to be continued, and
 *   one lane may be enough. Sessions older than a gap are closed and known for late events only: they cost no row.
 * - A session younger than a quarter of the gap is never torn: better halt, and be told, than write fragments.
 * - From 85 % down to 75 %: one eviction makes room for a while, so that not every cut tears something.
 */

/** From here the order is sent along: the data before the next cut may bring what is missing to EVICT_ABOVE. */
const ORDER_ABOVE = 0.5;
export const EVICT_ABOVE = 0.85;
const EVICT_UNTIL = 0.75;
/** In gaps, behind the watermark. */
const IDLE_STEPS = [1, 3 / 4, 1 / 2, 1 / 4];
const SPACING = 1 / 16;

/** What is known of a worker when a cut is made. */
export interface WorkerFacts {
  /** limits.session_memory_bytes */
  limitBytes: number;
  /** Bytes of its sessions, as it said last. */
  sessionBytes: number;
  gapMs: number;
  /** Lanes that may give: those that go on behind this cut. */
  lanes: readonly { partition: number; sessionBytes: number }[];
}

/** Null: the worker has room. */
export function evictionOrder({ limitBytes, sessionBytes, gapMs, lanes }: WorkerFacts): EvictionOrder | null {
  if (sessionBytes < limitBytes * ORDER_ABOVE || lanes.length === 0) return null;
  const largestFirst = [...lanes].sort(
    (a, b) => b.sessionBytes - a.sessionBytes || a.partition - b.partition,
  );
  return {
    aboveBytes: Math.floor(limitBytes * EVICT_ABOVE),
    untilBytes: Math.floor(limitBytes * EVICT_UNTIL),
    idleMs: IDLE_STEPS.map((share) => Math.ceil(gapMs * share)),
    partitions: largestFirst.map(({ partition }) => partition),
    spacingMs: Math.ceil(gapMs * SPACING),
  };
}
