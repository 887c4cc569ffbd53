import type { ByteSlices } from './wire/byte-slices.js';

/**
 * Walks the headers of fetched record batches, to know where they end and where to go on; contents and CRC are the
 * worker's.
 *
 * ```
 *  0            8             12                   16      17    21          23               27 …          61
 *  │ baseOffset │ batchLength │ partitionLeaderEpoch │ magic │ crc │ attributes │ lastOffsetDelta │ …       │ records
 * ```
 */
const LENGTH_END = 12;
const MAGIC_END = 17;
const MAGIC = 2;
const DELTA_END = 27;
/** A batch without records. */
const BATCH_BYTES_MIN = 61;
const OFFSET_MAX = 2n ** 63n - 1n;

export interface BatchWalk {
  /** Bytes of the whole batches that may be handed over. */
  keptBytes: number;
  batches: number;
  /** Bytes of the largest batch kept. */
  batchBytesMax: number;
  /** The offset behind the last batch kept; `position` when none was. */
  nextOffset: bigint;
  /** The leader epoch of the last batch kept, or −1. */
  leaderEpoch: number;
  /**
   * Why it stopped: all bytes were walked; the last batch is cut off; the next batch is larger than `bytesMax` allows, or does
   * not fit beside the others; it lies at or behind the end offset; it is of a format that is not read; it is nonsense.
   */
  stop: 'end' | 'cut-off' | 'full' | 'end-offset' | 'unsupported' | 'corrupt';
  /** What exactly, for the last two. */
  detail: string;
  /** Size of the batch that was stopped at, as it says itself; null when that can't be read. */
  stoppedAtBytes: number | null;
}

export interface WalkLimits {
  position: bigint;
  /** Nothing at or behind it is kept; null: no end. */
  endOffset: bigint | null;
  /** At most this much is kept. */
  bytesMax: number;
}

/** Never throws; what is wrong with a batch is in `stop` and `detail`. */
export function walkBatches(records: ByteSlices, { position, endOffset, bytesMax }: WalkLimits): BatchWalk {
  const reader = records.reader('record batch');
  const walk: BatchWalk = {
    keptBytes: 0,
    batches: 0,
    batchBytesMax: 0,
    nextOffset: position,
    leaderEpoch: -1,
    stop: 'end',
    detail: '',
    stoppedAtBytes: null,
  };
  const stop = (why: BatchWalk['stop'], detail = '', bytes: number | null = null): BatchWalk => {
    walk.stop = why;
    walk.detail = detail;
    walk.stoppedAtBytes = bytes;
    return walk;
  };
  let behind = 0n;
  while (reader.remaining > 0) {
    if (reader.remaining < MAGIC_END) return stop('cut-off');
    const whole = reader.remaining;
    const baseOffset = reader.int64();
    const bytes = LENGTH_END + reader.int32();
    const leaderEpoch = reader.int32();
    const magic = reader.int8();
    if (magic < MAGIC) return stop('unsupported', `message format v${magic} (brokers before 0.11)`);
    if (magic > MAGIC) return stop('unsupported', `message format v${magic}`);
    if (bytes < BATCH_BYTES_MIN) return stop('corrupt', `a batch of ${bytes} bytes`);
    if (baseOffset < behind) return stop('corrupt', `base offset ${baseOffset} below ${behind}`);
    if (endOffset !== null && baseOffset >= endOffset) return stop('end-offset', '', bytes);
    if (bytes > whole) return stop('cut-off', '', bytes);
    if (walk.keptBytes + bytes > bytesMax) return stop('full', '', bytes);
    reader.skip(DELTA_END - MAGIC_END - 4); // crc, attributes
    const lastOffsetDelta = reader.int32();
    reader.skip(bytes - DELTA_END);
    const last = baseOffset + BigInt(lastOffsetDelta);
    if (lastOffsetDelta < 0 || last >= OFFSET_MAX)
      return stop('corrupt', `last offset delta ${lastOffsetDelta}`);
    behind = last + 1n;
    walk.keptBytes += bytes;
    walk.batches += 1;
    walk.batchBytesMax = Math.max(walk.batchBytesMax, bytes);
    walk.nextOffset = behind;
    walk.leaderEpoch = leaderEpoch;
  }
  return walk;
}
