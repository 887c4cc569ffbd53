/** Event times, as src/reference/event-time.ts takes them. Milliseconds since 1970; −1: the value has no time. */

import { reserve } from './memory';

/** The last millisecond of 2262. */
const TIME_MS_MAX: f64 = 9246182399999;
const DAY_MS: f64 = 86400000;
/** `YYYY-MM-DDTHH:MM:SS` */
const PLAIN_BYTES: u32 = 19;
const MINUS: u32 = 0x2d;
const QUOTE: u8 = 0x22;
/** Digits' and separators' bits, by word: what is left of the text after ^ is small where it fits. */
const DATE: u64 = 0x2d30302d30303030;
const CLOCK: u64 = 0x30303a30303a3030;
const FRACTION: u32 = 0x3030302e;
const ZONE: u32 = 0x303a3030;

/** The last date that was read, `YYYY-MM-` and `DD`: most events are of one day. */
let dateText: u64 = 0;
let dayText: u32 = 0;
let dateMs: f64 = -1;

export function timeInit(): void {
  minuteText = reserve(16);
}

/** `YYYY-MM-DDTHH:MM` of the last time that quickTime read, and the ms at its start. */
let minuteText: usize = 0;
let minuteMs: f64 = 0;

/** What quickTime takes: `YYYY-MM-DDTHH:MM:SS.mmmZ`. */
const QUICK_TIME_BYTES: usize = 24;
/** `:SS.mmmZ`, 0 for each digit; and what makes a digit that is too large overflow. */
const SECOND: u64 = 0x5a3030302e30303a;
const SECOND_SUM: u64 = 0x7f7676767f767a7f;

/**
 * Reads a text of QUICK_TIME_BYTES and its closing quote: the place behind it, its time stored; 0: there is none, or none of
 * this form.
 */
export function quickTime(at: usize, value: usize): usize {
  const second = load<u64>(at, 16) ^ SECOND;
  const wrong = ((second | (second + SECOND_SUM)) & 0x8080808080808080) | <u64>(load<u8>(at, 24) ^ QUOTE);
  if (wrong != 0) return 0;
  if (v128.any_true(v128.xor(v128.load(at), v128.load(minuteText))) && !readMinute(at)) return 0;
  // two digits in a byte each: tens times ten and units
  const pairs = (second >> 8) * 10 + (second >> 16);
  const ms = (<u32>pairs & 0xff) * 1000 + (<u32>(pairs >> 24) & 0xff) * 10 + (<u32>(second >> 48) & 15);
  store<f64>(value, minuteMs + <f64>(<i32>ms));
  return at + QUICK_TIME_BYTES + 1;
}

/** Makes the text's minute the known one. False: it has no time. */
function readMinute(at: usize): bool {
  const time = isoTime(at, <u32>QUICK_TIME_BYTES);
  if (time < 0) return false;
  v128.store(minuteText, v128.load(at));
  minuteMs = <f64>((<i64>time / 60000) * 60000);
  return true;
}

/** `bytes` of a string without escapes. */
export function isoTime(at: usize, bytes: u32): f64 {
  if (bytes < PLAIN_BYTES || load<u8>(at, 10) != 0x54) return -1;
  if (load<u64>(at) != dateText || <u32>load<u16>(at, 8) != dayText) {
    const read = readDate(at);
    // a year before 1969 has no zone that brings it into range
    if (read < -DAY_MS * 365) return -1;
    dateText = load<u64>(at);
    dayText = load<u16>(at, 8);
    dateMs = read;
  }
  const clock = load<u64>(at, 11) ^ CLOCK;
  // digits: above 9 overflows into the top bit; colons: anything but 0 does
  if (((clock | (clock + 0x76767f76767f7676)) & 0x8080808080808080) != 0) return -1;
  const hours = two(<u32>clock);
  const minutes = two(<u32>(clock >> 24));
  const seconds = two(<u32>(clock >> 48));
  if (hours > 23 || minutes > 59 || seconds > 59) return -1;
  const ms = dateMs + <f64>(((hours * 60 + minutes) * 60 + seconds) * 1000);
  return isoRest(at, bytes, ms);
}

/** Fraction and zone. */
function isoRest(at: usize, bytes: u32, ms: f64): f64 {
  let from: u32 = PLAIN_BYTES;
  if (bytes == 24 && load<u8>(at, 23) == 0x5a) {
    const fraction = load<u32>(at, 19) ^ FRACTION;
    if (((fraction | (fraction + 0x7676767f)) & 0x80808080) == 0) {
      return inRange(ms + <f64>(((fraction >> 8) & 15) * 100 + ((fraction >> 16) & 15) * 10 + (fraction >> 24)));
    }
  }
  if (from < bytes && load<u8>(at + from) == 0x2e) {
    from++;
    const first = from;
    let unit: f64 = 100;
    while (from < bytes) {
      const digit = <u32>load<u8>(at + from) - 0x30;
      if (digit > 9) break;
      if (from - first < 3) ms += unit * <f64>digit;
      unit /= 10;
      from++;
    }
    if (from == first || from - first > 9) return -1;
  }
  if (from == bytes) return inRange(ms);
  const sign: u32 = load<u8>(at + from);
  if (sign == 0x5a) return from + 1 == bytes ? inRange(ms) : -1;
  if ((sign != MINUS && sign != 0x2b) || from + 6 != bytes) return -1;
  const offset = offsetMs(at + from + 1);
  return offset < 0 ? -1 : inRange(sign == MINUS ? ms + offset : ms - offset);
}

/** `HH:MM`, −1: it is none. */
function offsetMs(at: usize): f64 {
  const low = <u32>load<u8>(at, 4) - 0x30;
  const zone = load<u32>(at) ^ ZONE;
  if (((zone | (zone + 0x767f7676)) & 0x80808080) != 0 || low > 9) return -1;
  const hours = two(zone);
  const minutes = (zone >> 24) * 10 + low;
  return hours > 23 || minutes > 59 ? -1 : <f64>((hours * 60 + minutes) * 60000);
}

/** `YYYY-MM-DD` → ms at its start; far below 0 when it is no date. */
function readDate(at: usize): f64 {
  const none: f64 = -1e18;
  const date = load<u64>(at) ^ DATE;
  const day = <u32>load<u16>(at, 8) ^ 0x3030;
  if (((date | (date + 0x7f76767f76767676)) & 0x8080808080808080) != 0) return none;
  if (((day | (day + 0x7676)) & 0x8080) != 0) return none;
  const year = two(<u32>date) * 100 + two(<u32>(date >> 16));
  const month = two(<u32>(date >> 40));
  const days = two(day);
  if (year < 1969 || month < 1 || month > 12 || days < 1 || days > daysIn(year, month)) return none;
  return <f64>daysSince1970(year, month, days) * DAY_MS;
}

/** Two digits, the first in the lowest byte. */
@inline
function two(digits: u32): u32 {
  return (digits & 15) * 10 + ((digits >> 8) & 15);
}

function daysIn(year: u32, month: u32): u32 {
  if (month == 2) return (year & 3) == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/** Of the proleptic Gregorian calendar; years begin in March, so that a leap day is a year's last. */
function daysSince1970(year: u32, month: u32, day: u32): i32 {
  const y = <i32>year - <i32>(month <= 2);
  const era = y / 400;
  const yearOfEra = y - era * 400;
  const dayOfYear = (153 * (month > 2 ? <i32>month - 3 : <i32>month + 9) + 2) / 5 + <i32>day - 1;
  const dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear;
  return era * 146097 + dayOfEra - 719468;
}

export function epochMsTime(value: f64): f64 {
  return inRange(Math.floor(value));
}

export function epochSecondsTime(value: f64): f64 {
  return inRange(Math.floor(roundHalfUp(value * 1e6) / 1e3));
}

/** Math.round of JavaScript. value − floor(value) is exact, while value + 0.5 need not be. */
@inline
function roundHalfUp(value: f64): f64 {
  const floor = Math.floor(value);
  return value - floor >= 0.5 ? floor + 1 : floor;
}

@inline
function inRange(ms: f64): f64 {
  // the sum makes 0 of −0
  return ms >= 0 && ms <= TIME_MS_MAX ? ms + 0 : -1;
}
