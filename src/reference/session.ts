import type { FieldValues } from './event.js';
import type { SessionEvent, SessionState } from './lane-state.js';

/**
 * One session of a key: its events by (time, offset), so that first, last, lists, merges and splits need no care. Order
 * of arrival leaves no trace here.
 */
export interface Session extends SessionState {
  readonly key: string;
  /** Due time of its valid entry in the queue. */
  queuedMs: number;
  /** Forgotten, or merged into another: entries in the queue are void. */
  gone: boolean;
  /** Estimate of the memory it takes; grows with its content. */
  bytes: number;
}

const SESSION_BYTES = 320;
const EVENT_BYTES = 120;
const VALUE_BYTES = 8;
const STRING_BYTES = 24;

export function newSession(key: string): Session {
  return {
    key,
    events: [],
    firstMs: Number.POSITIVE_INFINITY,
    lastMs: Number.NEGATIVE_INFINITY,
    endMs: null,
    closed: false,
    changed: true,
    nextRevision: 0,
    standing: [],
    queuedMs: Number.POSITIVE_INFINITY,
    gone: false,
    bytes: SESSION_BYTES + stringBytes(key),
  };
}

export function insertEvent(session: Session, event: SessionEvent): void {
  const { events } = session;
  let at = events.length;
  while (at > 0 && isBefore(event, events[at - 1]!)) at--;
  const neighbour = events[at - 1] ?? events[at];
  const shared =
    neighbour === undefined ? event : { ...event, values: share(event.values, neighbour.values) };
  events.splice(at, 0, shared);
  session.firstMs = Math.min(session.firstMs, event.timeMs);
  session.lastMs = Math.max(session.lastMs, event.timeMs);
  session.bytes += eventBytes(shared, neighbour);
  session.changed = true;
}

/** Takes over the events and rows of a later session. */
export function absorb(session: Session, later: Session): void {
  session.events = session.events.concat(later.events);
  session.lastMs = later.lastMs;
  session.standing = session.standing.concat(later.standing);
  session.nextRevision = Math.max(session.nextRevision, later.nextRevision);
  session.changed = true;
  session.bytes += later.bytes;
}

/**
 * Leaves the events up to a time, inclusive, and gives those after it as another session. A row that stands goes with the
 * event that its session is known by.
 */
export function splitAfter(session: Session, timeMs: number): Session {
  const later = newSession(session.key);
  const at = session.events.findIndex((event) => event.timeMs > timeMs);
  later.events = session.events.slice(at);
  session.events = session.events.slice(0, at);
  setSpan(session);
  setSpan(later);
  later.standing = session.standing.filter((row) => row.identityStartMs > timeMs);
  session.standing = session.standing.filter((row) => row.identityStartMs <= timeMs);
  later.nextRevision = session.nextRevision;
  session.changed = true;
  session.bytes = estimateBytes(session);
  later.bytes = estimateBytes(later);
  return later;
}

/** Its last row is out: only its times and its revision are still needed. */
export function forgetContent(session: Session): void {
  session.events = [];
  session.standing = [];
  session.bytes = estimateBytes(session);
}

/** A session as a snapshot has it, alive again. */
export function reviveSession(key: string, state: SessionState): Session {
  const session = Object.assign(newSession(key), sessionState(state));
  session.bytes = estimateBytes(session);
  return session;
}

/** Plain data that later changes of the session do not reach. */
export function sessionState(session: SessionState): SessionState {
  const { events, firstMs, lastMs, endMs, closed, changed, nextRevision, standing } = session;
  const own = { events: [...events], standing: [...standing] };
  return { ...own, firstMs, lastMs, endMs, closed, changed, nextRevision };
}

function setSpan(session: Session): void {
  session.firstMs = session.events[0]!.timeMs;
  session.lastMs = session.events.at(-1)!.timeMs;
}

export function estimateBytes(session: Session): number {
  let bytes = SESSION_BYTES + stringBytes(session.key);
  session.events.forEach((event, index) => {
    bytes += eventBytes(event, session.events[index - 1]);
  });
  for (const { row } of session.standing) {
    for (const value of row)
      bytes += VALUE_BYTES + (Array.isArray(value) ? 16 + VALUE_BYTES * value.length : 0);
  }
  return bytes;
}

function isBefore(a: SessionEvent, b: SessionEvent): boolean {
  return a.timeMs < b.timeMs || (a.timeMs === b.timeMs && a.offset < b.offset);
}

/** Most values repeat from event to event: one string for all of them is a third of the memory. */
function share(values: FieldValues, known: FieldValues): FieldValues {
  return values.map((value, index) => (value === known[index] ? known[index]! : value));
}

function eventBytes(event: SessionEvent, neighbour: SessionEvent | undefined): number {
  let bytes = EVENT_BYTES;
  event.values.forEach((value, index) => {
    bytes += VALUE_BYTES;
    if (typeof value === 'string' && value !== neighbour?.values[index]) bytes += stringBytes(value);
  });
  return bytes;
}

function stringBytes(text: string): number {
  return STRING_BYTES + text.length;
}
