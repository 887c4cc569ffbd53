import type { Clock } from '../../clock.js';
import { HeadraceError } from '../../errors.js';
import { Producer } from '../../kafka/producer.js';
import type { PlainLog } from '../../telemetry/log.js';

/** What `--sender client` sends through: a client that batches, retries and counts by itself. */
export interface RecordSender {
  connect(): Promise<void>;
  /** The value's bytes stay as they are from now on. A promise: there is no room; it resolves when there is. */
  send(key: string, value: Buffer, timestampMs: number): Promise<void> | null;
  /** Waits for the answers to all records. */
  flush(): Promise<void>;
  close(): Promise<void>;
  readonly sent: number;
  readonly failed: number;
  /** Of single records, from send to answer; empty where the client does not tell. */
  readonly latencyMs: readonly number[];
}

export interface RecordSenderOptions {
  brokers: readonly string[];
  topic: string;
  compression: 'lz4' | 'snappy';
  log: PlainLog;
  clock: Clock;
}

const QUEUE_MESSAGES_MAX = 100_000;
const FLUSH_MS_MAX = 120_000;

export class ProducerSender implements RecordSender {
  readonly latencyMs: readonly number[] = [];
  readonly #topic: string;
  readonly #producer: Producer;

  constructor({ brokers, topic, compression, log, clock }: RecordSenderOptions) {
    this.#topic = topic;
    this.#producer = new Producer({
      brokers,
      clientId: 'headrace-produce',
      log,
      clock,
      queueMessagesMax: QUEUE_MESSAGES_MAX,
      extra: { 'compression.codec': compression },
    });
  }

  connect(): Promise<void> {
    return this.#producer.connect();
  }

  send(key: string, value: Buffer, timestampMs: number): Promise<void> | null {
    // the partition is left to librdkafka: murmur2 of the key, as everybody's
    if (this.#producer.produce(this.#topic, null, key, value, timestampMs) === 'queued') return null;
    return this.#producer.untilBelow(QUEUE_MESSAGES_MAX / 2).then(() => {
      void this.send(key, value, timestampMs);
    });
  }

  async flush(): Promise<void> {
    if ((await this.#producer.flush(FLUSH_MS_MAX)) === 'flushed') return;
    throw new HeadraceError('KAFKA_UNREACHABLE', `${this.#producer.inFlight} records are not acknowledged`, {
      where: { topic: this.#topic },
      remedy: 'see that the brokers run; those records may be in the topic or not',
    });
  }

  async close(): Promise<void> {
    await this.#producer.close(0).catch(() => undefined);
  }

  get sent(): number {
    return this.#producer.delivered;
  }

  get failed(): number {
    return this.#producer.failed;
  }
}
