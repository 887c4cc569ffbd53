/**
 * Ends of JSON strings, sixteen bytes at a time.
 *
 * One test stops at everything that is not plain: quote, control character, backslash, byte ≥ 0x80. So ASCII costs no
 * check of UTF-8, and what is not ASCII is checked where it stops.
 *
 * Reads up to 48 bytes behind `end`; what is found there is refused by whoever looks at the place, since it is not
 * before `end`.
 */
import { reserve } from './memory';
import { escapeEnd } from './scan-escape';
import { utf8End } from './scan-utf8';

const QUOTE: u32 = 0x22;
const BACKSLASH: u32 = 0x5c;
/** How far a look goes that is to find a string's end at once. */
export const WIDE_BYTES: usize = 48;

/** 3 × 16 bytes: what the test for stops compares with. */
let tests: usize = 0;

export function stringInit(): void {
  tests = reserve(48);
  memory.fill(tests, 2, 16);
  memory.fill(tests + 16, 0x21, 16);
  memory.fill(tests + 32, 0x5c, 16);
}

/**
 * Bit by bit: which of the sixteen bytes stop. What it compares with comes from memory, once for many calls: the engine makes
 * a constant vector anew wherever it is used, by three instructions.
 */
@inline
export function stops(bytes: v128, flip: v128, low: v128, backslash: v128): u32 {
  // ^ 2 swaps quote and space, so that quote and control characters are what lies below 0x21; ≥ 0x80 is negative
  const quoteOrControl = i8x16.lt_s(v128.xor(bytes, flip), low);
  return <u32>i8x16.bitmask(v128.or(quoteOrControl, i8x16.eq(bytes, backslash)));
}

@inline
export function testFlip(): v128 {
  return v128.load(tests);
}

@inline
export function testLow(): v128 {
  return v128.load(tests, 16);
}

@inline
export function testBackslash(): v128 {
  return v128.load(tests, 32);
}

/** The first byte from `at` on that is not plain; some place at or behind `end` when there is none before. */
@inline
export function plainEnd(at: usize, end: usize): usize {
  const found = stops(v128.load(at), testFlip(), testLow(), testBackslash());
  return found != 0 ? at + ctz(found) : plainEndFar(at + 16, end);
}

/** As plainEnd, for what is expected to be far. */
export function plainEndFar(at: usize, end: usize): usize {
  const flip = testFlip();
  const low = testLow();
  const backslash = testBackslash();
  while (at < end) {
    const found = wideStops(at, flip, low, backslash);
    if (found != 0) return at + <usize>ctz(found);
    at += WIDE_BYTES;
  }
  return at;
}

/** As stops, of WIDE_BYTES bytes. */
@inline
export function wideStops(at: usize, flip: v128, low: v128, backslash: v128): u64 {
  const first = stops(v128.load(at), flip, low, backslash);
  const second = stops(v128.load(at, 16), flip, low, backslash);
  const third = stops(v128.load(at, 32), flip, low, backslash);
  return <u64>(first | (second << 16)) | (<u64>third << 32);
}

/** The closing quote of a string whose plain beginning ends at `at`; 0: the string is malformed. */
export function oddStringEnd(at: usize, end: usize): usize {
  while (at < end) {
    const byte: u32 = load<u8>(at);
    if (byte == QUOTE) return at;
    if (byte == BACKSLASH) at = escapeEnd(at, end);
    else if (byte >= 0x80) at = utf8End(at, end);
    else return 0;
    if (at == 0) return 0;
    at = plainEnd(at, end);
  }
  return 0;
}

/** As oddStringEnd, for a key: 0 also when it has an escape. */
export function oddKeyEnd(at: usize, end: usize): usize {
  while (at < end) {
    const byte: u32 = load<u8>(at);
    if (byte == QUOTE) return at;
    if (byte < 0x80) return 0;
    at = utf8End(at, end);
    if (at == 0) return 0;
    at = plainEnd(at, end);
  }
  return 0;
}
