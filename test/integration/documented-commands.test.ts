import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type ChdbSession, openChdb } from '#src/embedded/chdb-query.js';
import { type ClickHouseFront, startClickHouseFront } from '#src/embedded/clickhouse-front.js';
import { deltaRsPython } from '../../config/setup/delta-rs.mjs';
import { freePorts } from '../../native-bench/kafka-cluster/free-ports.js';
import { blocksOf, linesFor } from '../support/documented-runs.js';
import { DocumentedShell, type RunningLine } from '../support/documented-shell.js';
import { type KafkaCluster, startKafkaCluster } from '../support/kafka-cluster.js';
import { type MinioServer, startMinio } from '../support/minio.js';
import { metricsOf } from '../support/ops-rig.js';
import { type ProducedRecord, SpineProducer } from '../support/spine-kafka.js';
import { goodRecord } from '../support/spine-lane.js';

/**
 * The README's commands that need services, and those of the files that it points to, called as they stand there against real ones:
 * three brokers, ClickHouse's engine, MinIO, and an engine that runs, in an order in which somebody might.
 */
vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 });

const TOPIC = 'clickstream_events';
const DAY_MS = 86_400_000;
const PERSON = 'u-4711';
const PARTITIONS = 30;
const WAIT = { timeout: 180_000, interval: 500 };

const shell = new DocumentedShell(linesFor('integration/documented-commands'));
let cluster: KafkaCluster;
let front: ClickHouseFront;
let minio: MinioServer;
let engine: RunningLine;
let chdb: ChdbSession;
let url: string;

beforeAll(async () => {
  const [port] = await freePorts(1);
  url = `http://127.0.0.1:${port}`;
  cluster = await startKafkaCluster({ brokers: 3 });
  front = await startClickHouseFront({ folder: join(shell.folder, 'clickhouse') });
  minio = await startMinio();
  await minio.makeBucket('sessions');
  shell.link();
  shell.program('python', `#!/bin/sh\nexec ${deltaRsPython()} "$@"\n`);
  for (const port of [9092, 19092]) shell.place(`localhost:${port}`, cluster.bootstrap);
  shell.place('http://127.0.0.1:8123', front.url);
  shell.place('--lake FOLDER', '--lake ./lake');
  shell.place(`${shell.folder}/var/sessions`, `${shell.folder}/lake`);
  // a minute, twenty millions and two hours are for people who have them
  shell.place('--duration 60s', '--duration 3s');
  shell.place('--count 20000000', '--count 20000');
  shell.place("'2h ago'", "'1s ago'");
  writeFileSync(join(shell.folder, 'engine.yaml'), settings());
});

afterAll(async () => {
  shell.close();
  await chdb?.close();
  await front?.stop();
  await minio?.close();
  await cluster?.stop();
});

function settings(): string {
  return [
    `kafka: { brokers: "${cluster.bootstrap}", topic: ${TOPIC}, group: sessions }`,
    'model: clickstream',
    'lake: { path: ./lake }',
    `clickhouse: { url: "${front.url}" }`,
    `http: { listen: "${url.slice('http://'.length)}" }`,
    'workers: 1',
    '',
  ].join('\n');
}

async function produce(records: readonly ProducedRecord[]): Promise<void> {
  const producer = new SpineProducer(cluster.bootstrap);
  await producer.connect();
  await producer.send(TOPIC, records);
  await producer.flush();
  await producer.close();
}

/** Two events of each of these people at that time, in all partitions. The topic keeps records for a week, so these are of now. */
function visits(users: readonly string[], atMs: number): ProducedRecord[] {
  const baseMs = goodRecord('', 0, 0).timestampMs;
  const record = (user: string, ms: number, i: number) => goodRecord(user, ms - baseMs, i % PARTITIONS);
  return users.flatMap((user, i) =>
    [0, 1_000].map((ms) => ({ ...record(user, atMs + ms, i), timestampMs: Date.now() })),
  );
}

const peopleIn = (rows: string) => new Set(rows.match(/person-\d+/g)).size;

it('cluster and topics', async () => {
  const commands = 'node dist/engine.js';
  await shell.call(`${commands} topics plan`, /make +clickstream_events/);
  await shell.call(`${commands} topics create`, /made clickstream_events:/);
  await shell.call(`${commands} topics check`, /All 10 topics are as planned/);
  await shell.call(`${commands} topics describe`, new RegExp(`${TOPIC}_dlq`));
  await shell.call(`${commands} kafka check`, /mend +kafka-configs/, { code: 1 });
  // the test's brokers are small on purpose, which is said
  await shell.call('headrace topics create', /mend +kafka-configs/, { code: 1 });
});

it('a load, and a look at the cluster', async () => {
  const people = Array.from({ length: PARTITIONS }, (_, i) => `person-${i}`);
  const nowMs = Date.now();
  const aheadMs = nowMs - 1_000 - goodRecord('', 0, 0).timestampMs;
  await produce([
    ...visits(people, Date.parse('2024-03-01T10:00:00Z')),
    ...visits(people, Date.parse('2026-01-31T10:00:00Z')),
    ...visits([PERSON, ...people], nowMs - DAY_MS),
    // of a producer whose clock was ahead: a dead letter, and an event like any other when its time has come
    { ...goodRecord('ahead', aheadMs, 3), timestampMs: nowMs - 2 * DAY_MS },
  ]);
  await shell.call(
    'node dist/engine.js produce --brokers localhost:9092 --model clickstream',
    /Total events: 30,000 /,
  );
  await shell.call(
    'node dist/engine.js produce --brokers localhost:9092 --model web_clicks',
    /Total events: 20,000 /,
  );
  const [, checks] = shell.linesOf('node dist/engine.js monitor');
  expect(checks!.text).toContain('--check');
  await shell.callNth('node dist/engine.js monitor', 1, /under-replicated/);
  const live = shell.startNth('node dist/engine.js monitor', 0);
  await live.says(/3 brokers · 0 under-replicated/);
  expect(await live.end('SIGINT')).toMatchObject({ code: 0 });
});

it('a run as the README begins with, and one to the end', async () => {
  const begins = 'node dist/engine.js run --brokers';
  const first = shell.start(begins);
  const [, own] = await first.says(/"url":"(http[^"]+)"/);
  const read = async () => (await metricsOf(own!)).get('headrace_events_total') ?? 0;
  await vi.waitFor(async () => expect(await read()).toBeGreaterThan(30_000), WAIT);
  expect(await first.end('SIGTERM')).toMatchObject({ code: 0 });
  await shell.call(begins, /"haltedLanes":0/, { more: '--until-end --json' });
});

it('ClickHouse: its tables, and an engine that it follows', async () => {
  const migrate = 'node dist/engine.js clickhouse migrate';
  await shell.callNth(migrate, 0, /CREATE TABLE/);
  await shell.callNth(migrate, 1, /create +clickstream\.session_metrics/);
  engine = shell.start('node dist/engine.js run --config engine.yaml --clickhouse');
  await engine.says(/"url":"http/);
  const sessions = 'headrace query --config engine.yaml --json --sql';
  const people = `${sessions} "SELECT count() AS n FROM clickstream.sessions WHERE user_id LIKE 'person-%'"`;
  await vi.waitFor(async () => expect((await shell.own(people)).stdout).toMatch(/"n":\s*"?90"?/), WAIT);
  const query = 'node dist/engine.js query';
  await shell.callNth(query, 0, /geographic_analytics|countries/);
  await shell.callNth(query, 1, /country/);
  await shell.call('node dist/engine.js clickhouse audit', /no differences/);
  await shell.call('node dist/engine.js clickhouse rebuild', /is as version \d+ of the lake/);
  expect((await shell.own(people)).stdout).toMatch(/"n":\s*"?90"?/);
  expect((await shell.own('headrace clickhouse audit --config engine.yaml')).code).toBe(0);
});

it('SQL and Python that ask the table and ClickHouse', async () => {
  chdb = await openChdb(shell.folder);
  const [ofTable = '', ofClickHouse = '', ...others] = blocksOf('sql').map((sql) => shell.here(sql));
  expect(others).toEqual([]);
  const countries = await chdb.query<{ country: string | null; sessions: string }>(
    ofTable.replace(/;?\s*$/, ''),
  );
  expect(countries.length).toBeGreaterThan(3);
  const { stdout } = await shell.own(
    `headrace query --config engine.yaml --format json --sql '${ofClickHouse}'`,
  );
  expect(stdout).toContain('bounce_percent');
  const [python = '', ...more] = blocksOf('python').map((text) => shell.here(text));
  expect(more).toEqual([]);
  writeFileSync(join(shell.folder, 'ask.py'), python);
  const said = await shell.own('python ask.py');
  expect(said, said.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('sign_sum') });
});

it('the table through time, and a copy of it', async () => {
  const lake = 'node dist/engine.js lake';
  await shell.call(`${lake} history`, /version/i);
  const { stdout } = await shell.own('headrace lake history --lake ./lake --json');
  const newest = Math.max(...(JSON.parse(stdout) as { version: number }[]).map(({ version }) => version));
  expect(newest).toBeGreaterThan(2);
  await shell.call(`${lake} show`, /country/);
  await shell.call(`${lake} read`, /^/);
  expect(peopleIn(readFileSync(join(shell.folder, 'day.csv'), 'utf8'))).toBe(PARTITIONS);
  shell.place('lake diff --lake ./lake 120 140', `lake diff --lake ./lake 1 ${newest}`);
  shell.place('--version 120', '--version 1');
  await shell.call(`${lake} diff`, /added/);
  await shell.call(`${lake} restore`, /--yes/);
  await shell.call(`${lake} check`, /Sound/);
  await shell.call('mkdir -p /backup/sessions', /^$/);
  await shell.callNth('rsync -a', 0, /^$/);
  await shell.callNth('rsync -a', 1, /^$/);
  await shell.call('headrace lake check', /Sound/);
});

it('dead letters', async () => {
  const dlq = 'node dist/engine.js dlq';
  await shell.call(`${dlq} list`, /future/);
  const { stdout } = await shell.own('headrace dlq list --lake ./lake --json');
  const { newest } = JSON.parse(stdout) as {
    newest: { partition: number; offset: number; reason: string }[];
  };
  const letter = newest.find(({ reason }) => reason === 'future')!;
  shell.place('3:1204', `${letter.partition}:${letter.offset}`);
  await shell.call(`${dlq} show`, /future[\s\S]*ahead/);
  await shell.call(`${dlq} replay`, /1 of 1 dead letters would go back/);
});

it('a person is forgotten, and the table’s files are kept', async () => {
  const forget = 'node dist/engine.js forget';
  await shell.callNth(forget, 0, /--yes/);
  await shell.callNth(forget, 1, /table/);
  const { stdout } = await shell.own(
    `headrace lake read --lake ./lake --where user_id=${PERSON} --format csv`,
  );
  expect(stdout).not.toContain(PERSON);
  const lake = 'node dist/engine.js lake';
  await shell.call(`${lake} fold`, /fold/);
  await shell.call(`${lake} compact`, /compact/);
  await shell.call(`${lake} vacuum`, /would be deleted/);
  await shell.call(`${lake} archive`, /of 2024-03-01, went to the archive/);
  await shell.call(`${lake} expire`, /30 rows .* 2026-01-31, left the table/);
  const days = await shell.own('headrace lake read --lake ./lake --columns session_date --format csv');
  expect(days.stdout).not.toMatch(/2024-03-01|2026-01-31/);
  const archived = await shell.own('headrace lake read --lake ./archive/sessions --format csv');
  expect(peopleIn(archived.stdout)).toBe(PARTITIONS);
  expect((await shell.own('headrace lake check --lake ./lake --full')).code).toBe(0);
});

it('the engine ends in order, and the same goes into a bucket', async () => {
  expect(await engine.end('SIGTERM')).toMatchObject({ code: 0 });
  const env = Object.entries({ ...minio.env(), HEADRACE__KAFKA__START: 'earliest' }).map(
    ([name, value]) => `${name}='${value}'`,
  );
  // another table of the same group is refused, so the group is another one
  shell.place('--group sessions', '--group in-a-bucket');
  writeFileSync(join(shell.folder, 'store'), `export ${env.join(' ')}\n`);
  const bucket = shell.start('headrace run --brokers localhost:19092', { first: '. ./store' });
  const [, own] = await bucket.says(/"url":"(http[^"]+)"/);
  const read = async () => (await metricsOf(own!)).get('headrace_table_version') ?? 0;
  await vi.waitFor(async () => expect(await read()).toBeGreaterThan(0), WAIT);
  expect(await bucket.end('SIGTERM')).toMatchObject({ code: 0 });
});

it('no documented command was left out', () => {
  expect(shell.left).toEqual([]);
});
