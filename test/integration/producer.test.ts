/** The producer library against three real brokers: where Java puts a key, brokers that die and freeze, limits of topics. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '#src/clock.js';
import { HeadraceError } from '#src/errors.js';
import { createProducer, type NativeProducer } from '#src/kafka/librdkafka.js';
import { ClickstreamProducer, type SendResult } from '#src/producer/clickstream-producer.js';
import type { ClickstreamEvent } from '#src/producer/events.js';
import type { ProducerOptions } from '#src/producer/producer-options.js';
import { type CommittedRecord, committedRecords } from '../support/committed-records.js';
import { RecordingLog } from '../support/group-fakes.js';
import { deleteTopic } from '../support/kafka-admin.js';
import { type KafkaCluster, startKafkaCluster } from '../support/kafka-cluster.js';

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));
const JAVA_PRODUCER = fileURLToPath(new URL('../support/java-producer.java', import.meta.url));

let cluster: KafkaCluster;
const open: ClickstreamProducer[] = [];

beforeAll(async () => {
  cluster = await startKafkaCluster({ brokers: 3 });
});

afterAll(async () => {
  await Promise.all(open.map((producer) => producer.close(0)));
  await cluster?.stop();
});

async function connected(
  topic: string,
  more: Partial<ProducerOptions> = {},
  watch: (client: NativeProducer) => void = () => {},
): Promise<ClickstreamProducer> {
  const producer = new ClickstreamProducer(
    {
      brokers: cluster.bootstrap,
      topic,
      log: new RecordingLog(),
      connectTimeoutMs: 120_000,
      ...more,
    },
    {
      clock: systemClock,
      createClient: (config) => {
        const client = createProducer(config);
        watch(client);
        return client;
      },
    },
  );
  await producer.connect();
  open.push(producer);
  return producer;
}

/** A broker that nothing timed out on goes on all the same. */
const FREEZE_MS_MAX = 60_000;
const PADDING = 'p'.repeat(300);

function event(id: number, users: number): ClickstreamEvent {
  return {
    event_id: `e${id}`,
    timestamp: new Date().toISOString(),
    user_id: `user-${id % users}`,
    event_type: 'page_view',
    page_url: `/${PADDING}`,
  };
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof HeadraceError ? String(error) : `no HeadraceError: ${error}`;
}

/** Sends as fast as there is room, and keeps what the promises said. */
class Load {
  readonly acknowledged = new Map<string, SendResult>();
  readonly failed = new Map<string, HeadraceError>();
  readonly #producer: ClickstreamProducer;
  readonly #sent: Promise<void>[] = [];
  readonly #users: number;

  constructor(producer: ClickstreamProducer, users: number) {
    this.#producer = producer;
    this.#users = users;
  }

  async run(count: number): Promise<void> {
    for (let id = 0; id < count; id++) {
      if (!this.#producer.hasRoom) await this.#producer.untilRoom();
      this.sendRegardless();
      // reports have their turn
      if (id % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Whether there is room or not. */
  sendRegardless(): void {
    const name = `e${this.#sent.length}`;
    this.#sent.push(
      this.#producer.send(event(this.#sent.length, this.#users)).then(
        (result) => void this.acknowledged.set(name, result),
        (error: HeadraceError) => void this.failed.set(name, error),
      ),
    );
  }

  async settled(): Promise<void> {
    await Promise.all(this.#sent);
  }

  get count(): number {
    return this.#sent.length;
  }
}

/** What the promises said against what lies in the topic. */
function proveAcknowledged(load: Load, records: readonly CommittedRecord[]): void {
  const idOf = ({ value }: CommittedRecord) =>
    (JSON.parse(value!.toString()) as { event_id: string }).event_id;
  const seen = new Map<string, CommittedRecord[]>();
  for (const record of records) {
    const id = idOf(record);
    seen.set(id, [...(seen.get(id) ?? []), record]);
  }
  expect(load.acknowledged.size + load.failed.size).toBe(load.count);
  const wrong = [...load.acknowledged].filter(([id, { partition, offset }]) => {
    const found = seen.get(id) ?? [];
    return (
      found.length !== 1 || found[0]!.partition !== partition || (offset >= 0 && found[0]!.offset !== offset)
    );
  });
  expect(wrong).toEqual([]);
  // what failed may be there, but never twice
  expect([...seen].filter(([, found]) => found.length > 1)).toEqual([]);
}

async function eventually(what: string, holds: () => boolean, msMax = 120_000): Promise<void> {
  const deadline = performance.now() + msMax;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`not within ${msMax} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test("Java's producer and ours put a key into the same partition", { timeout: 240_000 }, async () => {
  await cluster.createTopic({ name: 'same_places', partitions: 30 });
  const keys = [
    '',
    'ü',
    '用户',
    '😀',
    'user 1',
    'a'.repeat(300),
    ...Array.from({ length: 500 }, (_, i) => `user-${i}`),
  ];
  const folder = mkdtempSync(join(tmpdir(), 'headrace-keys-'));
  try {
    const file = join(folder, 'keys');
    writeFileSync(file, keys.map((key) => Buffer.from(key).toString('base64')).join('\n'));
    const output = await cluster.tool(JAVA_PRODUCER, [cluster.bootstrap, 'same_places', file]);
    const javas = output.slice(output.indexOf('PARTITIONS\n')).trim().split('\n').slice(1).map(Number);
    const producer = await connected('same_places');
    const ours = await Promise.all(
      keys.map((key) => producer.send({ ...event(0, 1), user_id: key }).then(({ partition }) => partition)),
    );
    expect(javas.length).toBe(keys.length);
    expect(ours).toEqual(javas);
    expect(new Set(ours).size).toBe(30);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('limits: too large for the producer, too large for the topic, and the next event goes on', {
  timeout: 120_000,
}, async () => {
  await cluster.createTopic({
    name: 'small_messages',
    partitions: 1,
    config: { 'max.message.bytes': 2_000 },
  });
  const producer = await connected('small_messages', { overrides: { 'compression.type': 'none' } });
  const large = (bytes: number) => ({ ...event(0, 1), page_url: 'x'.repeat(bytes) });
  expect(await codeOf(producer.send(large(1_100_000)))).toMatch(/^EVENT_TOO_LARGE.*bytes=11/);
  expect(await codeOf(producer.send(large(4_000)))).toMatch(/^EVENT_TOO_LARGE.*max\.message\.bytes/);
  expect(await producer.sendAndWait(event(1, 1))).toMatchObject({ partition: 0, offset: 0 });
});

test('a topic that is not there, and one that is deleted under way', { timeout: 240_000 }, async () => {
  expect(await codeOf(connected('nobody_made_me'))).toMatch(
    /^KAFKA_TOPIC_MISSING.*topic=nobody_made_me.*create it/,
  );
  await cluster.createTopic({ name: 'deleted', partitions: 1 });
  const producer = await connected('deleted', { overrides: { 'topic.metadata.propagation.max.ms': 500 } });
  await producer.send(event(0, 1));
  await deleteTopic(cluster.bootstrap, 'deleted');
  expect(await codeOf(producer.send(event(1, 1)))).toMatch(/^KAFKA_TOPIC_MISSING/);
});

test('no broker at the start', { timeout: 60_000 }, async () => {
  const nobody = connected('same_places', { brokers: '127.0.0.1:1', connectTimeoutMs: 500 });
  expect(await codeOf(nobody)).toMatch(
    /^KAFKA_UNREACHABLE: no broker answered within 0\.5 s.*check that the brokers run/,
  );
});

/**
 * One replica, so that nobody takes over. Its leader stands still until the first events time out in the queue, and goes on at
 * that very moment: what was under way when it stopped is older than those, and is delivered after them.
 */
test('a broker that freezes until events time out: each promise says what became of its event', {
  timeout: 300_000,
}, async () => {
  await cluster.createTopic({ name: 'frozen', partitions: 2, replicationFactor: 1 });
  let onReport: (isFailure: boolean) => void = () => {};
  const producer = await connected(
    'frozen',
    {
      overrides: {
        'delivery.timeout.ms': 3_000,
        'linger.ms': 1,
        'batch.size': 8_192,
        'queue.buffering.max.kbytes': 512,
      },
    },
    (client) => client.on('delivery-report', (error: unknown) => onReport(Boolean(error))),
  );
  const load = new Load(producer, 40);
  await load.run(500);
  let deliveredAfterFailure = 0;
  for (let round = 1; round <= 4; round++) {
    const leaderId = await cluster.leaderOf('frozen', 0);
    const { pid } = cluster.brokers.find(({ id }) => id === leaderId)!;
    let hasFailed = false;
    const failed = new Promise<void>((resolve) => {
      onReport = (isFailure) => {
        if (hasFailed && !isFailure) deliveredAfterFailure++;
        if (!isFailure || hasFailed) return;
        process.kill(pid!, 'SIGCONT');
        hasFailed = true;
        resolve();
      };
    });
    process.kill(pid!, 'SIGSTOP');
    const running = load.run(5_000);
    const timer = setTimeout(() => process.kill(pid!, 'SIGCONT'), FREEZE_MS_MAX);
    await Promise.race([failed, running.then(() => load.settled())]);
    clearTimeout(timer);
    await running;
    await load.settled();
  }
  expect(load.failed.size).toBeGreaterThan(0);
  expect(deliveredAfterFailure).toBeGreaterThan(0);
  const codes = new Set([...load.failed.values()].map(({ code }) => code));
  // the others answer, and say that a leader is there; on a slow machine they may not
  const expected = ['DELIVERY_TIMED_OUT', 'KAFKA_UNREACHABLE'];
  expect([...codes].filter((code) => !expected.includes(code))).toEqual([]);
  proveAcknowledged(load, await committedRecords(cluster.bootstrap, 'frozen', 2));
});

test('a full buffer and a broker that stands still: who waits too long is refused and not sent, the others are there once', {
  timeout: 240_000,
}, async () => {
  await cluster.createTopic({ name: 'full', partitions: 1, replicationFactor: 1 });
  const producer = await connected('full', {
    maxBlockMs: 1_000,
    overrides: { 'queue.buffering.max.kbytes': 64 },
  });
  const load = new Load(producer, 10);
  const leaderId = await cluster.leaderOf('full', 0);
  const { pid } = cluster.brokers.find(({ id }) => id === leaderId)!;
  process.kill(pid!, 'SIGSTOP');
  try {
    for (let sent = 0; sent < 600; sent++) load.sendRegardless();
    const { inFlight, waiting, bufferAvailableBytes } = producer.metrics();
    expect(bufferAvailableBytes).toBeLessThan(1_000);
    // of the line, too, as many bytes as of the buffer
    expect(Math.abs(waiting - inFlight)).toBeLessThan(5);
    await eventually('nobody waits any more', () => producer.metrics().waiting === 0);
    expect(load.acknowledged.size).toBe(0);
  } finally {
    process.kill(pid!, 'SIGCONT');
  }
  await load.settled();
  const reasons = [...load.failed.values()].map(
    (error) => /^PRODUCER_BUFFER_FULL: [\w ]+/.exec(String(error))?.[0],
  );
  expect([...new Set(reasons)].sort()).toEqual([
    'PRODUCER_BUFFER_FULL: no room in the buffer for 1 s ',
    'PRODUCER_BUFFER_FULL: the buffer and the line before it are full',
  ]);
  const records = await committedRecords(cluster.bootstrap, 'full', 1);
  proveAcknowledged(load, records);
  expect(records.length).toBe(load.acknowledged.size);
  expect(producer.metrics()).toMatchObject({ sent: records.length, failed: 0, refused: load.failed.size });

  await producer.close();
  expect(await codeOf(producer.send(event(0, 1)))).toMatch(
    /^PRODUCER_CLOSED: .*not sent.*make a new producer/,
  );
});

test('one broker of three dies under load, and a topic that asks for all three refuses', {
  timeout: 480_000,
}, async () => {
  await cluster.createTopic({ name: 'durable', partitions: 6, config: { 'min.insync.replicas': 2 } });
  await cluster.createTopic({ name: 'strict', partitions: 1, config: { 'min.insync.replicas': 3 } });
  const producer = await connected('durable');
  const load = new Load(producer, 1_000);
  const running = load.run(40_000);
  await eventually('the load is under way', () => load.acknowledged.size > 5_000);
  const dead = await cluster.leaderOf('durable', 0);
  await cluster.killBroker(dead);
  await running;
  await load.settled();
  expect(load.acknowledged.size).toBeGreaterThan(20_000);
  // partition 0 has another leader now, so the dead broker is out of all in-sync sets
  expect((await cluster.leaderOf('durable', 0)) === dead).toBe(false);
  proveAcknowledged(load, await committedRecords(cluster.bootstrap, 'durable', 6));

  const inHaste = await connected('strict', { overrides: { retries: 3 } });
  expect(await codeOf(inHaste.send(event(0, 1)))).toMatch(/^KAFKA_MIN_ISR: the event was not written/);
  const patient = await connected('strict', { overrides: { 'delivery.timeout.ms': 5_000 } });
  expect(await codeOf(patient.send(event(1, 1)))).toMatch(
    /^KAFKA_MIN_ISR.*2 of 3 replicas are in sync, the topic asks for 3.*bring the brokers back/,
  );
  await cluster.startBroker(dead);
  await cluster.untilInSync('strict');
  expect(await inHaste.send(event(2, 1))).toMatchObject({ partition: 0 });
  expect(load.failed.size + load.acknowledged.size).toBe(40_000);
});

test("the README's example runs against the package as it is imported", { timeout: 120_000 }, async () => {
  await cluster.createTopic({ name: 'clickstream_events', partitions: 30 });
  const readme = readFileSync(join(CHECKOUT, 'README.md'), 'utf8');
  const [, example] = /## Sending events\n[\s\S]*?```ts\n([\s\S]*?)```/.exec(readme)!;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', example!.replaceAll('localhost:9092', cluster.bootstrap)],
    { cwd: CHECKOUT },
  );
  expect(stdout).toMatch(/^partition \d+, offset 0, \d+ ms\n1000 sent, 0 failed, p99 \d+ ms\n$/);
  const records = await committedRecords(cluster.bootstrap, 'clickstream_events', 30);
  expect(records.length).toBe(1_000);
});
