import { BatchFault } from '../batch-fault.js';
import { corrupt, type HuffmanTable, readHuffmanStream, readHuffmanTable } from './zstd-entropy.js';
import { readSequenceHeader, readSequences, type SequenceTables } from './zstd-sequences.js';

/**
 * A compressed block of Zstandard (RFC 8878, 3.1.1.3): literals, then the sequences that place them and the matches between.
 */

export const BLOCK_BYTES_MAX = 128 * 1024;
const SHORT_BYTES = 32;

/** Where a frame's content goes. */
export interface FrameOutput {
  bytes: Uint8Array;
  /** First byte of the frame's content; no match reaches further back. */
  from: number;
  at: number;
  /** Where it must end, by the frame's content size; null where the frame does not say. */
  end: number | null;
  /** For the words of a fault. */
  bytesMax: number;
}

/** What a frame carries from block to block. */
export interface FrameState extends SequenceTables {
  huffman: HuffmanTable | null;
  lastOffsets: [number, number, number];
}

export function newFrameState(): FrameState {
  return { huffman: null, literals: null, offsets: null, matches: null, lastOffsets: [1, 4, 8] };
}

/** Throws BatchFault where the output has no room for so many. */
export function reserve(output: FrameOutput, bytes: number): void {
  if (output.end !== null && bytes > output.end - output.at)
    throw corrupt('a frame of another size than it says');
  if (bytes > output.bytes.length - output.at) {
    throw new BatchFault('too_large', `a zstd payload of more than the limit of ${output.bytesMax} bytes`);
  }
}

/** Reads the block in [from, end), which gives at most `blockBytesMax`. */
export function readCompressedBlock(
  bytes: Uint8Array,
  range: { from: number; end: number; blockBytesMax: number },
  state: FrameState,
  output: FrameOutput,
): void {
  const { end, blockBytesMax } = range;
  const { literals, end: literalsEnd } = readLiterals(bytes, range, state);
  const limit = output.at + blockBytesMax;
  let literalsAt = 0;
  const copyLiterals = (count: number) => {
    if (count > literals.length - literalsAt) throw corrupt('sequences with more literals than there are');
    if (count > limit - output.at) throw corrupt('a block larger than its frame allows');
    reserve(output, count);
    copyFrom(literals, literalsAt, output, count);
    literalsAt += count;
  };
  const header = readSequenceHeader(bytes, literalsEnd, end, state);
  if (header !== null) {
    readSequences(bytes, end, header, (literalBytes, offsetValue, matchBytes) => {
      copyLiterals(literalBytes);
      const offset = offsetOf(state.lastOffsets, offsetValue, literalBytes);
      if (offset < 1 || offset > output.at - output.from) throw corrupt('a match before the content');
      if (matchBytes > limit - output.at) throw corrupt('a block larger than its frame allows');
      reserve(output, matchBytes);
      copyMatch(output, offset, matchBytes);
    });
  }
  copyLiterals(literals.length - literalsAt);
}

/** For few bytes a loop is cheaper than a view. */
function copyFrom(from: Uint8Array, at: number, output: FrameOutput, count: number): void {
  const { bytes, at: to } = output;
  output.at = to + count;
  if (count > SHORT_BYTES) {
    bytes.set(from.subarray(at, at + count), to);
    return;
  }
  for (let index = 0; index < count; index++) bytes[to + index] = from[at + index]!;
}

function copyMatch(output: FrameOutput, offset: number, matchBytes: number): void {
  const { bytes, at } = output;
  output.at = at + matchBytes;
  if (matchBytes > SHORT_BYTES && offset >= matchBytes) {
    bytes.copyWithin(at, at - offset, at - offset + matchBytes);
    return;
  }
  for (let to = at; to < output.at; to++) bytes[to] = bytes[to - offset]!;
}

/** Values 1 to 3 name one of the last offsets, without literals the one behind it; moves it to the front. */
function offsetOf(last: [number, number, number], value: number, literalBytes: number): number {
  if (value > 3) {
    last[2] = last[1];
    last[1] = last[0];
    last[0] = value - 3;
    return last[0];
  }
  const index = value - (literalBytes === 0 ? 0 : 1);
  const offset = index === 3 ? last[0] - 1 : last[index]!;
  if (index > 1) last[2] = last[1];
  if (index > 0) last[1] = last[0];
  last[0] = offset;
  return offset;
}

function readLiterals(
  bytes: Uint8Array,
  { from, end, blockBytesMax }: { from: number; end: number; blockBytesMax: number },
  state: FrameState,
): { literals: Uint8Array; end: number } {
  const { type, headerBytes, count, storedBytes, streams } = literalsHeader(bytes, from, end);
  if (count > blockBytesMax) throw corrupt('a block larger than its frame allows');
  const at = from + headerBytes;
  const literalsEnd = at + storedBytes;
  if (literalsEnd > end) throw corrupt('literals that are cut off');
  if (type === 0) return { literals: bytes.subarray(at, literalsEnd), end: literalsEnd };
  const literals = new Uint8Array(count);
  if (type === 1) return { literals: literals.fill(bytes[at]!), end: literalsEnd };
  let streamsAt = at;
  if (type === 2) {
    const tree = readHuffmanTable(bytes, at, literalsEnd);
    state.huffman = tree.table;
    streamsAt = tree.end;
  }
  if (state.huffman === null) throw corrupt('literals before the first Huffman tree');
  if (streams === 1) readHuffmanStream(bytes, streamsAt, literalsEnd, state.huffman, literals);
  else readFourStreams(bytes, streamsAt, literalsEnd, state.huffman, literals);
  return { literals, end: literalsEnd };
}

/** type 0 raw, 1 one byte repeated, 2 Huffman, 3 Huffman by the last tree. */
function literalsHeader(bytes: Uint8Array, from: number, end: number) {
  const byte = from < end ? bytes[from]! : 0;
  const type = byte & 3;
  const format = (byte >> 2) & 3;
  const headerBytes = type < 2 ? [1, 2, 1, 3][format]! : [3, 3, 4, 5][format]!;
  if (headerBytes > end - from) throw corrupt('a block that is cut off');
  let value = 0;
  for (let index = headerBytes - 1; index >= 0; index--) value = value * 256 + bytes[from + index]!;
  if (type < 2) {
    const count = Math.floor(value / (headerBytes === 1 ? 8 : 16));
    return { type, headerBytes, count, storedBytes: type === 0 ? count : 1, streams: 1 };
  }
  const sizes = Math.floor(value / 16);
  const scale = [2 ** 10, 2 ** 10, 2 ** 14, 2 ** 18][format]!;
  return {
    type,
    headerBytes,
    count: sizes % scale,
    storedBytes: Math.floor(sizes / scale),
    streams: format === 0 ? 1 : 4,
  };
}

function readFourStreams(
  bytes: Uint8Array,
  from: number,
  end: number,
  table: HuffmanTable,
  literals: Uint8Array,
): void {
  if (end - from < 6) throw corrupt('literals that are cut off');
  const part = (literals.length + 3) >> 2;
  if (3 * part > literals.length) throw corrupt('too few literals for four streams');
  let at = from + 6;
  for (let stream = 0; stream < 4; stream++) {
    const size = bytes[from + 2 * stream]! | (bytes[from + 2 * stream + 1]! << 8);
    const streamEnd = stream === 3 ? end : at + size;
    if (streamEnd > end) throw corrupt('literals that are cut off');
    const target = literals.subarray(stream * part, stream === 3 ? literals.length : (stream + 1) * part);
    readHuffmanStream(bytes, at, streamEnd, table, target);
    at = streamEnd;
  }
}
