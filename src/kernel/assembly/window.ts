/**
 * The records of an open batch, some at a time: scanned into a window, then taken by the lane together, so that what they
 * will touch is on its way from memory before the first is taken. Undecided records go to the host, in their order.
 *
 *   event   0 time i64 │ 8 record's timestamp i64 │ 16 key u32 │ 20 its bytes i32 │ 24 value u32 │ 28 its bytes i32
 *           32 offset delta i32 │ 36 hash of the session key u32 │ 40 touched u32 │ 44 0 │ 48 values
 */
import {
  FLAG_COMPLETE,
  KEY_SESSIONS,
  KEY_TEXT,
  LANE_FILTERED,
  LANE_MASK,
  LANE_SLOTS,
  NODE_FLAGS,
  NODE_LATER,
  NONE,
  SESSION_LOG,
  SESSION_LOG_BYTES,
  SESSION_REST,
} from './lane-layout';
import {
  DECIDED_LAST,
  DECIDED_NONE,
  EVENT_ENDS,
  EVENT_STARTS,
  NULL_NUMBER_HIGH,
  VALUE_BYTES,
  VALUE_JSON,
  VALUE_MESSAGE,
} from '../abi';
import { hashBytes } from './bytes';
import { holds } from './event-conditions';
import { ENTRY_VALUE, internBytes } from './intern';
import { acceptEvent, moveWatermark, settleLane } from './lane';
import { lanesBytes } from './lane-memory';
import { alloc, free, reserve } from './memory';
import {
  disorderMs,
  endCondition,
  endCounted,
  fieldCount,
  filterCondition,
  flagsField,
  keyField,
  maxFutureMs,
  offsetField,
  partitionField,
  startCondition,
  timeField,
  trackedCount,
  valueFormat,
} from './model';
import { logHeadBytes, logUseResolved, saidBytes, TOUCH_BYTES_MAX } from './log';
import { blankedReset, makesValues, makeValues, scratchNeed } from './made-values';
import { resolve, resolveBegin, resolvedOf, resolveHash, resolveInit, resolvedStride } from './resolve';
import { sweepForRoom, sweepIfDue } from './sweep';
import { scanEvent, scanScratchFree, scanScratchReset, scanValueBytes } from './scan';
import {
  recKeyAt,
  recKeyBytes,
  recOffsetDelta,
  recordNext,
  recordsBegin,
  recTimestampDelta,
  recValueAt,
  recValueBytes,
} from './walk';

// @ts-ignore: decorator
@external("host", "decide")
declare function hostDecide(offsetDelta: i32, timestampMs: f64, keyAt: usize, keyBytes: i32, valueAt: usize, valueBytes: i32): i32;
/** The next event of the record that `decide` was asked of. */
// @ts-ignore: decorator
@external("host", "decideNext")
declare function hostDecideNext(): i32;
// @ts-ignore: decorator
@external("host", "late")
declare function hostLate(offsetDelta: i32, timestampMs: f64, keyAt: usize, keyBytes: i32, valueAt: usize, valueBytes: i32, eventMs: f64): void;

const FRAMING_BYTES: i32 = 5;
const WINDOW_EVENTS: u32 = 128;
/** Bytes of values after which a window is closed: what memory may grow by between two looks at its limit. */
const WINDOW_BYTES: u32 = 1 << 20;

const EVENT_TIME: usize = 0;
const EVENT_TIMESTAMP: usize = 8;
const EVENT_KEY: usize = 16;
const EVENT_KEY_BYTES: usize = 20;
const EVENT_VALUE: usize = 24;
const EVENT_VALUE_BYTES: usize = 28;
const EVENT_OFFSET: usize = 32;
const EVENT_HASH: usize = 36;
const EVENT_TOUCHED: usize = 40;
const EVENT_VALUES: usize = 48;

let eventBytes: u32 = 0;
let window: usize = 0;
let events: u32 = 0;
let windowValueBytes: u32 = 0;
let limitBytes: u64 = 0;
let decidedTextAt: usize = 0;
let decidedTextRoom: u32 = 0;
let sink: u32 = 0;
/** Where the records of the run lie. */
let runBaseOffset: i64 = 0;
let runPartition: u32 = 0;

/** Offset delta of the first record that the last run did not take, when it ended for want of memory. */
export let runNext: i32 = 0;
/** The run ended because sessions have all the memory that they may take. */
export let runFull: bool = false;
/** Records that the host was asked about. */
export let undecided: u32 = 0;

/** `sessionBytesMax`: what sessions may take. One event more is kept free for what the host decides. */
export function windowInit(sessionBytesMax: u64): void {
  eventBytes = <u32>EVENT_VALUES + scanValueBytes(fieldCount);
  window = reserve(eventBytes * (WINDOW_EVENTS + 1));
  limitBytes = sessionBytesMax;
  resolveInit(WINDOW_EVENTS);
}

/** Where the host puts the values of a record that it decided, and the texts they refer to. */
export function decidedValues(): usize {
  return window + eventBytes * WINDOW_EVENTS + EVENT_VALUES;
}

export function decidedText(bytes: u32): usize {
  if (bytes + 32 > decidedTextRoom) {
    if (decidedTextAt != 0) free(decidedTextAt);
    decidedTextRoom = bytes + 32 < 4096 ? 4096 : bytes + 32;
    decidedTextAt = alloc(decidedTextRoom);
    if (decidedTextAt == 0) unreachable();
  }
  return decidedTextAt;
}

/**
 * Takes the records with offset deltas in [from, until) of a batch that was checked; their number. `appendTimeMs`: the time
 * of all of them, NONE: each has its own. A record over `recordBytesMax` is the host's. `baseOffset`: the batch's.
 */
export function run(
  lane: usize,
  at: usize,
  bytes: u32,
  from: i64,
  until: i64,
  baseTimestampMs: i64,
  appendTimeMs: i64,
  recordBytesMax: u32,
  baseOffset: i64,
  partition: u32,
): u32 {
  recordsBegin(at, bytes);
  runBaseOffset = baseOffset;
  runPartition = partition;
  let taken: u32 = 0;
  runFull = false;
  runNext = 0;
  blankedReset();
  beginWindow();
  while (recordNext()) {
    const offset = recOffsetDelta;
    if (<i64>offset < from) continue;
    if (<i64>offset >= until) break;
    if (events == 0 && lanesBytes + internBytes > limitBytes && !sweepForRoom()) {
      runFull = true;
      runNext = offset;
      break;
    }
    const timestamp = appendTimeMs != NONE ? appendTimeMs : baseTimestampMs + recTimestampDelta;
    taken++;
    if (!scanRecord(timestamp, recordBytesMax)) {
      flush(lane);
      decide(lane, timestamp);
    } else if (events == WINDOW_EVENTS || windowValueBytes >= WINDOW_BYTES) {
      flush(lane);
    }
  }
  flush(lane);
  settleLane(lane, false);
  return taken;
}

function beginWindow(): void {
  events = 0;
  windowValueBytes = 0;
  scanScratchReset();
}

/** Adds the record last read to the window; false: the host must decide. */
// @ts-ignore: decorator
@inline
function scanRecord(timestamp: i64, recordBytesMax: u32): bool {
  const valueBytes = recValueBytes;
  if (valueBytes <= 0 || <u64>valueBytes + <u64>max(recKeyBytes, 0) > <u64>recordBytesMax) return false;
  if (<u32>valueBytes > scanScratchFree()) return false;
  if (makesValues && scratchNeed(valueBytes) > <u64>scanScratchFree()) return false;
  const event = window + events * eventBytes;
  const values = event + EVENT_VALUES;
  let from = recValueAt;
  let jsonBytes = valueBytes;
  if (valueFormat != VALUE_JSON) {
    // a schema registry's framing: 0, and four bytes of the schema's id
    if (valueFormat == VALUE_MESSAGE || jsonBytes <= FRAMING_BYTES || load<u8>(from) != 0) return false;
    from += FRAMING_BYTES;
    jsonBytes -= FRAMING_BYTES;
  }
  if (!scanEvent(from, jsonBytes, values)) return false;
  if (offsetField >= 0) store<f64>(values + offsetField * VALUE_BYTES, <f64>(runBaseOffset + recOffsetDelta));
  if (partitionField >= 0) store<f64>(values + partitionField * VALUE_BYTES, <f64>runPartition);
  const time = <i64>load<f64>(values + timeField * VALUE_BYTES);
  if (timestamp >= 0 && time - timestamp > maxFutureMs) return false;
  if (makesValues) makeValues(values);
  store<i64>(event + EVENT_TIME, time);
  store<i64>(event + EVENT_TIMESTAMP, timestamp);
  store<u32>(event + EVENT_KEY, <u32>recKeyAt);
  store<i32>(event + EVENT_KEY_BYTES, recKeyBytes);
  store<u32>(event + EVENT_VALUE, <u32>recValueAt);
  store<i32>(event + EVENT_VALUE_BYTES, valueBytes);
  store<i32>(event + EVENT_OFFSET, recOffsetDelta);
  const key = values + keyField * VALUE_BYTES;
  store<u32>(event + EVENT_HASH, hashBytes(load<u32>(key), load<u32>(key + 4)));
  if (events == 0) resolveBegin();
  resolveHash(events, values);
  windowValueBytes += valueBytes;
  events++;
  return true;
}

function decide(lane: usize, timestamp: i64): void {
  undecided++;
  const offset = recOffsetDelta;
  const keyAt = recKeyAt;
  const keyBytes = recKeyBytes;
  const valueAt = recValueAt;
  const valueBytes = recValueBytes;
  let said = hostDecide(offset, <f64>timestamp, keyAt, keyBytes, valueAt, valueBytes);
  const values = decidedValues();
  const event = values - EVENT_VALUES;
  while (said != DECIDED_NONE) {
    const time = <i64>load<f64>(values + timeField * VALUE_BYTES);
    const key = values + keyField * VALUE_BYTES;
    store<i64>(event + EVENT_TIME, time);
    store<i64>(event + EVENT_TIMESTAMP, timestamp);
    store<u32>(event + EVENT_KEY, <u32>keyAt);
    store<i32>(event + EVENT_KEY_BYTES, keyBytes);
    store<u32>(event + EVENT_VALUE, <u32>valueAt);
    store<i32>(event + EVENT_VALUE_BYTES, valueBytes);
    store<i32>(event + EVENT_OFFSET, offset);
    store<u32>(event + EVENT_HASH, hashBytes(load<u32>(key), load<u32>(key + 4)));
    logUseResolved(resolvedOf(WINDOW_EVENTS));
    take(lane, event);
    if (said == DECIDED_LAST) break;
    said = hostDecideNext();
  }
}

/** The lane takes the window's events. */
function flush(lane: usize): void {
  const count = events;
  if (count == 0) return;
  resolve(window + EVENT_VALUES, eventBytes, count);
  touch(lane, count);
  let event = window;
  let resolved = resolvedOf(0);
  for (let index: u32 = 0; index < count; index++) {
    logUseResolved(resolved);
    take(lane, event);
    event += eventBytes;
    resolved += resolvedStride;
  }
  sweepIfDue();
  beginWindow();
}

// @ts-ignore: decorator
@inline
function take(lane: usize, event: usize): void {
  const values = event + EVENT_VALUES;
  const key = values + keyField * VALUE_BYTES;
  const time = load<i64>(event + EVENT_TIME);
  if (filterCondition >= 0 && !holds(filterCondition, values)) {
    store<u64>(lane + LANE_FILTERED, load<u64>(lane + LANE_FILTERED) + 1);
    moveWatermark(lane, time - disorderMs);
    return;
  }
  const ends = endCondition >= 0 && holds(endCondition, values);
  if (flagsField >= 0) putFlags(values, ends);
  const accepted = acceptEvent(
    lane,
    load<u32>(event + EVENT_HASH),
    load<u32>(key),
    load<u32>(key + 4),
    time,
    values,
    ends && !endCounted,
  );
  if (accepted) return;
  hostLate(
    load<i32>(event + EVENT_OFFSET),
    <f64>load<i64>(event + EVENT_TIMESTAMP),
    load<u32>(event + EVENT_KEY),
    load<i32>(event + EVENT_KEY_BYTES),
    load<u32>(event + EVENT_VALUE),
    load<i32>(event + EVENT_VALUE_BYTES),
    <f64>time,
  );
}

/** What an event is for its session, as if it were a value of its own. */
function putFlags(values: usize, ends: bool): void {
  let flags: u32 = ends && endCounted ? EVENT_ENDS : 0;
  if (startCondition >= 0 && holds(startCondition, values)) flags |= EVENT_STARTS;
  const at = values + flagsField * VALUE_BYTES;
  if (flags != 0) store<f64>(at, <f64>flags);
  else store<u64>(at, <u64>NULL_NUMBER_HIGH << 32);
}

/**
 * Reads what the events will need, level by level, each level for all of them: so the misses of a level overlap. Nothing
 * is decided here, only fetched. Of what may lie in two cache lines both ends are read.
 */
function touch(lane: usize, count: u32): void {
  const keyBytesAt = EVENT_VALUES + keyField * VALUE_BYTES + 4;
  const slots: usize = load<u32>(lane + LANE_SLOTS);
  const mask = load<u32>(lane + LANE_MASK);
  const end = window + count * eventBytes;
  let sum: u32 = 0;
  for (let event = window; event < end; event += eventBytes) {
    sum += load<u32>(slots + ((load<u32>(event + EVENT_HASH) & mask) << 3));
  }
  for (let event = window; event < end; event += eventBytes) {
    const hash = load<u32>(event + EVENT_HASH);
    let place = hash & mask;
    let key: u32 = 0;
    while (true) {
      const slot = slots + (place << 3);
      key = load<u32>(slot + 4);
      if (key == 0 || load<u32>(slot) == hash) break;
      place = (place + 1) & mask;
    }
    store<u32>(event + EVENT_TOUCHED, key);
    if (key != 0) sum += load<u32>(<usize>key + KEY_SESSIONS) + load<u8>(<usize>key + KEY_TEXT + min<u32>(load<u32>(event + keyBytesAt), TOUCH_BYTES_MAX));
  }
  for (let event = window; event < end; event += eventBytes) {
    const key: usize = load<u32>(event + EVENT_TOUCHED);
    const session: usize = key == 0 ? 0 : load<u32>(key + KEY_SESSIONS);
    store<u32>(event + EVENT_TOUCHED, <u32>session);
    if (session != 0) sum += load<u32>(session + NODE_LATER) + load<u32>(session + SESSION_REST);
  }
  for (let event = window; event < end; event += eventBytes) {
    const session: usize = load<u32>(event + EVENT_TOUCHED);
    if (session == 0) continue;
    const log: usize = load<u32>(session + SESSION_LOG);
    store<u32>(event + EVENT_TOUCHED, <u32>log);
    if (log == 0) continue;
    sum += load<u8>(log) + load<u8>(log + load<u32>(session + SESSION_LOG_BYTES) - 1);
    if ((load<u32>(session + NODE_FLAGS) & FLAG_COMPLETE) == 0) sum += load<u8>(log + logHeadBytes - 8);
  }
  let resolved = resolvedOf(0) - resolvedStride;
  for (let event = window; event < end; event += eventBytes) {
    resolved += resolvedStride;
    const log: usize = load<u32>(event + EVENT_TOUCHED);
    if (log == 0) continue;
    for (let place: u32 = 0; place < trackedCount; place++) {
      if (load<u32>(resolved + (place << 2)) != 0) continue;
      const entry: usize = load<u32>(log + (place << 2));
      if (entry != 0) sum += load<u32>(entry) + load<u8>(entry + ENTRY_VALUE + saidBytes(place, event + EVENT_VALUES));
    }
  }
  sink = sum;
}
