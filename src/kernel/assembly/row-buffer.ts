/** One row in the making, in its canonical form (src/reference/row-crc.ts). Grows to the largest row. */
import { TAG_FLOAT, TAG_INTEGER, TAG_STRING } from '../abi';
import { alloc, free } from './memory';
import { copyLiterals } from './wild-copy';

export let bufferAt: usize = 0;
/** Bytes of the row so far. */
export let bufferBytes: u32 = 0;
let room: u32 = 0;
/** What copies may write over behind the row. */
const SLACK_BYTES: u32 = 64;
const ROOM_KEPT: u32 = 1 << 20;

export function bufferBegin(): void {
  bufferBytes = 0;
  if (room > ROOM_KEPT) {
    free(bufferAt);
    room = 0;
    bufferAt = 0;
  }
  if (room == 0) grow(4096);
}

/** Where the next `bytes` bytes go; 64 more may be written over. */
// @ts-ignore: decorator
@inline
export function bufferRoom(bytes: u32): usize {
  const need = bufferBytes + bytes + SLACK_BYTES;
  if (need > room) grow(need);
  return bufferAt + bufferBytes;
}

// @ts-ignore: decorator
@inline
export function bufferAdd(bytes: u32): void {
  bufferBytes += bytes;
}

/** Takes back what lies behind a place. */
export function bufferCut(bytes: u32): void {
  bufferBytes = bytes;
}

export function putTag(tag: u8): void {
  store<u8>(bufferRoom(1), tag);
  bufferAdd(1);
}

export function putInteger(value: i64): void {
  const at = bufferRoom(9);
  store<u8>(at, TAG_INTEGER);
  store<i64>(at + 1, value);
  bufferAdd(9);
}

export function putFloatBits(bits: u64): void {
  const at = bufferRoom(9);
  store<u8>(at, TAG_FLOAT);
  store<u64>(at + 1, bits);
  bufferAdd(9);
}

/** A text without a tag, as in lists. */
// @ts-ignore: decorator
@inline
export function putText(text: usize, bytes: u32): void {
  const at = bufferRoom(4 + bytes);
  store<u32>(at, bytes);
  copyLiterals(at + 4, text, bytes);
  bufferAdd(4 + bytes);
}

export function putString(text: usize, bytes: u32): void {
  const at = bufferRoom(5 + bytes);
  store<u8>(at, TAG_STRING);
  store<u32>(at + 1, bytes);
  copyLiterals(at + 5, text, bytes);
  bufferAdd(5 + bytes);
}

/** A string whose text is put behind it; where its length goes. */
export function stringBegin(): u32 {
  putTag(<u8>TAG_STRING);
  bufferRoom(4);
  bufferAdd(4);
  return bufferBytes - 4;
}

export function stringEnd(lengthAt: u32): void {
  store<u32>(bufferAt + lengthAt, bufferBytes - lengthAt - 4);
}

/** Part of a text. */
export function putBytes(text: usize, bytes: u32): void {
  copyLiterals(bufferRoom(bytes), text, bytes);
  bufferAdd(bytes);
}

const NINE_DIGITS: i64 = 1000000000;

/** As text; of a whole number below 2³² · 10⁹ that is not negative. In two halves: divisions of 32 bits are multiplications. */
export function putDecimal(value: i64): void {
  if (value < NINE_DIGITS) {
    putDigits(<u32>value, digitsOf(<u32>value));
    return;
  }
  const high = value / NINE_DIGITS;
  putDigits(<u32>high, digitsOf(<u32>high));
  putDigits(<u32>(value - high * NINE_DIGITS), 9);
}

/** Of any whole number. */
export function putSigned(value: i64): void {
  if (value < 0) {
    store<u8>(bufferRoom(1), 0x2d);
    bufferAdd(1);
  }
  // the least one has no positive of its own, but is it as an unsigned number
  const digits = value < 0 ? <u64>(-value) : <u64>value;
  const high = digits / 1000000000;
  if (high < 0x100000000) {
    putDecimal(<i64>digits);
    return;
  }
  putDecimal(<i64>high);
  putDigits(<u32>(digits - high * 1000000000), 9);
}

// @ts-ignore: decorator
@inline
function digitsOf(value: u32): u32 {
  let digits: u32 = 1;
  for (let rest = value; rest >= 10; rest /= 10) digits++;
  return digits;
}

function putDigits(value: u32, digits: u32): void {
  const at = bufferRoom(digits);
  for (let place = digits; place > 0; place--) {
    const rest = value / 10;
    store<u8>(at + place - 1, 48 + <u8>(value - rest * 10));
    value = rest;
  }
  bufferAdd(digits);
}

function grow(bytes: u32): void {
  let larger: u32 = room == 0 ? 4096 : room;
  while (larger < bytes) {
    if (larger >= 0x80000000) unreachable();
    larger <<= 1;
  }
  const at = alloc(larger);
  if (at == 0) unreachable();
  if (bufferAt != 0) {
    memory.copy(at, bufferAt, bufferBytes);
    free(bufferAt);
  }
  bufferAt = at;
  room = larger;
}
