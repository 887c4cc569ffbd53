/**
 * JSON event → the values of the model's fields, validated as strictly as a fatal TextDecoder and JSON.parse do.
 *
 * Says only «valid, these are the values» or «undecided»; src/reference/event.ts decides then. Each step goes from behind a
 * value to behind the next: along a learned shape where the bytes repeat (scan-shapes.ts), else by the walk (scan-walk.ts).
 * Either way every byte of the record is looked at.
 *
 * Behind a record lie READ_AHEAD_BYTES that may be read, of any content. Loops end at the record's end; a step may run
 * some bytes over it and is then refused, since the next text has to end before it.
 */
import {
  FIELD_BYTES,
  FIELD_REQUIRED,
  FIELD_TYPE,
  NULL_NUMBER_HIGH,
  P_FIELD_COUNT,
  P_FIELDS,
  TYPE_STRING,
} from '../abi';
import { reserve } from './memory';
import { FIELD_NONE, keysInit } from './scan-keys';
import {
  KIND_ANY_CONTAINER,
  KIND_ANY_NUMBER,
  KIND_ANY_STRING,
  KIND_END,
  KIND_EPOCH_MS,
  KIND_EPOCH_S,
  KIND_ISO,
  KIND_NUMBER,
  KIND_PART,
  KIND_STRING,
  KIND_UINT32,
  KIND_WORD,
} from './scan-kinds';
import { numberEnd, numberInit, numberValue, readNumber } from './scan-number';
import {
  countSteps,
  firstNode,
  learn,
  nextNode,
  nodeBits,
  nodeBytes,
  nodeField,
  nodeKind,
  nodeObject,
  shapesInit,
} from './scan-shapes';
import { containerEnd, DEPTH_BYTES, skipInit } from './scan-skip';
import { oddStringEnd, plainEndBy, stopConstants, stringInit } from './scan-string';
import { epochMsTime, epochSecondsTime, isoTime } from './scan-time';
import {
  oddStringValue,
  scratchFree,
  scratchInit,
  scratchPlace,
  scratchReset,
  scratchReturn,
  writtenString,
} from './scan-unescape';
import { walkedBits, walkedField, walkedKind, walkedObject, walkToValue } from './scan-walk';

const QUOTE: u32 = 0x22;
const UINT32_MAX: f64 = 4294967295;

let root: usize = 0;
/** An event's values when all are null. */
let nulls: usize = 0;
let valueBytes: u32 = 0;
/** count u32 │ offsets of required fields' values, u32 each */
let required: usize = 0;

/** Builds what it needs from the program (abi.ts) at this address, which stays where it is. */
export function scanInit(program: usize): void {
  const fields = load<u32>(program + P_FIELD_COUNT);
  const table = program + load<u32>(program + P_FIELDS);
  valueBytes = fields << 3;
  nulls = reserve(valueBytes);
  required = reserve((fields + 1) << 2);
  let count: u32 = 0;
  for (let i: u32 = 0; i < fields; i++) {
    const field = table + i * FIELD_BYTES;
    if (load<u32>(field + FIELD_TYPE) != TYPE_STRING) store<u32>(nulls + (i << 3), NULL_NUMBER_HIGH, 4);
    if (load<u32>(field + FIELD_REQUIRED) != 0) store<u32>(required + (++count << 2), i << 3);
  }
  store<u32>(required, count);
  root = keysInit(program);
  skipInit(reserve(DEPTH_BYTES));
  stringInit();
  numberInit();
  shapesInit();
}

/** Sets the space for unescaped strings. They stay valid until the next reset. */
export function scanScratch(at: usize, bytes: u32): void {
  scratchInit(at, bytes);
}

/** Bytes left of it; an event needs at most as many as it has. */
export function scanScratchFree(): u32 {
  return scratchFree();
}

export function scanScratchReset(): void {
  scratchReset();
}

/**
 * Scans one record value. True: a valid event, its values (abi.ts) are at `values`. False: undecided, and `values` holds
 * anything.
 */
export function scanEvent(at: usize, bytes: u32, values: usize): bool {
  const scratch = scratchPlace();
  clear(values);
  if (readValues(at, at + bytes, values) && hasRequired(values)) return true;
  scratchReturn(scratch);
  return false;
}

/** memory.copy is a call into the engine, dearer than these few moves. */
@inline
function clear(values: usize): void {
  let offset: u32 = 0;
  for (; offset + 16 <= valueBytes; offset += 16) v128.store(values + offset, v128.load(nulls + offset));
  if (offset < valueBytes) store<u64>(values + offset, load<u64>(nulls + offset));
}

@inline
function hasRequired(values: usize): bool {
  const count = load<u32>(required);
  for (let i: u32 = 1; i <= count; i++) {
    const offset = load<u32>(required + (i << 2));
    if (load<u64>(values + offset) == load<u64>(nulls + offset)) return false;
  }
  return true;
}

function readValues(at: usize, end: usize, values: usize): bool {
  const tests = stopConstants();
  const first = firstNode();
  /** The last value's node, 0: none, and its object. */
  let node = first;
  let object: usize = 0;
  let met: u32 = 0;
  let steps: u32 = 0;
  let walked: u32 = 0;
  while (true) {
    steps++;
    let kind: u8 = 0;
    let field: u32 = 0;
    let bits: u32 = 0;
    let next: usize = node == 0 ? 0 : nextNode(node, at, end);
    let value = at;
    while (next != 0) {
      value += nodeBytes(next);
      kind = nodeKind(next);
      if (kind != KIND_PART) break;
      next = nextNode(next, value, end);
    }
    if (next != 0) {
      field = nodeField(next);
      object = nodeObject(next);
      bits = nodeBits(next);
      node = next;
    } else {
      walked++;
      value = walkToValue(at, end, object, root);
      if (value == 0) return false;
      kind = walkedKind;
      field = walkedField;
      object = walkedObject;
      bits = walkedBits;
      if (first != 0) node = learn(node, at, <u32>(value - at), kind, field, object, bits);
    }
    // a selected container that comes twice: the host says which counts
    if ((met & bits) != 0) return false;
    met |= bits;
    if (kind == KIND_END) break;
    at = readValue(value, end, kind, field, values, tests);
    if (at == 0) return false;
  }
  if (first != 0) countSteps(steps, walked);
  return true;
}

/** The place behind a value, 0: undecided. */
@inline
function readValue(at: usize, end: usize, kind: u8, field: u32, values: usize, tests: usize): usize {
  switch (kind) {
    case KIND_ANY_STRING: {
      const quote = plainEndBy(at, end, tests);
      if (load<u8>(quote) == QUOTE) return quote + 1;
      const odd = oddStringEnd(quote, end);
      return odd == 0 ? 0 : odd + 1;
    }
    case KIND_STRING: {
      const quote = plainEndBy(at, end, tests);
      if (load<u8>(quote) == QUOTE) {
        store<u64>(values + (field << 3), <u64>at | (<u64>(quote - at) << 32));
        return quote + 1;
      }
      return readOddString(at, quote, end, values + (field << 3));
    }
    case KIND_ISO: {
      const quote = plainEndBy(at, end, tests);
      if (load<u8>(quote) != QUOTE) return 0;
      const time = isoTime(at, <u32>(quote - at));
      store<f64>(values + (field << 3), time);
      return time < 0 ? 0 : quote + 1;
    }
    case KIND_WORD: {
      if (field != FIELD_NONE) {
        const offset = <usize>field << 3;
        store<u64>(values + offset, load<u64>(nulls + offset));
      }
      return at;
    }
    case KIND_ANY_NUMBER:
      return numberEnd(at, end);
    case KIND_ANY_CONTAINER:
      return containerEnd(at, end);
    default:
      return readNumberField(at, end, kind, values + (field << 3));
  }
}

function readOddString(start: usize, at: usize, end: usize, value: usize): usize {
  const quote = oddStringValue(start, at, end);
  if (quote == 0) return 0;
  store<u64>(value, writtenString());
  return quote + 1;
}

@inline
function readNumberField(at: usize, end: usize, kind: u8, value: usize): usize {
  const behind = readNumber(at, end);
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
  // only a plain number may be below 0
  return kind != KIND_NUMBER && number < 0 ? 0 : behind;
}
