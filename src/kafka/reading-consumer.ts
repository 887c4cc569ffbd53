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

/** A consumer without a group that reads a topic and says where its partitions end. */
export interface ReadingConsumerOptions {
  brokers: readonly string[];
  clientId: string;
  topic: string;
  clock: Clock;
  /** librdkafka properties; they win over ours. */
  extra?: LibrdkafkaConfig;
}

const CALL_TIMEOUT_MS = 5_000;
const POLL_MS = 5;
const MESSAGES_MAX = 5_000;
/** Between two looks at a consumer that had nothing. */
export const PAUSE_MS = 20;

/** Closes it in the end. Throws HeadraceError KAFKA_UNREACHABLE, KAFKA_AUTH, KAFKA_PROTOCOL. */
export async function withReadingConsumer<T>(
  { brokers, clientId, topic, clock, extra }: ReadingConsumerOptions,
  isolation: 'read_committed' | 'read_uncommitted',
  use: (consumer: NativeConsumer) => Promise<T>,
): Promise<T> {
  const config = {
    ...clientConfig(brokers, clientId),
    'group.id': `${clientId}-${topic}`,
    'enable.auto.commit': false,
    'enable.auto.offset.store': false,
    'auto.offset.reset': 'earliest',
    'allow.auto.create.topics': false,
    'enable.partition.eof': true,
    ...extra,
    'isolation.level': isolation,
  };
  const consumer = createConsumer(config);
  consumer.on('event.error', () => undefined);
  await connectClient(consumer, config);
  consumer.setDefaultConsumeTimeout(POLL_MS);
  try {
    return await use(consumer);
  } finally {
    await closeWithin((done) => consumer.disconnect(done), CALL_TIMEOUT_MS, clock);
  }
}

/** Of the first record that is there, and behind the last one. Throws as above. */
export function watermarkOffsets(
  consumer: NativeConsumer,
  topic: string,
  partition: number,
): Promise<{ lowOffset: number; highOffset: number }> {
  return new Promise((resolve, reject) => {
    consumer.queryWatermarkOffsets(topic, partition, CALL_TIMEOUT_MS, (error, offsets) =>
      error ? reject(failureToError(failureOf(error), { topic, partition })) : resolve(offsets),
    );
  });
}

/** What has come. Throws as above. */
export function consumed(consumer: NativeConsumer, topic: string): Promise<NativeMessage[]> {
  return new Promise((resolve, reject) => {
    consumer.consume(MESSAGES_MAX, (error, messages) =>
      error ? reject(failureToError(failureOf(error), { topic })) : resolve(messages),
    );
  });
}
