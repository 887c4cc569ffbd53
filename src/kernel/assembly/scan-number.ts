/**
 * JSON numbers. Those of up to sixteen characters without an exponent are read from one vector; others by a plain loop, and
 * where neither gives the exact double, by the host.
 *
 * A double of up to 2⁵³ divided or multiplied by a power of ten up to 10²² is rounded once, hence exact (Clinger).
 */
import { reserve } from './memory';

/** Number() of so many ASCII bytes. */
@external('host', 'number')
declare function hostNumber(at: usize, bytes: u32): f64;

const POWER_MAX: i32 = 22;
const EXACT_MAX: u64 = 1 << 53;
const WINDOW: u32 = 16;
const DIGIT_0: u32 = 0x30;
const POINT: u32 = 0x2e;
const MINUS: u32 = 0x2d;
const SMALL_E: u32 = 0x65;

let powers: usize = 0;
/** Value of the last number that was read; has no negative zero. NaN or infinite: none. */
export let numberValue: f64 = 0;

export function numberInit(): void {
  powers = reserve((POWER_MAX + 1) * 8);
  let power: f64 = 1;
  for (let i = 0; i <= POWER_MAX; i++) {
    store<f64>(powers + (i << 3), power);
    power *= 10;
  }
}

/** Bit by bit: which of the sixteen bytes are digits. */
@inline
function digits(at: usize): u32 {
  return <u32>i8x16.bitmask(i8x16.lt_u(i8x16.sub(v128.load(at), i8x16.splat(0x30)), i8x16.splat(10)));
}

@inline
export function beginsNumber(byte: u32): bool {
  return byte - DIGIT_0 < 10 || byte == MINUS;
}

/** The place behind a number, 0: malformed. It may lie behind the record's end. */
export function numberEnd(at: usize, end: usize): usize {
  const from = at + <usize>(load<u8>(at) == MINUS);
  const mask = digits(from);
  const whole = ctz(~mask);
  if (whole == 0 || (whole > 1 && load<u8>(from) == DIGIT_0)) return 0;
  if (whole == WINDOW) return oddNumberEnd(from, end);
  let length = whole;
  if (load<u8>(from + whole) == POINT) {
    const fraction = ctz(~(mask >> (whole + 1)));
    if (fraction == 0 && whole + 1 < WINDOW) return 0;
    length += 1 + fraction;
    if (length >= WINDOW) return oddNumberEnd(from, end);
  }
  return (<u32>load<u8>(from + length) | 0x20) == SMALL_E ? oddNumberEnd(from, end) : from + length;
}

/** As numberEnd, its value in numberValue. */
export function readNumber(at: usize, end: usize): usize {
  const negative = load<u8>(at) == MINUS;
  const from = at + <usize>negative;
  const mask = digits(from);
  const whole = ctz(~mask);
  if (whole == 0 || (whole > 1 && load<u8>(from) == DIGIT_0)) return 0;
  if (whole == WINDOW) return readOddNumber(at, from, end);
  let fraction: u32 = 0;
  let length = whole;
  if (load<u8>(from + whole) == POINT) {
    fraction = ctz(~(mask >> (whole + 1)));
    if (fraction == 0 && whole + 1 < WINDOW) return 0;
    length += 1 + fraction;
    if (length >= WINDOW) return readOddNumber(at, from, end);
  }
  if ((<u32>load<u8>(from + length) | 0x20) == SMALL_E) return readOddNumber(at, from, end);
  let value = <f64>joinDigits(from, length, fraction);
  if (fraction != 0) value /= load<f64>(powers + (<usize>fraction << 3));
  numberValue = negative && value != 0 ? -value : value;
  return from + length;
}

/** Up to fifteen digits, `fraction` of them behind a point (0: there is none), `length` with the point. */
@inline
function joinDigits(at: usize, length: u32, fraction: u32): u64 {
  const lanes = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  // each lane takes the byte that ends up there when the digits are moved to the right and the point is left out;
  // lanes before them address nothing, which gives 0
  let source = i8x16.add(lanes, i8x16.splat(<i8>(length - WINDOW)));
  if (fraction != 0) source = i8x16.add(source, i8x16.lt_s(lanes, i8x16.splat(<i8>(WINDOW - fraction))));
  const ones = i8x16.swizzle(i8x16.sub(v128.load(at), i8x16.splat(0x30)), source);
  const tens = i16x8.mul(v128.and(ones, i16x8.splat(0xff)), i16x8.splat(10));
  const pairs = i16x8.add(tens, i16x8.shr_u(ones, 8));
  const fours = i32x4.dot_i16x8_s(pairs, i16x8(100, 1, 100, 1, 100, 1, 100, 1));
  const eights = i32x4.dot_i16x8_s(
    i16x8.narrow_i32x4_s(fours, fours),
    i16x8(10000, 1, 10000, 1, 10000, 1, 10000, 1),
  );
  return <u64>(<u32>i32x4.extract_lane(eights, 0)) * 100000000 + <u64>(<u32>i32x4.extract_lane(eights, 1));
}

/** Parts of a number, left by oddNumberEnd. */
let mantissa: u64 = 0;
let mantissaExact: bool = false;
let exponent: i32 = 0;

/** `from`: behind the sign. The whole grammar, and nothing behind `end`. */
function oddNumberEnd(from: usize, end: usize): usize {
  mantissa = 0;
  mantissaExact = true;
  exponent = 0;
  let at = takeDigits(from, end);
  if (at == from || (at > from + 1 && load<u8>(from) == DIGIT_0)) return 0;
  if (at < end && load<u8>(at) == POINT) {
    const fraction = at + 1;
    at = takeDigits(fraction, end);
    if (at == fraction) return 0;
    // only a mantissa that fits in 2⁵³ uses it: more than millions of zeros do not matter
    exponent = -<i32>(at - fraction);
  }
  return at < end && (<u32>load<u8>(at) | 0x20) == SMALL_E ? takeExponent(at + 1, end) : at;
}

function takeDigits(at: usize, end: usize): usize {
  while (at < end) {
    const digit = <u32>load<u8>(at) - DIGIT_0;
    if (digit > 9) break;
    if (mantissa < EXACT_MAX / 16) mantissa = mantissa * 10 + digit;
    else mantissaExact = false;
    at++;
  }
  return at;
}

function takeExponent(at: usize, end: usize): usize {
  if (at >= end) return 0;
  const sign: u32 = load<u8>(at);
  if (sign == MINUS || sign == 0x2b) at++;
  const from = at;
  let power: i32 = 0;
  while (at < end) {
    const digit = <u32>load<u8>(at) - DIGIT_0;
    if (digit > 9) break;
    if (power < 1000000) power = power * 10 + digit;
    at++;
  }
  if (at == from) return 0;
  exponent += sign == MINUS ? -power : power;
  return at;
}

function readOddNumber(at: usize, from: usize, end: usize): usize {
  const behind = oddNumberEnd(from, end);
  if (behind == 0) return 0;
  let value: f64 = 0;
  if (mantissaExact && (mantissa == 0 || (exponent >= -POWER_MAX && exponent <= POWER_MAX))) {
    if (mantissa != 0) {
      value = <f64>mantissa;
      value = exponent < 0 ? value / power(-exponent) : value * power(exponent);
    }
  } else {
    value = hostNumber(from, <u32>(behind - from));
  }
  numberValue = at != from && value != 0 ? -value : value;
  return behind;
}

@inline
function power(exponent: i32): f64 {
  return load<f64>(powers + (<usize>exponent << 3));
}
