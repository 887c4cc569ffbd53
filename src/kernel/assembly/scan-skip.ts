/** Objects and arrays that nobody selected: validated, nothing kept. */
import { beginsNumber, numberEnd } from './scan-number';
import { oddStringEnd, plainEnd } from './scan-string';

/** Deeper events are for the host; JSON.parse has no such limit. */
const DEPTH_MAX: usize = 500;
const QUOTE: u32 = 0x22;
const COMMA: u32 = 0x2c;
const COLON: u32 = 0x3a;
const OPEN_LIST: u32 = 0x5b;
const CLOSE_LIST: u32 = 0x5d;
const OPEN_OBJECT: u32 = 0x7b;
const CLOSE_OBJECT: u32 = 0x7d;
/** `null`, `true`, `alse` */
const NULL: u32 = 0x6c6c756e;
const TRUE: u32 = 0x65757274;
const ALSE: u32 = 0x65736c61;

/** The open containers' closing bytes. */
let stack: usize = 0;

/** `depthMemory`: DEPTH_BYTES. */
export const DEPTH_BYTES: u32 = 512;
export function skipInit(depthMemory: usize): void {
  stack = depthMemory;
}

/** The first byte from `at` on that is no JSON white space, `end` when there is none. */
@inline
export function spaceEnd(at: usize, end: usize): usize {
  while (at < end && isSpace(load<u8>(at))) at++;
  return at;
}

@inline
function isSpace(byte: u32): bool {
  // bits 9, 10, 13, 32
  return byte <= 32 && ((0x100002600 >> <u64>byte) & 1) != 0;
}

/** The place behind null, true or false at `at`, 0: it is none of them. */
export function wordEnd(at: usize, end: usize): usize {
  const first: u32 = load<u8>(at);
  const word = load<u32>(at);
  if (word == NULL || word == TRUE) return at + 4 <= end ? at + 4 : 0;
  return first == 0x66 && load<u32>(at, 1) == ALSE && at + 5 <= end ? at + 5 : 0;
}

/** The place behind a container whose opening bracket is before `at`, 0: malformed or too deep. */
export function containerEnd(at: usize, end: usize): usize {
  store<u8>(stack, <u32>load<u8>(at - 1) + 2);
  let depth: usize = 1;
  let opened = true;
  while (true) {
    at = spaceEnd(at, end);
    if (at >= end) return 0;
    let byte: u32 = load<u8>(at);
    const closing: u32 = load<u8>(stack + depth - 1);
    if (byte == closing) {
      at++;
      if (--depth == 0) return at;
      opened = false;
      continue;
    }
    if (!opened) {
      if (byte != COMMA) return 0;
      at = spaceEnd(at + 1, end);
      if (at >= end) return 0;
    }
    if (closing == CLOSE_OBJECT) {
      at = nameEnd(at, end);
      if (at == 0) return 0;
    }
    byte = load<u8>(at);
    opened = byte == OPEN_LIST || byte == OPEN_OBJECT;
    if (opened) {
      if (depth == DEPTH_MAX) return 0;
      store<u8>(stack + depth++, byte + 2);
      at++;
    } else {
      at = scalarEnd(at, byte, end);
      if (at == 0) return 0;
    }
  }
}

/** Behind a member's name, colon and white space, before `end`; 0: malformed. */
@inline
function nameEnd(at: usize, end: usize): usize {
  if (load<u8>(at) != QUOTE) return 0;
  at = stringEnd(at + 1, end);
  if (at == 0) return 0;
  at = spaceEnd(at, end);
  if (at >= end || load<u8>(at) != COLON) return 0;
  at = spaceEnd(at + 1, end);
  return at < end ? at : 0;
}

@inline
function scalarEnd(at: usize, byte: u32, end: usize): usize {
  if (byte == QUOTE) return stringEnd(at + 1, end);
  if (beginsNumber(byte)) return numberEnd(at, end);
  return wordEnd(at, end);
}

/** Behind the closing quote, 0: malformed. */
@inline
function stringEnd(at: usize, end: usize): usize {
  at = plainEnd(at, end);
  if (load<u8>(at) != QUOTE) {
    at = oddStringEnd(at, end);
    if (at == 0) return 0;
  }
  return at + 1;
}
