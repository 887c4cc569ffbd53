/**
 * Conditions asked of all events of the row in the making: for each a lane of 32 bits an event, all ones where it holds, zeros
 * behind the last. Made when a column first asks, once a row. What they compare with is interned, and held for ever.
 */
import {
  CONDITION_ARGUMENT,
  CONDITION_BYTES,
  CONDITION_KIND,
  CONDITION_LEAST,
  CONDITION_MOST,
  CONDITION_PLACE,
  IS_ABSENT,
  IS_ALL,
  IS_ANY,
  IS_NONE_OF,
  IS_ONE_OF,
  IS_PRESENT,
  IS_TRUTH,
  IS_WITHIN,
  P_CONDITION_COUNT,
  P_CONDITIONS,
  PARTS,
  SET_COUNT,
  SET_TEXT_BYTES,
  SET_TEXTS,
} from '../abi';
import { ENTRY_VALUE, hold, intern, poolOf } from './intern';
import { entriesAt } from './log-decode';
import { alloc, free, reserve } from './memory';
import { program } from './model';

let conditions: usize = 0;
let conditionCount: u32 = 0;
/** By condition: where its constants' entries are (count u32 │ entries u32), each once; 0: none. */
let constants: usize = 0;
/** By condition: the row that its lanes are of, u32. */
let madeFor: usize = 0;
let row: u32 = 0;
let events: u32 = 0;
/** The lanes, `stride` bytes a condition. */
let lanes: usize = 0;
let stride: u32 = 0;
const EVENTS_KEPT: u32 = 4096;
const ALL_ONES: u32 = 0xffffffff;

/** After the pools are there. */
export function conditionsInit(): void {
  conditions = program + load<u32>(program + P_CONDITIONS);
  conditionCount = load<u32>(program + P_CONDITION_COUNT);
  constants = reserve((conditionCount << 2) + 4);
  madeFor = reserve((conditionCount << 2) + 4);
  for (let index: u32 = 0; index < conditionCount; index++) {
    const condition = conditionAt(index);
    const place = load<u32>(condition + CONDITION_PLACE);
    if (place == 0) continue;
    const kind = load<u32>(condition + CONDITION_KIND);
    if (kind == IS_ONE_OF || kind == IS_NONE_OF) {
      store<u32>(constants + (index << 2), <u32>textEntries(condition, place - 1));
    } else if (kind == IS_TRUTH) {
      store<u32>(constants + (index << 2), <u32>truthEntry(condition, place - 1));
    }
  }
}

// @ts-ignore: decorator
@inline
export function conditionAt(index: u32): usize {
  return conditions + index * CONDITION_BYTES;
}

/** The texts that the condition is equality with one of, as `count u32 │ entries u32`; 0: it is another one. */
export function equalsOf(index: u32): usize {
  return load<u32>(conditionAt(index) + CONDITION_KIND) == IS_ONE_OF ? load<u32>(constants + (index << 2)) : 0;
}

/** The place in the log of what a condition asks of. */
export function conditionPlace(index: u32): u32 {
  return load<u32>(conditionAt(index) + CONDITION_PLACE) - 1;
}

/** Begins the next row, of so many events. */
// @ts-ignore: decorator
@inline
export function conditionsBegin(count: u32): void {
  row++;
  events = count;
}

/** The lanes of a condition. Traps when memory is full. */
export function lanesOf(index: u32): usize {
  makeRoom();
  const made = madeFor + (index << 2);
  const to = lanes + index * stride;
  if (load<u32>(made) == row) return to;
  const condition = conditionAt(index);
  const kind = load<u32>(condition + CONDITION_KIND);
  if (kind == IS_ALL || kind == IS_ANY) combine(condition, to, kind == IS_ALL);
  else ask(index, condition, to, kind);
  const end = to + (events << 2);
  v128.store(end, i32x4.splat(0));
  store<u32>(made, row);
  return to;
}

/** How many events a condition holds of. */
export function countHeld(index: u32): u32 {
  const from = lanesOf(index);
  const end = from + (events << 2);
  let found = i32x4.splat(0);
  for (let at = from; at < end; at += 16) found = i32x4.sub(found, v128.load(at));
  return (
    i32x4.extract_lane(found, 0) +
    i32x4.extract_lane(found, 1) +
    i32x4.extract_lane(found, 2) +
    i32x4.extract_lane(found, 3)
  );
}

function combine(condition: usize, to: usize, all: bool): void {
  const parts = program + load<u32>(condition + CONDITION_ARGUMENT);
  const count = load<u32>(parts);
  const bytes = events << 2;
  for (let part: u32 = 0; part < count; part++) {
    const from = lanesOf(load<u32>(parts + PARTS + (part << 2)));
    for (let at: u32 = 0; at < bytes; at += 16) {
      const held = v128.load(from + at);
      if (part == 0) v128.store(to + at, held);
      else if (all) v128.store(to + at, v128.and(v128.load(to + at), held));
      else v128.store(to + at, v128.or(v128.load(to + at), held));
    }
  }
}

function ask(index: u32, condition: usize, to: usize, kind: u32): void {
  const entries = entriesAt(load<u32>(condition + CONDITION_PLACE) - 1);
  if (kind == IS_WITHIN) {
    askWithin(condition, entries, to);
    return;
  }
  const bytes = events << 2;
  if (kind == IS_PRESENT || kind == IS_ABSENT) {
    const none = i32x4.splat(0);
    for (let at: u32 = 0; at < bytes; at += 16) {
      const isNull = i32x4.eq(v128.load(entries + at), none);
      v128.store(to + at, kind == IS_ABSENT ? isNull : v128.not(isNull));
    }
    return;
  }
  const list: usize = load<u32>(constants + (index << 2));
  const end = list + 4 + (<usize>load<u32>(list) << 2);
  for (let at: u32 = 0; at < bytes; at += 16) {
    const each = v128.load(entries + at);
    let same = i32x4.splat(0);
    for (let one = list + 4; one < end; one += 4) same = v128.or(same, i32x4.eq(each, i32x4.splat(load<u32>(one))));
    v128.store(to + at, kind == IS_NONE_OF ? v128.not(same) : same);
  }
}

function askWithin(condition: usize, entries: usize, to: usize): void {
  const least = load<f64>(condition + CONDITION_LEAST);
  const most = load<f64>(condition + CONDITION_MOST);
  let last: u32 = 0;
  let held: u32 = 0;
  for (let rank: u32 = 0; rank < events; rank++) {
    const entry = load<u32>(entries + (rank << 2));
    if (entry != last) {
      last = entry;
      const value = entry == 0 ? NaN : load<f64>(<usize>entry + ENTRY_VALUE);
      held = value >= least && value <= most ? ALL_ONES : 0;
    }
    store<u32>(to + (rank << 2), held);
  }
}

function textEntries(condition: usize, place: u32): usize {
  const set = program + load<u32>(condition + CONDITION_ARGUMENT);
  const count = load<u32>(set + SET_COUNT);
  const list = reserve((count << 2) + 4);
  const pool = poolOf(place);
  for (let each: u32 = 0; each < count; each++) {
    const text = set + SET_TEXTS + each * SET_TEXT_BYTES;
    const entry = <u32>intern(pool, program + load<u32>(text), load<u32>(text + 4));
    hold(entry);
    if (isListed(list, entry)) continue;
    const listed = load<u32>(list);
    store<u32>(list + 4 + (listed << 2), entry);
    store<u32>(list, listed + 1);
  }
  return list;
}

function isListed(list: usize, entry: u32): bool {
  const end = list + 4 + (<usize>load<u32>(list) << 2);
  for (let at = list + 4; at < end; at += 4) {
    if (load<u32>(at) == entry) return true;
  }
  return false;
}

function truthEntry(condition: usize, place: u32): usize {
  const list = reserve(8);
  const entry = intern(poolOf(place), condition + CONDITION_LEAST, 8);
  hold(entry);
  store<u32>(list, 1);
  store<u32>(list + 4, <u32>entry);
  return list;
}

/** Before the first lanes of a row are made: those of an earlier one may be lost. */
function makeRoom(): void {
  const need = (events << 2) + 32;
  const most = (EVENTS_KEPT << 2) + 32;
  if (need <= stride && (stride <= most || need > most)) return;
  if (lanes != 0) free(lanes);
  stride = ((max<u32>(need + (need >> 2), 256) + 15) & ~15);
  lanes = alloc(stride * conditionCount);
  if (lanes == 0) unreachable();
}
