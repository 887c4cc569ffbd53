/**
 * JSON numbers. Those of few digits without an exponent are read at once; others by a plain loop, and where that does not
 * give the exact double, by the host.
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
/** Digits that are read at once. */
const WORD_DIGITS: u32 = 8;
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

@inline
export function beginsNumber(byte: u32): bool {
  return byte - DIGIT_0 < 10 || byte == MINUS;
}

/** The place behind a number, 0: malformed. It may lie behind the record's end. */
export function numberEnd(at: usize, end: usize): usize {
  const plain = plainNumber(at);
  return plain != 0 ? at + (<usize>plain & 31) : oddNumberEnd(at + <usize>(load<u8>(at) == MINUS), end);
}

/** As numberEnd, its value in numberValue. */
@inline
export function readNumber(at: usize, end: usize): usize {
  const plain = plainNumber(at);
  const length = <u32>plain & 31;
  const negative = <usize>(load<u8>(at) == MINUS);
  const from = at + negative;
  const behind = at + length;
  const point = <u32>(plain >> 32);
  const isWhole = point == 0;
  const whole = <u32>(isWhole ? behind - from : at + ctz(point) - from);
  const fraction: u32 = isWhole ? 0 : <u32>(behind - from) - whole - 1;
  if (plain == 0 || whole > WORD_DIGITS || fraction > WORD_DIGITS) return readOddNumber(at, from, end);
  let value = <f64>(<i64>readDigits(from, whole));
  if (!isWhole) {
    // all of it below 2⁵³
    const scale = power(fraction);
    value = (value * scale + <f64>(<i64>readDigits(from + whole + 1, fraction))) / scale;
  }
  // the sum makes 0 of −0
  numberValue = reinterpret<f64>(reinterpret<u64>(value) | (<u64>negative << 63)) + 0;
  return behind;
}

/**
 * The place behind a number of at most seven digits without an exponent, its value stored; 0: it is none of these. As in
 * plainNumber, the place comes from one look at all bytes.
 */
export function quickNumber(at: usize, result: usize): usize {
  const bytes = v128.load(at);
  const negative = <u32>(load<u8>(at) == MINUS);
  // above 9 overflows where it is not below 0 already
  const digits = <u32>i8x16.bitmask(i8x16.gt_s(i8x16.add(bytes, i8x16.splat(0x46)), i8x16.splat(0x75)));
  const points = <u32>i8x16.bitmask(i8x16.eq(bytes, i8x16.splat(0x2e)));
  const length: u32 = ctz(~(digits | points | negative));
  const behind = at + length;
  const whole: u32 = ctz(~(digits >> negative));
  let count = length - negative;
  let word = load<u64>(at + negative);
  // too long, no digit, or a zero that others follow
  if (count > 8 || whole - 1 > 6) return 0;
  if ((word & 0xff) == DIGIT_0) {
    if (whole != 1) return 0;
  }
  let scale: f64 = 1;
  if (whole != count) {
    const fraction = count - whole - 1;
    // a second point, or none before the end
    if (((points & ((1 << length) - 1)) ^ (1 << (whole + negative))) != 0 || fraction == 0) return 0;
    const low = ((<u64>1) << (<u64>whole << 3)) - 1;
    word = (word & low) | ((word >> 8) & ~low);
    scale = power(<i32>fraction);
    count--;
  }
  if ((<u32>load<u8>(behind) | 0x20) == SMALL_E) return 0;
  // moved to the end, zeroes before them
  word = (word - 0x3030303030303030) << ((8 - <u64>count) << 3);
  word = word * 10 + (word >> 8);
  word =
    ((word & 0x000000ff000000ff) * 0x000f424000000064 + ((word >> 16) & 0x000000ff000000ff) * 0x0000271000000001) >> 32;
  // all of it below 2⁵³: one rounding; the sign comes first, so that there is no −0
  const signed = (<i64>word ^ -<i64>negative) + <i64>negative;
  store<f64>(result, <f64>signed / scale);
  return behind;
}

/**
 * A number that ends within sixteen bytes and has no exponent: its length, and above 2³² its point's place, bit by bit.
 * 0: it is not so, or malformed. The length comes from one look at all bytes, since the next step waits for it; whether they
 * make a number is asked in one branch, which is hardly ever guessed wrong.
 */
@inline
function plainNumber(at: usize): u64 {
  const bytes = v128.load(at);
  const first: u32 = load<u8>(at);
  const negative = <u32>(first == MINUS);
  const digits = <u32>i8x16.bitmask(i8x16.lt_u(i8x16.sub(bytes, i8x16.splat(0x30)), i8x16.splat(10)));
  const points = <u32>i8x16.bitmask(i8x16.eq(bytes, i8x16.splat(0x2e)));
  const length: u32 = ctz(~(digits | points | negative));
  const point = points & ((1 << length) - 1);
  const leading = <u32>(load<u8>(at + negative) == DIGIT_0) & (digits >> (negative + 1));
  const wrong =
    <u32>(length >= WINDOW) |
    <u32>((<u32>load<u8>(at + length) | 0x20) == SMALL_E) |
    (~(digits >> negative) & 1) |
    (~((digits << 1) >> length) & 1) |
    (leading & 1) |
    (point & (point - 1));
  return wrong == 0 ? <u64>length | (<u64>point << 32) : 0;
}

/** 1…8 digits. */
@inline
function readDigits(at: usize, count: u32): u64 {
  // moved to the end, zeroes before them; bytes above the digits are shifted out, and borrow only from those above
  let value = (load<u64>(at) - 0x3030303030303030) << ((WORD_DIGITS - count) << 3);
  value = value * 10 + (value >> 8);
  return (
    ((value & 0x000000ff000000ff) * 0x000f424000000064 +
      ((value >> 16) & 0x000000ff000000ff) * 0x0000271000000001) >>
    32
  );
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
