import type { FieldValues } from './event.js';
import type { SessionEvent, SessionState } from './lane-state.js';
import { latestHeldMs } from './windows.js';

/**
 * One session of a key: its events by (time, offset), so that first, last, lists, merges and splits need no care. Order
 * of arrival leaves no trace here.
 */
export interface Session extends SessionState {
  readonly key: string;
  /** Until when its events hold it open. */
  heldMs: number;
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
    heldMs: Number.NEGATIVE_INFINITY,
    endMs: null,
    endsBySplit: false,
    closed: false,
    changed: true,
    nextRevision: 0,
    standing: [],
    queuedMs: Number.POSITIVE_INFINITY,
    gone: false,
    bytes: SESSION_BYTES + stringBytes(key),
  };
}

/** Adds an event that does not lie before all others: behind those of its time or earlier. */
export function insertEvent(session: Session, event: SessionEvent): void {
  const { events } = session;
  let at = events.length;
  while (at > 0 && events[at - 1]!.timeMs > event.timeMs) at--;
  const neighbour = events[at - 1];
  const shared =
    neighbour === undefined ? event : { ...event, values: share(event.values, neighbour.values) };
  events.splice(at, 0, shared);
  session.firstMs = Math.min(session.firstMs, event.timeMs);
  session.lastMs = Math.max(session.lastMs, event.timeMs);
  session.heldMs = Math.max(session.heldMs, event.heldMs);
  session.bytes += eventBytes(shared, neighbour);
  session.changed = true;
}

/** Events of sessions that were joined or torn apart, as a session of its own; rows are given to it by who knows them. */
export function sessionOf(key: string, events: readonly SessionEvent[], nextRevision: number): Session {
  const session = newSession(key);
  session.events = [...events];
  session.firstMs = events[0]!.timeMs;
  session.lastMs = events.at(-1)!.timeMs;
  session.heldMs = latestHeldMs(events);
  session.nextRevision = nextRevision;
  session.bytes = estimateBytes(session);
  return session;
}

/** A session as a snapshot has it, alive again. */
export function reviveSession(key: string, state: SessionState): Session {
  const session = Object.assign(newSession(key), sessionState(state));
  session.heldMs = latestHeldMs(session.events);
  session.bytes = estimateBytes(session);
  return session;
}

/** Plain data that later changes of the session do not reach. */
export function sessionState(session: SessionState): SessionState {
  const { events, firstMs, lastMs, endMs, endsBySplit, closed, changed, nextRevision, standing } = session;
  const own = { events: [...events], standing: [...standing] };
  return { ...own, firstMs, lastMs, endMs, endsBySplit, closed, changed, nextRevision };
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

/** The events with one more, which is the last to have come, in (time, offset) order. */
export function withEvent(events: readonly SessionEvent[], event: SessionEvent): SessionEvent[] {
  const behind = events.findIndex(({ timeMs }) => timeMs > event.timeMs);
  const at = behind < 0 ? events.length : behind;
  const neighbour = events[at - 1] ?? events[at];
  const shared =
    neighbour === undefined ? event : { ...event, values: share(event.values, neighbour.values) };
  return events.toSpliced(at, 0, shared);
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
