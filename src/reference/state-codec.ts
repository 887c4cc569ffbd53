import { flagsField, loggedFields } from '../model/logged-fields.js';
import type { CompiledModel, Field } from '../model/types.js';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import type { FieldValues } from './event.js';
import type { KeyState, LaneState, SessionEvent, SessionState, StandingRow } from './lane-state.js';
import { decodeRow } from './row-bytes.js';
import { encodeRow } from './row-crc.js';
import { heldUntilMs } from './windows.js';

/**
 * A lane's state ⇄ bytes: what snapshots hold. Every engine writes and reads this form, so a table that was written by one
 * is continued by another. Little-endian, nothing between the parts:
 *
 * ```
 *  watermark f64 (NaN: none) │ keys u32 │ keys × key
 *  key       bytes u32 │ UTF-8 │ markers u32 │ markers × f64 │ sessions u32 │ sessions × session
 *  session   flags u32 (1 closed, 2 changed, 4 has an end, 8 by a split) │ first ms f64 │ last ms f64 │ end ms f64 (0: none)
 *            next revision u32 │ standing u32 │ standing × row │ events u32 │ events × event
 *  row       identity start ms f64 │ bytes u32 │ canonical bytes (row-crc.ts), sign +1
 *  event     ms f64 │ mask: a bit a logged field, set where it differs from the event before (the first: from null) │ the
 *            values of the set bits. What an event is for its session is the last of these fields (model/logged-fields.ts)
 *  value     string: bytes u32 (0xFFFFFFFF: null) │ UTF-8        number: f64 (NaN: null)
 * ```
 * Keys come in any order, markers and sessions ascending, events in an order in which those of one time are in the order of
 * their offsets. A closed session has one row that stands. Of fields that only `first` reads, an event may repeat the
 * value before it instead of its own (model/logged-fields.ts).
 *
 * What is read is checked piece by piece, and nothing is allocated for a number that the bytes don't bear out.
 */

const CLOSED = 1;
const CHANGED = 2;
const HAS_END = 4;
const ENDS_BY_SPLIT = 8;
const STARTS = 1;
const ENDS = 2;
const NULL_STRING = 0xffff_ffff;
/** The least that one takes: what a count is held against before it is believed. */
const KEY_BYTES_MIN = 12;
const SESSION_BYTES_MIN = 40;
const ROW_BYTES_MIN = 12;
const TIME_BYTES = 8;

export function encodeState(model: CompiledModel, state: LaneState): Uint8Array {
  const out = new ByteWriter();
  const logged = fieldsOfLog(model);
  out.f64(state.watermarkMs ?? Number.NaN);
  out.u32(state.keys.length);
  for (const { key, endMarkersMs, sessions } of state.keys) {
    out.text(key);
    out.u32(endMarkersMs.length);
    for (const marker of endMarkersMs) out.f64(marker);
    out.u32(sessions.length);
    for (const session of sessions) putSession(out, model, logged, session);
  }
  return out.finish();
}

function putSession(
  out: ByteWriter,
  model: CompiledModel,
  logged: readonly Field[],
  session: SessionState,
): void {
  const { closed, changed, firstMs, lastMs, endMs, endsBySplit, nextRevision, standing, events } = session;
  const end = (endMs === null ? 0 : HAS_END) | (endsBySplit ? ENDS_BY_SPLIT : 0);
  out.u32((closed ? CLOSED : 0) | (changed ? CHANGED : 0) | end);
  out.f64(firstMs);
  out.f64(lastMs);
  out.f64(endMs ?? 0);
  out.u32(nextRevision);
  out.u32(standing.length);
  for (const { row, identityStartMs } of standing) {
    out.f64(identityStartMs);
    out.sized(encodeRow(model, row));
  }
  out.u32(events.length);
  let before: FieldValues | null = null;
  for (const event of events) {
    const values = withFlags(model, event);
    putEvent(out, logged, event.timeMs, values, before);
    before = values;
  }
}

function putEvent(
  out: ByteWriter,
  logged: readonly Field[],
  timeMs: number,
  values: FieldValues,
  before: FieldValues | null,
): void {
  out.f64(timeMs);
  const mask = new Uint8Array(Math.ceil(logged.length / 8));
  logged.forEach(({ index }, place) => {
    if (values[index] !== (before?.[index] ?? null)) mask[place >> 3]! |= 1 << (place & 7);
  });
  out.bytes(mask);
  logged.forEach(({ index, type }, place) => {
    if ((mask[place >> 3]! & (1 << (place & 7))) === 0) return;
    const value = values[index]!;
    if (type !== 'string') out.f64(value === null ? Number.NaN : (value as number));
    else if (value === null) out.u32(NULL_STRING);
    else out.text(value as string);
  });
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

  constructor(model: CompiledModel, bytes: Uint8Array) {
    this.#in = new ByteReader(bytes);
    this.#model = model;
    this.#logged = fieldsOfLog(model);
    this.#noValues = [...model.fields, null].map(() => null);
  }

  state(): LaneState {
    const watermark = this.#in.f64();
    const watermarkMs = Number.isNaN(watermark) ? null : wholeMs(watermark);
    const names = new Set<string>();
    const keys = this.#list(KEY_BYTES_MIN, () => {
      const key = this.#key();
      if (names.has(key.key)) throw new Error('a key that comes twice');
      names.add(key.key);
      return key;
    });
    this.#in.end();
    return { watermarkMs, keys };
  }

  #key(): KeyState {
    const key = this.#in.text(this.#in.u32());
    const endMarkersMs = this.#list(TIME_BYTES, () => this.#timeMs());
    if (endMarkersMs.some((marker, index) => index > 0 && marker <= endMarkersMs[index - 1]!)) {
      throw new Error('end markers that do not ascend');
    }
    const sessions = this.#list(SESSION_BYTES_MIN, () => this.#session());
    if (sessions.some((session, index) => index > 0 && session.firstMs <= sessions[index - 1]!.lastMs)) {
      throw new Error('sessions that overlap or do not ascend');
    }
    if (endMarkersMs.length === 0 && sessions.length === 0) throw new Error('a key that holds nothing');
    return { key, endMarkersMs, sessions };
  }

  #session(): SessionState {
    const flags = this.#in.u32();
    if (flags > (CLOSED | CHANGED | HAS_END | ENDS_BY_SPLIT)) throw new Error('flags that there are not');
    const closed = (flags & CLOSED) !== 0;
    const firstMs = this.#timeMs();
    const lastMs = this.#timeMs();
    const end = this.#timeMs();
    const endMs = (flags & HAS_END) === 0 ? null : end;
    if (firstMs > lastMs) throw new Error('a session that ends before it begins');
    const endsBySplit = (flags & ENDS_BY_SPLIT) !== 0;
    if (endMs === null ? end !== 0 || endsBySplit : endMs < lastMs) throw new Error('an end that can not be');
    const nextRevision = this.#in.u32();
    const standing = this.#list(ROW_BYTES_MIN, () => this.#standing());
    const events = this.#events();
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

  #standing(): StandingRow {
    const identityStartMs = this.#timeMs();
    const bytes = this.#in.take(this.#in.u32());
    const row = decodeRow(this.#model, bytes);
    // texts that are not UTF-8 would come back as others
    if (!bytes.equals(encodeRow(this.#model, row))) throw new Error('a row in another form than rows have');
    if (row[this.#model.columnIndex.sign] !== 1) throw new Error('a row that takes another back');
    return { row, identityStartMs };
  }

  /** By (time, offset). */
  #events(): SessionEvent[] {
    const maskBytes = Math.ceil(this.#logged.length / 8);
    let values = this.#noValues;
    const read = this.#list(TIME_BYTES + maskBytes, () => {
      const timeMs = this.#timeMs();
      values = this.#values(this.#in.take(maskBytes), values);
      const heldMs = heldUntilMs(this.#model, timeMs, values);
      return { timeMs, heldMs, ...withoutFlags(this.#model, values) };
    });
    // a stable sort; what comes later in the log has an offset of its own, none of them negative
    read.sort((a, b) => a.timeMs - b.timeMs);
    return read.map((event, index) => ({ ...event, offset: BigInt(index - read.length) }));
  }

  #values(mask: Uint8Array, before: FieldValues): FieldValues {
    const count = this.#logged.length;
    const last = mask.at(-1) ?? 0;
    if (count % 8 !== 0 && last >> (count % 8) !== 0) throw new Error('values of fields that there are not');
    if (mask.every((bits) => bits === 0)) return before;
    const values = [...before];
    this.#logged.forEach((field, place) => {
      if ((mask[place >> 3]! & (1 << (place & 7))) !== 0) values[field.index] = this.#value(field);
    });
    return values;
  }

  #value({ type }: Field): string | number | null {
    if (type === 'string') {
      const bytes = this.#in.u32();
      return bytes === NULL_STRING ? null : this.#in.text(bytes);
    }
    const value = this.#in.f64();
    if (Number.isNaN(value)) return null;
    if (type === 'time') return wholeMs(value);
    if (!Number.isFinite(value) || Object.is(value, -0)) throw new Error('a number that no event has');
    if (type === 'uint32' && value !== value >>> 0) throw new Error('a number that is no uint32');
    if (type === 'int32' && value !== (value | 0)) throw new Error('a number that is no int32');
    if (type === 'boolean' && value !== 0 && value !== 1) throw new Error('a truth that is neither');
    return value;
  }

  #timeMs(): number {
    return wholeMs(this.#in.f64());
  }

  #list<T>(itemBytesMin: number, read: () => T): T[] {
    const count = this.#in.u32();
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
