/**
 * Least and greatest text of a column by bytes, which is Delta's order. The first eight bytes of both lie beside them as
 * numbers, so that most texts are told from them without a look at the bytes.
 */
import {
  BOUNDS_KNOWN,
  BUILT_BOUNDS,
  BUILT_GREATEST,
  BUILT_GREATEST_PREFIX,
  BUILT_LEAST,
  BUILT_LEAST_PREFIX,
} from '../columns-layout';

/** Reads up to 7 bytes behind the texts. */
export function boundText(out: usize, at: usize, bytes: u32): void {
  const prefix = prefixOf(at, bytes);
  if (load<u32>(out + BUILT_BOUNDS) != BOUNDS_KNOWN) {
    store<u32>(out + BUILT_BOUNDS, BOUNDS_KNOWN);
    setBound(out + BUILT_LEAST, out + BUILT_LEAST_PREFIX, at, bytes, prefix);
    setBound(out + BUILT_GREATEST, out + BUILT_GREATEST_PREFIX, at, bytes, prefix);
    return;
  }
  const least = load<u64>(out + BUILT_LEAST_PREFIX);
  if (prefix < least || (prefix == least && isBelow(at, bytes, out + BUILT_LEAST))) {
    setBound(out + BUILT_LEAST, out + BUILT_LEAST_PREFIX, at, bytes, prefix);
    return;
  }
  const greatest = load<u64>(out + BUILT_GREATEST_PREFIX);
  if (prefix > greatest || (prefix == greatest && isAbove(at, bytes, out + BUILT_GREATEST))) {
    setBound(out + BUILT_GREATEST, out + BUILT_GREATEST_PREFIX, at, bytes, prefix);
  }
}

// @ts-ignore: decorator
@inline
function setBound(place: usize, prefixPlace: usize, at: usize, bytes: u32, prefix: u64): void {
  store<u32>(place, <u32>at);
  store<u32>(place + 4, bytes);
  store<u64>(prefixPlace, prefix);
}

// @ts-ignore: decorator
@inline
function isBelow(at: usize, bytes: u32, bound: usize): bool {
  return compareTexts(at, bytes, load<u32>(bound), load<u32>(bound + 4)) < 0;
}

// @ts-ignore: decorator
@inline
function isAbove(at: usize, bytes: u32, bound: usize): bool {
  return compareTexts(at, bytes, load<u32>(bound), load<u32>(bound + 4)) > 0;
}

/** Of texts with the same prefix: below 0, 0 or above 0. */
function compareTexts(a: usize, aBytes: u32, b: usize, bBytes: u32): i32 {
  const common = min(aBytes, bBytes);
  for (let i: u32 = 8; i < common; i += 8) {
    const x = prefixOf(a + i, common - i);
    const y = prefixOf(b + i, common - i);
    if (x != y) return x < y ? -1 : 1;
  }
  return aBytes == bBytes ? 0 : aBytes < bBytes ? -1 : 1;
}

// @ts-ignore: decorator
@inline
function prefixOf(at: usize, bytes: u32): u64 {
  const word = bswap(load<u64>(at));
  if (bytes >= 8) return word;
  const unused = <u64>(64 - (bytes << 3));
  return bytes == 0 ? 0 : (word >> unused) << unused;
}
