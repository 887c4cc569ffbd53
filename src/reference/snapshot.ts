import { HeadraceError, messageOf } from '../errors.js';
import { decompressFrame, decompressFrameAside } from './lz4-frame.js';
import { crc32c, lz4 } from './native-codecs.js';
import type { Turns } from './turns.js';

/**
 * A lane's state as a file. It names what it is a snapshot of, and is taken for that and nothing else: with any other
 * lane, offset, cut or model, and with any damage, it is unusable, and the lane is replayed from an older one.
 *
 * ```
 *  0   magic "HEADRSNP" │ 8 format version u32 │ 12 CRC-32C u32 over all other bytes │ 16 meta bytes u32
 *  20  meta: JSON { modelHash, appId, partition, offset, cutId, contentBytes }
 *      chunks: content bytes u32 │ frame bytes u32 │ LZ4 frame of the next 4 MiB of content (the last one: of the rest)
 * ```
 * Little-endian. The content is state-codec.ts.
 */

/** What a snapshot is of. */
export interface SnapshotMeta {
  modelHash: string;
  appId: string;
  partition: number;
  /** The offset behind the last event in it. */
  offset: bigint;
  cutId: string;
}

const MAGIC = Buffer.from('HEADRSNP');
const FORMAT_VERSION = 4;
export const CHECKSUM_AT = 12;
const HEADER_BYTES = 20;
const CHUNK_HEADER_BYTES = 8;
export const CHUNK_CONTENT_BYTES_MAX = 4 * 2 ** 20;
/** The largest block of LZ4: a frame's headers bound its content to within one. */
const LZ4_BLOCK_BYTES_MAX = 4 * 2 ** 20;
/** The most that LZ4 makes of a byte. */
const LZ4_RATIO_MAX = 255;

/** The whole file at once. snapshot-writer.ts makes the same beside other work. */
export function encodeSnapshot(content: Uint8Array, meta: SnapshotMeta): Uint8Array {
  const parts = [snapshotHead(meta, content.byteLength)];
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  for (let at = 0; at < bytes.length; at += CHUNK_CONTENT_BYTES_MAX) {
    const chunk = bytes.subarray(at, at + CHUNK_CONTENT_BYTES_MAX);
    const frame = lz4.compressFrameSync(chunk);
    parts.push(chunkHead(chunk.length, frame.length), frame);
  }
  const file = Buffer.concat(parts);
  file.writeUInt32LE(checksum(file), CHECKSUM_AT);
  return file;
}

/** What stands before the chunks; the checksum is still missing. */
export function snapshotHead(meta: SnapshotMeta, contentBytes: number): Buffer {
  const metaJson = Buffer.from(JSON.stringify({ ...plain(meta), contentBytes }));
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt32LE(FORMAT_VERSION, 8);
  header.writeUInt32LE(metaJson.length, 16);
  return Buffer.concat([header, metaJson]);
}

export function chunkHead(contentBytes: number, frameBytes: number): Buffer {
  const sizes = Buffer.alloc(CHUNK_HEADER_BYTES);
  sizes.writeUInt32LE(contentBytes, 0);
  sizes.writeUInt32LE(frameBytes, 4);
  return sizes;
}

/** Its content. Throws HeadraceError SNAPSHOT_UNUSABLE with the reason. */
export function decodeSnapshot(bytes: Uint8Array, expected: SnapshotMeta): Uint8Array {
  try {
    const opened = open(bytes, expected);
    const content = Buffer.allocUnsafe(opened.contentBytes);
    let at = 0;
    for (const chunk of opened.chunks) {
      at += put(content, at, chunk, decompressFrame(chunk.frame, frameBytesMax(chunk)));
    }
    return content;
  } catch (error) {
    throw snapshotUnusable(error, expected);
  }
}

/** The same beside other work: other threads decompress. */
export async function decodeSnapshotInTurns(
  bytes: Uint8Array,
  expected: SnapshotMeta,
  turns: Turns,
): Promise<Uint8Array> {
  try {
    const opened = open(bytes, expected);
    const content = Buffer.allocUnsafe(opened.contentBytes);
    let at = 0;
    for (const chunk of opened.chunks) {
      const part = await turns.aside(decompressFrameAside(chunk.frame, frameBytesMax(chunk)));
      at += put(content, at, chunk, part);
      await turns.turn();
    }
    return content;
  } catch (error) {
    throw snapshotUnusable(error, expected);
  }
}

/** Whether its bytes are those that were written, without a look at the content. Throws HeadraceError SNAPSHOT_UNUSABLE. */
export function checkSnapshot(bytes: Uint8Array, expected: SnapshotMeta): void {
  try {
    open(bytes, expected);
  } catch (error) {
    throw snapshotUnusable(error, expected);
  }
}

/** For what is wrong with a snapshot or with its content. */
export function snapshotUnusable(error: unknown, { partition, offset, cutId }: SnapshotMeta): HeadraceError {
  return new HeadraceError('SNAPSHOT_UNUSABLE', `the snapshot can't be used: ${messageOf(error)}`, {
    where: { partition, offset, cut: cutId },
    remedy: 'the lane is replayed from an older snapshot or from its start',
    cause: error,
  });
}

function open(file: Uint8Array, expected: SnapshotMeta): Opened {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (bytes.length < HEADER_BYTES) throw new Error('it is cut off');
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw new Error('it is no snapshot of ours');
  const version = bytes.readUInt32LE(8);
  if (version !== FORMAT_VERSION)
    throw new Error(`format version ${version}; this engine reads ${FORMAT_VERSION}`);
  if (bytes.readUInt32LE(CHECKSUM_AT) !== checksum(bytes)) throw new Error('its CRC-32C differs');
  const metaBytes = bytes.readUInt32LE(16);
  const metaEnd = HEADER_BYTES + metaBytes;
  if (metaEnd > bytes.length) throw new Error('it is cut off');
  const meta = JSON.parse(bytes.toString('utf8', HEADER_BYTES, metaEnd)) as Record<string, unknown>;
  for (const [name, value] of Object.entries(plain(expected))) {
    if (meta[name] !== value) throw new Error(`its ${name} is ${String(meta[name])}, not ${value}`);
  }
  const chunks = chunksOf(bytes.subarray(metaEnd));
  const contentBytes = chunks.reduce((sum, chunk) => sum + chunk.contentBytes, 0);
  if (contentBytes !== meta.contentBytes) throw new Error('chunks are missing');
  return { contentBytes, chunks };
}

function frameBytesMax({ contentBytes }: Chunk): number {
  return contentBytes + LZ4_BLOCK_BYTES_MAX;
}

/** Copies a chunk's content to its place; its bytes. */
function put(content: Buffer, at: number, chunk: Chunk, part: Uint8Array): number {
  if (part.byteLength !== chunk.contentBytes) throw new Error('a chunk has another size than it says');
  content.set(part, at);
  return part.byteLength;
}

interface Opened {
  contentBytes: number;
  chunks: readonly Chunk[];
}

interface Chunk {
  /** No more than the frame can hold. */
  contentBytes: number;
  frame: Buffer;
}

function chunksOf(bytes: Buffer): Chunk[] {
  const chunks: Chunk[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (bytes.length - at < CHUNK_HEADER_BYTES) throw new Error('it is cut off');
    const contentBytes = bytes.readUInt32LE(at);
    const frameBytes = bytes.readUInt32LE(at + 4);
    at += CHUNK_HEADER_BYTES;
    if (frameBytes > bytes.length - at) throw new Error('it is cut off');
    if (contentBytes > Math.min(CHUNK_CONTENT_BYTES_MAX, frameBytes * LZ4_RATIO_MAX)) {
      throw new Error('a chunk is too large');
    }
    chunks.push({ contentBytes, frame: bytes.subarray(at, at + frameBytes) });
    at += frameBytes;
  }
  return chunks;
}

/** Over all bytes but the checksum's own. */
function checksum(bytes: Buffer): number {
  return crc32c(bytes.subarray(CHECKSUM_AT + 4), crc32c(bytes.subarray(0, CHECKSUM_AT)));
}

function plain(meta: SnapshotMeta): Record<string, string | number> {
  const { modelHash, appId, partition, offset, cutId } = meta;
  return { modelHash, appId, partition, offset: offset.toString(), cutId };
}
