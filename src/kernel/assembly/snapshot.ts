/**
 * A key of a lane's state as bytes (src/reference/state-codec.ts has the form; its head, the watermark and the number of keys, is
 * the host's). When that happens is decided in snapshot-turns.ts.
 */
import { TYPE_STRING } from '../abi';
import { ROW_BYTES, ROW_LENGTH } from './emitted';
import { ENTRY_LENGTH, ENTRY_VALUE } from './intern';
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
import { decodedEntry, decodedTimes, decodeLog } from './log-decode';
import { fieldAt, loggedCount, typeOfField } from './model';
import { buildRow } from './row';
import { bufferAdd, bufferAt, bufferBytes, bufferRoom, putText } from './row-buffer';
import { buildVirtual, standsVirtually } from './standing';
import { closedByOf, endOf } from './windows';

export const STATE_HAS_END: u32 = 4;
const NULL_STRING: u32 = 0xffffffff;
const NULL_NUMBER: u64 = 0x7ff8000000000000;

function putU32(value: u32): void {
  store<u32>(bufferRoom(4), value);
  bufferAdd(4);
}

function putTime(value: i64): void {
  store<f64>(bufferRoom(8), <f64>value);
  bufferAdd(8);
}

/** Appends a key to the row buffer. */
export function putKey(key: usize): void {
  putText(key + KEY_TEXT, keyBytesOf(key));
  putMarkers(load<u32>(key + KEY_MARKERS));
  const countAt = bufferBytes;
  putU32(0);
  let count: u32 = 0;
  let session: usize = load<u32>(key + KEY_SESSIONS);
  while (session != 0) {
    putSession(session);
    count++;
    session = load<u32>(session + NODE_LATER);
  }
  store<u32>(bufferAt + countAt, count);
}

function putMarkers(first: usize): void {
  const countAt = bufferBytes;
  putU32(0);
  let count: u32 = 0;
  for (let marker = first; marker != 0; marker = load<u32>(marker + NODE_LATER)) {
    putTime(load<i64>(marker + MARKER_TIME));
    count++;
  }
  store<u32>(bufferAt + countAt, count);
}

function putSession(session: usize): void {
  const flags = load<u32>(session + NODE_FLAGS) & FLAGS_SAID;
  const end = endOf(session);
  const rest: usize = load<u32>(session + SESSION_REST);
  putU32(flags | (end == NONE ? 0 : STATE_HAS_END));
  putTime(load<i64>(session + SESSION_FIRST));
  putTime(load<i64>(session + SESSION_LAST));
  putTime(end == NONE ? 0 : end);
  const isPlain = rest == 0 && (flags & FLAG_CLOSED) != 0;
  putU32(rest == 0 ? u32(isPlain) : load<u32>(rest + REST_REVISION));
  const rows: u32 = rest == 0 ? u32(isPlain) : load<u32>(rest + REST_STANDING);
  putU32(rows);
  if (isPlain || (rest != 0 && standsVirtually(rest))) {
    putVirtual(session, rest);
  } else {
    for (let index: u32 = 0; index < rows; index++) {
      const standing = rest + REST_ROWS + index * STANDING_BYTES;
      const row: usize = load<u32>(standing + STANDING_ROW);
      putTime(load<i64>(standing + STANDING_IDENTITY));
      putText(row + ROW_BYTES, load<u32>(row + ROW_LENGTH));
    }
  }
  putEvents(session);
}

/** A virtual row like any other, built where it belongs; without `rest`: the first one of a closed session. */
function putVirtual(session: usize, rest: usize): void {
  const first = load<i64>(session + SESSION_FIRST);
  putTime(rest == 0 ? first : load<i64>(rest + REST_ROWS + STANDING_IDENTITY));
  const lengthAt = bufferBytes;
  putU32(0);
  if (rest == 0) {
    const key: usize = load<u32>(session + NODE_KEY);
    const log: usize = load<u32>(session + SESSION_LOG);
    buildRow(key, log, load<u32>(session + SESSION_EVENTS), closedByOf(session), 0, first);
  } else {
    buildVirtual(session, rest);
  }
  store<u32>(bufferAt + lengthAt, bufferBytes - lengthAt - 4);
}

function putEvents(session: usize): void {
  const count = load<u32>(session + SESSION_EVENTS);
  decodeLog(load<u32>(session + SESSION_LOG), count);
  putU32(count);
  const maskBytes = (loggedCount + 7) >> 3;
  for (let event: u32 = 0; event < count; event++) {
    putTime(load<i64>(decodedTimes + (event << 3)));
    let mask: u64 = 0;
    for (let at: u32 = 0; at < loggedCount; at++) {
      const known: u32 = event == 0 ? 0 : decodedEntry(at, event - 1);
      if (decodedEntry(at, event) != known) mask |= <u64>1 << at;
    }
    store<u64>(bufferRoom(8), mask);
    bufferAdd(maskBytes);
    while (mask != 0) {
      const at = <u32>ctz(mask);
      mask &= mask - 1;
      putValue(decodedEntry(at, event), typeOfField(fieldAt(at)));
    }
  }
}

function putValue(entry: usize, type: u32): void {
  if (type == TYPE_STRING) {
    if (entry == 0) putU32(NULL_STRING);
    else putText(entry + ENTRY_VALUE, load<u32>(entry + ENTRY_LENGTH));
    return;
  }
  store<u64>(bufferRoom(8), entry == 0 ? NULL_NUMBER : load<u64>(entry + ENTRY_VALUE));
  bufferAdd(8);
}
