import { BatchFault } from '../batch-fault.js';

/**
 * Snappy, as Kafka's clients write it. Java's write xerial's framing, librdkafka's one raw block:
 *
 *   0x82 S N A P P Y 0 │ version i32 BE │ least compatible version i32 BE │ (bytes i32 BE │ raw block)*
 *
 *   raw block: bytes of the content varint │ element*
 *   element: tag u8, its two low bits 0 literal: bytes − 1 (6 bits, or in the next 1 to 4 bytes LE: 60 to 63) │ bytes
 *                                    1 copy: bytes − 4 (3 bits), offset (3 high bits │ u8)
 *                                    2, 3 copy: bytes − 1 (6 bits) │ offset u16 LE or u32 LE
 *
 * There is no checksum. A copy of three bytes gives at most 64, which bounds what a block can say of itself.
 */

const XERIAL_MAGIC = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0];
const XERIAL_HEADER_BYTES = 16;
const XERIAL_VERSION_MIN = 1;
const SHORT_BYTES = 32;

interface RawBlock {
  /** Where its elements begin. */
  at: number;
  end: number;
  contentBytes: number;
}

/** Throws BatchFault `corrupt`, or `too_large` over `bytesMax`. */
export function decompressSnappy(payload: Uint8Array, bytesMax: number): Uint8Array {
  const blocks = isFramed(payload) ? framedBlocks(payload) : [rawBlock(payload, 0, payload.length)];
  const sum = blocks.reduce((total, { contentBytes }) => total + contentBytes, 0);
  if (sum > bytesMax) {
    throw new BatchFault('too_large', `a snappy payload of ${sum} bytes, over the limit of ${bytesMax}`);
  }
  const content = new Uint8Array(sum);
  let at = 0;
  for (const block of blocks) {
    readElements(payload, block, content.subarray(at, at + block.contentBytes));
    at += block.contentBytes;
  }
  return content;
}

function isFramed(payload: Uint8Array): boolean {
  return (
    payload.length >= XERIAL_HEADER_BYTES && XERIAL_MAGIC.every((byte, index) => payload[index] === byte)
  );
}

function framedBlocks(payload: Uint8Array): RawBlock[] {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  // a later version says in its second number which readers can read it
  if (view.getInt32(12) !== XERIAL_VERSION_MIN) throw corrupt('a framing of another version');
  const blocks: RawBlock[] = [];
  let at = XERIAL_HEADER_BYTES;
  while (at < payload.length) {
    if (payload.length - at < 4) throw corrupt('a block that is cut off');
    const bytes = view.getUint32(at);
    at += 4;
    if (bytes > payload.length - at) throw corrupt('a block that is cut off');
    blocks.push(rawBlock(payload, at, at + bytes));
    at += bytes;
  }
  return blocks;
}

function rawBlock(payload: Uint8Array, from: number, end: number): RawBlock {
  let contentBytes = 0;
  for (let index = 0; index < 5; index++) {
    if (from + index >= end) throw corrupt('a block that is cut off');
    const byte = payload[from + index]!;
    contentBytes += (byte & 0x7f) * 2 ** (7 * index);
    if (byte >= 0x80) continue;
    if (contentBytes * 3 > (end - from) * 64) throw corrupt('a block that says it holds more than it can');
    return { at: from + index + 1, end, contentBytes };
  }
  throw corrupt('a length of more than 32 bits');
}

/** The elements must fill the content exactly. */
function readElements(payload: Uint8Array, { at: from, end }: RawBlock, content: Uint8Array): void {
  let at = from;
  let filled = 0;
  while (at < end) {
    const tag = payload[at++]!;
    const kind = tag & 3;
    if (kind === 0) {
      let bytes = (tag >> 2) + 1;
      if (bytes > 60) {
        const lengthBytes = bytes - 60;
        if (lengthBytes > end - at) throw corrupt('a literal that is cut off');
        bytes = 1 + littleEndian(payload, at, lengthBytes);
        at += lengthBytes;
      }
      if (bytes > end - at) throw corrupt('a literal that is cut off');
      if (bytes > content.length - filled) throw corrupt('a block that holds more than it says');
      content.set(payload.subarray(at, at + bytes), filled);
      at += bytes;
      filled += bytes;
      continue;
    }
    const offsetBytes = [0, 1, 2, 4][kind]!;
    if (offsetBytes > end - at) throw corrupt('a copy that is cut off');
    const low = littleEndian(payload, at, offsetBytes);
    at += offsetBytes;
    const offset = kind === 1 ? ((tag >> 5) << 8) | low : low;
    const bytes = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    if (offset === 0 || offset > filled) throw corrupt('a copy from before the content');
    if (bytes > content.length - filled) throw corrupt('a block that holds more than it says');
    copyBack(content, filled, offset, bytes);
    filled += bytes;
  }
  if (filled !== content.length) throw corrupt('a block that holds less than it says');
}

function copyBack(content: Uint8Array, at: number, offset: number, bytes: number): void {
  if (bytes > SHORT_BYTES && offset >= bytes) {
    content.copyWithin(at, at - offset, at - offset + bytes);
    return;
  }
  for (let to = at; to < at + bytes; to++) content[to] = content[to - offset]!;
}

function littleEndian(payload: Uint8Array, at: number, bytes: number): number {
  let value = 0;
  for (let index = bytes - 1; index >= 0; index--) value = value * 256 + payload[at + index]!;
  return value;
}

function corrupt(what: string): BatchFault {
  return new BatchFault('corrupt', `snappy: ${what}`);
}
