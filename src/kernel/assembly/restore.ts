/**
 * A lane's keys from a snapshot's bytes. Whole keys only: what does not lie wholly in a portion is left for the next. Lengths
 * and counts are held against the bytes before they are used; the rest passed a checksum and was written by an engine.
 */
import { CLOSED_BY_EARLY, CLOSED_BY_END_OF_INPUT, TYPE_STRING } from '../abi';
import { derive } from './arrange';
import { hashBytes, sameBytes } from './bytes';
import { columnAt, MS_PER_DAY, newRow } from './emitted';
import { hold, intern, poolOf, release } from './intern';
import { addKey, findKey } from './keys';
import { addMarker, addSession } from './lane';
import {
  FLAG_CHANGED,
  FLAG_CLOSED,
  FLAG_COMPLETE,
  FLAG_SPLIT,
  FLAGS_ALL,
  LANE_BUCKET,
  LANE_WATERMARK,
  NODE_FLAGS,
  NODE_KEY,
  REST_REVISION,
  SESSION_EVENTS,
  SESSION_FIRST,
  SESSION_LAST,
  SESSION_LOG,
  SESSION_REST,
} from './lane-layout';
import { count as countBytes } from './lane-memory';
import { eventEntries } from './log';
import { blockBytes } from './memory';
import { fieldAt, hasSayings, loggedCount, sessionStartColumn, typeOfField } from './model';
import { bufferAt, bufferBegin, bufferBytes } from './row-buffer';
import { buildRow } from './row';
import { addEntries, markClosed, newSession } from './session';
import { STATE_HAS_END } from './snapshot';
import { addStanding, addVirtual, mayBeVirtual, restOf, setEnd, signOf } from './standing';
import { bucketNumber } from './wheel';
import { closedByOf } from './windows';

const NULL_STRING: u32 = 0xffffffff;

let cursor: usize = 0;

/** Before the first key. */
export function restoreBegin(lane: usize, watermarkMs: i64): void {
  store<i64>(lane + LANE_WATERMARK, watermarkMs);
  store<i64>(lane + LANE_BUCKET, bucketNumber(watermarkMs));
}

/** Bytes of the whole keys at `at`, at most `count` of them; how many they were by `restoredKeys`. −1: not a state. */
export function restoreKeys(lane: usize, at: usize, bytes: u32, count: u32): i32 {
  const end = at + bytes;
  let from = at;
  restored = 0;
  while (restored < count) {
    const next = keyEnd(from, end);
    if (next == 0) break;
    cursor = from;
    if (!readKey(lane) || cursor != next) return -1;
    from = next;
    restored++;
  }
  return <i32>(from - at);
}

let restored: u32 = 0;
export function restoredKeys(): u32 {
  return restored;
}

/** Where the key that begins here ends, or 0: not within these bytes. */
function keyEnd(at: usize, end: usize): usize {
  at = past(at, end, 4);
  if (at == 0) return 0;
  at = past(at, end, load<u32>(at - 4));
  if (at != 0) at = past(at, end, 4);
  if (at == 0) return 0;
  at = past(at, end, <u64>load<u32>(at - 4) * 8);
  if (at != 0) at = past(at, end, 4);
  if (at == 0) return 0;
  let sessions = load<u32>(at - 4);
  while (sessions-- > 0 && at != 0) at = sessionEnd(at, end);
  return at;
}

function sessionEnd(at: usize, end: usize): usize {
  at = past(at, end, 36);
  if (at == 0) return 0;
  let rows = load<u32>(at - 4);
  while (rows-- > 0) {
    at = past(at, end, 12);
    if (at != 0) at = past(at, end, load<u32>(at - 4));
    if (at == 0) return 0;
  }
  at = past(at, end, 4);
  if (at == 0) return 0;
  let events = load<u32>(at - 4);
  const maskBytes = (loggedCount + 7) >> 3;
  while (events-- > 0) {
    at = past(at, end, 8 + maskBytes);
    if (at == 0) return 0;
    let mask = maskAt(at - maskBytes);
    while (mask != 0) {
      const place = <u32>ctz(mask);
      mask &= mask - 1;
      if (typeOfField(fieldAt(place)) != TYPE_STRING) {
        at = past(at, end, 8);
      } else {
        at = past(at, end, 4);
        if (at != 0 && load<u32>(at - 4) != NULL_STRING) at = past(at, end, load<u32>(at - 4));
      }
      if (at == 0) return 0;
    }
  }
  return at;
}

// @ts-ignore: decorator
@inline
function past(at: usize, end: usize, bytes: u64): usize {
  return bytes > <u64>(end - at) ? 0 : at + <usize>bytes;
}

// @ts-ignore: decorator
@inline
function maskAt(at: usize): u64 {
  return loggedCount == 0 ? 0 : load<u64>(at) & (~(<u64>0) >> (64 - loggedCount));
}

function u32Next(): u32 {
  cursor += 4;
  return load<u32>(cursor - 4);
}

function timeNext(): i64 {
  cursor += 8;
  return <i64>load<f64>(cursor - 8);
}

function readKey(lane: usize): bool {
  const bytes = u32Next();
  const text = cursor;
  cursor += bytes;
  const hash = hashBytes(text, bytes);
  if (findKey(lane, hash, text, bytes) != 0) return false;
  const key = addKey(lane, hash, text, bytes);
  let markers = u32Next();
  while (markers-- > 0) addMarker(lane, key, timeNext());
  let sessions = u32Next();
  let earlier: usize = 0;
  while (sessions-- > 0) {
    const session = readSession(lane, key);
    if (session == 0) return false;
    if (earlier != 0 && load<i64>(session + SESSION_FIRST) <= load<i64>(earlier + SESSION_LAST)) return false;
    addSession(lane, key, earlier, session);
    earlier = session;
  }
  return true;
}

/** A session that is in no list yet, or 0: not one. */
function readSession(lane: usize, key: usize): usize {
  const flags = u32Next();
  const first = timeNext();
  const last = timeNext();
  const end = timeNext();
  const revision = u32Next();
  const rowsAt = cursor;
  // the events come behind the rows, and a session is made of them
  let rows = u32Next();
  while (rows-- > 0) {
    cursor += 8;
    const rowBytes = u32Next();
    cursor += rowBytes;
  }
  const session = readEvents(lane, key);
  if (session == 0) return 0;
  const behind = cursor;
  const kept = load<u32>(session + NODE_FLAGS) & (~FLAGS_ALL | FLAG_COMPLETE);
  store<u32>(session + NODE_FLAGS, kept | (flags & (FLAG_CHANGED | FLAG_SPLIT)));
  if ((flags & STATE_HAS_END) != 0) setEnd(lane, session, end, (flags & FLAG_SPLIT) != 0);
  if (hasSayings) derive(session);
  const isClosed = (flags & FLAG_CLOSED) != 0;
  cursor = rowsAt;
  if (!isClosed || revision != 1 || !isPlainRow(session)) {
    if (revision != 0) store<u32>(restOf(lane, session) + REST_REVISION, revision);
    cursor = rowsAt;
    readStanding(lane, session, isClosed);
  }
  if (isClosed) markClosed(lane, session);
  cursor = behind;
  if (load<i64>(session + SESSION_FIRST) != first || load<i64>(session + SESSION_LAST) != last) return 0;
  return session;
}

function readEvents(lane: usize, key: usize): usize {
  let events = u32Next();
  let session: usize = 0;
  memory.fill(eventEntries, 0, loggedCount << 2);
  while (events-- > 0) {
    const time = timeNext();
    readValues();
    if (session == 0) session = newSession(lane, key, time);
    else addEntries(lane, session, time);
  }
  for (let place: u32 = 0; place < loggedCount; place++) setEntry(place, 0);
  return session;
}

/** Reads an event's changes into `eventEntries`, which holds what is in it: an event may leave values out of the log. */
function readValues(): void {
  let mask = maskAt(cursor);
  cursor += (loggedCount + 7) >> 3;
  while (mask != 0) {
    const place = <u32>ctz(mask);
    mask &= mask - 1;
    let entry: usize = 0;
    if (typeOfField(fieldAt(place)) == TYPE_STRING) {
      const bytes = u32Next();
      if (bytes != NULL_STRING) {
        entry = intern(poolOf(place), cursor, bytes);
        cursor += bytes;
      }
    } else {
      cursor += 8;
      if (!isNaN(load<f64>(cursor - 8))) entry = intern(poolOf(place), cursor - 8, 8);
    }
    setEntry(place, entry);
  }
}

function setEntry(place: u32, entry: usize): void {
  const at = eventEntries + (place << 2);
  const old: usize = load<u32>(at);
  if (entry != 0) hold(entry);
  store<u32>(at, <u32>entry);
  if (old != 0) release(poolOf(place), old);
}

/** Is the only row what follows from the session's events, being closed? Then nothing has to be kept of it. */
function isPlainRow(session: usize): bool {
  if (load<u32>(session + SESSION_REST) != 0 || u32Next() != 1) return false;
  const identity = timeNext();
  const bytes = u32Next();
  return identity == load<i64>(session + SESSION_FIRST) && isBuilt(session, identity, closedByOf(session), 0, bytes);
}

function readStanding(lane: usize, session: usize, isClosed: bool): void {
  const rows = u32Next();
  for (let index: u32 = 0; index < rows; index++) {
    const identity = timeNext();
    const bytes = u32Next();
    if (rows != 1 || !readVirtual(lane, session, identity, bytes, isClosed)) {
      const start = load<i64>(columnAt(cursor, sessionStartColumn) + 1);
      const row = newRow(cursor, bytes, <i32>(start / MS_PER_DAY), signOf(cursor));
      countBytes(lane, blockBytes(row));
      addStanding(lane, session, identity, <u32>row);
    }
    cursor += bytes;
  }
}

/** Is the row what all of the session's events say? Then it need not be kept. */
function readVirtual(lane: usize, session: usize, identityMs: i64, bytes: u32, isClosed: bool): bool {
  const events = load<u32>(session + SESSION_EVENTS);
  if (events == 0 || !mayBeVirtual(events)) return false;
  // what lets a row out that may be taken back
  return (
    (isClosed && isRowOf(lane, session, identityMs, closedByOf(session), bytes)) ||
    isRowOf(lane, session, identityMs, CLOSED_BY_EARLY, bytes) ||
    isRowOf(lane, session, identityMs, CLOSED_BY_END_OF_INPUT, bytes)
  );
}

function isRowOf(lane: usize, session: usize, identityMs: i64, closedBy: u32, bytes: u32): bool {
  const revision = load<u32>(restOf(lane, session) + REST_REVISION) - 1;
  if (!isBuilt(session, identityMs, closedBy, revision, bytes)) return false;
  addVirtual(lane, session, identityMs, load<u32>(session + SESSION_EVENTS), closedBy);
  return true;
}

/** Are the bytes at the cursor the row that the session's events give? */
function isBuilt(session: usize, identityMs: i64, closedBy: u32, revision: u32, bytes: u32): bool {
  const log: usize = load<u32>(session + SESSION_LOG);
  bufferBegin();
  buildRow(load<u32>(session + NODE_KEY), log, load<u32>(session + SESSION_EVENTS), closedBy, revision, identityMs);
  return bufferBytes == bytes && sameBytes(bufferAt, cursor, bytes);
}
