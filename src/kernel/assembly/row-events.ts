/** The events of the row in the making, in (time, offset) order: what the columns walk over. */
import { conditionsBegin } from './conditions';
import { distinctAdd, distinctBegin } from './distinct';
import { decodedSorted, decodedTimes, decodeLog, entriesAt, headEntry, isVaried, keepDecoded } from './log-decode';
import { orderEvents } from './log-order';
import { alloc, free } from './memory';
import { deduplicatePlace } from './model';

export let events: u32 = 0;

/** Of the log's first `count` events, one at least. */
export function eventsBegin(log: usize, count: u32): void {
  decodeLog(log, count);
  if (!decodedSorted) orderEvents(count);
  events = deduplicatePlace < 0 ? count : dropRepeats(count, deduplicatePlace);
  conditionsBegin(events);
}

/** By rank that stays: the rank that it had, u32. */
let kept: usize = 0;
let keptRoom: u32 = 0;
const KEPT_EVENTS: u32 = 4096;

/** Leaves of the events with the same entry the first; how many are left. */
function dropRepeats(count: u32, place: u32): u32 {
  if (!isVaried(place)) {
    if (headEntry(place) == 0) return count;
    keepDecoded(0, 1);
    return 1;
  }
  makeKeptRoom(count);
  const entries = entriesAt(place);
  distinctBegin(count);
  let left: u32 = 0;
  for (let rank: u32 = 0; rank < count; rank++) {
    const entry = load<u32>(entries + (rank << 2));
    if (entry != 0 && !distinctAdd(entry)) continue;
    store<u32>(kept + (left << 2), rank);
    left++;
  }
  if (left < count) keepDecoded(kept, left);
  return left;
}

function makeKeptRoom(count: u32): void {
  if (count <= keptRoom && (keptRoom <= KEPT_EVENTS || count > KEPT_EVENTS)) return;
  if (kept != 0) free(kept);
  keptRoom = max<u32>(64, count + (count >> 2));
  kept = alloc(keptRoom << 2);
  if (kept == 0) unreachable();
}

// @ts-ignore: decorator
@inline
export function timeAtRank(rank: u32): i64 {
  return load<i64>(decodedTimes + (<usize>rank << 3));
}

/** The first entry of a place that is not null. */
export function firstEntry(place: u32): usize {
  if (!isVaried(place)) return headEntry(place);
  const entries = entriesAt(place);
  for (let rank: u32 = 0; rank < events; rank++) {
    const entry = load<u32>(entries + (rank << 2));
    if (entry != 0) return entry;
  }
  return 0;
}

/** The last one. */
export function lastEntry(place: u32): usize {
  if (!isVaried(place)) return headEntry(place);
  const entries = entriesAt(place);
  for (let rank = events; rank > 0; rank--) {
    const entry = load<u32>(entries + ((rank - 1) << 2));
    if (entry != 0) return entry;
  }
  return 0;
}

/** How many of a place's entries are this one, which is not null. */
export function countEqual(place: u32, wanted: u32): u32 {
  if (!isVaried(place)) return headEntry(place) == wanted ? events : 0;
  const entries = entriesAt(place);
  const end = entries + (events << 2);
  const each = i32x4.splat(wanted);
  // −1 for each that is found; zeros lie behind the last
  let found = i32x4.splat(0);
  for (let at = entries; at < end; at += 16) found = i32x4.add(found, i32x4.eq(v128.load(at), each));
  return -sumOf(found);
}

/** How many of a place's entries are not null. */
export function countPresent(place: u32): u32 {
  if (!isVaried(place)) return headEntry(place) != 0 ? events : 0;
  const entries = entriesAt(place);
  const end = entries + (events << 2);
  const none = i32x4.splat(0);
  let found = none;
  for (let at = entries; at < end; at += 16) found = i32x4.add(found, i32x4.ne(v128.load(at), none));
  return -sumOf(found);
}

// @ts-ignore: decorator
@inline
function sumOf(lanes: v128): u32 {
  return (
    i32x4.extract_lane(lanes, 0) +
    i32x4.extract_lane(lanes, 1) +
    i32x4.extract_lane(lanes, 2) +
    i32x4.extract_lane(lanes, 3)
  );
}
