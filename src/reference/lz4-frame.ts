import { BatchFault } from './batch-fault.js';
import { lz4 } from './native-codecs.js';

/**
 * LZ4 frames as Kafka's clients write them: one frame that ends exactly where the batch ends. The library would take a
 * frame without its end mark, several frames, or anything behind one, so the frame is walked first, which also bounds
 * what it can grow to before a byte is allocated for it. (A compressed block gives at most 255 times its size, and never
 * more than the block size of its header.)
 *
 *   magic u32 LE │ FLG │ BD │ content size u64? │ header checksum │ (block size u32 │ block │ checksum u32?)* │ 0 u32 │ checksum u32?
 */

const MAGIC = 0x184d2204;
const UNCOMPRESSED = 0x80000000;
/** By the three bits of BD. */
const BLOCK_BYTES_MAX: Readonly<Record<number, number>> = { 4: 1 << 16, 5: 1 << 18, 6: 1 << 20, 7: 1 << 22 };

/** Throws BatchFault `corrupt`, or `too_large` where the frame could hold more than `bytesMax`. */
export function decompressFrame(frame: Uint8Array, bytesMax: number): Uint8Array {
  const announced = announcedWithin(frame, bytesMax);
  try {
    return asAnnounced(lz4.decompressFrameSync(bufferOf(frame)), announced);
  } catch (error) {
    throw asFault(error);
  }
}

/** The same by another thread. */
export async function decompressFrameAside(frame: Uint8Array, bytesMax: number): Promise<Uint8Array> {
  const announced = announcedWithin(frame, bytesMax);
  try {
    return asAnnounced(await lz4.decompressFrame(bufferOf(frame)), announced);
  } catch (error) {
    throw asFault(error);
  }
}

function announcedWithin(frame: Uint8Array, bytesMax: number): Announced {
  const announced = announcedBytes(frame);
  // the content size is compared, never believed: blocks that hold more than it says would be decompressed all the same
  if (announced.bytesMax > bytesMax) {
    throw new BatchFault(
      'too_large',
      `an LZ4 frame of up to ${announced.bytesMax} bytes, over the limit of ${bytesMax}`,
    );
  }
  return announced;
}

function asAnnounced(content: Uint8Array, announced: Announced): Uint8Array {
  if (announced.contentBytes !== null && announced.contentBytes !== content.byteLength) {
    throw new BatchFault('corrupt', 'an LZ4 frame of another size than it says');
  }
  // linked blocks that grow over the block size pass the library
  if (content.byteLength > announced.bytesMax)
    throw new BatchFault('corrupt', 'an LZ4 frame larger than it can be');
  return content;
}

function asFault(error: unknown): BatchFault {
  if (error instanceof BatchFault) return error;
  return new BatchFault('corrupt', `LZ4: ${error instanceof Error ? error.message : String(error)}`);
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

interface Announced {
  bytesMax: number;
  contentBytes: number | null;
}

/** The most that a frame can hold by its headers, and what it says it holds, if it does. */
export function announcedBytes(frame: Uint8Array): Announced {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  let at = 0;
  const take = (bytes: number) => {
    if (bytes > frame.byteLength - at) throw new BatchFault('corrupt', 'an LZ4 frame that is cut off');
    at += bytes;
    return at - bytes;
  };
  if (view.getUint32(take(4), true) !== MAGIC) throw new BatchFault('corrupt', 'not an LZ4 frame');
  const flags = view.getUint8(take(1));
  const blockBytesMax = BLOCK_BYTES_MAX[(view.getUint8(take(1)) >> 4) & 7];
  // version 01, no dictionary
  if (flags >> 6 !== 1 || (flags & 0x01) !== 0 || blockBytesMax === undefined) {
    throw new BatchFault('corrupt', 'an LZ4 frame with a header that no Kafka client writes');
  }
  const contentBytes = (flags & 0x08) === 0 ? null : Number(view.getBigUint64(take(8), true));
  take(1);
  const blockChecksumBytes = (flags & 0x10) === 0 ? 0 : 4;
  let bytesMax = 0;
  for (;;) {
    const size = view.getUint32(take(4), true);
    if (size === 0) break;
    const stored = size % UNCOMPRESSED;
    if (stored > blockBytesMax) throw new BatchFault('corrupt', 'an LZ4 block larger than its frame allows');
    // the library would take it for the end and leave out what comes behind it
    if (stored === 0 || size === 1) throw new BatchFault('corrupt', 'an LZ4 block without content');
    take(stored + blockChecksumBytes);
    bytesMax += size >= UNCOMPRESSED ? stored : Math.min(blockBytesMax, stored * 255);
  }
  if ((flags & 0x04) !== 0) take(4);
  if (at !== frame.byteLength) throw new BatchFault('corrupt', 'bytes behind an LZ4 frame');
  if (contentBytes !== null && contentBytes > bytesMax) {
    throw new BatchFault('corrupt', 'an LZ4 frame that says it holds more than it can');
  }
  return { bytesMax, contentBytes };
}
