import { flagsField, loggedFields } from '../model/logged-fields.js';
import type { CompiledModel, Field } from '../model/types.js';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import type { FieldValues } from './event.js';
import type { KeyState, LaneState, SessionEvent, SessionState, StandingRow } from './lane-state.js';
import { decodeRow } from './row-bytes.js';
import { encodeRow } from './row-crc.js';
import { NULL, REMEMBERED, REMEMBERED_MAX, SAID, SAID_REMEMBERED } from './state-layout.js';
import { heldUntilMs } from './windows.js';

/**
 * A lane's state ⇄ bytes: what snapshots hold. Every engine writes and reads this form, so a table that was written by one
 * is continued by another. Fixed widths little-endian, `n` a varint, `±n` a signed one (byte-writer.ts), nothing between the parts:
 *
 * ```
 *  watermark f64 (NaN: none) │ keys u32 │ keys × key
 *  key       bytes of all that follows u32 │ n: its text's bytes, doubled; 1 more: what was remembered is forgotten │ UTF-8
 *            markers n │ the first ms ±n, the others n from the one before │ sessions n │ sessions × session
 *  session   flags n (1 closed, 2 changed, 4 has an end, 8 by a split) │ first ms ±n │ last n from the first
 *            end n from the last, where it has one │ next revision n │ standing n │ standing × row │ events n │ events × event
 *  row       identity start n from the first │ bytes n │ canonical bytes (row-crc.ts), sign +1
 *  event     ms ±n from the one before (the first: from the session's first) │ places n, bit by bit: of the logged fields where it
 *            differs from the first event (that one: from null) │ a value for each of them. What an event is for its session is
 *            the last of these fields (model/logged-fields.ts)
 *  value     n: 0 null │ 1 said here │ 2 said here and remembered │ others: what was remembered as the (n − 3)rd of this field
 *            said: string: bytes n │ UTF-8        number: f64
 * ```
 * Keys come in any order, markers and sessions ascending, events in an order in which those of one time are in the order of
 * their offsets. A closed session has one row that stands. Of fields that only `first` reads, an event may repeat the
 * first one's value instead of its own (model/logged-fields.ts). A field has no more than REMEMBERED_MAX values remembered at a time.
 *
 * What is read is checked piece by piece, and nothing is allocated for a number that the bytes don't bear out.
 */

const CLOSED = 1;
const CHANGED = 2;
const HAS_END = 4;
const ENDS_BY_SPLIT = 8;
const STARTS = 1;
const ENDS = 2;
/** The least that one takes: what a count is held against before it is believed. */
const KEY_BYTES_MIN = 7;
const SESSION_BYTES_MIN = 8;
const ROW_BYTES_MIN = 2;
const EVENT_BYTES_MIN = 2;
const TIME_BYTES_MIN = 1;

export function encodeState(model: CompiledModel, state: LaneState): Uint8Array {
  return new StateWriter(model).write(state);
}

class StateWriter {
  readonly #out = new ByteWriter();
  readonly #model: CompiledModel;
  readonly #logged: readonly Field[];
  /** By place: the number under which a value is remembered. */
  readonly #remembered: readonly Map<string | number, number>[];

  constructor(model: CompiledModel) {
    this.#model = model;
    this.#logged = fieldsOfLog(model);
    this.#remembered = this.#logged.map(() => new Map());
  }

  write(state: LaneState): Uint8Array {
    this.#out.f64(state.watermarkMs ?? Number.NaN);
    this.#out.u32(state.keys.length);
    for (const key of state.keys) this.#out.framed(() => this.#key(key));
    return this.#out.finish();
  }

  #key({ key, endMarkersMs, sessions }: KeyState): void {
    const out = this.#out;
    const text = Buffer.from(key, 'utf8');
    out.varint(text.length * 2);
    out.bytes(text);
    out.varint(endMarkersMs.length);
    endMarkersMs.forEach((marker, index) => {
      if (index === 0) out.signed(marker);
      else out.varint(marker - endMarkersMs[index - 1]!);
    });
    out.varint(sessions.length);
    for (const session of sessions) this.#session(session);
  }

  #session(session: SessionState): void {
    const out = this.#out;
    const { closed, changed, firstMs, lastMs, endMs, endsBySplit, nextRevision, standing, events } = session;
    const end = (endMs === null ? 0 : HAS_END) | (endsBySplit ? ENDS_BY_SPLIT : 0);
    out.varint((closed ? CLOSED : 0) | (changed ? CHANGED : 0) | end);
    out.signed(firstMs);
    out.varint(lastMs - firstMs);
    if (endMs !== null) out.varint(endMs - lastMs);
    out.varint(nextRevision);
    out.varint(standing.length);
    for (const { row, identityStartMs } of standing) {
      out.varint(identityStartMs - firstMs);
      out.sized(encodeRow(this.#model, row));
    }
    out.varint(events.length);
    let first: FieldValues | null = null;
    let beforeMs = firstMs;
    for (const event of events) {
      const values = withFlags(this.#model, event);
      out.signed(event.timeMs - beforeMs);
      beforeMs = event.timeMs;
      this.#changes(values, first);
      first ??= values;
    }
  }

  #changes(values: FieldValues, first: FieldValues | null): void {
    const changed = this.#logged.map(({ index }) => values[index] !== (first?.[index] ?? null));
    const groups = Math.max(1, Math.ceil((changed.lastIndexOf(true) + 1) / 7));
    for (let group = 0; group < groups; group++) {
      let bits = group + 1 < groups ? 0x80 : 0;
      for (let bit = 0; bit < 7; bit++) if (changed[group * 7 + bit] === true) bits |= 1 << bit;
      this.#out.bytes(Uint8Array.of(bits));
    }
    changed.forEach((is, place) => {
      if (is) this.#value(place, values[this.#logged[place]!.index]!, first !== null);
    });
  }

  /** Remembered is what later events change to: the popular values. */
  #value(place: number, value: string | number | null, isLater: boolean): void {
    const out = this.#out;
    const remembered = this.#remembered[place]!;
    const known = value === null ? undefined : remembered.get(value);
    if (value === null) {
      out.varint(NULL);
      return;
    }
    if (known !== undefined) {
      out.varint(REMEMBERED + known);
      return;
    }
    const remembers = isLater && remembered.size < REMEMBERED_MAX;
    out.varint(remembers ? SAID_REMEMBERED : SAID);
    if (remembers) remembered.set(value, remembered.size);
    if (typeof value === 'string') out.text(value);
    else out.f64(value);
  }
}

/** Throws Error with what is wrong. Fields that are not kept come back as null, offsets as negative ones in order. */
export function decodeState(model: CompiledModel, bytes: Uint8Array): LaneState {
  return new StateReader(model, bytes).state();
}

class StateReader {
  readonly #in: ByteReader;
  readonly #model: CompiledModel;
  readonly #logged: readonly Field[];
  readonly #noValues: FieldValues;
  /** By place. */
  readonly #remembered: (string | number)[][];

  constructor(model: CompiledModel, bytes: Uint8Array) {
    this.#in = new ByteReader(bytes);
    this.#model = model;
    this.#logged = fieldsOfLog(model);
    this.#noValues = [...model.fields, null].map(() => null);
    this.#remembered = this.#logged.map(() => []);
  }

  state(): LaneState {
    const watermark = this.#in.f64();
    const watermarkMs = Number.isNaN(watermark) ? null : wholeMs(watermark);
    const names = new Set<string>();
    const keys = this.#list(this.#in.u32(), KEY_BYTES_MIN, () => {
      const key = this.#in.within(this.#in.u32(), () => this.#key());
      if (names.has(key.key)) throw new Error('a key that comes twice');
      names.add(key.key);
      return key;
    });
    this.#in.end();
    return { watermarkMs, keys };
  }

  #key(): KeyState {
    const head = this.#in.varint();
    if (head % 2 === 1) for (const values of this.#remembered) values.length = 0;
    const key = this.#in.text(Math.floor(head / 2));
    let markerMs: number | null = null;
    const endMarkersMs = this.#list(this.#in.varint(), TIME_BYTES_MIN, () => {
      markerMs = markerMs === null ? this.#in.signed() : this.#later(markerMs);
      return markerMs;
    });
    if (endMarkersMs.some((marker, index) => index > 0 && marker <= endMarkersMs[index - 1]!)) {
      throw new Error('end markers that do not ascend');
    }
    const sessions = this.#list(this.#in.varint(), SESSION_BYTES_MIN, () => this.#session());
    if (sessions.some((session, index) => index > 0 && session.firstMs <= sessions[index - 1]!.lastMs)) {
      throw new Error('sessions that overlap or do not ascend');
    }
    if (endMarkersMs.length === 0 && sessions.length === 0) throw new Error('a key that holds nothing');
    return { key, endMarkersMs, sessions };
  }

  #session(): SessionState {
    const flags = this.#in.varint();
    if (flags > (CLOSED | CHANGED | HAS_END | ENDS_BY_SPLIT)) throw new Error('flags that there are not');
    const closed = (flags & CLOSED) !== 0;
    const firstMs = this.#in.signed();
    const lastMs = this.#later(firstMs);
    const endMs = (flags & HAS_END) === 0 ? null : this.#later(lastMs);
    const endsBySplit = (flags & ENDS_BY_SPLIT) !== 0;
    if (endMs === null && endsBySplit) throw new Error('an end that can not be');
    const nextRevision = this.#in.varint();
    const standing = this.#list(this.#in.varint(), ROW_BYTES_MIN, () => this.#standing(firstMs));
    const events = this.#events(firstMs);
    if (events.length === 0) throw new Error('a session without events');
    if (closed && standing.length !== 1) throw new Error('a closed session without its row');
    if (events[0]!.timeMs !== firstMs || events.at(-1)!.timeMs !== lastMs) {
      throw new Error('a session with other times than its events');
    }
    standing.forEach(({ identityStartMs }, index) => {
      const after = index === 0 ? firstMs : standing[index - 1]!.identityStartMs + 1;
      if (identityStartMs < after || identityStartMs > lastMs) throw new Error('a row that is no one’s');
    });
    return {
      events,
      firstMs,
      lastMs,
      endMs,
      endsBySplit,
      closed,
      changed: (flags & CHANGED) !== 0,
      nextRevision,
      standing,
    };
  }

  #standing(firstMs: number): StandingRow {
    const identityStartMs = this.#later(firstMs);
    const bytes = this.#in.take(this.#in.varint());
    const row = decodeRow(this.#model, bytes);
    // texts that are not UTF-8 would come back as others
    if (!bytes.equals(encodeRow(this.#model, row))) throw new Error('a row in another form than rows have');
    if (row[this.#model.columnIndex.sign] !== 1) throw new Error('a row that takes another back');
    return { row, identityStartMs };
  }

  /** By (time, offset). */
  #events(firstMs: number): SessionEvent[] {
    let first: FieldValues | null = null;
    let timeMs = firstMs;
    const read = this.#list(this.#in.varint(), EVENT_BYTES_MIN, () => {
      timeMs = wholeMs(timeMs + this.#in.signed());
      const values = this.#changed(first ?? this.#noValues);
      first ??= values;
      const heldMs = heldUntilMs(this.#model, timeMs, values);
      return { timeMs, heldMs, ...withoutFlags(this.#model, values) };
    });
    // a stable sort; what comes later in the log has an offset of its own, none of them negative
    read.sort((a, b) => a.timeMs - b.timeMs);
    return read.map((event, index) => ({ ...event, offset: BigInt(index - read.length) }));
  }

  #changed(first: FieldValues): FieldValues {
    const places: number[] = [];
    for (let from = 0, more = true; more; from += 7) {
      const bits = this.#in.take(1)[0]!;
      for (let bit = 0; bit < 7; bit++) if ((bits & (1 << bit)) !== 0) places.push(from + bit);
      more = bits >= 0x80;
    }
    if (places.length === 0) return first;
    if (places.at(-1)! >= this.#logged.length) throw new Error('values of fields that there are not');
    const values = [...first];
    for (const place of places) values[this.#logged[place]!.index] = this.#value(place);
    return values;
  }

  #value(place: number): string | number | null {
    const code = this.#in.varint();
    if (code === NULL) return null;
    const remembered = this.#remembered[place]!;
    if (code >= REMEMBERED) {
      const known = remembered[code - REMEMBERED];
      if (known === undefined) throw new Error('a value that was never said');
      return known;
    }
    const value = this.#said(this.#logged[place]!);
    if (code === SAID_REMEMBERED && remembered.push(value) > REMEMBERED_MAX) {
      throw new Error('more values to remember than there may be');
    }
    return value;
  }

  #said({ type }: Field): string | number {
    if (type === 'string') return this.#in.text(this.#in.varint());
    const value = this.#in.f64();
    if (type === 'time') return wholeMs(value);
    if (!Number.isFinite(value) || Object.is(value, -0)) throw new Error('a number that no event has');
    if (type === 'uint32' && value !== value >>> 0) throw new Error('a number that is no uint32');
    if (type === 'int32' && value !== (value | 0)) throw new Error('a number that is no int32');
    if (type === 'boolean' && value !== 0 && value !== 1) throw new Error('a truth that is neither');
    return value;
  }

  /** A time at or behind another. */
  #later(thanMs: number): number {
    return wholeMs(thanMs + this.#in.varint());
  }

  #list<T>(count: number, itemBytesMin: number, read: () => T): T[] {
    if (count > this.#in.left / itemBytesMin) throw new Error('a number of items that can not be there');
    const list: T[] = [];
    for (let index = 0; index < count; index++) list.push(read());
    return list;
  }
}

function fieldsOfLog(model: CompiledModel): readonly Field[] {
  return loggedFields(model).fields.map((index) => model.fields[index] ?? flagsField(index));
}

/** The values with what the event is for its session behind them. */
function withFlags({ windows: { startEvent, endCounted } }: CompiledModel, event: SessionEvent): FieldValues {
  if (startEvent === null && !endCounted) return event.values;
  const flags = (event.starts ? STARTS : 0) | (event.ends ? ENDS : 0);
  return [...event.values, flags === 0 ? null : flags];
}

function withoutFlags(
  { fields }: CompiledModel,
  values: FieldValues,
): Omit<SessionEvent, 'timeMs' | 'offset' | 'heldMs'> {
  const flags = (values[fields.length] as number | null) ?? 0;
  if (flags > (STARTS | ENDS)) throw new Error('flags that no event has');
  return {
    values: values.slice(0, fields.length),
    ...((flags & STARTS) !== 0 ? { starts: true } : {}),
    ...((flags & ENDS) !== 0 ? { ends: true } : {}),
  };
}

function wholeMs(ms: number): number {
  if (!Number.isSafeInteger(ms) || Object.is(ms, -0)) throw new Error('a time that is none');
  return ms;
}
