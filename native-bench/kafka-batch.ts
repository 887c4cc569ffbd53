import { crc32c } from '@node-rs/crc32';
import lz4 from 'lz4-napi';
import type { GeneratedEvent } from '#src/generator/event-generator.js';
import { compressSnappy } from './snappy-block.js';

/**
 * Events → one Kafka record batch (magic 2), as a producer writes it: create time, no headers, no producer id. Its layout
 * is drawn in src/reference/batch-reader.ts and record-walk.ts.
 */

export const BATCH_HEADER_BYTES = 61;
const LOG_OVERHEAD_BYTES = 12;
const CRC_FROM_BYTE = 21;
const CODECS = { none: 0, snappy: 2, lz4: 3 };
/** Five varints, attributes, header count: never more. */
const RECORD_OVERHEAD_BYTES_MAX = 40;

export interface EncodedBatch {
  bytes: Uint8Array;
  /** The records before compression. */
  records: Uint8Array;
  /** The records after it. */
  frameBytes: number;
}

export type Codec = 'snappy' | 'lz4';

/** `events`: at least one. Snappy without Java's frame, as librdkafka writes it. */
export function encodeBatch(
  baseOffset: bigint,
  events: readonly GeneratedEvent[],
  codec: Codec = 'lz4',
): EncodedBatch {
  const times = events.map((event) => event.timeMs);
  const records = encodeRecords(events, times[0]!);
  const frame = codec === 'lz4' ? lz4.compressFrameSync(records) : compressSnappy(records);
  const bytes = Buffer.alloc(BATCH_HEADER_BYTES + frame.length);
  bytes.set(frame, BATCH_HEADER_BYTES);
  const [count, baseTimeMs, maxTimeMs] = [events.length, times[0]!, Math.max(...times)];
  sealBatch(bytes, { baseOffset, count, baseTimeMs, maxTimeMs, codec });
  return { bytes, records, frameBytes: frame.length };
}

export interface BatchFacts {
  baseOffset: bigint;
  /** Of records, whose offsets have no gaps. */
  count: number;
  baseTimeMs: number;
  maxTimeMs: number;
  codec: keyof typeof CODECS;
}

/** Writes the header before what lies behind BATCH_HEADER_BYTES already. */
export function sealBatch(bytes: Buffer, facts: BatchFacts): void {
  bytes.writeBigInt64BE(facts.baseOffset, 0);
  bytes.writeInt32BE(bytes.length - LOG_OVERHEAD_BYTES, 8);
  bytes.writeInt32BE(0, 12);
  bytes.writeInt8(2, 16);
  bytes.writeInt16BE(CODECS[facts.codec], 21);
  bytes.writeInt32BE(facts.count - 1, 23);
  bytes.writeBigInt64BE(BigInt(facts.baseTimeMs), 27);
  bytes.writeBigInt64BE(BigInt(facts.maxTimeMs), 35);
  bytes.writeBigInt64BE(-1n, 43);
  bytes.writeInt16BE(-1, 51);
  bytes.writeInt32BE(-1, 53);
  bytes.writeInt32BE(facts.count, 57);
  bytes.writeUInt32BE(crc32c(bytes.subarray(CRC_FROM_BYTE)), 17);
}

function encodeRecords(events: readonly GeneratedEvent[], baseTimeMs: number): Buffer {
  const bytesMax = events.reduce(
    (sum, { key, value }) => sum + Buffer.byteLength(key) + value.length + RECORD_OVERHEAD_BYTES_MAX,
    0,
  );
  const records = Buffer.allocUnsafe(bytesMax);
  const body = Buffer.allocUnsafe(Math.max(...events.map(({ value }) => value.length)) + 1024);
  let at = 0;
  events.forEach(({ key, value, timeMs }, index) => {
    let end = 0;
    body[end++] = 0;
    end = putVarint(body, end, timeMs - baseTimeMs);
    end = putVarint(body, end, index);
    end = putVarint(body, end, Buffer.byteLength(key));
    end += body.write(key, end);
    end = putVarint(body, end, value.length);
    end += value.copy(body, end);
    end = putVarint(body, end, 0);
    at = putVarint(records, at, end);
    at += body.copy(records, at, 0, end);
  });
  return records.subarray(0, at);
}

/** Zigzag; values below 2⁵². Returns the place behind it. */
export function putVarint(bytes: Buffer, from: number, value: number): number {
  let at = from;
  let rest = value < 0 ? -2 * value - 1 : 2 * value;
  while (rest >= 0x80) {
    bytes[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  bytes[at++] = rest;
  return at;
}
