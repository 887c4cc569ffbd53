/**
 * The row of a session, column by column, from its events. All of a model's meaning that is not in when sessions begin and
 * end is here; src/reference/session-row.ts says the same in plain words.
 */
import {
  CLOSED_BY_EARLY,
  CLOSED_BY_END_EVENT,
  CLOSED_BY_END_OF_INPUT,
  CLOSED_BY_GAP,
  CLOSED_BY_MAX_DURATION,
  CLOSED_BY_SPLIT,
  COLUMN_ARGUMENT,
  COLUMN_BYTES,
  COLUMN_FLOAT,
  COLUMN_OP,
  COLUMN_STRING,
  COLUMN_TYPE,
  COLUMN_UINT16,
  COLUMN_UINT32,
  OP_BATCH_ID,
  OP_CLOSED_BY,
  OP_COUNT,
  OP_COUNT_DISTINCT,
  OP_COUNT_IF,
  OP_COUNT_VALUES,
  OP_CREATED_AT,
  OP_DURATION_SEC,
  OP_FILE_ID,
  OP_FIRST,
  OP_KEY,
  OP_LAST,
  OP_LIST,
  OP_RECORDS,
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
  TAG_NULL,
  TAG_STRING,
  TEMPLATE_PARTS,
  TEMPLATE_PART_BYTES,
} from '../abi';
import { conditionsInit, constantsOf } from './conditions';
import { distinctAdd, distinctBegin } from './distinct';
import { ENTRY_LENGTH, ENTRY_VALUE } from './intern';
import { keyBytesOf } from './keys';
import { KEY_TEXT } from './lane-layout';
import { entriesAt, headEntry, isVaried } from './log-decode';
import { placeOf, program } from './model';
import {
  bufferAdd,
  bufferBytes,
  bufferRoom,
  putBytes,
  putDecimal,
  putFloatBits,
  putInteger,
  putString,
  putTag,
  stringBegin,
  stringEnd,
} from './row-buffer';
import { countEqual, countPresent, events, eventsBegin, firstEntry, lastEntry, timeAtRank } from './row-events';
import { putList, putRecords } from './row-lists';

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

/** After the pools are there. */
export function rowInit(): void {
  columns = program + load<u32>(program + P_COLUMNS);
  columnCount = load<u32>(program + P_COLUMN_COUNT);
  conditionsInit();
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
  eventsBegin(log, eventCount);
  rowStartMs = timeAtRank(0);
  endMs = timeAtRank(eventCount - 1);
  rowClamped = 0;
  rowAt = bufferBytes;
  for (let index: u32 = 0; index < columnCount; index++) {
    putColumn(index, key, closedBy, revision, identityMs);
  }
}

function putColumn(index: u32, key: usize, closedBy: u32, revision: u32, identityMs: i64): void {
  const column = columns + index * COLUMN_BYTES;
  const type = load<u32>(column + COLUMN_TYPE);
  switch (load<u32>(column + COLUMN_OP)) {
    case OP_KEY:
      putString(key + KEY_TEXT, keyBytesOf(key));
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
      putCount(countIf(placeOf(column), constantsOf(index)), type);
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
    case OP_COUNT_VALUES:
      putCount(countPresent(placeOf(column)), type);
      break;
    case OP_LIST:
      rowClamped += u32(putList(column, index, false));
      break;
    case OP_SET:
      rowClamped += u32(putList(column, index, true));
      break;
    case OP_RECORDS:
      rowClamped += u32(putRecords(column));
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

function putCount(value: i64, type: u32): void {
  const most: i64 = type == COLUMN_UINT16 ? 0xffff : type == COLUMN_UINT32 ? 0xffffffff : i64.MAX_VALUE;
  if (value > most) {
    rowClamped++;
    value = most;
  }
  putInteger(value);
}

function countIf(place: u32, list: usize): u32 {
  const end = list + 4 + (<usize>load<u32>(list) << 2);
  let found: u32 = 0;
  for (let at = list + 4; at < end; at += 4) found += countEqual(place, load<u32>(at));
  return found;
}

function countDistinct(place: u32): u32 {
  if (!isVaried(place)) return u32(headEntry(place) != 0);
  const entries = entriesAt(place);
  distinctBegin(events);
  let found: u32 = 0;
  let last: u32 = 0;
  for (let rank: u32 = 0; rank < events; rank++) {
    const entry = load<u32>(entries + (rank << 2));
    if (entry == 0 || entry == last) continue;
    last = entry;
    found += u32(distinctAdd(entry));
  }
  return found;
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
  const lengthAt = stringBegin();
  for (let index: u32 = 0; index < parts; index++) {
    const part = template + TEMPLATE_PARTS + index * TEMPLATE_PART_BYTES;
    const kind = load<u32>(part);
    if (kind == PART_LITERAL) putBytes(program + load<u32>(part + 4), load<u32>(part + 8));
    else if (kind == PART_KEY) putBytes(key + KEY_TEXT, keyBytesOf(key));
    else putDecimal(identityMs);
  }
  stringEnd(lengthAt);
}

/** The words as numbers, so that the kernel has no static data: gap, end_event and so on. */
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
  } else if (closedBy == CLOSED_BY_MAX_DURATION) {
    low = 0x617275645f78616d;
    high = 0x6e6f6974;
    bytes = 12;
  } else if (closedBy == CLOSED_BY_SPLIT) {
    low = 0x74696c7073;
    bytes = 5;
  }
  putTag(<u8>TAG_STRING);
  const at = bufferRoom(4 + 16);
  store<u32>(at, bytes);
  store<u64>(at + 4, low);
  store<u64>(at + 12, high);
  bufferAdd(4 + bytes);
}
