/**
 * Columns that hold or count the values of one field; src/reference/session-values.ts says the same. `where`: a condition + 1,
 * 0: all events.
 */
import { OP_ARGMAX, OP_ARGMIN, OP_MAX, OP_MIN, OP_SUM, PLACE_TIME } from '../abi';
import { lanesOf } from './conditions';
import { distinctAdd, distinctBegin } from './distinct';
import { ENTRY_VALUE } from './intern';
import { entriesAt, headEntry, isVaried } from './log-decode';
import { countPresent, events, firstEntry, lastEntry, timeAtRank } from './row-events';

/** What was found besides an entry: a number, NaN: none. */
export let foundNumber: f64 = NaN;

/** The lanes of a condition, or 0. */
// @ts-ignore: decorator
@inline
function lanesWhere(where: u32): usize {
  return where == 0 ? 0 : lanesOf(where - 1);
}

// @ts-ignore: decorator
@inline
function isLeftOut(lanes: usize, rank: u32): bool {
  return lanes != 0 && load<u32>(lanes + (rank << 2)) == 0;
}

/** The first entry of a place that is not null. */
export function firstWhere(place: u32, where: u32): usize {
  if (where == 0) return firstEntry(place);
  const lanes = lanesOf(where - 1);
  const entries = entriesAt(place);
  for (let rank: u32 = 0; rank < events; rank++) {
    const entry = load<u32>(entries + (rank << 2)) & load<u32>(lanes + (rank << 2));
    if (entry != 0) return entry;
  }
  return 0;
}

/** The last one. */
export function lastWhere(place: u32, where: u32): usize {
  if (where == 0) return lastEntry(place);
  const lanes = lanesOf(where - 1);
  const entries = entriesAt(place);
  for (let rank = events; rank > 0; rank--) {
    const at = (rank - 1) << 2;
    const entry = load<u32>(entries + at) & load<u32>(lanes + at);
    if (entry != 0) return entry;
  }
  return 0;
}

/** How many of a place's entries are not null. */
export function countWhere(place: u32, where: u32): u32 {
  if (where == 0) return countPresent(place);
  const lanes = lanesOf(where - 1);
  const entries = entriesAt(place);
  let found: u32 = 0;
  for (let rank: u32 = 0; rank < events; rank++) {
    found += u32((load<u32>(entries + (rank << 2)) & load<u32>(lanes + (rank << 2))) != 0);
  }
  return found;
}

/** How many different ones. */
export function countDistinct(place: u32, where: u32): u32 {
  if (where == 0 && !isVaried(place)) return u32(headEntry(place) != 0);
  const lanes = lanesWhere(where);
  const entries = entriesAt(place);
  distinctBegin(events);
  let found: u32 = 0;
  let last: u32 = 0;
  for (let rank: u32 = 0; rank < events; rank++) {
    const entry = load<u32>(entries + (rank << 2));
    if (entry == 0 || entry == last || isLeftOut(lanes, rank)) continue;
    last = entry;
    found += u32(distinctAdd(entry));
  }
  return found;
}

/** Least, greatest, sum or mean of a place's numbers; NaN: there is none. */
export function numberOf(op: u32, place: u32, where: u32): f64 {
  const lanes = lanesWhere(where);
  const isTime = place == PLACE_TIME;
  const entries: usize = isTime ? 0 : entriesAt(place);
  let count: u32 = 0;
  let result: f64 = 0;
  for (let rank: u32 = 0; rank < events; rank++) {
    if (isLeftOut(lanes, rank)) continue;
    const value = isTime ? <f64>timeAtRank(rank) : numberAt(entries, rank);
    if (isNaN(value)) continue;
    if (op == OP_MIN) {
      if (count == 0 || value < result) result = value;
    } else if (op == OP_MAX) {
      if (count == 0 || value > result) result = value;
    } else {
      // in the events' order: another one could give another sum
      result += value;
    }
    count++;
  }
  if (count == 0) return NaN;
  return op == OP_MIN || op == OP_MAX || op == OP_SUM ? result : result / <f64>count;
}

// @ts-ignore: decorator
@inline
function numberAt(entries: usize, rank: u32): f64 {
  const entry: usize = load<u32>(entries + (rank << 2));
  return entry == 0 ? NaN : load<f64>(entry + ENTRY_VALUE);
}

/**
 * The entry of `place` in the event in which `by` is least or greatest, of those that have both; 0: there is none, or the
 * place is the time, which is `foundNumber` then.
 */
export function entryAtBest(op: u32, place: u32, by: u32, where: u32): usize {
  const lanes = lanesWhere(where);
  const isTime = place == PLACE_TIME;
  const entries: usize = isTime ? 0 : entriesAt(place);
  const ranks: usize = by == PLACE_TIME ? 0 : entriesAt(by);
  let best: f64 = NaN;
  let found: usize = 0;
  foundNumber = NaN;
  for (let rank: u32 = 0; rank < events; rank++) {
    if (isLeftOut(lanes, rank)) continue;
    const entry: usize = isTime ? 0 : load<u32>(entries + (rank << 2));
    if (entry == 0 && !isTime) continue;
    const value = ranks == 0 ? <f64>timeAtRank(rank) : numberAt(ranks, rank);
    if (isNaN(value) || (op == OP_ARGMIN && value >= best) || (op == OP_ARGMAX && value <= best)) continue;
    best = value;
    found = entry;
    if (isTime) foundNumber = <f64>timeAtRank(rank);
  }
  return found;
}
