/**
 * Writes one LZ4 block from literals and from matches that the caller knows of: no bytes are searched, and what repeats is
 * never written out.
 *
 *   (token │ literal length u8* │ literals │ offset u16 LE │ match length u8*)* │ token │ literal length u8* │ literals
 *
 * A match is held back until what follows is known not to continue it. The literals of a sequence are written at once, with
 * room for as many bytes of length as the first of them need; where more come than was said, they are moved.
 */

const OFFSET_MAX: i32 = 65535;
export const MATCH_BYTES_MIN: i32 = 4;
const NEVER: i32 = 0x7fffffff;

/** Where the next literal goes: whoever writes there tells `wrote`. */
export let at: usize = 0;
/** Bytes of content so far, of all blocks: a place in an earlier one is never reached. */
export let plain: i32 = 0;
/** No match reaches before this. */
let low: i32 = 0;
let tokenAt: usize = 0;
let literalsAt: usize = 0;
let matchBytes: i32 = 0;
let matchOffset: i32 = 0;

/** A block from `from` on. */
export function begin(from: usize): void {
  low = plain;
  matchBytes = 0;
  sequence(from);
}

/** Places of content begin anew: what the caller knows of earlier ones must be forgotten. */
export function forget(): void {
  plain = 0;
}

// @ts-ignore: decorator
@inline
export function wrote(bytes: i32): void {
  at += bytes;
  plain += bytes;
}

/** Must be called before literals are written. `bytes`: how many come, at least. */
// @ts-ignore: decorator
@inline
export function literals(bytes: i32): void {
  if (matchBytes > 0) endMatch();
  if (bytes >= 15 && at == tokenAt + 1) {
    at++;
    literalsAt = at;
  }
}

/** Can a match begin at this place of the content? */
// @ts-ignore: decorator
@inline
export function reaches(place: i32): bool {
  return place >= low && plain - place <= OFFSET_MAX;
}

/** The content from `place` on again. It must be reached, and have `bytes` there, at least MATCH_BYTES_MIN. */
// @ts-ignore: decorator
@inline
export function match(place: i32, bytes: i32): void {
  const offset = plain - place;
  if (matchBytes > 0 && offset != matchOffset) endMatch();
  matchOffset = offset;
  matchBytes += bytes;
  plain += bytes;
}

/** From here on literals only: a block's last match begins 12 bytes before its end, and its last 5 bytes are literals. */
export function noMoreMatches(): void {
  low = NEVER;
}

/** Returns the place behind the block; behind `noMoreMatches`, 12 literals at least have come. */
export function end(): usize {
  literals(0);
  store<u8>(tokenAt, putLiteralLength() << 4);
  return at;
}

// @ts-ignore: decorator
@inline
function sequence(from: usize): void {
  tokenAt = from;
  at = from + 1;
  literalsAt = at;
}

function endMatch(): void {
  const high = putLiteralLength();
  store<u16>(at, <u16>matchOffset);
  at += 2;
  let length = matchBytes - MATCH_BYTES_MIN;
  if (length < 15) store<u8>(tokenAt, (high << 4) | length);
  else {
    store<u8>(tokenAt, (high << 4) | 15);
    length -= 15;
    for (; length >= 255; length -= 255) store<u8>(at++, 255);
    store<u8>(at++, length);
  }
  matchBytes = 0;
  sequence(at);
}

/** Returns the token's half. */
// @ts-ignore: decorator
@inline
function putLiteralLength(): u32 {
  const length = <u32>(at - literalsAt);
  const isPlain = literalsAt == tokenAt + 1;
  return length < 15 && isPlain ? length : putOtherLength(length, isPlain);
}

function putOtherLength(length: u32, isPlain: bool): u32 {
  if (length < 15) {
    v128.store(literalsAt - 1, v128.load(literalsAt));
    at--;
    return length;
  }
  if (isPlain) {
    memory.copy(literalsAt + 1, literalsAt, length);
    at++;
  }
  const from = tokenAt + 2;
  let rest = length - 15;
  if (rest >= 255) {
    const more = rest / 255;
    memory.copy(from + more, from, length);
    at += more;
    let byteAt = tokenAt + 1;
    for (; rest >= 255; rest -= 255) store<u8>(byteAt++, 255);
    store<u8>(byteAt, rest);
    return 15;
  }
  store<u8>(tokenAt, rest, 1);
  return 15;
}
