import { crc32c } from '@node-rs/crc32';
import { HeadraceError, type Where } from '../errors.js';
import { BatchFault, CODE_OF_FAULT } from './batch-fault.js';
import { decompressFrame } from './lz4-frame.js';
import { type WalkedRecord, walkRecords } from './record-walk.js';

/**
 * Kafka record batches (magic 2) as fetched → records. A batch is all or nothing: it is checked to its last byte before
 * its first record is delivered, and nothing behind a bad batch is.
 *
 * ```
 *  baseOffset i64 @0 │ batchLength i32 @8 │ leaderEpoch i32 @12 │ magic i8 @16 │ crc u32 @17 │ attributes i16 @21
 *  lastOffsetDelta i32 @23 │ baseTimestamp i64 @27 │ maxTimestamp i64 @35 │ producerId i64 @43 │ producerEpoch i16 @51
 *  baseSequence i32 @53 │ recordsCount i32 @57 │ records @61          big endian; the CRC-32C covers byte 21 to the end
 * ```
 * Base offset and length lie outside the CRC: offsets must grow from batch to batch, lengths must fit. Not supported yet,
 * and refused: gzip, snappy, zstd, transactional and control batches, magic 0 and 1.
 */

/** One record. It and its bytes are valid only during the callback. */
export interface KafkaRecord {
  offset: bigint;
  /** As the producer or, with log-append time, the broker set it; −1: none. */
  timestampMs: number;
  key: Uint8Array | null;
  value: Uint8Array | null;
  /** Key and value together are over `recordBytesMax`. */
  tooLarge: boolean;
}

export interface BatchLimits {
  /** One batch, decompressed; a larger one is BATCH_TOO_LARGE. */
  decompressedBatchBytesMax: number;
  /** Key and value of one record; a larger one is marked. */
  recordBytesMax: number;
}

export interface DecodeOptions {
  /** Records below it are skipped. */
  fromOffset: bigint;
  limits: BatchLimits;
  /** Coordinates for errors: topic, partition, broker. */
  where?: Where;
}

export interface Decoded {
  /** The last batch's last offset + 1, whatever records it holds; `fromOffset` when there was none. */
  nextOffset: bigint;
  batches: number;
  /** Records delivered. */
  records: number;
}

const HEADER_BYTES = 61;
/** Base offset and batch length, which the batch length does not count. */
const LOG_OVERHEAD_BYTES = 12;
const CRC_FROM_BYTE = 21;
const OFFSET_MAX = 2n ** 63n - 2n;
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
const LOG_APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;

/**
 * Decodes whole batches; `bytes` may be shared memory that stays still meanwhile. Throws HeadraceError BATCH_CORRUPT (also
 * for a batch that is cut off), BATCH_UNSUPPORTED, BATCH_TOO_LARGE, with `where.offset` the offset to go on from: all before
 * it was delivered, nothing at or behind it.
 */
export function decodeBatches(
  bytes: Uint8Array,
  options: DecodeOptions,
  onRecord: (record: KafkaRecord) => void,
): Decoded {
  let at = 0;
  let batches = 0;
  let records = 0;
  let nextOffset = options.fromOffset;
  let lastOffset = -1n;
  while (at < bytes.byteLength) {
    const batch = checked(nextOffset, options.where, () =>
      openBatch(bytes.subarray(at), lastOffset, options.limits),
    );
    records += deliver(batch, options, onRecord);
    lastOffset = batch.lastOffset;
    if (lastOffset >= nextOffset) nextOffset = lastOffset + 1n;
    at += batch.totalBytes;
    batches++;
  }
  return { nextOffset, batches, records };
}

/** A batch that holds what it says. */
interface Batch {
  totalBytes: number;
  baseOffset: bigint;
  lastOffset: bigint;
  lastOffsetDelta: number;
  baseTimestampMs: number;
  /** The time of every record, when the broker set it. */
  appendTimeMs: number | null;
  count: number;
  /** Decompressed. */
  records: Uint8Array;
}

function openBatch(bytes: Uint8Array, previousLastOffset: bigint, limits: BatchLimits): Batch {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const totalBytes = checkedSize(view);
  if (crc32c(bytes.subarray(CRC_FROM_BYTE, totalBytes)) !== view.getUint32(17)) {
    throw new BatchFault('corrupt', 'its CRC-32C differs');
  }
  const attributes = view.getInt16(21);
  const codec = checkedCodec(attributes);
  const baseOffset = view.getBigInt64(0);
  const lastOffsetDelta = view.getInt32(23);
  const lastOffset = baseOffset + BigInt(lastOffsetDelta);
  if (baseOffset <= previousLastOffset || lastOffsetDelta < 0 || lastOffset > OFFSET_MAX) {
    throw new BatchFault('corrupt', 'offsets that do not grow');
  }
  const count = view.getInt32(57);
  if (count < 0 || count > lastOffsetDelta + 1)
    throw new BatchFault('corrupt', 'a record count that cannot be');
  const payload = bytes.subarray(HEADER_BYTES, totalBytes);
  const batch: Batch = {
    totalBytes,
    baseOffset,
    lastOffset,
    lastOffsetDelta,
    baseTimestampMs: checkedTime(view.getBigInt64(27)),
    appendTimeMs: (attributes & LOG_APPEND_TIME) === 0 ? null : checkedTime(view.getBigInt64(35)),
    count,
    records: decompress(codec, payload, limits.decompressedBatchBytesMax),
  };
  walkRecords(batch.records, count, lastOffsetDelta, () => {});
  return batch;
}

/** Bytes of the batch, all of them there, in a format that we read. */
function checkedSize(view: DataView): number {
  if (view.byteLength < HEADER_BYTES) throw new BatchFault('corrupt', 'a batch that is cut off');
  const magic = view.getInt8(16);
  if (magic === 0 || magic === 1) {
    throw new BatchFault(
      'unsupported',
      `message format ${magic}; only 2 is read (Kafka 0.11 and later write it)`,
    );
  }
  if (magic !== 2) throw new BatchFault('corrupt', `unknown message format ${magic}`);
  const totalBytes = view.getInt32(8) + LOG_OVERHEAD_BYTES;
  if (totalBytes < HEADER_BYTES) throw new BatchFault('corrupt', 'a batch shorter than its header');
  if (totalBytes > view.byteLength) throw new BatchFault('corrupt', 'a batch that is cut off');
  return totalBytes;
}

function checkedCodec(attributes: number): 'none' | 'lz4' {
  const codec = CODECS[attributes & 7];
  if (codec === undefined) throw new BatchFault('unsupported', `unknown compression codec ${attributes & 7}`);
  if ((attributes & CONTROL) !== 0) throw new BatchFault('unsupported', 'a control batch (of a transaction)');
  if ((attributes & TRANSACTIONAL) !== 0) throw new BatchFault('unsupported', 'a transactional batch');
  if (codec !== 'none' && codec !== 'lz4') {
    throw new BatchFault('unsupported', `compression codec ${codec}; none and lz4 are read`);
  }
  return codec;
}

function checkedTime(ms: bigint): number {
  if (ms < -(2n ** 52n) || ms > 2n ** 52n) throw new BatchFault('corrupt', 'a timestamp beyond 2^52');
  return Number(ms);
}

function decompress(codec: 'none' | 'lz4', payload: Uint8Array, bytesMax: number): Uint8Array {
  if (codec === 'lz4' && payload.byteLength > 0) return decompressFrame(payload, bytesMax);
  if (payload.byteLength > bytesMax) {
    throw new BatchFault(
      'too_large',
      `${payload.byteLength} bytes of records, over the limit of ${bytesMax}`,
    );
  }
  return payload;
}

/** Hands out the records from `fromOffset` on; their number. */
function deliver(batch: Batch, options: DecodeOptions, onRecord: (record: KafkaRecord) => void): number {
  const { fromOffset, limits } = options;
  if (batch.lastOffset < fromOffset) return 0;
  let delivered = 0;
  const bytesOf = (at: number, bytes: number) => (bytes < 0 ? null : batch.records.subarray(at, at + bytes));
  const record: KafkaRecord = { offset: 0n, timestampMs: 0, key: null, value: null, tooLarge: false };
  walkRecords(batch.records, batch.count, batch.lastOffsetDelta, (walked: WalkedRecord) => {
    record.offset = batch.baseOffset + BigInt(walked.offsetDelta);
    if (record.offset < fromOffset) return;
    record.timestampMs = batch.appendTimeMs ?? batch.baseTimestampMs + walked.timestampDeltaMs;
    record.key = bytesOf(walked.keyAt, walked.keyBytes);
    record.value = bytesOf(walked.valueAt, walked.valueBytes);
    record.tooLarge = Math.max(0, walked.keyBytes) + Math.max(0, walked.valueBytes) > limits.recordBytesMax;
    delivered++;
    onRecord(record);
  });
  return delivered;
}

const REMEDIES = {
  corrupt: undefined,
  unsupported: 'have the producers write another format, or start the lane behind these records',
  too_large: 'raise limits.decompressed_batch_bytes_max, or have the producers write smaller batches',
} as const;

function checked(offset: bigint, where: Where | undefined, open: () => Batch): Batch {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof BatchFault)) throw error;
    const remedy = REMEDIES[error.kind];
    throw new HeadraceError(CODE_OF_FAULT[error.kind], `record batch: ${error.message}`, {
      where: { ...where, offset },
      ...(remedy === undefined ? {} : { remedy }),
    });
  }
}
