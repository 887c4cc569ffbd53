/**
 * The entries of a window's values, found for all its events before one is taken, so that the cache misses overlap. Only
 * where a pool is small: in a large one most values are a single session's, which are compared with that session's first.
 * Only pinned ones count as found: others could go with a session that ends within the window.
 *
 * The texts are hashed when their event was scanned, while they lie in the nearest cache.
 *
 *   an event's place in the table: u32 by place below trackedCount; 0: not found, or not looked for
 */
import { TYPE_STRING, VALUE_BYTES } from '../abi';
import { hashBytes, sameBytes } from './bytes';
import { ENTRY_LENGTH, ENTRY_VALUE, isPinned, lookUp, poolOf, poolSize, slotOf } from './intern';
import { reserve } from './memory';
import { fieldAt, trackedCount, typeOfField } from './model';

/** A pool with more values is large. */
const SMALL_POOL_VALUES: u32 = 32768;
/** Windows for which a place is left out after less than a quarter of its values were found: ids of single sessions. */
const REST_WINDOWS: u32 = 63;

let table: usize = 0;
/** u32 by event, then by looked-for place. */
let hashes: usize = 0;
/** By place: windows for which it is still left out, u32. */
let rests: usize = 0;
/** Of this window, one looked-for place after the other: where its value lies in an event's, the place; u32 each. */
let wanted: usize = 0;
let wantedCount: u32 = 0;
export let resolvedStride: u32 = 0;
let sink: u32 = 0;

/** For windows of up to `events` events, and one more whose entries are never looked for. */
export function resolveInit(events: u32): void {
  resolvedStride = (trackedCount << 2) + 4;
  table = reserve((events + 1) * resolvedStride);
  hashes = reserve((events * trackedCount) << 2);
  rests = reserve((trackedCount << 2) + 4);
  wanted = reserve((trackedCount << 3) + 8);
}

// @ts-ignore: decorator
@inline
export function resolvedOf(event: u32): usize {
  return table + event * resolvedStride;
}

/** Which places are looked for in the window that begins. */
export function resolveBegin(): void {
  wantedCount = 0;
  for (let place: u32 = 0; place < trackedCount; place++) {
    const field = fieldAt(place);
    const rest = load<u32>(rests + (place << 2));
    if (rest != 0) {
      store<u32>(rests + (place << 2), rest - 1);
    } else if (typeOfField(field) == TYPE_STRING && poolSize(poolOf(place)) <= SMALL_POOL_VALUES) {
      const at = wanted + (wantedCount++ << 3);
      store<u32>(at, field * VALUE_BYTES);
      store<u32>(at, place, 4);
    }
  }
}

/** Hashes what is looked for of the window's event of this number. */
// @ts-ignore: decorator
@inline
export function resolveHash(event: u32, values: usize): void {
  const count = wantedCount;
  let hash = hashes + ((event * count) << 2);
  let at = wanted;
  for (const end = at + (count << 3); at < end; at += 8) {
    const value = values + load<u32>(at);
    store<u32>(hash, hashBytes(load<u32>(value), load<u32>(value, 4)));
    hash += 4;
  }
}

/** Fills the table. `values`: those of the first event, `stride` bytes from one to the next; all were hashed. */
export function resolve(values: usize, stride: u32, count: u32): void {
  memory.fill(table, 0, count * resolvedStride);
  for (let index: u32 = 0; index < wantedCount; index++) {
    const at = wanted + (index << 3);
    const place = load<u32>(at, 4);
    const found = resolvePlace(place, hashes + (index << 2), values + load<u32>(at), stride, count);
    if (found < count >> 2) store<u32>(rests + (place << 2), REST_WINDOWS);
  }
}

/** How many were found, or are null. */
function resolvePlace(place: u32, hash: usize, values: usize, stride: u32, count: u32): u32 {
  const pool = poolOf(place);
  const hashStride = wantedCount << 2;
  const end = hash + count * hashStride;
  let sum: u32 = 0;
  for (let at = hash; at < end; at += hashStride) {
    const entry: usize = load<u32>(slotOf(pool, load<u32>(at)), 4);
    if (entry != 0) sum += load<u32>(entry + ENTRY_LENGTH);
  }
  sink = sum;
  let value = values;
  let found: u32 = 0;
  let to = table + (place << 2);
  for (let at = hash; at < end; at += hashStride) {
    const text: usize = load<u32>(value);
    if (text == 0) {
      found++;
    } else {
      const bytes = load<u32>(value, 4);
      const slot = slotOf(pool, load<u32>(at));
      let entry: usize = load<u32>(slot, 4);
      if (entry != 0) {
        if (load<u32>(entry + ENTRY_LENGTH) != bytes || !sameBytes(entry + ENTRY_VALUE, text, bytes)) {
          entry = lookUp(pool, load<u32>(at), text, bytes);
        }
        if (entry != 0 && isPinned(entry)) {
          store<u32>(to, <u32>entry);
          found++;
        }
      }
    }
    value += stride;
    to += resolvedStride;
  }
  return found;
}
