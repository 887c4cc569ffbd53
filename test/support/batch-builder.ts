import { crc32c } from '@node-rs/crc32';
import { compressPayload } from './batch-codecs.js';

/**
 * Encodes Kafka record batches (magic 2) from scratch, also wrong ones: each field that a reader might believe can be made
 * to lie. Nothing here is shared with the decoder under test.
 */

export interface RecordSpec {
  /** Relative to the batch; its place in the list when left out. */
  offsetDelta?: number;
  timestampMs?: number;
  key?: Uint8Array | string | null;
  value?: Uint8Array | string | null;
  headers?: { key: string; value: Uint8Array | string | null }[];
  /** What the record says of itself instead of the truth. */
  lies?: { length?: number; keyBytes?: number; valueBytes?: number; headerCount?: number };
}

export interface BatchSpec {
  baseOffset?: number | bigint;
  records?: RecordSpec[];
  codec?: keyof typeof CODEC_OF;
  baseTimestampMs?: number | bigint;
  maxTimestampMs?: number | bigint;
  logAppendTime?: boolean;
  transactional?: boolean;
  control?: boolean;
  /** −1, none, when left out. */
  producerId?: number | bigint;
  deleteHorizon?: boolean;
  /** The last record's when left out. */
  lastOffsetDelta?: number;
  magic?: number;
  lies?: {
    batchLength?: number;
    recordsCount?: number;
    crc?: number;
    /** Bits 0–2. */
    codec?: number;
    /** Instead of the (compressed) records. */
    payload?: Uint8Array;
  };
}

export const CODEC_OF = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;

export function buildBatch(spec: BatchSpec = {}): Uint8Array {
  const records = spec.records ?? [];
  const baseTimestampMs = BigInt(spec.baseTimestampMs ?? records[0]?.timestampMs ?? 0);
  const plain = Buffer.concat(
    records.map((record, index) => buildRecord(record, record.offsetDelta ?? index, baseTimestampMs)),
  );
  const codec = spec.codec ?? 'none';
  const payload = spec.lies?.payload ?? compressPayload(codec, plain);
  const bytes = Buffer.alloc(61 + payload.length);
  bytes.set(payload, 61);
  bytes.writeBigInt64BE(BigInt(spec.baseOffset ?? 0), 0);
  bytes.writeInt32BE(spec.lies?.batchLength ?? bytes.length - 12, 8);
  bytes.writeInt32BE(7, 12);
  bytes.writeInt8(spec.magic ?? 2, 16);
  bytes.writeInt16BE(attributesOf(spec), 21);
  bytes.writeInt32BE(
    spec.lastOffsetDelta ?? records.at(-1)?.offsetDelta ?? Math.max(0, records.length - 1),
    23,
  );
  bytes.writeBigInt64BE(baseTimestampMs, 27);
  const times = records.map((record) => record.timestampMs ?? Number(baseTimestampMs));
  bytes.writeBigInt64BE(BigInt(spec.maxTimestampMs ?? Math.max(Number(baseTimestampMs), ...times)), 35);
  bytes.writeBigInt64BE(BigInt(spec.producerId ?? -1), 43);
  bytes.writeInt16BE(-1, 51);
  bytes.writeInt32BE(-1, 53);
  bytes.writeInt32BE(spec.lies?.recordsCount ?? records.length, 57);
  if (spec.lies?.crc === undefined) repairCrc(bytes);
  else bytes.writeUInt32BE(spec.lies.crc, 17);
  return new Uint8Array(bytes);
}

/** Makes the CRC of the batch at the beginning of `bytes` right for whatever its bytes are now. */
export function repairCrc(bytes: Uint8Array): void {
  if (bytes.length < 61) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = Math.max(21, Math.min(bytes.length, view.getInt32(8) + 12));
  view.setUint32(17, crc32c(bytes.subarray(21, end)));
}

export function concatBytes(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** Zigzag. */
export function varint(value: number | bigint): Uint8Array {
  const signed = BigInt(value);
  let rest = BigInt.asUintN(64, (signed << 1n) ^ (signed >> 63n));
  const bytes: number[] = [];
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

function buildRecord(record: RecordSpec, offsetDelta: number, baseTimestampMs: bigint): Uint8Array {
  const timestampDelta = BigInt(record.timestampMs ?? baseTimestampMs) - baseTimestampMs;
  const headers = record.headers ?? [];
  const body = Buffer.concat([
    Buffer.of(0),
    varint(timestampDelta),
    varint(offsetDelta),
    nullable(record.key ?? null, record.lies?.keyBytes),
    nullable(record.value ?? null, record.lies?.valueBytes),
    varint(record.lies?.headerCount ?? headers.length),
    ...headers.flatMap(({ key, value }) => [nullable(key), nullable(value)]),
  ]);
  return Buffer.concat([varint(record.lies?.length ?? body.length), body]);
}

function nullable(content: Uint8Array | string | null, lie?: number): Uint8Array {
  const bytes = content === null ? Buffer.alloc(0) : Buffer.from(content as string);
  return Buffer.concat([varint(lie ?? (content === null ? -1 : bytes.length)), bytes]);
}

function attributesOf(spec: BatchSpec): number {
  const flags: [boolean | undefined, number][] = [
    [spec.logAppendTime, 0x08],
    [spec.transactional, 0x10],
    [spec.control, 0x20],
    [spec.deleteHorizon, 0x40],
  ];
  const codec = spec.lies?.codec ?? CODEC_OF[spec.codec ?? 'none'];
  return flags.reduce((bits, [on, bit]) => (on ? bits | bit : bits), codec);
}
