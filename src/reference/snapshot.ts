import { crc32c } from '@node-rs/crc32';
import lz4 from 'lz4-napi';
import { HeadraceError, messageOf } from '../errors.js';
import type { KeyState, LaneState } from './lane-state.js';
import { decompressFrame } from './lz4-frame.js';
import { decodeKeys, encodeKeys } from './snapshot-keys.js';

/**
 * A lane's state as a file. It names what it is a snapshot of, and is taken for that and nothing else: with any other
 * lane, offset, cut or model, and with any damage, it is unusable, and the lane is replayed from an older one.
 *
 * ```
 *  0   magic "HEADRSNP" │ 8 format version u32 │ 12 CRC-32C u32 over all other bytes │ 16 meta bytes u32
 *  20  meta: JSON { modelHash, appId, partition, offset, cutId, watermarkMs, keys }
 *      chunks: content bytes u32 │ frame bytes u32 │ LZ4 frame of msgpack, some of the keys (snapshot-keys.ts)
 * ```
 * Little-endian. Chunks keep what must be in memory at once far below the state's size.
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
const FORMAT_VERSION = 1;
const HEADER_BYTES = 20;
const CHUNK_HEADER_BYTES = 8;
/** One key with millions of events is one chunk. */
const CHUNK_CONTENT_BYTES_MAX = 2 ** 30;
/** The largest block of LZ4: a frame's headers bound its content to within one. */
const LZ4_BLOCK_BYTES_MAX = 4 * 2 ** 20;
const CHUNK_EVENTS = 4_096;

export function encodeSnapshot(state: LaneState, meta: SnapshotMeta): Uint8Array {
  const metaJson = Buffer.from(
    JSON.stringify({ ...plain(meta), watermarkMs: state.watermarkMs, keys: state.keys.length }),
  );
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt32LE(FORMAT_VERSION, 8);
  header.writeUInt32LE(metaJson.length, 16);
  const parts: Buffer[] = [header, metaJson];
  for (const keys of chunksOf(state.keys)) {
    const content = encodeKeys(keys);
    const frame = lz4.compressFrameSync(content);
    const sizes = Buffer.alloc(CHUNK_HEADER_BYTES);
    sizes.writeUInt32LE(content.length, 0);
    sizes.writeUInt32LE(frame.length, 4);
    parts.push(sizes, frame);
  }
  const bytes = Buffer.concat(parts);
  bytes.writeUInt32LE(checksum(bytes), 12);
  return bytes;
}

/** Throws HeadraceError SNAPSHOT_UNUSABLE with the reason. */
export function decodeSnapshot(bytes: Uint8Array, expected: SnapshotMeta): LaneState {
  try {
    return decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), expected);
  } catch (error) {
    throw new HeadraceError('SNAPSHOT_UNUSABLE', `the snapshot can't be used: ${messageOf(error)}`, {
      where: { partition: expected.partition, offset: expected.offset, cut: expected.cutId },
      remedy: 'the lane is replayed from an older snapshot or from its start',
    });
  }
}

function decode(bytes: Buffer, expected: SnapshotMeta): LaneState {
  if (bytes.length < HEADER_BYTES) throw new Error('it is cut off');
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw new Error('it is no snapshot of ours');
  const version = bytes.readUInt32LE(8);
  if (version !== FORMAT_VERSION)
    throw new Error(`format version ${version}; this engine reads ${FORMAT_VERSION}`);
  if (bytes.readUInt32LE(12) !== checksum(bytes)) throw new Error('its CRC-32C differs');
  const metaBytes = bytes.readUInt32LE(16);
  const metaEnd = HEADER_BYTES + metaBytes;
  if (metaEnd > bytes.length) throw new Error('it is cut off');
  const meta = JSON.parse(bytes.toString('utf8', HEADER_BYTES, metaEnd)) as Record<string, unknown>;
  for (const [name, value] of Object.entries(plain(expected))) {
    if (meta[name] !== value) throw new Error(`its ${name} is ${String(meta[name])}, not ${value}`);
  }
  const { watermarkMs } = meta;
  if (watermarkMs !== null && !Number.isSafeInteger(watermarkMs)) throw new Error('its watermark is no time');
  const keys = decodeChunks(bytes.subarray(metaEnd));
  if (keys.length !== meta.keys) throw new Error('keys are missing');
  return { watermarkMs: watermarkMs as number | null, keys };
}

function decodeChunks(bytes: Buffer): KeyState[] {
  const keys: KeyState[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (bytes.length - at < CHUNK_HEADER_BYTES) throw new Error('it is cut off');
    const contentBytes = bytes.readUInt32LE(at);
    const frameBytes = bytes.readUInt32LE(at + 4);
    at += CHUNK_HEADER_BYTES;
    if (frameBytes > bytes.length - at) throw new Error('it is cut off');
    if (contentBytes > CHUNK_CONTENT_BYTES_MAX) throw new Error('a chunk is too large');
    const content = decompressFrame(bytes.subarray(at, at + frameBytes), contentBytes + LZ4_BLOCK_BYTES_MAX);
    if (content.byteLength !== contentBytes) throw new Error('a chunk has another size than it says');
    for (const key of decodeKeys(content)) keys.push(key);
    at += frameBytes;
  }
  return keys;
}

/** Of about as many events each. */
function* chunksOf(keys: readonly KeyState[]): Generator<KeyState[]> {
  let chunk: KeyState[] = [];
  let events = 0;
  for (const key of keys) {
    chunk.push(key);
    for (const session of key.sessions) events += session.events.length;
    if (events + chunk.length < CHUNK_EVENTS) continue;
    yield chunk;
    chunk = [];
    events = 0;
  }
  if (chunk.length > 0) yield chunk;
}

/** Over all bytes but the checksum's own. */
function checksum(bytes: Buffer): number {
  return crc32c(bytes.subarray(16), crc32c(bytes.subarray(0, 12)));
}

function plain(meta: SnapshotMeta): Record<string, string | number> {
  const { modelHash, appId, partition, offset, cutId } = meta;
  return { modelHash, appId, partition, offset: offset.toString(), cutId };
}
