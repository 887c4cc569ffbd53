import { afterAll, beforeAll, expect, test } from 'vitest';
import { type KafkaCluster, startKafkaCluster } from '../support/kafka-cluster.js';

let cluster: KafkaCluster;

beforeAll(async () => {
  cluster = await startKafkaCluster({ brokers: 3 });
});

afterAll(() => cluster?.stop());

test('three brokers hold a topic, and one that restarts comes back into the in-sync sets on its port', async () => {
  await cluster.createTopic({ name: 'clicks', partitions: 6, config: { 'max.message.bytes': 2_000_000 } });
  const before = cluster.brokers.map(({ id, port, pid }) => ({ id, port, pid }));

  await cluster.killBroker(2);
  expect(cluster.brokers[1]?.pid).toBeUndefined();
  await cluster.startBroker(2);
  await cluster.untilInSync('clicks');
  await cluster.restartBroker(3);
  await cluster.untilInSync('clicks');

  const after = cluster.brokers.map(({ id, port, pid }) => ({ id, port, pid }));
  expect(after.map(({ id, port }) => ({ id, port }))).toEqual(before.map(({ id, port }) => ({ id, port })));
  expect(after.map(({ pid }, i) => pid === before[i]?.pid)).toEqual([true, false, false]);
  const description = await cluster.tool('org.apache.kafka.tools.TopicCommand', [
    '--bootstrap-server',
    cluster.bootstrap,
    '--describe',
    '--topic',
    'clicks',
  ]);
  expect(description).toMatch(
    /PartitionCount: 6\s+ReplicationFactor: 3\s+Configs: .*max\.message\.bytes=2000000/,
  );
});
