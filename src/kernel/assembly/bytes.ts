/**
 * Hash and comparison of texts, sixteen bytes at a time. Both read up to 16 bytes behind the text, which are there: records
 * have zeros or other records behind them, and the heap ends before the memory does.
 */
import { reserve } from './memory';

let seed: u64 = 0x9e3779b97f4a7c15;
/** By length up to 16: that many bytes of ones, then zeros. */
let masks: usize = 0;

/** `value`: so that nobody can choose keys that all fall on one place. Decides no row. */
export function bytesInit(value: u64): void {
  seed = value | 1;
  masks = reserve(17 << 4);
  for (let bytes: u32 = 1; bytes <= 16; bytes++) memory.fill(masks + (bytes << 4), 0xff, bytes);
}

// @ts-ignore: decorator
@inline
function mix(h: u64, word: u64): u64 {
  return rotl((h ^ word) * 0xff51afd7ed558ccd, 31);
}

export function hashBytes(at: usize, bytes: u32): u32 {
  let a: u64 = seed ^ (<u64>bytes * 0x9e3779b97f4a7c15);
  let b: u64 = seed;
  if (bytes > 16) {
    // the last sixteen, some of them for the second time
    const last = at + bytes - 16;
    do {
      a = mix(a, load<u64>(at));
      b = mix(b, load<u64>(at, 8));
      at += 16;
    } while (at < last);
    a = mix(a, load<u64>(last));
    b = mix(b, load<u64>(last, 8));
  } else {
    const mask = masks + (bytes << 4);
    a = mix(a, load<u64>(at) & load<u64>(mask));
    b = mix(b, load<u64>(at, 8) & load<u64>(mask, 8));
  }
  a = (a ^ rotl(b, 17)) * 0xc4ceb9fe1a85ec53;
  return <u32>(a ^ (a >> 32));
}

// @ts-ignore: decorator
@inline
export function sameBytes(a: usize, b: usize, bytes: u32): bool {
  if (bytes > 16) return sameLong(a, b, bytes);
  const differ = v128.xor(v128.load(a), v128.load(b));
  return !v128.any_true(v128.and(differ, v128.load(masks + (bytes << 4))));
}

function sameLong(a: usize, b: usize, bytes: u32): bool {
  const end = a + bytes - 16;
  do {
    if (v128.any_true(v128.xor(v128.load(a), v128.load(b)))) return false;
    a += 16;
    b += 16;
  } while (a < end);
  // the last sixteen, some of them for the second time
  b -= a - end;
  return !v128.any_true(v128.xor(v128.load(end), v128.load(b)));
}
