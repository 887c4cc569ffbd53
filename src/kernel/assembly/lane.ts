/**
 * The sessions of one lane: which event belongs to which session, and when sessions end. src/reference/lane.ts says the
 * same in plain words; what differs is when the work is done: a key is brought up to the watermark when an event touches it,
 * all others when their bucket of the wheel has passed, so the state seen from outside is as if it were done at once.
 */
import { CLOSED_BY_END_EVENT, CLOSED_BY_GAP } from '../abi';
import { addKey, findKey, newSlots, removeKey, SLOTS_FIRST } from './keys';
import {
  FLAG_CLOSED,
  FLAG_MARKER,
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
  WHEEL_BUCKETS,
} from './lane-layout';
import { given, taken } from './lane-memory';
import { alloc } from './memory';
import { disorderMs, gapMs, latenessMs } from './model';
import { absorb, addEvent, closeSession, emitSession, freeSession, newSessionOf, splitAfter } from './session';
import { keepKey } from './snapshot-turns';
import { setEnd } from './standing';
import { sweepAddLane } from './sweep';
import { bucketNumber, dueOf, endOf, isMisplaced, link, NO_BUCKET, relink, unlink } from './wheel';

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

/** Takes an event; false: it is late. Values as in abi.ts. */
export function acceptEvent(
  lane: usize,
  hash: u32,
  keyAt: usize,
  keyBytes: u32,
  timeMs: i64,
  values: usize,
  endsSession: bool,
): bool {
  let key = findKey(lane, hash, keyAt, keyBytes);
  if (key != 0) keepKey(lane, key);
  if (key != 0 && !settleKey(lane, key)) key = 0;
  if (endsSession) {
    if (!acceptEnd(lane, key, hash, keyAt, keyBytes, timeMs)) return false;
  } else if (key == 0) {
    if (isLate(lane, timeMs)) return false;
    key = addKey(lane, hash, keyAt, keyBytes);
    addSession(lane, key, 0, newSessionOf(lane, key, timeMs, values));
  } else if (!acceptInto(lane, key, timeMs, values)) {
    return false;
  }
  moveWatermark(lane, timeMs - disorderMs);
  return true;
}

export function moveWatermark(lane: usize, timeMs: i64): void {
  if (timeMs > load<i64>(lane + LANE_WATERMARK)) store<i64>(lane + LANE_WATERMARK, timeMs);
}

function acceptInto(lane: usize, key: usize, timeMs: i64, values: usize): bool {
  // the last session that begins at or before the event, and the one behind it
  let before: usize = 0;
  let after: usize = load<u32>(key + KEY_SESSIONS);
  while (after != 0 && load<i64>(after + SESSION_FIRST) <= timeMs) {
    before = after;
    after = load<u32>(after + NODE_LATER);
  }
  const earlier = before;
  if (before != 0 && !areTogether(key, load<i64>(before + SESSION_LAST), timeMs)) before = 0;
  if (after != 0 && !areTogether(key, timeMs, load<i64>(after + SESSION_FIRST))) after = 0;
  const merged = after != 0 ? after : before;
  let lastMs = timeMs;
  if (merged != 0) lastMs = max<i64>(timeMs, load<i64>(merged + SESSION_LAST));
  if (isLate(lane, lastMs) || isClosed(before) || isClosed(after)) return false;
  if (merged == 0) {
    const added = newSessionOf(lane, key, timeMs, values);
    setEnd(lane, added, endAfter(key, timeMs));
    addSession(lane, key, earlier, added);
    return true;
  }
  const session = before != 0 ? before : after;
  if (before != 0 && after != 0) {
    unlink(lane, after);
    store<u32>(before + NODE_LATER, load<u32>(after + NODE_LATER));
    absorb(lane, before, after);
    freeSession(lane, after);
  }
  addEvent(lane, session, timeMs, values);
  if (load<u32>(key + KEY_MARKERS) != 0) {
    setEnd(lane, session, endAfter(key, load<i64>(session + SESSION_LAST)));
    relink(lane, session);
  }
  return true;
}

/** An end event: belongs to no session, ends the one it follows, splits the one it lies in. False: late. */
function acceptEnd(lane: usize, key: usize, hash: u32, keyAt: usize, keyBytes: u32, endMs: i64): bool {
  const session: usize = key == 0 ? 0 : sessionUpTo(key, endMs);
  let reaches = false;
  if (session != 0) {
    const end = endOf(session);
    reaches = endMs - load<i64>(session + SESSION_LAST) <= gapMs && (end == NONE || endMs < end);
  }
  if (reaches ? isClosed(session) : isLate(lane, endMs)) return false;
  if (key == 0) key = addKey(lane, hash, keyAt, keyBytes);
  addMarker(lane, key, endMs);
  if (reaches) {
    if (endMs < load<i64>(session + SESSION_LAST)) {
      const later = splitAfter(lane, session, endMs);
      setEnd(lane, later, endAfter(key, load<i64>(later + SESSION_LAST)));
      addSession(lane, key, session, later);
    }
    setEnd(lane, session, endMs);
    relink(lane, session);
  }
  return true;
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
function isLate(lane: usize, lastMs: i64): bool {
  const watermark = load<i64>(lane + LANE_WATERMARK);
  return watermark != NONE && lastMs + gapMs + latenessMs < watermark;
}

// @ts-ignore: decorator
@inline
function isClosed(session: usize): bool {
  return session != 0 && (load<u32>(session + NODE_FLAGS) & FLAG_CLOSED) != 0;
}

/** Two events, the first at or before the second or around it. */
function areTogether(key: usize, fromMs: i64, toMs: i64): bool {
  if (toMs <= fromMs) return true;
  if (toMs - fromMs > gapMs) return false;
  const marker = markerFrom(key, fromMs);
  return marker == 0 || load<i64>(marker + MARKER_TIME) >= toMs;
}

/** The first end marker at or behind a time, or 0. */
function markerFrom(key: usize, timeMs: i64): usize {
  let marker: usize = load<u32>(key + KEY_MARKERS);
  while (marker != 0 && load<i64>(marker + MARKER_TIME) < timeMs) marker = load<u32>(marker + NODE_LATER);
  return marker;
}

/** The marker that ends a session with this last event, or NONE. */
function endAfter(key: usize, lastMs: i64): i64 {
  const marker = markerFrom(key, lastMs);
  if (marker == 0) return NONE;
  const at = load<i64>(marker + MARKER_TIME);
  return at - lastMs <= gapMs ? at : NONE;
}

/** The last session that begins at or before a time, or 0. */
function sessionUpTo(key: usize, timeMs: i64): usize {
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
  let marker: usize = load<u32>(key + KEY_MARKERS);
  while (marker != 0) {
    const later: usize = load<u32>(marker + NODE_LATER);
    const time = load<i64>(marker + MARKER_TIME);
    if (time < watermark && !endsSession(key, time)) dropMarker(lane, key, marker);
    marker = later;
  }
  return !dropIfEmpty(lane, key);
}

/** Closes a session that is due, and forgets it when that is due too. */
function settleSession(lane: usize, key: usize, session: usize, watermark: i64): void {
  unlink(lane, session);
  if (!isClosed(session)) {
    emitSession(lane, session, endOf(session) == NONE ? CLOSED_BY_GAP : CLOSED_BY_END_EVENT, false);
    closeSession(lane, session);
  }
  if (dueOf(session) < watermark) forgetSession(lane, key, session, watermark);
  else link(lane, session);
}

/** A session that lies in no bucket any more is known no more; the end marker it had goes if it can't matter again. */
export function forgetSession(lane: usize, key: usize, session: usize, watermark: i64): void {
  const end = endOf(session);
  let at = key + KEY_SESSIONS;
  while (load<u32>(at) != <u32>session) at = <usize>load<u32>(at) + NODE_LATER;
  store<u32>(at, load<u32>(session + NODE_LATER));
  freeSession(lane, session);
  if (end == NONE || end >= watermark) return;
  const marker = markerFrom(key, end);
  if (marker == 0 || load<i64>(marker + MARKER_TIME) != end) return;
  dropMarker(lane, key, marker);
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
    const due = dueOf(node);
    if (due < watermark) {
      // an end marker goes with its session, and may be the next in this bucket
      const isAlone = load<u32>(<usize>load<u32>(node + NODE_KEY) + KEY_MARKERS) == 0;
      settleNode(lane, node, watermark);
      if (!isAlone) next = load<u32>(<usize>load<u32>(lane + LANE_WHEEL) + (place << 2));
    } else if (isMisplaced(node, due, place)) {
      relink(lane, node);
    }
    node = next;
  }
}

function settleNode(lane: usize, node: usize, watermark: i64): void {
  const key: usize = load<u32>(node + NODE_KEY);
  keepKey(lane, key);
  if ((load<u32>(node + NODE_FLAGS) & FLAG_MARKER) == 0) {
    settleSession(lane, key, node, watermark);
  } else if (endsSession(key, load<i64>(node + MARKER_TIME))) {
    unlink(lane, node);
    store<u32>(node + NODE_BUCKET, NO_BUCKET);
  } else {
    dropMarker(lane, key, node);
  }
  dropIfEmpty(lane, key);
}
