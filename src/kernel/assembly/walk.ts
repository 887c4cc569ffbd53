/**
 * The records of one batch, decompressed; src/reference/record-walk.ts has their layout. `walkRecords` checks them and gives
 * the same verdict as the reference on every input; the rest reads them and trusts, so it is only for what was checked.
 *
 * Both read up to 16 bytes from any place within the records: as many must lie behind them.
 */
import { FAULT_NONE } from '../abi';
import {
  FAULT_BEHIND_RECORDS,
  FAULT_HEADER_COUNT,
  FAULT_LENGTH,
  FAULT_OFFSETS,
  FAULT_RECORD_COUNT,
  FAULT_RECORD_LONG,
  FAULT_RECORD_SHORT,
  FAULT_TIMESTAMP,
  FAULT_VARINT_32,
  FAULT_VARINT_CUT,
  FAULT_VARINT_LONG_5,
  FAULT_VARINT_LONG_10,
} from '../fault';
import {
  isOver32,
  packedBytes,
  packedI32,
  packedI64,
  packedValue,
  packedVarint,
  packedVaryingVarint,
  varyingBytes,
} from './varint';

const RECORD_BYTES_MIN: u64 = 7;
const SAFE_MAX: u64 = (1 << 53) - 1;

/** The record that was read last. */
export let recOffsetDelta: i32 = 0;
export let recTimestampDelta: i64 = 0;
export let recKeyAt: usize = 0;
/** −1: null */
export let recKeyBytes: i32 = 0;
export let recValueAt: usize = 0;
/** −1: null */
export let recValueBytes: i32 = 0;

let recordsEnd: usize = 0;
let cursor: usize = 0;

/** Begins to read checked records. */
export function recordsBegin(at: usize, bytes: u32): void {
  recordsEnd = at + bytes;
  cursor = at;
}

/** Reads the next record into `rec…`; false: there is none. */
// @ts-ignore: decorator
@inline
export function recordNext(): bool {
  if (cursor >= recordsEnd) return false;
  let at = cursor;
  let packed = packedVarint(at);
  at += packedBytes(packed);
  cursor = at + packedI32(packed);
  at++;
  packed = packedVaryingVarint(at);
  at += packedBytes(packed);
  recTimestampDelta = packedI64(packed);
  packed = packedVarint(at);
  at += packedBytes(packed);
  recOffsetDelta = packedI32(packed);
  packed = packedVarint(at);
  at += packedBytes(packed);
  const keyBytes = packedI32(packed);
  recKeyAt = at;
  recKeyBytes = keyBytes;
  at += max(keyBytes, 0);
  packed = packedVarint(at);
  recValueAt = at + packedBytes(packed);
  recValueBytes = packedI32(packed);
  return true;
}

/** FAULT_NONE: exactly `count` records fill the bytes, with offsets that grow up to `lastOffsetDelta`. */
export function walkRecords(from: usize, bytes: u32, count: u32, lastOffsetDelta: i32): i32 {
  if (<u64>count * RECORD_BYTES_MIN > <u64>bytes) return FAULT_RECORD_COUNT;
  const end = from + bytes;
  let at = from;
  let previous: i32 = -1;
  for (let index: u32 = 0; index < count; index++) {
    let packed = packedVarint(at);
    if (isBad32(packed, at, end)) return faultOf32(packed, at, end);
    at += packedBytes(packed);
    const length = packedI32(packed);
    if (length < 0 || <usize>length > end - at) return FAULT_RECORD_LONG;
    const limit = at + length;
    // the attributes
    if (length == 0) return FAULT_LENGTH;
    at++;

    // the timestamp; what has seven bytes is in range
    const timestampBytes = varyingBytes(at);
    if (timestampBytes != 0 && at + timestampBytes <= limit) {
      at += timestampBytes;
    } else {
      packed = packedVarint(at);
      if (isBad64(packed, at, limit)) return faultOf64(packed, at, limit);
      at += packedBytes(packed);
    }

    packed = packedVarint(at);
    if (isBad32(packed, at, limit)) return faultOf32(packed, at, limit);
    at += packedBytes(packed);
    const offsetDelta = packedI32(packed);

    packed = packedVarint(at);
    if (isBad32(packed, at, limit)) return faultOf32(packed, at, limit);
    at += packedBytes(packed);
    const keyBytes = packedI32(packed);
    if (keyBytes < -1 || (keyBytes > 0 && <usize>keyBytes > limit - at)) return FAULT_LENGTH;
    at += max(keyBytes, 0);

    packed = packedVarint(at);
    if (isBad32(packed, at, limit)) return faultOf32(packed, at, limit);
    at += packedBytes(packed);
    const valueBytes = packedI32(packed);
    if (valueBytes < -1 || (valueBytes > 0 && <usize>valueBytes > limit - at)) return FAULT_LENGTH;
    at += max(valueBytes, 0);

    // almost always one byte of 0: no headers
    if (at + 1 != limit || load<u8>(at) != 0) {
      const fault = walkHeaders(at, limit);
      if (fault != FAULT_NONE) return fault;
    }
    at = limit;
    if (offsetDelta <= previous || offsetDelta > lastOffsetDelta) return FAULT_OFFSETS;
    previous = offsetDelta;
  }
  return at == end ? FAULT_NONE : FAULT_BEHIND_RECORDS;
}

/** The headers from `at` end exactly at `limit`, or what is wrong. */
function walkHeaders(from: usize, limit: usize): i32 {
  let at = from;
  let packed = packedVarint(at);
  if (isBad32(packed, at, limit)) return faultOf32(packed, at, limit);
  at += packedBytes(packed);
  const count = packedI32(packed);
  // two bytes are the least that a header takes
  if (count < 0 || <u64>count * 2 > <u64>(limit - at)) return FAULT_HEADER_COUNT;
  // a key and a value each; only a value may be null
  for (let index: u64 = 0; index < <u64>count * 2; index++) {
    packed = packedVarint(at);
    if (isBad32(packed, at, limit)) return faultOf32(packed, at, limit);
    at += packedBytes(packed);
    const bytes = packedI32(packed);
    const bytesMin = (<i32>index & 1) == 0 ? 0 : -1;
    if (bytes < bytesMin || (bytes > 0 && <usize>bytes > limit - at)) return FAULT_LENGTH;
    at += max(bytes, 0);
  }
  return at == limit ? FAULT_NONE : FAULT_RECORD_SHORT;
}

/** Not a varint of at most 5 bytes and 32 bits that ends before `limit`. */
// @ts-ignore: decorator
@inline
function isBad32(packed: u64, at: usize, limit: usize): bool {
  return isOver32(packed) || at + packedBytes(packed) > limit;
}

// @ts-ignore: decorator
@inline
function isBad64(packed: u64, at: usize, limit: usize): bool {
  return packedBytes(packed) > 10 || packedValue(packed) > SAFE_MAX || at + packedBytes(packed) > limit;
}

/** Which of them, in the order in which a reader byte by byte finds it. */
function faultOf32(packed: u64, at: usize, limit: usize): i32 {
  if (at + min(packedBytes(packed), 5) > limit) return FAULT_VARINT_CUT;
  return packedBytes(packed) > 5 ? FAULT_VARINT_LONG_5 : FAULT_VARINT_32;
}

function faultOf64(packed: u64, at: usize, limit: usize): i32 {
  if (at + min(packedBytes(packed), 10) > limit) return FAULT_VARINT_CUT;
  return packedBytes(packed) > 10 ? FAULT_VARINT_LONG_10 : FAULT_TIMESTAMP;
}
