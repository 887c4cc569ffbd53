/** One session: made, added to, joined with another, emitted, given back. When that happens is decided in lane.ts. */
import { emitNegated, emitRow, holdRow, MS_PER_DAY, newRow, ROW_BYTES, ROW_LENGTH } from './emitted';
import { sameBytes } from './bytes';
import { holdEntries, holdFirst, holdValues, sessionBytes } from './gap';
import {
  FLAG_CHANGED,
  FLAG_CLOSED,
  FLAG_COMPLETE,
  FLAGS_ALL,
  LANE_CLAMPED,
  LANE_OPEN,
  LANE_WATERMARK,
  NODE_FLAGS,
  NODE_KEY,
  NODE_LATER,
  ROOM_LARGE,
  ROOM_SHIFT,
  REST_REVISION,
  REST_ROWS,
  REST_STANDING,
  SESSION_EVENTS,
  SESSION_FIRST,
  SESSION_LAST,
  SESSION_LOG,
  SESSION_LOG_BYTES,
  SESSION_REST,
  STANDING_BYTES,
  STANDING_IDENTITY,
  STANDING_ROW,
} from './lane-layout';
import { count, given, taken, uncount } from './lane-memory';
import {
  appendChanges,
  appendedBytes,
  appendEntries,
  appendValues,
  entriesOf,
  eventEntries,
  freeLog,
  isComplete,
  logHeadBytes,
  newLog,
} from './log';
import { decodedEntry, decodedTimes, decodeLog } from './log-decode';
import { blockBytes } from './memory';
import { hasSayings, loggedCount } from './model';
import { bufferAt, bufferBegin, bufferBytes } from './row-buffer';
import { buildRow, rowClamped, rowRevisionAt, rowSignAt, rowStartMs } from './row';
import {
  addStanding,
  addVirtual,
  buildVirtual,
  dropStanding,
  isMadeOf,
  makeReal,
  mayBeVirtual,
  restOf,
  standsVirtually,
} from './standing';
import { flagsOf, sayFirst } from './windows';

/** A session of a key with the event whose entries lie in `eventEntries`. In no list and no bucket yet. */
export function newSession(lane: usize, key: usize, timeMs: i64): usize {
  const session = taken(lane, sessionBytes);
  store<u32>(session + NODE_FLAGS, isComplete() ? FLAG_CHANGED | FLAG_COMPLETE : FLAG_CHANGED);
  store<u32>(session + NODE_KEY, <u32>key);
  store<u32>(session + NODE_LATER, 0);
  store<i64>(session + SESSION_FIRST, timeMs);
  store<i64>(session + SESSION_LAST, timeMs);
  store<u32>(session + SESSION_REST, 0);
  holdFirst(session, timeMs);
  setLog(lane, session, newLog(timeMs), logHeadBytes, 1);
  store<u32>(lane + LANE_OPEN, load<u32>(lane + LANE_OPEN) + 1);
  return session;
}

export function newSessionOf(lane: usize, key: usize, timeMs: i64, values: usize): usize {
  entriesOf(values);
  const session = newSession(lane, key, timeMs);
  if (hasSayings) sayFirst(session, flagsOf(values));
  return session;
}

function setLog(lane: usize, session: usize, log: usize, bytes: u32, events: u32): void {
  setRoom(session, log);
  count(lane, blockBytes(log));
  store<u32>(session + SESSION_LOG, <u32>log);
  store<u32>(session + SESSION_LOG_BYTES, bytes);
  store<u32>(session + SESSION_EVENTS, events);
}

function setRoom(session: usize, log: usize): void {
  const room = min<u32>(blockBytes(log), ROOM_LARGE);
  store<u32>(session + NODE_FLAGS, (load<u32>(session + NODE_FLAGS) & FLAGS_ALL) | (room << ROOM_SHIFT));
}

/** Bytes of the log's block, which the session knows unless it is very large. */
// @ts-ignore: decorator
@inline
function roomOf(session: usize, log: usize): u32 {
  const room = load<u32>(session + NODE_FLAGS) >> ROOM_SHIFT;
  return room == ROOM_LARGE ? blockBytes(log) : room;
}

/**
 * May an event that is in time still come before its first one? Then it is kept whole: with max_duration any of its events may
 * become the first of a session. What is behind the watermark tears nothing apart by its length.
 */
// @ts-ignore: decorator
@inline
function isYoung(lane: usize, session: usize): bool {
  return load<i64>(session + SESSION_FIRST) >= load<i64>(lane + LANE_WATERMARK);
}

/** Adds an event that belongs to an open session. */
export function addEvent(lane: usize, session: usize, timeMs: i64, values: usize): void {
  const log: usize = load<u32>(session + SESSION_LOG);
  const last = load<i64>(session + SESSION_LAST);
  const size = roomOf(session, log);
  const whole = isYoung(lane, session);
  const isFull = (load<u32>(session + NODE_FLAGS) & FLAG_COMPLETE) != 0;
  const grown = appendValues(log, load<u32>(session + SESSION_LOG_BYTES), size, last, timeMs, values, whole, isFull);
  holdValues(session, timeMs, values);
  appended(lane, session, log, size, grown, last, timeMs);
}

/** As addEvent, from `eventEntries`. */
export function addEntries(lane: usize, session: usize, timeMs: i64): void {
  const log: usize = load<u32>(session + SESSION_LOG);
  const last = load<i64>(session + SESSION_LAST);
  const size = roomOf(session, log);
  const whole = isYoung(lane, session);
  const grown = appendEntries(log, load<u32>(session + SESSION_LOG_BYTES), size, last, timeMs, whole);
  holdEntries(session, timeMs);
  appended(lane, session, log, size, grown, last, timeMs);
}

/** As addEntries, where it is known at which places the event says something else than the first. */
export function addChanged(lane: usize, session: usize, timeMs: i64, mask: u64): void {
  const log: usize = load<u32>(session + SESSION_LOG);
  const last = load<i64>(session + SESSION_LAST);
  const size = roomOf(session, log);
  const grown = appendChanges(log, load<u32>(session + SESSION_LOG_BYTES), size, timeMs - last, mask);
  holdEntries(session, timeMs);
  appended(lane, session, log, size, grown, last, timeMs);
}

// @ts-ignore: decorator
@inline
function appended(lane: usize, session: usize, log: usize, size: u32, grown: usize, last: i64, timeMs: i64): void {
  if (grown != log) {
    uncount(lane, size);
    count(lane, blockBytes(grown));
    setRoom(session, grown);
    store<u32>(session + SESSION_LOG, <u32>grown);
  }
  store<u32>(session + SESSION_LOG_BYTES, appendedBytes);
  store<u32>(session + SESSION_EVENTS, load<u32>(session + SESSION_EVENTS) + 1);
  if (timeMs > last) store<i64>(session + SESSION_LAST, timeMs);
  else if (timeMs < load<i64>(session + SESSION_FIRST)) store<i64>(session + SESSION_FIRST, timeMs);
  store<u32>(session + NODE_FLAGS, load<u32>(session + NODE_FLAGS) | FLAG_CHANGED);
}

/** Takes over the events and rows of a later session of the same key, which has its log no more. */
export function absorb(lane: usize, session: usize, later: usize): void {
  const events = load<u32>(later + SESSION_EVENTS);
  makeReal(lane, session);
  makeReal(lane, later);
  decodeLog(load<u32>(later + SESSION_LOG), events);
  for (let event: u32 = 0; event < events; event++) {
    takeDecoded(event);
    addEntries(lane, session, load<i64>(decodedTimes + (event << 3)));
  }
  dropLog(lane, later);
  const rest: usize = load<u32>(later + SESSION_REST);
  if (rest == 0) return;
  const revision = load<u32>(rest + REST_REVISION);
  const own = restOf(lane, session);
  if (revision > load<u32>(own + REST_REVISION)) store<u32>(own + REST_REVISION, revision);
  const rows = load<u32>(rest + REST_STANDING);
  for (let index: u32 = 0; index < rows; index++) {
    const standing = rest + REST_ROWS + index * STANDING_BYTES;
    addStanding(lane, session, load<i64>(standing + STANDING_IDENTITY), load<u32>(standing + STANDING_ROW));
  }
  given(lane, rest);
  store<u32>(later + SESSION_REST, 0);
}

/** Fills `eventEntries` from what decodeLog left, not ordered. */
export function takeDecoded(event: u32): void {
  for (let place: u32 = 0; place < loggedCount; place++) {
    store<u32>(eventEntries + (place << 2), decodedEntry(place, event));
  }
}

/**
 * −old for each row that stands, +new; nothing when the row would be the one that stands. `stays`: the session goes on and
 * its row may be taken back later.
 */
export function emitSession(lane: usize, session: usize, closedBy: u32, stays: bool): void {
  const rest: usize = load<u32>(session + SESSION_REST);
  const rows: u32 = rest == 0 ? 0 : load<u32>(rest + REST_STANDING);
  const events = load<u32>(session + SESSION_EVENTS);
  store<u32>(session + NODE_FLAGS, load<u32>(session + NODE_FLAGS) & ~FLAG_CHANGED);
  const isVirtual = rows == 1 && standsVirtually(rest);
  if (isVirtual && isMadeOf(rest, events, closedBy)) return;
  const first = load<i64>(session + SESSION_FIRST);
  const identity = rows == 0 ? first : load<i64>(rest + REST_ROWS + STANDING_IDENTITY);
  const revision: u32 = rest == 0 ? 0 : load<u32>(rest + REST_REVISION);
  bufferBegin();
  if (isVirtual) buildVirtual(session, rest);
  // where the new row begins, behind one that was virtual
  const from = bufferBytes;
  const oldSignAt = rowSignAt;
  const oldDay = <i32>(rowStartMs / MS_PER_DAY);
  buildRow(
    load<u32>(session + NODE_KEY),
    load<u32>(session + SESSION_LOG),
    events,
    closedBy,
    revision,
    identity,
  );
  if (isVirtual) {
    if (saysTheSame(bufferAt, from, from)) return;
    store<i64>(bufferAt + oldSignAt + 1, -1);
    emitRow(lane, newRow(bufferAt, from, oldDay, oldSignAt));
  } else if (rows != 0) {
    const oldest: usize = load<u32>(rest + REST_ROWS + STANDING_ROW);
    if (rows == 1 && saysTheSame(oldest + ROW_BYTES, load<u32>(oldest + ROW_LENGTH), from)) return;
    for (let index: u32 = 0; index < rows; index++) {
      emitNegated(lane, load<u32>(rest + REST_ROWS + index * STANDING_BYTES + STANDING_ROW));
    }
  }
  if (rows != 0) dropStanding(lane, rest);
  const row = newRow(bufferAt + from, bufferBytes - from, <i32>(first / MS_PER_DAY), rowSignAt);
  emitRow(lane, row);
  store<u64>(lane + LANE_CLAMPED, load<u64>(lane + LANE_CLAMPED) + rowClamped);
  if (!stays && rest == 0) return;
  store<u32>(restOf(lane, session) + REST_REVISION, revision + 1);
  if (stays) stand(lane, session, row, identity, events, closedBy);
}

function stand(lane: usize, session: usize, row: usize, identityMs: i64, events: u32, closedBy: u32): void {
  if (mayBeVirtual(events)) {
    addVirtual(lane, session, identityMs, events, closedBy);
    return;
  }
  holdRow(row);
  count(lane, blockBytes(row));
  addStanding(lane, session, identityMs, <u32>row);
}

/** Are the built row, which begins at `from` in the buffer, and one that stands the same but for revision and sign? */
function saysTheSame(old: usize, oldBytes: u32, from: u32): bool {
  const bytes = bufferBytes - from;
  if (oldBytes != bytes) return false;
  const built = bufferAt + from;
  const first = min<u32>(rowSignAt, rowRevisionAt);
  const second = max<u32>(rowSignAt, rowRevisionAt);
  return (
    sameBytes(built, old, first) &&
    sameBytes(built + first + 9, old + first + 9, second - first - 9) &&
    sameBytes(built + second + 9, old + second + 9, bytes - second - 9)
  );
}

/** Its row is out; the log stays for late events, and the row follows from it (standing.ts: restOf). */
export function markClosed(lane: usize, session: usize): void {
  store<u32>(session + NODE_FLAGS, load<u32>(session + NODE_FLAGS) | FLAG_CLOSED);
  store<u32>(lane + LANE_OPEN, load<u32>(lane + LANE_OPEN) - 1);
}

/** A late event changes it; it closes again when that is due. */
export function reopen(lane: usize, session: usize): void {
  restOf(lane, session);
  store<u32>(session + NODE_FLAGS, load<u32>(session + NODE_FLAGS) & ~FLAG_CLOSED);
  store<u32>(lane + LANE_OPEN, load<u32>(lane + LANE_OPEN) + 1);
}

/** Gives everything of a session back that is in no list any more. */
export function freeSession(lane: usize, session: usize): void {
  if ((load<u32>(session + NODE_FLAGS) & FLAG_CLOSED) == 0) {
    store<u32>(lane + LANE_OPEN, load<u32>(lane + LANE_OPEN) - 1);
  }
  dropLog(lane, session);
  const rest: usize = load<u32>(session + SESSION_REST);
  if (rest != 0) {
    dropStanding(lane, rest);
    given(lane, rest);
  }
  given(lane, session);
}

function dropLog(lane: usize, session: usize): void {
  const log: usize = load<u32>(session + SESSION_LOG);
  if (log == 0) return;
  uncount(lane, blockBytes(log));
  freeLog(log);
  store<u32>(session + SESSION_LOG, 0);
}
