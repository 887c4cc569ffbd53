import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { runCommandLine } from '../support/run-command.js';
import { goodRecord, SmallKafka } from '../support/spine-lane.js';
import { newestVersion, readSpineTable } from '../support/spine-table.js';

/** An erasure that is killed on its way, and the next call. */
vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 });
const RUN_MS_MAX = 120_000;
const HOUR_MS = 3_600_000;
const PERSON = 'u-1';
const TOPIC = 'killed';

let kafka: SmallKafka;

beforeAll(async () => {
  kafka = await SmallKafka.start();
});

afterAll(() => kafka?.close());

/** By user, the change rows in the table. */
async function rowsOf(user: string): Promise<number> {
  return (await readSpineTable(kafka.lakeOf(TOPIC))).rows.filter((row) => row.user_id === user).length;
}

it('leaves the table whole at each point, and the next call does the rest', async () => {
  await kafka.createTopic(TOPIC, 1);
  const visits = [0, 1, 2].flatMap((hour) =>
    [PERSON, 'x'].map((user) => goodRecord(user, hour * HOUR_MS, 0)),
  );
  await kafka.produce(TOPIC, [...visits, goodRecord('x', 5 * HOUR_MS, 0)]);
  await kafka.engine(TOPIC, { untilEnd: true }).result(RUN_MS_MAX);
  const before = { person: await rowsOf(PERSON), other: await rowsOf('x') };
  expect(before.person).toBe(3);
  const named = ['--brokers', kafka.cluster.bootstrap, '--topic', TOPIC, '--group', TOPIC];
  const table = ['--model', 'clickstream', '--lake', kafka.lakeOf(TOPIC)];
  const forget = (env: NodeJS.ProcessEnv, ...more: string[]) =>
    runCommandLine(['forget', ...named, ...table, '--timeout', '5s', '--yes', ...more], env);
  const who = ['--key', `user_id=${PERSON}`];
  for (const point of ['commit.before-put', 'commit.half-written']) {
    const version = await newestVersion(kafka.lakeOf(TOPIC));
    const killed = await forget({ HEADRACE_CRASH_AT: point }, ...who);
    expect(killed.code, point).toBeNull();
    expect(await newestVersion(kafka.lakeOf(TOPIC)), point).toBe(version);
    expect(await rowsOf(PERSON), point).toBe(3);
  }
  const killed = await forget({ HEADRACE_CRASH_AT: 'commit.after-put' }, ...who);
  expect(killed.code).toBeNull();
  const id = /^erasure ([0-9a-z]+)$/m.exec(killed.stderr)?.[1];
  expect(id, killed.stderr).toBeDefined();
  expect([await rowsOf(PERSON), await rowsOf('x')]).toEqual([0, before.other]);
  const left = await readSpineTable(kafka.lakeOf(TOPIC));
  expect(left.parquetFiles.length).toBeGreaterThan(left.delta.files.length);
  // what the first two had written is young, and holds nothing of the person
  const finished = await forget({}, '--finish', id!, ...who);
  expect(finished.code, finished.stdout + finished.stderr).toBe(0);
  expect(finished.stdout).toMatch(/files no longer in the table +1 file +1 file deleted/);
  expect([await rowsOf(PERSON), await rowsOf('x')]).toEqual([0, before.other]);
  const unknown = await forget({}, '--finish', 'nobody');
  expect(unknown.code).toBe(64);
  expect(unknown.stderr).toMatch(/no erasure of this id.*--key/);
  // and the engine goes on
  await kafka.produce(TOPIC, [goodRecord('x', 8 * HOUR_MS, 0)]);
  await kafka.engine(TOPIC, { untilEnd: true }).result(RUN_MS_MAX);
  expect(await rowsOf('x')).toBeGreaterThan(before.other);
});
