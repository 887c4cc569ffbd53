/**
 * What is made of an event's values before anything else sees them: values are masked, and the key is put together. Texts are
 * written behind those that the scan has unescaped.
 */
import {
  HASH_CHARACTERS,
  KEY_PART_BYTES,
  KEY_PARTS,
  MASK_ENTRY_BYTES,
  MASK_HASH,
  MASKS,
  P_KEY_PARTS,
  P_MASKS,
  TYPE_STRING,
  VALUE_BYTES,
} from '../abi';
import { maskIpInit, putTruncated } from './mask-ip';
import { keyField, program } from './model';
import { scratchPlace, scratchReturn } from './scan-unescape';
import { codeOf, hashingInit } from './sha256';

let masks: usize = 0;
let keyParts: usize = 0;
/** What texts that are made take at most, beside what the event's own take. */
let madeBytes: u32 = 0;
export let makesValues: bool = false;
/** Values that were to be addresses and are none. */
export let blanked: u32 = 0;

/** A decimal number, what separates it, and what a copy may write too far. */
const PART_BYTES_MAX: u32 = 12;
const SLACK_BYTES: u32 = 64;

export function madeValuesInit(): void {
  const maskOffset = load<u32>(program + P_MASKS);
  const keyOffset = load<u32>(program + P_KEY_PARTS);
  masks = maskOffset == 0 ? 0 : program + maskOffset;
  keyParts = keyOffset == 0 ? 0 : program + keyOffset;
  makesValues = masks != 0 || keyParts != 0;
  madeBytes = SLACK_BYTES;
  if (masks != 0) madeBytes += load<u32>(masks) * HASH_CHARACTERS;
  if (keyParts != 0) madeBytes += load<u32>(keyParts) * PART_BYTES_MAX;
  maskIpInit();
  hashingInit();
}

/** Bytes that an event of so many may need of the scratch, its unescaped texts and the escaped parts of a key included. */
export function scratchNeed(valueBytes: u32): u64 {
  return <u64>valueBytes * 3 + madeBytes;
}

export function blankedReset(): void {
  blanked = 0;
}

/** There is room for it: scratchNeed. */
export function makeValues(values: usize): void {
  if (masks != 0) maskValues(values);
  if (keyParts != 0) joinKey(values);
}

function maskValues(values: usize): void {
  const end = masks + MASKS + load<u32>(masks) * MASK_ENTRY_BYTES;
  for (let entry = masks + MASKS; entry < end; entry += MASK_ENTRY_BYTES) {
    const value = values + load<u32>(entry) * VALUE_BYTES;
    const text: usize = load<u32>(value);
    if (text == 0) continue;
    const bytes = load<u32>(value, 4);
    const to = scratchPlace();
    const written = load<u32>(entry + 4) == MASK_HASH ? putCode(to, text, bytes) : putTruncated(to, text, bytes);
    if (written == 0) blanked++;
    store<u64>(value, written == 0 ? 0 : <u64>to | (<u64>written << 32));
    scratchReturn(to + written);
  }
}

/** The first half of the code, as hexadecimal digits. */
function putCode(to: usize, text: usize, bytes: u32): u32 {
  const code = codeOf(text, bytes);
  for (let index: u32 = 0; index < <u32>HASH_CHARACTERS; index++) {
    const word = load<u32>(code + ((index >> 3) << 2));
    const digit = (word >> (28 - ((index & 7) << 2))) & 15;
    store<u8>(to + index, <u8>(digit < 10 ? 0x30 + digit : 0x57 + digit));
  }
  return HASH_CHARACTERS;
}

function joinKey(values: usize): void {
  const from = scratchPlace();
  let to = from;
  const count = load<u32>(keyParts);
  for (let index: u32 = 0; index < count; index++) {
    const part = keyParts + KEY_PARTS + index * KEY_PART_BYTES;
    const value = values + load<u32>(part) * VALUE_BYTES;
    if (index != 0) store<u8>(to++, 0x7c);
    if (load<u32>(part + 4) == TYPE_STRING) to = putEscaped(to, load<u32>(value), load<u32>(value, 4));
    else to = putNumber(to, <u32>load<f64>(value));
  }
  store<u64>(values + keyField * VALUE_BYTES, <u64>from | (<u64>(to - from) << 32));
  scratchReturn(to);
}

/** A backslash before each | and each backslash. */
function putEscaped(to: usize, text: usize, bytes: u32): usize {
  for (const end = text + bytes; text < end; text++) {
    const byte = load<u8>(text);
    if (byte == 0x7c || byte == 0x5c) store<u8>(to++, 0x5c);
    store<u8>(to++, byte);
  }
  return to;
}

function putNumber(to: usize, value: u32): usize {
  let digits: u32 = 1;
  for (let rest = value; rest >= 10; rest /= 10) digits++;
  let rest = value;
  for (let place = digits; place > 0; place--) {
    store<u8>(to + place - 1, 0x30 + <u8>(rest % 10));
    rest /= 10;
  }
  return to + digits;
}
