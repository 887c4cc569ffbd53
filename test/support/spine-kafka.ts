import { setTimeout as sleep } from 'node:timers/promises';
import kafka from '@confluentinc/kafka-javascript';
import { retried } from './kafka-retries.js';
import type { RawRecord, RawRecordFile } from './oracle.js';

/** Producing for the spine's tests, and reading back what a topic holds and a group has committed, by librdkafka. */

export interface ProducedRecord {
  key: string | null;
  value: string | Uint8Array | null;
  timestampMs: number;
  /** By murmur2 of the key when left out. */
  partition?: number;
  headers?: Record<string, string>[];
}

const QUEUE_FULL = kafka.CODES.ERRORS.ERR__QUEUE_FULL;
const TIMEOUT_MS = 30_000;
const CONSUMED_MAX = 10_000;

type Done<T> = (error?: unknown, value?: T) => void;

function promised<T = unknown>(start: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => {
      if (error !== null && error !== undefined) reject(error);
      else resolve(value as T);
    });
  });
}

/** An idempotent producer: the order of `send` is the order in a partition. */
export class SpineProducer {
  readonly #producer: kafka.Producer;
  readonly #transactional: boolean;

  constructor(bootstrap: string, properties: Record<string, unknown> = {}) {
    this.#transactional = properties['transactional.id'] !== undefined;
    this.#producer = new kafka.Producer(
      {
        'bootstrap.servers': bootstrap,
        'enable.idempotence': true,
        'compression.codec': 'lz4',
        'batch.num.messages': 500,
        'linger.ms': 100,
        ...properties,
      } as kafka.ProducerGlobalConfig,
      { partitioner: 'murmur2_random' } as kafka.ProducerTopicConfig,
    );
    this.#producer.setPollInterval(20);
  }

  async connect(): Promise<void> {
    await promised((done) => this.#producer.connect({ timeout: TIMEOUT_MS }, done));
    if (this.#transactional) await promised((done) => this.#producer.initTransactions(TIMEOUT_MS, done));
  }

  /** Hands records over, waiting while the queue is full. They are there after `flush`. */
  async send(topic: string, records: Iterable<ProducedRecord>): Promise<void> {
    for (const record of records) while (!this.#tryProduce(topic, record)) await sleep(5);
  }

  async flush(): Promise<void> {
    await promised((done) => this.#producer.flush(TIMEOUT_MS, done));
  }

  async begin(): Promise<void> {
    await promised((done) => this.#producer.beginTransaction(done));
  }

  async commit(): Promise<void> {
    await promised((done) => this.#producer.commitTransaction(TIMEOUT_MS, done));
  }

  /** What was not flushed before is never sent. */
  async abort(): Promise<void> {
    await promised((done) => this.#producer.abortTransaction(TIMEOUT_MS, done));
  }

  async close(): Promise<void> {
    // the client is taken down by another thread, without a lock: a poll meanwhile reads what is freed, and the process is gone
    this.#producer.setPollInterval(0);
    await promised((done) => this.#producer.disconnect(TIMEOUT_MS, done));
  }

  #tryProduce(topic: string, { partition, value, key, timestampMs, headers }: ProducedRecord): boolean {
    try {
      const bytes = value === null ? null : Buffer.from(value as string);
      this.#producer.produce(topic, partition ?? null, bytes, key, timestampMs, undefined, headers);
      return true;
    } catch (error) {
      if ((error as { code?: number }).code === QUEUE_FULL) return false;
      throw error;
    }
  }
}

/** Runs something with a consumer that belongs to `group` by name only: it never joins. */
async function withConsumer<T>(
  bootstrap: string,
  group: string,
  use: (consumer: kafka.KafkaConsumer) => Promise<T>,
): Promise<T> {
  const consumer = new kafka.KafkaConsumer(
    { 'bootstrap.servers': bootstrap, 'group.id': group, 'enable.auto.commit': false },
    { 'auto.offset.reset': 'earliest' },
  );
  await promised((done) => consumer.connect({ timeout: TIMEOUT_MS }, done));
  try {
    return await use(consumer);
  } finally {
    await promised((done) => consumer.disconnect(done));
  }
}

function endOffsetsBy(consumer: kafka.KafkaConsumer, topic: string, partitions: number): Promise<number[]> {
  const ends = Array.from({ length: partitions }, (_, partition) =>
    promised<{ highOffset: number }>((done) =>
      consumer.queryWatermarkOffsets(topic, partition, TIMEOUT_MS, done),
    ),
  );
  return Promise.all(ends.map(async (end) => (await end).highOffset));
}

/** The offset behind the last record, by partition. */
export function endOffsets(bootstrap: string, topic: string, partitions: number): Promise<number[]> {
  return retried(() =>
    withConsumer(bootstrap, 'headrace-test-reader', (consumer) => endOffsetsBy(consumer, topic, partitions)),
  );
}

/** What a group has committed, by partition; null: nothing. */
export function committedOffsets(
  bootstrap: string,
  group: string,
  topic: string,
  partitions: number,
): Promise<(number | null)[]> {
  const lanes = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
  const read = async (consumer: kafka.KafkaConsumer) => {
    const found = await promised<{ partition: number; offset?: number }[]>((done) =>
      consumer.committed(lanes, TIMEOUT_MS, done as never),
    );
    const byPartition = new Map(found.map(({ partition, offset }) => [partition, offset]));
    return lanes.map(({ partition }) => {
      const offset = byPartition.get(partition);
      return offset === undefined || offset < 0 ? null : offset;
    });
  };
  return retried(() => withConsumer(bootstrap, group, read));
}

/** Writes all records of a topic, as they lie in Kafka, to a file. Gives the end offsets it went up to. */
export function exportTopic(
  bootstrap: string,
  topic: string,
  partitions: number,
  file: RawRecordFile,
): Promise<number[]> {
  return withConsumer(bootstrap, 'headrace-test-reader', async (consumer) => {
    const ends = await endOffsetsBy(consumer, topic, partitions);
    consumer.setDefaultConsumeTimeout(50);
    consumer.assign(ends.map((_, partition) => ({ topic, partition, offset: 0 })));
    const next = ends.map(() => 0);
    while (next.some((offset, partition) => offset < ends[partition]!)) {
      const messages = await promised<kafka.Message[]>((done) => consumer.consume(CONSUMED_MAX, done));
      const records = messages.map(rawRecord).filter(({ partition, offset }) => offset < ends[partition]!);
      for (const { partition, offset } of records) next[partition] = offset + 1;
      await file.write(records);
    }
    return ends;
  });
}

function rawRecord(message: kafka.Message): RawRecord {
  const { partition, offset, key, value } = message;
  return {
    partition,
    offset,
    key: Buffer.from((key ?? '') as Uint8Array),
    value: Buffer.from((value ?? '') as Uint8Array),
  };
}
