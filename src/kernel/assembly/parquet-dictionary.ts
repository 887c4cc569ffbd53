/**
 * The different values of a column, in the order in which they come: texts, or numbers of eight bytes. A table of open
 * addressing that grows; entries point into the column.
 *
 *   slot   hash u32 │ index + 1 u32
 *   entry  address u32 │ bytes u32 │ hash u32 │ 4 unused
 */
import { hashBytes, sameBytes } from './bytes';

export const DICTIONARY_BYTES_MAX: u32 = 1 << 20;
export const DICTIONARY_ENTRIES_MAX: u32 = 1 << 17;
/** Instead of an index: it would be too large. */
export const NO_INDEX: u32 = 0xffffffff;

const ENTRY_BITS: u32 = 4;
const SLOT_BITS: u32 = 3;
const SLOTS_MIN: u32 = 256;

let slots: usize = 0;
let entries: usize = 0;
let mask: u32 = 0;
let prefixBytes: u32 = 0;

export let dictionaryCount: u32 = 0;
/** Of its page. */
export let dictionaryBytes: u32 = 0;

/** What it takes for so many values. */
export function dictionaryNeeds(values: u64): u64 {
  const most = min(values, <u64>DICTIONARY_ENTRIES_MAX);
  return (<u64>slotsFor(most) << SLOT_BITS) + (most << ENTRY_BITS) + 64;
}

/** `isText`: each value has its length before it. `at` has room for so many values. */
export function dictionaryBegin(at: usize, values: u32, isText: bool): void {
  const most = min(values, DICTIONARY_ENTRIES_MAX);
  slots = at;
  entries = at + (<usize>slotsFor(most) << SLOT_BITS);
  dictionaryCount = 0;
  dictionaryBytes = 0;
  prefixBytes = isText ? 4 : 0;
  clear(SLOTS_MIN);
}

/** Reads up to 16 bytes behind the value. */
export function indexOf(at: usize, bytes: u32): u32 {
  const hash = hashBytes(at, bytes);
  let place = hash & mask;
  while (true) {
    const slot = slots + (place << SLOT_BITS);
    const found = load<u32>(slot, 4);
    if (found == 0) return insert(slot, hash, at, bytes);
    if (load<u32>(slot) == hash) {
      const entry = entries + ((found - 1) << ENTRY_BITS);
      if (load<u32>(entry, 4) == bytes && sameBytes(load<u32>(entry), at, bytes)) return found - 1;
    }
    place = (place + 1) & mask;
  }
}

/** Forgets all but the first so many; no value is looked for afterwards. */
export function dictionaryCut(count: u32): void {
  for (let i = count; i < dictionaryCount; i++) {
    dictionaryBytes -= prefixBytes + load<u32>(entries + (i << ENTRY_BITS), 4);
  }
  dictionaryCount = count;
}

/** Its page; writes up to 15 bytes behind it. */
export function dictionaryWrite(to: usize): usize {
  for (let i: u32 = 0; i < dictionaryCount; i++) {
    const entry = entries + (i << ENTRY_BITS);
    const bytes = load<u32>(entry, 4);
    if (prefixBytes > 0) {
      store<u32>(to, bytes);
      to += 4;
    }
    to = copyText(to, load<u32>(entry), bytes);
  }
  return to;
}

/** Up to 15 bytes behind it are read and written. */
// @ts-ignore: decorator
@inline
export function copyText(to: usize, from: usize, bytes: u32): usize {
  if (bytes > 128) memory.copy(to, from, bytes);
  else for (let i: u32 = 0; i < bytes; i += 16) v128.store(to + i, v128.load(from + i));
  return to + bytes;
}

function insert(slot: usize, hash: u32, at: usize, bytes: u32): u32 {
  const size = <u64>dictionaryBytes + prefixBytes + bytes;
  if (size > <u64>DICTIONARY_BYTES_MAX || dictionaryCount == DICTIONARY_ENTRIES_MAX) return NO_INDEX;
  dictionaryBytes = <u32>size;
  const index = dictionaryCount++;
  const entry = entries + (index << ENTRY_BITS);
  store<u32>(entry, <u32>at);
  store<u32>(entry, bytes, 4);
  store<u32>(entry, hash, 8);
  store<u32>(slot, hash);
  store<u32>(slot, index + 1, 4);
  if (dictionaryCount << 1 > mask) grow();
  return index;
}

function grow(): void {
  clear((mask + 1) << 1);
  for (let i: u32 = 0; i < dictionaryCount; i++) {
    const hash = load<u32>(entries + (i << ENTRY_BITS), 8);
    let place = hash & mask;
    while (load<u32>(slots + (place << SLOT_BITS), 4) != 0) place = (place + 1) & mask;
    store<u32>(slots + (place << SLOT_BITS), hash);
    store<u32>(slots + (place << SLOT_BITS), i + 1, 4);
  }
}

function clear(count: u32): void {
  mask = count - 1;
  memory.fill(slots, 0, <usize>count << SLOT_BITS);
}

/** It grows when it is half full, also with the last of the values. */
function slotsFor(values: u64): u32 {
  let count = SLOTS_MIN;
  while (<u64>count < (values << 1) + 2) count <<= 1;
  return count;
}
