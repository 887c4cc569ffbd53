/**
 * Values in a snapshot: those that many sessions say are written once and then named by a number (src/reference/state-codec.ts).
 * Only of the lane whose snapshot is written just now; a turn of another lane's, or a sweep, which gives indexes away, begins anew.
 *
 * Remembered are pinned values, which have an index, and those of small pools, which are pinned here.
 */
import { TYPE_STRING } from '../abi';
import { NULL, REMEMBERED, REMEMBERED_MAX, SAID, SAID_REMEMBERED } from '../../reference/state-layout';
import { ENTRY_LENGTH, ENTRY_VALUE, isPinned, pin, poolOf, poolSize } from './intern';
import { putVarint } from './log-varint';
import { reserve } from './memory';
import { fieldAt, loggedCount, typeOfField } from './model';
import { bufferAdd, bufferAt, bufferBytes, bufferRoom } from './row-buffer';
import { copyLiterals } from './wild-copy';

/** A pool with more values is large: most are a single session's. */
const SMALL_POOL_VALUES: u32 = 1024;
const VARINT_BYTES_MAX: u32 = 10;
const NUMBERS_BYTES: u32 = REMEMBERED_MAX << 2;

/** By place and index: the number under which a value is remembered, + 1; u32 each. */
let numbers: usize = 0;
/** By place: values remembered so far. */
let counts: usize = 0;
/** Whose snapshot the numbers are of, or 0. */
let owner: usize = 0;
/** The next key has to say that nothing is remembered. */
let isFresh: bool = false;
/** What is written now may name and remember. */
let remembers: bool = false;

export function snapshotValuesInit(): void {
  numbers = reserve(loggedCount * NUMBERS_BYTES + 8);
  counts = reserve((loggedCount << 2) + 8);
}

/** Keys of this lane's snapshot follow; 0: ones that come at another place of theirs. */
export function rememberFor(lane: usize): void {
  remembers = lane != 0;
  if (lane == 0 || owner == lane) return;
  memory.fill(numbers, 0, loggedCount * NUMBERS_BYTES);
  memory.fill(counts, 0, loggedCount << 2);
  owner = lane;
  isFresh = true;
}

/** Another snapshot of the lane begins, or the lane goes. */
export function forgetOf(lane: usize): void {
  if (owner == lane) owner = 0;
}

/** Indexes are given away. */
export function forgetAll(): void {
  owner = 0;
}

/** Does the key that is written begin anew? Asked once a key. */
// @ts-ignore: decorator
@inline
export function takeFresh(): u32 {
  const said = u32(remembers && isFresh);
  if (remembers) isFresh = false;
  return said;
}

// @ts-ignore: decorator
@inline
export function putNumber(value: u64): void {
  const at = bufferRoom(VARINT_BYTES_MAX);
  bufferAdd(<u32>(putVarint(at, value) - at));
}

/** Twice the magnitude, one more where it is negative. */
// @ts-ignore: decorator
@inline
export function putSignedNumber(value: i64): void {
  putNumber(value < 0 ? (<u64>-value << 1) | 1 : <u64>value << 1);
}

/** A text behind its length. */
// @ts-ignore: decorator
@inline
export function putSized(text: usize, bytes: u32): void {
  const at = bufferRoom(VARINT_BYTES_MAX + bytes);
  const to = putVarint(at, bytes);
  copyLiterals(to, text, bytes);
  bufferAdd(<u32>(to - at) + bytes);
}

/** What an entry says at a place; 0: null. */
export function putEntry(place: u32, entry: usize): void {
  if (entry == 0) {
    putNumber(NULL);
    return;
  }
  if (remembers && (isPinned(entry) || poolSize(poolOf(place)) <= SMALL_POOL_VALUES)) {
    const index = pin(place, entry);
    if (index < <u32>REMEMBERED_MAX) {
      const number = numbers + place * NUMBERS_BYTES + (index << 2);
      const known = load<u32>(number);
      if (known != 0) {
        putNumber(<u64>REMEMBERED + known - 1);
        return;
      }
      const count = counts + (place << 2);
      const next = load<u32>(count) + 1;
      store<u32>(count, next);
      store<u32>(number, next);
      putNumber(SAID_REMEMBERED);
      putSaid(place, entry);
      return;
    }
  }
  putNumber(SAID);
  putSaid(place, entry);
}

function putSaid(place: u32, entry: usize): void {
  if (typeOfField(fieldAt(place)) == TYPE_STRING) {
    putSized(entry + ENTRY_VALUE, load<u32>(entry + ENTRY_LENGTH));
    return;
  }
  store<u64>(bufferRoom(8), load<u64>(entry + ENTRY_VALUE));
  bufferAdd(8);
}

/** Room for what says how many bytes follow; where it is. */
export function frameBegin(): u32 {
  bufferRoom(4);
  bufferAdd(4);
  return bufferBytes - 4;
}

export function frameEnd(at: u32): void {
  store<u32>(bufferAt + at, bufferBytes - at - 4);
}
