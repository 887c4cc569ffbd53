import { HeadraceError } from '../errors.js';
import type { NativeConsumer } from './librdkafka.js';
import {
  consumed,
  PAUSE_MS,
  type ReadingConsumerOptions,
  watermarkOffsets,
  withReadingConsumer,
} from './reading-consumer.js';

/**
 * The newest value of each key of a compacted topic, as of its end when read() was called: records of transactions that
 * were open then are waited for until they are committed or aborted. What was read once is not read again.
 */
export class CompactedReader {
  readonly #options: ReadingConsumerOptions;
  readonly #values = new Map<string, Buffer | null>();
  /** By partition: what comes next. */
  readonly #next = new Map<number, number>();
  /** The topic that was read, by its id. */
  #topicId: string | null = null;

  constructor(options: ReadingConsumerOptions) {
    this.#options = { ...options, extra: { 'fetch.wait.max.ms': 50, ...options.extra } };
  }

  /**
   * Values by key. Throws HeadraceError KAFKA_UNREACHABLE when that takes longer, KAFKA_AUTH, KAFKA_PROTOCOL. A topic that
   * was made again (another id) is read from its beginning.
   */
  async read(
    topicId: string,
    partitions: readonly number[],
    timeoutMs: number,
  ): Promise<ReadonlyMap<string, Buffer | null>> {
    if (topicId !== this.#topicId) {
      this.#values.clear();
      this.#next.clear();
      this.#topicId = topicId;
    }
    const ends = await withReadingConsumer(this.#options, 'read_uncommitted', (consumer) =>
      this.#ends(consumer, partitions),
    );
    await withReadingConsumer(this.#options, 'read_committed', (consumer) =>
      this.#readTo(consumer, ends, timeoutMs),
    );
    return this.#values;
  }

  /** Read uncommitted: the ends of open transactions, too. */
  async #ends(consumer: NativeConsumer, partitions: readonly number[]): Promise<Map<number, number>> {
    const { topic } = this.#options;
    const ends = new Map<number, number>();
    for (const partition of partitions) {
      const { highOffset } = await watermarkOffsets(consumer, topic, partition);
      ends.set(partition, highOffset);
    }
    return ends;
  }

  async #readTo(
    consumer: NativeConsumer,
    ends: ReadonlyMap<number, number>,
    timeoutMs: number,
  ): Promise<void> {
    const { topic, clock } = this.#options;
    const open = new Map([...ends].filter(([partition, end]) => end > (this.#next.get(partition) ?? 0)));
    if (open.size === 0) return;
    const reach = (partition: number, next: number) => {
      this.#next.set(partition, next);
      if (next >= (open.get(partition) ?? 0)) open.delete(partition);
    };
    // behind the last record lie markers of transactions: only the end of the partition says that they were passed
    consumer.on('partition.eof', ({ partition, offset }: { partition: number; offset: number }) =>
      reach(partition, offset),
    );
    consumer.assign(
      [...open.keys()].map((partition) => ({ topic, partition, offset: this.#next.get(partition) ?? 0 })),
    );
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    while (open.size > 0) {
      const messages = await consumed(consumer, topic);
      for (const { key, value, partition, offset } of messages) {
        if (key !== null) this.#values.set(key.toString(), value);
        reach(partition, offset + 1);
      }
      if (open.size === 0) return;
      if (clock.monotonicMs() >= deadlineMs) throw this.#late(open);
      if (messages.length === 0) await clock.sleep(PAUSE_MS);
    }
  }

  #late(open: ReadonlyMap<number, number>): HeadraceError {
    const [partition, end] = [...open][0]!;
    return new HeadraceError('KAFKA_UNREACHABLE', 'a topic could not be read to its end in time', {
      where: { topic: this.#options.topic, partition, offset: this.#next.get(partition) ?? 0, end },
      remedy:
        'a transaction of an engine that ended holds it up until the broker aborts it, within half a minute; longer: look at the brokers',
    });
  }
}
