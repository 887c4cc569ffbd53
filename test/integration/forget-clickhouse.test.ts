import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { forgetInClickHouse } from '#src/commands/forget/clickhouse-erasure.js';
import { keyPartOf } from '#src/commands/forget/key-part.js';
import { personOf } from '#src/commands/forget/person.js';
import { Progress } from '#src/commands/forget/progress.js';
import { type ClickHouseFront, startClickHouseFront } from '#src/embedded/clickhouse-front.js';
import type { Row } from '#src/model/types.js';
import { ClickHouseRig, targetAt } from '../support/clickhouse-rig.js';
import { LaneProbe, tinyModel } from '../support/reference-lane.js';

/** A person's rows in the table of sessions and in what users' own views fill from it. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const MODEL = tinyModel();
const PERSON = personOf(MODEL, "user=o'neil \\ ü");
const id = 'abc123';
const progress = new Progress(() => {});

let folder: string;
let front: ClickHouseFront;
let rig: ClickHouseRig;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headrace-forget-'));
  front = await startClickHouseFront({ folder });
  rig = new ClickHouseRig(targetAt(front, 'forgetting'), MODEL);
  await rig.migrate();
  await rig.sql(
    `CREATE TABLE forgetting.by_user (user String, sessions Int64) ENGINE = SummingMergeTree ORDER BY user`,
  );
  await rig.sql(
    `CREATE MATERIALIZED VIEW forgetting.users TO forgetting.by_user AS
     SELECT user, sum(toInt64(sign)) AS sessions FROM forgetting.session_metrics GROUP BY user`,
  );
  await rig.sql(
    `CREATE TABLE forgetting.by_page (entry String, users AggregateFunction(uniq, String)) ENGINE = AggregatingMergeTree ORDER BY entry`,
  );
  await rig.sql(
    `CREATE MATERIALIZED VIEW forgetting.pages TO forgetting.by_page AS
     SELECT ifNull(entry, '') AS entry, uniqState(user) AS users FROM forgetting.session_metrics GROUP BY entry`,
  );
  await rig.insertRows(rows());
});

afterAll(async () => {
  await rig?.close();
  await front?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Sessions of the person and of two others, all closed. */
function rows(): Row[] {
  const probe = new LaneProbe(MODEL);
  const users = [PERSON.value as string, `${PERSON.value}x`, 'other'];
  for (const at of [0, 100]) probe.send(...users.map((user) => ({ user, at, page: 'p' })));
  probe.send({ user: 'end', at: 10_000 });
  return probe.rows;
}

const byUser = () =>
  rig.rows<{ user: string; n: string }>(
    'SELECT user, count() AS n FROM forgetting.session_metrics GROUP BY user ORDER BY user',
  );

it('are counted first, and nothing is changed or left', async () => {
  const before = await byUser();
  const report = await forgetInClickHouse(rig.target, PERSON, { id, dryRun: true, progress });
  expect(report.findings).toEqual([
    { table: 'forgetting.session_metrics', rows: 2, left: null, isInLogs: false },
    { table: 'forgetting.by_user', rows: 1, left: null, isInLogs: false },
  ]);
  expect(report.nameless).toEqual(['forgetting.by_page']);
  expect(await byUser()).toEqual(before);
  expect(await rig.rows("SELECT name FROM system.tables WHERE name LIKE 'headrace_forget%'")).toEqual([]);
});

it('are deleted in both, everybody else’s are left, and no statement has the value', async () => {
  const before = await byUser();
  const report = await forgetInClickHouse(rig.target, PERSON, { id, dryRun: false, progress });
  expect(report.findings.map(({ rows: found, left }) => [found, left])).toEqual([
    [2, 0],
    [1, 0],
  ]);
  expect(await byUser()).toEqual(before.filter(({ user }) => user !== PERSON.value));
  expect(
    (await rig.rows<{ user: string }>('SELECT user FROM forgetting.by_user')).map(({ user }) => user),
  ).not.toContain(PERSON.value);
  const mutations = await rig.rows<{ command: string; done: number }>(
    'SELECT command, toUInt8(is_done) AS done FROM system.mutations',
  );
  expect(mutations).toHaveLength(2);
  for (const { command, done } of mutations) {
    expect(command).not.toContain('neil');
    expect(done).toBe(1);
  }
  expect(await rig.rows("SELECT name FROM system.tables WHERE name LIKE 'headrace_forget%'")).toEqual([]);
  const again = await forgetInClickHouse(rig.target, PERSON, { id, dryRun: false, progress });
  expect(again.findings.map(({ rows: found, left }) => [found, left])).toEqual([
    [0, null],
    [0, null],
  ]);
});

it('by a part of the key of several fields, without a statement that has it', async () => {
  const before = await byUser();
  const probe = new LaneProbe(MODEL);
  const keys = ['neighbour\\|ü|x', 'y|neighbour\\|ü', 'neighbour|ü|z', 'neighbour\\|ü|w'];
  for (const user of keys) probe.send({ user, at: 0, page: 'p' });
  probe.send({ user: 'end', at: 10_000 });
  await rig.insertRows(probe.rows);
  const person = { ...PERSON, isKey: false, value: 'neighbour|ü', keyPart: keyPartOf(0, 2, 'neighbour|ü') };
  const report = await forgetInClickHouse(rig.target, person, { id, dryRun: false, progress });
  expect(report.findings.map(({ rows: found, left }) => [found, left])).toEqual([
    [2, 0],
    [2, 0],
  ]);
  const left = [...before.map(({ user }) => user), keys[1], keys[2]];
  expect((await byUser()).map(({ user }) => user).sort()).toEqual([...new Set(left)].sort());
  for (const { command } of await rig.rows<{ command: string }>('SELECT command FROM system.mutations'))
    expect(command).not.toContain('neighbour');
  expect(await rig.rows("SELECT name FROM system.tables WHERE name LIKE 'headrace_forget%'")).toEqual([]);
});

it('that is not there has nothing of anybody', async () => {
  const target = { ...rig.target, database: 'nowhere' };
  expect(await forgetInClickHouse(target, PERSON, { id, dryRun: true, progress })).toEqual({
    findings: [],
    nameless: [],
  });
});
