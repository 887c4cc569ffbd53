/**
 * How an event of a log begins: how far it is behind the greatest time before it, and at which places it says something else than
 * the first event.
 *
 *   two, three or four bytes    bytes − 2 (2 bits) │ places, bit by bit │ ms ahead
 *   any other                   3 │ zigzag distance varint │ places varint, bit by bit
 *
 * Read by one load and no loop. Written by us, so it is read without checks.
 */
import { putVarint, readVarint, unzigzag, varintEnd, zigzag } from './log-varint';

/** With more places than that in the short form, too little is left for the time. */
const PLACES_MAX: u32 = 12;
const LONG: u32 = 3;
/** The most that a head takes, and what is written over behind it. */
export const HEAD_BYTES_MAX: u32 = 24;

let placeMask: u32 = 0;
let timeShift: u32 = 0;
/** The first distance that is too long. */
let aheadEnd: u64 = 0;

/** What was read last: the places, and where it ended. */
export let headPlaces: u64 = 0;
export let headEnd: usize = 0;

/** `places`: those that events often change, the first ones. */
export function headInit(places: u32): void {
  const bits = min<u32>(places, PLACES_MAX);
  placeMask = (1 << bits) - 1;
  timeShift = 2 + bits;
  aheadEnd = <u64>1 << (32 - timeShift);
}

// @ts-ignore: decorator
@inline
export function putHead(at: usize, aheadMs: i64, places: u64): usize {
  if (<u64>aheadMs >= aheadEnd || places > <u64>placeMask) return putLongHead(at, aheadMs, places);
  const word = (<u32>aheadMs << timeShift) | (<u32>places << 2);
  const more = u32(word > 0xffff) + u32(word > 0xffffff);
  store<u32>(at, word | more);
  return at + 2 + more;
}

function putLongHead(at: usize, aheadMs: i64, places: u64): usize {
  store<u8>(at, <u8>LONG);
  return putVarint(putVarint(at + 1, zigzag(aheadMs)), places);
}

/** How many ms it is ahead; the rest in headPlaces and headEnd. */
// @ts-ignore: decorator
@inline
export function readHead(at: usize): i64 {
  const word = load<u32>(at);
  const more = word & 3;
  if (more == LONG) return readLongHead(at + 1);
  // what lies behind it is shifted out
  const unused = 16 - (more << 3);
  const own = (word << unused) >> unused;
  headPlaces = (own >> 2) & placeMask;
  headEnd = at + 2 + more;
  return own >> timeShift;
}

function readLongHead(at: usize): i64 {
  const aheadMs = unzigzag(readVarint(at));
  headPlaces = readVarint(varintEnd);
  headEnd = varintEnd;
  return aheadMs;
}
