import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '#src/clock.js';
import { TransactionalProducer } from '#src/kafka/transactional-producer.js';
import { type Random, seededRandom } from '#src/random.js';
import type { EngineOptions, RunResult } from '../support/engine-process.js';
import { FakeLog } from '../support/fake-log.js';
import { endOffsets, type ProducedRecord, SpineProducer } from '../support/spine-kafka.js';
import { goodRecord, SmallKafka } from '../support/spine-lane.js';
import { committedEvents, sessionsIn } from '../support/spine-table.js';

/** Real transactions on a real broker, by the built engine: what was committed counts, and nothing else. */
const RUN_MS_MAX = 60_000;
const TRANSACTION_MS_MAX = 600_000;
const EXIT_CONFIG = 78;

let kafka: SmallKafka;
const producers: SpineProducer[] = [];

beforeAll(async () => {
  kafka = await SmallKafka.start();
});

afterAll(async () => {
  await Promise.all(producers.map((producer) => producer.close()));
  await kafka?.close();
});

async function producer(properties: Record<string, unknown> = {}): Promise<SpineProducer> {
  const connected = new SpineProducer(kafka.cluster.bootstrap, { 'linger.ms': 1, ...properties });
  await connected.connect();
  producers.push(connected);
  return connected;
}

/** The broker leaves its transactions open for as long as these tests may take. */
const transactional = (id: string) =>
  producer({ 'transactional.id': id, 'transaction.timeout.ms': TRANSACTION_MS_MAX });

/** `events` of a user, one a second, in a batch of their own. */
async function say(by: SpineProducer, topic: string, user: string, events: number): Promise<void> {
  await by.send(
    topic,
    Array.from({ length: events }, (_, i) => goodRecord(user, i * 1_000, 0)),
  );
  await by.flush();
}

/** The flag for a configuration file with these lines. */
async function configured(name: string, yaml: string): Promise<string[]> {
  const file = join(kafka.folder, `${name}.yaml`);
  await writeFile(file, yaml);
  return ['--config', file];
}

function run(topic: string, options: Partial<EngineOptions> = {}): Promise<RunResult> {
  return kafka.engine(topic, { untilEnd: true, ...options }).result(RUN_MS_MAX);
}

describe('transactions beside plain events on one partition', () => {
  const topic = 'mixed';
  let open: SpineProducer;
  let stableEnd = 0;

  beforeAll(async () => {
    await kafka.createTopic(topic, 1);
    const plain = await producer();
    const one = await transactional('one');
    const two = await transactional('two');
    await say(plain, topic, 'plain', 2);
    await one.begin();
    await say(one, topic, 'aborted-first', 3);
    await say(plain, topic, 'between', 1);
    await two.begin();
    await say(two, topic, 'committed', 2);
    await say(one, topic, 'aborted-first', 1);
    await one.abort();
    await say(two, topic, 'committed', 3);
    await two.commit();
    await one.begin();
    await say(one, topic, 'aborted-again', 2);
    await one.abort();
    await one.begin();
    await say(one, topic, 'committed-after-aborts', 4);
    await one.commit();
    await say(plain, topic, 'last-stable', 1);
    // 2 + 3 + 1 + 2 + 1 + ABORT + 3 + COMMIT + 2 + ABORT + 4 + COMMIT + 1
    stableEnd = 23;
    open = two;
    await open.begin();
    await say(open, topic, 'open', 2);
    await say(plain, topic, 'behind-open', 1);
  });

  const committed = ['between 1', 'committed 5', 'committed-after-aborts 4', 'last-stable 1', 'plain 2'];

  it('only committed ones become sessions, and a bounded run ends where the open one begins', async () => {
    expect(await run(topic)).toMatchObject({ events: 13, deadLetters: 0, haltedLanes: 0 });
    expect(await sessionsIn(kafka.lakeOf(topic))).toEqual(committed);
    expect(await committedEvents(kafka.lakeOf(topic))).toBe(stableEnd);
  });

  it('read uncommitted all of them do, the aborted and the open', async () => {
    const flags = await configured('uncommitted', 'kafka:\n  isolation: read_uncommitted\n');
    const lake = kafka.lakeOf('uncommitted');
    expect(await run(topic, { group: 'uncommitted', lake, flags })).toMatchObject({ events: 22 });
    expect(await sessionsIn(lake)).toEqual(
      [...committed, 'aborted-again 2', 'aborted-first 4', 'behind-open 1', 'open 2'].sort(),
    );
  });

  it('a table that was written read committed is not continued uncommitted', async () => {
    const flags = await configured('other', 'kafka:\n  isolation: read_uncommitted\n');
    const engine = kafka.engine(topic, { untilEnd: true, flags });
    expect(await engine.exit(RUN_MS_MAX)).toEqual({ code: EXIT_CONFIG, signal: null });
    expect(engine.output).toMatch(/LAKE_NOT_OURS.*isolation/);
  });

  it('the open one and what lies behind it come when it is committed, also to an engine that waits', async () => {
    // a commit without rows waits for a snapshot
    const flags = await configured('live', 'snapshot_interval: 1s\n');
    const live = kafka.engine(topic, { flags });
    await live.untilSays(/lanes assigned[\s\S]*"lag":0\b[\s\S]*"lag":0\b/);
    expect(await committedEvents(kafka.lakeOf(topic))).toBe(stableEnd);
    await open.commit();
    // three events and the marker
    await live.until(
      'all is read',
      async () => (await committedEvents(kafka.lakeOf(topic))) === stableEnd + 4,
    );
    await live.stop(RUN_MS_MAX);
    await run(topic);
    expect(await sessionsIn(kafka.lakeOf(topic))).toEqual([...committed, 'behind-open 1', 'open 2'].sort());
  });
});

/** Producers take turns at random; each of their transactions has a user of its own. */
async function interleave(random: Random, topic: string, transactions: number): Promise<Map<string, number>> {
  const writers = await Promise.all(['x', 'y', 'z'].map((id) => transactional(`${topic}-${id}`)));
  const plain = await producer();
  const under: (string | null)[] = writers.map(() => null);
  const events = new Map<string, number>();
  const committed = new Map<string, number>();
  const finish = async (at: number, abort: boolean) => {
    const user = under[at]!;
    under[at] = null;
    if (abort) await writers[at]!.abort();
    else await writers[at]!.commit();
    if (!abort) committed.set(user, events.get(user)!);
  };
  const add = async (by: SpineProducer, user: string) => {
    const count = 1 + random.below(30);
    await say(by, topic, user, count);
    events.set(user, (events.get(user) ?? 0) + count);
  };
  for (let begun = 0; begun < transactions; ) {
    const at = random.below(writers.length + 1);
    const writer = writers[at];
    if (writer === undefined) {
      await add(plain, `plain-${begun}`);
      committed.set(`plain-${begun}`, events.get(`plain-${begun}`)!);
    } else if (under[at] === null) {
      under[at] = `transaction-${begun++}`;
      await writer.begin();
      await add(writer, under[at]!);
    } else if (random.below(2) === 0) await add(writer, under[at]!);
    else await finish(at, random.below(2) === 0);
  }
  for (const [at, user] of under.entries()) if (user !== null) await finish(at, true);
  return committed;
}

it('many transactions in answers of a few batches each give the committed events, by either engine', async () => {
  const topic = 'many';
  await kafka.createTopic(topic, 1);
  const committed = await interleave(seededRandom(20_261_122), topic, 60);
  const expected = [...committed].map(([user, events]) => `${user} ${events}`).sort();
  const total = [...committed.values()].reduce((sum, events) => sum + events, 0);
  const yaml = 'fetch:\n  partition_bytes: 16KiB\n';
  for (const engine of ['kernel', 'reference']) {
    const lake = kafka.lakeOf(`${topic}-${engine}`);
    const flags = [...(await configured(topic, yaml)), '--engine', engine];
    const result = await run(topic, { group: `${topic}-${engine}`, lake, flags });
    expect(result).toMatchObject({ events: total, deadLetters: 0, haltedLanes: 0 });
    expect(await sessionsIn(lake)).toEqual(expected);
  }
});

describe('a producer whose place another one with its id has taken', () => {
  const topic = 'taken';
  const make = async () => {
    const made = new TransactionalProducer({
      brokers: kafka.cluster.bootstrap,
      clientId: 'taken',
      transactionalId: 'taken',
      transactionTimeoutMs: RUN_MS_MAX,
      clock: systemClock,
      log: new FakeLog(),
    });
    await made.connect();
    await made.init();
    return made;
  };
  const one = Buffer.from('one');
  const put = (by: TransactionalProducer) => by.produce(topic, 0, one, one, systemClock.nowMs());
  const ends = () => endOffsets(kafka.cluster.bootstrap, topic, 1);

  it('learns it by a record, which ends what it is about, and of which nothing is in the topic', async () => {
    await kafka.createTopic(topic, 1);
    const first = await make();
    await first.begin();
    put(first);
    await first.allDelivered();
    const second = await make();
    // a record, and that its transaction was aborted
    expect(await ends()).toEqual([2]);
    put(first);
    await expect(first.allDelivered()).rejects.toThrow('1 records were not taken');
    await expect(first.commit()).rejects.toThrow(/fenced/i);
    expect([first.isHeld, await first.release(topic)]).toEqual([false, true]);
    expect(await ends()).toEqual([2]);
    await second.begin();
    put(second);
    await second.allDelivered();
    await second.commit();
    await second.close();
    expect(await ends()).toEqual([4]);
  });
});

describe('events by every codec, with headers, null keys and null values, and the time of the broker', () => {
  const topic = 'codecs';
  const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
  const eventsEach = 300;
  let beforeMs = 0;

  /** Sent in large batches that compress; one has no value. */
  const recordsOf = (codec: string): ProducedRecord[] => [
    ...Array.from({ length: eventsEach }, (_, i) => ({
      ...goodRecord(codec, i * 1_000, 0),
      ...(i % 7 === 0 ? { key: null } : {}),
      headers: i % 3 === 0 ? [{ trace: `t-${i}` }, { empty: '' }] : [],
    })),
    { ...goodRecord(codec, 0, 0), key: codec, value: null },
  ];

  beforeAll(async () => {
    beforeMs = Date.now();
    const config = { 'retention.ms': -1, 'message.timestamp.type': 'LogAppendTime' };
    await kafka.cluster.createTopic({ name: topic, partitions: 1, config });
    for (const codec of codecs) {
      const by = await producer({ 'compression.codec': codec, 'linger.ms': 200 });
      await by.send(topic, recordsOf(codec));
      await by.flush();
    }
  });

  it('are in the log by that codec', async () => {
    const log = await readFile(await kafka.segmentFile(topic, 0));
    const found = new Set<number>();
    for (let at = 0; at < log.length; at += 12 + log.readInt32BE(at + 8)) {
      const attributes = log.readInt16BE(at + 21);
      expect(attributes & 8).toBe(8);
      found.add(attributes & 7);
    }
    expect([...found].sort()).toEqual([0, 1, 2, 3, 4]);
  });

  it.each(['kernel', 'reference'])(
    'are all counted by the %s, and what is none is kept with its time',
    async (engine) => {
      const name = `${topic}-${engine}`;
      const result = await run(topic, { group: name, lake: kafka.lakeOf(name), flags: ['--engine', engine] });
      expect(result).toMatchObject({ deadLetters: codecs.length, haltedLanes: 0 });
      expect(await sessionsIn(kafka.lakeOf(name))).toEqual(
        codecs.map((codec) => `${codec} ${eventsEach}`).sort(),
      );
      const letters = await kafka.deadLetters(name);
      expect(letters.map(({ key, value, reason }) => [key, value, reason])).toEqual(
        codecs.map((codec) => [Buffer.from(codec).toString('base64'), null, 'malformed']),
      );
      for (const { timestamp_ms } of letters) {
        expect(timestamp_ms).toBeGreaterThanOrEqual(beforeMs);
        expect(timestamp_ms).toBeLessThanOrEqual(Date.now());
      }
    },
  );
});
