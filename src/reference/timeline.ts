import type { Session } from './session.js';

/**
 * One key's known sessions and end markers, in order of time.
 *
 * Invariants
 * - Between two neighbouring sessions lies what windows.ts cuts by. No two of their events have the same time.
 * - An end marker that ends a session lies at or after its last event, while that is held open, before the next session.
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

  /**
   * The sessions whose events an event at this time, that holds a session open until `heldMs`, may belong together with, in one
   * session or another: the one before or around it, and all that follow while one is held open.
   */
  around(timeMs: number, heldMs: number): Session[] {
    const at = this.#sessionsUpTo(timeMs);
    const before = this.sessions[at - 1];
    const isNear = before !== undefined && timeMs <= before.heldMs;
    let reachMs = isNear ? Math.max(before.heldMs, heldMs) : heldMs;
    let behind = at;
    while (behind < this.sessions.length && this.sessions[behind]!.firstMs <= reachMs) {
      reachMs = Math.max(reachMs, this.sessions[behind++]!.heldMs);
    }
    return this.sessions.slice(isNear ? at - 1 : at, behind);
  }

  /** Until when a session is to be known, or one before it: what follows from earlier events can't be told without later ones. */
  neededUntilMs(session: Session): number {
    let neededMs = session.heldMs;
    for (const earlier of this.sessions) {
      if (earlier.firstMs >= session.firstMs) break;
      neededMs = Math.max(neededMs, earlier.heldMs);
    }
    return neededMs;
  }

  /** The last session that begins at or before a time. */
  sessionUpTo(timeMs: number): Session | undefined {
    return this.sessions[this.#sessionsUpTo(timeMs) - 1];
  }

  /** The session that begins next after a time. */
  sessionAfter(timeMs: number): Session | undefined {
    return this.sessions[this.#sessionsUpTo(timeMs)];
  }

  /** The first end marker at or after a time, or null. */
  markerFrom(timeMs: number): number | null {
    return this.endMarkersMs[countBelow(this.endMarkersMs, timeMs)] ?? null;
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
