/** A partition's chance: xoshiro128**, as in random.ts. Its four words lie at `at`. */

/** 32 bits. */
// @ts-ignore: decorator
@inline
export function nextWord(at: usize): u32 {
  const a = load<u32>(at);
  const b = load<u32>(at, 4);
  const c = load<u32>(at, 8) ^ a;
  const d = load<u32>(at, 12) ^ b;
  store<u32>(at, a ^ d);
  store<u32>(at, b ^ c, 4);
  store<u32>(at, c ^ (b << 9), 8);
  store<u32>(at, rotl<u32>(d, 11), 12);
  return rotl<u32>(b * 5, 7) * 9;
}

/** Four words to `to`, in their order. */
// @ts-ignore: decorator
@inline
export function fourWords(at: usize, to: usize): void {
  let a = load<u32>(at);
  let b = load<u32>(at, 4);
  let c = load<u32>(at, 8);
  let d = load<u32>(at, 12);
  for (let word: usize = 0; word < 16; word += 4) {
    store<u32>(to + word, rotl<u32>(b * 5, 7) * 9);
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotl<u32>(d, 11);
  }
  store<u32>(at, a);
  store<u32>(at, b, 4);
  store<u32>(at, c, 8);
  store<u32>(at, d, 12);
}

/** Uniform in [0, 1), in steps of 2⁻³². */
// @ts-ignore: decorator
@inline
export function float(at: usize): f64 {
  return <f64>nextWord(at) / 4294967296.0;
}

/** Uniform whole number in [0, bound); bound < 2³¹. */
// @ts-ignore: decorator
@inline
export function below(at: usize, bound: i32): i32 {
  return <i32>(float(at) * <f64>bound);
}

/** The host's: its last bits are to be those of everywhere else. */
@external("host", "log")
declare function hostLog(value: f64): f64;

/** Exponential with mean 1. */
export function exponential(at: usize): f64 {
  return -hostLog(1 - float(at));
}
