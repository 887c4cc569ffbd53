/**
 * DELTA_BINARY_PACKED: whole numbers as differences to the one before, in blocks of 128; each quarter of a block has the
 * number of bits of its own that its differences above the block's least need. A column of one value costs five bytes a block.
 */
import { reserve } from './memory';
import { bitAt, writeVarint, writeZigzag } from './parquet-bits';

const BLOCK: u32 = 128;
const QUARTER: u32 = 32;
const QUARTERS: u32 = 4;

/** The differences of a block, i64 each. */
let block: usize = 0;

export function deltaInit(): void {
  block = reserve(BLOCK << 3);
}

/** The most that so many values can take. */
export function deltaBytesMax(values: u64): u64 {
  return 64 + (values + <u64>BLOCK) * 9;
}

/**
 * Values of the rows from…until of which `present` are there. T is Arrow's type; `stride` bytes lead from one to the next.
 * `validity` is 0 when all are there. Differences of `is32` wrap around at 32 bits, as Parquet has it.
 */
export function writeDeltas<T extends number>(
  to: usize,
  values: usize,
  stride: u32,
  validity: usize,
  from: u32,
  until: u32,
  present: u32,
  is32: bool,
): usize {
  to = writeVarint(to, BLOCK);
  to = writeVarint(to, QUARTERS);
  to = writeVarint(to, present);
  if (present == 0) return writeVarint(to, 0);
  let r = from;
  while (validity != 0 && bitAt(validity, r) == 0) r++;
  let last = <i64>load<T>(values + <usize>r * stride);
  r++;
  to = writeZigzag(to, last);
  for (let left = present - 1; left > 0; ) {
    const count = min(left, BLOCK);
    let least: i64 = i64.MAX_VALUE;
    let at = values + <usize>r * stride;
    for (let k: u32 = 0; k < count; k++) {
      if (validity != 0) {
        while (bitAt(validity, r) == 0) r++;
        at = values + <usize>r * stride;
        r++;
      }
      const value = <i64>load<T>(at);
      at += stride;
      const wide = value - last;
      const difference = is32 ? <i64>(<i32>wide) : wide;
      store<i64>(block + (k << 3), difference);
      least = difference < least ? difference : least;
      last = value;
    }
    if (validity == 0) r += count;
    left -= count;
    to = writeBlock(to, count, least);
  }
  return to;
}

function writeBlock(to: usize, count: u32, least: i64): usize {
  to = writeZigzag(to, least);
  const widths = to;
  store<u32>(widths, 0);
  to += QUARTERS;
  for (let k = count; (k & (QUARTER - 1)) != 0; k++) store<i64>(block + (k << 3), least);
  for (let quarter: u32 = 0; quarter * QUARTER < count; quarter++) {
    const at = block + ((quarter * QUARTER) << 3);
    let all: u64 = 0;
    for (let k: u32 = 0; k < QUARTER; k++) all |= <u64>(load<i64>(at + (k << 3)) - least);
    const width = <u32>(64 - clz(all));
    store<u8>(widths + quarter, <u8>width);
    if (width > 0) to = packQuarter(to, at, least, width);
  }
  return to;
}

/** 32 values are whole words of 32 bits, whatever their width. */
function packQuarter(to: usize, at: usize, least: i64, width: u32): usize {
  const end = to + (width << 2);
  let word: u64 = 0;
  let bits: u32 = 0;
  for (let k: u32 = 0; k < QUARTER; k++) {
    const value = <u64>(load<i64>(at + (k << 3)) - least);
    word |= value << bits;
    bits += width;
    if (bits >= 64) {
      store<u64>(to, word);
      to += 8;
      bits -= 64;
      // a shift by 64 would be none
      word = bits == 0 ? 0 : value >> (width - bits);
    }
  }
  store<u64>(to, word);
  return end;
}
