import type { BrokerAccess } from '../../config/types.js';
import type { LoadModel } from '../../generator/load/event-layout.js';
import { accessOf } from '../../kafka/security/access.js';
import { ClickstreamProducer, type ProducerOptions } from '../../producer/index.js';
import type { PlainLog } from '../../telemetry/log.js';

/** What `--sender client` sends through: a client that batches, retries and counts by itself. */
export interface RecordSender {
  connect(): Promise<void>;
  /** The value's bytes are copied. A promise: there is no room for more; it resolves when there is. */
  send(key: string, value: Buffer, timestampMs: number): Promise<void> | null;
  /** Waits for the answers to all records. */
  flush(): Promise<void>;
  close(): Promise<void>;
  readonly sent: number;
  readonly failed: number;
  /** Of single records, from send to answer: of the last ones where there are many. */
  readonly latencyMs: readonly number[];
}

export interface RecordSenderOptions extends BrokerAccess {
  topic: string;
  model: LoadModel;
  /** Null: none. */
  metricsFile: string | null;
  log: PlainLog;
}

/** Records whose latency is kept, the last ones. */
const LATENCIES_MAX = 100_000;

export class ProducerSender implements RecordSender {
  readonly latencyMs: number[] = [];
  readonly #producer: ClickstreamProducer<LoadModel>;
  #answered = 0;

  constructor({ security, metricsFile, ...rest }: RecordSenderOptions) {
    const overrides = accessOf(security).librdkafka as NonNullable<ProducerOptions['overrides']>;
    const file = metricsFile === null ? {} : { metricsFile };
    this.#producer = new ClickstreamProducer({ ...rest, ...file, overrides });
  }

  connect(): Promise<void> {
    return this.#producer.connect();
  }

  send(key: string, value: Buffer, timestampMs: number): Promise<void> | null {
    // the producer tells of failures in the log, and counts them
    this.#producer.sendBytes(key, value, timestampMs).then(
      ({ latencyMs }) => {
        this.latencyMs[this.#answered++ % LATENCIES_MAX] = latencyMs;
      },
      () => undefined,
    );
    return this.#producer.hasRoom ? null : this.#producer.untilRoom();
  }

  flush(): Promise<void> {
    return this.#producer.flush();
  }

  close(): Promise<void> {
    return this.#producer.close(0);
  }

  get sent(): number {
    return this.#producer.metrics().sent;
  }

  get failed(): number {
    const { failed, refused } = this.#producer.metrics();
    return failed + refused;
  }
}
