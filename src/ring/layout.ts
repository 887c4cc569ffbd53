/**
 * The bytes of a ring: one producer (the main thread), one consumer (a worker), over shared memory.
 *
 * Invariants
 * - Positions only grow (64 bits); the index into the data area is position & (capacity − 1).
 * - head ≤ tail ≤ head + capacity. Only the producer writes tail, only the consumer writes head, each on cache lines of
 *   its own (128 bytes apart, since processors fetch lines in pairs).
 * - A record is published by one store of tail, after all its bytes are written, and its bytes stay still until the
 *   consumer has moved head past them.
 * - A record lies in one piece: what does not fit before the end of the data area is preceded by a padding record.
 * - Behind each payload lie at least 64 zero bytes, so that a scanner may read ahead.
 *
 * ```
 *  base      +0 tail i64 │ +128 head i64
 *  base+256  data: capacity bytes, a power of two
 *
 *  record    0        4      8           12            16           24            32
 *            │ length │ type │ partition │ incarnation │ offset i64 │ aux i64     │ payload … │ ≥ 64 zero bytes
 *            └ payload bytes; records start at multiples of 64
 * ```
 */

export const CACHE_LINE_BYTES = 128;
export const TAIL_BYTES_AT = 0;
export const HEAD_BYTES_AT = CACHE_LINE_BYTES;
export const DATA_AT = 2 * CACHE_LINE_BYTES;

export const RECORD_ALIGN_BYTES = 64;
export const RECORD_HEADER_BYTES = 32;
/** What a scanner may read behind a payload; always zero. */
export const READ_AHEAD_BYTES = 64;

export const LENGTH_AT = 0;
export const TYPE_AT = 4;
export const PARTITION_AT = 8;
export const INCARNATION_AT = 12;
export const OFFSET_AT = 16;
export const AUX_AT = 24;

/** What a record carries. Commands travel between the data they refer to, so that both stay in order. */
export const RecordType = {
  /** Fill up to the end of the data area. */
  padding: 0,
  /**
   * Whole record batches as fetched, or none. offset: the position they were fetched from; aux: the position behind them.
   * Events of the first and last batch that lie outside [offset, aux) do not count.
   */
  data: 1,
  /** A lane arrives. Payload: msgpack AssignCommand. */
  assign: 2,
  /** A lane leaves. */
  revoke: 3,
  /** Seal what lies before. Payload: msgpack CutCommand. */
  cut: 4,
  /** A lane's fetch position was set back. offset: where it goes on; data of the lane before this one is void. */
  seek: 5,
  /** Nothing comes after this. */
  stop: 6,
  /**
   * Data, in all like `data`, with the aborted transactions that reach into it before the batches. Payload: see
   * src/reference/aborted-transactions.ts.
   */
  dataWithAborted: 7,
} as const;
export type RecordType = (typeof RecordType)[keyof typeof RecordType];

/** Bytes a record takes in the data area, header, read-ahead and alignment included. */
export function recordBytes(payloadBytes: number): number {
  const bytes = RECORD_HEADER_BYTES + payloadBytes + READ_AHEAD_BYTES;
  return Math.ceil(bytes / RECORD_ALIGN_BYTES) * RECORD_ALIGN_BYTES;
}

/** The largest payload a ring takes: half its capacity, so that padding can never make a fitting record impossible. */
export function payloadBytesMax(capacityBytes: number): number {
  return capacityBytes / 2 - RECORD_HEADER_BYTES - READ_AHEAD_BYTES - RECORD_ALIGN_BYTES;
}

/** Shared bytes that a ring of this capacity needs. */
export function ringBytes(capacityBytes: number): number {
  return DATA_AT + capacityBytes;
}

/** A ring's place in shared memory. `capacityBytes` is a power of two, `baseBytes` a multiple of 128. */
export interface RingPlace {
  buffer: SharedArrayBuffer;
  baseBytes: number;
  capacityBytes: number;
}

/** Where a position lies in the data area. Positions stay below 2⁵³ for 285 years at 1 GB/s. */
export function indexOf(position: bigint, capacityBytes: number): number {
  return Number(position) % capacityBytes;
}
