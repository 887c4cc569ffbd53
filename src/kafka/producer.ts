import type { Clock } from '../clock.js';
import { HeadraceError } from '../errors.js';
import { invariant } from '../invariant.js';
import type { PlainLog } from '../telemetry/log.js';
import { RepeatLimitedLog } from '../telemetry/repeat-limited-log.js';
import { answeredWithin } from './answered-within.js';
import {
  clientConfig,
  closeWithin,
  connectClient,
  createProducer,
  type DeliveryReport,
  failureOf,
  failureToError,
  type LibrdkafkaConfig,
  type NativeError,
  type NativeProducer,
} from './librdkafka.js';

/**
 * Writes records through librdkafka: idempotent, acknowledged by all in-sync replicas, keys placed as Java places them.
 *
 * - A full queue is an answer, not an error: the caller waits with untilBelow().
 * - Nothing is passed along with a record (an opaque leaks in the binding): records are counted by their reports.
 * - inFlight = accepted − delivered − failed, and 0 after a flush that succeeded.
 */
export interface ProducerOptions {
  brokers: string | readonly string[];
  clientId: string;
  log: PlainLog;
  clock: Clock;
  /** How long a record waits for others of its batch. */
  lingerMs?: number;
  queueMessagesMax?: number;
  queueKibMax?: number;
  /** librdkafka properties; they win over ours. */
  extra?: LibrdkafkaConfig;
}

const LINGER_MS = 20;
const QUEUE_MESSAGES_MAX = 100_000;
const QUEUE_KIB_MAX = 64 * 1024;
const CLOSE_TIMEOUT_MS = 5_000;
const ERR_QUEUE_FULL = -184;

interface Waiter {
  below: number;
  done(): void;
}

export class Producer {
  readonly #options: ProducerOptions;
  readonly #log: RepeatLimitedLog;
  readonly #config: LibrdkafkaConfig;
  readonly #messagesMax: number;
  readonly #offsets = new Map<string, Map<number, number>>();
  #client: NativeProducer | null = null;
  #accepted = 0;
  #delivered = 0;
  #failed = 0;
  #waiters: Waiter[] = [];

  constructor(options: ProducerOptions) {
    this.#options = options;
    this.#log = new RepeatLimitedLog(options.log, options.clock);
    this.#messagesMax = options.queueMessagesMax ?? QUEUE_MESSAGES_MAX;
    this.#config = {
      ...clientConfig(options.brokers, options.clientId),
      'enable.idempotence': true,
      acks: 'all',
      partitioner: 'murmur2_random',
      'compression.codec': 'lz4',
      'linger.ms': options.lingerMs ?? LINGER_MS,
      'queue.buffering.max.messages': this.#messagesMax,
      'queue.buffering.max.kbytes': options.queueKibMax ?? QUEUE_KIB_MAX,
      dr_cb: true,
      ...options.extra,
    };
  }

  /** Does not wait for a broker. Errors: CONFIG_INVALID. */
  async connect(): Promise<void> {
    invariant(this.#client === null, 'a producer was connected twice');
    const client = createProducer(this.#config);
    client.on('delivery-report', (error: NativeError | null, report: DeliveryReport) =>
      this.#onReport(error, report),
    );
    client.on('event.error', (error: unknown) => {
      const { kind, text } = failureOf(error);
      this.#log.warn(
        kind,
        { brokers: String(this.#options.brokers), reason: text },
        'the Kafka producer reports trouble; it goes on trying',
      );
    });
    await connectClient(client, this.#config);
    // librdkafka's own thread serves the reports: they come without a timer of ours.
    client.setPollInBackground(true);
    this.#client = client;
  }

  /**
   * Queues a record; its bytes are copied. `partition` null: by the key. 'full': the queue has no room now.
   * Errors: KAFKA_TOPIC_MISSING, KAFKA_PROTOCOL (too large for the client's limits, or the client is spent).
   */
  produce(
    topic: string,
    partition: number | null,
    key: Uint8Array | string | null,
    value: Uint8Array | null,
    timestampMs: number,
    headers?: Record<string, string | Buffer>[],
  ): 'queued' | 'full' {
    const client = this.#client;
    invariant(client !== null, 'a record for a producer that is not connected');
    // The native queue has room again as soon as the broker answers; the reports that wait for us take memory too.
    if (this.inFlight >= this.#messagesMax) return 'full';
    try {
      client.produce(topic, partition, value, key, timestampMs, undefined, headers);
    } catch (error) {
      const failure = failureOf(error);
      if (failure.code === ERR_QUEUE_FULL) return 'full';
      throw failureToError(failure, { topic, partition: partition ?? undefined });
    }
    this.#accepted += 1;
    return 'queued';
  }

  /** Null before connect() and after close(). */
  protected get native(): NativeProducer | null {
    return this.#client;
  }

  get inFlight(): number {
    return this.#accepted - this.#delivered - this.#failed;
  }

  get delivered(): number {
    return this.#delivered;
  }

  /** Records that were given up: they may be in the topic all the same. */
  get failed(): number {
    return this.#failed;
  }

  /** Highest offset that a report named, by partition. */
  offsets(topic: string): Map<number, bigint> {
    return new Map(
      [...(this.#offsets.get(topic) ?? [])].map(([partition, offset]) => [partition, BigInt(offset)]),
    );
  }

  /** Resolves when fewer than `messages` are in flight. */
  untilBelow(messages: number): Promise<void> {
    if (this.inFlight < messages) return Promise.resolve();
    return new Promise((done) => this.#waiters.push({ below: messages, done }));
  }

  /** Waits for the reports of all records. It holds no thread, unlike the native flush. */
  async flush(timeoutMs: number): Promise<'flushed' | 'timed-out'> {
    const flushed = this.untilBelow(1).then((): 'flushed' | 'timed-out' => 'flushed');
    return await answeredWithin(this.#options.clock, timeoutMs, flushed, () => 'timed-out');
  }

  /** Flushes and closes, both bounded in time. Errors: KAFKA_UNREACHABLE when records were left behind. */
  async close(flushTimeoutMs = CLOSE_TIMEOUT_MS): Promise<void> {
    const client = this.#client;
    if (client === null) return;
    const outcome = await this.flush(flushTimeoutMs);
    const left = this.inFlight;
    this.#client = null;
    await closeWithin((done) => client.disconnect(0, done), CLOSE_TIMEOUT_MS, this.#options.clock);
    if (outcome === 'flushed') return;
    throw new HeadraceError(
      'KAFKA_UNREACHABLE',
      `${left} records were not acknowledged before the producer closed`,
      {
        where: { brokers: String(this.#options.brokers) },
      },
    );
  }

  #onReport(error: NativeError | null, { topic, partition, offset }: DeliveryReport): void {
    if (error) {
      this.#failed += 1;
      const reason = failureOf(error).text;
      this.#log.error(`report ${reason}`, { topic, partition, reason }, 'a record was not delivered');
    } else {
      this.#delivered += 1;
      this.#noteOffset(topic, partition, offset);
    }
    if (this.#waiters.length > 0) this.#serveWaiters();
  }

  #noteOffset(topic: string, partition: number, offset: number): void {
    let offsets = this.#offsets.get(topic);
    if (offsets === undefined) {
      offsets = new Map();
      this.#offsets.set(topic, offsets);
    }
    if (offset > (offsets.get(partition) ?? -1)) offsets.set(partition, offset);
  }

  #serveWaiters(): void {
    const inFlight = this.inFlight;
    this.#waiters = this.#waiters.filter(({ below, done }) => {
      if (inFlight >= below) return true;
      done();
      return false;
    });
  }
}
