/**
 * The plain way: from behind one value to the next, byte by byte, with every key looked up. Valid whatever the event looks
 * like; the shapes (scan-shapes.ts) are learned from it.
 */
import { FIELD_NONE, findKey, O_BIT, O_PARENT, S_BELOW, S_FIELD, S_NUMBER, S_STRING, S_TRUTH } from './scan-keys';
import {
  KIND_ANY_CONTAINER,
  KIND_ANY_NUMBER,
  KIND_ANY_STRING,
  KIND_END,
  KIND_FALSE,
  KIND_NONE,
  KIND_TRUE,
  KIND_WORD,
} from './scan-kinds';
import { beginsNumber } from './scan-number';
import { spaceEnd, wordEnd } from './scan-skip';
import { oddKeyEnd, plainEnd } from './scan-string';

const QUOTE: u32 = 0x22;
const COMMA: u32 = 0x2c;
const COLON: u32 = 0x3a;
const OPEN_LIST: u32 = 0x5b;
const OPEN_OBJECT: u32 = 0x7b;
const CLOSE_OBJECT: u32 = 0x7d;
const SMALL_N: u32 = 0x6e;
const SMALL_T: u32 = 0x74;

/** What the last step found: a kind, the field (FIELD_NONE: none selected), and the object that the value is in. */
export let walkedKind: u8 = KIND_NONE;
export let walkedField: u32 = FIELD_NONE;
export let walkedObject: usize = 0;
/** Bits of the selected containers that it met, opened or null. */
export let walkedBits: u32 = 0;

/**
 * From the record's start (`object` 0) or behind a value of `object` to where the next value begins (scan-kinds.ts says
 * where that is). 0: undecided. `root`: the event's object.
 */
export function walkToValue(at: usize, end: usize, object: usize, root: usize): usize {
  let opened = false;
  walkedBits = 0;
  if (object == 0) {
    at = spaceEnd(at, end);
    if (at >= end || load<u8>(at) != OPEN_OBJECT) return 0;
    at++;
    object = root;
    opened = true;
  }
  while (true) {
    at = spaceEnd(at, end);
    if (at >= end) return 0;
    const byte: u32 = load<u8>(at);
    if (byte == CLOSE_OBJECT) {
      object = load<u32>(object + O_PARENT);
      at++;
      opened = false;
      if (object == 0) return endOfRecord(at, end);
      continue;
    }
    if (!opened) {
      if (byte != COMMA) return 0;
      at = spaceEnd(at + 1, end);
      if (at >= end) return 0;
    }
    if (load<u8>(at) != QUOTE) return 0;
    const key = at + 1;
    at = keyEnd(key, end);
    if (at == 0) return 0;
    const slot = findKey(object, key, <u32>(at - key));
    at = spaceEnd(at + 1, end);
    if (at >= end || load<u8>(at) != COLON) return 0;
    at = spaceEnd(at + 1, end);
    if (at >= end) return 0;
    const below: usize = slot == 0 ? 0 : load<u32>(slot + S_BELOW);
    if (below == 0 || load<u8>(at) != OPEN_OBJECT) return valueAt(at, end, object, slot);
    // a field that ends where others begin has no value if it is an object
    if (load<u16>(slot + S_FIELD) != FIELD_NONE || !meet(below)) return 0;
    object = below;
    opened = true;
    at++;
  }
}

/** The closing quote, 0: malformed or with an escape, which could spell a selected key. */
@inline
function keyEnd(key: usize, end: usize): usize {
  const at = plainEnd(key, end);
  return load<u8>(at) == QUOTE ? at : oddKeyEnd(at, end);
}

@inline
function endOfRecord(at: usize, end: usize): usize {
  if (spaceEnd(at, end) != end) return 0;
  walkedKind = KIND_END;
  walkedField = FIELD_NONE;
  walkedObject = 0;
  return end;
}

/** Marks a selected container. False: the event had it already, and the host must say which counts. */
@inline
function meet(container: usize): bool {
  const bit = load<u32>(container + O_BIT);
  if ((walkedBits & bit) != 0) return false;
  walkedBits |= bit;
  return true;
}

/** `at`: a value's first byte, before `end`. */
function valueAt(at: usize, end: usize, object: usize, slot: usize): usize {
  const byte: u32 = load<u8>(at);
  walkedObject = object;
  walkedField = slot == 0 ? FIELD_NONE : <u32>load<u16>(slot + S_FIELD);
  if (byte == QUOTE) {
    walkedKind = slot == 0 ? KIND_ANY_STRING : load<u8>(slot + S_STRING);
    return walkedKind == KIND_NONE ? 0 : at + 1;
  }
  if (beginsNumber(byte)) {
    walkedKind = slot == 0 ? KIND_ANY_NUMBER : load<u8>(slot + S_NUMBER);
    return walkedKind == KIND_NONE ? 0 : at;
  }
  if (byte == OPEN_OBJECT || byte == OPEN_LIST) {
    walkedKind = KIND_ANY_CONTAINER;
    return slot == 0 ? at + 1 : 0;
  }
  walkedKind = KIND_WORD;
  if (slot != 0) {
    if (byte != SMALL_N) {
      if (load<u8>(slot + S_TRUTH) == 0) return 0;
      walkedKind = byte == SMALL_T ? KIND_TRUE : KIND_FALSE;
      return wordEnd(at, end);
    }
    const below: usize = load<u32>(slot + S_BELOW);
    if (below != 0 && !meet(below)) return 0;
  }
  return wordEnd(at, end);
}
