import { type Data, DataType } from 'apache-arrow';
import type { RowPlaces } from './row-places.js';
import { isNull } from './take-rows.js';

/**
 * A hash of some columns of rows, 53 bits as a number: equal for equal values, whatever file they lie in. It finds the change row
 * that takes another back, among the rows of one partition; two different rows that share one would be told apart by their keys first.
 */
export class RowHashes {
  readonly #low: Uint32Array;
  readonly #high: Uint32Array;
  readonly #places: RowPlaces;

  constructor(places: RowPlaces) {
    this.#places = places;
    this.#low = new Uint32Array(places.length).fill(0x811c9dc5);
    this.#high = new Uint32Array(places.length).fill(0x2545f491);
  }

  /** Takes a column in; the order of columns counts. */
  take(chunks: readonly Data[]): void {
    const { length, chunk, at } = this.#places;
    const mixers = chunks.map((data) => this.#mixer(data));
    for (let row = 0; row < length; row++) {
      const data = chunks[chunk[row]!]!;
      if (isNull(data, at[row]!)) this.#mix(row, 0x9e3779b9);
      else mixers[chunk[row]!]!(row, at[row]!);
    }
  }

  of(row: number): number {
    return (this.#high[row]! & 0x1fffff) * 2 ** 32 + this.#low[row]!;
  }

  #mixer(data: Data): (row: number, at: number) => void {
    const type = data.type as DataType;
    if (DataType.isUtf8(type)) {
      const [values, ends] = [data.values as Uint8Array, data.valueOffsets as Int32Array];
      return (row, at) => this.#mixBytes(row, values, ends[at]!, ends[at + 1]!);
    }
    if (DataType.isList(type)) {
      const child = data.children[0]!;
      const [lists, ends] = [data.valueOffsets as Int32Array, child.valueOffsets as Int32Array];
      return (row, at) => {
        this.#mix(row, lists[at + 1]! - lists[at]!);
        for (let item = lists[at]!; item < lists[at + 1]!; item++)
          this.#mixBytes(row, child.values as Uint8Array, ends[item]!, ends[item + 1]!);
      };
    }
    if (DataType.isBool(type)) {
      const [bits, offset] = [data.values as Uint8Array, data.offset];
      return (row, at) => this.#mix(row, (bits[(offset + at) >> 3]! >> ((offset + at) & 7)) & 1);
    }
    const values = data.values as Int32Array | BigInt64Array | Float64Array;
    if (values.BYTES_PER_ELEMENT !== 8) return (row, at) => this.#mix(row, Number(values[at]));
    const words = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
    return (row, at) => {
      this.#mix(row, words[2 * at]!);
      this.#mix(row, words[2 * at + 1]!);
    };
  }

  #mixBytes(row: number, bytes: Uint8Array, from: number, to: number): void {
    this.#mix(row, to - from);
    let at = from;
    for (; at + 4 <= to; at += 4)
      this.#mix(row, bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
    let rest = 0;
    for (; at < to; at++) rest = (rest << 8) | bytes[at]!;
    this.#mix(row, rest);
  }

  /** Two multiplicative hashes with different constants (murmur3's steps). */
  #mix(row: number, word: number): void {
    let low = Math.imul(word, 0xcc9e2d51);
    low = Math.imul((low << 15) | (low >>> 17), 0x1b873593) ^ this.#low[row]!;
    this.#low[row] = Math.imul((low << 13) | (low >>> 19), 5) + 0xe6546b64;
    let high = Math.imul(word, 0x85ebca6b);
    high = Math.imul((high << 16) | (high >>> 16), 0xc2b2ae35) ^ this.#high[row]!;
    this.#high[row] = Math.imul((high << 11) | (high >>> 21), 9) + 0x38495ab5;
  }
}
