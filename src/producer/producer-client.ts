import type { Clock } from '../clock.js';
import { HeadraceError } from '../errors.js';
import {
  closeWithin,
  connectClient,
  type DeliveryReport,
  failureOf,
  fetchMetadata,
  type LibrdkafkaConfig,
  type Metadata,
  type NativeError,
  type NativeProducer,
} from '../kafka/librdkafka.js';
import type { PlainLog } from '../telemetry/log.js';
import { RepeatLimitedLog } from '../telemetry/repeat-limited-log.js';
import { TOPIC_REMEDY } from './delivery-failure.js';

/** The native client of one producer: connecting, what it says by itself, and the end of it. */

export interface ProducerClientOptions {
  config: LibrdkafkaConfig;
  brokers: readonly string[];
  topic: string;
  log: PlainLog;
  clock: Clock;
  createClient(config: LibrdkafkaConfig): NativeProducer;
  onReport(error: NativeError | null, report: DeliveryReport): void;
  onStatistics(json: string): void;
}

const CLOSE_MS_MAX = 5_000;
/** A topic that was just made is not known to all brokers yet. */
const UNKNOWN_TOPIC_MS_MAX = 3_000;
const ASK_AGAIN_MS = 200;

export interface OpenClient {
  native: NativeProducer;
  partitions: number;
}

/**
 * Connects and asks how many partitions the topic has. Throws CONFIG_INVALID; KAFKA_UNREACHABLE when no broker answers within
 * `timeoutMs`; KAFKA_AUTH; KAFKA_TOPIC_MISSING.
 */
export async function openClient(options: ProducerClientOptions, timeoutMs: number): Promise<OpenClient> {
  const { config, clock, createClient, onReport, onStatistics } = options;
  const native = createClient(config);
  const trouble = new Trouble(options);
  native.on('event.error', (error: unknown) => trouble.note(error));
  native.on('event.stats', ({ message }: { message: string }) => onStatistics(message));
  native.on('delivery-report', onReport);
  await connectClient(native, config);
  try {
    // librdkafka's own thread serves the reports. Its flush() would serve them in a second one, out of order: never call it.
    native.setPollInBackground(true);
    return { native, partitions: await partitionsOf(native, options, trouble, timeoutMs) };
  } catch (error) {
    await closeClient(native, clock);
    throw error;
  }
}

/** Bounded in time; what is still queued is dropped without a report. */
export async function closeClient(native: NativeProducer, clock: Clock): Promise<void> {
  await closeWithin((done) => native.disconnect(0, done), CLOSE_MS_MAX, clock);
}

async function partitionsOf(
  native: NativeProducer,
  { brokers, topic, clock }: ProducerClientOptions,
  trouble: Trouble,
  timeoutMs: number,
): Promise<number> {
  const where = { brokers: brokers.join(','), topic };
  const giveUpMs = clock.monotonicMs() + Math.min(timeoutMs, UNKNOWN_TOPIC_MS_MAX);
  for (;;) {
    let metadata: Metadata;
    try {
      metadata = await fetchMetadata(native, timeoutMs, where, topic);
    } catch (cause) {
      throw trouble.asError(cause, timeoutMs);
    }
    const found = metadata.topics.find(({ name }) => name === topic)?.partitions.length ?? 0;
    if (found > 0) return found;
    if (clock.monotonicMs() >= giveUpMs) {
      throw new HeadraceError('KAFKA_TOPIC_MISSING', 'the topic does not exist; nothing was sent', {
        where,
        remedy: TOPIC_REMEDY,
      });
    }
    await clock.sleep(ASK_AGAIN_MS);
  }
}

/** What the client complains of by itself. */
class Trouble {
  readonly #options: ProducerClientOptions;
  readonly #log: RepeatLimitedLog;
  #auth: string | undefined;

  constructor(options: ProducerClientOptions) {
    this.#options = options;
    this.#log = new RepeatLimitedLog(options.log, options.clock);
  }

  note(error: unknown): void {
    const { kind, text } = failureOf(error);
    if (kind === 'auth') this.#auth = text;
    const fields = { brokers: this.#options.brokers.join(','), reason: text };
    this.#log.warn(kind, fields, 'the Kafka producer reports trouble; it goes on trying');
  }

  /** A login that is refused looks like a broker that does not answer. */
  asError(cause: unknown, timeoutMs: number): HeadraceError {
    const where = { brokers: this.#options.brokers.join(','), topic: this.#options.topic };
    if (this.#auth !== undefined) {
      return new HeadraceError('KAFKA_AUTH', `the brokers refuse the login: ${this.#auth}`, {
        where,
        cause,
        remedy: "correct the credentials in the producer's overrides",
      });
    }
    if (cause instanceof HeadraceError && cause.code !== 'KAFKA_UNREACHABLE') return cause;
    return new HeadraceError(
      'KAFKA_UNREACHABLE',
      `no broker answered within ${timeoutMs / 1_000} s; nothing was sent`,
      {
        where,
        cause,
        remedy: 'check that the brokers run and that their advertised addresses can be reached from here',
      },
    );
  }
}
