import type { EvictionOrder } from '#src/ledger/types.js';
import type { Marks } from '#src/model/marks.js';

/** A lane that may give up sessions. */
export interface Evictable {
  readonly partition: number;
  readonly watermarkMs: number | null;
  readonly openSessions: number;
  applyMarks(marks: Marks): void;
}

/** What a lane gave up. */
export interface Eviction {
  /** The mark: sessions whose last event lies before this are gone. */
  beforeMs: number;
  /** Those of them that were open. */
  sessions: number;
}

/**
 * Follows the main thread's order at a cut, as far as needed. A lane's steps are one mark in the end, the last one: who is
 * older than an earlier step is older than that too. Every step that is taken is reported, also one that found nothing: a
 * replay that does it again is right in any case.
 */
export class RoomMaker<Lane extends Evictable> {
  /** Up to where each lane was asked: asked at once again it would give nothing. */
  readonly #asked = new WeakMap<Lane, number>();

  /** `lanes`: those that take part in the cut, by partition. */
  follow(
    order: EvictionOrder,
    lanes: ReadonlyMap<number, Lane>,
    sessionBytes: () => number,
  ): Map<number, Eviction> {
    const evictions = new Map<number, Eviction>();
    if (sessionBytes() <= order.aboveBytes) return evictions;
    for (const idleMs of order.idleMs) {
      for (const partition of order.partitions) {
        if (sessionBytes() <= order.untilBytes) return evictions;
        const lane = lanes.get(partition);
        if (lane !== undefined) this.#ask(lane, idleMs, order.spacingMs, evictions);
      }
    }
    return evictions;
  }

  #ask(lane: Lane, idleMs: number, spacingMs: number, evictions: Map<number, Eviction>): void {
    const { partition, watermarkMs } = lane;
    if (watermarkMs === null) return;
    const beforeMs = Math.floor(watermarkMs - idleMs);
    if (beforeMs < (this.#asked.get(lane) ?? Number.NEGATIVE_INFINITY) + spacingMs) return;
    this.#asked.set(lane, beforeMs);
    const openBefore = lane.openSessions;
    lane.applyMarks({ evictBeforeMs: beforeMs });
    const sessions = openBefore - lane.openSessions + (evictions.get(partition)?.sessions ?? 0);
    evictions.set(partition, { beforeMs, sessions });
  }
}
