import type { Session } from './session.js';

/**
 * One key's known sessions and end markers, in order of time.
 *
 * Invariants
 * - Two neighbouring sessions are further apart than the gap, or an end marker lies between them: at or after the last
 *   event of the one, before the first of the other.
 * - A session's `endMs` is the first marker at or after its last event, not more than the gap behind it.
 */
export class Timeline {
  readonly key: string;
  readonly sessions: Session[] = [];
  readonly endMarkersMs: number[] = [];

  constructor(key: string) {
    this.key = key;
  }

  get isEmpty(): boolean {
    return this.sessions.length === 0 && this.endMarkersMs.length === 0;
  }

  /** The sessions that an event at this time belongs to: one before or around it, one after it, both, or none. */
  touching(timeMs: number, gapMs: number): { before: Session | undefined; after: Session | undefined } {
    const at = this.#sessionsUpTo(timeMs);
    const before = this.sessions[at - 1];
    const after = this.sessions[at];
    return {
      before: before !== undefined && this.#together(before.lastMs, timeMs, gapMs) ? before : undefined,
      after: after !== undefined && this.#together(timeMs, after.firstMs, gapMs) ? after : undefined,
    };
  }

  /** The last session that begins at or before a time. */
  sessionUpTo(timeMs: number): Session | undefined {
    return this.sessions[this.#sessionsUpTo(timeMs) - 1];
  }

  /** The marker that ends a session with this last event, or null. */
  endAfter(lastEventMs: number, gapMs: number): number | null {
    const marker = this.endMarkersMs[countBelow(this.endMarkersMs, lastEventMs)];
    return marker !== undefined && marker - lastEventMs <= gapMs ? marker : null;
  }

  addSession(session: Session): void {
    this.sessions.splice(this.#sessionsUpTo(session.firstMs), 0, session);
  }

  removeSession(session: Session): void {
    // no two sessions begin at the same time
    this.sessions.splice(this.#sessionsUpTo(session.firstMs) - 1, 1);
  }

  /** False: it was there already. */
  addEndMarker(timeMs: number): boolean {
    const at = countBelow(this.endMarkersMs, timeMs);
    if (this.endMarkersMs[at] === timeMs) return false;
    this.endMarkersMs.splice(at, 0, timeMs);
    return true;
  }

  removeEndMarker(timeMs: number): void {
    const at = countBelow(this.endMarkersMs, timeMs);
    if (this.endMarkersMs[at] === timeMs) this.endMarkersMs.splice(at, 1);
  }

  /** Does it end a session that is still known? */
  endsSession(markerMs: number): boolean {
    return this.sessionUpTo(markerMs)?.endMs === markerMs;
  }

  /** Two events, the first at or before the second or around it. */
  #together(fromMs: number, toMs: number, gapMs: number): boolean {
    if (toMs <= fromMs) return true;
    if (toMs - fromMs > gapMs) return false;
    const marker = this.endMarkersMs[countBelow(this.endMarkersMs, fromMs)];
    return marker === undefined || marker >= toMs;
  }

  #sessionsUpTo(timeMs: number): number {
    let low = 0;
    let high = this.sessions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.sessions[middle]!.firstMs <= timeMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** How many of the ascending numbers lie below a bound. */
function countBelow(ascending: readonly number[], bound: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
