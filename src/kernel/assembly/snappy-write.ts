/**
 * Snappy's raw format, written. Matches of at least four bytes are found by a table of where each four bytes were last; where
 * none are found the search takes longer and longer steps. The same content gives the same bytes.
 *
 * The table is not cleared from one content to the next: places are counted on, and what is below the first place of the
 * present content is no match.
 */
import { reserve } from './memory';

const TABLE_BITS_MIN: u32 = 8;
const TABLE_BITS_MAX: u32 = 14;
/** Two bytes of an offset. */
const OFFSET_MAX: u32 = 65535;
/** Short of the end nothing is searched: four bytes can be read there, and literals be copied by sixteens. */
const MARGIN: usize = 15;
const PLACES_MAX: u32 = 0xf0000000;

let table: usize = 0;
/** The place of the next content's first byte; 0 is no place. */
let nextPlace: u32 = 1;

export function snappyWriteInit(): void {
  table = reserve(4 << TABLE_BITS_MAX);
}

/** The most that so many bytes can become, with what is written behind them. */
export function snappyBytesMax(bytes: u64): u64 {
  return 64 + bytes + bytes / 6;
}

/** Bytes at `dst`; up to 15 are read behind the source, and as many written behind the result. */
export function snappyWrite(src: usize, bytes: u32, dst: usize): u32 {
  if (bytes > PLACES_MAX - nextPlace) {
    memory.fill(table, 0, 4 << TABLE_BITS_MAX);
    nextPlace = 1;
  }
  const base = nextPlace;
  nextPlace += bytes;
  let d = writePreamble(dst, bytes);
  const end = src + bytes;
  let literal = src;
  if (<usize>bytes > MARGIN) {
    const shift = 32 - tableBits(bytes);
    const limit = end - MARGIN;
    let s = src + 1;
    while (true) {
      // a match, in steps that grow
      let candidate: u32 = 0;
      let word: u32 = 0;
      let skip: u32 = 32;
      while (s < limit) {
        word = load<u32>(s);
        const slot = slotOf(word, shift);
        const place = base + <u32>(s - src);
        candidate = load<u32>(slot);
        store<u32>(slot, place);
        if (candidate >= base && place - candidate <= OFFSET_MAX && load<u32>(src + (candidate - base)) == word) break;
        s += skip >> 5;
        skip++;
      }
      if (s >= limit) break;
      d = writeLiteral(d, literal, <u32>(s - literal));
      // matches one behind the other
      do {
        const from = src + (candidate - base);
        const length = 4 + sameFor(from + 4, s + 4, end);
        d = writeCopy(d, <u32>(s - from), length);
        s += length;
        literal = s;
        if (s >= limit) break;
        const before = s - 1;
        store<u32>(slotOf(load<u32>(before), shift), base + <u32>(before - src));
        word = load<u32>(s);
        const slot = slotOf(word, shift);
        const place = base + <u32>(s - src);
        candidate = load<u32>(slot);
        store<u32>(slot, place);
        if (candidate < base || place - candidate > OFFSET_MAX) break;
      } while (load<u32>(src + (candidate - base)) == word);
      if (s >= limit) break;
      s++;
    }
  }
  if (literal < end) d = writeLiteral(d, literal, <u32>(end - literal));
  return <u32>(d - dst);
}

function tableBits(bytes: u32): u32 {
  const bits = 32 - clz(bytes - 1);
  return min(max(bits, TABLE_BITS_MIN), TABLE_BITS_MAX);
}

// @ts-ignore: decorator
@inline
function slotOf(word: u32, shift: u32): usize {
  return table + (((word * 0x1e35a7bd) >> shift) << 2);
}

/** A varint. */
function writePreamble(to: usize, bytes: u32): usize {
  while (bytes >= 0x80) {
    store<u8>(to++, <u8>(bytes | 0x80));
    bytes >>= 7;
  }
  store<u8>(to, <u8>bytes);
  return to + 1;
}

/** How many bytes are equal, up to `end` of the second. */
// @ts-ignore: decorator
@inline
function sameFor(a: usize, b: usize, end: usize): u32 {
  const from = b;
  while (b + 8 <= end) {
    const differ = load<u64>(a) ^ load<u64>(b);
    if (differ != 0) return <u32>(b - from) + <u32>(ctz(differ) >> 3);
    a += 8;
    b += 8;
  }
  while (b < end && load<u8>(a) == load<u8>(b)) {
    a++;
    b++;
  }
  return <u32>(b - from);
}

// @ts-ignore: decorator
@inline
function writeLiteral(to: usize, from: usize, bytes: u32): usize {
  if (bytes == 0) return to;
  const last = bytes - 1;
  if (last < 60) {
    store<u8>(to, <u8>(last << 2));
    to++;
  } else {
    const lengthBytes: u32 = last < 0x100 ? 1 : last < 0x10000 ? 2 : last < 0x1000000 ? 3 : 4;
    store<u8>(to, <u8>((59 + lengthBytes) << 2));
    store<u32>(to, last, 1);
    to += 1 + lengthBytes;
  }
  if (bytes > 256) memory.copy(to, from, bytes);
  else for (let i: u32 = 0; i < bytes; i += 16) v128.store(to + i, v128.load(from + i));
  return to + bytes;
}

// @ts-ignore: decorator
@inline
function writeCopy(to: usize, offset: u32, bytes: u32): usize {
  while (bytes >= 68) {
    to = writeLongCopy(to, offset, 64);
    bytes -= 64;
  }
  if (bytes > 64) {
    to = writeLongCopy(to, offset, 60);
    bytes -= 60;
  }
  if (bytes >= 12 || offset >= 2048) return writeLongCopy(to, offset, bytes);
  store<u8>(to, <u8>(1 | ((bytes - 4) << 2) | ((offset >> 8) << 5)));
  store<u8>(to, <u8>offset, 1);
  return to + 2;
}

// @ts-ignore: decorator
@inline
function writeLongCopy(to: usize, offset: u32, bytes: u32): usize {
  store<u8>(to, <u8>(2 | ((bytes - 1) << 2)));
  store<u16>(to, <u16>offset, 1);
  return to + 3;
}
