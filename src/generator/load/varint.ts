/** Zigzag varints of records; values below 2³⁰ by bits, larger ones by division. */

const SMALL = 2 ** 30;

export function varintBytes(value: number): number {
  let rest = value < 0 ? -2 * value - 1 : 2 * value;
  let bytes = 1;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}

/** Returns the place behind it. */
export function putVarint(bytes: Uint8Array, from: number, value: number): number {
  let at = from;
  if (value > -SMALL && value < SMALL) {
    let bits = (value << 1) ^ (value >> 31);
    for (; bits >= 0x80; bits >>>= 7) bytes[at++] = (bits & 0x7f) | 0x80;
    bytes[at++] = bits;
    return at;
  }
  let rest = value < 0 ? -2 * value - 1 : 2 * value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes[at++] = (rest % 0x80) | 0x80;
  bytes[at++] = rest;
  return at;
}
