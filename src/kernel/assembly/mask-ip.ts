/** The network of an IP address, as text; src/reference/mask.ts says the same. */
import { reserve } from './memory';

const POINT: u32 = 0x2e;
const COLON: u32 = 0x3a;
/** Behind all groups that there can be. */
const NOWHERE: u32 = 9;

/** Eight u32. */
let groups: usize = 0;
/** The four bytes of the address that was read last, the first one on top. */
let four: u32 = 0;

export function maskIpInit(): void {
  groups = reserve(8 << 2);
}

/** Writes at most 20 bytes; how many, 0: the text is no address. */
export function putTruncated(to: usize, text: usize, bytes: u32): u32 {
  const end = text + bytes;
  if (isIpv4(text, end)) return putIpv4(to, four);
  if (!isIpv6(text, end)) return 0;
  let isMapped = group(5) == 0xffff;
  for (let index: u32 = 0; index < 5; index++) isMapped = isMapped && group(index) == 0;
  if (isMapped) return putIpv4(to, (group(6) << 16) | group(7));
  const kept: u32 = group(2) != 0 ? 3 : group(1) != 0 ? 2 : group(0) != 0 ? 1 : 0;
  let at = to;
  for (let index: u32 = 0; index < kept; index++) {
    if (index != 0) store<u8>(at++, <u8>COLON);
    at = putHex(at, group(index));
  }
  store<u16>(at, <u16>(COLON | (COLON << 8)));
  return <u32>(at + 2 - to);
}

// @ts-ignore: decorator
@inline
function group(index: u32): u32 {
  return load<u32>(groups + (index << 2));
}

// @ts-ignore: decorator
@inline
function setGroup(index: u32, value: u32): void {
  store<u32>(groups + (index << 2), value);
}

/** Four numbers up to 255 without leading zeros, and nothing else. */
function isIpv4(text: usize, end: usize): bool {
  four = 0;
  let at = text;
  for (let part = 0; part < 4; part++) {
    if (part != 0) {
      if (at >= end || <u32>load<u8>(at) != POINT) return false;
      at++;
    }
    const from = at;
    let value: u32 = 0;
    while (at < end && at - from < 4) {
      const digit = <u32>load<u8>(at) - 0x30;
      if (digit > 9) break;
      value = value * 10 + digit;
      at++;
    }
    const digits = at - from;
    if (digits == 0 || value > 255 || (digits > 1 && load<u8>(from) == 0x30)) return false;
    four = (four << 8) | value;
  }
  return at == end;
}

/** Fills the groups. */
function isIpv6(text: usize, end: usize): bool {
  let at = text;
  let count: u32 = 0;
  // where groups of zeros are left out
  let gap: u32 = NOWHERE;
  if (end - at >= 2 && <u32>load<u8>(at) == COLON) {
    if (<u32>load<u8>(at + 1) != COLON) return false;
    gap = 0;
    at += 2;
  }
  while (at < end) {
    const from = at;
    let value: u32 = 0;
    while (at < end && at - from < 5) {
      const digit = hexDigit(load<u8>(at));
      if (digit > 15) break;
      value = (value << 4) | digit;
      at++;
    }
    if (count == 8 || at == from) return false;
    if (at < end && <u32>load<u8>(at) == POINT) {
      if (count == 7 || !isIpv4(from, end)) return false;
      setGroup(count, four >> 16);
      setGroup(count + 1, four & 0xffff);
      count += 2;
      at = end;
      break;
    }
    if (at - from > 4) return false;
    setGroup(count++, value);
    if (at == end) break;
    if (<u32>load<u8>(at) != COLON) return false;
    at++;
    if (at == end) return false;
    if (<u32>load<u8>(at) == COLON) {
      if (gap != NOWHERE) return false;
      gap = count;
      at++;
    }
  }
  if (gap == NOWHERE) return count == 8;
  if (count == 8) return false;
  // the groups behind the gap go to the end
  const behind = count - gap;
  for (let index: u32 = 0; index < behind; index++) setGroup(7 - index, group(count - 1 - index));
  for (let index = gap; index < 8 - behind; index++) setGroup(index, 0);
  return true;
}

// @ts-ignore: decorator
@inline
function hexDigit(byte: u8): u32 {
  const digit = <u32>byte - 0x30;
  if (digit <= 9) return digit;
  const letter = (<u32>byte | 0x20) - 0x61;
  return letter <= 5 ? letter + 10 : 16;
}

function putIpv4(to: usize, address: u32): u32 {
  let at = to;
  for (let shift = 24; shift >= 8; shift -= 8) {
    at = putByte(at, (address >> shift) & 255);
    store<u8>(at++, <u8>POINT);
  }
  store<u8>(at++, 0x30);
  return <u32>(at - to);
}

function putByte(at: usize, value: u32): usize {
  if (value >= 100) store<u8>(at++, <u8>(0x30 + value / 100));
  if (value >= 10) store<u8>(at++, <u8>(0x30 + (value / 10) % 10));
  store<u8>(at++, <u8>(0x30 + (value % 10)));
  return at;
}

function putHex(at: usize, value: u32): usize {
  let begun = false;
  for (let shift: i32 = 12; shift >= 0; shift -= 4) {
    const digit = (value >> shift) & 15;
    if (digit == 0 && !begun && shift != 0) continue;
    begun = true;
    store<u8>(at++, <u8>(digit < 10 ? 0x30 + digit : 0x57 + digit));
  }
  return at;
}
