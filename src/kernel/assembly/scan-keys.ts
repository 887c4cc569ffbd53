/**
 * The model's keys, as the walk looks them up: for each object that has fields below it a table by hash.
 *
 *   object  0 parent (0: the event) │ 4 its bit │ 8 slots − 1 │ 16 slots × 32 bytes
 *   slot    0 text (0: empty) │ 4 bytes │ 8 field u16 │ 10 kind of a string u8 │ 11 kind of a number u8
 *           12 object below (0: none) │ 16 may be true or false u8
 * At most half of the slots are taken, so that a look-up meets an empty one.
 */
import {
  FIELD_BYTES,
  FIELD_TYPE,
  KEY_BYTES,
  KEY_FIELD,
  KEY_LENGTH,
  KEY_NODE,
  KEY_TEXT,
  NODE_COUNT,
  NODE_KEYS,
  P_FIELDS,
  P_KEYS,
  P_TIME_FORMAT,
  TIME_EPOCH_MS,
  TIME_ISO8601,
  TYPE_BOOLEAN,
  TYPE_INT32,
  TYPE_NUMBER,
  TYPE_STRING,
  TYPE_TIME,
} from '../abi';
import { reserve } from './memory';
import {
  KIND_EPOCH_MS,
  KIND_EPOCH_S,
  KIND_INT32,
  KIND_ISO,
  KIND_NONE,
  KIND_NUMBER,
  KIND_STRING,
  KIND_UINT32,
} from './scan-kinds';

export const O_PARENT: usize = 0;
export const O_BIT: usize = 4;
const O_LAST: usize = 8;
const O_SLOTS: usize = 16;
const SLOT_SHIFT: u32 = 5;
const S_TEXT: usize = 0;
const S_BYTES: usize = 4;
export const S_FIELD: usize = 8;
export const S_STRING: usize = 10;
export const S_NUMBER: usize = 11;
export const S_BELOW: usize = 12;
export const S_TRUTH: usize = 16;
/** No field. */
export const FIELD_NONE: u32 = 0xffff;

/** A model with more nested objects than bits shares the last: two of them in one event are then undecided. */
const BITS_MAX: u32 = 32;

let fieldTable: usize = 0;
let timeKind: u8 = 0;
let objects: u32 = 0;

/** The event's object, for a program of abi.ts. */
export function keysInit(program: usize): usize {
  fieldTable = program + load<u32>(program + P_FIELDS);
  const format = load<u32>(program + P_TIME_FORMAT);
  timeKind = format == TIME_ISO8601 ? KIND_ISO : format == TIME_EPOCH_MS ? KIND_EPOCH_MS : KIND_EPOCH_S;
  objects = 0;
  return buildObject(program, load<u32>(program + P_KEYS), 0);
}

function buildObject(program: usize, offset: u32, parent: usize): usize {
  const node = program + offset;
  const count = load<u32>(node + NODE_COUNT);
  let slots: u32 = 4;
  while (slots < count * 2) slots *= 2;
  const object = reserve(<u32>O_SLOTS + (slots << SLOT_SHIFT));
  store<u32>(object + O_PARENT, <u32>parent);
  store<u32>(object + O_BIT, 1 << min(objects, BITS_MAX - 1));
  objects++;
  store<u32>(object + O_LAST, slots - 1);
  for (let i: u32 = 0; i < count; i++) {
    const key = node + NODE_KEYS + i * KEY_BYTES;
    const text = program + load<u32>(key + KEY_TEXT);
    const bytes = load<u32>(key + KEY_LENGTH);
    let slot = hashOf(text, bytes) & (slots - 1);
    while (load<u32>(slotAt(object, slot) + S_TEXT) != 0) slot = (slot + 1) & (slots - 1);
    const at = slotAt(object, slot);
    store<u32>(at + S_TEXT, <u32>text);
    store<u32>(at + S_BYTES, bytes);
    fillSlot(at, load<i32>(key + KEY_FIELD));
    const below = load<u32>(key + KEY_NODE);
    if (below == 0) continue;
    // a value where others lie below: the host says what is wrong with it
    store<u8>(at + S_STRING, KIND_NONE);
    store<u8>(at + S_NUMBER, KIND_NONE);
    store<u8>(at + S_TRUTH, 0);
    store<u32>(at + S_BELOW, <u32>buildObject(program, below, object));
  }
  return object;
}

function fillSlot(at: usize, field: i32): void {
  store<u16>(at + S_FIELD, field < 0 ? FIELD_NONE : <u32>field);
  store<u8>(at + S_STRING, KIND_NONE);
  store<u8>(at + S_NUMBER, KIND_NONE);
  if (field < 0) return;
  const type = load<u32>(fieldTable + <u32>field * FIELD_BYTES + FIELD_TYPE);
  if (type == TYPE_STRING) store<u8>(at + S_STRING, KIND_STRING);
  else if (type == TYPE_BOOLEAN) store<u8>(at + S_TRUTH, 1);
  else if (type == TYPE_INT32) store<u8>(at + S_NUMBER, KIND_INT32);
  else if (type != TYPE_TIME) store<u8>(at + S_NUMBER, type == TYPE_NUMBER ? KIND_NUMBER : KIND_UINT32);
  else store<u8>(at + (timeKind == KIND_ISO ? S_STRING : S_NUMBER), timeKind);
}

@inline
function slotAt(object: usize, slot: u32): usize {
  return object + O_SLOTS + (<usize>slot << SLOT_SHIFT);
}

/** The slot of a key of this object, 0: no field lies there. May read 16 bytes behind the key. */
export function findKey(object: usize, key: usize, bytes: u32): usize {
  const last = load<u32>(object + O_LAST);
  let slot = hashOf(key, bytes) & last;
  while (true) {
    const at = slotAt(object, slot);
    const text = load<u32>(at + S_TEXT);
    if (text == 0) return 0;
    if (load<u32>(at + S_BYTES) == bytes && sameText(text, key, bytes)) return at;
    slot = (slot + 1) & last;
  }
}

/** Both may be read 16 bytes further. */
@inline
function sameText(a: usize, b: usize, bytes: u32): bool {
  let at: u32 = 0;
  while (bytes - at > 16) {
    if (v128.any_true(v128.xor(v128.load(a + at), v128.load(b + at)))) return false;
    at += 16;
  }
  const same = i8x16.bitmask(i8x16.eq(v128.load(a + at), v128.load(b + at)));
  return ctz(~same) >= <i32>(bytes - at);
}

/** Of the length and the first eight bytes. */
@inline
function hashOf(text: usize, bytes: u32): u32 {
  let head = load<u64>(text);
  if (bytes < 8) head &= ((<u64>1) << (bytes << 3)) - 1;
  const mixed = (head ^ ((<u64>bytes) << 59)) * 0x9e3779b97f4a7c15;
  return <u32>(mixed >> 40);
}
