/** UUIDs of version 4 as text, from four words of 32 bits. */

const DASH = 0x2d;
const DIGITS = Buffer.from('0123456789abcdef');
/** By byte: its two digits. */
const HIGH = Uint8Array.from({ length: 256 }, (_, byte) => DIGITS[byte >> 4]!);
const LOW = Uint8Array.from({ length: 256 }, (_, byte) => DIGITS[byte & 15]!);

/** 36 bytes from `at` on. */
export function putUuid(bytes: Uint8Array, at: number, a: number, b: number, c: number, d: number): void {
  putHex(bytes, at, a >>> 16);
  putHex(bytes, at + 4, a & 0xffff);
  bytes[at + 8] = DASH;
  putHex(bytes, at + 9, b >>> 16);
  bytes[at + 13] = DASH;
  putHex(bytes, at + 14, (b & 0x0fff) | 0x4000);
  bytes[at + 18] = DASH;
  putHex(bytes, at + 19, ((c >>> 16) & 0x3fff) | 0x8000);
  bytes[at + 23] = DASH;
  putHex(bytes, at + 24, c & 0xffff);
  putHex(bytes, at + 28, d >>> 16);
  putHex(bytes, at + 32, d & 0xffff);
}

/** 16 bits as four digits. */
export function putHex(bytes: Uint8Array, at: number, bits: number): void {
  const high = bits >>> 8;
  const low = bits & 0xff;
  bytes[at] = HIGH[high]!;
  bytes[at + 1] = LOW[high]!;
  bytes[at + 2] = HIGH[low]!;
  bytes[at + 3] = LOW[low]!;
}
