import type { Data } from 'apache-arrow';
import type { RowPlaces } from './row-places.js';

/**
 * Texts of some rows, one behind the other, as Arrow keeps them. Four bytes at a time where they are short: a view of each would
 * cost more than the copy, and so would each byte.
 */

export interface TakenTexts {
  data: Uint8Array;
  valueOffsets: Int32Array;
}

const WORDWISE_BYTES_MAX = 64;

interface TextChunk {
  values: Uint8Array;
  ends: Int32Array;
  words: DataView;
}

export function takeTexts(chunks: readonly Data[], places: RowPlaces): TakenTexts {
  const texts = chunks.map(textChunk);
  const valueOffsets = new Int32Array(places.length + 1);
  const { length, chunk, at } = places;
  let bytes = 0;
  if (texts.length === 1) {
    const [{ ends }] = texts as [TextChunk];
    for (let row = 0; row < length; row++) {
      const place = at[row]!;
      bytes += ends[place + 1]! - ends[place]!;
      valueOffsets[row + 1] = bytes;
    }
  } else {
    for (let row = 0; row < length; row++) {
      const { ends } = texts[chunk[row]!]!;
      bytes += ends[at[row]! + 1]! - ends[at[row]!]!;
      valueOffsets[row + 1] = bytes;
    }
  }
  const data = new Uint8Array(bytes);
  const copier = new Copier(data);
  for (let row = 0; row < length; row++) {
    const from = texts.length === 1 ? texts[0]! : texts[chunk[row]!]!;
    const place = at[row]!;
    copier.copy(from, from.ends[place]!, from.ends[place + 1]!);
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
  let items = 0;
  for (let row = 0; row < length; row++) {
    const { ends } = texts[chunk[row]!]!;
    const list = lists[chunk[row]!]!;
    const first = list[at[row]!]!;
    const end = list[at[row]! + 1]!;
    items += end - first;
    valueOffsets[row + 1] = items;
    bytes += ends[end]! - ends[first]!;
  }
  const offsets = new Int32Array(items + 1);
  const data = new Uint8Array(bytes);
  const copier = new Copier(data);
  let item = 0;
  for (let row = 0; row < length; row++) {
    const from = texts[chunk[row]!]!;
    const list = lists[chunk[row]!]!;
    const first = list[at[row]!]!;
    const end = list[at[row]! + 1]!;
    if (first === end) continue;
    const { ends } = from;
    const shift = copier.at - ends[first]!;
    copier.copy(from, ends[first]!, ends[end]!);
    for (let index = first; index < end; index++) offsets[++item] = ends[index + 1]! + shift;
  }
  return { valueOffsets, items, texts: { data, valueOffsets: offsets } };
}

function textChunk({ values, valueOffsets }: Data): TextChunk {
  const { buffer, byteOffset, byteLength } = values as Uint8Array;
  return {
    values: values as Uint8Array,
    ends: valueOffsets as Int32Array,
    words: new DataView(buffer, byteOffset, byteLength),
  };
}

/** Puts texts one behind the other. */
class Copier {
  at = 0;
  readonly #to: Uint8Array;
  readonly #words: DataView;

  constructor(to: Uint8Array) {
    this.#to = to;
    this.#words = new DataView(to.buffer, to.byteOffset, to.byteLength);
  }

  copy({ values, words }: TextChunk, start: number, end: number): void {
    let target = this.at;
    this.at = target + end - start;
    if (end - start > WORDWISE_BYTES_MAX) {
      this.#to.set(values.subarray(start, end), target);
      return;
    }
    let from = start;
    for (; from + 4 <= end; from += 4, target += 4)
      this.#words.setUint32(target, words.getUint32(from, true), true);
    for (; from < end; from++, target++) this.#to[target] = values[from]!;
  }
}
