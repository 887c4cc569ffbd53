import {
  bitsAt,
  corrupt,
  type FseTable,
  fseTable,
  readFseTable,
  singleTable,
  streamStart,
} from './zstd-entropy.js';

/**
 * The sequences of a compressed block (RFC 8878, 3.1.1.3.2): so many literals, then a match so far back and so long, each
 * number a code with further bits.
 */

/** What a frame carries from block to block. */
export interface SequenceTables {
  literals: FseTable | null;
  offsets: FseTable | null;
  matches: FseTable | null;
}

export interface SequenceHeader {
  count: number;
  literals: FseTable;
  offsets: FseTable;
  matches: FseTable;
  /** Where the bit stream begins. */
  at: number;
}

const LITERAL_BITS = [
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14,
  15, 16,
];
const MATCH_BITS = [
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1,
  2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
];
const LITERAL_BASES = bases(LITERAL_BITS, 0);
const MATCH_BASES = bases(MATCH_BITS, 3);
const OFFSET_SYMBOL_MAX = 31;

const DEFAULT_LITERALS = fseTable(
  [
    4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1,
    -1, -1,
  ],
  6,
);
const DEFAULT_OFFSETS = fseTable(
  [1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1],
  5,
);
const DEFAULT_MATCHES = fseTable(
  [
    1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
  ],
  6,
);

/** Each code begins where the one before it ends. */
function bases(bits: readonly number[], first: number): Uint32Array {
  const found = new Uint32Array(bits.length);
  let base = first;
  bits.forEach((count, code) => {
    found[code] = base;
    base += 2 ** count;
  });
  return found;
}

/** Null: no sequences, and nothing else either. */
export function readSequenceHeader(
  bytes: Uint8Array,
  from: number,
  end: number,
  tables: SequenceTables,
): SequenceHeader | null {
  let at = from;
  const take = () => {
    if (at >= end) throw corrupt('sequences that are cut off');
    return bytes[at++]!;
  };
  let count = take();
  if (count === 0) {
    if (at !== end) throw corrupt('bytes behind a block');
    return null;
  }
  if (count === 255) count = take() + (take() << 8) + 0x7f00;
  else if (count > 127) count = ((count - 128) << 8) + take();
  const modes = take();
  if ((modes & 3) !== 0) throw corrupt('a reserved bit');
  const readTable = (
    mode: number,
    limits: { accuracyMax: number; symbolMax: number },
    ways: { standard: FseTable; last: FseTable | null },
  ): FseTable => {
    if (mode === 0) return ways.standard;
    if (mode === 3) {
      if (ways.last === null) throw corrupt('a table before the first');
      return ways.last;
    }
    if (mode === 1) {
      const symbol = take();
      if (symbol > limits.symbolMax) throw corrupt('an unknown code');
      return singleTable(symbol);
    }
    const read = readFseTable(bytes, at, end, limits);
    at = read.end;
    return read.table;
  };
  tables.literals = readTable(
    modes >> 6,
    { accuracyMax: 9, symbolMax: LITERAL_BITS.length - 1 },
    { standard: DEFAULT_LITERALS, last: tables.literals },
  );
  tables.offsets = readTable(
    (modes >> 4) & 3,
    { accuracyMax: 8, symbolMax: OFFSET_SYMBOL_MAX },
    { standard: DEFAULT_OFFSETS, last: tables.offsets },
  );
  tables.matches = readTable(
    (modes >> 2) & 3,
    { accuracyMax: 9, symbolMax: MATCH_BITS.length - 1 },
    { standard: DEFAULT_MATCHES, last: tables.matches },
  );
  return { count, literals: tables.literals, offsets: tables.offsets, matches: tables.matches, at };
}

/** Calls with each sequence: literals, offset value (1–3: one of the last ones), match length. */
export function readSequences(
  bytes: Uint8Array,
  end: number,
  { count, literals, offsets, matches, at: from }: SequenceHeader,
  onSequence: (literalBytes: number, offsetValue: number, matchBytes: number) => void,
): void {
  const floor = from * 8;
  let place = streamStart(bytes, from, end);
  const read = (bits: number) => {
    place -= bits;
    return bitsAt(bytes, place, bits);
  };
  let literal = read(literals.accuracy);
  let offset = read(offsets.accuracy);
  let match = read(matches.accuracy);
  for (let index = 1; ; index++) {
    const offsetBits = offsets.symbols[offset]!;
    // two steps, since up to 31 bits
    const high = offsetBits > 16 ? read(offsetBits - 16) * 65536 : 0;
    const offsetValue = 2 ** offsetBits + high + read(Math.min(offsetBits, 16));
    const matchCode = matches.symbols[match]!;
    const matchBytes = MATCH_BASES[matchCode]! + read(MATCH_BITS[matchCode]!);
    const literalCode = literals.symbols[literal]!;
    const literalBytes = LITERAL_BASES[literalCode]! + read(LITERAL_BITS[literalCode]!);
    if (place < floor) throw corrupt('sequences that are cut off');
    onSequence(literalBytes, offsetValue, matchBytes);
    if (index === count) break;
    literal = literals.bases[literal]! + read(literals.bits[literal]!);
    match = matches.bases[match]! + read(matches.bits[match]!);
    offset = offsets.bases[offset]! + read(offsets.bits[offset]!);
  }
  if (place !== floor) throw corrupt('sequences with bits left over');
}
