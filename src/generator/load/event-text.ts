import {
  END,
  type EventLayout,
  MINUTE_BYTES,
  TIME_BYTES,
  USER_PREFIX_BYTES,
  UUID_BYTES,
} from './event-layout.js';
import type { Draft } from './partition-load.js';
import type { PieceTable } from './piece-table.js';
import { putUuid } from './uuid-text.js';

/** Writes events as plain bytes: keys and values of records as a client sends them. */
export class EventText {
  readonly #layout: EventLayout;
  readonly #pieces: PieceTable;
  readonly #time = new TimeText();

  constructor(layout: EventLayout, pieces: PieceTable) {
    this.#layout = layout;
    this.#pieces = pieces;
  }

  valueBytes({ scene }: Draft): number {
    return this.#layout.bytesMin + scene.tailBytes;
  }

  putKey(bytes: Uint8Array, at: number, draft: Draft): void {
    const { userFirst, digits } = this.#layout;
    if (userFirst) {
      bytes.set(USER_PREFIX_BYTES, at);
      putDigits(bytes, at + USER_PREFIX_BYTES.length, draft.userNumber, digits);
    } else putSession(bytes, at, draft);
  }

  /** Returns the place behind it. */
  putValue(bytes: Uint8Array, from: number, draft: Draft): number {
    const { beforeId, beforeTime, beforeFirst, beforeSecond, beforeTail, userFirst, digits } = this.#layout;
    const { eventId, scene } = draft;
    let at = put(bytes, from, beforeId);
    putUuid(bytes, at, eventId[0]!, eventId[1]!, eventId[2]!, eventId[3]!);
    at = put(bytes, at + UUID_BYTES, beforeTime);
    this.#time.put(bytes, at, draft.timeMs);
    at = put(bytes, at + TIME_BYTES, beforeFirst);
    if (userFirst) {
      putDigits(bytes, at, draft.userNumber, digits);
      at = put(bytes, at + digits, beforeSecond);
      putSession(bytes, at, draft);
      at += UUID_BYTES;
    } else {
      putSession(bytes, at, draft);
      at = put(bytes, at + UUID_BYTES, beforeSecond);
      putDigits(bytes, at, draft.userNumber, digits);
      at += digits;
    }
    at = put(bytes, at, beforeTail);
    const { fields } = scene;
    for (let field = 0; field < fields.length; field += 3)
      at = put(bytes, at, this.#pieces.bytes(fields[field]!));
    return put(bytes, at, END);
  }
}

function put(bytes: Uint8Array, at: number, part: Uint8Array): number {
  bytes.set(part, at);
  return at + part.length;
}

function putSession(bytes: Uint8Array, at: number, { sessionId }: Draft): void {
  putUuid(bytes, at, sessionId[0]!, sessionId[1]!, sessionId[2]!, sessionId[3]!);
}

const ZERO = 0x30;

/** So many digits, with zeros in front. */
export function putDigits(bytes: Uint8Array, at: number, value: number, digits: number): void {
  let rest = value;
  for (let place = at + digits - 1; place >= at; place--) {
    const tenth = Math.floor(rest / 10);
    bytes[place] = ZERO + rest - 10 * tenth;
    rest = tenth;
  }
}

const MINUTE_MS = 60_000;
const SECOND_MS = 1_000;

/** 2026-01-31T12:00:00.000Z; what a minute's times begin with is kept. */
export class TimeText {
  readonly minuteText = Buffer.alloc(MINUTE_BYTES);
  minute = Number.NaN;

  put(bytes: Uint8Array, at: number, timeMs: number): void {
    this.toMinute(timeMs);
    bytes.set(this.minuteText, at);
    this.putRest(bytes, at + MINUTE_BYTES, timeMs);
  }

  toMinute(timeMs: number): void {
    const minute = Math.floor(timeMs / MINUTE_MS);
    if (minute === this.minute) return;
    this.minute = minute;
    this.minuteText.write(new Date(minute * MINUTE_MS).toISOString(), 'latin1');
  }

  /** Seconds and milliseconds: 00.000Z */
  putRest(bytes: Uint8Array, at: number, timeMs: number): void {
    const ms = timeMs - this.minute * MINUTE_MS;
    const seconds = Math.floor(ms / SECOND_MS);
    putDigits(bytes, at, seconds, 2);
    bytes[at + 2] = 0x2e;
    putDigits(bytes, at + 3, ms - seconds * SECOND_MS, 3);
    bytes[at + 6] = 0x5a;
  }
}
