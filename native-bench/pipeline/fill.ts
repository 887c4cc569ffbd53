import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GeneratedEvent } from '#src/generator/event-generator.js';
import type { BrokerConnection } from '#src/kafka/broker-connection.js';
import { KafkaErrorCode, nameOfError } from '#src/kafka/wire/error-codes.js';
import { LATEST_TIMESTAMP, listOffsetsApi } from '#src/kafka/wire/list-offsets.js';
import { produceApi } from '#src/kafka/wire/produce.js';
import { benchConnection } from '../bench-connection.js';
import { type Codec, encodeBatch } from '../kafka-batch.js';
import { TOPICS, type TopicOptions, topicGenerator } from './topic-options.js';

/**
 * Fills the topic: generator → record batches (LZ4 or snappy) → Produce, a request for one batch of each partition that has one.
 * Batches of a partition go out in order, over one connection: the broker answers requests one after the other.
 */

/** What lies in the topic, and what is known of it. */
export interface TopicFacts extends TopicOptions {
  /** By the generator: sessions still open at the end count. */
  sessions: number;
  /** Those that count in a session: events that only end one do not. */
  countedEvents: number;
  batches: number;
  valueBytes: number;
  /** Over the values in the order of production. */
  sha256: string;
  /** Records before and after compression. */
  compressionRatio: number;
  /** Batches as they lie in the log. */
  batchBytes: number;
  /** The offset behind the last record, by partition. */
  ends: number[];
}

const CHUNK_EVENTS = 1_000;
const REQUEST_TIMEOUT_MS = 60_000;
const LEADING_POLL_MS = 50;
/** While the broker checks and writes, the next ones are made. */
const REQUESTS_IN_FLIGHT_MAX = 2;

/** `broker`: host:port of the only one. The topic is there and empty. */
export async function fillTopic(
  broker: { host: string; port: number },
  options: TopicOptions,
  onEvents: (events: number) => void,
): Promise<TopicFacts> {
  const connection = await benchConnection(broker);
  try {
    const { name, codec } = TOPICS[options.model];
    await untilLeading(connection, name, options.partitions);
    const filler = new Filler(connection, { ...options, topic: name, codec });
    const generator = topicGenerator(options);
    while (generator.emitted < options.events) {
      const left = options.events - generator.emitted;
      await filler.add(generator.next(Math.min(CHUNK_EVENTS, left)));
      onEvents(generator.emitted);
    }
    const { sessions, events: countedEvents } = generator.expected();
    return { ...options, ...(await filler.finish()), sessions, countedEvents };
  } finally {
    connection.close();
  }
}

/** A broker tells of its partitions a moment before it takes anything for them. */
export async function untilLeading(
  connection: BrokerConnection,
  topic: string,
  partitions: number,
): Promise<void> {
  const asked = Array.from({ length: partitions }, (_, partition) => ({
    partition,
    currentLeaderEpoch: -1,
    timestamp: LATEST_TIMESTAMP,
  }));
  const deadline = performance.now() + REQUEST_TIMEOUT_MS;
  for (;;) {
    const { topics } = await connection.send(listOffsetsApi, {
      topic,
      isolation: 'read_uncommitted',
      partitions: asked,
    });
    const refused = topics.flatMap((topic) => topic.partitions).find(({ errorCode }) => errorCode !== 0);
    if (refused === undefined) return;
    if (performance.now() > deadline) {
      throw new Error(`partition ${refused.partition}: ${nameOfError(refused.errorCode)}`);
    }
    await sleep(LEADING_POLL_MS);
  }
}

class Filler {
  readonly #connection: BrokerConnection;
  readonly #topic: string;
  readonly #codec: Codec;
  readonly #recordsPerBatch: number;
  /** Events of the batch to come, by partition. */
  readonly #gathered: GeneratedEvent[][];
  /** Batches of the request to come, by partition. */
  readonly #ready = new Map<number, Uint8Array>();
  readonly #inFlight: Promise<void>[] = [];
  readonly #hash = createHash('sha256');
  readonly #ends: number[];
  #batches = 0;
  #valueBytes = 0;
  #recordBytes = 0;
  #frameBytes = 0;
  #batchBytes = 0;

  constructor(
    connection: BrokerConnection,
    options: { topic: string; codec: Codec; partitions: number; recordsPerBatch: number },
  ) {
    this.#connection = connection;
    this.#topic = options.topic;
    this.#codec = options.codec;
    this.#recordsPerBatch = options.recordsPerBatch;
    this.#gathered = Array.from({ length: options.partitions }, () => []);
    this.#ends = this.#gathered.map(() => 0);
  }

  async add(events: readonly GeneratedEvent[]): Promise<void> {
    for (const event of events) {
      this.#hash.update(event.value);
      this.#valueBytes += event.value.length;
      const gathered = this.#gathered[event.partition]!;
      gathered.push(event);
      if (gathered.length === this.#recordsPerBatch) await this.#close(event.partition);
    }
  }

  async finish(): Promise<Omit<TopicFacts, keyof TopicOptions | 'sessions' | 'countedEvents'>> {
    for (const partition of this.#gathered.keys()) await this.#close(partition);
    this.#send();
    await Promise.all(this.#inFlight);
    return {
      batches: this.#batches,
      valueBytes: this.#valueBytes,
      sha256: this.#hash.digest('hex'),
      compressionRatio: this.#recordBytes / this.#frameBytes,
      batchBytes: this.#batchBytes,
      ends: this.#ends,
    };
  }

  async #close(partition: number): Promise<void> {
    const events = this.#gathered[partition]!;
    if (events.length === 0) return;
    if (this.#ready.has(partition)) {
      this.#send();
      while (this.#inFlight.length >= REQUESTS_IN_FLIGHT_MAX) await this.#inFlight.shift();
    }
    const { bytes, records, frameBytes } = encodeBatch(0n, events, this.#codec);
    this.#ready.set(partition, bytes);
    this.#ends[partition]! += events.length;
    this.#gathered[partition] = [];
    this.#batches++;
    this.#recordBytes += records.length;
    this.#frameBytes += frameBytes;
    this.#batchBytes += bytes.length;
  }

  #send(): void {
    if (this.#ready.size === 0) return;
    const batches = [...this.#ready].map(([partition, bytes]) => ({ partition, bytes }));
    this.#ready.clear();
    const sent = this.#connection
      .send(produceApi, { topic: this.#topic, timeoutMs: REQUEST_TIMEOUT_MS, batches })
      .then((produced) => {
        const failed = produced.find(({ errorCode }) => errorCode !== KafkaErrorCode.NONE);
        if (failed === undefined) return;
        throw new Error(`partition ${failed.partition} refused a batch: ${nameOfError(failed.errorCode)}`);
      });
    // it is waited for later; a failure before that is no unhandled one
    sent.catch(() => undefined);
    this.#inFlight.push(sent);
  }
}
