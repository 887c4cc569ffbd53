/** Parquet's bits and runs: what is written where `to` is, up to 8 bytes behind it, and where the next goes. */

export function writeVarint(to: usize, value: u64): usize {
  while (value >= 0x80) {
    store<u8>(to++, <u8>(value | 0x80));
    value >>= 7;
  }
  store<u8>(to, <u8>value);
  return to + 1;
}

export function writeZigzag(to: usize, value: i64): usize {
  return writeVarint(to, <u64>((value << 1) ^ (value >> 63)));
}

/** Bits from any bit on, to a whole byte; zeros behind the last. Reads a byte behind them. */
export function copyBits(to: usize, bits: usize, from: u32, count: u32): usize {
  const shift = from & 7;
  let at = bits + (from >> 3);
  const bytes = (count + 7) >> 3;
  for (let i: u32 = 0; i < bytes; i++) store<u8>(to + i, <u8>(<u32>load<u16>(at + i) >> shift));
  clearBehind(to, count);
  return to + bytes;
}

/** The bits of a last byte that none belongs to. */
export function clearBehind(bits: usize, count: u32): void {
  if ((count & 7) == 0) return;
  const last = bits + (count >> 3);
  store<u8>(last, load<u8>(last) & <u8>((<u32>1 << (count & 7)) - 1));
}

export function countBits(bits: usize, from: u32, until: u32): u32 {
  let count: u32 = 0;
  while (from < until && (from & 63) != 0) count += bitAt(bits, from++);
  for (; from + 64 <= until; from += 64) count += <u32>popcnt(load<u64>(bits + (from >> 3)));
  while (from < until) count += bitAt(bits, from++);
  return count;
}

// @ts-ignore: decorator
@inline
export function bitAt(bits: usize, index: u32): u32 {
  return (<u32>load<u8>(bits + (index >> 3)) >> (index & 7)) & 1;
}

// @ts-ignore: decorator
@inline
export function clearBit(bits: usize, index: u32): void {
  const at = bits + (index >> 3);
  store<u8>(at, load<u8>(at) & ~(<u8>1 << <u8>(index & 7)));
}

/** Levels that are all the same: one run, behind its length. */
export function writeSameLevels(to: usize, level: u8, count: u32): usize {
  const end = writeVarint(to + 4, <u64>count << 1);
  store<u8>(end, level);
  store<u32>(to, <u32>(end + 1 - to - 4));
  return end + 1;
}

/** Where the bits of so many levels go, behind their length and the head of their one run. */
export function writeLevelsHead(to: usize, count: u32): usize {
  const groups = (count + 7) >> 3;
  const bits = writeVarint(to + 4, (<u64>groups << 1) | 1);
  store<u32>(to, <u32>(bits + groups - to - 4));
  return bits;
}

/**
 * Indices, u32 each, as runs of one value where those are shorter, and otherwise packed by eights. Writes up to 7 zeros behind
 * the indices.
 */
export function writeIndices(to: usize, indices: usize, count: u32, width: u32): usize {
  if (width == 0) return writeVarint(to, <u64>count << 1);
  memory.fill(indices + (count << 2), 0, 32);
  let i: u32 = 0;
  while (i < count) {
    const run = longRun(indices, i, count, width);
    if (run > 0) {
      to = writeVarint(to, <u64>run << 1);
      store<u32>(to, load<u32>(indices + (i << 2)));
      to += (width + 7) >> 3;
      i += run;
      continue;
    }
    let end = i + 8;
    while (end < count && longRun(indices, end, count, width) == 0) end += 8;
    to = writeVarint(to, (<u64>((end - i) >> 3) << 1) | 1);
    to = pack(to, indices + (i << 2), end - i, width);
    i = end;
  }
  return to;
}

/** How often the value is repeated from here on; 0: not often enough for a run of its own. */
// @ts-ignore: decorator
@inline
function longRun(indices: usize, from: u32, count: u32, width: u32): u32 {
  const value = load<u32>(indices + (from << 2));
  if (load<u32>(indices + (from << 2), 4) != value) return 0;
  let end = from + 1;
  while (end < count && load<u32>(indices + (end << 2)) == value) end++;
  const run = end - from;
  // its bits, against the heads of two runs and the value
  return run >= 8 && run * width >= 64 ? run : 0;
}

/** `count` is a multiple of eight. */
function pack(to: usize, at: usize, count: u32, width: u32): usize {
  let word: u64 = 0;
  let bits: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const value = <u64>load<u32>(at + (i << 2));
    word |= value << bits;
    bits += width;
    if (bits >= 64) {
      store<u64>(to, word);
      to += 8;
      bits -= 64;
      word = value >> (width - bits);
    }
  }
  store<u64>(to, word);
  return to + (bits >> 3);
}
