import type { NativeConsumer, NativeMessage } from './librdkafka.js';
import {
  consumed,
  PAUSE_MS,
  type ReadingConsumerOptions,
  watermarkOffsets,
  withReadingConsumer,
} from './reading-consumer.js';

/**
 * A topic from its beginning, or from its end on, for as long as somebody looks. Partitions are assigned and nothing is committed, so
 * that no group hears of it. While the reader is busy with what came, at most some megabytes are fetched ahead.
 */
export interface TopicTailOptions extends ReadingConsumerOptions {
  partitions: readonly number[];
  isolation: 'read_committed' | 'read_uncommitted';
  from: 'earliest' | 'latest';
  signal: AbortSignal;
}

export interface TopicTailReader {
  /** From here on no record is missed. */
  onStart(): void;
  /** False: it has seen enough. */
  onRecords(records: readonly NativeMessage[]): Promise<boolean>;
}

const AHEAD = { 'queued.max.messages.kbytes': 16_384 };

/** Resolves when the reader has enough or the signal aborts. Throws HeadraceError KAFKA_UNREACHABLE, KAFKA_AUTH, KAFKA_TOPIC_MISSING, KAFKA_PROTOCOL. */
export async function tailTopic(options: TopicTailOptions, reader: TopicTailReader): Promise<void> {
  const { topic, isolation, clock, signal, extra } = options;
  const withBounds = { ...options, extra: { ...extra, ...AHEAD } };
  await withReadingConsumer(withBounds, isolation, async (consumer) => {
    consumer.assign(await beginnings(consumer, options));
    reader.onStart();
    while (!signal.aborted) {
      const records = await consumed(consumer, topic);
      if (records.length === 0) await clock.sleep(PAUSE_MS, signal);
      else if (!(await reader.onRecords(records))) return;
    }
  });
}

/** Offsets in numbers: librdkafka's own word for the end is looked up some time later. */
async function beginnings(
  consumer: NativeConsumer,
  { topic, partitions, from }: TopicTailOptions,
): Promise<{ topic: string; partition: number; offset: number }[]> {
  return await Promise.all(
    partitions.map(async (partition) => {
      const { lowOffset, highOffset } = await watermarkOffsets(consumer, topic, partition);
      return { topic, partition, offset: from === 'earliest' ? lowOffset : highOffset };
    }),
  );
}
