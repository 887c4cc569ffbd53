import type { NativeMessage } from './librdkafka.js';
import {
  consumed,
  PAUSE_MS,
  type ReadingConsumerOptions,
  watermarkOffsets,
  withReadingConsumer,
} from './reading-consumer.js';

/**
 * A topic from its beginning, or a place behind it, to where it ended when it was asked, without a group: for whoever looks through what is there.
 * Records of transactions that were not committed are left out.
 */
export interface TopicReaderOptions extends ReadingConsumerOptions {
  partitions: readonly number[];
  /** How long nothing may come. */
  silenceMsMax: number;
  /** The offset to begin at; without it the first that is there. At or behind the end: nothing is read. */
  from?: (range: PartitionRange) => number;
}

export interface PartitionRange {
  partition: number;
  /** Of the first record that is still there. */
  start: number;
  /** Behind the last one. */
  end: number;
}

/**
 * Returns what was read, by partition, and whether all of it was. Throws HeadraceError KAFKA_UNREACHABLE, KAFKA_AUTH, KAFKA_TOPIC_MISSING,
 * KAFKA_PROTOCOL.
 */
export async function readTopic(
  options: TopicReaderOptions,
  onRecord: (record: NativeMessage) => void,
): Promise<{ ranges: PartitionRange[]; isWhole: boolean }> {
  const { topic, partitions, clock, silenceMsMax, from = ({ start }) => start } = options;
  return await withReadingConsumer(options, 'read_committed', async (consumer) => {
    const ranges = await Promise.all(
      partitions.map(async (partition): Promise<PartitionRange> => {
        const { lowOffset, highOffset } = await watermarkOffsets(consumer, topic, partition);
        return { partition, start: lowOffset, end: highOffset };
      }),
    );
    const wanted = new Map(
      ranges.filter((range) => range.end > from(range)).map((range) => [range.partition, range]),
    );
    const open = new Set(wanted.keys());
    if (open.size === 0) return { ranges, isWhole: true };
    // the client tells of an end before it hands over what lies ahead of it
    const ended = new Set<number>();
    consumer.on('partition.eof', ({ partition }: { partition: number }) => ended.add(partition));
    consumer.assign(
      [...wanted.values()].map((range) => ({ topic, partition: range.partition, offset: from(range) })),
    );
    let heardMs = clock.monotonicMs();
    while (open.size > 0 && clock.monotonicMs() - heardMs < silenceMsMax) {
      const messages = await consumed(consumer, topic);
      for (const message of messages) {
        const end = wanted.get(message.partition)?.end;
        if (end === undefined || message.offset >= end) continue;
        onRecord(message);
        if (message.offset + 1 >= end) open.delete(message.partition);
      }
      for (const partition of ended) open.delete(partition);
      if (messages.length > 0) heardMs = clock.monotonicMs();
      else await clock.sleep(PAUSE_MS);
    }
    return { ranges, isWhole: open.size === 0 };
  });
}
