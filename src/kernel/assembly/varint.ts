/**
 * Kafka's varints: little groups first, up to 5 bytes (32 bits) or 10 (64 bits), zigzag above that.
 *
 * A decoded one is packed: bytes it takes << 56 | value. Values above 2⁵³ are given as 2⁵³; bytes is 11 when there is no end
 * within ten. Reads 16 bytes from its place, whatever it says.
 */

const BYTES_SHIFT: u64 = 56;
const VALUE_MASK: u64 = (1 << 56) - 1;
const BEYOND: u64 = 1 << 53;
const CONTINUED: u64 = 0x8080808080808080;
const ENDS_OF_SEVEN: u64 = 0x0080808080808080;

// @ts-ignore: decorator
@inline
export function packedVarint(at: usize): u64 {
  const word = load<u64>(at);
  if ((word & 0x80) == 0) return (word & 0x7f) | (<u64>1 << BYTES_SHIFT);
  if ((word & 0x8000) == 0) return (word & 0x7f) | ((word & 0x7f00) >> 1) | (<u64>2 << BYTES_SHIFT);
  return longVarint(at, word);
}

/** As packedVarint, for one whose bytes vary: no branch has to guess how many they are. */
// @ts-ignore: decorator
@inline
export function packedVaryingVarint(at: usize): u64 {
  return longVarint(at, load<u64>(at));
}

/** The bytes of a varint, when they are at most seven; 0: they are more, or it has no end. */
// @ts-ignore: decorator
@inline
export function varyingBytes(at: usize): usize {
  const ends = ~load<u64>(at) & ENDS_OF_SEVEN;
  return ends == 0 ? 0 : (<usize>ctz(ends) >> 3) + 1;
}

// @ts-ignore: decorator
@inline
export function packedBytes(packed: u64): usize {
  return <usize>(packed >> BYTES_SHIFT);
}

// @ts-ignore: decorator
@inline
export function packedValue(packed: u64): u64 {
  return packed & VALUE_MASK;
}

/** Not a varint of at most 5 bytes and 32 bits. Five bytes are the only ones that can hold more. */
// @ts-ignore: decorator
@inline
export function isOver32(packed: u64): bool {
  return packed > ((<u64>5 << BYTES_SHIFT) | 0xffffffff);
}

/** Only for values below 2³². */
// @ts-ignore: decorator
@inline
export function packedI32(packed: u64): i32 {
  const value = <u32>packed;
  return <i32>((value >> 1) ^ (0 - (value & 1)));
}

// @ts-ignore: decorator
@inline
export function packedI64(packed: u64): i64 {
  const value = packed & VALUE_MASK;
  return <i64>((value >> 1) ^ (0 - (value & 1)));
}

function longVarint(at: usize, word: u64): u64 {
  const ends = ~word & CONTINUED;
  if (ends == 0) return longestVarint(at, word);
  const value = grouped(word & (ends ^ (ends - 1)));
  return (value > BEYOND ? BEYOND : value) | (((ctz(ends) >> 3) + 1) << BYTES_SHIFT);
}

/** Nine or ten bytes: all above 2⁵³, but for zeros in the last ones. */
function longestVarint(at: usize, word: u64): u64 {
  const ninth = <u64>load<u8>(at + 8);
  const tenth = <u64>load<u8>(at + 9);
  let bytes: u64 = 11;
  let high = ninth & 0x7f;
  if (ninth < 0x80) {
    bytes = 9;
  } else {
    if (tenth < 0x80) bytes = 10;
    high |= tenth & 0x7f;
  }
  const value = grouped(word);
  return (high != 0 || value > BEYOND ? BEYOND : value) | (bytes << BYTES_SHIFT);
}

/** The low seven bits of each byte, one behind the other. */
function grouped(word: u64): u64 {
  let bits = word & 0x7f7f7f7f7f7f7f7f;
  bits = (bits & 0x007f007f007f007f) | ((bits & 0x7f007f007f007f00) >> 1);
  bits = (bits & 0x00003fff00003fff) | ((bits & 0x3fff00003fff0000) >> 2);
  return (bits & 0x000000000fffffff) | ((bits & 0x0fffffff00000000) >> 4);
}
