/**
 * Copies in whole vectors, as decompression needs them: up to 63 bytes are written behind `to + bytes`, and as many read
 * behind the source's. What lies there must be free to be written over.
 *
 * Nearly all copies are shorter than 64 bytes and of unpredictable length: a loop with the right number of turns costs more
 * (a mispredicted branch) than the vectors it saves.
 */

/** From here on the call to the engine's own copy pays. */
const BULK_BYTES: usize = 512;

// @ts-ignore: decorator
@inline
function copy32(to: usize, from: usize): void {
  v128.store(to, v128.load(from));
  v128.store(to, v128.load(from, 16), 16);
}

/** Bytes that do not overlap what is written. */
// @ts-ignore: decorator
@inline
export function copyLiterals(to: usize, from: usize, bytes: usize): void {
  if (bytes >= BULK_BYTES) {
    memory.copy(to, from, bytes);
    return;
  }
  copy32(to, from);
  for (let at: usize = 32; at < bytes; at += 32) copy32(to + at, from + at);
}

/** What lies `offset` bytes back, which the copy itself may continue; `offset` is at least 1. */
// @ts-ignore: decorator
@inline
export function copyMatch(to: usize, offset: usize, bytes: usize): void {
  if (offset < 16) {
    copyPattern(to, offset, bytes);
    return;
  }
  const from = to - offset;
  copy32(to, from);
  copy32(to + 32, from + 32);
  for (let at: usize = 64; at < bytes; at += 64) {
    copy32(to + at, from + at);
    copy32(to + at + 32, from + at + 32);
  }
}

/** A repetition of the 1 to 15 bytes before `to`. */
function copyPattern(to: usize, offset: usize, bytes: usize): void {
  const end = to + bytes;
  if (offset >= 8) {
    for (let at = to; at < end; at += 8) store<u64>(at, load<u64>(at - offset));
    return;
  }
  // eight bytes of the repetition, and the step after which it begins anew
  let word = load<u64>(to - offset);
  for (let filled = offset; filled < 8; filled <<= 1) {
    word = (word & ((<u64>1 << (filled << 3)) - 1)) | (word << (filled << 3));
  }
  const step: usize = 8 - (8 % <u32>offset);
  for (let at = to; at < end; at += step) store<u64>(at, word);
}
