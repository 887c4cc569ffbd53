import lz4 from 'lz4-napi';
import { BATCH_HEADER_BYTES, sealBatch } from '../kafka-batch.js';
import type { BenchModel } from './event-templates.js';
import { EventWriter, RECORD_BYTES_MAX } from './event-writer.js';
import { mix, type UserEvent } from './user-stream.js';

/** A whole record batch of one lane, as fetched; valid until the lane's next one. */
export interface LaneBatch {
  lane: number;
  bytes: Uint8Array;
  baseOffset: bigint;
  count: number;
  /** Before compression. */
  recordBytes: number;
}

/** Gathers events into record batches of their sessions' lanes, each in memory of its lane that is used again and again. */
export class LaneBatches {
  readonly writer: EventWriter;
  readonly #recordsPerBatch: number;
  readonly #lanes: {
    bytes: Buffer;
    at: number;
    count: number;
    offset: number;
    baseTimeMs: number;
    maxTimeMs: number;
  }[];
  #lastRecords: Uint8Array = Buffer.alloc(0);
  /** Batches are compressed from now on, or not. */
  compresses = false;

  constructor(model: BenchModel, lanes: number, recordsPerBatch: number) {
    this.writer = new EventWriter(model);
    this.#recordsPerBatch = recordsPerBatch;
    this.#lanes = Array.from({ length: lanes }, () => ({
      bytes: Buffer.alloc(BATCH_HEADER_BYTES + recordsPerBatch * RECORD_BYTES_MAX),
      at: BATCH_HEADER_BYTES,
      count: 0,
      offset: 0,
      baseTimeMs: 0,
      maxTimeMs: 0,
    }));
  }

  /** Null while the batch of the event's lane is not full. */
  add(event: UserEvent): LaneBatch | null {
    const number = mix(event.user) % this.#lanes.length;
    const lane = this.#lanes[number]!;
    if (lane.count === 0) {
      lane.baseTimeMs = event.timeMs;
      lane.maxTimeMs = event.timeMs;
    }
    this.#lastRecords = lane.bytes;
    lane.at = this.writer.put(lane.bytes, lane.at, event, lane.baseTimeMs, lane.count);
    lane.maxTimeMs = Math.max(lane.maxTimeMs, event.timeMs);
    lane.count++;
    return lane.count === this.#recordsPerBatch ? this.#seal(number) : null;
  }

  /** A copy of the value of the event that was added last; before another is added. */
  lastValue(): Buffer {
    return Buffer.from(
      this.#lastRecords.subarray(this.writer.valueAt, this.writer.valueAt + this.writer.valueLength),
    );
  }

  /** What is gathered, as smaller batches. */
  flush(): LaneBatch[] {
    return this.#lanes.flatMap((lane, number) => (lane.count === 0 ? [] : this.#seal(number)));
  }

  #seal(number: number): LaneBatch {
    const lane = this.#lanes[number]!;
    const { count, baseTimeMs, maxTimeMs } = lane;
    const baseOffset = BigInt(lane.offset);
    let bytes = lane.bytes.subarray(0, lane.at);
    if (this.compresses) {
      const frame = lz4.compressFrameSync(lane.bytes.subarray(BATCH_HEADER_BYTES, lane.at));
      bytes = Buffer.allocUnsafe(BATCH_HEADER_BYTES + frame.length);
      bytes.set(frame, BATCH_HEADER_BYTES);
    }
    sealBatch(bytes, { baseOffset, count, baseTimeMs, maxTimeMs, codec: this.compresses ? 'lz4' : 'none' });
    const recordBytes = lane.at - BATCH_HEADER_BYTES;
    lane.offset += count;
    lane.at = BATCH_HEADER_BYTES;
    lane.count = 0;
    return { lane: number, bytes, baseOffset, count, recordBytes };
  }
}
