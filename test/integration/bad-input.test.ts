import { execFile } from 'node:child_process';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LedgerEntry } from '#src/ledger/types.js';
import { deltaRsPython } from '../../config/setup/delta-rs.mjs';
import type { EngineProcess } from '../support/engine-process.js';
import type { ProducedRecord } from '../support/spine-kafka.js';
import { BASE_MS, goodRecord, SmallKafka } from '../support/spine-lane.js';
import { committedEvents, readSpineTable, sessionsIn } from '../support/spine-table.js';

/** What the engine does about bytes, brokers and tables that are not as they should be: real ones, from outside. */
const RUN_MS_MAX = 60_000;
const EXIT_CONFIG = 78;
const EXIT_TRY_AGAIN = 75;
const HOUR_MS = 3_600_000;

let kafka: SmallKafka;

beforeAll(async () => {
  kafka = await SmallKafka.start();
});

afterAll(() => kafka?.close());

/** A port on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const sessionsOf = (topic: string) => sessionsIn(kafka.lakeOf(topic));

/** Log lines (JSON objects) that say something matching. */
function linesSaying(engine: EngineProcess, pattern: RegExp): string[] {
  return engine.output.split('\n').filter((line) => pattern.test(line));
}

describe('brokers and topics that are not there', () => {
  it('an unreachable broker is said again and again, without a crash, and SIGTERM still ends it well', async () => {
    const address = `127.0.0.1:${await closedPort()}`;
    const engine = kafka.engine('unreachable', { brokers: address });
    const said = () => linesSaying(engine, new RegExp(address));
    await engine.until('the broker was named in several lines', () => said().length >= 3);
    expect(said().length).toBeLessThan(50);
    await engine.stop(RUN_MS_MAX);
  });

  it('a missing topic is named and waited for, and the engine goes on when it is there', async () => {
    const topic = 'later';
    const engine = kafka.engine(topic);
    await engine.untilSays(/"?KAFKA_TOPIC_MISSING/);
    expect(linesSaying(engine, /KAFKA_TOPIC_MISSING/)[0]).toContain(topic);
    await kafka.createTopic(topic);
    await kafka.produce(topic, [
      goodRecord('a', 0, 0),
      goodRecord('b', 1000, 0),
      goodRecord('c', HOUR_MS, 0),
    ]);
    await engine.until(
      'sessions are written',
      async () => (await committedEvents(kafka.lakeOf(topic))) === 3,
    );
    await engine.stop(RUN_MS_MAX);
    expect(await sessionsOf(topic)).toEqual(['a 1', 'b 1']);
    // everything is committed, but the last session is still open: a bounded run lets it out
    await kafka.engine(topic, { untilEnd: true }).result(RUN_MS_MAX);
    expect(await sessionsOf(topic)).toEqual(['a 1', 'b 1', 'c 1']);
  });
});

describe('events that can not be counted', () => {
  const topic = 'malformed';
  const good = { timestamp: new Date(BASE_MS).toISOString(), user_id: 'bad', event_type: 'click' };
  const withChange = (change: Record<string, unknown>) => JSON.stringify({ ...good, ...change });
  const at = (ms: number) => new Date(BASE_MS + ms).toISOString();

  const cases: [reason: string, value: string | Uint8Array | null][] = [
    ['malformed', '{"timestamp": "2024-03-01T10:00:00Z", "user_id": "bad", "event_type": "cli'],
    ['malformed', 'not json'],
    ['malformed', null],
    ['malformed', ' '],
    ['malformed', `\ufeff${JSON.stringify(good)}`],
    ['malformed', `${JSON.stringify(good)}{}`],
    ['malformed', Buffer.concat([Buffer.from('{"user_id":"'), Buffer.from([0xff]), Buffer.from('"}')])],
    ['missing_field', withChange({ user_id: undefined })],
    ['missing_field', withChange({ event_type: null })],
    ['missing_field', withChange({ timestamp: undefined })],
    ['wrong_type', withChange({ user_id: 12 })],
    ['wrong_type', withChange({ timestamp: 'yesterday' })],
    ['wrong_type', withChange({ timestamp: '2024-02-30T10:00:00Z' })],
    ['wrong_type', withChange({ timestamp: '2263-01-01T00:00:00Z' })],
    ['wrong_type', withChange({ timestamp: '1969-12-31T23:59:59.999Z' })],
    ['wrong_type', withChange({ event_type: ['click'] })],
    ['wrong_type', withChange({ page_url: 7 })],
    ['wrong_type', withChange({ geo: { latitude: '12' } })],
    ['future', withChange({ timestamp: at(HOUR_MS + 1) })],
    ['late', withChange({ timestamp: at(-3 * HOUR_MS) })],
  ];

  it('each is kept with its coordinates, reason and bytes, and the rest of its batch is processed', async () => {
    await kafka.createTopic(topic);
    const record = (value: string | Uint8Array | null): ProducedRecord => ({
      key: 'bad',
      value,
      timestampMs: BASE_MS,
      partition: 1,
    });
    await kafka.produce(topic, [
      goodRecord('first', 0, 1),
      ...cases.flatMap(([, value], i) => [record(value), goodRecord('between', i, 1)]),
      goodRecord('last', 100, 1),
      goodRecord('other', 0, 0),
      // exactly as far ahead as it may be
      { ...goodRecord('ahead', HOUR_MS, 0), timestampMs: BASE_MS },
    ]);
    const engine = kafka.engine(topic, { untilEnd: true });
    const result = await engine.result(RUN_MS_MAX);

    expect(result).toMatchObject({ deadLetters: cases.length, haltedLanes: 0 });
    expect(await sessionsOf(topic)).toEqual([
      'ahead 1',
      `between ${cases.length}`,
      'first 1',
      'last 1',
      'other 1',
    ]);
    const expected = cases.map(([reason, value], i) => ({
      topic,
      partition: 1,
      offset: 1 + 2 * i,
      timestamp_ms: BASE_MS,
      reason,
      key: Buffer.from('bad').toString('base64'),
      value: value === null ? null : Buffer.from(value as string).toString('base64'),
    }));
    const letters = await kafka.deadLetters(topic);
    expect(letters.map(({ detail, ...rest }) => rest)).toEqual(expected);
    for (const { detail, reason } of letters) expect({ reason, detail }).not.toEqual({ reason, detail: '' });
    expect(letters.find(({ reason }) => reason === 'missing_field')!.detail).toContain('user_id');
    const { lanes, delta } = await readSpineTable(kafka.lakeOf(topic));
    expect(lanes.reduce((sum, lane) => sum + lane.deadLetters, 0)).toBe(cases.length);
    // the ledger names the files that hold them
    const named = delta.history.flatMap(({ headrace }) => (headrace as LedgerEntry).cuts);
    const letterFiles = named.flatMap(({ deadLetterFiles }) => deadLetterFiles);
    expect(letterFiles.reduce((sum, file) => sum + file.letters, 0)).toBe(cases.length);
  });

  it('they are not written again by the next run', async () => {
    const again = await kafka.engine(topic, { untilEnd: true }).result(RUN_MS_MAX);
    expect(again).toMatchObject({ deadLetters: 0, rows: 0 });
    expect((await kafka.deadLetters(topic)).length).toBe(cases.length);
  });
});

describe('a batch that halts its lane', () => {
  /** Two sound records in each of two partitions, then what comes from `spoil` in partition 0, then one more each. */
  async function expectHalt(topic: string, code: string, spoil: () => Promise<void>): Promise<string> {
    await kafka.createTopic(topic);
    const sound = [0, 1].flatMap((p) => [goodRecord(`u${p}`, 0, p), goodRecord(`u${p}`, 1000, p)]);
    await kafka.produce(topic, sound);
    await spoil();
    await kafka.produce(topic, [goodRecord('after0', 2000, 0), goodRecord('after1', 2000, 1)]);

    const engine = kafka.engine(topic, { untilEnd: true });
    const exit = await engine.exit(RUN_MS_MAX);
    expect(exit, engine.tail()).toEqual({ code: EXIT_TRY_AGAIN, signal: null });
    const line = linesSaying(engine, new RegExp(code)).at(-1);
    expect(line, engine.tail()).toBeDefined();
    expect(line).toMatch(/partition\D{1,4}0\b/);
    expect(line).toMatch(/offset\D{1,4}2\b/);
    // lane 1 is done; of lane 0 what came before the batch is at most there, and what came after it never
    const sessions = await sessionsOf(topic);
    expect(sessions).toContain('u1 2');
    expect(sessions).toContain('after1 1');
    expect(sessions).not.toContain('after0 1');
    return line!;
  }

  it('by a flipped bit on the broker, after it was fetched once more', async () => {
    const topic = 'corrupt';
    const line = await expectHalt(topic, 'BATCH_CORRUPT', async () => {
      await kafka.produce(topic, [goodRecord('u0', 1500, 0)]);
      const file = await open(await kafka.segmentFile(topic, 0), 'r+');
      const { size } = await file.stat();
      await file.write(Uint8Array.of(0x5a), 0, 1, size - 5);
      await file.close();
    });
    expect(line).toMatch(/broker/);
  });
});

describe('tables that can not be written or are not ours', () => {
  /** The engine ends with 78 and says so; that it never reached a broker shows in that there is none. */
  async function expectRefused(lake: string, says: RegExp, group = 'refused', topic = 'refused') {
    const engine = kafka.engine(topic, { lake, group, brokers: `127.0.0.1:${await closedPort()}` });
    const exit = await engine.exit(RUN_MS_MAX);
    expect(exit, engine.tail()).toEqual({ code: EXIT_CONFIG, signal: null });
    expect(engine.output).toMatch(says);
  }

  it('a folder below a file, or where no folder can be made', async () => {
    const file = join(kafka.folder, 'a-file');
    await writeFile(file, 'in the way');
    await expectRefused(file, /LAKE_UNWRITABLE.*a-file/);
    await expectRefused(join(file, 'table'), /LAKE_UNWRITABLE.*a-file/);
    await expectRefused('/proc/headrace-table', /LAKE_UNWRITABLE.*\/proc\/headrace-table/);
  });

  it('a table that another writer made', async () => {
    const lake = join(kafka.folder, 'lake-of-another');
    const script = `import sys, pyarrow as pa, deltalake
deltalake.write_deltalake(sys.argv[1], pa.table({"session_id": ["a"], "sign": pa.array([1], pa.int32())}))`;
    await promisify(execFile)(deltaRsPython(), ['-c', script, lake]);
    await expectRefused(lake, /LAKE_NOT_OURS.*lake-of-another/);
  });

  it('a table with a log that nobody can read', async () => {
    const lake = join(kafka.folder, 'lake-of-nobody');
    await mkdir(join(lake, '_delta_log'), { recursive: true });
    await writeFile(join(lake, '_delta_log', '00000000000000000000.json'), '{"metaData": {"id"');
    const engine = kafka.engine('refused', { lake, brokers: `127.0.0.1:${await closedPort()}` });
    const exit = await engine.exit(RUN_MS_MAX);
    expect(exit.code, engine.tail()).not.toBe(0);
    expect(engine.output).toMatch(/LAKE_LOG_CORRUPT.*_delta_log\/00000000000000000000\.json/);
  });

  it('the table of another group, and of another topic', async () => {
    await kafka.createTopic('owner');
    await kafka.produce('owner', [goodRecord('a', 0, 0)]);
    await kafka.engine('owner', { untilEnd: true }).result(RUN_MS_MAX);
    const lake = kafka.lakeOf('owner');
    await expectRefused(lake, /LAKE_NOT_OURS.*another-group/, 'another-group', 'owner');
    await expectRefused(lake, /LAKE_NOT_OURS.*another-topic/, 'owner', 'another-topic');
    expect(await sessionsOf('owner')).toEqual(['a 1']);
  });
});
