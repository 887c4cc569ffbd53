/**
 * A lane's snapshot is written in turns while the lane goes on: some keys at a time, in the order of their slots, and before
 * that each key that is about to change. A bit in each key says whether it is in: it means the opposite in the next snapshot,
 * so that none has to be cleared. Whatever changes a key calls `keepKey` before.
 */
import {
  KEY_KEPT,
  KEY_LENGTH,
  KEY_SESSIONS,
  LANE_KEEP_AT,
  LANE_KEPT,
  LANE_KEYS,
  LANE_MASK,
  LANE_SLOTS,
  LANE_UNKEPT,
  SESSION_LOG,
  SESSION_LOG_BYTES,
} from './lane-layout';
import { reserve } from './memory';
import { loggedCount } from './model';
import { bufferAt, bufferBegin, bufferBytes } from './row-buffer';
import { putKey } from './snapshot';
import { forgetOf, rememberFor, snapshotValuesInit } from './snapshot-values';

/** What a call of `snapshotNext` writes about, and the slots that it looks at at most. */
const PORTION_BYTES: u32 = 1 << 16;
const PORTION_SLOTS: u32 = 2048;
/** Keys whose memory is asked for together. */
const GROUP: u32 = 32;

// @ts-ignore: decorator
@external("host", "kept")
declare function hostKept(lane: usize, at: usize, bytes: u32): void;

/** Keys that changed before their turn came, of one lane at a time, on their way to the host. */
let early: usize = 0;
let earlyLane: usize = 0;
let earlyBytes: u32 = 0;
/** Keys u32, and what was found of each. */
let group: usize = 0;
let sink: u32 = 0;

export function snapshotInit(): void {
  early = reserve(PORTION_BYTES);
  group = reserve(GROUP << 3);
  snapshotValuesInit();
}

/** The lane's state as it is now will be in the snapshot, whatever happens to the lane. None is under way. */
export function snapshotBegin(lane: usize): void {
  forgetOf(lane);
  store<u32>(lane + LANE_UNKEPT, load<u32>(lane + LANE_KEYS));
  store<u32>(lane + LANE_KEPT, load<u32>(lane + LANE_KEPT) ^ KEY_KEPT);
  store<u32>(lane + LANE_KEEP_AT, 0);
}

/** Gives the host some more keys; how many are still missing. */
export function snapshotNext(lane: usize): u32 {
  if (earlyLane == lane) giveEarly();
  bufferBegin();
  rememberFor(lane);
  let slotsLeft = PORTION_SLOTS;
  while (load<u32>(lane + LANE_UNKEPT) != 0 && bufferBytes < PORTION_BYTES && slotsLeft != 0) {
    const seen = fillGroup(lane, slotsLeft);
    slotsLeft -= seen;
    touchGroup();
    for (let index: u32 = 0; index < grouped; index++) putKept(lane, load<u32>(group + (index << 3)));
  }
  if (bufferBytes != 0) hostKept(lane, bufferAt, bufferBytes);
  return load<u32>(lane + LANE_UNKEPT);
}

/** Before a key changes: what it was when a snapshot began that is under way. */
// @ts-ignore: decorator
@inline
export function keepKey(lane: usize, key: usize): void {
  if (load<u32>(lane + LANE_UNKEPT) != 0 && !isKept(lane, key)) keepEarly(lane, key);
}

/** The lane goes, and its snapshot with it. */
export function snapshotDrop(lane: usize): void {
  forgetOf(lane);
  if (earlyLane != lane) return;
  earlyLane = 0;
  earlyBytes = 0;
}

// @ts-ignore: decorator
@inline
function isKept(lane: usize, key: usize): bool {
  return ((load<u32>(key + KEY_LENGTH) ^ load<u32>(lane + LANE_KEPT)) & KEY_KEPT) == 0;
}

function keepEarly(lane: usize, key: usize): void {
  bufferBegin();
  rememberFor(0);
  putKept(lane, key);
  if (earlyLane != lane || earlyBytes + bufferBytes > PORTION_BYTES) giveEarly();
  if (bufferBytes > PORTION_BYTES) {
    hostKept(lane, bufferAt, bufferBytes);
    return;
  }
  earlyLane = lane;
  memory.copy(early + earlyBytes, bufferAt, bufferBytes);
  earlyBytes += bufferBytes;
}

function giveEarly(): void {
  const bytes = earlyBytes;
  earlyBytes = 0;
  if (bytes != 0) hostKept(earlyLane, early, bytes);
  earlyLane = 0;
}

function putKept(lane: usize, key: usize): void {
  putKey(key);
  store<u32>(key + KEY_LENGTH, load<u32>(key + KEY_LENGTH) ^ KEY_KEPT);
  store<u32>(lane + LANE_UNKEPT, load<u32>(lane + LANE_UNKEPT) - 1);
}

let grouped: u32 = 0;

/**
 * Finds the next keys that are missing; how many slots it looked at. Keys may have moved to slots that lie behind us, or the
 * table to another size: after the last slot comes the first again, until none is missing.
 */
function fillGroup(lane: usize, slotsMax: u32): u32 {
  const slots: usize = load<u32>(lane + LANE_SLOTS);
  const mask = load<u32>(lane + LANE_MASK);
  const left = load<u32>(lane + LANE_UNKEPT);
  let place = load<u32>(lane + LANE_KEEP_AT);
  let seen: u32 = 0;
  grouped = 0;
  while (seen < slotsMax && grouped < GROUP && grouped < left) {
    const key: usize = load<u32>(slots + ((place & mask) << 3) + 4);
    place = (place + 1) & mask;
    seen++;
    if (key == 0 || isKept(lane, key)) continue;
    store<u32>(group + (grouped << 3), <u32>key);
    grouped++;
  }
  store<u32>(lane + LANE_KEEP_AT, place);
  return seen;
}

/** Reads what the group will need, level by level, so that the misses of a level overlap (as `touch` in window.ts does). */
function touchGroup(): void {
  const end = group + (grouped << 3);
  let sum: u32 = 0;
  for (let at = group; at < end; at += 8) {
    const session: usize = load<u32>(<usize>load<u32>(at) + KEY_SESSIONS);
    store<u32>(at + 4, <u32>session);
    if (session != 0) sum += load<u32>(session + SESSION_LOG);
  }
  for (let at = group; at < end; at += 8) {
    const session: usize = load<u32>(at + 4);
    const log: usize = session == 0 ? 0 : load<u32>(session + SESSION_LOG);
    store<u32>(at + 4, <u32>log);
    if (log == 0) continue;
    const bytes = load<u32>(session + SESSION_LOG_BYTES);
    for (let from: u32 = 0; from < bytes; from += 64) sum += load<u8>(log + from);
  }
  for (let at = group; at < end; at += 8) {
    const log: usize = load<u32>(at + 4);
    if (log == 0) continue;
    for (let place: u32 = 0; place < loggedCount; place++) {
      const entry: usize = load<u32>(log + (place << 2));
      if (entry != 0) sum += load<u32>(entry);
    }
  }
  sink = sum;
}
