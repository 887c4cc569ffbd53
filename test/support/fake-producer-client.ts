import { EventEmitter } from 'node:events';
import type { DeliveryReport, Metadata, NativeError, NativeProducer } from '#src/kafka/librdkafka.js';

/**
 * librdkafka's side of a producer, as far as it decides reports: records wait in a partition's queue, go out in batches, and
 * are delivered or fail. Each step is asked for by the test; reports come at once.
 */
export interface FakeRecord {
  partition: number;
  key: Buffer;
  value: Buffer;
  timestampMs: number;
  /** What became of it. */
  outcome: { offset: number } | { code: number } | null;
}

const MSG_TIMED_OUT = -192;
const QUEUE_FULL = -184;

class Lane {
  queue: FakeRecord[] = [];
  /** Under way to the broker, oldest first. */
  batches: FakeRecord[][] = [];
  log: FakeRecord[] = [];
}

export class FakeProducerClient extends EventEmitter implements NativeProducer {
  readonly lanes: Lane[];
  readonly records: FakeRecord[] = [];
  /** What getMetadata answers; an error as librdkafka's. */
  metadata: Metadata | NativeError;
  /** produce() fails with this code. */
  refuses: number | null = null;
  messagesMax = Number.POSITIVE_INFINITY;
  disconnected = false;
  #queued = 0;

  constructor(topic: string, partitions: number) {
    super();
    this.lanes = Array.from({ length: partitions }, () => new Lane());
    this.metadata = {
      brokers: [{ id: 1, host: 'b', port: 1 }],
      topics: [
        {
          name: topic,
          partitions: this.lanes.map((_, id) => ({ id, leader: 1, replicas: [1, 2, 3], isrs: [1, 2, 3] })),
        },
      ],
    };
  }

  connect(_options: object, done: (error: null, value: unknown) => void): void {
    done(null, {});
  }

  getMetadata(_options: object, done: (error: NativeError | null, metadata: Metadata) => void): void {
    if ('code' in this.metadata) done(this.metadata, { brokers: [], topics: [] });
    else done(null, this.metadata);
  }

  isConnected(): boolean {
    return !this.disconnected;
  }

  produce(
    _topic: string,
    partition: number | null,
    value: Uint8Array | null,
    key: Uint8Array | string | null,
    timestampMs: number | null,
  ): void {
    const code = this.#queued >= this.messagesMax ? QUEUE_FULL : this.refuses;
    if (code !== null) throw Object.assign(new Error(`refused with ${code}`), { code });
    const record: FakeRecord = {
      partition: partition!,
      key: Buffer.from(key as Uint8Array),
      value: Buffer.from(value!),
      timestampMs: timestampMs!,
      outcome: null,
    };
    this.#queued++;
    this.records.push(record);
    this.lanes[partition!]!.queue.push(record);
  }

  /** The first records of the queue go out together. */
  transmit(partition: number, count: number): void {
    const lane = this.lanes[partition]!;
    const batch = lane.queue.splice(0, count);
    if (batch.length > 0) lane.batches.push(batch);
  }

  /** The oldest batch is answered. `code`: it is refused for good. */
  answer(partition: number, code: number | null = null): void {
    for (const record of this.lanes[partition]!.batches.shift() ?? []) this.#report(record, code);
  }

  /** The connection broke: what was under way waits again, in its order. */
  requeue(partition: number): void {
    const lane = this.lanes[partition]!;
    lane.queue.unshift(...lane.batches.flat());
    lane.batches = [];
  }

  /** The oldest in the queue time out, whatever is under way. */
  timeOut(partition: number, count: number): void {
    for (const record of this.lanes[partition]!.queue.splice(0, count)) this.#report(record, MSG_TIMED_OUT);
  }

  /** Everything goes out and is answered. */
  deliverAll(): void {
    for (const [partition, lane] of this.lanes.entries()) {
      this.transmit(partition, lane.queue.length);
      while (lane.batches.length > 0) this.answer(partition);
    }
  }

  setPollInterval(): void {}
  setPollInBackground(): void {}
  initTransactions(): void {}
  beginTransaction(): void {}
  commitTransaction(): void {}
  abortTransaction(): void {}
  sendOffsetsToTransaction(): void {}

  disconnect(_flushTimeoutMs: number, done: () => void): void {
    this.disconnected = true;
    done();
  }

  #report(record: FakeRecord, code: number | null): void {
    const { partition, key, value, timestampMs } = record;
    const { log } = this.lanes[partition]!;
    this.#queued--;
    record.outcome = code === null ? { offset: log.length } : { code };
    if (code === null) log.push(record);
    const report: DeliveryReport = {
      topic: 't',
      partition,
      offset: code === null ? log.length - 1 : -1001,
      key,
      size: value.byteLength,
      timestamp: timestampMs,
    };
    this.emit('delivery-report', code === null ? null : { code, message: `code ${code}` }, report);
  }
}
