import type { FetchLane } from './fetch-lane.js';
import type { FetchRing } from './fetch-ring.js';

/** One lane's part of a request. */
export interface FetchPart {
  lane: FetchLane;
  generation: number;
  position: bigint;
  /** Asked for, and reserved in the lane's ring. */
  bytes: number;
  /** Of the leader as known when it was sent. */
  leaderEpoch: number;
  /** When it was made, and not sent yet, by clock.monotonicMs. */
  plannedMs: number;
}

export interface FetchPlan {
  parts: FetchPart[];
  /** Sum over the parts. */
  bytes: number;
  /** Rings that had no room for a lane. */
  full: Set<FetchRing>;
  /** Lanes that are ready did not get into this request: it must not wait for long. */
  leftOut: boolean;
  /** When the next lane's back-off ends; Infinity: none waits. */
  readyAtMs: number;
}

export interface PlanLimits {
  /** A single lane may ask for more. */
  bytesMax: number;
  lanesMax: number;
}

/** Chooses lanes in the order given and reserves room in their rings. Each part must be released by the caller. */
export function planFetch(lanes: Iterable<FetchLane>, limits: PlanLimits, nowMs: number): FetchPlan {
  const plan: FetchPlan = { parts: [], bytes: 0, full: new Set(), leftOut: false, readyAtMs: Infinity };
  for (const lane of lanes) {
    if (!lane.wanted) continue;
    if (lane.notBeforeMs > nowMs) {
      plan.readyAtMs = Math.min(plan.readyAtMs, lane.notBeforeMs);
      continue;
    }
    const bytes = lane.fetchBytes;
    const fits = plan.bytes + bytes <= limits.bytesMax || plan.parts.length === 0;
    if (!fits || plan.parts.length >= limits.lanesMax) {
      plan.leftOut = true;
      continue;
    }
    lane.blockedByRing = !lane.ring.tryReserve(lane, bytes, nowMs);
    if (lane.blockedByRing) {
      plan.full.add(lane.ring);
      plan.leftOut = true;
      continue;
    }
    const { generation, position } = lane;
    plan.parts.push({ lane, generation, position, bytes, leaderEpoch: -1, plannedMs: nowMs });
    plan.bytes += bytes;
  }
  return plan;
}

/** Whether the answer to this part still counts. */
export function isCurrent({ lane, generation, position }: FetchPart): boolean {
  return lane.generation === generation && lane.position === position && lane.halted === null;
}
