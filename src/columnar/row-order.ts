import { type Data, DataType } from 'apache-arrow';
import type { RowPlaces } from './row-places.js';
import { isNull } from './take-rows.js';
import { compareBytes } from './text-bounds.js';

/**
 * Rows of files in the order of some of their columns; equal rows stay as they came, null is before all values. The first column
 * is mapped to whole numbers below 2⁴⁸ that keep its order, and sorted by them in three passes over 16 bits; what is equal
 * there is compared. A sort by comparing alone takes four times as long.
 */

/** −, 0, + of two rows. */
type Compare = (a: number, b: number) => number;

interface SortKey {
  /** Whole numbers below 2⁴⁸, monotonic in the column's values. */
  keys: Float64Array;
  compare: Compare;
}

/** `columns`: chunks of each, the first one counting most. Throws Error for lists. */
export function rowOrder(columns: readonly (readonly Data[])[], places: RowPlaces): Uint32Array {
  const keys = columns.map((chunks) => sortKey(chunks, places));
  const first = keys[0];
  if (first === undefined) return Uint32Array.from({ length: places.length }, (_, row) => row);
  const order = radixSorted(first.keys);
  const compare: Compare = (a, b) => {
    for (const key of keys) {
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
  if (type === undefined) return { keys: new Float64Array(0), compare: () => 0 };
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
  const keys = values.map((value) => {
    if (value === Number.NEGATIVE_INFINITY) return 0;
    if (!Number.isFinite(value)) return 2 ** 48 - 1;
    return 1 + Math.floor((value - min) * scale);
  });
  return { keys, compare: (a, b) => values[a]! - values[b]! || 0 };
}

function numberAt(data: Data, at: number): number {
  if (!DataType.isBool(data.type)) return Number(data.values[at]);
  const place = data.offset + at;
  return ((data.values as Uint8Array)[place >> 3]! >> (place & 7)) & 1;
}

/** By the six bytes behind what all of them begin with. */
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
  for (let row = 0; row < length; row++) {
    if (isAbsent(row)) continue;
    const { values, ends } = texts[chunk[row]!]!;
    const [from, to] = [ends[at[row]!]! + common, ends[at[row]! + 1]!];
    let key = 0;
    for (let byte = 0; byte < 6; byte++) key = key * 256 + (from + byte < to ? values[from + byte]! : 0);
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
  return { keys, compare };
}

function radixSorted(keys: Float64Array): Uint32Array {
  const digits = [1, 2 ** 16, 2 ** 32].map((unit) =>
    Uint16Array.from(keys, (key) => Math.floor(key / unit) % 65_536),
  );
  let order = Uint32Array.from(keys, (_, row) => row);
  let next = new Uint32Array(keys.length);
  for (const digit of digits) {
    const starts = new Uint32Array(65_537);
    for (let row = 0; row < digit.length; row++) starts[digit[row]! + 1]!++;
    for (let value = 0; value < 65_536; value++) starts[value + 1]! += starts[value]!;
    for (let place = 0; place < order.length; place++) next[starts[digit[order[place]!]!]!++] = order[place]!;
    [order, next] = [next, order];
  }
  return order;
}
