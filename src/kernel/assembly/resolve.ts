/**
 * The entries of a window's values, found for all its events before one is taken, so that the cache misses overlap. Only
 * where a pool is small: in a large one most values are a single session's, which are compared with that session's first.
 * Only pinned ones count as found: others could go with a session that ends within the window.
 *
 *   an event's place in the table: u32 by place below trackedCount; 0: not found, or not looked for
 */
import { TYPE_STRING, VALUE_BYTES } from '../abi';
import { hashBytes } from './bytes';
import { ENTRY_LENGTH, isPinned, lookUp, poolOf, poolSize, slotOf } from './intern';
import { reserve } from './memory';
import { fieldAt, trackedCount, typeOfField } from './model';

/** A pool with more values is large. */
const SMALL_POOL_VALUES: u32 = 32768;
/** Windows for which a place is left out after less than a quarter of its values were found: ids of single sessions. */
const REST_WINDOWS: u32 = 63;

let table: usize = 0;
let hashes: usize = 0;
/** By place: windows for which it is still left out, u32. */
let rests: usize = 0;
export let resolvedStride: u32 = 0;
let sink: u32 = 0;

/** For windows of up to `events` events, and one more whose entries are never looked for. */
export function resolveInit(events: u32): void {
  resolvedStride = (trackedCount << 2) + 4;
  table = reserve((events + 1) * resolvedStride);
  hashes = reserve(events << 2);
  rests = reserve((trackedCount << 2) + 4);
}

// @ts-ignore: decorator
@inline
export function resolvedOf(event: u32): usize {
  return table + event * resolvedStride;
}

/** `values`: those of the first event, `stride` bytes from one to the next. */
export function resolve(values: usize, stride: u32, count: u32): void {
  for (let place: u32 = 0; place < trackedCount; place++) {
    const field = fieldAt(place);
    const pool = poolOf(place);
    const rest = load<u32>(rests + (place << 2));
    if (rest == 0 && typeOfField(field) == TYPE_STRING && poolSize(pool) <= SMALL_POOL_VALUES) {
      const found = resolvePlace(place, pool, values + field * VALUE_BYTES, stride, count);
      if (found < count >> 2) store<u32>(rests + (place << 2), REST_WINDOWS);
    } else {
      if (rest != 0) store<u32>(rests + (place << 2), rest - 1);
      for (let event: u32 = 0; event < count; event++) store<u32>(resolvedOf(event) + (place << 2), 0);
    }
  }
}

/** How many were found, or are null. */
function resolvePlace(place: u32, pool: usize, values: usize, stride: u32, count: u32): u32 {
  let sum: u32 = 0;
  let value = values;
  for (let event: u32 = 0; event < count; event++) {
    const hash = hashBytes(load<u32>(value), load<u32>(value + 4));
    store<u32>(hashes + (event << 2), hash);
    sum += load<u32>(slotOf(pool, hash));
    value += stride;
  }
  for (let event: u32 = 0; event < count; event++) {
    const entry: usize = load<u32>(slotOf(pool, load<u32>(hashes + (event << 2))) + 4);
    if (entry != 0) sum += load<u32>(entry + ENTRY_LENGTH);
  }
  sink = sum;
  value = values;
  let found: u32 = 0;
  for (let event: u32 = 0; event < count; event++) {
    const at = load<u32>(value);
    let entry: usize = 0;
    if (at != 0) {
      entry = lookUp(pool, load<u32>(hashes + (event << 2)), at, load<u32>(value + 4));
      if (entry != 0 && !isPinned(entry)) entry = 0;
    }
    found += u32(entry != 0 || at == 0);
    store<u32>(resolvedOf(event) + (place << 2), <u32>entry);
    value += stride;
  }
  return found;
}
