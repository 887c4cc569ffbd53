/**
 * The sessions of one lane: which event belongs to which session, and when sessions end. src/reference/lane.ts says the
 * same in plain words; what differs is when the work is done: a key is brought up to the watermark when an event touches it,
 * all others when their bucket of the wheel has passed, so the state seen from outside is as if it were done at once.
 */
import { arrangedTo, tryArrange } from './arrange';
import { heldBy, heldOf, neededUntil } from './gap';
import { addKey, findKey, newSlots, removeKey, SLOTS_FIRST } from './keys';
import {
  FLAG_CLOSED,
  FLAG_ENDED,
  FLAG_MARKER,
  FLAG_SPLIT,
  KEY_MARKERS,
  KEY_SESSIONS,
  LANE_BUCKET,
  LANE_BYTES,
  LANE_WATERMARK,
  LANE_WHEEL,
  MARKER_BYTES,
  MARKER_TIME,
  NODE_BUCKET,
  NODE_FLAGS,
  NODE_KEY,
  NODE_LATER,
  NODE_NEXT,
  NONE,
  SESSION_FIRST,
  SESSION_LAST,
  SESSION_LOG,
  SESSION_REST,
  WHEEL_BUCKETS,
} from './lane-layout';
import { given, taken } from './lane-memory';
import { alloc } from './memory';
import { disorderMs, gapField, hasEnds, hasSayings, latenessMs, maxDurationMs } from './model';
import { absorb, addEvent, emitSession, freeSession, markClosed, newSessionOf, reopen } from './session';
import { keepKey } from './snapshot-turns';
import { setEnd } from './standing';
import { sweepAddLane } from './sweep';
import { bucketNumber, dueOf, isMisplaced, link, NO_BUCKET, relink, unlink } from './wheel';
import { closedByOf, endOf, isSplitBy, isSplitFrom, midnightAfter, openUntil, sayLast } from './windows';

/** An empty lane, or 0: memory is full. */
export function laneNew(): usize {
  const lane = alloc(LANE_BYTES);
  if (lane == 0) return 0;
  memory.fill(lane, 0, LANE_BYTES);
  store<i64>(lane + LANE_WATERMARK, NONE);
  const wheel = taken(lane, WHEEL_BUCKETS << 2);
  memory.fill(wheel, 0, WHEEL_BUCKETS << 2);
  store<u32>(lane + LANE_WHEEL, <u32>wheel);
  newSlots(lane, SLOTS_FIRST);
  sweepAddLane(lane);
  return lane;
}

/** Until when the event that is taken holds its session open. */
export let eventHeld: i64 = 0;

/** Takes an event; false: it is late. Values as in abi.ts. `isEnd`: an end event that belongs to no session. */
export function acceptEvent(
  lane: usize,
  hash: u32,
  keyAt: usize,
  keyBytes: u32,
  timeMs: i64,
  values: usize,
  isEnd: bool,
): bool {
  eventHeld = heldBy(timeMs, values);
  let key = findKey(lane, hash, keyAt, keyBytes);
  if (key != 0) keepKey(lane, key);
  if (key != 0 && !settleKey(lane, key)) key = 0;
  if (isEnd) {
    if (!acceptEnd(lane, key, hash, keyAt, keyBytes, timeMs)) return false;
  } else if (key == 0) {
    if (isLate(lane, eventHeld)) return false;
    key = addKey(lane, hash, keyAt, keyBytes);
    const session = newSessionOf(lane, key, timeMs, values);
    addSession(lane, key, 0, session);
    if (hasEnds) meetEnd(lane, key, session);
  } else if (!acceptInto(lane, key, timeMs, values)) {
    return false;
  }
  moveWatermark(lane, timeMs - disorderMs);
  return true;
}

export function moveWatermark(lane: usize, timeMs: i64): void {
  if (timeMs > load<i64>(lane + LANE_WATERMARK)) store<i64>(lane + LANE_WATERMARK, timeMs);
}

/** False: late. What is decided here by a look, or else by arrange.ts, src/reference/lane.ts decides by the events. */
function acceptInto(lane: usize, key: usize, timeMs: i64, values: usize): bool {
  // the last session that begins at or before the event, and the one behind it
  let before: usize = 0;
  let after: usize = load<u32>(key + KEY_SESSIONS);
  while (after != 0 && load<i64>(after + SESSION_FIRST) <= timeMs) {
    before = after;
    after = load<u32>(after + NODE_LATER);
  }
  const earlier = before;
  if (before != 0 && timeMs > heldOf(before)) before = 0;
  // from where on sessions are others, and up to where
  let from = timeMs;
  let to = timeMs;
  const reach = before == 0 ? eventHeld : max<i64>(eventHeld, heldOf(before));
  if (after != 0 && load<i64>(after + SESSION_FIRST) > reach) after = 0;
  if (after == 0 && (before == 0 || timeMs > load<i64>(before + SESSION_LAST))) {
    // behind all that it could belong to
    const joins = before != 0 && !isCutOff(key, before, timeMs) && !(hasSayings && isSaidCut(before, values));
    if (isLate(lane, joins ? reach : eventHeld)) return false;
    if (joins) {
      join(lane, key, before, timeMs, values);
      if (hasSayings) sayLast(before, values);
    } else {
      addSession(lane, key, earlier, newSessionOf(lane, key, timeMs, values));
    }
  } else {
    const first = before != 0 ? before : after;
    from = min<i64>(timeMs, load<i64>(first + SESSION_FIRST));
    if (hasSayings || !tryJoin(lane, key, before, after, timeMs, values)) {
      if (wasLate) return false;
      if (!tryArrange(lane, key, first, timeMs, values, NONE)) return false;
      to = arrangedTo;
    }
  }
  if (hasEnds) meetNeighbours(lane, key, from, to);
  return true;
}

/** Is a time behind a session not its own, by an end marker, a midnight or its length? It is at most the gap behind. */
function isCutOff(key: usize, session: usize, timeMs: i64): bool {
  if (timeMs > openUntil(session)) return true;
  return hasMarkerIn(key, load<i64>(session + SESSION_LAST), timeMs);
}

/** Is there an end marker at or behind a time, before another? */
// @ts-ignore: decorator
@inline
function hasMarkerIn(key: usize, fromMs: i64, toMs: i64): bool {
  const marker = markerFrom(key, fromMs);
  return marker != 0 && load<i64>(marker + MARKER_TIME) < toMs;
}

function isSaidCut(session: usize, values: usize): bool {
  return (load<u32>(session + NODE_FLAGS) & FLAG_ENDED) != 0 || isSplitBy(session, values);
}

let wasLate: bool = false;

/**
 * In a model in which times alone decide: an event within `before`, or with a session close behind it, where none is torn apart
 * by its length. False: one may be, nothing is done; or `wasLate`.
 */
function tryJoin(lane: usize, key: usize, before: usize, after: usize, timeMs: i64, values: usize): bool {
  wasLate = false;
  if (before != 0 && timeMs > load<i64>(before + SESSION_LAST) && isCutOff(key, before, timeMs)) before = 0;
  const start = before == 0 ? timeMs : load<i64>(before + SESSION_FIRST);
  const last = before == 0 ? timeMs : max(timeMs, load<i64>(before + SESSION_LAST));
  let held = before == 0 ? eventHeld : max<i64>(eventHeld, heldOf(before));
  if (after != 0) {
    const next = load<i64>(after + SESSION_FIRST);
    // what lies between cuts them apart, whatever comes
    const isApart = next > held || hasMarkerIn(key, last, next) || midnightAfter(start) <= next;
    if (isApart || next - start > maxDurationMs) after = 0;
    else if (load<i64>(after + SESSION_LAST) - start > maxDurationMs) return false;
    else held = max<i64>(held, heldOf(after));
    if (gapField >= 0 && after != 0 && reachesBehind(after, held)) return false;
  }
  if (isLate(lane, held)) {
    wasLate = true;
    return false;
  }
  if (before == 0 && after == 0) {
    addSession(lane, key, sessionUpTo(key, timeMs), newSessionOf(lane, key, timeMs, values));
    return true;
  }
  const session = before != 0 ? before : after;
  if (before != 0 && after != 0) {
    unlink(lane, after);
    store<u32>(before + NODE_LATER, load<u32>(after + NODE_LATER));
    absorb(lane, before, after);
    freeSession(lane, after);
  }
  join(lane, key, session, timeMs, values);
  return true;
}

/** Where events say how long they hold: is what was a gap behind a session none any more? */
function reachesBehind(session: usize, heldMs: i64): bool {
  const behind: usize = load<u32>(session + NODE_LATER);
  return behind != 0 && load<i64>(behind + SESSION_FIRST) <= heldMs;
}

/** Adds an event to a session, which closes again if it was closed. */
function join(lane: usize, key: usize, session: usize, timeMs: i64, values: usize): void {
  const wasClosed = isClosed(session);
  const isBefore = timeMs < load<i64>(session + SESSION_FIRST);
  if (wasClosed) reopen(lane, session);
  addEvent(lane, session, timeMs, values);
  // it is due earlier than it was
  if (wasClosed || isBefore) relink(lane, session);
}

/** An end event that belongs to no session: ends the one it follows, tears the one it lies in. False: late. */
function acceptEnd(lane: usize, key: usize, hash: u32, keyAt: usize, keyBytes: u32, endMs: i64): bool {
  const session: usize = key == 0 ? 0 : sessionUpTo(key, endMs);
  const from = session == 0 ? endMs : load<i64>(session + SESSION_FIRST);
  let reaches = false;
  let to = endMs;
  if (session != 0 && endMs <= openUntil(session)) {
    const marker = markerFrom(key, load<i64>(session + SESSION_LAST));
    reaches = marker == 0 || endMs < load<i64>(marker + MARKER_TIME);
  }
  if (reaches) {
    if (isClosed(session)) return false;
    const isWithin = endMs < load<i64>(session + SESSION_LAST);
    if (isWithin) {
      if (!tryArrange(lane, key, session, endMs, 0, endMs)) return false;
      to = arrangedTo;
    }
  } else {
    if (isLate(lane, eventHeld)) return false;
    if (key == 0) key = addKey(lane, hash, keyAt, keyBytes);
  }
  addMarker(lane, key, endMs);
  meetNeighbours(lane, key, from, to);
  dropIfEmpty(lane, key);
  return true;
}

/** What sessions end by, from the one before a time to those that begin up to another; and end markers go that end none and were passed. */
function meetNeighbours(lane: usize, key: usize, fromMs: i64, toMs: i64): void {
  let session: usize = load<u32>(key + KEY_SESSIONS);
  for (; session != 0 && load<i64>(session + SESSION_FIRST) <= toMs; session = load<u32>(session + NODE_LATER)) {
    const next: usize = load<u32>(session + NODE_LATER);
    // the one before that, too: what its next session begins by may be another
    const behind: usize = next == 0 ? 0 : load<u32>(next + NODE_LATER);
    if (behind == 0 || load<i64>(behind + SESSION_FIRST) > fromMs) meetEnd(lane, key, session);
  }
  dropPassed(lane, key);
}

/** End markers that the watermark has passed stay as long as they end a session that is known. */
export function dropPassed(lane: usize, key: usize): void {
  const watermark = load<i64>(lane + LANE_WATERMARK);
  let marker: usize = load<u32>(key + KEY_MARKERS);
  while (marker != 0) {
    const later: usize = load<u32>(marker + NODE_LATER);
    const time = load<i64>(marker + MARKER_TIME);
    if (time < watermark && !endsSession(key, time)) dropMarker(lane, key, marker);
    marker = later;
  }
}

function meetEnd(lane: usize, key: usize, session: usize): void {
  const next: usize = load<u32>(session + NODE_LATER);
  const last = load<i64>(session + SESSION_LAST);
  let until = openUntil(session);
  let end = NONE;
  let bySplit = false;
  if (next != 0) until = min<i64>(until, load<i64>(next + SESSION_FIRST) - 1);
  const marker = markerFrom(key, last);
  if ((load<u32>(session + NODE_FLAGS) & FLAG_ENDED) != 0) end = last;
  else if (marker != 0 && load<i64>(marker + MARKER_TIME) <= until) end = load<i64>(marker + MARKER_TIME);
  else if (next != 0 && hasSayings) {
    const from = load<i64>(next + SESSION_FIRST);
    const isNear = from <= heldOf(session) && midnightAfter(load<i64>(session + SESSION_FIRST)) > from;
    if (isNear && !hasMarkerIn(key, last, from) && isSplitFrom(session, next)) {
      end = from - 1;
      bySplit = true;
    }
  }
  if (end == endOf(session) && bySplit == ((load<u32>(session + NODE_FLAGS) & FLAG_SPLIT) != 0)) return;
  setEnd(lane, session, end, bySplit);
  if (!isClosed(session)) relink(lane, session);
}

/** Puts a session behind another of its key (0: before all of them), and into the wheel. */
export function addSession(lane: usize, key: usize, earlier: usize, session: usize): void {
  const at = earlier == 0 ? key + KEY_SESSIONS : earlier + NODE_LATER;
  store<u32>(session + NODE_LATER, load<u32>(at));
  store<u32>(at, <u32>session);
  link(lane, session);
}

export function addMarker(lane: usize, key: usize, timeMs: i64): void {
  let at = key + KEY_MARKERS;
  let next: usize = load<u32>(at);
  while (next != 0 && load<i64>(next + MARKER_TIME) < timeMs) {
    at = next + NODE_LATER;
    next = load<u32>(at);
  }
  if (next != 0 && load<i64>(next + MARKER_TIME) == timeMs) return;
  const marker = taken(lane, MARKER_BYTES);
  store<u32>(marker + NODE_FLAGS, FLAG_MARKER);
  store<u32>(marker + NODE_KEY, <u32>key);
  store<u32>(marker + NODE_LATER, <u32>next);
  store<i64>(marker + MARKER_TIME, timeMs);
  store<u32>(at, <u32>marker);
  link(lane, marker);
}

// @ts-ignore: decorator
@inline
export function isLate(lane: usize, heldMs: i64): bool {
  const watermark = load<i64>(lane + LANE_WATERMARK);
  return watermark != NONE && heldMs + latenessMs < watermark;
}

// @ts-ignore: decorator
@inline
function isClosed(session: usize): bool {
  return session != 0 && (load<u32>(session + NODE_FLAGS) & FLAG_CLOSED) != 0;
}

/** The first end marker at or behind a time, or 0. */
export function markerFrom(key: usize, timeMs: i64): usize {
  let marker: usize = load<u32>(key + KEY_MARKERS);
  while (marker != 0 && load<i64>(marker + MARKER_TIME) < timeMs) marker = load<u32>(marker + NODE_LATER);
  return marker;
}

/** The last session that begins at or before a time, or 0. */
export function sessionUpTo(key: usize, timeMs: i64): usize {
  let found: usize = 0;
  let next: usize = load<u32>(key + KEY_SESSIONS);
  while (next != 0 && load<i64>(next + SESSION_FIRST) <= timeMs) {
    found = next;
    next = load<u32>(next + NODE_LATER);
  }
  return found;
}

/** Brings a key up to the watermark. False: nothing is left of it. */
function settleKey(lane: usize, key: usize): bool {
  const watermark = load<i64>(lane + LANE_WATERMARK);
  let session: usize = load<u32>(key + KEY_SESSIONS);
  while (session != 0) {
    const later: usize = load<u32>(session + NODE_LATER);
    if (dueOf(session) < watermark) settleSession(lane, key, session, watermark);
    session = later;
  }
  dropPassed(lane, key);
  return !dropIfEmpty(lane, key);
}

/** Closes a session that is due, and forgets it when that is due too. */
function settleSession(lane: usize, key: usize, session: usize, watermark: i64): void {
  unlink(lane, session);
  const isOver = neededUntil(session) + latenessMs < watermark;
  if (!isClosed(session)) {
    // without more to say of it, its row needs no saying either
    emitSession(lane, session, closedByOf(session), !isOver && load<u32>(session + SESSION_REST) != 0);
    markClosed(lane, session);
  }
  if (isOver) forgetSession(lane, key, session);
  else link(lane, session);
}

/** A session that lies in no bucket any more is known no more. The end marker that it had is its caller's to drop. */
export function forgetSession(lane: usize, key: usize, session: usize): void {
  let at = key + KEY_SESSIONS;
  while (load<u32>(at) != <u32>session) at = <usize>load<u32>(at) + NODE_LATER;
  store<u32>(at, load<u32>(session + NODE_LATER));
  freeSession(lane, session);
  if (gapField < 0) return;
  // those behind it were to be known for as long as it
  for (let later: usize = load<u32>(at); later != 0; later = load<u32>(later + NODE_LATER)) relink(lane, later);
}

/** Does a marker end a session that is still known? */
function endsSession(key: usize, timeMs: i64): bool {
  const session = sessionUpTo(key, timeMs);
  return session != 0 && endOf(session) == timeMs;
}

/** One whose time passed while it ended a session lies in no bucket: NO_BUCKET. */
function dropMarker(lane: usize, key: usize, marker: usize): void {
  if (load<u32>(marker + NODE_BUCKET) != NO_BUCKET) unlink(lane, marker);
  let at = key + KEY_MARKERS;
  while (load<u32>(at) != <u32>marker) at = <usize>load<u32>(at) + NODE_LATER;
  store<u32>(at, load<u32>(marker + NODE_LATER));
  given(lane, marker);
}

export function dropIfEmpty(lane: usize, key: usize): bool {
  if (load<u32>(key + KEY_SESSIONS) != 0 || load<u32>(key + KEY_MARKERS) != 0) return false;
  removeKey(lane, key);
  return true;
}

/**
 * Does what the watermark has made due. `exactly`: up to the watermark itself; otherwise only whole buckets, which leaves
 * the last few seconds for later.
 */
export function settleLane(lane: usize, exactly: bool): void {
  const watermark = load<i64>(lane + LANE_WATERMARK);
  if (watermark == NONE) return;
  const last = bucketNumber(watermark);
  let bucket = load<i64>(lane + LANE_BUCKET);
  if (bucket == last && !exactly) return;
  if (last - bucket >= <i64>WHEEL_BUCKETS) bucket = last - <i64>WHEEL_BUCKETS + 1;
  store<i64>(lane + LANE_BUCKET, last);
  for (; bucket < last; bucket++) settleBucket(lane, <u32>bucket & (WHEEL_BUCKETS - 1), watermark);
  if (exactly) settleBucket(lane, <u32>last & (WHEEL_BUCKETS - 1), watermark);
}

function settleBucket(lane: usize, place: u32, watermark: i64): void {
  let node: usize = load<u32>(<usize>load<u32>(lane + LANE_WHEEL) + (place << 2));
  while (node != 0) {
    let next: usize = load<u32>(node + NODE_NEXT);
    if (next != 0) touchNode(next);
    const due = dueOf(node);
    if (due < watermark) {
      // what goes with it, or is due earlier without it, may be the next in this bucket
      const isAlone = isAloneInKey(node);
      settleNode(lane, node, watermark);
      if (!isAlone) next = load<u32>(<usize>load<u32>(lane + LANE_WHEEL) + (place << 2));
    } else if (isMisplaced(node, due, place)) {
      relink(lane, node);
    }
    node = next;
  }
}

/** Has its key no marker and, where sessions are known for as long as earlier ones, no other session? */
// @ts-ignore: decorator
@inline
function isAloneInKey(node: usize): bool {
  const key: usize = load<u32>(node + NODE_KEY);
  if (load<u32>(key + KEY_MARKERS) != 0) return false;
  return gapField < 0 || (load<u32>(key + KEY_SESSIONS) == <u32>node && load<u32>(node + NODE_LATER) == 0);
}

let sink: u32 = 0;

/** So that what is needed of the next node is on its way from memory while this one is settled. */
// @ts-ignore: decorator
@inline
function touchNode(node: usize): void {
  if ((load<u32>(node + NODE_FLAGS) & FLAG_MARKER) == 0) sink += load<u8>(load<u32>(node + SESSION_LOG));
}

function settleNode(lane: usize, node: usize, watermark: i64): void {
  const key: usize = load<u32>(node + NODE_KEY);
  keepKey(lane, key);
  if ((load<u32>(node + NODE_FLAGS) & FLAG_MARKER) == 0) {
    settleSession(lane, key, node, watermark);
    dropPassed(lane, key);
  } else if (endsSession(key, load<i64>(node + MARKER_TIME))) {
    unlink(lane, node);
    store<u32>(node + NODE_BUCKET, NO_BUCKET);
  } else {
    dropMarker(lane, key, node);
  }
  dropIfEmpty(lane, key);
}
