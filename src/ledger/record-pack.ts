import type { RewrittenFile } from './rewrites.js';
import type { LaneRows } from './types.js';

/**
 * Records for topics as workers hand them to the main thread: one buffer that changes its owner. Per record, little endian:
 *
 *   i32 partition of its lane | i32 key bytes, −1: null | i32 value bytes, −1: null | i32 header bytes | key | value | headers
 *
 * Headers are a JSON object of strings, or nothing.
 */
export interface TopicRecord {
  /** The lane's partition in the source topic. */
  partition: number;
  key: Uint8Array | null;
  value: Uint8Array | null;
  headers: Readonly<Record<string, string>> | null;
}

/** Which records of a file are wanted. */
export interface RecordRequest {
  /** Path below the table. */
  path: string;
  sizeBytes: number;
  /** Rows were taken out of it: it is read where it lies now, and each that is gone counts as a record without anything in it. */
  rewrite?: RewrittenFile;
  /** Whose rows lie in it, in its order; null: it holds dead letters, which say so themselves. */
  laneRows: LaneRows[] | null;
  /** The lanes that are wanted, and how many of their first records in it are not. */
  skip: { partition: number; records: number }[];
}

const HEAD_BYTES = 16;
const FIRST_BYTES = 64 * 1024;

export class RecordPacker {
  #bytes = Buffer.alloc(FIRST_BYTES);
  #used = 0;
  #records = 0;

  get usedBytes(): number {
    return this.#used;
  }

  get records(): number {
    return this.#records;
  }

  add({ partition, key, value, headers }: TopicRecord): void {
    const texts = headers === null ? null : Buffer.from(JSON.stringify(headers));
    const parts = [key, value, texts];
    this.#reserve(parts.reduce((sum, part) => sum + (part?.byteLength ?? 0), HEAD_BYTES));
    this.#used = this.#bytes.writeInt32LE(partition, this.#used);
    this.#used = this.#bytes.writeInt32LE(key?.byteLength ?? -1, this.#used);
    this.#used = this.#bytes.writeInt32LE(value?.byteLength ?? -1, this.#used);
    this.#used = this.#bytes.writeInt32LE(texts?.byteLength ?? 0, this.#used);
    for (const part of parts) {
      if (part === null) continue;
      this.#bytes.set(part, this.#used);
      this.#used += part.byteLength;
    }
    this.#records++;
  }

  /** What was added, in memory of its own. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = new Uint8Array(this.#used);
    taken.set(this.#bytes.subarray(0, this.#used));
    return taken;
  }

  #reserve(bytes: number): void {
    if (this.#used + bytes <= this.#bytes.byteLength) return;
    const larger = Buffer.alloc(Math.max(this.#bytes.byteLength * 2, this.#used + bytes));
    this.#bytes.copy(larger, 0, 0, this.#used);
    this.#bytes = larger;
  }
}

/** Keys and values are views of the buffer. */
export function* unpackRecords(packed: Uint8Array): Generator<TopicRecord> {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  let at = 0;
  const take = (length: number) => {
    const part = bytes.subarray(at, at + length);
    at += length;
    return part;
  };
  while (at < bytes.length) {
    const [partition, keyBytes, valueBytes, headerBytes] = [0, 4, 8, 12].map((of) =>
      bytes.readInt32LE(at + of),
    );
    at += HEAD_BYTES;
    const key = keyBytes! < 0 ? null : take(keyBytes!);
    const value = valueBytes! < 0 ? null : take(valueBytes!);
    const headers =
      headerBytes === 0 ? null : (JSON.parse(take(headerBytes!).toString()) as Record<string, string>);
    yield { partition: partition!, key, value, headers };
  }
}
