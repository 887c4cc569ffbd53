import type { Where } from '../errors.js';

/** CONTRACT (to be filled in by the owner of record-batches): one opened batch and the ways to open it. */

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
