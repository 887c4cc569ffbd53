/**
 * Rows under way to the next cut, and rows that stand in the sinks. A row is one block, which both may refer to.
 *
 *   row   references u32 │ bytes u32 │ UTC day of session_start i32 │ place of the sign u32 │ canonical bytes
 */
import { COLUMN_BYTES, COLUMN_OP, OP_BATCH_ID, OP_CREATED_AT, OP_FILE_ID, P_COLUMNS, TAG_LIST, TAG_NULL, TAG_STRING } from '../abi';
import { crc32c } from './crc32c';
import { LANE_CRC, LANE_ROWS, LANE_ROW_COUNT, LANE_ROW_ROOM } from './lane-layout';
import { alloc, free } from './memory';
import { program } from './model';

// @ts-ignore: decorator
@external("host", "rows")
declare function hostRows(lane: usize): void;

export const ROW_REFERENCES: usize = 0;
export const ROW_LENGTH: usize = 4;
export const ROW_DAY: usize = 8;
export const ROW_SIGN: usize = 12;
export const ROW_BYTES: usize = 16;

export const MS_PER_DAY: i64 = 86400000;
const COPY_BYTES_MAX: u32 = 2048;

/** A row with one reference. Traps when memory is full. */
export function newRow(at: usize, bytes: u32, day: i32, signAt: u32): usize {
  const row = alloc(<u32>ROW_BYTES + bytes);
  if (row == 0) unreachable();
  store<u32>(row + ROW_REFERENCES, 1);
  store<u32>(row + ROW_LENGTH, bytes);
  store<i32>(row + ROW_DAY, day);
  store<u32>(row + ROW_SIGN, signAt);
  copyRow(row + ROW_BYTES, at, bytes);
  return row;
}

/** A call of memory.copy costs as much as the row. */
// @ts-ignore: decorator
@inline
function copyRow(to: usize, from: usize, bytes: u32): void {
  if (bytes < 16 || bytes > COPY_BYTES_MAX) {
    memory.copy(to, from, bytes);
    return;
  }
  const last = bytes - 16;
  for (let at: u32 = 0; at < last; at += 16) v128.store(to + at, v128.load(from + at));
  v128.store(to + last, v128.load(from + last));
}

export function holdRow(row: usize): void {
  store<u32>(row, load<u32>(row) + 1);
}

export function releaseRow(row: usize): void {
  const references = load<u32>(row) - 1;
  if (references == 0) free(row);
  else store<u32>(row, references);
}

/** Bytes of rows after which the host is asked to look whether they take too much. */
const LOOK_BYTES: u32 = 1 << 20;
let sinceLook: u32 = 0;

/** Puts a row among the lane's; the reference is the list's. The host may take the rows before it out of the lane. */
export function emitRow(lane: usize, row: usize): void {
  sinceLook += load<u32>(row + ROW_LENGTH);
  if (sinceLook >= LOOK_BYTES) {
    sinceLook = 0;
    hostRows(lane);
  }
  const count = load<u32>(lane + LANE_ROW_COUNT);
  const room = load<u32>(lane + LANE_ROW_ROOM);
  let list: usize = load<u32>(lane + LANE_ROWS);
  if (count == room) {
    const larger = alloc(room == 0 ? 256 : room << 3);
    if (larger == 0) unreachable();
    if (list != 0) {
      memory.copy(larger, list, count << 2);
      free(list);
    }
    list = larger;
    store<u32>(lane + LANE_ROWS, <u32>list);
    store<u32>(lane + LANE_ROW_ROOM, room == 0 ? 64 : room << 1);
  }
  store<u32>(list + (count << 2), <u32>row);
  store<u32>(lane + LANE_ROW_COUNT, count + 1);
  const crc = crc32c(row + ROW_BYTES, load<u32>(row + ROW_LENGTH));
  store<u32>(lane + LANE_CRC, load<u32>(lane + LANE_CRC) + crc);
}

/** The same row with sign −1. */
export function emitNegated(lane: usize, row: usize): void {
  const copy = newRow(row + ROW_BYTES, load<u32>(row + ROW_LENGTH), load<i32>(row + ROW_DAY), load<u32>(row + ROW_SIGN));
  store<i64>(copy + ROW_BYTES + load<u32>(copy + ROW_SIGN) + 1, -1);
  emitRow(lane, copy);
}

export function freeRows(list: usize, count: u32): void {
  for (let index: u32 = 0; index < count; index++) releaseRow(load<u32>(list + (index << 2)));
  if (list != 0) free(list);
}

/** Where a column's value begins in a row's bytes. */
export function columnAt(bytes: usize, column: u32): usize {
  const columns = program + load<u32>(program + P_COLUMNS);
  for (let index: u32 = 0; index < column; index++) {
    const op = load<u32>(columns + index * COLUMN_BYTES + COLUMN_OP);
    if (op != OP_CREATED_AT && op != OP_BATCH_ID && op != OP_FILE_ID) bytes = valueEnd(bytes);
  }
  return bytes;
}

function valueEnd(at: usize): usize {
  const tag = load<u8>(at);
  if (tag == TAG_NULL) return at + 1;
  if (tag == TAG_STRING) return at + 5 + load<u32>(at + 1);
  if (tag != TAG_LIST) return at + 9;
  let items = load<u32>(at + 1);
  at += 5;
  while (items-- > 0) at += 4 + load<u32>(at);
  return at;
}
