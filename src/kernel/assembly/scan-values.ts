/** From a value's beginning (scan-kinds.ts says where that is) to behind it; what is selected is stored. */
import {
  KIND_ANY_CONTAINER,
  KIND_ANY_NUMBER,
  KIND_ANY_STRING,
  KIND_EPOCH_MS,
  KIND_EPOCH_S,
  KIND_FALSE,
  KIND_INT32,
  KIND_ISO,
  KIND_NUMBER,
  KIND_STRING,
  KIND_TRUE,
  KIND_UINT32,
  KIND_WORD,
} from './scan-kinds';
import { numberEnd, numberValue, quickNumber, readNumber } from './scan-number';
import { containerEnd } from './scan-skip';
import { oddStringEnd, plainEnd } from './scan-string';
import { epochMsTime, epochSecondsTime, isoTime, quickTime } from './scan-time';
import { oddStringValue, writtenString } from './scan-unescape';

const QUOTE: u32 = 0x22;
const UINT32_MAX: f64 = 4294967295;
const INT32_MIN: f64 = -2147483648;
const INT32_MAX: f64 = 2147483647;

/**
 * The place behind any value but a record's end, 0: undecided. `value`: where it goes among an event's; what nobody selected
 * has a place, too. `nulls`: the values of an event that has none.
 */
export function readValue(
  at: usize,
  end: usize,
  kind: u32,
  value: usize,
  values: usize,
  nulls: usize,
): usize {
  switch (kind) {
    case KIND_ANY_STRING:
      return skipString(at, end);
    case KIND_STRING:
      return readString(at, end, values + value);
    case KIND_ISO:
      return readIso(at, end, values + value);
    case KIND_WORD:
      store<u64>(values + value, load<u64>(nulls + value));
      return at;
    case KIND_TRUE:
      store<f64>(values + value, 1);
      return at;
    case KIND_FALSE:
      store<f64>(values + value, 0);
      return at;
    case KIND_ANY_NUMBER:
      return numberEnd(at, end);
    case KIND_ANY_CONTAINER:
      return containerEnd(at, end);
    default:
      return readNumberField(at, end, kind, values + value);
  }
}

/** As readValue, of a string that begins at `start` and whose first byte that is not plain is at `at`. */
export function readStringFrom(start: usize, at: usize, end: usize, value: usize, kind: u32): usize {
  if (load<u8>(at) == QUOTE) {
    store<u64>(value, <u64>start | (<u64>(at - start) << 32));
    return at + 1;
  }
  return kind == KIND_STRING ? readOddString(start, at, end, value) : skipOddString(at, end);
}

@inline
function skipString(at: usize, end: usize): usize {
  const quote = plainEnd(at, end);
  return load<u8>(quote) == QUOTE ? quote + 1 : skipOddString(quote, end);
}

function skipOddString(at: usize, end: usize): usize {
  const quote = oddStringEnd(at, end);
  return quote == 0 ? 0 : quote + 1;
}

@inline
function readString(at: usize, end: usize, value: usize): usize {
  const quote = plainEnd(at, end);
  if (load<u8>(quote) != QUOTE) return readOddString(at, quote, end, value);
  store<u64>(value, <u64>at | (<u64>(quote - at) << 32));
  return quote + 1;
}

function readOddString(start: usize, at: usize, end: usize, value: usize): usize {
  const quote = oddStringValue(start, at, end);
  if (quote == 0) return 0;
  store<u64>(value, writtenString());
  return quote + 1;
}

function readIso(at: usize, end: usize, value: usize): usize {
  const behind = quickTime(at, value);
  if (behind != 0) return behind;
  const quote = plainEnd(at, end);
  if (load<u8>(quote) != QUOTE) return 0;
  const time = isoTime(at, <u32>(quote - at));
  store<f64>(value, time);
  return time < 0 ? 0 : quote + 1;
}

function readNumberField(at: usize, end: usize, kind: u32, value: usize): usize {
  let behind: usize = 0;
  if (kind == KIND_NUMBER) {
    behind = quickNumber(at, value);
    if (behind != 0) return behind;
  }
  behind = readNumber(at, end);
  if (behind == 0) return 0;
  let number = numberValue;
  switch (kind) {
    case KIND_NUMBER:
      // NaN, too, is not
      if (!(abs(number) < Infinity)) return 0;
      break;
    case KIND_UINT32:
      if (!(number >= 0 && number <= UINT32_MAX && Math.floor(number) == number)) return 0;
      break;
    case KIND_INT32:
      if (!(number >= INT32_MIN && number <= INT32_MAX && Math.floor(number) == number)) return 0;
      break;
    case KIND_EPOCH_MS:
      number = epochMsTime(number);
      break;
    case KIND_EPOCH_S:
      number = epochSecondsTime(number);
      break;
    default:
      return 0;
  }
  store<f64>(value, number);
  // no time is below 0 here, and no uint32
  return kind != KIND_NUMBER && kind != KIND_INT32 && number < 0 ? 0 : behind;
}
