import { systemClock } from '../clock.js';
import { HeadraceError } from '../errors.js';
import { invariant } from '../invariant.js';
import { closeWithin, connectClient, createProducer, fetchMetadata } from '../kafka/librdkafka.js';

/**
 * A Kafka cluster inside this process, for the demo and for tests: librdkafka's mock cluster. Real sockets on loopback,
 * so other processes can use it as they would a broker.
 *
 * What it is not, in librdkafka 2.15.1 (test/unit/mock-kafka.test.ts holds each of these):
 * - Every topic has 4 partitions. It comes into being when a producer, or createTopic(), first names it.
 * - A partition keeps 5 MiB or 100,000 record batches, then drops the oldest: a reader that falls behind loses data.
 * - None of this can be configured: only the number of brokers and a delay (test.mock.broker.rtt) can.
 * - No admin API, no auth, no TLS, nothing on disk.
 * - A new classic group waits 3 s for its members before the first assignment.
 * - It speaks Fetch 0–16, ListOffsets 0–7, Metadata 0–12, OffsetFetch 0–6, OffsetCommit 0–9, ConsumerGroupHeartbeat 1.
 */
export interface MockKafka {
  /** `127.0.0.1:port,…` */
  readonly bootstrap: string;
  /** Topics have 4 partitions. One that exists already is left alone. */
  createTopic(name: string): Promise<void>;
  /** Ends the brokers; clients see their connections close. */
  stop(): Promise<void>;
}

const METADATA_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 10_000;
const POLL_INTERVAL_MS = 500;

/** Errors: CONFIG_INVALID when the native client does not load, KAFKA_UNREACHABLE. */
export async function startMockKafka(options: { brokers?: number } = {}): Promise<MockKafka> {
  const brokers = options.brokers ?? 1;
  invariant(brokers >= 1, 'a cluster without brokers', { brokers });
  const config = { 'client.id': 'headrace-mock-kafka', 'test.mock.num.brokers': brokers };
  const owner = createProducer(config);
  await connectClient(owner, config);
  // Nothing is produced through it; polling only keeps its queue of log lines and errors from growing.
  owner.setPollInterval(POLL_INTERVAL_MS);
  const stop = async () => {
    // the client is taken down by another thread, without a lock: a poll meanwhile would read what is freed
    owner.setPollInterval(0);
    await closeWithin((done) => owner.disconnect(0, done), STOP_TIMEOUT_MS, systemClock);
  };
  try {
    const metadata = await fetchMetadata(owner, METADATA_TIMEOUT_MS);
    return {
      bootstrap: metadata.brokers.map(({ host, port }) => `${host}:${port}`).join(','),
      createTopic: async (name) => {
        const { topics } = await fetchMetadata(owner, METADATA_TIMEOUT_MS, { topic: name }, name);
        if (topics.some((topic) => topic.name === name && topic.partitions.length > 0)) return;
        throw new HeadraceError('KAFKA_TOPIC_MISSING', 'the mock cluster did not create a topic', {
          where: { topic: name },
        });
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
