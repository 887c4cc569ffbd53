import {
  FIELD_BYTES, M_BEFORE_FIRST, M_BEFORE_ID, M_BEFORE_SECOND, M_BEFORE_TAIL, M_BEFORE_TIME, M_BYTES_MIN, M_DIGITS, M_KEY_BYTES,
  M_PIECE_COUNT, M_PIECES, M_SCENES, M_USER_FIRST, P_EVENT_ID, P_EVENT_MS, P_SCENE, P_SESSION_ID, P_USER_NUMBER, PIECE_BYTES,
  PIECE_LENGTH, PIECE_STOOD, PIECE_TEXT, SCENE_BYTES, SCENE_FROM, SCENE_TAIL_BYTES, SCENE_TO,
} from '../load-abi';
import { MATCH_BYTES_MIN, at, begin, forget, literals, match, plain, reaches, wrote } from './lz4-block';
import { model } from './model';
import { putDigits, putMinute, putSeconds, putUuid, putVarint, varintBytes } from './text';

/**
 * Writes records of a batch into an LZ4 block as they are made: what events have in common is a match where it stands within
 * the last 64 KiB, and bytes where it does not. The content is that of EventText, byte by byte.
 */

/** Places are whole numbers of 32 bits; one block more must fit. */
const PLAIN_BYTES_MAX: i32 = 1 << 30;
const UUID_BYTES: i32 = 36;
const MINUTE_BYTES: i32 = 17;
const SECONDS_BYTES: i32 = 7;
/** Lengths, deltas and a key. */
const HEAD_BYTES_MIN: i32 = 15;
const MINUTE_MS: f64 = 60000;
const USER_PREFIX: u64 = 0x2d72657375; // user-
const USER_PREFIX_BYTES: i32 = 5;
/** The closing brace, and that there are no headers. */
const END: u16 = 0x007d;

/** The minute whose text is kept, and where in the content one stood last. */
const minuteText = memory.data(32);
let minute: i32 = -1;
let minuteStood: i32 = -1;
let stoodMinute: i32 = -1;

export function beginBlock(from: usize): void {
  if (plain > PLAIN_BYTES_MAX) {
    forget();
    const pieces: usize = load<u32>(model, M_PIECES);
    const end = pieces + <usize>load<u32>(model, M_PIECE_COUNT) * PIECE_BYTES;
    for (let piece = pieces; piece < end; piece += PIECE_BYTES) store<i32>(piece, -1, PIECE_STOOD);
    minuteStood = -1;
  }
  begin(from);
}

/** The record of the partition's draft. */
export function putEvent(p: usize, timestampDelta: i64, offsetDelta: i32): void {
  const scene = <usize>load<u32>(model, M_SCENES) + <usize>load<u32>(p, P_SCENE) * SCENE_BYTES;
  const keyAt = putHead(p, timestampDelta, offsetDelta, load<u32>(model, M_BYTES_MIN) + load<u32>(scene, SCENE_TAIL_BYTES));
  putPiece(load<u32>(model, M_BEFORE_ID));
  literals(UUID_BYTES);
  putUuid(at, p + P_EVENT_ID);
  wrote(UUID_BYTES);
  putPiece(load<u32>(model, M_BEFORE_TIME));
  putTime(load<f64>(p, P_EVENT_MS));
  putPiece(load<u32>(model, M_BEFORE_FIRST));
  if (load<u32>(model, M_USER_FIRST) != 0) {
    putUser(p);
    putPiece(load<u32>(model, M_BEFORE_SECOND));
    putSession(p);
  } else {
    // the key says the same
    if (reaches(keyAt)) match(keyAt, UUID_BYTES);
    else putSession(p);
    putPiece(load<u32>(model, M_BEFORE_SECOND));
    putUser(p);
  }
  putPiece(load<u32>(model, M_BEFORE_TAIL));
  const end: usize = load<u32>(scene, SCENE_TO);
  for (let field: usize = load<u32>(scene, SCENE_FROM); field < end; field += FIELD_BYTES) {
    putField(load<u32>(field), load<u32>(field, 4), load<u32>(field, 8));
  }
  // the next record's head follows
  literals(HEAD_BYTES_MIN);
  store<u16>(at, END);
  wrote(2);
}

/** A record with the draft's key and any value. */
export function putOther(p: usize, value: usize, bytes: i32, timestampDelta: i64, offsetDelta: i32): void {
  putHead(p, timestampDelta, offsetDelta, bytes);
  putLiteral(value, bytes);
  store<u8>(at, 0);
  wrote(1);
}

/** All before the value. Returns where the key begins in the content. */
// @ts-ignore: decorator
@inline
function putHead(p: usize, timestampDelta: i64, offsetDelta: i32, valueBytes: u32): i32 {
  const keyBytes = load<u32>(model, M_KEY_BYTES);
  const lengths = varintBytes(timestampDelta) + varintBytes(offsetDelta) + varintBytes(keyBytes) + varintBytes(valueBytes);
  literals(HEAD_BYTES_MIN);
  const from = at;
  let to = putVarint(from, 2 + lengths + keyBytes + valueBytes);
  store<u8>(to++, 0); // attributes
  to = putVarint(to, timestampDelta);
  to = putVarint(to, offsetDelta);
  to = putVarint(to, keyBytes);
  const keyAt = plain + <i32>(to - from);
  if (load<u32>(model, M_USER_FIRST) != 0) {
    store<u64>(to, USER_PREFIX);
    putDigits(to + USER_PREFIX_BYTES, load<u32>(p, P_USER_NUMBER), load<u32>(model, M_DIGITS));
  } else putUuid(to, p + P_SESSION_ID);
  to = putVarint(to + keyBytes, valueBytes);
  wrote(<i32>(to - from));
  return keyAt;
}

// @ts-ignore: decorator
@inline
function putTime(timeMs: f64): void {
  const now = <i32>Math.floor(timeMs / MINUTE_MS);
  if (now != minute) {
    minute = now;
    putMinute(minuteText, now);
  }
  const place = plain;
  if (now == stoodMinute && minuteStood >= 0 && reaches(minuteStood)) match(minuteStood, MINUTE_BYTES);
  else putLiteral(minuteText, MINUTE_BYTES);
  stoodMinute = now;
  minuteStood = place;
  literals(SECONDS_BYTES);
  putSeconds(at, <u32>(timeMs - <f64>now * MINUTE_MS));
  wrote(SECONDS_BYTES);
}

// @ts-ignore: decorator
@inline
function putUser(p: usize): void {
  const digits = load<u32>(model, M_DIGITS);
  literals(digits);
  putDigits(at, load<u32>(p, P_USER_NUMBER), digits);
  wrote(digits);
}

// @ts-ignore: decorator
@inline
function putSession(p: usize): void {
  literals(UUID_BYTES);
  putUuid(at, p + P_SESSION_ID);
  wrote(UUID_BYTES);
}

/** A whole field where it stood before, else its name and its value, each where it stood before. */
// @ts-ignore: decorator
@inline
function putField(whole: usize, name: usize, value: usize): void {
  const place = plain;
  const stood = load<i32>(whole, PIECE_STOOD);
  if (reaches(stood)) match(stood, load<i32>(whole, PIECE_LENGTH));
  else {
    putPiece(name);
    putPiece(value);
  }
  store<i32>(whole, place, PIECE_STOOD);
  store<i32>(name, place, PIECE_STOOD);
  store<i32>(value, place + load<i32>(name, PIECE_LENGTH), PIECE_STOOD);
}

function putPiece(piece: usize): void {
  const bytes = load<i32>(piece, PIECE_LENGTH);
  const place = plain;
  const stood = load<i32>(piece, PIECE_STOOD);
  if (bytes >= MATCH_BYTES_MIN && reaches(stood)) match(stood, bytes);
  else putLiteral(load<u32>(piece, PIECE_TEXT), bytes);
  store<i32>(piece, place, PIECE_STOOD);
}

/** Writes up to 15 bytes more than it says, and reads as many. */
function putLiteral(from: usize, bytes: i32): void {
  literals(bytes);
  for (let done: i32 = 0; done < bytes; done += 16) v128.store(at + done, v128.load(from + done));
  wrote(bytes);
}
