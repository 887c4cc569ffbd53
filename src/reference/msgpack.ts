import { EventInstant, NOT_PLAIN, type Wanted, type WantedKey } from './event-values.js';

/**
 * MessagePack as msgpackr writes it, read for the fields that a model wants: one event (a map), or an array of them. What nobody
 * wants is stepped over. Nothing is believed: each length is held against the bytes that are left before anything is made
 * of it, and a value takes a byte at least, so that a header that claims more costs nothing.
 *
 * msgpackr's records stand for maps: a definition names the keys, later records of the same id bring values only.
 *
 *   0xd4 0x72 id │ array of keys │ values           id: 0x40–0x7f; 0xd5: one more byte of it behind
 *   0x40–0x7f │ values                              a number, where no such record was defined
 *
 * https://github.com/msgpack/msgpack/blob/master/spec.md, https://github.com/kriszyp/msgpackr#record--object-structures
 */

export type MessageFault = 'undecodable' | 'unsupported' | 'too_large';

/** Throws of it: what is wrong with the message as a whole. */
export class BadMessage extends Error {
  readonly reason: MessageFault;

  constructor(reason: MessageFault, message: string) {
    super(message);
    this.reason = reason;
  }
}

export interface Message {
  /** Whether it was an array; else it holds exactly one. */
  isList: boolean;
  /** Of each event the values that are wanted: an object, or something that is no event. */
  events: readonly unknown[];
  /** An event as a message of its own, without records. */
  encoded(index: number): Uint8Array;
}

/** More events in a message are refused: each may become a dead letter. */
const EVENTS_MAX = 65_536;
/** A key and a time take as much. More events than that allows would be letters only, each larger than its bytes. */
const EVENT_BYTES_MIN = 6;
/** So few harm nobody. */
const EVENTS_FEW = 16;
const DEFINITIONS_MAX = 4_096;
const DEPTH_MAX = 100;

/** `bytesMax`: of the message, the keys of its records written out. Throws BadMessage. */
export function readMessage(bytes: Uint8Array, wanted: Wanted, bytesMax: number): Message {
  const reader = new MessageReader(bytes, bytesMax);
  const count = reader.tryListHeader();
  const isList = count !== null;
  if (count !== null && count > EVENTS_MAX)
    throw new BadMessage('too_large', `a message of ${count} events, over the limit of ${EVENTS_MAX}`);
  if (count !== null && count > EVENTS_FEW && count * EVENT_BYTES_MIN > bytes.byteLength)
    throw new BadMessage('undecodable', `${count} events in ${bytes.byteLength} bytes: they can't be whole`);
  const events: unknown[] = [];
  const ends: number[] = [reader.at];
  for (let index = 0; index < (count ?? 1); index++) {
    events.push(reader.event(wanted));
    ends.push(reader.at);
  }
  reader.end();
  let all: readonly Uint8Array[] | null = null;
  const encoded = (index: number) => {
    if (!reader.hasRecords) return bytes.slice(ends[index]!, ends[index + 1]!);
    all ??= expanded(bytes, bytesMax, isList, events.length);
    return all[index]!;
  };
  return { isList, events, encoded };
}

/** The events of a message that was read before, each with the keys of its records written out. */
function expanded(bytes: Uint8Array, bytesMax: number, isList: boolean, count: number): Uint8Array[] {
  const reader = new MessageReader(bytes, bytesMax);
  if (isList) reader.tryListHeader();
  return Array.from({ length: count }, () => reader.rewrite());
}

interface RecordKeys {
  names: string[];
  /** Of them as texts. */
  bytes: number;
  /** More bytes of an id may follow. */
  isWide: boolean;
}

class MessageReader {
  readonly #bytes: Buffer;
  readonly #records = new Map<number, RecordKeys>();
  #definitions = 0;
  /** What the message may still grow by. */
  #spareBytes: number;
  /** Where what is read is written to. */
  #out: Buffer[] | null = null;
  #depth = 0;
  at = 0;
  hasRecords = false;

  constructor(bytes: Uint8Array, bytesMax: number) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#spareBytes = bytesMax - bytes.byteLength;
  }

  /** The length of the array that begins here; null: none does. */
  tryListHeader(): number | null {
    const token = this.#bytes[this.at];
    if (token === undefined || !((token & 0xf0) === 0x90 || token === 0xdc || token === 0xdd)) return null;
    this.at++;
    return this.#count(token === 0xdc ? this.#take(2) : token === 0xdd ? this.#take(4) : token & 0x0f, 1);
  }

  event(wanted: Wanted): unknown {
    const token = this.#bytes[this.at];
    if (token !== undefined && token >= 0x40 && token < 0x80 && !this.#records.has(token & 0x3f)) {
      // such a number is no event, and what follows would be taken for another
      throw new BadMessage(
        'unsupported',
        'a number, or a record of msgpackr whose structure is kept elsewhere (shared structures)',
      );
    }
    return this.#value(wanted);
  }

  rewrite(): Uint8Array {
    const out: Buffer[] = [];
    this.#out = out;
    this.#value(null);
    this.#out = null;
    return Buffer.concat(out);
  }

  end(): void {
    if (this.at === this.#bytes.length) return;
    throw new BadMessage('undecodable', `${this.#bytes.length - this.at} bytes behind the message`);
  }

  /** `wanted` null: it is stepped over. */
  #value(wanted: Wanted | null): unknown {
    const from = this.at;
    const token = this.#take(1);
    if (token < 0x80) {
      const record = token >= 0x40 ? this.#recordOf(token) : null;
      if (record !== null) return this.#record(record, wanted);
      this.#copy(from);
      return token;
    }
    if (token < 0x90) return this.#map(token & 0x0f, from, wanted);
    if (token < 0xa0) return this.#list(token & 0x0f, from);
    if (token < 0xc0) return this.#text(token & 0x1f, from, wanted);
    if (token >= 0xe0) {
      this.#copy(from);
      return token - 0x100;
    }
    return this.#other(token, from, wanted);
  }

  #other(token: number, from: number, wanted: Wanted | null): unknown {
    switch (token) {
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#skip(this.#take(1 << (token - 0xc4)), from);
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.#extension(this.#take(1 << (token - 0xc7)), from);
      case 0xd4:
      case 0xd5:
        if (this.#bytes[this.at] === RECORD) return this.#definition(token, wanted);
        return this.#extension(1 << (token - 0xd4), from);
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.#extension(1 << (token - 0xd4), from);
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#take(1 << (token - 0xd9)), from, wanted);
      case 0xdc:
      case 0xdd:
        return this.#list(this.#take(token === 0xdc ? 2 : 4), from);
      case 0xde:
      case 0xdf:
        return this.#map(this.#take(token === 0xde ? 2 : 4), from, wanted);
      default: {
        const value = this.#scalar(token);
        this.#copy(from);
        return value;
      }
    }
  }

  #scalar(token: number): unknown {
    switch (token) {
      case 0xc0:
        return null;
      case 0xc2:
      case 0xc3:
        return token === 0xc3;
      case 0xca:
        return this.#bytes.readFloatBE(this.#pass(4));
      case 0xcb:
        return this.#bytes.readDoubleBE(this.#pass(8));
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#take(1 << (token - 0xcc));
      // beyond 2^53 the nearest number, as JSON has it
      case 0xcf:
        return Number(this.#bytes.readBigUInt64BE(this.#pass(8)));
      case 0xd0:
      case 0xd1:
      case 0xd2: {
        const bytes = 1 << (token - 0xd0);
        return this.#bytes.readIntBE(this.#pass(bytes), bytes);
      }
      case 0xd3:
        return Number(this.#bytes.readBigInt64BE(this.#pass(8)));
      default:
        throw new BadMessage('undecodable', `byte ${this.at}: 0x${token.toString(16)} begins no value`);
    }
  }

  #map(count: number, from: number, wanted: Wanted | null): unknown {
    this.#count(count, 2);
    this.#copy(from);
    this.#enter();
    const keys = wanted?.keys ?? NO_KEYS;
    const members: Record<string, unknown> = {};
    for (let index = 0; index < count; index++) {
      const key = this.#wantedKey(keys);
      const value = this.#value(key === null ? null : key.wanted);
      if (key !== null) put(members, key.name, value);
    }
    this.#depth--;
    return wanted?.inner === undefined || wanted.inner === null ? NOT_PLAIN : members;
  }

  #record({ names }: RecordKeys, wanted: Wanted | null): unknown {
    this.#count(names.length, 1);
    this.#out?.push(mapHeader(names.length));
    this.#enter();
    const inner = wanted?.inner ?? null;
    const members: Record<string, unknown> = {};
    for (const name of names) {
      this.#out?.push(textOf(name));
      const want = inner?.get(name) ?? null;
      const value = this.#value(want);
      if (want !== null) put(members, name, value);
    }
    this.#depth--;
    return inner === null ? NOT_PLAIN : members;
  }

  /** The key of a map that comes next, if it is wanted. No text is made of it where its bytes tell. */
  #wantedKey(keys: readonly WantedKey[]): WantedKey | null {
    const from = this.at;
    const token = this.#bytes[from] ?? 0;
    if ((token & 0xe0) !== 0xa0) {
      const name = this.#key();
      return keys.find((key) => key.name === name) ?? null;
    }
    const length = token & 0x1f;
    this.#pass(1 + length);
    this.#copy(from);
    for (const key of keys) if (key.bytes.length === length && this.#holds(key.bytes, from + 1)) return key;
    return null;
  }

  #holds(bytes: Uint8Array, at: number): boolean {
    for (let index = 0; index < bytes.length; index++)
      if (bytes[index] !== this.#bytes[at + index]) return false;
    return true;
  }

  /** A text, or a number as JSON's keys have it. */
  #key(): string {
    const key = this.#value(KEY);
    if (typeof key === 'string' || typeof key === 'number') return String(key);
    throw new BadMessage('undecodable', `byte ${this.at}: a key that is neither text nor number`);
  }

  /** No field is a list. */
  #list(count: number, from: number): symbol {
    this.#count(count, 1);
    this.#copy(from);
    this.#enter();
    for (let index = 0; index < count; index++) this.#value(null);
    this.#depth--;
    return NOT_PLAIN;
  }

  #text(length: number, from: number, wanted: Wanted | null): unknown {
    const at = this.#pass(length);
    this.#copy(from);
    if (wanted === null) return NOT_PLAIN;
    const text = this.#bytes.toString('utf8', at, at + length);
    // each byte that is not UTF-8 became this character; a text may hold it all the same
    if (
      text.includes('\ufffd') &&
      Buffer.compare(Buffer.from(text), this.#bytes.subarray(at, at + length)) !== 0
    )
      return NOT_PLAIN;
    return text;
  }

  #skip(length: number, from: number): symbol {
    this.#pass(length);
    this.#copy(from);
    return NOT_PLAIN;
  }

  #extension(length: number, from: number): unknown {
    const type = this.#take(1);
    const at = this.#pass(length);
    this.#copy(from);
    switch (type) {
      case UNDEFINED:
        return null;
      case TIMESTAMP:
        return instantOf(this.#bytes.subarray(at, at + length));
      case BUNDLED_TEXTS:
        throw new BadMessage('unsupported', 'msgpackr with bundleStrings');
      case IDENTITY:
      case POINTER:
        throw new BadMessage(
          'unsupported',
          'msgpackr with structuredClone: values that are named and pointed to',
        );
      case ERROR:
      case SET:
      case PATTERN:
        // msgpackr writes what it holds behind it
        if (length === 1) this.#value(null);
        return NOT_PLAIN;
      default:
        return NOT_PLAIN;
    }
  }

  /** The first record of its id, behind the names of its keys. */
  #definition(token: number, wanted: Wanted | null): unknown {
    this.#take(1);
    const id = this.#take(1) & 0x3f;
    const high = token === 0xd5 ? this.#take(1) : null;
    if (++this.#definitions > DEFINITIONS_MAX)
      throw new BadMessage('too_large', `more than ${DEFINITIONS_MAX} definitions of records`);
    this.hasRecords = true;
    const out = this.#out;
    this.#out = null;
    const count = this.tryListHeader();
    if (count === null) throw new BadMessage('undecodable', `byte ${this.at}: a record without its keys`);
    const names = Array.from({ length: count }, () => this.#key());
    this.#out = out;
    const bytes = names.reduce((sum, name) => sum + Buffer.byteLength(name) + TEXT_HEAD_BYTES, 0);
    const record = { names, bytes, isWide: high === 0 };
    this.#records.set(idOf(id, high), record);
    this.#grow(record);
    return this.#record(record, wanted);
  }

  #recordOf(token: number): RecordKeys | null {
    const id = token & 0x3f;
    let record = this.#records.get(id);
    if (record === undefined) return null;
    if (record.isWide) {
      const high = this.#take(1);
      if (high !== 0) record = this.#records.get(idOf(id, high));
      if (record === undefined)
        throw new BadMessage('undecodable', `byte ${this.at}: a record that was not defined`);
    }
    this.#grow(record);
    return record;
  }

  /** Keys are counted for each record: they stand there when it is written out. */
  #grow({ bytes }: RecordKeys): void {
    this.#spareBytes -= bytes;
    if (this.#spareBytes >= 0) return;
    throw new BadMessage('too_large', 'over the limit with the keys of its records written out');
  }

  #enter(): void {
    if (++this.#depth > DEPTH_MAX) throw new BadMessage('undecodable', `nested deeper than ${DEPTH_MAX}`);
  }

  /** So many values, each of so many bytes at least, must be there. */
  #count(count: number, bytesEach: number): number {
    if (count * bytesEach > this.#bytes.length - this.at) throw this.#cutOff();
    return count;
  }

  /** A whole number of so many bytes. */
  #take(bytes: number): number {
    return this.#bytes.readUIntBE(this.#pass(bytes), bytes);
  }

  #pass(bytes: number): number {
    const from = this.at;
    if (bytes > this.#bytes.length - from) throw this.#cutOff();
    this.at = from + bytes;
    return from;
  }

  #cutOff(): BadMessage {
    return new BadMessage('undecodable', `MessagePack that is cut off behind ${this.#bytes.length} bytes`);
  }

  #copy(from: number): void {
    this.#out?.push(this.#bytes.subarray(from, this.at));
  }
}

/** Of msgpackr. */
const RECORD = 0x72;
const UNDEFINED = 0x00;
const TIMESTAMP = 0xff;
const BUNDLED_TEXTS = 0x62;
const ERROR = 0x65;
const IDENTITY = 0x69;
const POINTER = 0x70;
const SET = 0x73;
const PATTERN = 0x78;

/** A key is a text that is wanted, with nothing in it. */
const KEY: Wanted = { inner: null, keys: [] };
const NO_KEYS: readonly WantedKey[] = [];
/** The most that stands before a text. */
const TEXT_HEAD_BYTES = 5;

/** `__proto__` would be no member, but what the object inherits from. */
function put(members: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') members[name] = value;
  else Object.defineProperty(members, name, { value, enumerable: true, configurable: true, writable: true });
}

/** As msgpackr numbers them. */
function idOf(id: number, high: number | null): number {
  if (high === null) return id;
  return id < 32 ? -((high << 5) + id) : (high << 5) + id;
}

/** Of 32, 64 or 96 bits; of another length it is none. */
function instantOf(bytes: Buffer): EventInstant | symbol {
  if (bytes.length === 4) return new EventInstant(bytes.readUInt32BE(0) * 1_000);
  if (bytes.length === 8) {
    const nanoseconds = bytes.readUInt32BE(0) >>> 2;
    const seconds = (bytes.readUInt32BE(0) & 3) * 2 ** 32 + bytes.readUInt32BE(4);
    return new EventInstant(seconds * 1_000 + Math.floor(nanoseconds / 1e6));
  }
  if (bytes.length !== 12) return NOT_PLAIN;
  return new EventInstant(Number(bytes.readBigInt64BE(4)) * 1_000 + Math.floor(bytes.readUInt32BE(0) / 1e6));
}

function mapHeader(count: number): Buffer {
  if (count < 16) return Buffer.of(0x80 | count);
  const wide = count > 0xffff;
  const head = Buffer.alloc(wide ? 5 : 3);
  head[0] = wide ? 0xdf : 0xde;
  head.writeUIntBE(count, 1, wide ? 4 : 2);
  return head;
}

function textOf(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length < 32) return Buffer.concat([Buffer.of(0xa0 | bytes.length), bytes]);
  const head = Buffer.alloc(5);
  head[0] = 0xdb;
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}
