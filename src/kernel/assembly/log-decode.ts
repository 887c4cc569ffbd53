/**
 * The events of a log as columns: the times, and of each place the entries of all events side by side, in the order of
 * arrival. At most places all events say the same as the first; such a place is laid out only where somebody asks for it.
 */
import { entryAt, poolOf } from './intern';
import { firstTimeOf, logHeadBytes } from './log';
import { headEnd, headPlaces, readHead } from './log-head';
import { readVarint, varintEnd } from './log-varint';
import { alloc, free } from './memory';
import { loggedCount } from './model';

/** i64 by event. */
export let decodedTimes: usize = 0;
/** Do the times lie in order as they came? */
export let decodedSorted: bool = true;
/** Bit i: some event says something else than the first one at place i. */
export let decodedVaried: u64 = 0;
/** Bit i: the entries of place i are laid out. */
let laidOut: u64 = 0;
/** Entries u32 by event, a place `placeBytes` behind the other. */
let places: usize = 0;
let placeBytes: u32 = 0;
/** The log, whose head is what the first event said; and how many of its events are decoded. */
let head: usize = 0;
let decoded: u32 = 0;
let decodedRoom: u32 = 0;
/** What stays between sessions; one that needs more gives it back. */
const DECODED_EVENTS_KEPT: u32 = 4096;
const CONTINUED: u32 = 0x80808080;

/** Decodes the first `count` events, one at least; good until the log changes. Traps when memory is full. */
export function decodeLog(log: usize, count: u32): void {
  makeRoom(count);
  touchHead(log);
  head = log;
  decoded = count;
  laidOut = 0;
  let greatest = firstTimeOf(log);
  store<i64>(decodedTimes, greatest);
  let isSorted = true;
  let at = log + logHeadBytes;
  for (let event: u32 = 1; event < count; event++) {
    const time = greatest + readHead(at);
    store<i64>(decodedTimes + (event << 3), time);
    if (time >= greatest) greatest = time;
    else isSorted = false;
    at = headEnd;
    let mask = headPlaces;
    for (let fresh = mask & ~laidOut; fresh != 0; fresh &= fresh - 1) layOut(<u32>ctz(fresh));
    while (mask != 0) {
      const place = <u32>ctz(mask);
      mask &= mask - 1;
      // one or two bytes by chance: a branch would be mispredicted half the time
      const word = load<u32>(at);
      const ends = ~word & CONTINUED;
      let index: u32;
      if (ends == 0) {
        index = <u32>readVarint(at);
        at = varintEnd;
      } else {
        index = grouped(word & (ends ^ (ends - 1)));
        at += (ctz(ends) >> 3) + 1;
      }
      // what index 0 leads to is 0
      store<u32>(places + place * placeBytes + (event << 2), <u32>entryAt(poolOf(place), index));
    }
  }
  decodedSorted = isSorted;
  decodedVaried = laidOut;
}

/** Where the entries of a place lie, u32 by event; behind the last one three zeros. */
// @ts-ignore: decorator
@inline
export function entriesAt(place: u32): usize {
  if (((laidOut >> place) & 1) == 0) layOut(place);
  return places + place * placeBytes;
}

// @ts-ignore: decorator
@inline
export function isVaried(place: u32): bool {
  return ((decodedVaried >> place) & 1) != 0;
}

/** What the event that came first said at a place: where it is not varied, what all events say. */
// @ts-ignore: decorator
@inline
export function headEntry(place: u32): u32 {
  return load<u32>(head + (place << 2));
}

/** Leaves the decoded events of these ranks, u32 each and ascending; 0: the first `count`. */
export function keepDecoded(ranks: usize, count: u32): void {
  decoded = count;
  if (ranks != 0) {
    for (let to: u32 = 0; to < count; to++) {
      const from = load<u32>(ranks + (to << 2));
      store<i64>(decodedTimes + (to << 3), load<i64>(decodedTimes + (from << 3)));
    }
  }
  for (let left = decodedVaried; left != 0; left &= left - 1) {
    const entries = entriesAt(<u32>ctz(left));
    if (ranks != 0) {
      for (let to: u32 = 0; to < count; to++) {
        store<u32>(entries + (to << 2), load<u32>(entries + (load<u32>(ranks + (to << 2)) << 2)));
      }
    }
    v128.store(entries + (count << 2), i32x4.splat(0));
  }
}

/** What an event says at a place. */
export function decodedEntry(place: u32, event: u32): u32 {
  return isVaried(place) ? load<u32>(places + place * placeBytes + (event << 2)) : headEntry(place);
}

/** So that what the row will read is on its way from memory, all at once, while the events are decoded. */
function touchHead(log: usize): void {
  let sum: u32 = 0;
  const end = log + (loggedCount << 2);
  // address 0 can be read too
  for (let at = log; at < end; at += 4) sum += load<u32>(<usize>load<u32>(at));
  // it must go somewhere to be read at all; the first time takes its place
  store<u32>(decodedTimes, sum);
}

function layOut(place: u32): void {
  laidOut |= <u64>1 << place;
  const entries = i32x4.splat(load<u32>(head + (place << 2)));
  let at = places + place * placeBytes;
  const end = at + (decoded << 2);
  for (; at < end; at += 16) v128.store(at, entries);
  v128.store(end, i32x4.splat(0));
}

/** The low seven bits of each byte, one behind the other. */
// @ts-ignore: decorator
@inline
function grouped(word: u32): u32 {
  return (word & 0x7f) | ((word & 0x7f00) >> 1) | ((word & 0x7f0000) >> 2) | ((word & 0x7f000000) >> 3);
}

function makeRoom(count: u32): void {
  if (count <= decodedRoom && (decodedRoom <= DECODED_EVENTS_KEPT || count > DECODED_EVENTS_KEPT)) return;
  const room = count < 64 ? 64 : (count + (count >> 2) + 3) & ~3;
  if (decodedTimes != 0) free(decodedTimes);
  if (places != 0) free(places);
  decodedTimes = alloc(room << 3);
  // the last one is written over by three entries, and by four zeros behind them
  placeBytes = (room << 2) + 16;
  places = alloc(loggedCount * placeBytes + 16);
  if (decodedTimes == 0 || places == 0) unreachable();
  decodedRoom = room;
}
