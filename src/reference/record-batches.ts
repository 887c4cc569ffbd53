import type { Where } from '../errors.js';
import type { AbortedTransaction } from './aborted-transactions.js';
import { type BatchLimits, type OpenBatch, type Opened, openBatches } from './batch-reader.js';
import { PLAIN_CODECS } from './codecs/plain.js';
import { type WalkedRecord, walkRecords } from './record-walk.js';

export type { BatchLimits } from './batch-reader.js';

/** Kafka record batches → records, the reference's way. */

/** One record. It and its bytes are valid only during the callback. */
export interface KafkaRecord {
  offset: bigint;
  /** As the producer or, with log-append time, the broker set it; −1: none. */
  timestampMs: number;
  key: Uint8Array | null;
  value: Uint8Array | null;
  /** Key and value together are over `recordBytesMax`. */
  tooLarge: boolean;
  /** What `recordBytesMax` is: for what is packed in a value, too. Left out: no limit. */
  bytesMax?: number;
}

export interface DecodeOptions {
  /** Records below it are skipped. */
  fromOffset: bigint;
  limits: BatchLimits;
  /** Coordinates for errors: topic, partition, broker. */
  where?: Where;
  /** Read committed: as the broker named them with these batches. */
  aborted?: readonly AbortedTransaction[];
}

export interface Decoded extends Opened {
  /** Records delivered. */
  records: number;
}

/** Decodes whole batches, with what `openBatches` throws: all before a bad batch is delivered, nothing of it or behind. */
export function decodeBatches(
  bytes: Uint8Array,
  options: DecodeOptions,
  onRecord: (record: KafkaRecord) => void,
): Decoded {
  let records = 0;
  const opened = openBatches(bytes, options, PLAIN_CODECS, (batch) => {
    records += eachRecord(batch, options.fromOffset, batch.lastOffset + 1n, onRecord);
  });
  return { ...opened, records };
}

/** Hands out the records with offsets in [from, until); their number. */
export function eachRecord(
  batch: OpenBatch,
  from: bigint,
  until: bigint,
  onRecord: (record: KafkaRecord) => void,
): number {
  if (batch.lastOffset < from || batch.baseOffset >= until) return 0;
  let delivered = 0;
  const bytesOf = (at: number, bytes: number) => (bytes < 0 ? null : batch.records.subarray(at, at + bytes));
  const bytesMax = batch.recordBytesMax;
  const record: KafkaRecord = {
    offset: 0n,
    timestampMs: 0,
    key: null,
    value: null,
    tooLarge: false,
    bytesMax,
  };
  walkRecords(batch.records, batch.count, batch.lastOffsetDelta, (walked: WalkedRecord) => {
    record.offset = batch.baseOffset + BigInt(walked.offsetDelta);
    if (record.offset < from || record.offset >= until) return;
    record.timestampMs = batch.appendTimeMs ?? batch.baseTimestampMs + walked.timestampDeltaMs;
    record.key = bytesOf(walked.keyAt, walked.keyBytes);
    record.value = bytesOf(walked.valueAt, walked.valueBytes);
    record.tooLarge = Math.max(0, walked.keyBytes) + Math.max(0, walked.valueBytes) > bytesMax;
    delivered++;
    onRecord(record);
  });
  return delivered;
}
