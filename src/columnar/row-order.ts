import { type Data, DataType } from 'apache-arrow';
import type { RowPlaces } from './row-places.js';
import { isNull } from './take-rows.js';
import { compareBytes } from './text-bounds.js';

/**
 * Rows of files in the order of some of their columns; equal rows stay as they came, null is before all values. The first column
 * is mapped to whole numbers below 2⁴⁸ that keep its order, and sorted by them in three passes over 16 bits; what is equal
 * there is compared. A sort by comparing alone takes four times as long.
 */

/** Of a text, in its key. */
const KEY_BYTES = 6;

/** −, 0, + of two rows. */
type Compare = (a: number, b: number) => number;

interface SortKey {
  /** Whole numbers below 2⁴⁸, monotonic in the column's values. */
  keys: Float64Array;
  /** Equal keys are equal values. */
  isExact: boolean;
  compare: Compare;
}

/** `columns`: chunks of each, the first one counting most. Throws Error for lists. */
export function rowOrder(columns: readonly (readonly Data[])[], places: RowPlaces): Uint32Array {
  const keys = columns.map((chunks) => sortKey(chunks, places));
  const first = keys[0];
  if (first === undefined) return Uint32Array.from({ length: places.length }, (_, row) => row);
  const order = radixSorted(first.keys);
  const compared = first.isExact ? keys.slice(1) : keys;
  const compare: Compare = (a, b) => {
    for (const key of compared) {
      const difference = key.compare(a, b);
      if (difference !== 0) return difference;
    }
    return a - b;
  };
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && first.keys[order[to]!] === first.keys[order[from]!]) to++;
    if (to - from > 1) order.subarray(from, to).sort(compare);
    from = to;
  }
  return order;
}

function sortKey(chunks: readonly Data[], places: RowPlaces): SortKey {
  const type = chunks[0]?.type as DataType | undefined;
  if (type === undefined) return { keys: new Float64Array(0), isExact: true, compare: () => 0 };
  if (DataType.isUtf8(type)) return textKey(chunks, places);
  if (DataType.isList(type)) throw new Error('rows are not ordered by lists');
  return numberKey(chunks, places);
}

function numberKey(chunks: readonly Data[], { length, chunk, at }: RowPlaces): SortKey {
  const values = new Float64Array(length);
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < length; row++) {
    const data = chunks[chunk[row]!]!;
    const value = isNull(data, at[row]!) ? Number.NEGATIVE_INFINITY : numberAt(data, at[row]!);
    values[row] = value;
    if (Number.isFinite(value)) {
      if (value < min) min = value;
      if (value > max) max = value;
    }
  }
  const scale = max > min ? (2 ** 48 - 3) / (max - min) : 0;
  const keys = new Float64Array(length);
  for (let row = 0; row < length; row++) {
    const value = values[row]!;
    if (value === Number.NEGATIVE_INFINITY) keys[row] = 0;
    else if (!Number.isFinite(value)) keys[row] = 2 ** 48 - 1;
    else keys[row] = 1 + Math.floor((value - min) * scale);
  }
  return { keys, isExact: false, compare: (a, b) => values[a]! - values[b]! || 0 };
}

function numberAt(data: Data, at: number): number {
  if (!DataType.isBool(data.type)) return Number(data.values[at]);
  const place = data.offset + at;
  return ((data.values as Uint8Array)[place >> 3]! >> (place & 7)) & 1;
}

/** By the bytes behind what all of them begin with. */
function textKey(chunks: readonly Data[], { length, chunk, at }: RowPlaces): SortKey {
  const texts = chunks.map(({ values, valueOffsets }) => ({
    values: values as Uint8Array,
    ends: valueOffsets as Int32Array,
  }));
  const isAbsent = (row: number) => isNull(chunks[chunk[row]!]!, at[row]!);
  let first = -1;
  let common = 0;
  for (let row = 0; row < length; row++) {
    if (isAbsent(row)) continue;
    const { values, ends } = texts[chunk[row]!]!;
    const [from, to] = [ends[at[row]!]!, ends[at[row]! + 1]!];
    if (first < 0) {
      first = row;
      common = to - from;
      continue;
    }
    const sample = texts[chunk[first]!]!;
    const sampleFrom = sample.ends[at[first]!]!;
    let same = 0;
    while (same < common && same < to - from && values[from + same] === sample.values[sampleFrom + same])
      same++;
    common = same;
  }
  const keys = new Float64Array(length);
  // an absent value, the end of a text and a byte of 0 have the same key
  let isExact = !chunks.some(({ nullCount }) => nullCount > 0);
  for (let row = 0; row < length; row++) {
    if (isAbsent(row)) continue;
    const { values, ends } = texts[chunk[row]!]!;
    const [from, to] = [ends[at[row]!]! + common, ends[at[row]! + 1]!];
    isExact &&= to - from <= KEY_BYTES;
    let key = 0;
    for (let place = from; place < from + KEY_BYTES; place++) {
      const byte = place < to ? values[place]! : 0;
      isExact &&= byte !== 0 || place >= to;
      key = key * 256 + byte;
    }
    keys[row] = key;
  }
  const compare: Compare = (a, b) => {
    const [absentA, absentB] = [isAbsent(a), isAbsent(b)];
    if (absentA || absentB) return Number(absentB) - Number(absentA);
    const [one, other] = [texts[chunk[a]!]!, texts[chunk[b]!]!];
    return compareBytes(
      one.values,
      one.ends[at[a]!]!,
      one.ends[at[a]! + 1]!,
      other.values,
      other.ends[at[b]!]!,
      other.ends[at[b]! + 1]!,
    );
  };
  return { keys, isExact, compare };
}

function radixSorted(keys: Float64Array): Uint32Array {
  const { length } = keys;
  const digits = [new Uint16Array(length), new Uint16Array(length), new Uint16Array(length)] as const;
  let order = new Uint32Array(length);
  for (let row = 0; row < length; row++) {
    const high = Math.floor(keys[row]! / 2 ** 32);
    const rest = keys[row]! - high * 2 ** 32;
    digits[0][row] = rest;
    digits[1][row] = rest / 65_536;
    digits[2][row] = high;
    order[row] = row;
  }
  let next = new Uint32Array(length);
  for (const digit of digits) {
    const starts = new Uint32Array(65_537);
    for (let row = 0; row < length; row++) starts[digit[row]! + 1]!++;
    // all the same
    if (length > 0 && starts[digit[0]! + 1] === length) continue;
    for (let value = 0; value < 65_536; value++) starts[value + 1]! += starts[value]!;
    for (let place = 0; place < length; place++) next[starts[digit[order[place]!]!]!++] = order[place]!;
    [order, next] = [next, order];
  }
  return order;
}
