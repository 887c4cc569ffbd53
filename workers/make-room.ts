import type { EvictionOrder } from '#src/ledger/types.js';
import type { Marks } from '#src/model/marks.js';

/** A lane that may give up sessions. */
export interface Evictable {
  readonly partition: number;
  readonly watermarkMs: number | null;
  readonly openSessions: number;
  readonly sessionBytes: number;
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
 * Follows the main thread's order, as far as needed, the largest lane first. A lane's steps are one mark in the end, the
 * last one: who is older than an earlier step is older than that too. Every step that is taken is reported, also one that
 * found nothing: a replay that does it again is right in any case.
 */
export class RoomMaker<Lane extends Evictable> {
  /** Up to where each lane was asked: asked at once again it would give nothing. */
  readonly #asked = new WeakMap<Lane, number>();

  /** `sessionBytes`: of all sessions, as of now. */
  follow(order: EvictionOrder, lanes: Iterable<Lane>, sessionBytes: () => number): Map<Lane, Eviction> {
    const evictions = new Map<Lane, Eviction>();
    if (sessionBytes() <= order.aboveBytes) return evictions;
    const largestFirst = [...lanes].sort(
      (a, b) => b.sessionBytes - a.sessionBytes || a.partition - b.partition,
    );
    // no marks: what the watermark has passed and an engine has put off closing goes first, and is no eviction
    for (const lane of largestFirst) lane.applyMarks({});
    if (sessionBytes() <= order.aboveBytes) return evictions;
    for (const idleMs of order.idleMs) {
      for (const lane of largestFirst) {
        if (sessionBytes() <= order.untilBytes) return evictions;
        this.#ask(lane, idleMs, order.spacingMs, evictions);
      }
    }
    return evictions;
  }

  #ask(lane: Lane, idleMs: number, spacingMs: number, evictions: Map<Lane, Eviction>): void {
    const { watermarkMs } = lane;
    if (watermarkMs === null) return;
    const beforeMs = Math.floor(watermarkMs - idleMs);
    if (beforeMs < (this.#asked.get(lane) ?? Number.NEGATIVE_INFINITY) + spacingMs) return;
    this.#asked.set(lane, beforeMs);
    const openBefore = lane.openSessions;
    lane.applyMarks({ evictBeforeMs: beforeMs });
    const sessions = openBefore - lane.openSessions + (evictions.get(lane)?.sessions ?? 0);
    evictions.set(lane, { beforeMs, sessions });
  }
}
