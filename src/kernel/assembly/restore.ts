/**
 * A lane's keys from a snapshot's bytes. Whole keys only: what does not lie wholly in a portion is left for the next. Lengths
 * and counts are held against the bytes before they are used; the rest passed a checksum and was written by an engine.
 */
import { CLOSED_BY_EARLY, CLOSED_BY_END_OF_INPUT, TYPE_STRING } from '../abi';
import { NULL, REMEMBERED, SAID_REMEMBERED } from '../../reference/state-layout';
import { derive } from './arrange';
import { hashBytes, sameBytes } from './bytes';
import { columnAt, MS_PER_DAY, newRow } from './emitted';
import { intern, poolOf } from './intern';
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
  NONE,
  REST_REVISION,
  SESSION_EVENTS,
  SESSION_FIRST,
  SESSION_LAST,
  SESSION_LOG,
  SESSION_REST,
} from './lane-layout';
import { count as countBytes } from './lane-memory';
import { eventEntries } from './log';
import { readVarint, varintEnd } from './log-varint';
import { blockBytes } from './memory';
import { fieldAt, hasSayings, loggedCount, sessionStartColumn, typeOfField } from './model';
import { bufferAt, bufferBegin, bufferBytes } from './row-buffer';
import { buildRow } from './row';
import { forgetRemembered, freeRemembered, remember, rememberedAt } from './restored-values';
import { addChanged, freeSession, markClosed, newSession } from './session';
import { STATE_HAS_END } from './snapshot';
import { addStanding, addVirtual, mayBeVirtual, restOf, setEnd, signOf } from './standing';
import { bucketNumber } from './wheel';
import { closedByOf } from './windows';

let cursor: usize = 0;
/** Where the key that is read ends. */
let keyEnd: usize = 0;

/** Before the first key. Behind the last one comes restoreEnd, or the lane goes. */
export function restoreBegin(lane: usize, watermarkMs: i64): void {
  store<i64>(lane + LANE_WATERMARK, watermarkMs);
  store<i64>(lane + LANE_BUCKET, bucketNumber(watermarkMs));
}

/**
 * Bytes of the whole keys at `at`, at most `count` of them; how many they were by `restoredKeys`. −1: not a state. What no engine wrote
 * is found by the lengths, which are held against the key's own, or read from within these bytes and 64 behind them.
 */
export function restoreKeys(lane: usize, at: usize, bytes: u32, count: u32): i32 {
  const end = at + bytes;
  let from = at;
  restored = 0;
  while (restored < count) {
    if (end - from < 4 || load<u32>(from) > <u32>(end - from - 4)) break;
    cursor = from + 4;
    keyEnd = cursor + load<u32>(from);
    if (!readKey(lane) || cursor != keyEnd) return -1;
    from = cursor;
    restored++;
  }
  return <i32>(from - at);
}

let restored: u32 = 0;
export function restoredKeys(): u32 {
  return restored;
}

/** The last key is in. */
export function restoreEnd(lane: usize): void {
  freeRemembered(lane);
}

// @ts-ignore: decorator
@inline
function numberNext(): u64 {
  const byte: u64 = load<u8>(cursor);
  if (byte < 0x80) {
    cursor++;
    return byte;
  }
  return longNumberNext();
}

function longNumberNext(): u64 {
  const value = readVarint(cursor);
  cursor = varintEnd;
  return value;
}

// @ts-ignore: decorator
@inline
function signedNext(): i64 {
  const value = numberNext();
  return (value & 1) == 0 ? <i64>(value >> 1) : -<i64>(value >> 1);
}

/** How many bytes of a text or a row follow; more than the key has: all that it has, so that it is none. */
// @ts-ignore: decorator
@inline
function lengthNext(): u32 {
  const value = numberNext();
  return cursor > keyEnd ? 0 : <u32>min<u64>(value, <u64>(keyEnd - cursor));
}

/** Has more been read than the key has? Then what was read is not one. */
// @ts-ignore: decorator
@inline
function isPast(): bool {
  return cursor > keyEnd;
}

function readKey(lane: usize): bool {
  const head = numberNext();
  if ((head & 1) != 0) forgetRemembered(lane);
  if (isPast() || head >> 1 > <u64>(keyEnd - cursor)) return false;
  const bytes = <u32>(head >> 1);
  const text = cursor;
  cursor += bytes;
  const hash = hashBytes(text, bytes);
  if (findKey(lane, hash, text, bytes) != 0) return false;
  const key = addKey(lane, hash, text, bytes);
  let markers = numberNext();
  let time: i64 = 0;
  for (let isFirst = true; markers > 0; markers--) {
    time = isFirst ? signedNext() : time + <i64>numberNext();
    isFirst = false;
    if (isPast()) return false;
    addMarker(lane, key, time);
  }
  let sessions = numberNext();
  let earlier: usize = 0;
  for (; sessions > 0; sessions--) {
    if (isPast()) return false;
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
  const flags = <u32>numberNext();
  const first = signedNext();
  const last = first + <i64>numberNext();
  const end = (flags & STATE_HAS_END) == 0 ? NONE : last + <i64>numberNext();
  const revision = <u32>numberNext();
  const rowsAt = cursor;
  // the events come behind the rows, and a session is made of them
  for (let rows = numberNext(); rows > 0 && !isPast(); rows--) {
    numberNext();
    const bytes = lengthNext();
    cursor += bytes;
  }
  if (isPast()) return 0;
  const session = readEvents(lane, key, first);
  if (session == 0) return 0;
  const behind = cursor;
  const kept = load<u32>(session + NODE_FLAGS) & (~FLAGS_ALL | FLAG_COMPLETE);
  store<u32>(session + NODE_FLAGS, kept | (flags & (FLAG_CHANGED | FLAG_SPLIT)));
  if (end != NONE) setEnd(lane, session, end, (flags & FLAG_SPLIT) != 0);
  if (hasSayings) derive(session);
  const isClosed = (flags & FLAG_CLOSED) != 0;
  cursor = rowsAt;
  if (!isClosed || revision != 1 || !isPlainRow(session, first)) {
    if (revision != 0) store<u32>(restOf(lane, session) + REST_REVISION, revision);
    cursor = rowsAt;
    readStanding(lane, session, first, isClosed);
  }
  if (isClosed) markClosed(lane, session);
  cursor = behind;
  const isOf = load<i64>(session + SESSION_FIRST) == first && load<i64>(session + SESSION_LAST) == last;
  return isOf ? session : refused(lane, session);
}

function refused(lane: usize, session: usize): usize {
  freeSession(lane, session);
  return 0;
}

function readEvents(lane: usize, key: usize, firstMs: i64): usize {
  let events = numberNext();
  if (events == 0 || isPast()) return 0;
  memory.fill(eventEntries, 0, loggedCount << 2);
  let time = firstMs + signedNext();
  let mask = readChanges(lane);
  if (isPast()) return 0;
  const session = newSession(lane, key, time);
  for (; events > 1; events--) {
    time += signedNext();
    mask = readChanges(lane);
    if (isPast()) return refused(lane, session);
    addChanged(lane, session, time, mask);
    // what the next one does not change is what the first one said
    const log: usize = load<u32>(session + SESSION_LOG);
    for (; mask != 0; mask &= mask - 1) {
      const at = <usize>ctz(mask) << 2;
      store<u32>(eventEntries + at, load<u32>(log + at));
    }
  }
  return session;
}

/** Reads what an event says otherwise than the first into `eventEntries`; at which places. Past the key's end: not an event. */
function readChanges(lane: usize): u64 {
  const mask = numberNext();
  if (loggedCount < 64 && mask >> loggedCount != 0) return notState();
  for (let left = mask; left != 0; left &= left - 1) {
    const place = <u32>ctz(left);
    const code = numberNext();
    let entry: usize = 0;
    if (code >= <u64>REMEMBERED) {
      entry = rememberedAt(lane, place, code - <u64>REMEMBERED);
      if (entry == 0) return notState();
    } else if (code != NULL) {
      entry = readSaid(place);
      if (code == SAID_REMEMBERED && !remember(lane, place, entry)) return notState();
    }
    if (isPast()) return 0;
    store<u32>(eventEntries + (place << 2), <u32>entry);
  }
  return mask;
}

function notState(): u64 {
  cursor = keyEnd + 1;
  return 0;
}

// @ts-ignore: decorator
@inline
function readSaid(place: u32): usize {
  if (typeOfField(fieldAt(place)) == TYPE_STRING) {
    const bytes = lengthNext();
    const at = cursor;
    cursor += bytes;
    return intern(poolOf(place), at, bytes);
  }
  cursor += 8;
  return intern(poolOf(place), cursor - 8, 8);
}

/** Is the only row what follows from the session's events, being closed? Then nothing has to be kept of it. */
function isPlainRow(session: usize, firstMs: i64): bool {
  if (load<u32>(session + SESSION_REST) != 0 || numberNext() != 1) return false;
  const identity = firstMs + <i64>numberNext();
  const bytes = lengthNext();
  return identity == load<i64>(session + SESSION_FIRST) && isBuilt(session, identity, closedByOf(session), 0, bytes);
}

function readStanding(lane: usize, session: usize, firstMs: i64, isClosed: bool): void {
  const rows = <u32>numberNext();
  for (let index: u32 = 0; index < rows; index++) {
    const identity = firstMs + <i64>numberNext();
    const bytes = lengthNext();
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
