import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Admin } from '@platformatic/kafka';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { EngineProcess } from '../support/engine-process.js';
import { addPartitions, deleteBelow, deleteTopic } from '../support/kafka-admin.js';
import { runCommandLine } from '../support/run-command.js';
import type { ProducedRecord } from '../support/spine-kafka.js';
import { BASE_MS, goodRecord, SmallKafka } from '../support/spine-lane.js';
import {
  committedEvents,
  newestVersion,
  readSpineTable,
  sessionsIn,
  tablePath,
} from '../support/spine-table.js';

/** What goes wrong in the field while an engine runs, on a real broker. What goes wrong between two runs is operator.test.ts's. */
const RUN_MS_MAX = 120_000;
vi.setConfig({ testTimeout: 400_000, hookTimeout: 240_000 });
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** The group looks for new partitions every second, instead of every five minutes, and gives a silent member up in six. */
const QUICK = `
cut_interval: 200ms
kafka: { session_timeout: 6s, librdkafka: { topic.metadata.refresh.interval.ms: 1000 } }
`;

let kafka: SmallKafka;
let flags: string[];

beforeAll(async () => {
  kafka = await SmallKafka.start();
  const file = join(kafka.folder, 'quick.yaml');
  await writeFile(file, QUICK);
  flags = ['--config', file];
});

afterAll(() => kafka?.close());

const sessionsOf = (topic: string) => sessionsIn(kafka.lakeOf(topic));

const allCommitted = (engine: EngineProcess, topic: string, events: number) =>
  kafka.untilCommitted(engine, topic, events, RUN_MS_MAX);

const linesSaying = (engine: EngineProcess, pattern: RegExp) =>
  engine.output.split('\n').filter((line) => pattern.test(line));

/** The rest of the topic, open sessions let out. */
const runToTheEnd = (topic: string, ...more: string[]) =>
  kafka.engine(topic, { untilEnd: true, flags: [...flags, ...more] }).result(RUN_MS_MAX);

async function expectVerified(topic: string): Promise<void> {
  const named = ['--brokers', kafka.cluster.bootstrap, '--topic', topic, '--group', topic];
  const table = ['--model', 'clickstream', '--lake', kafka.lakeOf(topic)];
  const verified = await runCommandLine(['ledger', 'verify', ...named, ...table]);
  expect(verified.code, verified.stdout + verified.stderr).toBe(0);
}

/** Pages of a user in a partition, a minute apart. */
const pages = (user: string, partition: number, count: number, fromMs = 0): ProducedRecord[] =>
  Array.from({ length: count }, (_, page) => goodRecord(user, fromMs + page * MINUTE_MS, partition));

describe('a topic under a running engine', () => {
  it('that gets partitions: each is read from its first record, and a user who moves is in two sessions', async () => {
    const topic = 'raised';
    await kafka.createTopic(topic, 2);
    await kafka.produce(topic, [...pages('stays', 0, 2), ...pages('moves', 1, 2)]);
    const engine = kafka.engine(topic, { flags });
    await allCommitted(engine, topic, 4);
    await addPartitions(kafka.cluster.bootstrap, topic, 4);
    // before the engine knows of them
    await kafka.produce(topic, [
      ...pages('stays', 0, 1, 2 * MINUTE_MS),
      ...pages('moves', 3, 3, 2 * MINUTE_MS),
      ...pages('new', 2, 2),
    ]);
    await allCommitted(engine, topic, 10);
    await engine.stop(RUN_MS_MAX);
    await runToTheEnd(topic);
    expect(await sessionsOf(topic)).toEqual(['moves 2', 'moves 3', 'new 2', 'stays 3']);
    await expectVerified(topic);
  });

  it('that is deleted and made again: nothing of the new one is read until its id is named', async () => {
    const topic = 'remade';
    await kafka.createTopic(topic);
    await kafka.produce(topic, [...pages('old', 0, 2), ...pages('older', 1, 1)]);
    const engine = kafka.engine(topic, { flags });
    await allCommitted(engine, topic, 3);
    await deleteTopic(kafka.cluster.bootstrap, topic);
    await vi.waitFor(() => kafka.createTopic(topic), { timeout: RUN_MS_MAX, interval: 200 });
    await kafka.produce(topic, [...pages('old', 0, 5), ...pages('new', 1, 4)]);
    await engine.untilSays(/KAFKA_TOPIC_CHANGED/, RUN_MS_MAX);
    const id = /--accept-topic ([0-9a-f]{32})/.exec(engine.output)?.[1];
    expect(id, engine.tail()).toBeDefined();
    await engine.stop(RUN_MS_MAX);
    expect(await committedEvents(kafka.lakeOf(topic))).toBe(3);
    await runToTheEnd(topic, '--accept-topic', id!);
    await runToTheEnd(topic);
    const sessions = await sessionsOf(topic);
    expect(sessions).toContain('new 4');
    expect(sessions).toContain('old 5');
  });
});

describe('an engine that stands still until the group has given it up', () => {
  /** As long as the brokers hold one for a member. */
  async function untilNobodyIsIn(group: string): Promise<void> {
    const [host, port] = kafka.cluster.bootstrap.split(':');
    const admin = new Admin({ clientId: 'test', bootstrapBrokers: [{ host: host!, port: Number(port) }] });
    try {
      await vi.waitFor(
        async () => {
          const members = (await admin.describeGroups({ groups: [group] })).get(group)?.members;
          expect(members?.size).toBe(0);
        },
        { timeout: RUN_MS_MAX, interval: 500 },
      );
    } finally {
      await admin.close();
    }
  }

  it('goes on where the ledger is, without a hand: nothing is lost or there twice', async () => {
    const topic = 'frozen';
    await kafka.createTopic(topic);
    await kafka.produce(topic, [...pages('a', 0, 3), ...pages('b', 1, 3)]);
    const engine = kafka.engine(topic, { flags });
    await allCommitted(engine, topic, 6);
    engine.signal('SIGSTOP');
    await kafka.produce(topic, [...pages('a', 0, 2, 3 * MINUTE_MS), ...pages('c', 1, 2, 2 * HOUR_MS)]);
    await untilNobodyIsIn(topic);
    engine.signal('SIGCONT');
    await allCommitted(engine, topic, 10);
    await engine.stop(RUN_MS_MAX);
    await runToTheEnd(topic);
    expect(await sessionsOf(topic)).toEqual(['a 5', 'b 3', 'c 2']);
    await expectVerified(topic);
  });

  it('and for so long that retention has passed it: the partition halts with the gap, the others go on', async () => {
    const topic = 'passed';
    await kafka.createTopic(topic);
    await kafka.produce(topic, [...pages('a', 0, 2), ...pages('b', 1, 2)]);
    const engine = kafka.engine(topic, { flags });
    await allCommitted(engine, topic, 4);
    const kept = await runCommandLine(['ledger', 'snapshot', '--lake', kafka.lakeOf(topic)]);
    expect(kept.code, kept.stdout + kept.stderr).toBe(0);
    engine.signal('SIGSTOP');
    await kafka.produce(topic, [...pages('a', 0, 4, 2 * MINUTE_MS), ...pages('b', 1, 2, 2 * MINUTE_MS)]);
    await deleteBelow(kafka.cluster.bootstrap, topic, 0, 5);
    await untilNobodyIsIn(topic);
    engine.signal('SIGCONT');
    await engine.untilSays(/OFFSET_OUT_OF_RANGE/, RUN_MS_MAX);
    expect(linesSaying(engine, /OFFSET_OUT_OF_RANGE/)[0]).toMatch(/offsets 2 to 4 .*--accept-gap 0:2-4/);
    await allCommitted(engine, topic, 6);
    await engine.stop(RUN_MS_MAX);
    await runToTheEnd(topic, '--accept-gap', '0:2-4');
    // one of a's six is left behind the gap, and its session stays one across it
    expect(await sessionsOf(topic)).toEqual(['a 3', 'b 4']);
  });
});

describe('producers whose clocks are ten minutes wrong', () => {
  const topic = 'clocks';
  const WRONG_MS = 10 * MINUTE_MS;

  it('lose nothing, and tear sessions of others only where these pause for nearly as long as the gap', async () => {
    await kafka.createTopic(topic, 1);
    const at = (user: string, ms: number, wrongMs = 0) => ({
      ms,
      // the record's timestamp is of the same clock
      record: goodRecord(user, ms + wrongMs, 0),
    });
    const pauses = (suffix: string, pauseMinutes: number) =>
      [0, 1, pauseMinutes + 1, pauseMinutes + 2].flatMap((minute) => [
        at(`right-${suffix}`, minute * MINUTE_MS),
        at(`ahead-${suffix}`, minute * MINUTE_MS, WRONG_MS),
        at(`behind-${suffix}`, minute * MINUTE_MS, -WRONG_MS),
      ]);
    // somebody whose clock is ahead is always there
    const always = Array.from({ length: 60 }, (_, minute) => at('always', minute * MINUTE_MS, WRONG_MS));
    const arrival = [...pauses('24', 24), ...pauses('29', 29), ...always].sort((a, b) => a.ms - b.ms);
    await kafka.produce(
      topic,
      arrival.map(({ record }) => record),
    );
    const result = await runToTheEnd(topic);
    expect(result).toMatchObject({ deadLetters: 0, haltedLanes: 0, events: arrival.length });
    // gap 30 min and lateness 5 min: whoever is ten minutes behind the watermark has 25 of them left to pause
    expect(await sessionsOf(topic)).toEqual([
      'ahead-24 4',
      'ahead-29 4',
      'always 60',
      'behind-24 2',
      'behind-24 2',
      'behind-29 2',
      'behind-29 2',
      'right-24 4',
      'right-29 2',
      'right-29 2',
    ]);
    const { rows } = await readSpineTable(kafka.lakeOf(topic));
    const times = rows.filter(({ user_id }) => user_id === 'ahead-24').map((row) => row.session_start);
    expect(new Set(times)).toEqual(new Set([BASE_MS + WRONG_MS]));
  });
});

describe('going back to a headrace that knows less', () => {
  const topic = 'newer';
  let version = 0;
  const refusedVersion = () =>
    join(kafka.lakeOf(topic), '_delta_log', `${String(version).padStart(20, '0')}.json`);

  beforeAll(async () => {
    await kafka.createTopic(topic, 1);
    await kafka.produce(topic, [...pages('closed', 0, 3), ...pages('open', 0, 2, 2 * HOUR_MS)]);
    const engine = kafka.engine(topic, { flags });
    await allCommitted(engine, topic, 5);
    await engine.stop(RUN_MS_MAX);
  });

  /** A version behind the newest one, as a newer headrace may write it. */
  async function append(actions: readonly object[]): Promise<void> {
    version = (await newestVersion(kafka.lakeOf(topic))) + 1;
    await writeFile(refusedVersion(), actions.map((action) => `${JSON.stringify(action)}\n`).join(''));
  }

  async function firstActions(): Promise<Record<string, { configuration: object }>[]> {
    const path = join(await tablePath(kafka.lakeOf(topic)), '_delta_log', `${'0'.repeat(20)}.json`);
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
    return lines.map((line) => JSON.parse(line) as Record<string, { configuration: object }>);
  }

  const entryOf = (format: number) => ({
    commitInfo: { operation: 'STREAMING UPDATE', headrace: { format, attempt: 'n', cuts: [] } },
  });

  it('its snapshots are named and passed over, and the partition is replayed', async () => {
    const folder = join(await tablePath(kafka.lakeOf(topic)), '_headrace', 'snapshots');
    for (const name of (await readdir(folder, { recursive: true })).filter((each) =>
      each.endsWith('.snap'),
    )) {
      const bytes = await readFile(join(folder, name));
      bytes.writeUInt32LE(99, 8);
      await writeFile(join(folder, name), bytes);
    }
    const engine = kafka.engine(topic, { flags });
    await engine.untilSays(/recovery is done/, RUN_MS_MAX);
    expect(linesSaying(engine, /a snapshot can not be used/)[0]).toMatch(
      /format version 99; this engine reads \d/,
    );
    await kafka.produce(topic, pages('open', 0, 1, 2 * HOUR_MS + 2 * MINUTE_MS));
    await allCommitted(engine, topic, 6);
    await engine.stop(RUN_MS_MAX);
    await expectVerified(topic);
  });

  it.each([
    [
      'entries',
      async () => [entryOf(2)],
      /LAKE_NOT_OURS: .*format 2 of its entry, this headrace knows 1.*run the version of headrace that wrote it/,
    ],
    [
      'tables',
      async () => {
        const { metaData } = (await firstActions()).find((action) => action.metaData !== undefined)!;
        const configuration = { ...metaData!.configuration, 'headrace.format': '2' };
        return [entryOf(1), { metaData: { ...metaData, configuration } }];
      },
      /LAKE_NOT_OURS: the table has format 2, this headrace knows 1.*run the version of headrace that made it/,
    ],
  ])('%s of it end an engine that runs and keep another from starting, by name', async (_, actions, says) => {
    const events = await committedEvents(kafka.lakeOf(topic));
    const running = kafka.engine(topic, { flags });
    await running.untilSays(/recovery is done|lanes assigned/, RUN_MS_MAX);
    await append(await actions());
    await kafka.produce(topic, pages('open', 0, 1, 2 * HOUR_MS + 5 * MINUTE_MS));
    expect(await running.exit(RUN_MS_MAX), running.tail()).toEqual({ code: 78, signal: null });
    expect(running.output).toMatch(says);
    const next = kafka.engine(topic, { flags });
    expect(await next.exit(RUN_MS_MAX), next.tail()).toEqual({ code: 78, signal: null });
    expect(next.output).toMatch(says);
    expect(next.output).toMatch(new RegExp(`version\\D{1,4}${version}\\b`));
    // what the newer one wrote is taken back, and all goes on
    await rm(refusedVersion());
    await runToTheEnd(topic);
    expect(await committedEvents(kafka.lakeOf(topic))).toBe(events + 1);
    await expectVerified(topic);
  });
});
