/**
 * A key of a lane's state as bytes (src/reference/state-codec.ts has the form; its head, the watermark and the number of keys, is
 * the host's). When that happens is decided in snapshot-turns.ts.
 */
import { ROW_BYTES, ROW_LENGTH } from './emitted';
import { keyBytesOf } from './keys';
import {
  FLAG_CLOSED,
  FLAGS_SAID,
  KEY_MARKERS,
  KEY_SESSIONS,
  KEY_TEXT,
  MARKER_TIME,
  NODE_FLAGS,
  NODE_KEY,
  NODE_LATER,
  NONE,
  REST_REVISION,
  REST_ROWS,
  REST_STANDING,
  SESSION_EVENTS,
  SESSION_FIRST,
  SESSION_LAST,
  SESSION_LOG,
  SESSION_REST,
  STANDING_BYTES,
  STANDING_IDENTITY,
  STANDING_ROW,
} from './lane-layout';
import { decodedTimes, decodedVaried, decodeLog, entriesAt, headEntry } from './log-decode';
import { loggedCount } from './model';
import { buildRow } from './row';
import { bufferAdd, bufferAt, bufferBytes, bufferCut, bufferRoom } from './row-buffer';
import {
  frameBegin,
  frameEnd,
  putEntry,
  putNumber,
  putSignedNumber,
  putSized,
  takeFresh,
} from './snapshot-values';
import { buildVirtual, standsVirtually } from './standing';
import { copyLiterals } from './wild-copy';
import { closedByOf, endOf } from './windows';

export const STATE_HAS_END: u32 = 4;

/** Appends a key to the row buffer. */
export function putKey(key: usize): void {
  const frame = frameBegin();
  const bytes = keyBytesOf(key);
  putNumber((<u64>bytes << 1) | takeFresh());
  copyLiterals(bufferRoom(bytes), key + KEY_TEXT, bytes);
  bufferAdd(bytes);
  putMarkers(load<u32>(key + KEY_MARKERS));
  const first: usize = load<u32>(key + KEY_SESSIONS);
  putNumber(lengthOf(first));
  for (let session = first; session != 0; session = load<u32>(session + NODE_LATER)) putSession(session);
  frameEnd(frame);
}

function putMarkers(first: usize): void {
  putNumber(lengthOf(first));
  let before: i64 = 0;
  for (let marker = first; marker != 0; marker = load<u32>(marker + NODE_LATER)) {
    const time = load<i64>(marker + MARKER_TIME);
    if (marker == first) putSignedNumber(time);
    else putNumber(<u64>(time - before));
    before = time;
  }
}

function lengthOf(first: usize): u32 {
  let count: u32 = 0;
  for (let node = first; node != 0; node = load<u32>(node + NODE_LATER)) count++;
  return count;
}

function putSession(session: usize): void {
  const flags = load<u32>(session + NODE_FLAGS) & FLAGS_SAID;
  const first = load<i64>(session + SESSION_FIRST);
  const last = load<i64>(session + SESSION_LAST);
  const end = endOf(session);
  const rest: usize = load<u32>(session + SESSION_REST);
  putNumber(flags | (end == NONE ? 0 : STATE_HAS_END));
  putSignedNumber(first);
  putNumber(<u64>(last - first));
  if (end != NONE) putNumber(<u64>(end - last));
  const isPlain = rest == 0 && (flags & FLAG_CLOSED) != 0;
  putNumber(rest == 0 ? u32(isPlain) : load<u32>(rest + REST_REVISION));
  const rows: u32 = rest == 0 ? u32(isPlain) : load<u32>(rest + REST_STANDING);
  putNumber(rows);
  if (isPlain || (rest != 0 && standsVirtually(rest))) {
    putVirtual(session, rest);
  } else {
    for (let index: u32 = 0; index < rows; index++) {
      const standing = rest + REST_ROWS + index * STANDING_BYTES;
      const row: usize = load<u32>(standing + STANDING_ROW);
      putNumber(<u64>(load<i64>(standing + STANDING_IDENTITY) - first));
      putSized(row + ROW_BYTES, load<u32>(row + ROW_LENGTH));
    }
  }
  putEvents(session, first);
}

/** A virtual row like any other, built where it belongs; without `rest`: the first one of a closed session. */
function putVirtual(session: usize, rest: usize): void {
  const first = load<i64>(session + SESSION_FIRST);
  putNumber(rest == 0 ? 0 : <u64>(load<i64>(rest + REST_ROWS + STANDING_IDENTITY) - first));
  const from = bufferBytes;
  if (rest == 0) {
    const key: usize = load<u32>(session + NODE_KEY);
    const log: usize = load<u32>(session + SESSION_LOG);
    buildRow(key, log, load<u32>(session + SESSION_EVENTS), closedByOf(session), 0, first);
  } else {
    buildVirtual(session, rest);
  }
  // its length is known now, and belongs before it
  const bytes = bufferBytes - from;
  bufferRoom(LENGTH_BYTES_MAX);
  const length = lengthBytes(bytes);
  memory.copy(bufferAt + from + length, bufferAt + from, bytes);
  bufferCut(from);
  putNumber(bytes);
  bufferAdd(bytes);
}

const LENGTH_BYTES_MAX: u32 = 5;

function lengthBytes(value: u32): u32 {
  let bytes: u32 = 1;
  for (let rest = value >> 7; rest != 0; rest >>= 7) bytes++;
  return bytes;
}

function putEvents(session: usize, first: i64): void {
  const count = load<u32>(session + SESSION_EVENTS);
  decodeLog(load<u32>(session + SESSION_LOG), count);
  putNumber(count);
  putSignedNumber(load<i64>(decodedTimes) - first);
  let mask: u64 = 0;
  for (let place: u32 = 0; place < loggedCount; place++) {
    if (headEntry(place) != 0) mask |= <u64>1 << place;
  }
  putNumber(mask);
  for (let left = mask; left != 0; left &= left - 1) {
    const place = <u32>ctz(left);
    putEntry(place, headEntry(place));
  }
  for (let event: u32 = 1; event < count; event++) {
    const at = decodedTimes + (event << 3);
    putSignedNumber(load<i64>(at) - load<i64>(at - 8));
    putChanges(event);
  }
}

/** Where an event says something else than the first. */
function putChanges(event: u32): void {
  let mask: u64 = 0;
  for (let left = decodedVaried; left != 0; left &= left - 1) {
    const place = <u32>ctz(left);
    if (load<u32>(entriesAt(place) + (event << 2)) != headEntry(place)) mask |= <u64>1 << place;
  }
  putNumber(mask);
  for (; mask != 0; mask &= mask - 1) {
    const place = <u32>ctz(mask);
    putEntry(place, load<u32>(entriesAt(place) + (event << 2)));
  }
}
