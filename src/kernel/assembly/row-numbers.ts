/** Numbers in the type of their column, in the row in the making; src/reference/fit.ts says the same. */
import {
  COLUMN_BOOL,
  COLUMN_FLOAT,
  COLUMN_INT16,
  COLUMN_INT32,
  COLUMN_INT64,
  COLUMN_INT8,
  COLUMN_TIME,
  COLUMN_UINT16,
  COLUMN_UINT32,
  COLUMN_UINT64,
  COLUMN_UINT8,
} from '../abi';
import { putFloatBits, putInteger } from './row-buffer';

/** Values that did not fit their column, of the row in the making. */
export let clampedNumbers: u32 = 0;
const TWO_63: f64 = 9223372036854775808.0;

export function numbersBegin(): void {
  clampedNumbers = 0;
}

/** A whole number that is not negative. */
// @ts-ignore: decorator
@inline
export function putCount(value: i64, type: u32): void {
  if (type == COLUMN_UINT32) {
    // what counts are as a rule
    if (value > 0xffffffff) {
      clampedNumbers++;
      value = 0xffffffff;
    }
    putInteger(value);
  } else {
    putOtherCount(value, type);
  }
}

function putOtherCount(value: i64, type: u32): void {
  if (type == COLUMN_FLOAT) putFloatBits(reinterpret<u64>(<f64>value));
  else putWhole(value, type);
}

/** A number, not NaN. */
export function putNumber(value: f64, type: u32): void {
  if (type == COLUMN_FLOAT) putFloat(value);
  else if (type == COLUMN_BOOL) putInteger(i64(value != 0));
  else putRounded(value, type);
}

function putFloat(value: f64): void {
  if (!(abs(value) < Infinity)) {
    clampedNumbers++;
    value = value > 0 ? f64.MAX_VALUE : -f64.MAX_VALUE;
  }
  // the sum makes 0 of −0
  putFloatBits(reinterpret<u64>(value + 0));
}

function putRounded(value: f64, type: u32): void {
  const whole = roundHalfUp(value);
  if (whole >= TWO_63) {
    clampedNumbers++;
    putInteger(mostOf(type));
  } else if (whole < -TWO_63) {
    clampedNumbers++;
    putInteger(leastOf(type));
  } else {
    putWhole(<i64>whole, type);
  }
}

function putWhole(value: i64, type: u32): void {
  const most = mostOf(type);
  const least = leastOf(type);
  if (value > most) {
    clampedNumbers++;
    value = most;
  } else if (value < least) {
    clampedNumbers++;
    value = least;
  }
  putInteger(value);
}

/** To the nearest whole number; of two the one above. */
// @ts-ignore: decorator
@inline
export function roundHalfUp(value: f64): f64 {
  const below = floor<f64>(value);
  return value - below >= 0.5 ? below + 1 : below;
}

function mostOf(type: u32): i64 {
  switch (type) {
    case COLUMN_INT8:
      return 0x7f;
    case COLUMN_UINT8:
      return 0xff;
    case COLUMN_INT16:
      return 0x7fff;
    case COLUMN_UINT16:
      return 0xffff;
    case COLUMN_INT32:
      return 0x7fffffff;
    case COLUMN_UINT32:
      return 0xffffffff;
  }
  return i64.MAX_VALUE;
}

function leastOf(type: u32): i64 {
  switch (type) {
    case COLUMN_INT8:
      return -0x80;
    case COLUMN_INT16:
      return -0x8000;
    case COLUMN_INT32:
      return -0x80000000;
    case COLUMN_INT64:
    case COLUMN_TIME:
      return i64.MIN_VALUE;
    case COLUMN_UINT8:
    case COLUMN_UINT16:
    case COLUMN_UINT32:
    case COLUMN_UINT64:
      return 0;
  }
  return i64.MIN_VALUE;
}
