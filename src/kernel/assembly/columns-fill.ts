/**
 * One column of a block of rows: values from where the cursors stand into the column's buffers, and the cursors on to the
 * next column. The tags were checked before. Least and greatest value are kept in the descriptor from block to block.
 */
import {
  COLUMN_BOOL,
  COLUMN_FLOAT,
  COLUMN_INT16,
  COLUMN_INT32,
  COLUMN_INT8,
  COLUMN_LIST,
  COLUMN_STRING,
  COLUMN_TIME,
  COLUMN_UINT16,
  COLUMN_UINT8,
  TAG_FLOAT,
  TAG_INTEGER,
  TAG_LIST,
  TAG_NULL,
  TAG_STRING,
} from '../abi';
import {
  BOUNDS_KNOWN,
  BOUNDS_REFUSED,
  BUILT_BOUNDS,
  BUILT_CHILD_OFFSETS,
  BUILT_GREATEST,
  BUILT_LEAST,
  BUILT_OFFSETS,
  BUILT_VALIDITY,
  BUILT_VALUES,
} from '../columns-layout';
import { boundText } from './columns-bounds';

const US_PER_MS: i64 = 1000;
/** Up to here a copy by sixteens beats a call of memory.copy. */
const COPY_BYTES_MAX: u32 = 128;

/** The tag of a column's values that are not null. */
// @ts-ignore: decorator
@inline
export function tagOf(type: u32): u32 {
  if (type == COLUMN_FLOAT) return TAG_FLOAT;
  if (type == COLUMN_STRING) return TAG_STRING;
  return type == COLUMN_LIST ? TAG_LIST : TAG_INTEGER;
}

/** Bytes of a value in Arrow, of numbers and times: as many as the narrowest signed number that holds all of them. */
export function widthOf(type: u32): u32 {
  if (type == COLUMN_INT8) return 1;
  if (type == COLUMN_INT16 || type == COLUMN_UINT8) return 2;
  return type == COLUMN_INT32 || type == COLUMN_UINT16 ? 4 : 8;
}

/** Rows from…until; `cursors` has an address for each row. */
export function fillColumn(type: u32, out: usize, cursors: usize, from: u32, until: u32): void {
  if (type == COLUMN_STRING) fillStrings(out, cursors, from, until);
  else if (type == COLUMN_LIST) fillLists(out, cursors, from, until);
  else if (type == COLUMN_FLOAT) fillFloats(out, cursors, from, until);
  else if (type == COLUMN_BOOL) fillTruths(out, cursors, from, until);
  else if (widthOf(type) == 1) fillIntegers<i8>(out, cursors, from, until, 1);
  else if (widthOf(type) == 2) fillIntegers<i16>(out, cursors, from, until, 1);
  else if (widthOf(type) == 4) fillIntegers<i32>(out, cursors, from, until, 1);
  else fillIntegers<i64>(out, cursors, from, until, type == COLUMN_TIME ? US_PER_MS : 1);
}

/** One bit a row; they have no bounds. */
function fillTruths(out: usize, cursors: usize, from: u32, until: u32): void {
  const values: usize = load<u32>(out + BUILT_VALUES);
  const validity: usize = load<u32>(out + BUILT_VALIDITY);
  for (let r: u32 = from; r < until; r++) {
    const cursor = cursors + (r << 2);
    const at: usize = load<u32>(cursor);
    if (load<u8>(at) == TAG_NULL) {
      store<u32>(cursor, <u32>at + 1);
      clearBit(validity, r);
      continue;
    }
    const bits = values + (r >> 3);
    store<u8>(bits, load<u8>(bits) | (u8(load<i64>(at + 1) != 0) << <u8>(r & 7)));
    store<u32>(cursor, <u32>at + 9);
  }
}

/** T is Arrow's width. The bounds are those of the values before they are multiplied. */
function fillIntegers<T extends number>(out: usize, cursors: usize, from: u32, until: u32, factor: i64): void {
  const values: usize = load<u32>(out + BUILT_VALUES);
  const validity: usize = load<u32>(out + BUILT_VALIDITY);
  const known = load<u32>(out + BUILT_BOUNDS) == BOUNDS_KNOWN;
  let least: i64 = known ? load<i64>(out + BUILT_LEAST) : i64.MAX_VALUE;
  let greatest: i64 = known ? load<i64>(out + BUILT_GREATEST) : i64.MIN_VALUE;
  for (let r: u32 = from; r < until; r++) {
    const cursor = cursors + (r << 2);
    const at: usize = load<u32>(cursor);
    const to = values + <usize>r * sizeof<T>();
    if (load<u8>(at) == TAG_NULL) {
      store<u32>(cursor, <u32>at + 1);
      store<T>(to, 0 as T);
      clearBit(validity, r);
      continue;
    }
    const value = load<i64>(at + 1);
    store<u32>(cursor, <u32>at + 9);
    store<T>(to, <T>(value * factor));
    least = value < least ? value : least;
    greatest = value > greatest ? value : greatest;
  }
  if (least > greatest) return;
  store<u32>(out + BUILT_BOUNDS, BOUNDS_KNOWN);
  store<i64>(out + BUILT_LEAST, least);
  store<i64>(out + BUILT_GREATEST, greatest);
}

/** JSON has no number for what is not finite: one such value, and the column has no bounds. */
function fillFloats(out: usize, cursors: usize, from: u32, until: u32): void {
  const values: usize = load<u32>(out + BUILT_VALUES);
  const validity: usize = load<u32>(out + BUILT_VALIDITY);
  const bounds = load<u32>(out + BUILT_BOUNDS);
  let finite = bounds != BOUNDS_REFUSED;
  let least: f64 = bounds == BOUNDS_KNOWN ? load<f64>(out + BUILT_LEAST) : Infinity;
  let greatest: f64 = bounds == BOUNDS_KNOWN ? load<f64>(out + BUILT_GREATEST) : -Infinity;
  for (let r: u32 = from; r < until; r++) {
    const cursor = cursors + (r << 2);
    const at: usize = load<u32>(cursor);
    const to = values + (<usize>r << 3);
    if (load<u8>(at) == TAG_NULL) {
      store<u32>(cursor, <u32>at + 1);
      store<f64>(to, 0);
      clearBit(validity, r);
      continue;
    }
    const value = load<f64>(at + 1);
    store<u32>(cursor, <u32>at + 9);
    store<f64>(to, value);
    if (!isFinite(value)) finite = false;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  if (!finite) store<u32>(out + BUILT_BOUNDS, BOUNDS_REFUSED);
  if (!finite || least > greatest) return;
  store<u32>(out + BUILT_BOUNDS, BOUNDS_KNOWN);
  store<f64>(out + BUILT_LEAST, least);
  store<f64>(out + BUILT_GREATEST, greatest);
}

function fillStrings(out: usize, cursors: usize, from: u32, until: u32): void {
  const values: usize = load<u32>(out + BUILT_VALUES);
  const offsets: usize = load<u32>(out + BUILT_OFFSETS);
  const validity: usize = load<u32>(out + BUILT_VALIDITY);
  let end = load<u32>(offsets + (from << 2));
  for (let r: u32 = from; r < until; r++) {
    const cursor = cursors + (r << 2);
    const at: usize = load<u32>(cursor);
    if (load<u8>(at) == TAG_NULL) {
      store<u32>(cursor, <u32>at + 1);
      clearBit(validity, r);
    } else {
      const bytes = load<u32>(at + 1);
      const to = values + end;
      copyText(to, at + 5, bytes);
      boundText(out, to, bytes);
      store<u32>(cursor, <u32>at + 5 + bytes);
      end += bytes;
    }
    store<u32>(offsets + ((r + 1) << 2), end);
  }
}

function fillLists(out: usize, cursors: usize, from: u32, until: u32): void {
  const values: usize = load<u32>(out + BUILT_VALUES);
  const offsets: usize = load<u32>(out + BUILT_OFFSETS);
  const children: usize = load<u32>(out + BUILT_CHILD_OFFSETS);
  let child = load<u32>(offsets + (from << 2));
  let end = load<u32>(children + (child << 2));
  for (let r: u32 = from; r < until; r++) {
    const cursor = cursors + (r << 2);
    let at: usize = load<u32>(cursor);
    const isNull = load<u8>(at++) == TAG_NULL;
    if (!isNull) {
      const until = child + load<u32>(at);
      at += 4;
      while (child < until) {
        const bytes = load<u32>(at);
        copyText(values + end, at + 4, bytes);
        at += 4 + bytes;
        end += bytes;
        child++;
        store<u32>(children + (child << 2), end);
      }
    }
    store<u32>(cursor, <u32>at);
    store<u32>(offsets + ((r + 1) << 2), child);
  }
}

/** Writes up to 15 bytes behind the text: the next one's place, or the buffer's slack. */
// @ts-ignore: decorator
@inline
export function copyText(to: usize, from: usize, bytes: u32): void {
  if (bytes > COPY_BYTES_MAX) {
    memory.copy(to, from, bytes);
    return;
  }
  for (let i: u32 = 0; i < bytes; i += 16) v128.store(to + i, v128.load(from + i));
}

// @ts-ignore: decorator
@inline
function clearBit(bits: usize, index: u32): void {
  const at = bits + (index >> 3);
  store<u8>(at, load<u8>(at) & ~(<u8>1 << <u8>(index & 7)));
}
