import { systemClock } from '#src/clock.js';
import { partitionOf } from '#src/generator/murmur2.js';
import { closeWithin, connectClient, createProducer, type NativeProducer } from '#src/kafka/librdkafka.js';
import { checkedOptions } from '#src/producer/producer-options.js';
import type { SenderTask } from './sender.js';

/**
 * What the producer library stands on, alone: kafka-javascript with the same settings, a report an event, and room counted by
 * reports. What it costs is no library's of ours to save.
 */

export interface PreparedRecord {
  key: Buffer;
  value: Buffer;
  partition: number;
}

const CLOSE_MS_MAX = 5_000;
/** The client refuses what does not fit any more. */
const RECORD_BYTES_MAX = 64 * 1_024;
/** Of the buffer in use, where whoever waits goes on; as in the library. */
const ROOM_AGAIN = 0.75;

export class RawProducer {
  readonly #native: NativeProducer;
  readonly #task: SenderTask;
  readonly #bytesMax: number;
  #bytes = 0;
  #wanted: (() => void) | null = null;
  #wantedAt = 0;
  #done: (() => void) | null = null;
  #doneAt = 0;
  sent = 0;
  failed = 0;

  private constructor(native: NativeProducer, task: SenderTask, bytesMax: number) {
    this.#native = native;
    this.#task = task;
    this.#bytesMax = bytesMax;
    native.on('delivery-report', (error: unknown, { size }: { size: number }) => {
      if (error) this.failed++;
      else this.sent++;
      this.#bytes -= size;
      if (this.#wanted !== null && this.#bytes <= this.#wantedAt) this.#wanted();
      if (this.#done !== null && this.sent + this.failed >= this.#doneAt) this.#done();
    });
  }

  static async open(task: SenderTask): Promise<RawProducer> {
    const { config, bufferBytesMax } = checkedOptions(task);
    const native = createProducer(config);
    await connectClient(native, config);
    native.setPollInBackground(true);
    return new RawProducer(native, task, bufferBytesMax);
  }

  prepared(key: string, value: Buffer): PreparedRecord {
    return { key: Buffer.from(key), value, partition: partitionOf(key, this.#task.partitions) };
  }

  get hasRoom(): boolean {
    return this.#bytes + RECORD_BYTES_MAX <= this.#bytesMax;
  }

  untilRoom(): Promise<void> {
    this.#wantedAt = ROOM_AGAIN * this.#bytesMax;
    return new Promise((resolve) => {
      this.#wanted = () => {
        this.#wanted = null;
        resolve();
      };
    });
  }

  send({ key, value, partition }: PreparedRecord): void {
    this.#native.produce(this.#task.topic, partition, value, key, null);
    this.#bytes += value.length;
  }

  async untilDone(events: number): Promise<void> {
    this.#doneAt = events;
    if (this.sent + this.failed >= events) return;
    await new Promise<void>((resolve) => {
      this.#done = resolve;
    });
  }

  async close(): Promise<void> {
    await closeWithin((done) => this.#native.disconnect(0, done), CLOSE_MS_MAX, systemClock);
  }
}
