/**
 * Hash and comparison of texts, sixteen bytes at a time. Both read up to 16 bytes behind the text, which are there: records
 * have zeros or other records behind them, and the heap ends before the memory does.
 */

let seed: u64 = 0x9e3779b97f4a7c15;

/** So that nobody can choose keys that all fall on one place. Decides no row. */
export function hashSeed(value: u64): void {
  seed = value | 1;
}

// @ts-ignore: decorator
@inline
function mix(h: u64, word: u64): u64 {
  return rotl((h ^ word) * 0xff51afd7ed558ccd, 31);
}

export function hashBytes(at: usize, bytes: u32): u32 {
  let a: u64 = seed ^ (<u64>bytes * 0x9e3779b97f4a7c15);
  let b: u64 = seed;
  let left = bytes;
  while (left >= 16) {
    a = mix(a, load<u64>(at));
    b = mix(b, load<u64>(at + 8));
    at += 16;
    left -= 16;
  }
  if (left >= 8) {
    a = mix(a, load<u64>(at));
    at += 8;
    left -= 8;
  }
  if (left != 0) b = mix(b, load<u64>(at) & (~(<u64>0) >> (64 - (left << 3))));
  a = (a ^ rotl(b, 17)) * 0xc4ceb9fe1a85ec53;
  return <u32>(a ^ (a >> 32));
}

export function sameBytes(a: usize, b: usize, bytes: u32): bool {
  if (bytes >= 16) {
    const end = a + bytes - 16;
    while (a < end) {
      if (v128.any_true(v128.xor(v128.load(a), v128.load(b)))) return false;
      a += 16;
      b += 16;
    }
    // the last sixteen, some of them for the second time
    b -= a - end;
    return !v128.any_true(v128.xor(v128.load(end), v128.load(b)));
  }
  if (bytes >= 8) {
    const last = bytes - 8;
    return load<u64>(a) == load<u64>(b) && load<u64>(a + last) == load<u64>(b + last);
  }
  if (bytes == 0) return true;
  return (load<u64>(a) ^ load<u64>(b)) << (64 - (bytes << 3)) == 0;
}
