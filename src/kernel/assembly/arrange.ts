/**
 * Sessions made anew of their events and of what has come, where that is not just another event behind or within one: events
 * are laid out in order, cut from left to right as src/reference/windows.ts does, and the sessions that are others then are
 * built of the events of those they replace.
 */
import { EVENT_ENDS, EVENT_STARTS } from '../abi';
import { heldByEntry, heldOf } from './gap';
import { hold, poolOf, release } from './intern';
import { addSession, eventHeld, isLate, markerFrom, sessionUpTo } from './lane';
import {
  FLAG_CLOSED,
  KEY_SESSIONS,
  LANE_WATERMARK,
  MARKER_TIME,
  NODE_FLAGS,
  NODE_LATER,
  NONE,
  REST_REVISION,
  REST_ROWS,
  REST_STANDING,
  SESSION_EVENTS,
  SESSION_FIRST,
  SESSION_LAST,
  SESSION_LOG,
  SESSION_REST,
  SESSION_VALUE_BYTES,
  SESSION_VALUES,
  STANDING_BYTES,
  STANDING_IDENTITY,
  STANDING_ROW,
} from './lane-layout';
import { decodedEntry, decodedSorted, decodedTimes, decodeLog } from './log-decode';
import { entriesOf, eventEntries } from './log';
import { orderEvents } from './log-order';
import { alloc, free, reserve } from './memory';
import {
  changeCount,
  changePlace,
  flagsPlace,
  gapField,
  gapMs,
  gapPlace,
  hasSayings,
  loggedCount,
  maxDurationMs,
} from './model';
import { addEntries, freeSession, newSession, takeDecoded } from './session';
import { addStanding, makeReal, restOf } from './standing';
import { unlink } from './wheel';
import { flagsOfEntry, midnightAfter, setSaid } from './windows';

/**
 * Events in order: time i64 │ flags u32 │ entries of the values whose change matters, u32 each; where events say how long they
 * hold, until when i64.
 */
const EVENT_TIME: usize = 0;
const EVENT_FLAGS: usize = 8;
const EVENT_VALUES: usize = 12;
let eventHeldAt: u32 = 0;
let eventBytes: u32 = 0;
let events: usize = 0;
let eventCount: u32 = 0;

/** Parts: first event i64 │ last event i64 │ events u32 │ cut off by max_duration u32 │ held open until i64 */
const PART_FIRST: usize = 0;
const PART_LAST: usize = 8;
const PART_EVENTS: usize = 16;
const PART_TOO_LONG: usize = 20;
const PART_HELD: usize = 24;
const PART_BYTES: u32 = 32;
let parts: usize = 0;
let partCount: u32 = 0;

/** The last event of the sessions that were arranged last. */
export let arrangedTo: i64 = 0;

/** The entries of the event that has come, held while it is arranged; and the values of a part so far. */
let ownEntries: usize = 0;
let said: usize = 0;

export function arrangeInit(): void {
  eventHeldAt = (<u32>EVENT_VALUES + (changeCount << 2) + 7) & ~7;
  eventBytes = eventHeldAt + (gapField < 0 ? 0 : 8);
  ownEntries = reserve((loggedCount << 2) + 8);
  said = reserve((changeCount << 2) + 8);
}

/**
 * `first`: the first session whose events the new one may be together with; those that follow it closely come along.
 * `values`: of the event at `timeMs`, 0: it is an end event at `markerMs` instead. False, and nothing is changed: it is late.
 */
export function tryArrange(lane: usize, key: usize, first: usize, timeMs: i64, values: usize, markerMs: i64): bool {
  // an end event holds nothing
  let reach = values != 0 ? eventHeld : timeMs;
  if (load<i64>(first + SESSION_FIRST) <= timeMs) reach = max<i64>(reach, heldOf(first));
  let count: u32 = values != 0 ? 1 : 0;
  let behind = first;
  while (behind != 0 && load<i64>(behind + SESSION_FIRST) <= reach) {
    reach = max<i64>(reach, heldOf(behind));
    count += load<u32>(behind + SESSION_EVENTS);
    behind = load<u32>(behind + NODE_LATER);
  }
  events = alloc(count * eventBytes);
  parts = alloc(count * PART_BYTES);
  if (events == 0 || parts == 0) unreachable();
  if (values != 0) holdOwn(values);
  layOut(first, behind, timeMs, values);
  cut(key, markerMs);
  const arranged = isAllowed(lane, first, behind, timeMs, values != 0);
  if (arranged) {
    arrange(lane, key, first, behind, timeMs, values != 0);
    arrangedTo = load<i64>(parts + <usize>(partCount - 1) * PART_BYTES + PART_LAST);
  }
  if (values != 0) releaseOwn();
  free(events);
  free(parts);
  return arranged;
}

function holdOwn(values: usize): void {
  entriesOf(values);
  memory.copy(ownEntries, eventEntries, loggedCount << 2);
  for (let place: u32 = 0; place < loggedCount; place++) {
    const entry: usize = load<u32>(ownEntries + (place << 2));
    if (entry != 0) hold(entry);
  }
}

function releaseOwn(): void {
  for (let place: u32 = 0; place < loggedCount; place++) {
    const entry: usize = load<u32>(ownEntries + (place << 2));
    if (entry != 0) release(poolOf(place), entry);
  }
}

function layOut(first: usize, behind: usize, timeMs: i64, values: usize): void {
  let isMissing = values != 0;
  eventCount = 0;
  for (let session = first; session != behind; session = load<u32>(session + NODE_LATER)) {
    const count = load<u32>(session + SESSION_EVENTS);
    decodeLog(load<u32>(session + SESSION_LOG), count);
    if (!decodedSorted) orderEvents(count);
    for (let event: u32 = 0; event < count; event++) {
      const time = load<i64>(decodedTimes + (event << 3));
      // behind all that came before it and have its time
      if (isMissing && time > timeMs) {
        isMissing = false;
        layOutOwn(timeMs);
      }
      const at = nextEvent(time);
      if (flagsPlace >= 0) store<u32>(at + EVENT_FLAGS, flagsOfEntry(decodedEntry(flagsPlace, event)));
      if (gapField >= 0) store<i64>(at + eventHeldAt, heldByEntry(time, decodedEntry(gapPlace, event)));
      for (let index: u32 = 0; index < changeCount; index++) {
        store<u32>(at + EVENT_VALUES + (index << 2), decodedEntry(changePlace(index), event));
      }
    }
  }
  if (isMissing) layOutOwn(timeMs);
}

function layOutOwn(timeMs: i64): void {
  const at = nextEvent(timeMs);
  if (flagsPlace >= 0) store<u32>(at + EVENT_FLAGS, flagsOfEntry(load<u32>(ownEntries + (flagsPlace << 2))));
  if (gapField >= 0) store<i64>(at + eventHeldAt, eventHeld);
  for (let index: u32 = 0; index < changeCount; index++) {
    store<u32>(at + EVENT_VALUES + (index << 2), load<u32>(ownEntries + (changePlace(index) << 2)));
  }
}

function nextEvent(timeMs: i64): usize {
  const at = events + eventCount++ * eventBytes;
  store<i64>(at + EVENT_TIME, timeMs);
  store<u32>(at + EVENT_FLAGS, 0);
  return at;
}

const CUT_NONE: u32 = 0;
const CUT_MAX_DURATION: u32 = 1;
const CUT_OTHER: u32 = 2;

/** The parts that the events are cut into. `markerMs`: an end event that the key does not know yet, or NONE. */
function cut(key: usize, markerMs: i64): void {
  const end = events + eventCount * eventBytes;
  let isEnded = false;
  let part: usize = 0;
  partCount = 0;
  let at = events;
  while (at < end) {
    const time = load<i64>(at);
    let flags: u32 = 0;
    let behind = at;
    while (behind < end && load<i64>(behind) == time) {
      flags |= load<u32>(behind + EVENT_FLAGS);
      behind += eventBytes;
    }
    let by = CUT_OTHER;
    if (part != 0) by = isEnded ? CUT_OTHER : cutAt(key, part, time, flags, at, behind, markerMs);
    if (by != CUT_NONE) {
      part = parts + partCount++ * PART_BYTES;
      store<i64>(part + PART_FIRST, time);
      store<u32>(part + PART_EVENTS, 0);
      store<u32>(part + PART_TOO_LONG, u32(by == CUT_MAX_DURATION));
      store<i64>(part + PART_HELD, time);
      memory.fill(said, 0, changeCount << 2);
    }
    store<i64>(part + PART_LAST, time);
    store<u32>(part + PART_EVENTS, load<u32>(part + PART_EVENTS) + <u32>(behind - at) / eventBytes);
    isEnded = (flags & EVENT_ENDS) != 0;
    for (; at < behind; at += eventBytes) {
      const held = gapField < 0 ? time + gapMs : load<i64>(at + eventHeldAt);
      if (held > load<i64>(part + PART_HELD)) store<i64>(part + PART_HELD, held);
      for (let index: u32 = 0; index < changeCount; index++) {
        const entry = load<u32>(at + EVENT_VALUES + (index << 2));
        if (entry != 0) store<u32>(said + (index << 2), entry);
      }
    }
  }
}

function cutAt(key: usize, part: usize, time: i64, flags: u32, at: usize, behind: usize, markerMs: i64): u32 {
  const last = load<i64>(part + PART_LAST);
  if (time > load<i64>(part + PART_HELD)) return CUT_OTHER;
  if (markerMs != NONE && markerMs >= last && markerMs < time) return CUT_OTHER;
  const marker = markerFrom(key, last);
  if (marker != 0 && load<i64>(marker + MARKER_TIME) < time) return CUT_OTHER;
  const first = load<i64>(part + PART_FIRST);
  if (midnightAfter(first) <= time || (flags & EVENT_STARTS) != 0) return CUT_OTHER;
  for (let index: u32 = 0; index < changeCount; index++) {
    const known = load<u32>(said + (index << 2));
    const now = firstSaid(index, at, behind);
    if (known != 0 && now != 0 && now != known) return CUT_OTHER;
  }
  return time - first > maxDurationMs ? CUT_MAX_DURATION : CUT_NONE;
}

function firstSaid(index: u32, at: usize, behind: usize): u32 {
  for (; at < behind; at += eventBytes) {
    const entry = load<u32>(at + EVENT_VALUES + (index << 2));
    if (entry != 0) return entry;
  }
  return 0;
}

/** Its session may be long over; none may be torn apart that is closed, or by its length by what is behind the watermark. */
function isAllowed(lane: usize, first: usize, behind: usize, timeMs: i64, isEvent: bool): bool {
  const isBehind = timeMs < load<i64>(lane + LANE_WATERMARK);
  for (let index: u32 = 0; index < partCount; index++) {
    const part = parts + index * PART_BYTES;
    const from = load<i64>(part + PART_FIRST);
    const last = load<i64>(part + PART_LAST);
    if (isEvent && from <= timeMs && timeMs <= last && isLate(lane, load<i64>(part + PART_HELD))) return false;
    for (let session = first; session != behind; session = load<u32>(session + NODE_LATER)) {
      if (from <= load<i64>(session + SESSION_FIRST) || from > load<i64>(session + SESSION_LAST)) continue;
      if ((load<u32>(session + NODE_FLAGS) & FLAG_CLOSED) != 0) return false;
      if (isBehind && load<u32>(part + PART_TOO_LONG) != 0) return false;
    }
  }
  return true;
}

/** The part that is just this session, or 0. */
function partOf(session: usize): usize {
  for (let index: u32 = 0; index < partCount; index++) {
    const part = parts + index * PART_BYTES;
    if (load<i64>(part + PART_FIRST) != load<i64>(session + SESSION_FIRST)) continue;
    const isSame =
      load<i64>(part + PART_LAST) == load<i64>(session + SESSION_LAST) &&
      load<u32>(part + PART_EVENTS) == load<u32>(session + SESSION_EVENTS);
    return isSame ? part : 0;
  }
  return 0;
}

function arrange(lane: usize, key: usize, first: usize, behind: usize, timeMs: i64, isEvent: bool): void {
  // those that are replaced leave the key, linked among themselves
  let old: usize = 0;
  let oldLast: usize = 0;
  let at = key + KEY_SESSIONS;
  while (load<u32>(at) != <u32>first) at = <usize>load<u32>(at) + NODE_LATER;
  let session = first;
  while (session != behind) {
    const later: usize = load<u32>(session + NODE_LATER);
    const part = partOf(session);
    if (part != 0) {
      // kept as it is
      store<u32>(part + PART_EVENTS, 0);
      at = session + NODE_LATER;
    } else {
      makeReal(lane, session);
      unlink(lane, session);
      store<u32>(at, <u32>later);
      store<u32>(session + NODE_LATER, 0);
      if (oldLast == 0) old = session;
      else store<u32>(oldLast + NODE_LATER, <u32>session);
      oldLast = session;
    }
    session = later;
  }
  for (let index: u32 = 0; index < partCount; index++) {
    const part = parts + index * PART_BYTES;
    if (load<u32>(part + PART_EVENTS) != 0) build(lane, key, part, old, timeMs, isEvent);
  }
  while (old != 0) {
    const later: usize = load<u32>(old + NODE_LATER);
    freeSession(lane, old);
    old = later;
  }
}

function build(lane: usize, key: usize, part: usize, old: usize, timeMs: i64, isEvent: bool): void {
  const from = load<i64>(part + PART_FIRST);
  const to = load<i64>(part + PART_LAST);
  let made: usize = 0;
  for (let session = old; session != 0; session = load<u32>(session + NODE_LATER)) {
    if (load<i64>(session + SESSION_FIRST) > to || load<i64>(session + SESSION_LAST) < from) continue;
    const count = load<u32>(session + SESSION_EVENTS);
    decodeLog(load<u32>(session + SESSION_LOG), count);
    for (let event: u32 = 0; event < count; event++) {
      const time = load<i64>(decodedTimes + (event << 3));
      if (time < from || time > to) continue;
      takeDecoded(event);
      made = addTo(lane, key, made, time);
    }
  }
  if (isEvent && from <= timeMs && timeMs <= to) {
    memory.copy(eventEntries, ownEntries, loggedCount << 2);
    made = addTo(lane, key, made, timeMs);
  }
  for (let session = old; session != 0; session = load<u32>(session + NODE_LATER)) {
    if (load<i64>(session + SESSION_FIRST) > to || load<i64>(session + SESSION_LAST) < from) continue;
    inherit(lane, made, session, from, to);
  }
  if (hasSayings) derive(made);
  addSession(lane, key, sessionUpTo(key, from), made);
}

function addTo(lane: usize, key: usize, session: usize, timeMs: i64): usize {
  if (session == 0) return newSession(lane, key, timeMs);
  addEntries(lane, session, timeMs);
  return session;
}

/** A row that stands goes with the event that its session is known by; no revision is given twice. */
function inherit(lane: usize, made: usize, session: usize, from: i64, to: i64): void {
  const rest: usize = load<u32>(session + SESSION_REST);
  if (rest == 0) return;
  const revision = load<u32>(rest + REST_REVISION);
  const own = restOf(lane, made);
  if (revision > load<u32>(own + REST_REVISION)) store<u32>(own + REST_REVISION, revision);
  const rows = load<u32>(rest + REST_STANDING);
  for (let index: u32 = 0; index < rows; index++) {
    const standing = rest + REST_ROWS + index * STANDING_BYTES;
    const identity = load<i64>(standing + STANDING_IDENTITY);
    const row = load<u32>(standing + STANDING_ROW);
    if (row == 0 || identity < from || identity > to) continue;
    addStanding(lane, made, identity, row);
    store<u32>(standing + STANDING_ROW, 0);
  }
}

/** What a session's events say that later ones are held against. */
export function derive(session: usize): void {
  const count = load<u32>(session + SESSION_EVENTS);
  const first = load<i64>(session + SESSION_FIRST);
  const last = load<i64>(session + SESSION_LAST);
  decodeLog(load<u32>(session + SESSION_LOG), count);
  if (!decodedSorted) orderEvents(count);
  memory.fill(session + SESSION_VALUES, 0, changeCount * SESSION_VALUE_BYTES);
  let ends: u32 = 0;
  let starts: u32 = 0;
  for (let event: u32 = 0; event < count; event++) {
    const time = load<i64>(decodedTimes + (event << 3));
    const flags = flagsPlace < 0 ? 0 : flagsOfEntry(decodedEntry(flagsPlace, event));
    if (time == last) ends |= flags & EVENT_ENDS;
    if (time == first) starts |= flags & EVENT_STARTS;
    for (let index: u32 = 0; index < changeCount; index++) {
      const entry = decodedEntry(changePlace(index), event);
      if (entry == 0) continue;
      const at = session + SESSION_VALUES + index * SESSION_VALUE_BYTES;
      store<u32>(at, entry);
      if (time == first && load<u32>(at + 4) == 0) store<u32>(at + 4, entry);
    }
  }
  setSaid(session, ends, starts);
}
