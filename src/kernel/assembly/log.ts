/**
 * A session's events, as small as they can be kept: what the first one said, then of each event its time and what is
 * different from the first. A row is computed from them when it is emitted, so merges, splits and any order of arrival need
 * no care here: events are in the order of arrival, which is the order of offsets.
 *
 *   log      logged × entry u32 (0: null) │ time of the first event i64 │ further events …
 *   event    distance from the greatest time before it, places that differ (log-head.ts) │ for each of these: index in its pool
 *            varint (0: null)
 *
 * Places from `trackedCount` on are read by `first` alone: an event that is not older than the first to arrive leaves them out
 * where that one has a value, unless it may yet become the first of a session, torn off by max_duration (lane.ts: isYoung).
 */
import { NULL_NUMBER_HIGH, TYPE_STRING, VALUE_BYTES } from '../abi';
import { sameBytes } from './bytes';
import {
  ENTRY_LENGTH,
  ENTRY_VALUE,
  entryAt,
  hold,
  intern,
  mark,
  pin,
  poolOf,
  release,
} from './intern';
import { alloc, free, reserve } from './memory';
import { fieldAt, loggedCount, trackedCount, typeOfField } from './model';
import { HEAD_BYTES_MAX, headEnd, headInit, headPlaces, putHead, readHead } from './log-head';
import { putVarint, readVarint, varintEnd } from './log-varint';

/** Bytes of a log's head: the first event. */
export let logHeadBytes: u32 = 0;
/** Room for further events in a new log. */
const LOG_ROOM_BYTES: u32 = 24;
/** By place, the type of its field, u8. */
let types: usize = 0;
/** One encoded event, where the log has no room for the longest. */
let scratch: usize = 0;
/** By four places: ones at those from `trackedCount` on. */
let untracked: usize = 0;
/** What a change takes at most. */
const CHANGE_BYTES_MAX: u32 = 5;
/** The entries of the event that is appended, u32 by place. */
export let eventEntries: usize = 0;
/**
 * What resolve.ts found for the event that is taken: entries u32 by place, below `trackedCount`; 0: to be looked up here.
 */
let resolved: usize = 0;

export function logUseResolved(at: usize): void {
  resolved = at;
}

export function logInit(): void {
  logHeadBytes = ((loggedCount << 2) + 7) & ~7;
  logHeadBytes += 8;
  headInit(trackedCount);
  types = reserve(loggedCount + 1);
  scratch = reserve(HEAD_BYTES_MAX + loggedCount * CHANGE_BYTES_MAX + 16);
  untracked = reserve((loggedCount << 2) + 16);
  for (let place = trackedCount; place < loggedCount; place++) store<u32>(untracked + (place << 2), 0xffffffff);
  eventEntries = reserve((loggedCount << 2) + 16);
  for (let place: u32 = 0; place < loggedCount; place++) {
    store<u8>(types + place, <u8>typeOfField(fieldAt(place)));
  }
}

// @ts-ignore: decorator
@inline
export function firstTimeOf(log: usize): i64 {
  return load<i64>(log + logHeadBytes - 8);
}

/** The entry of an event's value at a place: `known` where it is the same, 0 for null. */
// @ts-ignore: decorator
@inline
function entryOf(place: u32, values: usize, known: usize): usize {
  const at = values + fieldAt(place) * VALUE_BYTES;
  let value: usize;
  let bytes: u32;
  if (load<u8>(types + place) == TYPE_STRING) {
    value = load<u32>(at);
    if (value == 0) return 0;
    bytes = load<u32>(at + 4);
  } else {
    if (load<u32>(at + 4) == NULL_NUMBER_HIGH) return 0;
    value = at;
    bytes = 8;
  }
  if (known != 0 && load<u32>(known + ENTRY_LENGTH) == bytes && sameBytes(known + ENTRY_VALUE, value, bytes)) {
    return known;
  }
  return intern(poolOf(place), value, bytes);
}

/** The entry that an event which is in a log says at a tracked place. */
export function entrySaid(place: u32, values: usize): u32 {
  const entry = load<u32>(resolved + (place << 2));
  return entry != 0 ? entry : <u32>entryOf(place, values, 0);
}

/** How far behind a value's beginning its end is looked for where it is only fetched. */
export const TOUCH_BYTES_MAX: u32 = 1024;

/** Bytes that an event's value at a place takes, TOUCH_BYTES_MAX at most. */
// @ts-ignore: decorator
@inline
export function saidBytes(place: u32, values: usize): u32 {
  if (load<u8>(types + place) != TYPE_STRING) return 0;
  return min<u32>(load<u32>(values + fieldAt(place) * VALUE_BYTES, 4), TOUCH_BYTES_MAX);
}

/** Does an event say something at a place, and something else than an entry does? */
export function saysOther(place: u32, values: usize, known: usize): bool {
  const at = values + fieldAt(place) * VALUE_BYTES;
  let value: usize = at;
  let bytes: u32 = 8;
  if (load<u8>(types + place) == TYPE_STRING) {
    value = load<u32>(at);
    bytes = load<u32>(at + 4);
    if (value == 0) return false;
  } else if (load<u32>(at + 4) == NULL_NUMBER_HIGH) {
    return false;
  }
  return load<u32>(known + ENTRY_LENGTH) != bytes || !sameBytes(known + ENTRY_VALUE, value, bytes);
}

/** Fills `eventEntries` from an event's values. */
export function entriesOf(values: usize): void {
  for (let place: u32 = 0; place < loggedCount; place++) {
    let entry: u32 = place < trackedCount ? load<u32>(resolved + (place << 2)) : 0;
    if (entry == 0) entry = <u32>entryOf(place, values, 0);
    store<u32>(eventEntries + (place << 2), entry);
  }
}

/** Does the event in `eventEntries` have all values that `first` alone reads? */
export function isComplete(): bool {
  for (let place = trackedCount; place < loggedCount; place++) {
    if (load<u32>(eventEntries + (place << 2)) == 0) return false;
  }
  return true;
}

/** A log with one event, its entries in `eventEntries`. Traps when memory is full. */
export function newLog(timeMs: i64): usize {
  const log = alloc(logHeadBytes + LOG_ROOM_BYTES);
  if (log == 0) unreachable();
  for (let place: u32 = 0; place < loggedCount; place++) {
    const entry = load<u32>(eventEntries + (place << 2));
    store<u32>(log + (place << 2), entry);
    if (entry != 0) hold(entry);
  }
  store<i64>(log + logHeadBytes - 8, timeMs);
  return log;
}

/**
 * The log of `bytes` bytes, in a block of `room`, with one more event; `greatestMs`: the greatest time in it; `whole`: nothing is
 * left out; `isFull`: the first event is complete. Says by `appendedBytes` how long it is now. The log may move.
 */
export function appendValues(
  log: usize,
  bytes: u32,
  room: u32,
  greatestMs: i64,
  timeMs: i64,
  values: usize,
  whole: bool,
  isFull: bool,
): usize {
  let mask: u64 = 0;
  for (let place: u32 = 0; place < trackedCount; place++) {
    const known: usize = load<u32>(log + (place << 2));
    let entry: usize = load<u32>(resolved + (place << 2));
    if (entry == 0) entry = entryOf(place, values, known);
    if (entry == known) continue;
    mask |= <u64>1 << place;
    store<u32>(eventEntries + (place << 2), <u32>entry);
  }
  // the time of the first event lies in a further cache line
  if (whole || (timeMs < greatestMs && timeMs < firstTimeOf(log))) {
    for (let place = trackedCount; place < loggedCount; place++) {
      const known: usize = load<u32>(log + (place << 2));
      const entry = entryOf(place, values, known);
      if (entry == known) continue;
      mask |= <u64>1 << place;
      store<u32>(eventEntries + (place << 2), <u32>entry);
    }
  } else if (!isFull) {
    for (let from = trackedCount & ~3; from < loggedCount; from += 4) {
      const entries = v128.load(log + (from << 2));
      const isNull = v128.and(i32x4.eq(entries, i32x4.splat(0)), v128.load(untracked + (from << 2)));
      let lanes = <u32>i32x4.bitmask(isNull);
      while (lanes != 0) {
        const place = from + <u32>ctz(lanes);
        lanes &= lanes - 1;
        const entry = entryOf(place, values, 0);
        if (entry == 0) continue;
        mask |= <u64>1 << place;
        store<u32>(eventEntries + (place << 2), <u32>entry);
      }
    }
  }
  return appendChanges(log, bytes, room, timeMs - greatestMs, mask);
}

/** As `appendValues`, from `eventEntries`. */
export function appendEntries(
  log: usize,
  bytes: u32,
  room: u32,
  greatestMs: i64,
  timeMs: i64,
  whole: bool,
): usize {
  const inOrder = !whole && timeMs >= firstTimeOf(log);
  let mask: u64 = 0;
  for (let place: u32 = 0; place < loggedCount; place++) {
    const known = load<u32>(log + (place << 2));
    if (place >= trackedCount && inOrder && known != 0) continue;
    if (load<u32>(eventEntries + (place << 2)) != known) mask |= <u64>1 << place;
  }
  return appendChanges(log, bytes, room, timeMs - greatestMs, mask);
}

export let appendedBytes: u32 = 0;
let sink: u32 = 0;

/** As `appendValues`, an event that says something else than the first at the places of `mask`: what is in `eventEntries`. */
// @ts-ignore: decorator
@inline
export function appendChanges(log: usize, bytes: u32, room: u32, aheadMs: i64, mask: u64): usize {
  if (bytes + HEAD_BYTES_MAX + <u32>popcnt(mask) * CHANGE_BYTES_MAX <= room) {
    appendedBytes = <u32>(putChanges(log + bytes, aheadMs, mask) - log);
    return log;
  }
  const more = <u32>(putChanges(scratch, aheadMs, mask) - scratch);
  const need = bytes + more;
  if (need > room) {
    // an eighth more than is needed: a session of twenty events moves four or five times
    const larger = alloc(need + (need >> 3) + 16);
    if (larger == 0) unreachable();
    copyBlock(larger, log, bytes);
    free(log);
    log = larger;
  }
  copyWords(log + bytes, scratch, more);
  appendedBytes = need;
  return log;
}

/** Writes an event; its changes lie in `eventEntries`. Returns the place behind it. */
function putChanges(to: usize, aheadMs: i64, mask: u64): usize {
  let at = putHead(to, aheadMs, mask);
  while (mask != 0) {
    const place = <u32>ctz(mask);
    const entry: usize = load<u32>(eventEntries + (place << 2));
    mask &= mask - 1;
    if (entry == 0) {
      store<u8>(at++, 0);
    } else {
      at = putVarint(at, pin(place, entry));
    }
  }
  return at;
}

/** Gives a log back. What its later events refer to is pinned, and left to the sweep. */
export function freeLog(log: usize): void {
  // the misses overlap here; below, each may be waited for. Address 0 can be read too
  let sum: u32 = 0;
  for (let place: u32 = 0; place < loggedCount; place++) sum += load<u32>(<usize>load<u32>(log + (place << 2)));
  sink = sum;
  for (let place: u32 = 0; place < loggedCount; place++) {
    const entry: usize = load<u32>(log + (place << 2));
    if (entry != 0) release(poolOf(place), entry);
  }
  free(log);
}

/** Marks the values that a log's later events refer to. */
export function markLog(log: usize, bytes: u32): void {
  let at = log + logHeadBytes;
  const end = log + bytes;
  while (at < end) {
    readHead(at);
    let mask = headPlaces;
    at = headEnd;
    while (mask != 0) {
      const pool = poolOf(<u32>ctz(mask));
      mask &= mask - 1;
      const index = <u32>readVarint(at);
      at = varintEnd;
      if (index != 0) mark(entryAt(pool, index));
    }
  }
}

/** memory.copy costs a call. Copies up to 15 bytes more, for which there is room on both sides. */
// @ts-ignore: decorator
@inline
function copyBlock(to: usize, from: usize, bytes: u32): void {
  for (let at: u32 = 0; at < bytes; at += 16) v128.store(to + at, v128.load(from + at));
}

/** memory.copy costs a call; an event is some ten bytes. */
// @ts-ignore: decorator
@inline
function copyWords(to: usize, from: usize, bytes: u32): void {
  while (bytes >= 8) {
    store<u64>(to, load<u64>(from));
    to += 8;
    from += 8;
    bytes -= 8;
  }
  while (bytes != 0) {
    store<u8>(to++, load<u8>(from++));
    bytes--;
  }
}
