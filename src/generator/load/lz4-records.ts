import type { Draft } from './crowd.js';
import {
  END,
  type EventLayout,
  MINUTE_BYTES,
  TIME_BYTES,
  USER_PREFIX_BYTES,
  UUID_BYTES,
} from './event-layout.js';
import { putDigits, TimeText } from './event-text.js';
import { Lz4Block, MATCH_BYTES_MIN } from './lz4-block.js';
import type { PieceTable } from './piece-table.js';
import { putUuid } from './uuid-text.js';
import { putVarint, varintBytes } from './varint.js';

/**
 * Writes records of a batch into an LZ4 block as they are made: what events have in common is a match where it stands within
 * the last 64 KiB, and bytes where it does not. The content is that of EventText, byte by byte.
 */

/** Copied byte by byte up to here: a call costs more. */
const SHORT_BYTES = 48;
/** Places are whole numbers of 32 bits; one block more must fit. */
const PLAIN_BYTES_MAX = 2 ** 30;
const TIME_REST_BYTES = TIME_BYTES - MINUTE_BYTES;

export class Lz4Records {
  readonly #layout: EventLayout;
  readonly #block = new Lz4Block();
  readonly #time = new TimeText();
  /** All pieces, one behind the other, and where each begins. */
  readonly #text: Buffer;
  readonly #from: Int32Array;
  /** Where each piece stood last in the content; −1: nowhere yet. */
  readonly #stood: Int32Array;
  /** The pieces of every event. */
  readonly #beforeId: number;
  readonly #beforeTime: number;
  readonly #beforeFirst: number;
  readonly #beforeSecond: number;
  readonly #beforeTail: number;
  #minute = Number.NaN;
  #minuteStood = -1;
  #blockFrom = 0;

  constructor(layout: EventLayout, pieces: PieceTable) {
    this.#layout = layout;
    const idOf = (bytes: Buffer) => pieces.idOf(bytes.toString());
    this.#beforeId = idOf(layout.beforeId);
    this.#beforeTime = idOf(layout.beforeTime);
    this.#beforeFirst = idOf(layout.beforeFirst);
    this.#beforeSecond = idOf(layout.beforeSecond);
    this.#beforeTail = idOf(layout.beforeTail);
    const texts = Array.from({ length: pieces.size }, (_, id) => pieces.bytes(id));
    this.#text = Buffer.concat(texts);
    this.#from = new Int32Array(texts.length + 1);
    texts.forEach(({ length }, id) => {
      this.#from[id + 1] = this.#from[id]! + length;
    });
    this.#stood = new Int32Array(texts.length).fill(-1);
  }

  begin(bytes: Uint8Array, at: number): void {
    const block = this.#block;
    if (block.plain > PLAIN_BYTES_MAX) {
      block.plain = 0;
      this.#stood.fill(-1);
      this.#minuteStood = -1;
    }
    block.begin(bytes, at);
    this.#blockFrom = block.plain;
  }

  /** Content of the block so far, bytes. */
  get plainBytes(): number {
    return this.#block.plain - this.#blockFrom;
  }

  /** The record of an event. `isLast`: none follows. */
  event(draft: Draft, timestampDelta: number, offsetDelta: number, isLast: boolean): void {
    const block = this.#block;
    const { bytesMin, userFirst, digits } = this.#layout;
    const { scene } = draft;
    if (isLast) block.noMoreMatches();
    const keyAt = this.#head(draft, timestampDelta, offsetDelta, bytesMin + scene.tailBytes);
    this.#piece(this.#beforeId);
    const { eventId } = draft;
    block.literals();
    putUuid(block.bytes, block.at, eventId[0]!, eventId[1]!, eventId[2]!, eventId[3]!);
    this.#wrote(UUID_BYTES);
    this.#piece(this.#beforeTime);
    this.#putTime(draft.timeMs);
    this.#piece(this.#beforeFirst);
    if (userFirst) {
      this.#digits(draft.userNumber, digits);
      this.#piece(this.#beforeSecond);
      block.literals();
      this.#session(draft);
    } else {
      // the key says the same
      this.#sessionAgain(draft, keyAt);
      this.#piece(this.#beforeSecond);
      this.#digits(draft.userNumber, digits);
    }
    this.#piece(this.#beforeTail);
    const { fields } = scene;
    for (let field = 0; field < fields.length; field += 3) {
      this.#field(fields[field]!, fields[field + 1]!, fields[field + 2]!);
    }
    block.literals();
    block.bytes[block.at] = END[0]!;
    block.bytes[block.at + 1] = 0; // no headers
    this.#wrote(2);
  }

  /** A record with the draft's key and any value. */
  other(draft: Draft, value: Uint8Array, timestampDelta: number, offsetDelta: number, isLast: boolean): void {
    const block = this.#block;
    if (isLast) block.noMoreMatches();
    this.#head(draft, timestampDelta, offsetDelta, value.length);
    this.#literal(value, 0, value.length);
    block.bytes[block.at] = 0;
    this.#wrote(1);
  }

  end(): number {
    return this.#block.end();
  }

  /** All before the value. Returns where the key begins. */
  #head(draft: Draft, timestampDelta: number, offsetDelta: number, valueBytes: number): number {
    const block = this.#block;
    const { keyBytes, userFirst, digits } = this.#layout;
    const lengths = varintBytes(timestampDelta) + varintBytes(offsetDelta) + varintBytes(keyBytes);
    const bytes = 1 + lengths + keyBytes + varintBytes(valueBytes) + valueBytes + 1;
    block.literals();
    const target = block.bytes;
    const from = block.at;
    let at = putVarint(target, from, bytes);
    target[at++] = 0; // attributes
    at = putVarint(target, at, timestampDelta);
    at = putVarint(target, at, offsetDelta);
    at = putVarint(target, at, keyBytes);
    const keyAt = block.plain + at - from;
    if (userFirst) {
      for (let byte = 0; byte < USER_PREFIX_BYTES.length; byte++) target[at++] = USER_PREFIX_BYTES[byte]!;
      putDigits(target, at, draft.userNumber, digits);
      at += digits;
    } else {
      const { sessionId } = draft;
      putUuid(target, at, sessionId[0]!, sessionId[1]!, sessionId[2]!, sessionId[3]!);
      at += UUID_BYTES;
    }
    at = putVarint(target, at, valueBytes);
    this.#wrote(at - from);
    return keyAt;
  }

  #putTime(timeMs: number): void {
    const block = this.#block;
    const time = this.#time;
    time.toMinute(timeMs);
    const place = block.plain;
    if (time.minute === this.#minute && this.#minuteStood >= 0 && block.reaches(this.#minuteStood)) {
      block.match(this.#minuteStood, MINUTE_BYTES);
    } else this.#literal(time.minuteText, 0, MINUTE_BYTES);
    this.#minute = time.minute;
    this.#minuteStood = place;
    block.literals();
    time.putRest(block.bytes, block.at, timeMs);
    this.#wrote(TIME_REST_BYTES);
  }

  #digits(value: number, digits: number): void {
    const block = this.#block;
    block.literals();
    putDigits(block.bytes, block.at, value, digits);
    this.#wrote(digits);
  }

  #session({ sessionId }: Draft): void {
    const block = this.#block;
    putUuid(block.bytes, block.at, sessionId[0]!, sessionId[1]!, sessionId[2]!, sessionId[3]!);
    this.#wrote(UUID_BYTES);
  }

  #sessionAgain(draft: Draft, keyAt: number): void {
    const block = this.#block;
    if (block.reaches(keyAt)) block.match(keyAt, UUID_BYTES);
    else {
      block.literals();
      this.#session(draft);
    }
  }

  /** A whole field where it stood before, else its name and its value, each where it stood before. */
  #field(whole: number, name: number, value: number): void {
    const block = this.#block;
    const place = block.plain;
    const stood = this.#stood[whole]!;
    const nameBytes = this.#from[name + 1]! - this.#from[name]!;
    if (stood >= 0 && block.reaches(stood)) {
      block.match(stood, this.#from[whole + 1]! - this.#from[whole]!);
    } else {
      this.#piece(name);
      this.#piece(value);
    }
    this.#stood[whole] = place;
    this.#stood[name] = place;
    this.#stood[value] = place + nameBytes;
  }

  #piece(id: number): void {
    const block = this.#block;
    const from = this.#from[id]!;
    const bytes = this.#from[id + 1]! - from;
    const place = block.plain;
    const stood = this.#stood[id]!;
    if (stood >= 0 && bytes >= MATCH_BYTES_MIN && block.reaches(stood)) block.match(stood, bytes);
    else this.#literal(this.#text, from, bytes);
    this.#stood[id] = place;
  }

  #literal(source: Uint8Array, from: number, bytes: number): void {
    const block = this.#block;
    block.literals();
    const target = block.bytes;
    const at = block.at;
    if (bytes <= SHORT_BYTES)
      for (let byte = 0; byte < bytes; byte++) target[at + byte] = source[from + byte]!;
    else target.set(source.subarray(from, from + bytes), at);
    this.#wrote(bytes);
  }

  #wrote(bytes: number): void {
    this.#block.at += bytes;
    this.#block.plain += bytes;
  }
}
