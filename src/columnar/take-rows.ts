import { type Data, DataType, Field, List, makeData, Utf8 } from 'apache-arrow';
import type { Column } from '../model/types.js';
import { type Bounds, type BuiltColumn, Validity } from './built-column.js';
import { timeJson } from './numbers.js';
import { utf8Bounds } from './text-bounds.js';

/**
 * Some rows of a column as it was read from a file → a column for another file. By Arrow's types, not by the model's: what is
 * not looked at can't change. The bounds are those of the rows that are taken.
 */

/** Where a row is: in which record batch, and where there. */
export interface Place {
  chunk: number;
  at: number;
}

/** Throws Error for a type that files of ours never have. */
export function takeRows(column: Column, chunks: readonly Data[], places: readonly Place[]): BuiltColumn {
  const type = chunks[0]!.type as DataType;
  const validity = new Validity(column, places.length);
  for (const [row, { chunk, at }] of places.entries()) if (isNull(chunks[chunk]!, at)) validity.setNull(row);
  const { nullCount } = validity;
  const props = { length: places.length, ...validity.props };
  const present = (row: number) => nullCount === 0 || !isNull(chunks[places[row]!.chunk]!, places[row]!.at);
  if (DataType.isUtf8(type)) {
    const { data, valueOffsets } = takeTexts(chunks, places);
    const bounds = utf8Bounds(data, valueOffsets, present);
    return { data: makeData({ type: new Utf8(), ...props, data, valueOffsets }), nullCount, bounds };
  }
  if (DataType.isList(type)) return { data: takeLists(type, chunks, places), nullCount: 0, bounds: null };
  if (DataType.isBool(type)) {
    const data = new Uint8Array(Math.ceil(places.length / 8));
    for (const [row, { chunk, at }] of places.entries())
      if (bitAt(chunks[chunk]!.values as Uint8Array, at)) data[row >> 3]! |= 1 << (row & 7);
    return { data: makeData({ type, ...props, data }), nullCount, bounds: null };
  }
  if (!DataType.isInt(type) && !DataType.isFloat(type) && !DataType.isTimestamp(type)) {
    throw new Error(`its column ${column.name} is ${type}`);
  }
  const values = takeValues(chunks, places);
  const bounds = numberBounds(type, values, present);
  return { data: makeData({ type, ...props, data: values } as never), nullCount, bounds };
}

function takeValues(chunks: readonly Data[], places: readonly Place[]): BigInt64Array | Float64Array {
  const Values = (chunks[0]!.values as object).constructor as new (length: number) => BigInt64Array;
  const values = new Values(places.length);
  for (const [row, { chunk, at }] of places.entries())
    values[row] = (chunks[chunk]!.values as BigInt64Array)[at]!;
  return values;
}

function takeTexts(chunks: readonly Data[], places: readonly Place[]) {
  const valueOffsets = new Int32Array(places.length + 1);
  const parts = places.map(({ chunk, at }, row) => {
    const { values, valueOffsets: ends } = chunks[chunk]!;
    const part = (values as Uint8Array).subarray(ends[at], ends[at + 1]);
    valueOffsets[row + 1] = valueOffsets[row]! + part.byteLength;
    return part;
  });
  return { data: new Uint8Array(Buffer.concat(parts)), valueOffsets };
}

/** Of texts, none of which is null. */
function takeLists(type: List, chunks: readonly Data[], places: readonly Place[]): Data {
  const children = chunks.map(({ children: [child] }) => child!);
  if (!DataType.isUtf8(children[0]!.type)) throw new Error(`a list of it is ${type}`);
  const valueOffsets = new Int32Array(places.length + 1);
  const items: Place[] = [];
  for (const [row, { chunk, at }] of places.entries()) {
    const ends: Int32Array = chunks[chunk]!.valueOffsets;
    for (let item = ends[at]!; item < ends[at + 1]!; item++) items.push({ chunk, at: item });
    valueOffsets[row + 1] = items.length;
  }
  const texts = takeTexts(children, items);
  const child = makeData({ type: new Utf8(), length: items.length, nullCount: 0, ...texts });
  const list = new List(new Field('element', new Utf8(), false));
  return makeData({ type: list, length: places.length, nullCount: 0, valueOffsets, child });
}

/** Null for a column without values, or with one that JSON has no number for. */
function numberBounds(
  type: DataType,
  values: ArrayLike<number | bigint>,
  present: (row: number) => boolean,
): Bounds | null {
  let min: number | bigint | null = null;
  let max: number | bigint | null = null;
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    if (!present(row)) continue;
    if (typeof value === 'number' && !Number.isFinite(value)) return null;
    if (min === null || value < min) min = value;
    if (max === null || value > max) max = value;
  }
  if (min === null || max === null) return null;
  const text = (value: number | bigint) =>
    DataType.isTimestamp(type)
      ? timeJson(Number((value as bigint) / 1_000n))
      : typeof value === 'bigint'
        ? String(value)
        : JSON.stringify(value);
  return { min: text(min), max: text(max) };
}

export function isNull({ nullCount, nullBitmap, offset }: Data, at: number): boolean {
  return nullCount > 0 && !bitAt(nullBitmap, offset + at);
}

function bitAt(bits: Uint8Array, at: number): boolean {
  return ((bits[at >> 3]! >> (at & 7)) & 1) === 1;
}
