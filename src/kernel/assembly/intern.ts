/**
 * The values that sessions hold, each once: a pool for each logged field, shared by all lanes of the worker.
 *
 * The values of a session's first event are counted, and go with the last session that has them: so what is unique to a
 * session (an id, an address) costs nothing after it. What later events change to is pinned instead, since these are the
 * popular values (pages, products) and counting each use of each would cost more than all else that is done with it; a sweep
 * (sweep.ts) lets go of pinned values that nothing refers to any more.
 *
 *   pool    0 slots u32 │ 4 slot mask │ 8 values │ 12 index table u32 │ 16 its size │ 20 first free index │ 24 next new index
 *   slot    hash u32 │ entry u32                              linear probing, at most ¾ full
 *   index   entry u32, or (next free index << 1 | 1)          index 0 is null
 *   entry   sessions u32 and PINNED, MARKED │ index u32 │ bytes u32 │ value: UTF-8, or 8 bytes of f64
 *
 * Only pinned values have an index: logs refer to them by it, to those of first events by address.
 */
import { hashBytes, sameBytes } from './bytes';
import { alloc, blockBytes, free, reserve } from './memory';

const POOL_BYTES: u32 = 32;
const SLOTS: usize = 0;
const MASK: usize = 4;
const COUNT: usize = 8;
const INDEX: usize = 12;
const INDEX_SIZE: usize = 16;
const FREE_INDEX: usize = 20;
const NEXT_INDEX: usize = 24;
const SLOTS_FIRST: u32 = 16;

/** Bits beside the number of sessions. */
export const PINNED: u32 = 0x80000000;
export const MARKED: u32 = 0x40000000;
const SESSIONS: u32 = 0x3fffffff;

export const ENTRY_REFERENCES: usize = 0;
export const ENTRY_INDEX: usize = 4;
export const ENTRY_LENGTH: usize = 8;
export const ENTRY_VALUE: usize = 12;

let pools: usize = 0;
/** Bytes of all pools and entries. */
export let internBytes: u64 = 0;

export function internInit(count: u32): void {
  pools = reserve(count * POOL_BYTES + 1);
  for (let place: u32 = 0; place < count; place++) {
    const pool = poolOf(place);
    store<u32>(pool + SLOTS, <u32>zeroed(SLOTS_FIRST << 3));
    store<u32>(pool + MASK, SLOTS_FIRST - 1);
    store<u32>(pool + INDEX, <u32>zeroed(SLOTS_FIRST << 2));
    store<u32>(pool + INDEX_SIZE, SLOTS_FIRST);
    store<u32>(pool + NEXT_INDEX, 1);
  }
}

// @ts-ignore: decorator
@inline
export function poolOf(place: u32): usize {
  return pools + place * POOL_BYTES;
}

/** The entry of an index that is not 0. */
// @ts-ignore: decorator
@inline
export function entryAt(pool: usize, index: u32): usize {
  return load<u32>(<usize>load<u32>(pool + INDEX) + (index << 2));
}

/** Values in a pool. */
// @ts-ignore: decorator
@inline
export function poolSize(pool: usize): u32 {
  return load<u32>(pool + COUNT);
}

/** Where a value with this hash is looked for first. */
// @ts-ignore: decorator
@inline
export function slotOf(pool: usize, hash: u32): usize {
  return <usize>load<u32>(pool + SLOTS) + ((hash & load<u32>(pool + MASK)) << 3);
}

/** The value's entry, or 0. */
export function lookUp(pool: usize, hash: u32, at: usize, bytes: u32): usize {
  const slots: usize = load<u32>(pool + SLOTS);
  const mask = load<u32>(pool + MASK);
  let place = hash & mask;
  while (true) {
    const slot = slots + (place << 3);
    const entry: usize = load<u32>(slot + 4);
    if (entry == 0) return 0;
    if (load<u32>(slot) == hash && load<u32>(entry + ENTRY_LENGTH) == bytes) {
      if (sameBytes(entry + ENTRY_VALUE, at, bytes)) return entry;
    }
    place = (place + 1) & mask;
  }
}

/** The value's entry, made where there is none yet (of no session, not pinned: it must be held or pinned at once). Traps when memory is full. */
export function intern(pool: usize, at: usize, bytes: u32): usize {
  const hash = hashBytes(at, bytes);
  const entry = lookUp(pool, hash, at, bytes);
  return entry != 0 ? entry : add(pool, hash, at, bytes);
}

// @ts-ignore: decorator
@inline
export function hold(entry: usize): void {
  store<u32>(entry, load<u32>(entry) + 1);
}

// @ts-ignore: decorator
@inline
export function release(pool: usize, entry: usize): void {
  const references = load<u32>(entry) - 1;
  store<u32>(entry, references);
  if (references == 0) remove(pool, entry);
}

/** Bytes of the pinned values. */
export let pinnedBytes: u64 = 0;

// @ts-ignore: decorator
@inline
export function isPinned(entry: usize): bool {
  return (load<u32>(entry) & PINNED) != 0;
}

/** The entry's index. It stays until a sweep finds that nothing refers to it. */
// @ts-ignore: decorator
@inline
export function pin(place: u32, entry: usize): u32 {
  return (load<u32>(entry) & PINNED) != 0 ? load<u32>(entry + ENTRY_INDEX) : pinFirst(poolOf(place), entry);
}

function pinFirst(pool: usize, entry: usize): u32 {
  const index = newIndex(pool, entry);
  store<u32>(entry, load<u32>(entry) | PINNED);
  store<u32>(entry + ENTRY_INDEX, index);
  pinnedBytes += blockBytes(entry);
  return index;
}

export function mark(entry: usize): void {
  store<u32>(entry, load<u32>(entry) | MARKED);
}

/** Of the pinned entries, those that are not marked are pinned no more; marks go. */
export function unpinUnmarked(pool: usize): void {
  const table: usize = load<u32>(pool + INDEX);
  const end = load<u32>(pool + NEXT_INDEX);
  for (let index: u32 = 1; index < end; index++) {
    const entry: usize = load<u32>(table + (index << 2));
    if ((entry & 1) != 0) continue;
    const references = load<u32>(entry);
    if ((references & MARKED) != 0) {
      store<u32>(entry, references & ~MARKED);
    } else if ((references & PINNED) != 0) {
      pinnedBytes -= blockBytes(entry);
      store<u32>(entry, references & SESSIONS);
      giveIndex(pool, index);
      if ((references & SESSIONS) == 0) remove(pool, entry);
    }
  }
  if (load<u32>(pool + COUNT) == 0) emptyIndex(pool);
}

/** Nothing has an index any more: a table that many values made large goes with them, so that an empty pool always takes the same. */
function emptyIndex(pool: usize): void {
  store<u32>(pool + FREE_INDEX, 0);
  store<u32>(pool + NEXT_INDEX, 1);
  if (load<u32>(pool + INDEX_SIZE) == SLOTS_FIRST) return;
  const table = alloc(SLOTS_FIRST << 2);
  // memory is short: the large one does too
  if (table == 0) return;
  internBytes += blockBytes(table);
  memory.fill(table, 0, SLOTS_FIRST << 2);
  given(load<u32>(pool + INDEX));
  store<u32>(pool + INDEX, <u32>table);
  store<u32>(pool + INDEX_SIZE, SLOTS_FIRST);
}

function add(pool: usize, hash: u32, at: usize, bytes: u32): usize {
  const entry = taken(<u32>ENTRY_VALUE + bytes);
  store<u32>(entry + ENTRY_REFERENCES, 0);
  store<u32>(entry + ENTRY_LENGTH, bytes);
  memory.copy(entry + ENTRY_VALUE, at, bytes);
  const count = load<u32>(pool + COUNT) + 1;
  store<u32>(pool + COUNT, count);
  const mask = load<u32>(pool + MASK);
  if (count * 4 > (mask + 1) * 3) resize(pool, (mask + 1) << 1);
  place(load<u32>(pool + SLOTS), load<u32>(pool + MASK), hash, <u32>entry);
  return entry;
}

function newIndex(pool: usize, entry: usize): u32 {
  let table: usize = load<u32>(pool + INDEX);
  let index = load<u32>(pool + FREE_INDEX);
  if (index != 0) {
    store<u32>(pool + FREE_INDEX, load<u32>(table + (index << 2)) >> 1);
  } else {
    index = load<u32>(pool + NEXT_INDEX);
    store<u32>(pool + NEXT_INDEX, index + 1);
    const size = load<u32>(pool + INDEX_SIZE);
    if (index == size) {
      const larger = taken(size << 3);
      memory.copy(larger, table, size << 2);
      given(table);
      table = larger;
      store<u32>(pool + INDEX, <u32>larger);
      store<u32>(pool + INDEX_SIZE, size << 1);
    }
  }
  store<u32>(table + (index << 2), <u32>entry);
  return index;
}

function giveIndex(pool: usize, index: u32): void {
  store<u32>(<usize>load<u32>(pool + INDEX) + (index << 2), (load<u32>(pool + FREE_INDEX) << 1) | 1);
  store<u32>(pool + FREE_INDEX, index);
}

/** What is not pinned. */
function remove(pool: usize, entry: usize): void {
  const slots: usize = load<u32>(pool + SLOTS);
  const mask = load<u32>(pool + MASK);
  let at = hashBytes(entry + ENTRY_VALUE, load<u32>(entry + ENTRY_LENGTH)) & mask;
  while (load<u32>(slots + (at << 3) + 4) != <u32>entry) at = (at + 1) & mask;
  closeGap(slots, mask, at);
  given(entry);
  const count = load<u32>(pool + COUNT) - 1;
  store<u32>(pool + COUNT, count);
  if (mask >= SLOTS_FIRST && count < (mask + 1) >> 3) resize(pool, (mask + 1) >> 1);
}

/** Empties a slot: those behind it that it pushed away move up, so that no probe stops before its goal. */
export function closeGap(slots: usize, mask: u32, at: u32): void {
  let gap = at;
  let next = at;
  while (true) {
    next = (next + 1) & mask;
    const slot = slots + (next << 3);
    if (load<u32>(slot + 4) == 0) break;
    const home = load<u32>(slot) & mask;
    if (((next - home) & mask) < ((next - gap) & mask)) continue;
    store<u64>(slots + (gap << 3), load<u64>(slot));
    gap = next;
  }
  store<u64>(slots + (gap << 3), 0);
}

// @ts-ignore: decorator
@inline
export function place(slots: usize, mask: u32, hash: u32, value: u32): void {
  let at = hash & mask;
  while (load<u32>(slots + (at << 3) + 4) != 0) at = (at + 1) & mask;
  store<u32>(slots + (at << 3), hash);
  store<u32>(slots + (at << 3) + 4, value);
}

function resize(pool: usize, size: u32): void {
  const old: usize = load<u32>(pool + SLOTS);
  const oldSize = load<u32>(pool + MASK) + 1;
  const slots = zeroed(size << 3);
  for (let at: u32 = 0; at < oldSize; at++) {
    const entry = load<u32>(old + (at << 3) + 4);
    if (entry != 0) place(slots, size - 1, load<u32>(old + (at << 3)), entry);
  }
  given(old);
  store<u32>(pool + SLOTS, <u32>slots);
  store<u32>(pool + MASK, size - 1);
}

function zeroed(bytes: u32): usize {
  const at = taken(bytes);
  memory.fill(at, 0, bytes);
  return at;
}

function taken(bytes: u32): usize {
  const at = alloc(bytes);
  if (at == 0) unreachable();
  internBytes += blockBytes(at);
  return at;
}

function given(at: usize): void {
  internBytes -= blockBytes(at);
  free(at);
}
