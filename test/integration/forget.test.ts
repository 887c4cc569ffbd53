import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { querySql } from '#src/embedded/chdb-query.js';
import { committedRecords } from '../support/committed-records.js';
import { readDeltaRs } from '../support/delta-rs.js';
import type { EngineProcess } from '../support/engine-process.js';
import { type CommandResult, runCommandLine } from '../support/run-command.js';
import { SpineClickHouse } from '../support/spine-clickhouse.js';
import type { ProducedRecord } from '../support/spine-kafka.js';
import { BASE_MS, goodRecord, SmallKafka } from '../support/spine-lane.js';
import {
  committedEvents,
  newestVersion,
  readSpineTable,
  type TableRow,
  tablePath,
} from '../support/spine-table.js';

/** One person is taken out of everything, with ClickHouse, topics and a running engine behind the table. */
vi.setConfig({ testTimeout: 400_000, hookTimeout: 240_000 });
const RUN_MS_MAX = 120_000;
const HOUR_MS = 3_600_000;
const PERSON = 'u-4711';
/** The person, and nobody whose name begins so. */
const NAMED = /u-4711(?!\d)/;
const OTHERS = ['u-471', 'u-47110', 'x'];

let kafka: SmallKafka;
let clickhouse: SpineClickHouse;

beforeAll(async () => {
  kafka = await SmallKafka.start();
  clickhouse = await SpineClickHouse.start(join(kafka.folder, 'clickhouse'));
});

afterAll(async () => {
  await clickhouse?.close();
  await kafka?.close();
});

/** A topic with all that follows it; returns the engine's file. */
async function prepare(topic: string): Promise<string> {
  await kafka.createTopic(topic);
  await kafka.createTopic(`${topic}_enriched`, 1);
  await kafka.createTopic(`${topic}_dlq`, 1);
  const compacted = { 'cleanup.policy': 'compact' };
  await kafka.cluster.createTopic({ name: `${topic}_positions`, partitions: 1, config: compacted });
  await clickhouse.flags('clickstream', topic, { merges: true });
  const config = join(kafka.folder, `${topic}.yaml`);
  await writeFile(
    config,
    `kafka: {brokers: "${kafka.cluster.bootstrap}", topic: ${topic}, group: ${topic}}
model: clickstream
lake: {path: "${kafka.lakeOf(topic)}"}
clickhouse: {url: "${clickhouse.url}", database: ${topic}}
output: {}
cut_interval: 200ms
`,
  );
  return config;
}

const forget = (config: string, ...more: string[]): Promise<CommandResult> =>
  runCommandLine(['forget', '--config', config, ...more]);

/** Visits an hour apart of the person and of others in partition 0, and of another in partition 1. */
function visits(from: number, count: number, users: readonly string[]): ProducedRecord[] {
  return Array.from({ length: count }, (_, i) => [
    ...users.map((user, at) => goodRecord(user, (from + i) * HOUR_MS + at, 0)),
    goodRecord('y', (from + i) * HOUR_MS, 1),
  ]).flat();
}

const badLetter = (user: string, atMs: number): ProducedRecord => ({
  key: user,
  value: `this is not JSON, ${user}`,
  timestampMs: BASE_MS + atMs,
  partition: 0,
});

/** Of a table's row, what two readings of it have in common. */
const textOf = (row: TableRow) =>
  JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? String(value) : value));

async function rowsInClickHouse(topic: string, users?: string): Promise<number> {
  const where = users === undefined ? '' : ` WHERE user_id = '${users}'`;
  const [row] = await clickhouse.query<{ n: string }>(
    `SELECT toString(count()) AS n FROM ${topic}.session_metrics FINAL${where}`,
  );
  return Number(row!.n);
}

async function committed(engine: EngineProcess, topic: string, events: number): Promise<void> {
  await engine.until(
    `${events} events are committed`,
    async () => (await committedEvents(kafka.lakeOf(topic))) >= events,
  );
}

async function inClickHouse(engine: EngineProcess, topic: string): Promise<void> {
  const { rows } = await readSpineTable(kafka.lakeOf(topic));
  await engine.until('ClickHouse has all', async () => (await rowsInClickHouse(topic)) === rows.length);
}

/** Everything that lies below the table, but for the log, as text. */
async function besideTheLog(topic: string): Promise<string> {
  const folder = await tablePath(kafka.lakeOf(topic));
  const names = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) =>
    entry.isFile(),
  );
  const texts = names
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes('_delta_log'))
    .map(async (path) => `${path}\n${(await readFile(path)).toString('latin1')}`);
  return (await Promise.all(texts)).join('\n');
}

describe('a person', () => {
  const topic = 'forgotten';
  let config: string;
  let engine: EngineProcess;
  let before: TableRow[];
  let versionBefore: number;
  let done: CommandResult;

  beforeAll(async () => {
    config = await prepare(topic);
    engine = kafka.engine(topic, { flags: ['--config', config] });
    await engine.untilSays(/lanes assigned/);
    await kafka.produce(topic, [
      ...visits(0, 4, [PERSON, ...OTHERS]),
      badLetter(PERSON, 3 * HOUR_MS),
      badLetter('u-471', 3 * HOUR_MS),
    ]);
    await committed(engine, topic, 22);
    // the person's last visit is over, and no late event can change it
    await kafka.produce(topic, visits(6, 2, OTHERS));
    await committed(engine, topic, 30);
    await inClickHouse(engine, topic);
    before = (await readSpineTable(kafka.lakeOf(topic))).rows;
    versionBefore = await newestVersion(kafka.lakeOf(topic));
  });

  it('is only shown without --yes, and a name that the model has not is refused', async () => {
    const shown = await forget(config, '--key', `user_id=${PERSON}`, '--timeout', '5s');
    expect(shown.code, shown.stdout + shown.stderr).toBe(0);
    expect(shown.stdout).toMatch(/table +4 rows in \d files? /);
    expect(shown.stdout).toMatch(/Nothing was changed\. --yes does it\./);
    expect((await readSpineTable(kafka.lakeOf(topic))).rows).toHaveLength(before.length);
    expect(await rowsInClickHouse(topic, PERSON)).toBe(4);
    const refused = await forget(config, '--key', `user_ids=${PERSON}`, '--yes');
    expect(refused.code).toBe(78);
    expect(refused.stderr).toMatch(/did you mean user_id\?/);
    for (const { stdout, stderr } of [shown, refused]) expect(stdout + stderr).not.toMatch(NAMED);
  });

  it('is gone from table, ClickHouse, snapshots and dead letters, while an engine goes on', async () => {
    let hour = 8;
    let isOver = false;
    const produced = (async () => {
      while (!isOver) {
        await kafka.produce(topic, visits(hour++, 1, OTHERS));
      }
    })();
    done = await forget(config, '--key', `user_id=${PERSON}`, '--yes', '--timeout', '60s');
    isOver = true;
    await produced;
    expect(done.code, done.stdout + done.stderr).toBe(0);
    expect(done.stdout).toMatch(/All that is ours to erase is gone\./);
    expect(done.stdout).toMatch(/session_metrics +4 rows +4 rows deleted +nothing/);
    expect(done.stdout).toMatch(/dead letters beside the table +1 letter in 1 file/);
    expect(done.stdout + done.stderr).not.toMatch(NAMED);
    const events = 30 + (hour - 8) * 4;
    await committed(engine, topic, events);
    await inClickHouse(engine, topic);
    expect(await rowsInClickHouse(topic, PERSON)).toBe(0);
  });

  it('has left no other row changed, for delta-rs and for ClickHouse’s reader', async () => {
    const { rows, path } = await readSpineTable(kafka.lakeOf(topic));
    const texts = new Set(rows.map(textOf));
    const others = before.filter((row) => row.user_id !== PERSON);
    expect(others).toHaveLength(before.length - 4);
    expect(others.filter((row) => !texts.has(textOf(row)))).toEqual([]);
    expect(rows.filter((row) => row.user_id === PERSON)).toEqual([]);
    const [counted] = await querySql(
      kafka.folder,
      `SELECT toString(count()) AS n, toString(countIf(user_id = '${PERSON}')) AS own FROM deltaLakeLocal('${path}')`,
    );
    expect(counted).toEqual({ n: String(rows.length), own: '0' });
    const inClickHouse = await clickhouse.rows('clickstream', topic, { final: true });
    expect(inClickHouse.map((row) => `${row.session_id}`).sort()).toEqual(
      rows.map((row) => `${row.session_id}`).sort(),
    );
  });

  it('is in no file any more: an older version of the table can not be read', async () => {
    const path = await tablePath(kafka.lakeOf(topic));
    await expect(readDeltaRs(path, { version: versionBefore })).rejects.toThrow(/not found|No such file/i);
    // compressed files are seen through by readers; what is plain text is seen here
    expect(NAMED.exec(await besideTheLog(topic))?.index).toBeUndefined();
    const version = Number(/in version ([\d,]+)/.exec(done.stdout)![1]!.replaceAll(',', ''));
    const log = join(path, '_delta_log', `${String(version).padStart(20, '0')}.json`);
    const text = await readFile(log, 'utf8');
    expect(text).toContain('"erasure"');
    expect(text.split('\n').filter((line) => NAMED.test(line))).toEqual([]);
  });

  it('leaves an engine that stops in order, goes on, and is proved by the reference', async () => {
    await engine.stop(RUN_MS_MAX);
    expect(engine.output).not.toMatch(/"level":"(error|fatal)"/);
    expect(engine.output).not.toMatch(NAMED);
    await kafka.engine(topic, { untilEnd: true, flags: ['--config', config] }).result(RUN_MS_MAX);
    const verified = await runCommandLine(['ledger', 'verify', '--config', config]);
    expect(verified.code, verified.stdout + verified.stderr).toBe(0);
    expect(verified.stdout).toMatch(/4 rows were erased/);
    const letters = await kafka.deadLetters(topic);
    expect(letters.map(({ key, detail }) => [key === null, detail === 'erased'])).toContainEqual([
      true,
      true,
    ]);
    expect(letters.filter(({ key }) => key !== null)).toHaveLength(1);
  });
});

describe('a person with an open session', () => {
  const topic = 'still_open';

  it('is finished by a second call, when the session is over', async () => {
    const config = await prepare(topic);
    const engine = kafka.engine(topic, { flags: ['--config', config] });
    await engine.untilSays(/lanes assigned/);
    await kafka.produce(topic, visits(0, 3, [PERSON, 'x']));
    await committed(engine, topic, 9);
    await inClickHouse(engine, topic);
    const first = await forget(config, '--key', `user_id=${PERSON}`, '--yes', '--timeout', '10s', '--json');
    expect(first.code, first.stdout + first.stderr).toBe(75);
    const report = JSON.parse(first.stdout);
    expect(report.complete).toBe(false);
    const snapshots = report.places.find(({ place }: { place: string }) => place === 'snapshots');
    const lastMs = BASE_MS + 2 * HOUR_MS;
    expect(snapshots.left).toContain(new Date(lastMs + 35 * 60_000).toISOString());
    expect(await rowsInClickHouse(topic, PERSON)).toBe(0);
    await kafka.produce(topic, visits(4, 2, ['x']));
    await committed(engine, topic, 13);
    await inClickHouse(engine, topic);
    expect(await rowsInClickHouse(topic, PERSON)).toBe(1);
    let hour = 6;
    let isOver = false;
    const produced = (async () => {
      while (!isOver) await kafka.produce(topic, visits(hour++, 1, ['x']));
    })();
    const second = await forget(config, '--finish', report.id, '--key', `user_id=${PERSON}`, '--yes');
    isOver = true;
    await produced;
    expect(second.code, second.stdout + second.stderr).toBe(0);
    expect(await rowsInClickHouse(topic, PERSON)).toBe(0);
    expect((await readSpineTable(kafka.lakeOf(topic))).rows.filter((row) => row.user_id === PERSON)).toEqual(
      [],
    );
    await engine.stop(RUN_MS_MAX);
  });
});

describe('followers that are behind', () => {
  const topic = 'behind';

  it('get what is left of a file, and hold the old one until then', async () => {
    const config = await prepare(topic);
    const engine = kafka.engine(topic, { flags: ['--config', config] });
    await engine.untilSays(/lanes assigned/);
    await kafka.produce(topic, visits(0, 1, [PERSON, 'x']));
    await committed(engine, topic, 3);
    await clickhouse.kill();
    await kafka.produce(topic, visits(1, 3, [PERSON, 'x']));
    await kafka.produce(topic, visits(6, 1, ['x']));
    await committed(engine, topic, 14);
    const first = await forget(config, '--key', `user_id=${PERSON}`, '--yes', '--timeout', '10s', '--json');
    expect(first.code, first.stdout + first.stderr).toBe(75);
    const report = JSON.parse(first.stdout);
    expect(JSON.stringify(report.places)).toMatch(/CLICKHOUSE_UNREACHABLE/);
    const { parquetFiles, delta } = await readSpineTable(kafka.lakeOf(topic));
    expect(parquetFiles.length).toBeGreaterThan(delta.files.length);
    await clickhouse.restart();
    await engine.untilSays(/ClickHouse is back/);
    await inClickHouse(engine, topic);
    // the files that held the person went in without the person's rows
    expect(await rowsInClickHouse(topic, PERSON)).toBe(0);
    const onlyFiles = await forget(config, '--finish', report.id, '--yes');
    expect(onlyFiles.code, onlyFiles.stdout + onlyFiles.stderr).toBe(0);
    const after = await readSpineTable(kafka.lakeOf(topic));
    expect(after.parquetFiles).toHaveLength(after.delta.files.length);
    await engine.stop(RUN_MS_MAX);
    const sent = await committedRecords(kafka.cluster.bootstrap, `${topic}_enriched`, 1);
    expect(sent.filter(({ key }) => key?.toString() === 'x').length).toBeGreaterThan(3);
  });
});
