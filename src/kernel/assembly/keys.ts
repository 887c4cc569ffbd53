/** A lane's table of keys: linear probing over slots of hash u32 │ key u32, at most ¾ full; halved when it is ⅛ full. */
import { hashBytes, sameBytes } from './bytes';
import { closeGap, place } from './intern';
import {
  KEY_KEPT,
  KEY_LENGTH,
  KEY_MARKERS,
  KEY_SESSIONS,
  KEY_TEXT,
  LANE_KEPT,
  LANE_KEYS,
  LANE_MASK,
  LANE_SLOTS,
} from './lane-layout';
import { given, taken } from './lane-memory';

export const SLOTS_FIRST: u32 = 64;

/** Bytes of its text. */
// @ts-ignore: decorator
@inline
export function keyBytesOf(key: usize): u32 {
  return load<u32>(key + KEY_LENGTH) & ~KEY_KEPT;
}

/** The key's record, or 0. */
export function findKey(lane: usize, hash: u32, at: usize, bytes: u32): usize {
  const slots: usize = load<u32>(lane + LANE_SLOTS);
  const mask = load<u32>(lane + LANE_MASK);
  let slotPlace = hash & mask;
  while (true) {
    const slot = slots + (slotPlace << 3);
    const key: usize = load<u32>(slot + 4);
    if (key == 0) return 0;
    if (load<u32>(slot) == hash && keyBytesOf(key) == bytes) {
      if (sameBytes(key + KEY_TEXT, at, bytes)) return key;
    }
    slotPlace = (slotPlace + 1) & mask;
  }
}

/** A key that there is not yet, nor in a snapshot under way. */
export function addKey(lane: usize, hash: u32, at: usize, bytes: u32): usize {
  const key = taken(lane, <u32>KEY_TEXT + bytes);
  store<u32>(key + KEY_LENGTH, bytes | load<u32>(lane + LANE_KEPT));
  store<u32>(key + KEY_SESSIONS, 0);
  store<u32>(key + KEY_MARKERS, 0);
  memory.copy(key + KEY_TEXT, at, bytes);
  const count = load<u32>(lane + LANE_KEYS) + 1;
  store<u32>(lane + LANE_KEYS, count);
  const mask = load<u32>(lane + LANE_MASK);
  if (count * 4 > (mask + 1) * 3) resize(lane, (mask + 1) << 1);
  place(load<u32>(lane + LANE_SLOTS), load<u32>(lane + LANE_MASK), hash, <u32>key);
  return key;
}

export function removeKey(lane: usize, key: usize): void {
  const slots: usize = load<u32>(lane + LANE_SLOTS);
  const mask = load<u32>(lane + LANE_MASK);
  let at = hashBytes(key + KEY_TEXT, keyBytesOf(key)) & mask;
  while (load<u32>(slots + (at << 3) + 4) != <u32>key) at = (at + 1) & mask;
  closeGap(slots, mask, at);
  given(lane, key);
  const count = load<u32>(lane + LANE_KEYS) - 1;
  store<u32>(lane + LANE_KEYS, count);
  if (mask >= SLOTS_FIRST && count < (mask + 1) >> 3) resize(lane, (mask + 1) >> 1);
}

export function newSlots(lane: usize, size: u32): void {
  const slots = taken(lane, size << 3);
  memory.fill(slots, 0, size << 3);
  store<u32>(lane + LANE_SLOTS, <u32>slots);
  store<u32>(lane + LANE_MASK, size - 1);
}

function resize(lane: usize, size: u32): void {
  const old: usize = load<u32>(lane + LANE_SLOTS);
  const oldSize = load<u32>(lane + LANE_MASK) + 1;
  newSlots(lane, size);
  const slots: usize = load<u32>(lane + LANE_SLOTS);
  for (let at: u32 = 0; at < oldSize; at++) {
    const key = load<u32>(old + (at << 3) + 4);
    if (key != 0) place(slots, size - 1, load<u32>(old + (at << 3)), key);
  }
  given(lane, old);
}
