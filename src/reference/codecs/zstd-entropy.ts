import { BatchFault } from '../batch-fault.js';

/**
 * Entropy coding of Zstandard (RFC 8878, 4.1 and 4.2): finite state entropy and Huffman tables, and the bits they read.
 *
 * Bits are read backwards: from the highest set bit of a stream's last byte down to its first. A place in a stream is a bit
 * number that sinks; reading below the stream's begin gives the bits of what lies before it, and whoever reads compares the
 * place with the begin when done.
 */

/** A state gives a symbol; the next state is `base` + the next `bits` bits. */
export interface FseTable {
  accuracy: number;
  symbols: Uint8Array;
  bits: Uint8Array;
  bases: Uint16Array;
}

/** By the next `bits` bits: symbol << 4 | bits that it takes. */
export interface HuffmanTable {
  bits: number;
  entries: Uint16Array;
}

const HUFFMAN_BITS_MAX = 11;
const WEIGHT_ACCURACY_MAX = 6;

export function corrupt(what: string): BatchFault {
  return new BatchFault('corrupt', `zstd: ${what}`);
}

/** Up to 24 bits from bit `place` on; what lies before the bytes is 0. */
export function bitsAt(bytes: Uint8Array, place: number, count: number): number {
  const at = place >> 3;
  const word =
    at < 0
      ? edgeWord(bytes, at)
      : bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  return (word >>> (place & 7)) & ((1 << count) - 1);
}

function edgeWord(bytes: Uint8Array, at: number): number {
  let word = 0;
  for (let index = 0; index < 4; index++) word |= (bytes[at + index] ?? 0) << (8 * index);
  return word;
}

/** The place behind the first bit of a stream in [from, end). */
export function streamStart(bytes: Uint8Array, from: number, end: number): number {
  const last = end > from ? bytes[end - 1]! : 0;
  if (last === 0) throw corrupt('a bit stream without its end');
  return (end - 1) * 8 + highBit(last);
}

/** A table's description at `from`, which must end by `end`. */
export function readFseTable(
  bytes: Uint8Array,
  from: number,
  end: number,
  limits: { accuracyMax: number; symbolMax: number },
): { table: FseTable; end: number } {
  const accuracy = (from < end ? bytes[from]! & 15 : 15) + 5;
  if (accuracy > limits.accuracyMax) throw corrupt('a table too fine');
  const counts: number[] = [];
  let place = from * 8 + 4;
  let left = 1 << accuracy;
  while (left > 0 && counts.length <= limits.symbolMax) {
    const bits = highBit(left + 1) + 1;
    const lowMask = (1 << (bits - 1)) - 1;
    const threshold = (1 << bits) - 2 - left;
    let value = bitsAt(bytes, place, bits);
    place += bits;
    if ((value & lowMask) < threshold) {
      place--;
      value &= lowMask;
    } else if (value > lowMask) {
      value -= threshold;
    }
    // −1: less than one
    const count = value - 1;
    left -= Math.abs(count);
    counts.push(count);
    if (count !== 0) continue;
    for (let repeat = 3; repeat === 3 && counts.length <= limits.symbolMax; ) {
      repeat = bitsAt(bytes, place, 2);
      place += 2;
      for (let index = 0; index < repeat; index++) counts.push(0);
    }
  }
  const tableEnd = (place + 7) >> 3;
  if (left !== 0 || counts.length > limits.symbolMax + 1 || tableEnd > end) throw corrupt('a lying table');
  return { table: fseTable(counts, accuracy), end: tableEnd };
}

/** `counts` by symbol, −1 for one that gets a single state; together 2^accuracy. */
export function fseTable(counts: readonly number[], accuracy: number): FseTable {
  const size = 1 << accuracy;
  const symbols = new Uint8Array(size);
  const next = counts.map((count) => Math.abs(count));
  let high = size;
  counts.forEach((count, symbol) => {
    if (count === -1) symbols[--high] = symbol;
  });
  const step = (size >> 1) + (size >> 3) + 3;
  let at = 0;
  counts.forEach((count, symbol) => {
    for (let index = 0; index < count; index++) {
      symbols[at] = symbol;
      do at = (at + step) & (size - 1);
      while (at >= high);
    }
  });
  if (at !== 0) throw corrupt('a lying table');
  const bits = new Uint8Array(size);
  const bases = new Uint16Array(size);
  for (let state = 0; state < size; state++) {
    const count = next[symbols[state]!]!++;
    bits[state] = accuracy - highBit(count);
    bases[state] = (count << bits[state]!) - size;
  }
  return { accuracy, symbols, bits, bases };
}

/** The table of one symbol. */
export function singleTable(symbol: number): FseTable {
  return {
    accuracy: 0,
    symbols: Uint8Array.of(symbol),
    bits: Uint8Array.of(0),
    bases: Uint16Array.of(0),
  };
}

/** A tree's description at `from`. */
export function readHuffmanTable(
  bytes: Uint8Array,
  from: number,
  end: number,
): { table: HuffmanTable; end: number } {
  if (from >= end) throw corrupt('a Huffman tree that is cut off');
  const header = bytes[from]!;
  const treeEnd = from + 1 + (header < 128 ? header : (header - 126) >> 1);
  if (treeEnd > end) throw corrupt('a Huffman tree that is cut off');
  const weights =
    header < 128
      ? compressedWeights(bytes, from + 1, treeEnd)
      : Array.from({ length: header - 127 }, (_, index) => {
          const pair = bytes[from + 1 + (index >> 1)]!;
          return index % 2 === 0 ? pair >> 4 : pair & 15;
        });
  return { table: huffmanTable(weights), end: treeEnd };
}

/** Two states take turns until the bits are used up; what both then stand for is the end. */
function compressedWeights(bytes: Uint8Array, from: number, end: number): number[] {
  const { table, end: begin } = readFseTable(bytes, from, end, {
    accuracyMax: WEIGHT_ACCURACY_MAX,
    symbolMax: HUFFMAN_BITS_MAX + 1,
  });
  let place = streamStart(bytes, begin, end);
  const floor = begin * 8;
  const states = [0, 0];
  for (const turn of [0, 1]) {
    place -= table.accuracy;
    states[turn] = bitsAt(bytes, place, table.accuracy);
  }
  if (place < floor) throw corrupt('Huffman weights that are cut off');
  const weights: number[] = [];
  for (let turn = 0; weights.length < 254; turn ^= 1) {
    const state = states[turn]!;
    weights.push(table.symbols[state]!);
    place -= table.bits[state]!;
    if (place < floor) {
      weights.push(table.symbols[states[turn ^ 1]!]!);
      return weights;
    }
    states[turn] = table.bases[state]! + bitsAt(bytes, place, table.bits[state]!);
  }
  throw corrupt('more Huffman weights than symbols');
}

/** The last symbol's weight is what the others leave of a power of two. */
function huffmanTable(weights: number[]): HuffmanTable {
  let sum = 0;
  for (const weight of weights) {
    if (weight > HUFFMAN_BITS_MAX) throw corrupt('a Huffman code too long');
    if (weight > 0) sum += 1 << (weight - 1);
  }
  const bits = highBit(sum) + 1;
  const rest = (1 << bits) - sum;
  if (sum === 0 || bits > HUFFMAN_BITS_MAX || (rest & (rest - 1)) !== 0)
    throw corrupt('a Huffman tree with holes');
  weights.push(highBit(rest) + 1);
  const entries = new Uint16Array(1 << bits);
  let at = 0;
  for (let weight = 1; weight <= bits; weight++) {
    weights.forEach((own, symbol) => {
      if (own !== weight) return;
      const places = 1 << (weight - 1);
      entries.fill((symbol << 4) | (bits + 1 - weight), at, at + places);
      at += places;
    });
  }
  return { bits, entries };
}

/** Fills `target` from the stream in [from, end), which must hold exactly as much. */
export function readHuffmanStream(
  bytes: Uint8Array,
  from: number,
  end: number,
  table: HuffmanTable,
  target: Uint8Array,
): void {
  const { bits, entries } = table;
  const mask = entries.length - 1;
  const floor = from * 8;
  let place = streamStart(bytes, from, end);
  for (let index = 0; index < target.length; index++) {
    const peek = place - bits;
    const at = peek >> 3;
    const word = at < 0 ? edgeWord(bytes, at) : bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
    const entry = entries[(word >>> (peek & 7)) & mask]!;
    target[index] = entry >> 4;
    place -= entry & 15;
    if (place < floor) throw corrupt('literals that are cut off');
  }
  if (place !== floor) throw corrupt('literals with bits left over');
}

/** Number of the highest set bit; −1 for 0. */
export function highBit(value: number): number {
  return 31 - Math.clz32(value);
}
