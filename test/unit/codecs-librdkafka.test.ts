import kafka from '@confluentinc/kafka-javascript';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '#src/clock.js';
import { Cluster } from '#src/kafka/cluster.js';
import { Fetcher } from '#src/kafka/fetcher.js';
import { systemRandom } from '#src/random.js';
import { PLAIN_CODECS } from '#src/reference/codecs/plain.js';
import { decodeBatches } from '#src/reference/record-batches.js';
import { RingConsumer } from '#src/ring/consumer.js';
import { ringBytes } from '#src/ring/layout.js';
import { RingProducer } from '#src/ring/producer.js';
import { RingWriter } from '#src/ring/writer.js';
import { CODEC_OF } from '../support/batch-builder.js';
import { eventLines } from '../support/codec-content.js';
import { CONTENT_BYTES_MAX, KernelBytes } from '../support/kernel-bytes.js';

/** Batches as librdkafka's own encoders compress them, over its mock cluster. */

const VALUES = eventLines(11, 300_000).toString().split('\n').slice(0, -1);
const BATCH_HEADER_BYTES = 61;
const CLIENT = 'codecs-test';
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

type Producer = InstanceType<typeof kafka.Producer>;

let broker: Producer;
let bootstrap: string[];

beforeAll(async () => {
  [broker, bootstrap] = await connected({ 'test.mock.num.brokers': 1 });
});

afterAll(() => closed(broker));

async function connected(config: object): Promise<[Producer, string[]]> {
  const producer = new kafka.Producer({ 'client.id': CLIENT, 'linger.ms': 100, ...config });
  const brokers = await new Promise<string[]>((resolve, reject) => {
    producer.connect({ timeout: 10_000 }, (error, metadata) => {
      if (error) reject(error);
      else resolve(metadata.brokers.map(({ host, port }) => `${host}:${port}`));
    });
  });
  return [producer, brokers];
}

function closed(producer: Producer): Promise<void> {
  return new Promise((resolve) => producer.disconnect(1_000, () => resolve()));
}

/** The topic's partition 0, from its begin to its end, as fetched. */
async function fetched(name: string): Promise<Buffer> {
  const place = { buffer: new SharedArrayBuffer(ringBytes(2 ** 20)), baseBytes: 0, capacityBytes: 2 ** 20 };
  const consumer = new RingConsumer(place);
  const writer = new RingWriter(new RingProducer(place));
  const shared = { clientId: CLIENT, log: quiet, clock: systemClock, random: systemRandom };
  const cluster = await Cluster.connect({ ...shared, bootstrap, responseBytesMax: 16 * 2 ** 20 });
  const topic = await cluster.topic(name);
  const end = (await cluster.listOffsets(topic, [0], 'latest')).get(0)!;
  const halted: string[] = [];
  const fetcher = new Fetcher({
    ...shared,
    cluster,
    topic,
    ringOf: () => writer,
    isolation: 'read_committed',
    limits: {
      partitionFetchBytes: 2 ** 19,
      fetchBytesInFlight: 2 ** 20,
      responseBytesMax: 16 * 2 ** 20,
      maxWaitMs: 100,
      minBytes: 1,
    },
    onEvent: (event) => {
      if (event.type === 'lane-halted') halted.push(event.error.toString());
    },
  });
  fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n, endOffset: end });
  const parts: Buffer[] = [];
  for (let next = 0n; next < end; ) {
    const record = consumer.peek();
    if (record === null) {
      expect(halted).toEqual([]);
      await systemClock.sleep(1);
      continue;
    }
    parts.push(Buffer.from(Uint8Array.from(record.bytes)));
    next = record.aux;
    consumer.advance();
  }
  await fetcher.close();
  await cluster.close();
  return Buffer.concat(parts);
}

test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('%s', async (codec) => {
  const [producer] = await connected({
    'bootstrap.servers': bootstrap.join(),
    'compression.codec': codec,
    // all wait for the flush: a batch of one, on a slow machine, is left uncompressed
    'linger.ms': 1_000,
  });
  for (const value of VALUES) producer.produce(codec, 0, Buffer.from(value), 'key');
  await new Promise<void>((resolve) => producer.flush(10_000, () => resolve()));
  await closed(producer);

  const bytes = await fetched(codec);
  const values: string[] = [];
  const limits = { decompressedBatchBytesMax: CONTENT_BYTES_MAX, recordBytesMax: 1000 };
  decodeBatches(bytes, { fromOffset: 0n, limits }, ({ value }) => {
    values.push(Buffer.from(value!).toString());
  });
  expect(values).toEqual(VALUES);

  const kernel = new KernelBytes();
  for (let at = 0; at < bytes.length; at += 12 + bytes.readInt32BE(at + 8)) {
    expect(bytes.readInt16BE(at + 21) & 7).toBe(CODEC_OF[codec]);
    const payload = bytes.subarray(at + BATCH_HEADER_BYTES, at + 12 + bytes.readInt32BE(at + 8));
    const content = Buffer.from(PLAIN_CODECS.decompress(codec, payload, CONTENT_BYTES_MAX));
    const verdict = kernel.decompress(codec, payload, CONTENT_BYTES_MAX);
    expect('content' in verdict && verdict.content.equals(content)).toBe(true);
    if (codec === 'lz4' || codec === 'snappy') {
      expect(kernel.alone(codec, payload, CONTENT_BYTES_MAX)?.equals(content)).toBe(true);
    }
  }
});
