/** Numbers in a session's log: seven-bit groups, little groups first. Written by us, so they are read without checks. */

/** Where the last number that was read ended. */
export let varintEnd: usize = 0;

// @ts-ignore: decorator
@inline
export function putVarint(at: usize, value: u64): usize {
  while (value >= 0x80) {
    store<u8>(at++, <u8>value | 0x80);
    value >>= 7;
  }
  store<u8>(at, <u8>value);
  return at + 1;
}

export function readVarint(at: usize): u64 {
  let byte: u64 = load<u8>(at++);
  if (byte < 0x80) {
    varintEnd = at;
    return byte;
  }
  let value = byte & 0x7f;
  let shift: u64 = 7;
  do {
    byte = load<u8>(at++);
    value |= (byte & 0x7f) << shift;
    shift += 7;
  } while (byte >= 0x80);
  varintEnd = at;
  return value;
}

// @ts-ignore: decorator
@inline
export function zigzag(value: i64): u64 {
  return <u64>((value << 1) ^ (value >> 63));
}

// @ts-ignore: decorator
@inline
export function unzigzag(value: u64): i64 {
  return <i64>(value >> 1) ^ -(<i64>(value & 1));
}
