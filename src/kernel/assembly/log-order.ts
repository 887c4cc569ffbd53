/**
 * Brings the decoded events of a session into (time, offset) order. They come in the order of their offsets, so a stable sort
 * by time gives it.
 */
import { alloc, free } from './memory';
import { decodedTimes, decodedVaried, entriesAt } from './log-decode';

/** The event by rank, u32. */
let ordered: usize = 0;
/** As many i64. */
let spare: usize = 0;
let room: u32 = 0;
const ROOM_KEPT: u32 = 4096;

/** Orders what decodeLog has left, where it lies. */
export function orderEvents(count: u32): void {
  makeRoom(count);
  for (let event: u32 = 0; event < count; event++) store<u32>(ordered + (event << 2), event);
  // runs of eight by insertion, then merged: little is out of order as a rule
  for (let from: u32 = 0; from < count; from += 8) insertionSort(from, min<u32>(from + 8, count));
  for (let width: u32 = 8; width < count; width <<= 1) mergeRuns(count, width);
  for (let rank: u32 = 0; rank < count; rank++) {
    store<i64>(spare + (rank << 3), timeOf(load<u32>(ordered + (rank << 2))));
  }
  memory.copy(decodedTimes, spare, count << 3);
  for (let left = decodedVaried; left != 0; left &= left - 1) orderEntries(entriesAt(<u32>ctz(left)), count);
}

function orderEntries(entries: usize, count: u32): void {
  for (let rank: u32 = 0; rank < count; rank++) {
    const event = load<u32>(ordered + (rank << 2));
    store<u32>(spare + (rank << 2), load<u32>(entries + (event << 2)));
  }
  memory.copy(entries, spare, count << 2);
}

// @ts-ignore: decorator
@inline
function timeOf(event: u32): i64 {
  return load<i64>(decodedTimes + (event << 3));
}

function insertionSort(from: u32, to: u32): void {
  for (let next = from + 1; next < to; next++) {
    const event = load<u32>(ordered + (next << 2));
    const time = timeOf(event);
    let at = next;
    while (at > from && timeOf(load<u32>(ordered + ((at - 1) << 2))) > time) {
      store<u32>(ordered + (at << 2), load<u32>(ordered + ((at - 1) << 2)));
      at--;
    }
    store<u32>(ordered + (at << 2), event);
  }
}

function mergeRuns(count: u32, width: u32): void {
  for (let from: u32 = 0; from < count; from += width << 1) {
    const middle = min<u32>(from + width, count);
    const to = min<u32>(from + (width << 1), count);
    let left = from;
    let right = middle;
    for (let at = from; at < to; at++) {
      const takesLeft =
        left < middle &&
        (right >= to ||
          timeOf(load<u32>(ordered + (left << 2))) <= timeOf(load<u32>(ordered + (right << 2))));
      store<u32>(spare + (at << 2), load<u32>(ordered + ((takesLeft ? left++ : right++) << 2)));
    }
  }
  const swapped = ordered;
  ordered = spare;
  spare = swapped;
}

function makeRoom(count: u32): void {
  if (count <= room && (room <= ROOM_KEPT || count > ROOM_KEPT)) return;
  if (ordered != 0) {
    free(ordered);
    free(spare);
  }
  room = count < 64 ? 64 : count + (count >> 2);
  // they change places
  ordered = alloc(room << 3);
  spare = alloc(room << 3);
  if (ordered == 0 || spare == 0) unreachable();
}
