/**
 * The row of a session, column by column, from its events. All of a model's meaning that is not in when sessions begin and
 * end is here; src/reference/session-row.ts says the same in plain words.
 */
import {
  CLOSED_BY_EARLY,
  CLOSED_BY_END_EVENT,
  CLOSED_BY_END_OF_INPUT,
  CLOSED_BY_GAP,
  COLUMN_ARGUMENT,
  COLUMN_BYTES,
  COLUMN_FIELD,
  COLUMN_FLOAT,
  COLUMN_LIMIT,
  COLUMN_OP,
  COLUMN_STRING,
  COLUMN_TYPE,
  COLUMN_UINT16,
  COLUMN_UINT32,
  FIELD_BYTES,
  FIELD_LOGGED,
  OP_BATCH_ID,
  OP_CLOSED_BY,
  OP_COUNT,
  OP_COUNT_DISTINCT,
  OP_COUNT_IF,
  OP_CREATED_AT,
  OP_DURATION_SEC,
  OP_FILE_ID,
  OP_FIRST,
  OP_KEY,
  OP_LAST,
  OP_LIST,
  OP_REVISION,
  OP_SESSION_END,
  OP_SESSION_ID,
  OP_SESSION_START,
  OP_SET,
  OP_SIGN,
  PART_KEY,
  PART_LITERAL,
  P_COLUMNS,
  P_COLUMN_COUNT,
  P_FIELDS,
  SET_COUNT,
  SET_TEXTS,
  SET_TEXT_BYTES,
  TAG_LIST,
  TAG_NULL,
  TAG_STRING,
  TEMPLATE_PARTS,
  TEMPLATE_PART_BYTES,
} from '../abi';
import { distinctAdd, distinctBegin } from './distinct';
import { ENTRY_LENGTH, ENTRY_VALUE, hold, intern, poolOf } from './intern';
import { KEY_LENGTH, KEY_TEXT } from './lane-layout';
import { decodedEntries, decodedSorted, decodedStride, decodedTimes, decodeLog } from './log';
import { orderEvents, ordered } from './log-order';
import { alloc, free, reserve } from './memory';
import { program } from './model';
import {
  bufferAdd,
  bufferAt,
  bufferBytes,
  bufferRoom,
  copyText,
  putFloatBits,
  putInteger,
  putString,
  putTag,
  putText,
} from './row-buffer';

/** Entries u32 of one place, by rank. */
let gathered: usize = 0;
let gatheredRoom: u32 = 0;
const NO_PLACE: u32 = 0xffffffff;
let gatheredPlace: u32 = NO_PLACE;
const GATHERED_KEPT: u32 = 4096;

/** By column, for count_if: where its constants' entries are (count u32 │ entries u32), 0: none. */
let constants: usize = 0;
let columns: usize = 0;
let columnCount: u32 = 0;

/** Values of the row last built that did not fit their column. */
export let rowClamped: u32 = 0;
/** Where the row last built has its sign and its revision (their tags), from its start. */
export let rowSignAt: u32 = 0;
export let rowRevisionAt: u32 = 0;
/** Where it begins in the buffer. */
let rowAt: u32 = 0;

/** session_start of the row last built. */
export let rowStartMs: i64 = 0;
let endMs: i64 = 0;
let events: u32 = 0;

/** After the pools are there: the constants of conditions are values like any other, held for ever. */
export function rowInit(): void {
  columns = program + load<u32>(program + P_COLUMNS);
  columnCount = load<u32>(program + P_COLUMN_COUNT);
  constants = reserve((columnCount << 2) + 4);
  for (let index: u32 = 0; index < columnCount; index++) {
    const column = columns + index * COLUMN_BYTES;
    if (load<u32>(column + COLUMN_OP) != OP_COUNT_IF) continue;
    const set = program + load<u32>(column + COLUMN_ARGUMENT);
    const count = load<u32>(set + SET_COUNT);
    const list = reserve((count << 2) + 4);
    store<u32>(list, count);
    const pool = poolOf(placeOf(column));
    for (let each: u32 = 0; each < count; each++) {
      const text = set + SET_TEXTS + each * SET_TEXT_BYTES;
      const entry = intern(pool, program + load<u32>(text), load<u32>(text + 4));
      hold(entry);
      store<u32>(list + 4 + (each << 2), <u32>entry);
    }
    store<u32>(constants + (index << 2), <u32>list);
  }
}

/**
 * Appends a row with sign +1 to the row buffer: what the log's first events say. `identityMs`: session_start of the first row
 * of the session, which names it.
 */
export function buildRow(
  key: usize,
  log: usize,
  eventCount: u32,
  closedBy: u32,
  revision: u32,
  identityMs: i64,
): void {
  decodeLog(log, eventCount);
  if (!decodedSorted) orderEvents(eventCount);
  gatheredPlace = NO_PLACE;
  events = eventCount;
  timesOfEvents();
  rowClamped = 0;
  rowAt = bufferBytes;
  for (let index: u32 = 0; index < columnCount; index++) {
    putColumn(index, key, closedBy, revision, identityMs);
  }
}

function timesOfEvents(): void {
  let least = load<i64>(decodedTimes);
  let greatest = load<i64>(decodedTimes + (<usize>(events - 1) << 3));
  if (!decodedSorted) {
    for (let event: u32 = 0; event < events; event++) {
      const time = load<i64>(decodedTimes + (<usize>event << 3));
      if (time < least) least = time;
      if (time > greatest) greatest = time;
    }
  }
  rowStartMs = least;
  endMs = greatest;
}

function putColumn(index: u32, key: usize, closedBy: u32, revision: u32, identityMs: i64): void {
  const column = columns + index * COLUMN_BYTES;
  const type = load<u32>(column + COLUMN_TYPE);
  switch (load<u32>(column + COLUMN_OP)) {
    case OP_KEY:
      putString(key + KEY_TEXT, load<u32>(key + KEY_LENGTH));
      break;
    case OP_SESSION_ID:
      putSessionId(column, key, identityMs);
      break;
    case OP_SESSION_START:
      putInteger(rowStartMs);
      break;
    case OP_SESSION_END:
      putInteger(endMs);
      break;
    case OP_DURATION_SEC:
      putCount((endMs - rowStartMs) / 1000, type);
      break;
    case OP_COUNT:
      putCount(events, type);
      break;
    case OP_COUNT_IF:
      putCount(countIf(placeOf(column), load<u32>(constants + (index << 2))), type);
      break;
    case OP_FIRST:
      putEntry(firstEntry(placeOf(column)), type);
      break;
    case OP_LAST:
      putEntry(lastEntry(placeOf(column)), type);
      break;
    case OP_COUNT_DISTINCT:
      putCount(countDistinct(placeOf(column)), type);
      break;
    case OP_LIST:
      putList(placeOf(column), load<u32>(column + COLUMN_LIMIT), false);
      break;
    case OP_SET:
      putList(placeOf(column), load<u32>(column + COLUMN_LIMIT), true);
      break;
    case OP_CREATED_AT:
    case OP_BATCH_ID:
    case OP_FILE_ID:
      break;
    case OP_CLOSED_BY:
      putClosedBy(closedBy);
      break;
    case OP_REVISION:
      rowRevisionAt = bufferBytes - rowAt;
      putInteger(revision);
      break;
    case OP_SIGN:
      rowSignAt = bufferBytes - rowAt;
      putInteger(1);
      break;
  }
}

// @ts-ignore: decorator
@inline
function placeOf(column: usize): u32 {
  const field = load<u32>(column + COLUMN_FIELD);
  return load<u32>(program + load<u32>(program + P_FIELDS) + field * FIELD_BYTES + FIELD_LOGGED);
}

/** Puts the entries of a place into `gathered`, in order; columns of one field follow each other as a rule. */
function gather(place: u32): void {
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
function entryAtRank(rank: u32): u32 {
  return load<u32>(gathered + (rank << 2));
}

function putCount(value: i64, type: u32): void {
  const most: i64 = type == COLUMN_UINT16 ? 0xffff : type == COLUMN_UINT32 ? 0xffffffff : i64.MAX_VALUE;
  if (value > most) {
    rowClamped++;
    value = most;
  }
  putInteger(value);
}

function countIf(place: u32, list: usize): u32 {
  gather(place);
  const count = load<u32>(list);
  let found: u32 = 0;
  for (let each: u32 = 0; each < count; each++) {
    const wanted = load<u32>(list + 4 + (each << 2));
    // a constant that is listed twice counts once
    let repeated = false;
    for (let before: u32 = 0; before < each; before++) {
      if (load<u32>(list + 4 + (before << 2)) == wanted) repeated = true;
    }
    if (repeated) continue;
    for (let rank: u32 = 0; rank < events; rank++) found += u32(entryAtRank(rank) == wanted);
  }
  return found;
}

/** Of a place's entries as they lie: most sessions have it in their first event. */
function firstEntry(place: u32): usize {
  const at = place << 2;
  for (let rank: u32 = 0; rank < events; rank++) {
    const entry = load<u32>(rowAtRank(rank) + at);
    if (entry != 0) return entry;
  }
  return 0;
}

function lastEntry(place: u32): usize {
  const at = place << 2;
  for (let rank = events; rank > 0; rank--) {
    const entry = load<u32>(rowAtRank(rank - 1) + at);
    if (entry != 0) return entry;
  }
  return 0;
}

/** The entries of the event at a place in the order of time. */
// @ts-ignore: decorator
@inline
function rowAtRank(rank: u32): usize {
  return decodedSorted ? decodedEntries + rank * decodedStride : load<u32>(ordered + (rank << 2));
}

function countDistinct(place: u32): u32 {
  gather(place);
  distinctBegin(events);
  let found: u32 = 0;
  let last: u32 = 0;
  for (let rank: u32 = 0; rank < events; rank++) {
    const entry = entryAtRank(rank);
    if (entry == 0 || entry == last) continue;
    last = entry;
    found += u32(distinctAdd(entry));
  }
  return found;
}

function putList(place: u32, limit: u32, distinct: bool): void {
  gather(place);
  putTag(<u8>TAG_LIST);
  bufferRoom(4);
  const countAt = bufferBytes;
  bufferAdd(4);
  if (distinct) distinctBegin(events);
  let count: u32 = 0;
  for (let rank: u32 = 0; rank < events && count < limit; rank++) {
    const entry: usize = entryAtRank(rank);
    if (entry == 0 || (distinct && !distinctAdd(<u32>entry))) continue;
    putText(entry + ENTRY_VALUE, load<u32>(entry + ENTRY_LENGTH));
    count++;
  }
  store<u32>(bufferAt + countAt, count);
}

function putEntry(entry: usize, type: u32): void {
  if (entry == 0) {
    putTag(<u8>TAG_NULL);
  } else if (type == COLUMN_STRING) {
    putString(entry + ENTRY_VALUE, load<u32>(entry + ENTRY_LENGTH));
  } else if (type == COLUMN_FLOAT) {
    putFloatBits(load<u64>(entry + ENTRY_VALUE));
  } else {
    putInteger(<i64>load<f64>(entry + ENTRY_VALUE));
  }
}

function putSessionId(column: usize, key: usize, identityMs: i64): void {
  const template = program + load<u32>(column + COLUMN_ARGUMENT);
  const parts = load<u32>(template);
  putTag(<u8>TAG_STRING);
  bufferRoom(4);
  const lengthAt = bufferBytes;
  bufferAdd(4);
  for (let index: u32 = 0; index < parts; index++) {
    const part = template + TEMPLATE_PARTS + index * TEMPLATE_PART_BYTES;
    const kind = load<u32>(part);
    if (kind == PART_LITERAL) putBytes(program + load<u32>(part + 4), load<u32>(part + 8));
    else if (kind == PART_KEY) putBytes(key + KEY_TEXT, load<u32>(key + KEY_LENGTH));
    else putDecimal(identityMs);
  }
  store<u32>(bufferAt + lengthAt, bufferBytes - lengthAt - 4);
}

function putBytes(text: usize, bytes: u32): void {
  copyText(bufferRoom(bytes), text, bytes);
  bufferAdd(bytes);
}

/** A time, which is not negative. */
function putDecimal(value: i64): void {
  let digits: u32 = 1;
  for (let rest = value; rest >= 10; rest /= 10) digits++;
  const at = bufferRoom(digits);
  for (let place = digits; place > 0; place--) {
    store<u8>(at + place - 1, 48 + <u8>(value % 10));
    value /= 10;
  }
  bufferAdd(digits);
}

/** The words as numbers, so that the kernel has no static data: gap, end_event, end_of_input, early, memory. */
function putClosedBy(closedBy: u32): void {
  let low: u64 = 0x79726f6d656d;
  let high: u64 = 0;
  let bytes: u32 = 6;
  if (closedBy == CLOSED_BY_GAP) {
    low = 0x706167;
    bytes = 3;
  } else if (closedBy == CLOSED_BY_END_EVENT) {
    low = 0x6e6576655f646e65;
    high = 0x74;
    bytes = 9;
  } else if (closedBy == CLOSED_BY_END_OF_INPUT) {
    low = 0x695f666f5f646e65;
    high = 0x7475706e;
    bytes = 12;
  } else if (closedBy == CLOSED_BY_EARLY) {
    low = 0x796c726165;
    bytes = 5;
  }
  putTag(<u8>TAG_STRING);
  const at = bufferRoom(4 + 16);
  store<u32>(at, bytes);
  store<u64>(at + 4, low);
  store<u64>(at + 12, high);
  bufferAdd(4 + bytes);
}
