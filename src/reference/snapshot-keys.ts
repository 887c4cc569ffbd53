import { Packr } from 'msgpackr';
import type { Row, RowValue } from '../model/types.js';
import type { FieldValues } from './event.js';
import type { KeyState, SessionEvent, SessionState, StandingRow } from './lane-state.js';

/**
 * Keys with their sessions ⇄ msgpack, as nested lists:
 *
 *   key      [key, end markers, sessions]
 *   session  [endMs, closed, changed, nextRevision, [[row, identityStartMs]…], number of fields, events]
 *   event    [timeMs, offset, (field, value)…]   only the values that differ from the event before
 *
 * What comes back is checked piece by piece: a snapshot that passes its checksum and yet holds something else, by a defect
 * of ours, must not become rows.
 */
const packr = new Packr({ useRecords: false, moreTypes: false, int64AsType: 'bigint' });

/** More than any model may declare. */
const FIELDS_MAX = 4_096;

export function encodeKeys(keys: readonly KeyState[]): Buffer {
  return packr.pack(
    keys.map(({ key, endMarkersMs, sessions }) => [key, endMarkersMs, sessions.map(encodeSession)]),
  );
}

/** Throws Error with what is wrong. */
export function decodeKeys(bytes: Uint8Array): KeyState[] {
  return list(packr.unpack(bytes)).map((item) => {
    const [key, endMarkersMs, sessions] = list(item, 3);
    const markers = list(endMarkersMs).map(time);
    return { key: text(key), endMarkersMs: markers, sessions: list(sessions).map(decodeSession) };
  });
}

function encodeSession(session: SessionState): unknown[] {
  const { endMs, closed, changed, nextRevision, standing, events } = session;
  const rows = standing.map(({ row, identityStartMs }) => [row, identityStartMs]);
  const fields = events[0]!.values.length;
  const changes = events.map((event, index) => encodeEvent(event, events[index - 1]));
  return [endMs, closed, changed, nextRevision, rows, fields, changes];
}

function decodeSession(item: unknown): SessionState {
  const [endMs, closed, changed, nextRevision, standing, fields, events] = list(item, 7);
  const rows = list(standing).map(decodeStanding);
  if (whole(fields) > FIELDS_MAX) throw new Error('more fields than a model has');
  let values: FieldValues = new Array<null>(whole(fields)).fill(null);
  const decoded = list(events).map((event): SessionEvent => {
    const next = decodeEvent(list(event), values);
    values = next.values;
    return next;
  });
  if (decoded.length === 0) throw new Error('a session without events');
  return {
    events: decoded,
    endMs: endMs === null ? null : time(endMs),
    closed: flag(closed),
    changed: flag(changed),
    nextRevision: whole(nextRevision),
    standing: rows,
  };
}

function encodeEvent(event: SessionEvent, before: SessionEvent | undefined): unknown[] {
  const encoded: unknown[] = [event.timeMs, event.offset];
  event.values.forEach((value, field) => {
    if (value !== (before?.values[field] ?? null)) encoded.push(field, value);
  });
  return encoded;
}

function decodeEvent(encoded: readonly unknown[], before: FieldValues): SessionEvent {
  const [timeMs, offset] = encoded;
  if (typeof offset !== 'bigint') throw new Error('an offset that is none');
  const values = [...before];
  for (let at = 2; at < encoded.length; at += 2) {
    const field = whole(encoded[at]);
    const value = encoded[at + 1];
    if (field >= values.length) throw new Error('a field that there is not');
    if (value !== null && typeof value !== 'string' && typeof value !== 'number') {
      throw new Error('a value that no event has');
    }
    values[field] = value;
  }
  return { timeMs: time(timeMs), offset, values };
}

function decodeStanding(item: unknown): StandingRow {
  const [row, identityStartMs] = list(item, 2);
  return { row: list(row).map(rowValue) satisfies Row, identityStartMs: time(identityStartMs) };
}

function rowValue(value: unknown): RowValue {
  if (Array.isArray(value)) return value.map(text);
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') {
    return value;
  }
  throw new Error('a value that no row has');
}

function list(value: unknown, length?: number): unknown[] {
  if (!Array.isArray(value) || (length !== undefined && value.length !== length)) {
    throw new Error('a list that is none');
  }
  return value;
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new Error('a text that is none');
  return value;
}

function whole(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new Error('a number that is none');
  return value as number;
}

function time(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw new Error('a time that is none');
  return value as number;
}

function flag(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new Error('a flag that is none');
  return value;
}
