import kafka from '@confluentinc/kafka-javascript';
import { expect, test } from 'vitest';
import { systemClock } from '#src/clock.js';
import { Cluster } from '#src/kafka/cluster.js';
import { Fetcher } from '#src/kafka/fetcher.js';
import { systemRandom } from '#src/random.js';
import { RingConsumer } from '#src/ring/consumer.js';
import { RecordType, ringBytes } from '#src/ring/layout.js';
import { RingProducer } from '#src/ring/producer.js';
import { RingWriter } from '#src/ring/writer.js';

const PARTITIONS = [0, 1, 2, 3];
const MESSAGES = 1_000;
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

test('all of an lz4 topic of librdkafka’s mock cluster arrives in the ring, in order and without holes', async () => {
  // the types don't know the mock cluster's property
  const config: object = {
    'client.id': 'fetcher-test',
    'test.mock.num.brokers': 3,
    'compression.codec': 'lz4',
    'linger.ms': 2,
  };
  const producer = new kafka.Producer(config);
  const bootstrap = await new Promise<string[]>((resolve, reject) => {
    producer.connect({ topic: 'clicks', timeout: 10_000 }, (error, metadata) => {
      if (error) reject(error);
      else resolve(metadata.brokers.map(({ host, port }) => `${host}:${port}`));
    });
  });
  for (let i = 0; i < MESSAGES; i++) {
    producer.produce(
      'clicks',
      i % PARTITIONS.length,
      Buffer.from(`{"event":${i},"pad":"${'x'.repeat(300)}"}`),
      `${i}`,
    );
    if (i % 100 === 99) await new Promise<void>((resolve) => producer.flush(5_000, () => resolve()));
  }

  const place = { buffer: new SharedArrayBuffer(ringBytes(2 ** 20)), baseBytes: 0, capacityBytes: 2 ** 20 };
  const writer = new RingWriter(new RingProducer(place));
  const consumer = new RingConsumer(place);
  const cluster = await Cluster.connect({
    bootstrap,
    clientId: 'fetcher-test',
    responseBytesMax: 16 * 2 ** 20,
    log: quiet,
    clock: systemClock,
    random: systemRandom,
  });
  const topic = await cluster.topic('clicks');
  expect(topic.partitions).toEqual(PARTITIONS);
  const starts = await cluster.listOffsets(topic, PARTITIONS, 'earliest');
  const ends = await cluster.listOffsets(topic, PARTITIONS, 'latest');
  expect([...ends.values()].reduce((sum, end) => sum + end, 0n)).toBe(BigInt(MESSAGES));
  const halted: string[] = [];
  let atEnd = 0;
  const fetcher = new Fetcher({
    cluster,
    topic,
    ringOf: () => writer,
    isolation: 'read_committed',
    limits: {
      partitionFetchBytes: 64 * 1024,
      fetchBytesInFlight: 2 ** 20,
      responseBytesMax: 16 * 2 ** 20,
      maxWaitMs: 100,
      minBytes: 1,
    },
    log: quiet,
    clock: systemClock,
    random: systemRandom,
    onEvent: (event) => {
      if (event.type === 'lane-at-end') atEnd += 1;
      if (event.type === 'lane-halted') halted.push(event.error.toString());
    },
  });
  for (const partition of PARTITIONS) {
    fetcher.addLane({
      partition,
      incarnation: 1,
      offset: starts.get(partition)!,
      endOffset: ends.get(partition)!,
    });
  }
  const next = new Map(starts);
  let records = 0;
  while (records < MESSAGES) {
    const record = consumer.peek();
    if (record === null) {
      expect(halted).toEqual([]);
      await systemClock.sleep(1);
      continue;
    }
    expect(record.type).toBe(RecordType.data);
    expect(record.offset).toBe(next.get(record.partition));
    next.set(record.partition, record.aux);
    const view = new DataView(record.bytes.buffer, record.bytes.byteOffset, record.bytes.byteLength);
    for (let at = 0; at < view.byteLength; at += 12 + view.getInt32(at + 8)) {
      expect(view.getInt16(at + 21) & 7).toBe(3); // lz4
      records += view.getInt32(at + 57);
    }
    consumer.advance();
  }
  expect(next).toEqual(ends);
  expect(atEnd).toBe(PARTITIONS.length);
  expect(PARTITIONS.every((partition) => fetcher.laneStatus(partition)?.atEnd)).toBe(true);
  await fetcher.close();
  await cluster.close();
  await new Promise<void>((resolve) => producer.disconnect(1_000, () => resolve()));
});
