import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { committedRecords } from '../support/committed-records.js';
import { type CommandResult, runCommandLine } from '../support/run-command.js';
import { SpineClickHouse } from '../support/spine-clickhouse.js';
import { goodRecord, SmallKafka } from '../support/spine-lane.js';
import { committedEvents } from '../support/spine-table.js';

/** The ledger's commands with ClickHouse and topics behind the table. */
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });
const RUN_MS_MAX = 120_000;
const HOUR_MS = 3_600_000;
const TOPIC = 'followed';

let kafka: SmallKafka;
let clickhouse: SpineClickHouse;
let config: string;

beforeAll(async () => {
  kafka = await SmallKafka.start();
  clickhouse = await SpineClickHouse.start(join(kafka.folder, 'clickhouse'));
  await kafka.createTopic(TOPIC);
  await kafka.createTopic(`${TOPIC}_enriched`, 1);
  await kafka.createTopic(`${TOPIC}_dlq`, 1);
  const compacted = { 'cleanup.policy': 'compact' };
  await kafka.cluster.createTopic({ name: `${TOPIC}_positions`, partitions: 1, config: compacted });
  await clickhouse.flags('clickstream', 'followed');
  config = join(kafka.folder, 'followed.yaml');
  await writeFile(
    config,
    `kafka: {brokers: "${kafka.cluster.bootstrap}", topic: ${TOPIC}, group: ${TOPIC}}
model: clickstream
lake: {path: "${kafka.lakeOf(TOPIC)}"}
clickhouse: {url: "${clickhouse.url}", database: followed}
output: {}
cut_interval: 200ms
`,
  );
});

afterAll(async () => {
  await clickhouse?.close();
  await kafka?.close();
});

const ledger = (command: string, ...more: string[]): Promise<CommandResult> =>
  runCommandLine(['ledger', command, '--config', config, ...more]);

/** Visits an hour apart: each closes the one before. */
const visits = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) =>
    [0, 1].map((partition) => goodRecord(`u${partition}`, (from + i) * HOUR_MS, partition)),
  ).flat();

it('status says how far ClickHouse, topics and group are, and who can’t be asked', async () => {
  await kafka.produce(TOPIC, visits(0, 4));
  await kafka.engine(TOPIC, { untilEnd: true, flags: ['--config', config] }).result(RUN_MS_MAX);
  const { code, stdout, stderr } = await ledger('status', '--json');
  expect(code, stderr).toBe(0);
  const [{ lanes }] = JSON.parse(stdout).topics;
  for (const { version, committedTo, followers } of lanes) {
    const byKind = Object.fromEntries(followers.map((place: { kind: string }) => [place.kind, place]));
    expect(Object.keys(byKind).sort()).toEqual(['clickhouse', 'group', 'topics']);
    expect(byKind.clickhouse.version).toBeGreaterThanOrEqual(version);
    expect(byKind.topics.version).toBeGreaterThanOrEqual(version);
    // the offset that goes with a transaction carries the note, too
    expect(byKind.group).toMatchObject({ offset: committedTo, note: null });
  }
  const registered = await runCommandLine(['ledger', 'status', '--lake', kafka.lakeOf(TOPIC)]);
  expect(registered.stdout).toMatch(/topics, by followed_positions/);
  await clickhouse.kill();
  const without = await ledger('status');
  expect(without.code).toBe(0);
  expect(without.stdout).toMatch(/Could not be asked: ClickHouse: CLICKHOUSE_UNREACHABLE/);
  await clickhouse.restart();
});

it('a lane that is moved back goes on into ClickHouse and topics, and its rows are there twice', async () => {
  const engine = kafka.engine(TOPIC, { flags: ['--config', config] });
  await engine.untilSays(/lanes assigned/);
  const done = await ledger('reset', '--partition', '0', '--to', 'earliest', '--yes');
  expect(done.code, done.stdout + done.stderr).toBe(0);
  await engine.untilSays(/another engine committed lanes of ours/);
  await kafka.produce(TOPIC, visits(4, 2));
  await engine.until('all is committed', async () => (await committedEvents(kafka.lakeOf(TOPIC))) === 12);
  const sum = async () => {
    const [row] = await clickhouse.query<{ rows: string }>(
      "SELECT toString(sum(sign)) AS rows FROM followed.session_metrics WHERE user_id = 'u0'",
    );
    return Number(row!.rows);
  };
  // 4 visits were let out by the first run; 5 of 6 have closed since it was moved
  await engine.until('ClickHouse has them', async () => (await sum()) === 9);
  const sent = async () => {
    const records = await committedRecords(kafka.cluster.bootstrap, `${TOPIC}_enriched`, 1);
    return records
      .map(({ value }) => JSON.parse(value!.toString()) as { user_id: string; sign: number })
      .filter(({ user_id }) => user_id === 'u0')
      .reduce((total, { sign }) => total + sign, 0);
  };
  await engine.until('the topic has them', async () => (await sent()) === 9);
  await engine.stop(RUN_MS_MAX);
  const verified = await ledger('verify');
  expect(verified.code, verified.stdout).toBe(0);
});
