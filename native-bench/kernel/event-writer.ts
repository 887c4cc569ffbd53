import { putVarint } from '../kafka-batch.js';
import { type BenchModel, type EventTemplate, eventTemplates, UUID_BYTES } from './event-templates.js';
import { mix, type UserEvent } from './user-stream.js';

/**
 * Writes events as Kafka records into memory that is there already: nothing is left behind for the garbage collector, whose
 * work would be taken for the engine's.
 */

/** More than any record takes. */
export const RECORD_BYTES_MAX = 1_024;
const SECOND_MS = 1_000;
/** The first 19 bytes of a timestamp, up to the seconds. */
const SECONDS_BYTES = 19;
const DASH = 0x2d;
const ZERO = 0x30;
const HEX = Buffer.from('0123456789abcdef');
/** Told apart by these, a user's ids and an event's. */
const USER_ID = 0x1001;
const SESSION_ID = 0x2002;
const EVENT_ID = 0x3003;

export class EventWriter {
  readonly #templates: readonly (readonly EventTemplate[])[];
  /** The key's: the user, or of web_clicks the session. */
  readonly #keyKind: number;
  readonly #seconds = Buffer.alloc(SECONDS_BYTES);
  #second = Number.NaN;
  #events = 0;
  #valueBytes = 0;

  constructor(model: BenchModel) {
    this.#templates = eventTemplates(model);
    this.#keyKind = model === 'clickstream' ? USER_ID : SESSION_ID;
  }

  /** Of the last event, in the bytes that `put` was given. */
  valueAt = 0;
  valueLength = 0;

  /** Of all values so far. */
  get valueBytes(): number {
    return this.#valueBytes;
  }

  /** Writes the record, RECORD_BYTES_MAX at most, and returns the place behind it. */
  put(bytes: Buffer, from: number, event: UserEvent, baseTimeMs: number, offsetDelta: number): number {
    const { user, timeMs } = event;
    const number = this.#events++;
    const ofSession = this.#templates[mix(user) % this.#templates.length]!;
    const template = ofSession[mix(number) % ofSession.length]!;
    const { value } = template;
    const head =
      1 + varintBytes(timeMs - baseTimeMs) + varintBytes(offsetDelta) + varintBytes(UUID_BYTES) + UUID_BYTES;
    let at = putVarint(bytes, from, head + varintBytes(value.length) + value.length + 1);
    bytes[at++] = 0; // attributes
    at = putVarint(bytes, at, timeMs - baseTimeMs);
    at = putVarint(bytes, at, offsetDelta);
    at = putVarint(bytes, at, UUID_BYTES);
    putUuid(bytes, at, user, this.#keyKind);
    at = putVarint(bytes, at + UUID_BYTES, value.length);
    bytes.set(value, at);
    putUuid(bytes, at + template.eventIdAt, number, EVENT_ID);
    putUuid(bytes, at + template.sessionIdAt, user, SESSION_ID);
    this.#putTimestamp(bytes, at + template.timestampAt, timeMs);
    if (template.userIdAt !== null) putUuid(bytes, at + template.userIdAt, user, USER_ID);
    if (template.ipAddressAt !== null) {
      // the last two numbers of 198.18.100.100, of three digits each
      putDigits(bytes, at + template.ipAddressAt + 7, 100 + (mix(user) % 156), 3);
      putDigits(bytes, at + template.ipAddressAt + 11, 100 + (mix(user + 1) % 156), 3);
    }
    this.valueAt = at;
    this.valueLength = value.length;
    this.#valueBytes += value.length;
    return putVarint(bytes, at + value.length, 0); // no headers
  }

  #putTimestamp(bytes: Buffer, at: number, timeMs: number): void {
    const second = Math.floor(timeMs / SECOND_MS);
    if (second !== this.#second) {
      this.#second = second;
      this.#seconds.write(new Date(second * SECOND_MS).toISOString(), 'latin1');
    }
    bytes.set(this.#seconds, at);
    putDigits(bytes, at + SECONDS_BYTES + 1, timeMs - second * SECOND_MS, 3);
  }
}

function putUuid(bytes: Buffer, at: number, number: number, kind: number): void {
  let place = at;
  for (let word = 0; word < 4; word++) {
    const bits = mix(number + Math.imul(kind + word, 0x9e3779b1));
    // groups of 8-4-4-4-12 digits: a dash before and within the second and the third word
    const dashed = word === 1 || word === 2;
    if (dashed) bytes[place++] = DASH;
    for (let shift = 28; shift >= 0; shift -= 4) {
      if (shift === 12 && dashed) bytes[place++] = DASH;
      bytes[place++] = HEX[(bits >>> shift) & 15]!;
    }
  }
}

function putDigits(bytes: Buffer, at: number, value: number, digits: number): void {
  let rest = value;
  for (let place = at + digits - 1; place >= at; place--) {
    bytes[place] = ZERO + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}

/** Of a value below 2⁵², zigzag. */
function varintBytes(value: number): number {
  let rest = value < 0 ? -2 * value - 1 : 2 * value;
  let bytes = 1;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}
