import { crc32c } from '@node-rs/crc32';

/**
 * A record batch (magic 2, LZ4) around records that are written in its midst:
 * ```
 * base offset i64 │ length i32 │ leader epoch i32 │ magic i8 │ CRC u32 │ attributes i16 │ last offset delta i32 │
 * first time i64 │ greatest time i64 │ producer id i64 │ epoch i16 │ sequence i32 │ records i32 │
 * LZ4 frame: magic │ FLG │ BD │ header checksum │ block size u32 LE │ block │ 0 u32
 * ```
 */

const BATCH_HEADER_BYTES = 61;
const LOG_OVERHEAD_BYTES = 12;
const CRC_FROM_BYTE = 21;
const MAGIC = 2;
const LZ4 = 3;
/** Independent blocks of up to 1 MiB, no checksums, and the checksum of that (xxHash32 of FLG and BD, its second byte). */
const FRAME_HEADER = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x60, 0x51];

/** The records' block begins so far behind the batch. */
export const BLOCK_FROM_BYTE = BATCH_HEADER_BYTES + FRAME_HEADER.length + 4;
const END_MARK_BYTES = 4;
/** Of a batch, what is not its block. */
export const BATCH_OVERHEAD_BYTES = BLOCK_FROM_BYTE + END_MARK_BYTES;

export interface BatchFacts {
  records: number;
  firstTimeMs: number;
  timeMsMax: number;
  producer: ProducerIdentity;
  /** Of the first record, within the partition. */
  sequence: number;
}

/** Who a broker knows the batches by: repeated ones are not taken twice. */
export interface ProducerIdentity {
  id: bigint;
  epoch: number;
}

/** Closes the batch that begins at `from` and whose block ends at `blockEnd`. Returns the place behind it. */
export function sealBatch(bytes: Buffer, from: number, blockEnd: number, facts: BatchFacts): number {
  const { records, firstTimeMs, timeMsMax, producer, sequence } = facts;
  const end = blockEnd + END_MARK_BYTES;
  bytes.writeBigInt64BE(0n, from);
  bytes.writeInt32BE(end - from - LOG_OVERHEAD_BYTES, from + 8);
  bytes.writeInt32BE(0, from + 12);
  bytes.writeInt8(MAGIC, from + 16);
  bytes.writeInt16BE(LZ4, from + 21);
  bytes.writeInt32BE(records - 1, from + 23);
  bytes.writeBigInt64BE(BigInt(firstTimeMs), from + 27);
  bytes.writeBigInt64BE(BigInt(timeMsMax), from + 35);
  bytes.writeBigInt64BE(producer.id, from + 43);
  bytes.writeInt16BE(producer.epoch, from + 51);
  bytes.writeInt32BE(sequence, from + 53);
  bytes.writeInt32BE(records, from + 57);
  bytes.set(FRAME_HEADER, from + BATCH_HEADER_BYTES);
  const blockFrom = from + BLOCK_FROM_BYTE;
  bytes.writeUInt32LE(blockEnd - blockFrom, blockFrom - 4);
  bytes.writeUInt32LE(0, blockEnd);
  bytes.writeUInt32BE(crc32c(bytes.subarray(from + CRC_FROM_BYTE, end)), from + 17);
  return end;
}
