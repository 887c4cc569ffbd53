import { OpenSession, type ParsedEvent } from './open-session.js';
import { addSession, noSessions, type SessionSums } from './session-sums.js';

const GAP_MS = 30 * 60_000;
const DISORDER_MS = 10_000;
/** Event time between two looks through the Map for sessions that are over. */
const SWEEP_MS = 60_000;

/** Sessions of a plain program: a Map by user of each partition, looked through from time to time. */
export class MapSessions {
  readonly sums: SessionSums = noSessions();
  readonly #partitions = new Map<
    number,
    { open: Map<string, OpenSession>; seenMs: number; sweptMs: number }
  >();

  add(partition: number, value: Buffer): void {
    const event = JSON.parse(value.toString()) as ParsedEvent;
    const timeMs = Date.parse(event.timestamp);
    let lane = this.#partitions.get(partition);
    if (lane === undefined) {
      lane = { open: new Map(), seenMs: timeMs, sweptMs: timeMs };
      this.#partitions.set(partition, lane);
    }
    let session = lane.open.get(event.user_id);
    if (session !== undefined && timeMs - session.endMs > GAP_MS) {
      addSession(this.sums, session.counts);
      session = undefined;
    }
    if (session === undefined) {
      session = new OpenSession();
      lane.open.set(event.user_id, session);
    }
    session.add(event, timeMs);
    if (timeMs > lane.seenMs) lane.seenMs = timeMs;
    if (lane.seenMs - lane.sweptMs < SWEEP_MS) return;
    lane.sweptMs = lane.seenMs;
    this.#close(lane.open, lane.seenMs - DISORDER_MS - GAP_MS);
  }

  /** There are no more events. */
  finish(): void {
    for (const { open } of this.#partitions.values()) this.#close(open, Number.POSITIVE_INFINITY);
  }

  #close(open: Map<string, OpenSession>, endedBeforeMs: number): void {
    for (const [user, session] of open) {
      if (session.endMs >= endedBeforeMs) continue;
      addSession(this.sums, session.counts);
      open.delete(user);
    }
  }
}
