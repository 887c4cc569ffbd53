import { BatchFault } from '../batch-fault.js';
import {
  BLOCK_BYTES_MAX,
  type FrameOutput,
  newFrameState,
  readCompressedBlock,
  reserve,
} from './zstd-block.js';
import { corrupt } from './zstd-entropy.js';

/**
 * Zstandard (RFC 8878), since Node has it only from 22.15 on and without a bound: frames and skippable frames, without
 * dictionaries, which must fill the payload exactly.
 *
 *   magic u32 LE │ descriptor │ window u8? │ dictionary id? │ content size? │ block* │ checksum u32?
 *   block: header 3 bytes LE: last 1 bit, type 2 bits, size 21 bits │ bytes      skippable: magic u32 │ size u32 │ bytes
 *
 * The frames are walked first: they must be whole, and what their blocks can hold at most bounds what is allocated, whatever
 * the content size says. The content's checksum is not compared: the batch's own covers the bytes it was made into.
 */

const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
/** Types of blocks. */
const RAW = 0;
const REPEATED = 1;
const COMPRESSED = 2;

interface Frame {
  blocksAt: number;
  end: number;
  contentBytes: number | null;
  blockBytesMax: number;
  /** The most that its blocks can hold. */
  bytesMax: number;
}

/** Throws BatchFault `corrupt`, or `too_large` over `bytesMax`. */
export function decompressZstd(payload: Uint8Array, bytesMax: number): Uint8Array {
  const frames = readFrames(payload);
  const sum = frames.reduce((total, frame) => total + (frame.contentBytes ?? 0), 0);
  if (sum > bytesMax)
    throw new BatchFault('too_large', `a zstd payload of ${sum} bytes, over the limit of ${bytesMax}`);
  const room = frames.reduce((total, frame) => total + (frame.contentBytes ?? frame.bytesMax), 0);
  const output: FrameOutput = {
    bytes: new Uint8Array(Math.min(room, bytesMax)),
    from: 0,
    at: 0,
    end: null,
    bytesMax,
  };
  for (const frame of frames) {
    output.from = output.at;
    output.end = frame.contentBytes === null ? null : output.at + frame.contentBytes;
    readBlocks(payload, frame, output);
    if (output.end !== null && output.at !== output.end) {
      throw corrupt('a frame of another size than it says');
    }
  }
  return output.bytes.subarray(0, output.at);
}

/** Whole frames up to the payload's end. */
function readFrames(payload: Uint8Array): Frame[] {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const frames: Frame[] = [];
  let at = 0;
  while (at < payload.length) {
    if (payload.length - at < 4) throw corrupt('a frame that is cut off');
    const magic = view.getUint32(at, true);
    if (magic === MAGIC) {
      const frame = readFrame(view, at + 4);
      frames.push(frame);
      at = frame.end;
    } else if ((magic & 0xfffffff0) === SKIPPABLE_MAGIC && payload.length - at >= 8) {
      at += 8 + view.getUint32(at + 4, true);
      if (at > payload.length) throw corrupt('a frame that is cut off');
    } else {
      throw corrupt('not a frame');
    }
  }
  return frames;
}

function readFrame(view: DataView, from: number): Frame {
  let at = from;
  const take = (bytes: number) => {
    if (bytes > view.byteLength - at) throw corrupt('a frame that is cut off');
    at += bytes;
    return at - bytes;
  };
  const descriptor = view.getUint8(take(1));
  if ((descriptor & 0x08) !== 0) throw corrupt('a reserved bit');
  const isSingle = (descriptor & 0x20) !== 0;
  const window = isSingle ? null : view.getUint8(take(1));
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
  const dictionaryAt = take(dictionaryBytes);
  for (let index = 0; index < dictionaryBytes; index++) {
    if (view.getUint8(dictionaryAt + index) !== 0) throw corrupt('a frame that needs a dictionary');
  }
  const contentBytes = readContentBytes(view, [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6]!, take);
  const windowBytes = window === null ? contentBytes! : 2 ** (10 + (window >> 3)) * (1 + (window & 7) / 8);
  const frame = { contentBytes, blockBytesMax: Math.min(BLOCK_BYTES_MAX, windowBytes), blocksAt: at };
  let bytesMax = 0;
  for (let isLast = false; !isLast; ) {
    const { last, type, size } = blockHeader(view, take(3));
    isLast = last;
    if (size > frame.blockBytesMax) throw corrupt('a block larger than its frame allows');
    take(type === REPEATED ? 1 : size);
    bytesMax += type === COMPRESSED ? frame.blockBytesMax : size;
  }
  if ((descriptor & 0x04) !== 0) take(4);
  if (contentBytes !== null && contentBytes > bytesMax)
    throw corrupt('a frame that says it holds more than it can');
  return { ...frame, end: at, bytesMax };
}

function readContentBytes(view: DataView, bytes: number, take: (bytes: number) => number): number | null {
  const at = take(bytes);
  if (bytes === 0) return null;
  if (bytes === 1) return view.getUint8(at);
  if (bytes === 2) return view.getUint16(at, true) + 256;
  return bytes === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
}

function blockHeader(view: DataView, at: number): { last: boolean; type: number; size: number } {
  const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
  const type = (header >> 1) & 3;
  if (type > COMPRESSED) throw corrupt('a block of unknown type');
  return { last: (header & 1) === 1, type, size: header >> 3 };
}

/** The frame was walked: its blocks are whole. */
function readBlocks(payload: Uint8Array, frame: Frame, output: FrameOutput): void {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const { blockBytesMax } = frame;
  const state = newFrameState();
  let at = frame.blocksAt;
  for (let isLast = false; !isLast; ) {
    const { last, type, size } = blockHeader(view, at);
    isLast = last;
    at += 3;
    if (type === COMPRESSED) {
      readCompressedBlock(payload, { from: at, end: at + size, blockBytesMax }, state, output);
      at += size;
      continue;
    }
    reserve(output, size);
    if (type === RAW) output.bytes.set(payload.subarray(at, at + size), output.at);
    else output.bytes.fill(payload[at]!, output.at, output.at + size);
    output.at += size;
    at += type === RAW ? size : 1;
  }
}
