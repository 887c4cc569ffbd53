/**
 * Rows of a column in another order, as a column of their own: Arrow's buffers on both sides, named by a column's descriptor
 * (columns-layout.ts). Of the source, validity, values, offsets and child offsets are read; a validity of 0 says that no row is
 * null. Least and greatest value are those of the rows that are taken.
 */
import {
  COLUMN_BOOL,
  COLUMN_FLOAT,
  COLUMN_LIST,
  COLUMN_STRING,
  COLUMN_TIME,
} from '../abi';
import {
  BOUNDS_KNOWN,
  BOUNDS_NONE,
  BOUNDS_REFUSED,
  BUILT_BOUNDS,
  BUILT_BYTES,
  BUILT_CHILD_OFFSETS,
  BUILT_CHILDREN,
  BUILT_GREATEST,
  BUILT_LEAST,
  BUILT_NULLS,
  BUILT_OFFSETS,
  BUILT_VALIDITY,
  BUILT_VALUES,
  BUILT_VALUES_BYTES,
} from '../columns-layout';
import { boundText } from './columns-bounds';
import { copyText, widthOf } from './columns-fill';
import { bitAt, clearBit } from './parquet-bits';

const US_PER_MS: i64 = 1000;
const ARROW_BYTES_MAX: u64 = 0x7fffffff;
/**
 * Texts are taken by so many: where they lie is looked up for all of them and each is touched, before the first is copied. So the cache
 * misses of a block, which rows in another order all are, are waited for together.
 */
const BLOCK_ROWS: u32 = 64;
/** And a word that nobody reads. */
const BLOCK_BYTES: u64 = 8 * 64;
/** Copies of texts go over their end, and bounds look a little ahead. */
const SLACK_BYTES: u64 = 64;

/** Adds to a chunk's offsets what lies before its values, once chunks lie one behind the other. */
export function shiftOffsets(at: usize, entries: u32, by: i32): void {
  for (let i: u32 = 0; i < entries; i++) {
    const place = at + (<usize>i << 2);
    store<i32>(place, load<i32>(place) + by);
  }
}

/** Bytes that `gather` takes for these rows, `order` u32 each; −1: more than Arrow's offsets reach. */
export function gatherNeeds(out: usize, type: u32, source: usize, order: usize, rows: u32): f64 {
  memory.fill(out, 0, BUILT_BYTES);
  let bytes: u64 = type == COLUMN_BOOL ? <u64>bitBytes(rows) : <u64>rows * widthOf(type);
  let items: u64 = 0;
  if (type == COLUMN_STRING || type == COLUMN_LIST) {
    const offsets: usize = load<u32>(source + BUILT_OFFSETS);
    const children: usize = load<u32>(source + BUILT_CHILD_OFFSETS);
    bytes = 0;
    for (let r: u32 = 0; r < rows; r++) {
      const place = offsets + (<usize>load<u32>(order + (<usize>r << 2)) << 2);
      let first = load<u32>(place);
      let end = load<u32>(place, 4);
      if (type == COLUMN_LIST) {
        items += end - first;
        first = load<u32>(children + (<usize>first << 2));
        end = load<u32>(children + (<usize>end << 2));
      }
      bytes += end - first;
    }
  }
  if (bytes > ARROW_BYTES_MAX || items << 2 > ARROW_BYTES_MAX) return -1;
  store<u32>(out + BUILT_VALUES_BYTES, <u32>bytes);
  store<u32>(out + BUILT_CHILDREN, <u32>items);
  return <f64>(spaced(bytes) + spaced(<u64>rows << 2) + spaced(items << 2) + spaced(<u64>bitBytes(rows)) + BLOCK_BYTES + 8);
}

/** Behind `gatherNeeds` with the same words; `at`, a multiple of 8, is where as many bytes are free. */
export function gather(out: usize, type: u32, source: usize, order: usize, rows: u32, at: usize): void {
  store<u32>(out + BUILT_VALUES, <u32>at);
  at += <usize>spaced(load<u32>(out + BUILT_VALUES_BYTES));
  store<u32>(out + BUILT_OFFSETS, <u32>at);
  at += <usize>spaced(<u64>rows << 2);
  store<u32>(out + BUILT_CHILD_OFFSETS, <u32>at);
  at += <usize>spaced(<u64>load<u32>(out + BUILT_CHILDREN) << 2);
  const bits: usize = load<u32>(source + BUILT_VALIDITY);
  if (bits != 0) takeValidity(out, at, bits, order, rows);
  const block = at + <usize>spaced(<u64>bitBytes(rows));
  if (type == COLUMN_STRING) takeTexts(out, source, order, rows, block);
  else if (type == COLUMN_LIST) takeLists(out, source, order, rows, block);
  else if (type == COLUMN_BOOL) takeBits(out, source, order, rows);
  else if (type == COLUMN_FLOAT) takeFloats(out, source, order, rows);
  else takeIntegers(out, source, order, rows, type);
}

// @ts-ignore: decorator
@inline
function spaced(bytes: u64): u64 {
  return (bytes + SLACK_BYTES + 7) & ~(<u64>7);
}

// @ts-ignore: decorator
@inline
function bitBytes(rows: u32): u32 {
  return (rows + 7) >> 3;
}

// @ts-ignore: decorator
@inline
function rowAt(order: usize, row: u32): usize {
  return load<u32>(order + (<usize>row << 2));
}

function takeValidity(out: usize, to: usize, bits: usize, order: usize, rows: u32): void {
  memory.fill(to, 0xff, bitBytes(rows));
  let nulls: u32 = 0;
  for (let r: u32 = 0; r < rows; r++) {
    if (bitAt(bits, <u32>rowAt(order, r)) != 0) continue;
    clearBit(to, r);
    nulls++;
  }
  store<u32>(out + BUILT_NULLS, nulls);
  if (nulls > 0) store<u32>(out + BUILT_VALIDITY, <u32>to);
}

function takeBits(out: usize, source: usize, order: usize, rows: u32): void {
  const from: usize = load<u32>(source + BUILT_VALUES);
  const to: usize = load<u32>(out + BUILT_VALUES);
  memory.fill(to, 0, bitBytes(rows));
  for (let r: u32 = 0; r < rows; r++) {
    const byte = to + (r >> 3);
    store<u8>(byte, load<u8>(byte) | (<u8>bitAt(from, <u32>rowAt(order, r)) << <u8>(r & 7)));
  }
}

function takeIntegers(out: usize, source: usize, order: usize, rows: u32, type: u32): void {
  const width = widthOf(type);
  if (width == 1) takeWhole<i8>(out, source, order, rows, false);
  else if (width == 2) takeWhole<i16>(out, source, order, rows, false);
  else if (width == 4) takeWhole<i32>(out, source, order, rows, false);
  else takeWhole<i64>(out, source, order, rows, type == COLUMN_TIME);
}

/** Bounds of times, which are µs, are whole ms, rounded outwards. */
function takeWhole<T extends number>(out: usize, source: usize, order: usize, rows: u32, isTime: bool): void {
  const from: usize = load<u32>(source + BUILT_VALUES);
  const to: usize = load<u32>(out + BUILT_VALUES);
  const validity: usize = load<u32>(out + BUILT_VALIDITY);
  let least: i64 = i64.MAX_VALUE;
  let greatest: i64 = i64.MIN_VALUE;
  for (let r: u32 = 0; r < rows; r++) {
    const value = load<T>(from + rowAt(order, r) * sizeof<T>());
    store<T>(to + <usize>r * sizeof<T>(), value);
    if (validity != 0 && bitAt(validity, r) == 0) continue;
    least = <i64>value < least ? <i64>value : least;
    greatest = <i64>value > greatest ? <i64>value : greatest;
  }
  if (least > greatest) return;
  store<u32>(out + BUILT_BOUNDS, BOUNDS_KNOWN);
  store<i64>(out + BUILT_LEAST, isTime ? floorMs(least) : least);
  store<i64>(out + BUILT_GREATEST, isTime ? -floorMs(-greatest) : greatest);
}

function floorMs(us: i64): i64 {
  const ms = us / US_PER_MS;
  return ms * US_PER_MS > us ? ms - 1 : ms;
}

/** One value that is not finite, and the column has no bounds. */
function takeFloats(out: usize, source: usize, order: usize, rows: u32): void {
  const from: usize = load<u32>(source + BUILT_VALUES);
  const to: usize = load<u32>(out + BUILT_VALUES);
  const validity: usize = load<u32>(out + BUILT_VALIDITY);
  let finite = true;
  let least: f64 = Infinity;
  let greatest: f64 = -Infinity;
  for (let r: u32 = 0; r < rows; r++) {
    const value = load<f64>(from + (rowAt(order, r) << 3));
    store<f64>(to + (<usize>r << 3), value);
    if (validity != 0 && bitAt(validity, r) == 0) continue;
    if (!isFinite(value)) finite = false;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  const bounds = !finite ? BOUNDS_REFUSED : least > greatest ? BOUNDS_NONE : BOUNDS_KNOWN;
  store<u32>(out + BUILT_BOUNDS, bounds);
  store<f64>(out + BUILT_LEAST, least);
  store<f64>(out + BUILT_GREATEST, greatest);
}

/** Rows from…until as pairs of u32, where each begins and ends by the offsets; gives the end of the block. */
// @ts-ignore: decorator
@inline
function placesOf(block: usize, offsets: usize, order: usize, from: u32, until: u32): usize {
  let to = block;
  for (let r = from; r < until; r++, to += 8) store<u64>(to, load<u64>(offsets + (rowAt(order, r) << 2)));
  return to;
}

/** Reads a byte of each text, so that all of them are on their way. What comes back means nothing. */
function touch(block: usize, blockEnd: usize, values: usize): u32 {
  let all: u32 = 0;
  for (let at = block; at < blockEnd; at += 8) all += load<u8>(values + <usize>load<u32>(at));
  return all;
}

function takeTexts(out: usize, source: usize, order: usize, rows: u32, block: usize): void {
  const values: usize = load<u32>(source + BUILT_VALUES);
  const ends: usize = load<u32>(source + BUILT_OFFSETS);
  const to: usize = load<u32>(out + BUILT_VALUES);
  const offsets: usize = load<u32>(out + BUILT_OFFSETS);
  const validity: usize = load<u32>(out + BUILT_VALIDITY);
  let end: u32 = 0;
  store<u32>(offsets, 0);
  for (let from: u32 = 0; from < rows; from += BLOCK_ROWS) {
    const until = min(from + BLOCK_ROWS, rows);
    store<u32>(block + <usize>BLOCK_BYTES, touch(block, placesOf(block, ends, order, from, until), values));
    let at = block;
    for (let r = from; r < until; r++, at += 8) {
      const first = load<u32>(at);
      const bytes = load<u32>(at, 4) - first;
      copyText(to + end, values + first, bytes);
      if (validity == 0 || bitAt(validity, r) != 0) boundText(out, to + end, bytes);
      end += bytes;
      store<u32>(offsets + (<usize>(r + 1) << 2), end);
    }
  }
}

/** A row's items lie together, and so do their bytes. */
function takeLists(out: usize, source: usize, order: usize, rows: u32, block: usize): void {
  const values: usize = load<u32>(source + BUILT_VALUES);
  const lists: usize = load<u32>(source + BUILT_OFFSETS);
  const ends: usize = load<u32>(source + BUILT_CHILD_OFFSETS);
  const to: usize = load<u32>(out + BUILT_VALUES);
  const offsets: usize = load<u32>(out + BUILT_OFFSETS);
  const children: usize = load<u32>(out + BUILT_CHILD_OFFSETS);
  let child: u32 = 0;
  let end: u32 = 0;
  store<u32>(offsets, 0);
  store<u32>(children, 0);
  for (let from: u32 = 0; from < rows; from += BLOCK_ROWS) {
    const until = min(from + BLOCK_ROWS, rows);
    const blockEnd = placesOf(block, lists, order, from, until);
    let all: u32 = 0;
    for (let at = block; at < blockEnd; at += 8)
      all += load<u8>(values + <usize>load<u32>(ends + (<usize>load<u32>(at) << 2)));
    store<u32>(block + <usize>BLOCK_BYTES, all);
    let at = block;
    for (let r = from; r < until; r++, at += 8) {
      const first = load<u32>(at);
      const items = load<u32>(at, 4) - first;
      const itemEnds = ends + (<usize>first << 2);
      const start = load<u32>(itemEnds);
      const bytes = load<u32>(itemEnds + (<usize>items << 2)) - start;
      copyText(to + end, values + start, bytes);
      const shift = end - start;
      for (let item: u32 = 1; item <= items; item++) {
        store<u32>(children + (<usize>(child + item) << 2), load<u32>(itemEnds + (<usize>item << 2)) + shift);
      }
      child += items;
      end += bytes;
      store<u32>(offsets + (<usize>(r + 1) << 2), child);
    }
  }
}
