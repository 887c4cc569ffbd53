import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { committedRecords } from '../support/committed-records.js';
import { readDeltaRs } from '../support/delta-rs.js';
import { type CommandResult, runCommandLine } from '../support/run-command.js';
import type { ProducedRecord } from '../support/spine-kafka.js';
import { goodRecord, SmallKafka } from '../support/spine-lane.js';
import { committedEvents, newestVersion, readSpineTable, tablePath } from '../support/spine-table.js';

/** The table goes back to an earlier version while an engine writes it: the engine goes on, and so do its followers. */
vi.setConfig({ testTimeout: 400_000, hookTimeout: 240_000 });
const RUN_MS_MAX = 120_000;
const HOUR_MS = 3_600_000;
const TOPIC = 'restored';

let kafka: SmallKafka;

beforeAll(async () => {
  kafka = await SmallKafka.start();
});

afterAll(() => kafka?.close());

/** Visits an hour apart, in both partitions: all but the last hour's close. */
function visits(from: number, count: number): ProducedRecord[] {
  return Array.from({ length: count }, (_, i) =>
    [0, 1].flatMap((partition) =>
      ['a', 'b'].map((user) => goodRecord(`${user}${partition}`, (from + i) * HOUR_MS, partition)),
    ),
  ).flat();
}

function lake(command: string, ...more: string[]): Promise<CommandResult> {
  const [name, ...rest] = command.split(' ');
  return runCommandLine(['lake', name!, ...rest, '--lake', kafka.lakeOf(TOPIC), ...more]);
}

async function sessionsAt(version: number): Promise<string[]> {
  const { rows } = await readDeltaRs(await tablePath(kafka.lakeOf(TOPIC)), { version });
  return rows.map((row) => String(row.session_id)).sort();
}

it('takes out what was committed since; the engine goes on, its lanes where they are, and followers say what it means', async () => {
  await kafka.createTopic(TOPIC);
  await kafka.createTopic(`${TOPIC}_enriched`, 1);
  await kafka.createTopic(`${TOPIC}_dlq`, 1);
  const compacted = { 'cleanup.policy': 'compact' };
  await kafka.cluster.createTopic({ name: `${TOPIC}_positions`, partitions: 1, config: compacted });
  const config = join(kafka.folder, 'engine.yaml');
  await writeFile(
    config,
    `kafka: {brokers: "${kafka.cluster.bootstrap}", topic: ${TOPIC}, group: ${TOPIC}}
model: clickstream
lake: {path: "${kafka.lakeOf(TOPIC)}"}
output: {}
cut_interval: 200ms
`,
  );
  const engine = kafka.engine(TOPIC, { flags: ['--config', config] });
  await engine.untilSays(/lanes assigned/);
  const committed = (events: number) =>
    engine.until(
      `${events} events are committed`,
      async () => (await committedEvents(kafka.lakeOf(TOPIC))) >= events,
      RUN_MS_MAX,
    );
  await kafka.produce(TOPIC, visits(0, 4));
  await committed(16);
  const target = await newestVersion(kafka.lakeOf(TOPIC));
  const then = await sessionsAt(target);
  await kafka.produce(TOPIC, visits(4, 4));
  await committed(32);

  const shown = await lake('restore', '--version', String(target), '--json');
  expect(shown.code, shown.stderr).toBe(0);
  expect(JSON.parse(shown.stdout)).toMatchObject({ to: target, done: false, removed: { rows: 16 } });

  // it meets commits of the engine
  let hour = 8;
  let isOver = false;
  const produced = (async () => {
    while (!isOver) await kafka.produce(TOPIC, visits(hour++, 1));
  })();
  await committed(36);
  const done = await lake('restore', '--version', String(target), '--yes', '--json');
  isOver = true;
  await produced;
  expect(done.code, done.stdout + done.stderr).toBe(0);
  const { version, removed } = JSON.parse(done.stdout) as { version: number; removed: { rows: number } };
  expect(removed.rows).toBeGreaterThanOrEqual(16);
  expect(await sessionsAt(version)).toEqual(then);

  await kafka.produce(TOPIC, visits(hour, 2));
  const events = (hour + 2) * 4;
  await committed(events);
  await engine.untilSays(
    new RegExp(`the table was restored to version ${target}: output topics keep`),
    RUN_MS_MAX,
  );
  const sent = async () => (await committedRecords(kafka.cluster.bootstrap, `${TOPIC}_enriched`, 1)).length;
  // every session but those of the last hour, also those that were taken out of the table
  await engine.until('the topic has all', async () => (await sent()) === events - 4, RUN_MS_MAX);
  await engine.stop(RUN_MS_MAX);
  expect(engine.output).not.toMatch(/"level":"(error|fatal)"/);
  expect(await sent()).toBe(events - 4);

  // what is there now: the sessions of then, and those that were committed behind the restore
  const newest = await newestVersion(kafka.lakeOf(TOPIC));
  const { rows, delta } = await readSpineTable(kafka.lakeOf(TOPIC));
  const all = await sessionsAt(version - 1);
  const now = rows.map((row) => String(row.session_id)).sort();
  expect(now.length).toBe(then.length + events - 4 - all.length);
  expect(now.filter((id) => all.includes(id))).toEqual(then);
  const info = delta.history.find((each) => Number(each.version) === version)!;
  expect(info).toMatchObject({ operation: 'RESTORE' });
  const diff = await lake(`diff ${target} ${newest}`, '--json');
  expect(JSON.parse(diff.stdout)).toMatchObject({ added: now.length - then.length, changed: 0, removed: 0 });
  const history = JSON.parse((await lake('history', '--json')).stdout) as {
    version: number;
    lanes: unknown[];
  }[];
  expect(history).toHaveLength(newest + 1);
  expect(history[version]).toMatchObject({
    version,
    operation: 'RESTORE',
    rowsRemoved: removed.rows,
    lanes: [],
  });
  const check = await lake('check', '--full');
  expect(check.code, check.stdout).toBe(0);
  expect(check.stdout).toMatch(/2 lanes/);

  // and a start of its own goes on from there
  await kafka.produce(TOPIC, visits(hour + 2, 1));
  await kafka.engine(TOPIC, { untilEnd: true, flags: ['--config', config] }).result(RUN_MS_MAX);
  expect(await committedEvents(kafka.lakeOf(TOPIC))).toBe(events + 4);
});
