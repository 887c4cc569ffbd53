/**
 * Values as JSON text, written as JSON.stringify writes them: it is part of the row's canonical bytes. Values are valid
 * UTF-8, of which only quotes, backslashes and control characters are escaped.
 */
import { TYPE_BOOLEAN, TYPE_STRING } from '../abi';
import { ENTRY_LENGTH, ENTRY_VALUE } from './intern';
import { bufferAdd, bufferAt, bufferBytes, bufferRoom, putSigned } from './row-buffer';
import { putTruth } from './row-derived';

const QUOTE: u8 = 0x22;
const BACKSLASH: u8 = 0x5c;
/** The longest escape is \u001f; six bytes. */
const ESCAPE_BYTES: u32 = 6;

/**
 * An entry's value, a text, a truth or a whole number; 0: null. A text that would end behind `endAt`, a place in the
 * buffer, is broken off behind it: it will be taken back, and escapes could make six times of it.
 */
export function putJsonValue(entry: usize, type: u32, endAt: u32): void {
  if (entry == 0) {
    // null
    store<u32>(bufferRoom(4), 0x6c6c756e);
    bufferAdd(4);
  } else if (type == TYPE_STRING) {
    putJsonText(entry + ENTRY_VALUE, load<u32>(entry + ENTRY_LENGTH), endAt);
  } else if (type == TYPE_BOOLEAN) {
    putTruth(load<f64>(entry + ENTRY_VALUE) != 0);
  } else {
    putSigned(<i64>load<f64>(entry + ENTRY_VALUE));
  }
}

export function putJsonByte(byte: u8): void {
  store<u8>(bufferRoom(1), byte);
  bufferAdd(1);
}

/** What begins an item: the bracket before the first one, or a comma. */
// @ts-ignore: decorator
@inline
export function putJsonSeparator(items: u32): void {
  // [ or ,
  putJsonByte(items == 0 ? 0x5b : 0x2c);
}

/** What ends an array of so many items. */
export function putJsonEnd(items: u32): void {
  if (items == 0) putJsonSeparator(0);
  // ]
  putJsonByte(0x5d);
}

/** Sixteen bytes at a time up to the next that must be escaped. Reads up to 15 bytes behind the text. */
function putJsonText(text: usize, bytes: u32, endAt: u32): void {
  const most = bufferBytes > endAt ? 0 : endAt - bufferBytes;
  const end = text + min(bytes, most + 1);
  let to = bufferRoom(<u32>(end - text) + 2);
  store<u8>(to++, QUOTE);
  while (text < end) {
    const block = v128.load(text);
    v128.store(to, block);
    const stops = <u32>i8x16.bitmask(stopsOf(block));
    const plain = min<u32>(stops == 0 ? 16 : ctz(stops), <u32>(end - text));
    text += plain;
    to += plain;
    if (plain == 16 || text == end) continue;
    bufferAdd(<u32>(to - bufferAt) - bufferBytes);
    if (bufferBytes > endAt) return;
    to = putEscape(bufferRoom(<u32>(end - text) + ESCAPE_BYTES + 1), load<u8>(text));
    text++;
  }
  store<u8>(to++, QUOTE);
  bufferAdd(<u32>(to - bufferAt) - bufferBytes);
}

/** Quote, backslash and what lies below a space: the quote is 0x20 with its second bit turned, the others stay below it. */
// @ts-ignore: decorator
@inline
function stopsOf(block: v128): v128 {
  return v128.or(
    i8x16.lt_u(v128.xor(block, i8x16.splat(2)), i8x16.splat(0x21)),
    i8x16.eq(block, i8x16.splat(<i8>BACKSLASH)),
  );
}

/** The place behind it. */
function putEscape(to: usize, byte: u8): usize {
  store<u8>(to, BACKSLASH);
  const letter = letterOf(byte);
  if (letter != 0) {
    store<u8>(to + 1, letter);
    return to + 2;
  }
  // u00, then two digits
  store<u8>(to + 1, 0x75);
  store<u16>(to + 2, 0x3030);
  const low: u8 = byte & 15;
  store<u8>(to + 4, 0x30 + (byte >> 4));
  store<u8>(to + 5, low < 10 ? 0x30 + low : 0x57 + low);
  return to + ESCAPE_BYTES;
}

/** What stands behind the backslash, 0: the character has no escape of its own. */
function letterOf(byte: u8): u8 {
  switch (byte) {
    case QUOTE:
    case BACKSLASH:
      return byte;
    case 0x08:
      return 0x62;
    case 0x09:
      return 0x74;
    case 0x0a:
      return 0x6e;
    case 0x0c:
      return 0x66;
    case 0x0d:
      return 0x72;
  }
  return 0;
}
