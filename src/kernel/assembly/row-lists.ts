/** Columns that hold several values of a session: lists, sets and records; src/reference/session-collections.ts says the same. */
import {
  COLUMN_ARGUMENT,
  COLUMN_BY,
  COLUMN_BYTES,
  COLUMN_FIELD,
  COLUMN_LIMIT,
  COLUMN_OF,
  COLUMN_OP,
  COLUMN_STRING,
  COLUMN_TYPE,
  COLUMN_WHERE,
  MEMBER_BYTES,
  MEMBER_COUNT,
  MEMBER_NAME,
  MEMBER_NAME_LENGTH,
  MEMBER_PLACE,
  MEMBER_TYPE,
  MEMBERS,
  OP_LIST,
  OP_RECORDS,
  OP_SET,
  P_COLUMNS,
  TAG_LIST,
  TYPE_STRING,
} from '../abi';
import { countHeld, lanesOf } from './conditions';
import { distinctAdd, distinctBegin } from './distinct';
import { ENTRY_LENGTH, ENTRY_VALUE } from './intern';
import { entriesAt } from './log-decode';
import { reserve } from './memory';
import { collectionBytesMax, placeOf, program } from './model';
import {
  bufferAdd,
  bufferAt,
  bufferBytes,
  bufferCut,
  bufferRoom,
  putBytes,
  putDecimal,
  putTag,
  putText,
  stringBegin,
  stringEnd,
} from './row-buffer';
import { events, timeAtRank } from './row-events';
import { putJsonByte, putJsonEnd, putJsonSeparator, putJsonValue } from './row-json';
import { countDistinct, countWhere } from './row-values';

/** By column: items that it holds in the row in the making, u32. */
let items: usize = 0;

export function listsInit(columns: u32): void {
  items = reserve((columns << 2) + 4);
}

/**
 * A list, or with `distinct` a set. With `by`, of the event that brings a value of that field first. True: items were left out
 * that would not fit.
 */
export function putList(column: usize, index: u32, distinct: bool): bool {
  const limit = load<u32>(column + COLUMN_LIMIT);
  const isJson = load<u32>(column + COLUMN_TYPE) == COLUMN_STRING;
  const by = load<u32>(column + COLUMN_BY);
  const where = load<u32>(column + COLUMN_WHERE);
  const lanes: usize = where == 0 ? 0 : lanesOf(where - 1);
  const values = entriesAt(placeOf(column));
  // where there is none, an event is left out
  const keys = by == 0 ? values : entriesAt(by - 1);
  const isOnce = distinct || by != 0;
  const lengthAt = isJson ? stringBegin() : listBegin();
  // with room for the bracket behind the last item
  const endAt = bufferBytes + collectionBytesMax - u32(isJson);
  if (isOnce) distinctBegin(events);
  let count: u32 = 0;
  let isCut = false;
  for (let rank: u32 = 0; rank < events && count < limit; rank++) {
    const at = rank << 2;
    if (lanes != 0 && load<u32>(lanes + at) == 0) continue;
    const key = load<u32>(keys + at);
    if (key == 0 || (isOnce && !distinctAdd(key))) continue;
    const entry: usize = load<u32>(values + at);
    const itemAt = bufferBytes;
    if (isJson) {
      putJsonSeparator(count);
      putJsonValue(entry, TYPE_STRING, endAt);
    } else {
      putText(entry + ENTRY_VALUE, load<u32>(entry + ENTRY_LENGTH));
    }
    if (bufferBytes > endAt) {
      bufferCut(itemAt);
      isCut = true;
      break;
    }
    count++;
  }
  store<u32>(items + (index << 2), count);
  if (isJson) {
    putJsonEnd(count);
    stringEnd(lengthAt);
  } else {
    store<u32>(bufferAt + lengthAt, count);
  }
  return isCut;
}

/** How many items there are that a list, set or records before it has not. */
export function overflowOf(column: usize): u32 {
  const index = load<u32>(column + COLUMN_OF);
  const target = program + load<u32>(program + P_COLUMNS) + index * COLUMN_BYTES;
  const op = load<u32>(target + COLUMN_OP);
  const where = load<u32>(target + COLUMN_WHERE);
  const by = load<u32>(target + COLUMN_BY);
  let all: u32 = 0;
  if (op == OP_RECORDS) {
    const isAsked = load<i32>(target + COLUMN_FIELD) >= 0;
    if (isAsked) all = countWhere(placeOf(target), where);
    else all = where == 0 ? events : countHeld(where - 1);
  } else if (op == OP_LIST && by == 0) {
    all = countWhere(placeOf(target), where);
  } else {
    all = countDistinct(op == OP_SET ? placeOf(target) : by - 1, where);
  }
  return all - load<u32>(items + (index << 2));
}

/** Where its count goes. */
function listBegin(): u32 {
  putTag(<u8>TAG_LIST);
  bufferRoom(4);
  bufferAdd(4);
  return bufferBytes - 4;
}

/** Events as objects, of those that have what must be present. True: some were left out that would not fit. */
export function putRecords(column: usize, index: u32): bool {
  const limit = load<u32>(column + COLUMN_LIMIT);
  const members = program + load<u32>(column + COLUMN_ARGUMENT);
  const isAsked = load<i32>(column + COLUMN_FIELD) >= 0;
  const present: usize = isAsked ? entriesAt(placeOf(column)) : 0;
  const where = load<u32>(column + COLUMN_WHERE);
  const lanes: usize = where == 0 ? 0 : lanesOf(where - 1);
  const lengthAt = stringBegin();
  // with room for the bracket behind the last one
  const endAt = bufferBytes + collectionBytesMax - 1;
  let count: u32 = 0;
  let isCut = false;
  for (let rank: u32 = 0; rank < events && count < limit; rank++) {
    if (isAsked && load<u32>(present + (rank << 2)) == 0) continue;
    if (lanes != 0 && load<u32>(lanes + (rank << 2)) == 0) continue;
    const itemAt = bufferBytes;
    putJsonSeparator(count);
    putRecord(members, rank, endAt);
    if (bufferBytes > endAt) {
      bufferCut(itemAt);
      isCut = true;
      break;
    }
    count++;
  }
  store<u32>(items + (index << 2), count);
  putJsonEnd(count);
  stringEnd(lengthAt);
  return isCut;
}

/** Ends early behind `endAt`. */
function putRecord(members: usize, rank: u32, endAt: u32): void {
  // { and }
  putJsonByte(0x7b);
  const end = members + MEMBERS + load<u32>(members + MEMBER_COUNT) * MEMBER_BYTES;
  for (let member = members + MEMBERS; member < end && bufferBytes <= endAt; member += MEMBER_BYTES) {
    putBytes(program + load<u32>(member + MEMBER_NAME), load<u32>(member + MEMBER_NAME_LENGTH));
    const place = load<u32>(member + MEMBER_PLACE);
    if (place == 0) putDecimal(timeAtRank(rank));
    else putJsonValue(load<u32>(entriesAt(place - 1) + (rank << 2)), load<u32>(member + MEMBER_TYPE), endAt);
  }
  putJsonByte(0x7d);
}
