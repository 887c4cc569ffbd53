/** Columns that hold several values of a session: lists, sets and records; src/reference/session-collections.ts says the same. */
import {
  COLUMN_ARGUMENT,
  COLUMN_BY,
  COLUMN_FIELD,
  COLUMN_LIMIT,
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
  TAG_LIST,
  TYPE_STRING,
} from '../abi';
import { constantsOf, isOneOf } from './conditions';
import { distinctAdd, distinctBegin } from './distinct';
import { ENTRY_LENGTH, ENTRY_VALUE } from './intern';
import { entriesAt } from './log-decode';
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

/**
 * A list, or with `distinct` a set. With `by`, of the event that brings a value of that field first. True: items were left out
 * that would not fit.
 */
export function putList(column: usize, index: u32, distinct: bool): bool {
  const limit = load<u32>(column + COLUMN_LIMIT);
  const isJson = load<u32>(column + COLUMN_TYPE) == COLUMN_STRING;
  const by = load<u32>(column + COLUMN_BY);
  const constants = constantsOf(index);
  const wheres: usize = constants == 0 ? 0 : entriesAt(load<u32>(column + COLUMN_WHERE) - 1);
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
    if (constants != 0 && !isOneOf(constants, load<u32>(wheres + at))) continue;
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
  if (isJson) {
    putJsonEnd(count);
    stringEnd(lengthAt);
  } else {
    store<u32>(bufferAt + lengthAt, count);
  }
  return isCut;
}

/** Where its count goes. */
function listBegin(): u32 {
  putTag(<u8>TAG_LIST);
  bufferRoom(4);
  bufferAdd(4);
  return bufferBytes - 4;
}

/** Events as objects, of those that have what must be present. True: some were left out that would not fit. */
export function putRecords(column: usize): bool {
  const limit = load<u32>(column + COLUMN_LIMIT);
  const members = program + load<u32>(column + COLUMN_ARGUMENT);
  const isAsked = load<i32>(column + COLUMN_FIELD) >= 0;
  const present: usize = isAsked ? entriesAt(placeOf(column)) : 0;
  const lengthAt = stringBegin();
  // with room for the bracket behind the last one
  const endAt = bufferBytes + collectionBytesMax - 1;
  let count: u32 = 0;
  let isCut = false;
  for (let rank: u32 = 0; rank < events && count < limit; rank++) {
    if (isAsked && load<u32>(present + (rank << 2)) == 0) continue;
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
