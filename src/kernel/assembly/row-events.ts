/** The events of the row in the making, in (time, offset) order: what the columns walk over. */
import { decodedEntries, decodedSorted, decodedStride, decodedTimes, decodeLog } from './log';
import { orderEvents, ordered } from './log-order';
import { alloc, free } from './memory';

export let events: u32 = 0;

/** Entries u32 of one place, by rank. */
let gathered: usize = 0;
let gatheredRoom: u32 = 0;
const NO_PLACE: u32 = 0xffffffff;
let gatheredPlace: u32 = NO_PLACE;
const GATHERED_KEPT: u32 = 4096;

/** Of the log's first `count` events, one at least. */
export function eventsBegin(log: usize, count: u32): void {
  decodeLog(log, count);
  if (!decodedSorted) orderEvents(count);
  gatheredPlace = NO_PLACE;
  events = count;
}

/** The entries of the event at a place in the order of time. */
// @ts-ignore: decorator
@inline
export function rowAtRank(rank: u32): usize {
  return decodedSorted ? decodedEntries + rank * decodedStride : load<u32>(ordered + (rank << 2));
}

/** The time of the event whose entries these are. */
// @ts-ignore: decorator
@inline
export function timeOfRow(row: usize): i64 {
  return load<i64>(decodedTimes + ((<u32>(row - decodedEntries) / decodedStride) << 3));
}

/** Puts the entries of a place where `entryAtRank` finds them; columns of one field follow each other as a rule. */
export function gather(place: u32): void {
  if (place == gatheredPlace) return;
  gatheredPlace = place;
  if (events > gatheredRoom || (gatheredRoom > GATHERED_KEPT && events <= GATHERED_KEPT)) {
    if (gathered != 0) free(gathered);
    gatheredRoom = events < 64 ? 64 : events + (events >> 2);
    gathered = alloc((gatheredRoom << 2) + 16);
    if (gathered == 0) unreachable();
  }
  const at = place << 2;
  if (decodedSorted) {
    let row = decodedEntries + at;
    for (let rank: u32 = 0; rank < events; rank++) {
      store<u32>(gathered + (rank << 2), load<u32>(row));
      row += decodedStride;
    }
  } else {
    for (let rank: u32 = 0; rank < events; rank++) {
      store<u32>(gathered + (rank << 2), load<u32>(<usize>load<u32>(ordered + (rank << 2)) + at));
    }
  }
}

// @ts-ignore: decorator
@inline
export function entryAtRank(rank: u32): u32 {
  return load<u32>(gathered + (rank << 2));
}
