import type { EvictionOrder } from '../ledger/types.js';

/**
 * What to do when a worker's session memory fills: sessions that were idle for long are let out early, with closed_by
 * `memory`, before a lane has to halt.
 *
 * The order is conditional, since what the main thread knows is as old as the ring is long: in a catch-up, hours of event
 * time may lie between what a worker reported last and where it will meet the cut. So the order says how full is too full
 * and who goes, by idleness; the worker follows it in its place, only as far as needed, and reports the marks that came
 * of it.
 *
 * - The most idle go first, of all lanes: they are least likely to be continued. Sessions older than a gap are closed and
 *   known for late events only: they cost no row.
 * - A session younger than a quarter of the gap is never torn: better halt, and be told, than write fragments.
 * - From 85 % down to 75 %: one eviction makes room for a while, so that not every cut tears something.
 */

const EVICT_ABOVE = 0.85;
const EVICT_UNTIL = 0.75;
/** In gaps, behind the watermark. */
const IDLE_STEPS = [1, 3 / 4, 1 / 2, 1 / 4];
const SPACING = 1 / 16;

/** `limitBytes`: limits.session_memory_bytes. The model's longest gap, and what events without a word of their own have. */
export interface EvictionRules {
  limitBytes: number;
  gapMs: number;
  usualGapMs?: number;
}

export function evictionOrder({ limitBytes, gapMs, usualGapMs = gapMs }: EvictionRules): EvictionOrder {
  const stepsOf = (ms: number) => IDLE_STEPS.map((share) => Math.ceil(ms * share));
  return {
    aboveBytes: Math.floor(limitBytes * EVICT_ABOVE),
    untilBytes: Math.floor(limitBytes * EVICT_UNTIL),
    idleMs: [...new Set([...stepsOf(gapMs), ...stepsOf(usualGapMs)])].sort((a, b) => b - a),
    spacingMs: Math.ceil(usualGapMs * SPACING),
  };
}
