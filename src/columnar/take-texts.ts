import type { Data } from 'apache-arrow';
import type { RowPlaces } from './row-places.js';

/**
 * Texts of some rows, one behind the other, as Arrow keeps them. Byte by byte where they are short: a view of each would
 * cost more than the copy.
 */

export interface TakenTexts {
  data: Uint8Array;
  valueOffsets: Int32Array;
}

const BYTEWISE_BYTES_MAX = 48;

interface TextChunk {
  values: Uint8Array;
  ends: Int32Array;
}

export function takeTexts(chunks: readonly Data[], { length, chunk, at }: RowPlaces): TakenTexts {
  const texts = chunks.map(textChunk);
  const valueOffsets = new Int32Array(length + 1);
  for (let row = 0; row < length; row++) {
    const { ends } = texts[chunk[row]!]!;
    valueOffsets[row + 1] = valueOffsets[row]! + ends[at[row]! + 1]! - ends[at[row]!]!;
  }
  const data = new Uint8Array(valueOffsets[length]!);
  for (let row = 0; row < length; row++) {
    const { values, ends } = texts[chunk[row]!]!;
    copy(values, ends[at[row]!]!, ends[at[row]! + 1]!, data, valueOffsets[row]!);
  }
  return { data, valueOffsets };
}

/** Of lists of texts, none of which is null: a row's items lie together, and so do their bytes. */
export function takeLists(
  chunks: readonly Data[],
  children: readonly Data[],
  { length, chunk, at }: RowPlaces,
): { valueOffsets: Int32Array; items: number; texts: TakenTexts } {
  const texts = children.map(textChunk);
  const lists = chunks.map(({ valueOffsets }) => valueOffsets as Int32Array);
  const valueOffsets = new Int32Array(length + 1);
  let bytes = 0;
  for (let row = 0; row < length; row++) {
    const { ends } = texts[chunk[row]!]!;
    const list = lists[chunk[row]!]!;
    const [first, end] = [list[at[row]!]!, list[at[row]! + 1]!];
    valueOffsets[row + 1] = valueOffsets[row]! + end - first;
    bytes += ends[end]! - ends[first]!;
  }
  const items = valueOffsets[length]!;
  const offsets = new Int32Array(items + 1);
  const data = new Uint8Array(bytes);
  let item = 0;
  for (let row = 0; row < length; row++) {
    const { values, ends } = texts[chunk[row]!]!;
    const list = lists[chunk[row]!]!;
    const [first, end] = [list[at[row]!]!, list[at[row]! + 1]!];
    if (first === end) continue;
    const shift = offsets[item]! - ends[first]!;
    copy(values, ends[first]!, ends[end]!, data, offsets[item]!);
    for (let index = first; index < end; index++) offsets[++item] = ends[index + 1]! + shift;
  }
  return { valueOffsets, items, texts: { data, valueOffsets: offsets } };
}

function textChunk({ values, valueOffsets }: Data): TextChunk {
  return { values: values as Uint8Array, ends: valueOffsets as Int32Array };
}

function copy(from: Uint8Array, start: number, end: number, to: Uint8Array, place: number): void {
  if (end - start > BYTEWISE_BYTES_MAX) {
    to.set(from.subarray(start, end), place);
    return;
  }
  for (let byte = start, target = place; byte < end; byte++, target++) to[target] = from[byte]!;
}
