import { type Data, DataType, Field, List, makeData, Utf8 } from 'apache-arrow';
import type { Column } from '../model/types.js';
import { type Bounds, type BuiltColumn, Validity } from './built-column.js';
import { timeJson } from './numbers.js';
import type { RowPlaces } from './row-places.js';
import { takeLists, takeTexts } from './take-texts.js';
import { utf8Bounds } from './text-bounds.js';

/**
 * Some rows of a column as it was read from files → a column for another file. By Arrow's types, not by the model's: what is
 * not looked at can't change. The bounds are those of the rows that are taken. 64-bit values are copied as two words: a
 * BigInt for each would cost more than all else.
 */

/** Throws Error for a type that files of ours never have. */
export function takeRows(column: Column, chunks: readonly Data[], places: RowPlaces): BuiltColumn {
  const type = chunks[0]!.type as DataType;
  const validity = validityOf(column, chunks, places);
  const { nullCount } = validity;
  const props = { length: places.length, ...validity.props };
  const bits = validity.props.nullBitmap;
  const present = (row: number) => bits === undefined || bitAt(bits, row);
  if (DataType.isUtf8(type)) {
    const { data, valueOffsets } = takeTexts(chunks, places);
    const bounds = utf8Bounds(data, valueOffsets, present);
    return { data: makeData({ type: new Utf8(), ...props, data, valueOffsets }), nullCount, bounds };
  }
  if (DataType.isList(type)) {
    const children = chunks.map(({ children: [child] }) => child!);
    if (!DataType.isUtf8(children[0]!.type)) throw new Error(`a list of it is ${type}`);
    const { valueOffsets, texts, items } = takeLists(chunks, children, places);
    const child = makeData({ type: new Utf8(), length: items, nullCount: 0, ...texts });
    const list = new List(new Field('element', new Utf8(), false));
    const data = makeData({ type: list, length: places.length, nullCount: 0, valueOffsets, child });
    return { data, nullCount: 0, bounds: null };
  }
  if (DataType.isBool(type)) {
    const data = new Uint8Array(Math.ceil(places.length / 8));
    for (let row = 0; row < places.length; row++) {
      const { values, offset } = chunks[places.chunk[row]!]!;
      if (bitAt(values as Uint8Array, offset + places.at[row]!)) data[row >> 3]! |= 1 << (row & 7);
    }
    return { data: makeData({ type, ...props, data }), nullCount, bounds: null };
  }
  if (!DataType.isInt(type) && !DataType.isFloat(type) && !DataType.isTimestamp(type)) {
    throw new Error(`its column ${column.name} is ${type}`);
  }
  const values = takeValues(chunks, places);
  const bounds = numberBounds(type, values, present);
  return { data: makeData({ type, ...props, data: values } as never), nullCount, bounds };
}

function validityOf(column: Column, chunks: readonly Data[], { length, chunk, at }: RowPlaces): Validity {
  const validity = new Validity(column, length);
  if (chunks.every(({ nullCount }) => nullCount === 0)) return validity;
  for (let row = 0; row < length; row++) if (isNull(chunks[chunk[row]!]!, at[row]!)) validity.setNull(row);
  return validity;
}

type Values = BigInt64Array | Float64Array | Int32Array;

function takeValues(chunks: readonly Data[], { length, chunk, at }: RowPlaces): Values {
  const from = chunks.map(({ values }) => values as Values);
  const Array64 = (from[0] as object).constructor as new (length: number) => Values;
  const values = new Array64(length);
  if (values.BYTES_PER_ELEMENT === 8) {
    const words = new Int32Array(values.buffer);
    const sources = from.map(
      ({ buffer, byteOffset, length: own }) => new Int32Array(buffer, byteOffset, 2 * own),
    );
    const [only] = sources;
    for (let row = 0; row < length; row++) {
      const source = sources.length === 1 ? only! : sources[chunk[row]!]!;
      const place = 2 * at[row]!;
      words[2 * row] = source[place]!;
      words[2 * row + 1] = source[place + 1]!;
    }
    return values;
  }
  const [to, sources] = [values as Int32Array, from as Int32Array[]];
  for (let row = 0; row < length; row++) to[row] = sources[chunk[row]!]![at[row]!]!;
  return values;
}

/** Null for a column without values, or with one that JSON has no number for. */
function numberBounds(type: DataType, values: Values, present: (row: number) => boolean): Bounds | null {
  if (values instanceof BigInt64Array) return wholeBounds(type, values, present);
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    if (!present(row)) continue;
    if (!Number.isFinite(value)) return null;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return min > max ? null : { min: JSON.stringify(min), max: JSON.stringify(max) };
}

/** Compared as a signed high and an unsigned low word. */
function wholeBounds(
  type: DataType,
  values: BigInt64Array,
  present: (row: number) => boolean,
): Bounds | null {
  const words = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  let [min, max] = [-1, -1];
  for (let row = 0; row < values.length; row++) {
    if (!present(row)) continue;
    if (min < 0 || isLess(words, row, min)) min = row;
    if (max < 0 || isLess(words, max, row)) max = row;
  }
  if (min < 0) return null;
  const [least, greatest] = [values[min]!, values[max]!];
  if (!DataType.isTimestamp(type)) return { min: String(least), max: String(greatest) };
  // bounds are whole milliseconds, rounded outwards; ours are whole
  return { min: timeJson(Number(floorMs(least))), max: timeJson(Number(-floorMs(-greatest))) };
}

function floorMs(us: bigint): bigint {
  return us >= 0n ? us / 1_000n : -((-us + 999n) / 1_000n);
}

function isLess(words: Int32Array, a: number, b: number): boolean {
  const [highA, highB] = [words[2 * a + 1]!, words[2 * b + 1]!];
  return highA === highB ? words[2 * a]! >>> 0 < words[2 * b]! >>> 0 : highA < highB;
}

export function isNull({ nullCount, nullBitmap, offset }: Data, at: number): boolean {
  return nullCount > 0 && !bitAt(nullBitmap, offset + at);
}

function bitAt(bits: Uint8Array, at: number): boolean {
  return ((bits[at >> 3]! >> (at & 7)) & 1) === 1;
}
