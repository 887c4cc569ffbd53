import type { Clock } from '../clock.js';
import type { CommittedOffset } from './group-member.js';
import {
  clientConfig,
  closeWithin,
  connectClient,
  createConsumer,
  failureOf,
  failureToError,
  type LibrdkafkaConfig,
  type TopicPartition,
} from './librdkafka.js';

/** What a group has committed, asked by one that is no member of it. */
export interface CommittedOffsetsOptions {
  brokers: readonly string[];
  clientId: string;
  group: string;
  topic: string;
  partitions: readonly number[];
  timeoutMs: number;
  /** librdkafka properties; they win over ours. */
  extra?: LibrdkafkaConfig;
  clock: Clock;
}

const CLOSE_TIMEOUT_MS = 5_000;

/** Of those partitions that have one. Throws HeadraceError KAFKA_UNREACHABLE, KAFKA_AUTH, KAFKA_PROTOCOL. */
export async function committedOffsets(
  options: CommittedOffsetsOptions,
): Promise<Map<number, CommittedOffset>> {
  const { brokers, clientId, group, topic, partitions, timeoutMs, extra, clock } = options;
  const config = {
    ...clientConfig(brokers, clientId),
    'enable.auto.commit': false,
    'allow.auto.create.topics': false,
    ...extra,
    'group.id': group,
  };
  const consumer = createConsumer(config);
  consumer.on('event.error', () => undefined);
  await connectClient(consumer, config);
  try {
    const asked = partitions.map((partition) => ({ topic, partition }));
    const answered = await new Promise<TopicPartition[]>((resolve, reject) => {
      consumer.committed(asked, timeoutMs, (error, list) => {
        // partitions that failed stand in the list as bare errors
        const failed = error ?? list.find((entry) => entry instanceof Error);
        if (failed) reject(failureToError(failureOf(failed), { topic, group }));
        else resolve(list as TopicPartition[]);
      });
    });
    return byPartition(answered);
  } finally {
    await closeWithin((done) => consumer.disconnect(done), CLOSE_TIMEOUT_MS, clock);
  }
}

/** A negative offset: there is none. */
export function byPartition(answered: readonly TopicPartition[]): Map<number, CommittedOffset> {
  const found = new Map<number, CommittedOffset>();
  for (const { partition, offset, metadata } of answered) {
    if (offset === undefined || offset < 0) continue;
    found.set(partition, { offset: BigInt(offset), metadata: metadata ?? '' });
  }
  return found;
}
