import { HeadraceError, type Where } from '../errors.js';
import { AbortedFilter, type AbortedTransaction } from './aborted-transactions.js';
import { BatchFault, CODE_OF_FAULT } from './batch-fault.js';
import { isAbortMarker } from './control-record.js';
import { crc32c } from './native-codecs.js';

/**
 * Kafka record batches (magic 2) as fetched → opened batches, whichever engine reads their records. A batch is all or
 * nothing: it is checked to its last byte before it is handed out, and nothing behind a bad batch is.
 *
 * ```
 *  baseOffset i64 @0 │ batchLength i32 @8 │ leaderEpoch i32 @12 │ magic i8 @16 │ crc u32 @17 │ attributes i16 @21
 *  lastOffsetDelta i32 @23 │ baseTimestamp i64 @27 │ maxTimestamp i64 @35 │ producerId i64 @43 │ producerEpoch i16 @51
 *  baseSequence i32 @53 │ recordsCount i32 @57 │ records @61          big endian; the CRC-32C covers byte 21 to the end
 * ```
 * Base offset and length lie outside the CRC: offsets must grow from batch to batch, lengths must fit. Magic 0 and 1 are
 * refused. Control batches and those of aborted transactions hold no events: their records are passed over, not decompressed
 * where nothing in them is needed.
 */

export type Codec = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** How a batch's bytes become records. The plain ones are in codecs/; the kernel brings its own. */
export interface BatchCodecs {
  /**
   * The records of a batch, decompressed; valid until the next call. Bounds what it allocates by `bytesMax` before it
   * allocates. Throws BatchFault `corrupt` or `too_large`.
   */
  decompress(codec: Codec, payload: Uint8Array, bytesMax: number): Uint8Array;
  /** Throws BatchFault `corrupt` unless the bytes are exactly `count` records with offsets that grow to `lastOffsetDelta`. */
  checkRecords(records: Uint8Array, count: number, lastOffsetDelta: number): void;
}

/** A batch that was checked to its last byte. */
export interface OpenBatch {
  /** Coordinates for dead letters and errors. */
  where: Where | undefined;
  baseOffset: bigint;
  lastOffset: bigint;
  lastOffsetDelta: number;
  baseTimestampMs: number;
  /** The time of every record, when the broker set it. */
  appendTimeMs: number | null;
  /** Records in it; 0 for those whose records do not count (control batches, aborted transactions). */
  count: number;
  /** Decompressed; valid until the next batch is opened. */
  records: Uint8Array;
  /** Key and value together over this: a dead letter. */
  recordBytesMax: number;
}

export interface BatchLimits {
  /** One batch, decompressed; a larger one is BATCH_TOO_LARGE. */
  decompressedBatchBytesMax: number;
  /** Key and value of one record; a larger one is marked. */
  recordBytesMax: number;
}

export interface OpenOptions {
  /** Where the reader stands; the first batch may begin below it. */
  fromOffset: bigint;
  limits: BatchLimits;
  /** Coordinates for errors: topic, partition, broker. */
  where?: Where | undefined;
  /** Aborted transactions that reach into these batches, as the broker named them with them. Left out: none. */
  aborted?: readonly AbortedTransaction[] | undefined;
}

export interface Opened {
  /** The last batch's last offset + 1, whatever records it holds; `fromOffset` when there was none. */
  nextOffset: bigint;
  batches: number;
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
const NO_RECORDS = new Uint8Array(0);

/**
 * Opens whole batches, also those that lie below `fromOffset`; `bytes` may be shared memory that stays still meanwhile.
 * Throws HeadraceError BATCH_CORRUPT (also for a batch that is cut off), BATCH_UNSUPPORTED, BATCH_TOO_LARGE, with
 * `where.offset` the offset to go on from: all before it was handed out, nothing at or behind it.
 */
export function openBatches(
  bytes: Uint8Array,
  options: OpenOptions,
  codecs: BatchCodecs,
  onBatch: (batch: OpenBatch) => void,
): Opened {
  const opener = new Opener(bytes, options, codecs);
  let nextOffset = options.fromOffset;
  let batches = 0;
  while (opener.at < bytes.byteLength) {
    const batch = openAt(opener, nextOffset, options.where);
    onBatch(batch);
    if (batch.lastOffset >= nextOffset) nextOffset = batch.lastOffset + 1n;
    batches++;
  }
  return { nextOffset, batches };
}

const REMEDIES = {
  corrupt: undefined,
  unsupported: 'have the producers write another format, or start the lane behind these records',
  too_large: 'raise limits.decompressed_batch_bytes_max, or have the producers write smaller batches',
} as const;

/** What is wrong with a batch, with the place where the reader stands. */
function openAt(opener: Opener, offset: bigint, where: Where | undefined): OpenBatch {
  try {
    return opener.next();
  } catch (error) {
    if (!(error instanceof BatchFault)) throw error;
    const remedy = REMEDIES[error.kind];
    throw new HeadraceError(CODE_OF_FAULT[error.kind], `record batch: ${error.message}`, {
      where: { ...where, offset },
      ...(remedy === undefined ? {} : { remedy }),
    });
  }
}

/** Goes through the batches of one answer. Throws BatchFault. */
class Opener {
  /** Of the next batch. */
  at = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #options: OpenOptions;
  readonly #codecs: BatchCodecs;
  readonly #filter: AbortedFilter | null;
  #previousLastOffset = -1n;

  constructor(bytes: Uint8Array, options: OpenOptions, codecs: BatchCodecs) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#options = options;
    this.#codecs = codecs;
    const { aborted } = options;
    this.#filter = aborted === undefined || aborted.length === 0 ? null : new AbortedFilter(aborted);
  }

  next(): OpenBatch {
    const { at } = this;
    const view = this.#view;
    const end = at + this.#checkedSize();
    if (crc32c(this.#bytes.subarray(at + CRC_FROM_BYTE, end)) !== view.getUint32(at + 17)) {
      throw new BatchFault('corrupt', 'its CRC-32C differs');
    }
    const attributes = view.getInt16(at + 21);
    const codec = CODECS[attributes & 7];
    if (codec === undefined) {
      throw new BatchFault('unsupported', `unknown compression codec ${attributes & 7}`);
    }
    const baseOffset = view.getBigInt64(at);
    const lastOffsetDelta = view.getInt32(at + 23);
    const lastOffset = baseOffset + BigInt(lastOffsetDelta);
    if (baseOffset <= this.#previousLastOffset || lastOffsetDelta < 0 || lastOffset > OFFSET_MAX) {
      throw new BatchFault('corrupt', 'offsets that do not grow');
    }
    const count = view.getInt32(at + 57);
    if (count < 0 || count > lastOffsetDelta + 1)
      throw new BatchFault('corrupt', 'a record count that cannot be');
    const { limits, where } = this.#options;
    const batch: OpenBatch = {
      where,
      baseOffset,
      lastOffset,
      lastOffsetDelta,
      baseTimestampMs: checkedTime(view.getBigInt64(at + 27)),
      appendTimeMs: (attributes & LOG_APPEND_TIME) === 0 ? null : checkedTime(view.getBigInt64(at + 35)),
      count,
      records: NO_RECORDS,
      recordBytesMax: limits.recordBytesMax,
    };
    const payload = this.#bytes.subarray(at + HEADER_BYTES, end);
    if ((attributes & CONTROL) !== 0) this.#passControl(batch, codec, payload);
    else if (this.#isAborted(lastOffset, (attributes & TRANSACTIONAL) !== 0, false)) batch.count = 0;
    else this.#openRecords(batch, codec, payload);
    this.#previousLastOffset = lastOffset;
    this.at = end;
    return batch;
  }

  /** Bytes of the batch, all of them there, in a format that we read. */
  #checkedSize(): number {
    const view = this.#view;
    const left = view.byteLength - this.at;
    if (left < HEADER_BYTES) throw new BatchFault('corrupt', 'a batch that is cut off');
    const magic = view.getInt8(this.at + 16);
    if (magic === 0 || magic === 1) {
      throw new BatchFault(
        'unsupported',
        `message format ${magic}; only 2 is read (Kafka 0.11 and later write it)`,
      );
    }
    if (magic !== 2) throw new BatchFault('corrupt', `unknown message format ${magic}`);
    const totalBytes = view.getInt32(this.at + 8) + LOG_OVERHEAD_BYTES;
    if (totalBytes < HEADER_BYTES) throw new BatchFault('corrupt', 'a batch shorter than its header');
    if (totalBytes > left) throw new BatchFault('corrupt', 'a batch that is cut off');
    return totalBytes;
  }

  #openRecords(batch: OpenBatch, codec: Codec, payload: Uint8Array): void {
    const bytesMax = this.#options.limits.decompressedBatchBytesMax;
    // compaction leaves batches without records, and compressed nothing is nothing
    batch.records = payload.byteLength === 0 ? payload : this.#codecs.decompress(codec, payload, bytesMax);
    this.#codecs.checkRecords(batch.records, batch.count, batch.lastOffsetDelta);
  }

  /** A control batch has no events; what counts is whether it ends a transaction by abort. */
  #passControl(batch: OpenBatch, codec: Codec, payload: Uint8Array): void {
    this.#openRecords(batch, codec, payload);
    this.#isAborted(batch.lastOffset, true, isAbortMarker(batch));
    batch.records = NO_RECORDS;
    batch.count = 0;
  }

  #isAborted(lastOffset: bigint, transactional: boolean, abortMarker: boolean): boolean {
    if (this.#filter === null) return false;
    const producerId = this.#view.getBigInt64(this.at + 43);
    return this.#filter.isAborted({ producerId, lastOffset, transactional, abortMarker });
  }
}

function checkedTime(ms: bigint): number {
  if (ms < -(2n ** 52n) || ms > 2n ** 52n) throw new BatchFault('corrupt', 'a timestamp beyond 2^52');
  return Number(ms);
}
