import { BatchFault } from './batch-fault.js';

/**
 * The records of one batch, decompressed:
 *
 *   length varint │ attributes i8 │ timestampDelta varlong │ offsetDelta varint │ key │ value │ headers
 *   key, value: length varint (−1: null) │ bytes          headers: count varint │ (key │ value)*, a key is never null
 *
 * Varints are zigzag, little groups first, at most 5 bytes (32 bits) or 10 (64 bits). No length is believed: each is
 * compared with what is left of its record before it is used.
 */

/** Bytes of the smallest record: seven fields of one byte each. */
export const RECORD_BYTES_MIN = 7;

/** What a record says, by place in the batch's bytes. Reused from record to record. */
export interface WalkedRecord {
  offsetDelta: number;
  timestampDeltaMs: number;
  keyAt: number;
  /** −1: null. */
  keyBytes: number;
  valueAt: number;
  /** −1: null. */
  valueBytes: number;
}

/**
 * Reads `count` records, which must fill `bytes` exactly, with offsets that grow up to `lastOffsetDelta`. Throws
 * BatchFault `corrupt`.
 */
export function walkRecords(
  bytes: Uint8Array,
  count: number,
  lastOffsetDelta: number,
  onRecord: (record: WalkedRecord) => void,
): void {
  if (count > bytes.byteLength / RECORD_BYTES_MIN)
    throw new BatchFault('corrupt', 'more records than bytes for them');
  const cursor = new Cursor(bytes);
  const record: WalkedRecord = {
    offsetDelta: 0,
    timestampDeltaMs: 0,
    keyAt: 0,
    keyBytes: 0,
    valueAt: 0,
    valueBytes: 0,
  };
  let previous = -1;
  for (let index = 0; index < count; index++) {
    readRecord(cursor, record);
    if (record.offsetDelta <= previous || record.offsetDelta > lastOffsetDelta) {
      throw new BatchFault('corrupt', 'record offsets that do not grow within their batch');
    }
    previous = record.offsetDelta;
    onRecord(record);
  }
  if (cursor.at !== bytes.byteLength) throw new BatchFault('corrupt', 'bytes behind the last record');
}

function readRecord(cursor: Cursor, record: WalkedRecord): void {
  cursor.limit = cursor.bytes.byteLength;
  const length = cursor.varint();
  if (length < 0 || length > cursor.limit - cursor.at)
    throw new BatchFault('corrupt', 'a record longer than its batch');
  cursor.limit = cursor.at + length;
  cursor.skip(1);
  record.timestampDeltaMs = cursor.varlong();
  record.offsetDelta = cursor.varint();
  record.keyBytes = cursor.varint();
  record.keyAt = cursor.skipNullable(record.keyBytes);
  record.valueBytes = cursor.varint();
  record.valueAt = cursor.skipNullable(record.valueBytes);
  skipHeaders(cursor);
  if (cursor.at !== cursor.limit) throw new BatchFault('corrupt', 'a record shorter than it says');
}

function skipHeaders(cursor: Cursor): void {
  const count = cursor.varint();
  // two bytes are the least that a header takes
  if (count < 0 || count > (cursor.limit - cursor.at) / 2)
    throw new BatchFault('corrupt', 'a lying header count');
  for (let index = 0; index < count; index++) {
    cursor.skip(cursor.varint());
    cursor.skipNullable(cursor.varint());
  }
}

/** Reads forward, never at or behind `limit`. */
class Cursor {
  at = 0;
  limit: number;

  constructor(readonly bytes: Uint8Array) {
    this.limit = bytes.byteLength;
  }

  /** Where the skipped bytes begin. */
  skip(bytes: number): number {
    if (bytes < 0 || bytes > this.limit - this.at)
      throw new BatchFault('corrupt', 'a length beyond its record');
    this.at += bytes;
    return this.at - bytes;
  }

  skipNullable(bytes: number): number {
    return bytes === -1 ? this.at : this.skip(bytes);
  }

  varint(): number {
    const value = this.#unsigned(5);
    if (value > 0xffffffff) throw new BatchFault('corrupt', 'a varint of more than 32 bits');
    return unzigzag(value);
  }

  /** Beyond ±2⁵³ no time lies: refused, so that a number holds every value exactly. */
  varlong(): number {
    const value = this.#unsigned(10);
    if (value > Number.MAX_SAFE_INTEGER) throw new BatchFault('corrupt', 'a timestamp beyond 2^52');
    return unzigzag(value);
  }

  /** Exact up to 2⁵³; above, still above. */
  #unsigned(bytesMax: number): number {
    let value = 0;
    let scale = 1;
    for (let index = 0; index < bytesMax; index++) {
      if (this.at >= this.limit) throw new BatchFault('corrupt', 'a varint that is cut off');
      const byte = this.bytes[this.at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw new BatchFault('corrupt', `a varint longer than ${bytesMax} bytes`);
  }
}

function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
