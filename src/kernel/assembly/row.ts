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
  COLUMN_BY,
  COLUMN_BYTES,
  COLUMN_OP,
  COLUMN_PLACE,
  COLUMN_STRING,
  COLUMN_TYPE,
  COLUMN_WHERE,
  OP_ARGMAX,
  OP_ARGMIN,
  OP_AVG,
  OP_BATCH_ID,
  OP_CALCULATE,
  OP_CLOSED_BY,
  OP_CONCAT,
  OP_CONSTANT,
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
  OP_MAX,
  OP_MIN,
  OP_OVERFLOW,
  OP_RECORDS,
  OP_REVISION,
  OP_SESSION_END,
  OP_SESSION_ID,
  OP_SESSION_START,
  OP_SET,
  OP_SIGN,
  OP_SUM,
  PART_KEY,
  PART_LITERAL,
  P_COLUMNS,
  P_COLUMN_COUNT,
  SET_TEXTS,
  TAG_NULL,
  TAG_STRING,
  TEMPLATE_PARTS,
  TEMPLATE_PART_BYTES,
} from '../abi';
import { conditionPlace, conditionsInit, countHeld, equalsOf } from './conditions';
import { ENTRY_LENGTH, ENTRY_VALUE } from './intern';
import { keyBytesOf } from './keys';
import { KEY_TEXT } from './lane-layout';
import { placeOf, program } from './model';
import {
  bufferAdd,
  bufferBytes,
  bufferRoom,
  putBytes,
  putDecimal,
  putInteger,
  putString,
  putTag,
  stringBegin,
  stringEnd,
} from './row-buffer';
import { calculated, derivedInit, notePlace, putConcat } from './row-derived';
import { countEqual, events, eventsBegin, timeAtRank } from './row-events';
import { listsInit, overflowOf, putList, putRecords } from './row-lists';
import { clampedNumbers, numbersBegin, putCount, putNumber } from './row-numbers';
import { countDistinct, countWhere, entryAtBest, firstWhere, foundNumber, lastWhere, numberOf } from './row-values';

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
  derivedInit(columnCount);
  listsInit(columnCount);
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
  endMs = timeAtRank(events - 1);
  rowClamped = 0;
  numbersBegin();
  rowAt = bufferBytes;
  for (let index: u32 = 0; index < columnCount; index++) {
    notePlace(index);
    putColumn(index, key, closedBy, revision, identityMs);
  }
  rowClamped += clampedNumbers;
}

function putColumn(index: u32, key: usize, closedBy: u32, revision: u32, identityMs: i64): void {
  const column = columns + index * COLUMN_BYTES;
  const type = load<u32>(column + COLUMN_TYPE);
  const where = load<u32>(column + COLUMN_WHERE);
  const op = load<u32>(column + COLUMN_OP);
  switch (op) {
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
      putCount(countIf(where - 1), type);
      break;
    case OP_FIRST:
      putEntry(firstWhere(placeOf(column), where), type);
      break;
    case OP_LAST:
      putEntry(lastWhere(placeOf(column), where), type);
      break;
    case OP_COUNT_DISTINCT:
      putCount(countDistinct(placeOf(column), where), type);
      break;
    case OP_COUNT_VALUES:
      putCount(countWhere(placeOf(column), where), type);
      break;
    case OP_LIST:
      rowClamped += u32(putList(column, index, false));
      break;
    case OP_SET:
      rowClamped += u32(putList(column, index, true));
      break;
    case OP_RECORDS:
      rowClamped += u32(putRecords(column, index));
      break;
    case OP_MIN:
    case OP_MAX:
    case OP_SUM:
    case OP_AVG:
      putOptional(numberOf(op, load<u32>(column + COLUMN_PLACE), where), type);
      break;
    case OP_ARGMIN:
    case OP_ARGMAX:
      putBest(op, column, where, type);
      break;
    case OP_CONSTANT:
      putConstant(column, type);
      break;
    case OP_CONCAT:
      rowClamped += u32(putConcat(column));
      break;
    case OP_CALCULATE:
      putOptional(calculated(column), type);
      break;
    case OP_OVERFLOW:
      putCount(overflowOf(column), type);
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

/** Equality with a few texts is counted without asking each event apart. */
function countIf(condition: u32): u32 {
  const list = equalsOf(condition);
  if (list == 0) return countHeld(condition);
  const place = conditionPlace(condition);
  const end = list + 4 + (<usize>load<u32>(list) << 2);
  let found: u32 = 0;
  for (let at = list + 4; at < end; at += 4) found += countEqual(place, load<u32>(at));
  return found;
}

/** A number, NaN for null. */
function putOptional(value: f64, type: u32): void {
  if (isNaN(value)) putTag(<u8>TAG_NULL);
  else putNumber(value, type);
}

function putEntry(entry: usize, type: u32): void {
  if (entry == 0) putTag(<u8>TAG_NULL);
  else if (type == COLUMN_STRING) putString(entry + ENTRY_VALUE, load<u32>(entry + ENTRY_LENGTH));
  else putNumber(load<f64>(entry + ENTRY_VALUE), type);
}

function putBest(op: u32, column: usize, where: u32, type: u32): void {
  const entry = entryAtBest(op, load<u32>(column + COLUMN_PLACE), load<u32>(column + COLUMN_BY) - 1, where);
  if (entry == 0) putOptional(foundNumber, type);
  else putEntry(entry, type);
}

function putConstant(column: usize, type: u32): void {
  const value = program + load<u32>(column + COLUMN_ARGUMENT);
  if (type != COLUMN_STRING) putNumber(load<f64>(value), type);
  else putString(program + load<u32>(value + SET_TEXTS), load<u32>(value + SET_TEXTS + 4));
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
