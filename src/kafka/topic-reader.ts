import type { Clock } from '../clock.js';
import {
  clientConfig,
  closeWithin,
  connectClient,
  createConsumer,
  failureOf,
  failureToError,
  type LibrdkafkaConfig,
  type NativeConsumer,
  type NativeMessage,
} from './librdkafka.js';

/**
 * A topic from its beginning to where it ended when it was asked, without a group: for whoever looks through what is there.
 * Records of transactions that were not committed are left out.
 */
export interface TopicReaderOptions {
  brokers: readonly string[];
  clientId: string;
  topic: string;
  partitions: readonly number[];
  clock: Clock;
  /** How long nothing may come. */
  silenceMsMax: number;
  /** librdkafka properties; they win over ours. */
  extra?: LibrdkafkaConfig;
}

export interface PartitionRange {
  partition: number;
  /** Of the first record that is still there. */
  start: number;
  /** Behind the last one. */
  end: number;
}

const CALL_TIMEOUT_MS = 5_000;
const POLL_MS = 5;
const PAUSE_MS = 20;
const MESSAGES_MAX = 5_000;

/**
 * Returns what was read, by partition, and whether all of it was. Throws HeadraceError KAFKA_UNREACHABLE, KAFKA_AUTH, KAFKA_TOPIC_MISSING,
 * KAFKA_PROTOCOL.
 */
export async function readTopic(
  options: TopicReaderOptions,
  onRecord: (record: NativeMessage) => void,
): Promise<{ ranges: PartitionRange[]; isWhole: boolean }> {
  const { brokers, clientId, topic, partitions, clock, silenceMsMax, extra } = options;
  const config = {
    ...clientConfig(brokers, clientId),
    'group.id': `${clientId}-${topic}`,
    'enable.auto.commit': false,
    'enable.auto.offset.store': false,
    'auto.offset.reset': 'earliest',
    'allow.auto.create.topics': false,
    'enable.partition.eof': true,
    ...extra,
    'isolation.level': 'read_committed',
  };
  const consumer = createConsumer(config);
  consumer.on('event.error', () => undefined);
  await connectClient(consumer, config);
  consumer.setDefaultConsumeTimeout(POLL_MS);
  try {
    const ranges = await Promise.all(partitions.map((partition) => rangeOf(consumer, topic, partition)));
    const open = new Map(
      ranges.filter(({ start, end }) => end > start).map((range) => [range.partition, range]),
    );
    if (open.size === 0) return { ranges, isWhole: true };
    consumer.on('partition.eof', ({ partition }: { partition: number }) => open.delete(partition));
    consumer.assign([...open.values()].map(({ partition, start }) => ({ topic, partition, offset: start })));
    let heardMs = clock.monotonicMs();
    while (open.size > 0 && clock.monotonicMs() - heardMs < silenceMsMax) {
      const messages = await consumed(consumer, topic);
      for (const message of messages) {
        const end = open.get(message.partition)?.end;
        if (end === undefined || message.offset >= end) continue;
        onRecord(message);
        if (message.offset + 1 >= end) open.delete(message.partition);
      }
      if (messages.length > 0) heardMs = clock.monotonicMs();
      else await clock.sleep(PAUSE_MS);
    }
    return { ranges, isWhole: open.size === 0 };
  } finally {
    await closeWithin((done) => consumer.disconnect(done), CALL_TIMEOUT_MS, clock);
  }
}

function rangeOf(consumer: NativeConsumer, topic: string, partition: number): Promise<PartitionRange> {
  return new Promise((resolve, reject) => {
    consumer.queryWatermarkOffsets(topic, partition, CALL_TIMEOUT_MS, (error, offsets) => {
      if (error) reject(failureToError(failureOf(error), { topic, partition }));
      else resolve({ partition, start: offsets.lowOffset, end: offsets.highOffset });
    });
  });
}

function consumed(consumer: NativeConsumer, topic: string): Promise<NativeMessage[]> {
  return new Promise((resolve, reject) => {
    consumer.consume(MESSAGES_MAX, (error, messages) =>
      error ? reject(failureToError(failureOf(error), { topic })) : resolve(messages),
    );
  });
}
