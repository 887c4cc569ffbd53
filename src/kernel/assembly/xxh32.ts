/** xxHash of 32 bits with seed 0, the checksum of LZ4 frames. Reads nothing behind the bytes. */

const PRIME_1: u32 = 0x9e3779b1;
const PRIME_2: u32 = 0x85ebca77;
const PRIME_3: u32 = 0xc2b2ae3d;
const PRIME_4: u32 = 0x27d4eb2f;
const PRIME_5: u32 = 0x165667b1;

export function xxh32(from: usize, bytes: usize): u32 {
  const end = from + bytes;
  let at = from;
  let hash: u32 = PRIME_5;
  if (bytes >= 16) {
    let a: u32 = PRIME_1 + PRIME_2;
    let b: u32 = PRIME_2;
    let c: u32 = 0;
    let d: u32 = 0 - PRIME_1;
    for (const last = end - 16; at <= last; at += 16) {
      a = round(a, load<u32>(at));
      b = round(b, load<u32>(at, 4));
      c = round(c, load<u32>(at, 8));
      d = round(d, load<u32>(at, 12));
    }
    hash = rotl<u32>(a, 1) + rotl<u32>(b, 7) + rotl<u32>(c, 12) + rotl<u32>(d, 18);
  }
  hash += <u32>bytes;
  for (; at + 4 <= end; at += 4) hash = rotl<u32>(hash + load<u32>(at) * PRIME_3, 17) * PRIME_4;
  for (; at < end; at++) hash = rotl<u32>(hash + <u32>load<u8>(at) * PRIME_5, 11) * PRIME_1;
  hash = (hash ^ (hash >> 15)) * PRIME_2;
  hash = (hash ^ (hash >> 13)) * PRIME_3;
  return hash ^ (hash >> 16);
}

// @ts-ignore: decorator
@inline
function round(lane: u32, word: u32): u32 {
  return rotl<u32>(lane + word * PRIME_2, 13) * PRIME_1;
}
