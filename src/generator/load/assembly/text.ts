/** Texts of fixed length: UUIDs, digits, times. */

const DASH: u32 = 0x2d;
const ZERO: u32 = 0x30;

/** 36 bytes: a UUID of version 4 from the four words at `from`. Sixteen digits at a time. */
// @ts-ignore: decorator
@inline
export function putUuid(at: usize, from: usize): void {
  const digits = i8x16(48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 97, 98, 99, 100, 101, 102);
  const words = v128.or(
    v128.and(v128.load(from), i32x4(-1, -61441, 0x3fffffff, -1)),
    i32x4(0, 0x4000, -2147483648, 0),
  );
  const bytes = v128.shuffle<u8>(words, words, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
  const high = v128.swizzle(digits, v128.shr<u8>(bytes, 4));
  const low = v128.swizzle(digits, v128.and(bytes, v128.splat<u8>(15)));
  const first = v128.shuffle<u8>(high, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const second = v128.shuffle<u8>(high, low, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  store<u64>(at, v128.extract_lane<u64>(first, 0));
  store<u8>(at, DASH, 8);
  store<u32>(at, v128.extract_lane<u32>(first, 2), 9);
  store<u8>(at, DASH, 13);
  store<u32>(at, v128.extract_lane<u32>(first, 3), 14);
  store<u8>(at, DASH, 18);
  store<u32>(at, v128.extract_lane<u32>(second, 0), 19);
  store<u8>(at, DASH, 23);
  store<u32>(at, v128.extract_lane<u32>(second, 1), 24);
  store<u64>(at, v128.extract_lane<u64>(second, 1), 28);
}

/** 16 bits as four digits. */
export function putHex(at: usize, bits: u32): void {
  for (let digit = 0; digit < 4; digit++) {
    const four = (bits >> (12 - 4 * digit)) & 15;
    store<u8>(at + digit, four < 10 ? ZERO + four : 87 + four);
  }
}

/** So many digits, with zeros in front. */
// @ts-ignore: decorator
@inline
export function putDigits(at: usize, value: u32, digits: u32): void {
  let rest = value;
  for (let place = at + digits - 1; place >= at; place--) {
    const tenth = rest / 10;
    store<u8>(place, ZERO + rest - 10 * tenth);
    rest = tenth;
  }
}

/** 17 bytes: 2026-01-31T12:00: by the minutes since 1970. */
export function putMinute(at: usize, minute: i32): void {
  const days = minute / 1440;
  // the calendar from March on, in eras of 400 years (H. Hinnant's civil_from_days)
  const z = days + 719468;
  const era = z / 146097;
  const dayOfEra = z - era * 146097;
  const yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365;
  const dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
  const marchMonth = (5 * dayOfYear + 2) / 153;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const inDay = minute - days * 1440;
  putDigits(at, year, 4);
  store<u8>(at, DASH, 4);
  putDigits(at + 5, month, 2);
  store<u8>(at, DASH, 7);
  putDigits(at + 8, dayOfYear - (153 * marchMonth + 2) / 5 + 1, 2);
  store<u8>(at, 0x54, 10);
  putDigits(at + 11, inDay / 60, 2);
  store<u8>(at, 0x3a, 13);
  putDigits(at + 14, inDay % 60, 2);
  store<u8>(at, 0x3a, 16);
}

/** 7 bytes: 00.000Z by the milliseconds of the minute. */
// @ts-ignore: decorator
@inline
export function putSeconds(at: usize, ms: u32): void {
  const seconds = ms / 1000;
  putDigits(at, seconds, 2);
  store<u8>(at, 0x2e, 2);
  putDigits(at + 3, ms - seconds * 1000, 3);
  store<u8>(at, 0x5a, 6);
}

/** A zigzag varint. Returns the place behind it. */
// @ts-ignore: decorator
@inline
export function putVarint(from: usize, value: i64): usize {
  let bits = <u64>((value << 1) ^ (value >> 63));
  let at = from;
  for (; bits >= 0x80; bits >>= 7) store<u8>(at++, (<u8>bits & 0x7f) | 0x80);
  store<u8>(at++, <u8>bits);
  return at;
}

// @ts-ignore: decorator
@inline
export function varintBytes(value: i64): u32 {
  const bits = <u64>((value << 1) ^ (value >> 63));
  return (70 - <u32>clz<u64>(bits | 1)) / 7;
}
