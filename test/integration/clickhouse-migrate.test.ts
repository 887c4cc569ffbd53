import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkClickHouse } from '#src/clickhouse/check.js';
import { asClickHouseError, isUnknownOutcome } from '#src/clickhouse/errors.js';
import { main } from '#src/commands/cli.js';
import { clickhouseMigrateCommand } from '#src/commands/clickhouse-migrate.js';
import { resolveClickHouseConfig } from '#src/config/load-clickhouse.js';
import { type ClickHouseFront, startClickHouseFront } from '#src/embedded/clickhouse-front.js';
import { ClickHouseRig, targetAt } from '../support/clickhouse-rig.js';
import { everyType } from '../support/columnar-model.js';

/** The command, and what a real ClickHouse says where something is wrong. One user with a password. */

const PASSWORD = 'hunter2';
const LOAD = { workers: 1, cutIntervalMs: 1_000, sessionTimeoutMs: 10_000 };
let front: ClickHouseFront;
let folder: string;
let passwordFile: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headrace-migrate-'));
  passwordFile = join(folder, 'password');
  await writeFile(passwordFile, `${PASSWORD}\n`);
  front = await startClickHouseFront({ user: 'headrace', password: PASSWORD });
});
afterAll(async () => {
  await front.stop();
  await rm(folder, { recursive: true });
});

const targetOf = (database: string) => ({ ...targetAt(front, database), user: 'headrace', passwordFile });

async function migrate(
  database: string,
  options: { dryRun?: boolean; json?: boolean } = {},
): Promise<string> {
  const flags = {
    model: 'clickstream',
    clickhouse: front.url,
    clickhouseDatabase: database,
    clickhouseUser: 'headrace',
    clickhousePasswordFile: passwordFile,
  };
  let written = '';
  const all = resolveClickHouseConfig(undefined, flags, '/');
  const warehouse = { ...all.clickhouse.warehouse, views: ['session_summary'], exactEveryMs: null };
  const settings = { ...all, clickhouse: { ...all.clickhouse, warehouse } };
  const code = await clickhouseMigrateCommand(
    { settings, dryRun: false, json: false, ...options },
    (text) => {
      written += text;
    },
  );
  expect(code).toBe(0);
  return written;
}

/** From the command line: exit code, stdout, stderr. */
async function headrace(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  let stdout = '';
  let stderr = '';
  const code = await main(args, {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
  });
  return { code, stdout, stderr };
}

describe('headrace clickhouse migrate', () => {
  it('says what it will do in aligned lines, does it, and has nothing to do then', async () => {
    const said = await migrate('said');
    expect(said.split('\n')).toEqual([
      `ClickHouse at ${front.url}, database said: 13 to do`,
      '  create   said                       there is no such database',
      '  create   said.session_metrics       there is no such table',
      '  create   said.headrace_files        there is no such table',
      '  create   said.headrace_positions    there is no such table',
      '  create   said.headrace_migrations   there is no such table',
      '  create   said.sessions              there is no such view',
      '  hold     said.session_metrics       takes no rows while sums are filled from it; engines wait, the lake goes on',
      '  create   said.session_summary_sums  there is no such table',
      '  fill     said.session_summary_sums  from the rows that are in the table',
      '  create   said.session_summary_feed  there is no such view',
      '  release  said.session_metrics       takes rows again',
      '  create   said.session_summary       there is no such view',
      '  record   said.headrace_migrations   schema version 0 becomes 2',
      'done  create said',
      'done  create said.session_metrics',
      'done  create said.headrace_files',
      'done  create said.headrace_positions',
      'done  create said.headrace_migrations',
      'done  create said.sessions',
      'done  hold said.session_metrics',
      'done  create said.session_summary_sums',
      'done  fill said.session_summary_sums',
      'done  create said.session_summary_feed',
      'done  release said.session_metrics',
      'done  create said.session_summary',
      'done  record said.headrace_migrations',
      '',
    ]);
    expect(await migrate('said')).toBe(
      `ClickHouse at ${front.url}, database said: all is there, nothing to do\n`,
    );
  });

  it('with --dry-run shows statements that do the same by hand, and does nothing', async () => {
    const said = await migrate('dry', { dryRun: true });
    expect(said).toMatch(/nothing was done \(--dry-run\)\n$/);
    const rig = new ClickHouseRig(targetOf('dry'), everyType);
    try {
      expect(await rig.count("system.databases WHERE name = 'dry'")).toBe(0);
      const statements = said
        .split('\n\n')
        .slice(1)
        .filter((part) => part.trimEnd().endsWith(';'));
      expect(statements).toHaveLength(13);
      for (const statement of statements) await rig.sql(statement.trimEnd().slice(0, -1));
    } finally {
      await rig.close();
    }
    expect(await migrate('dry')).toMatch(/nothing to do/);
  });

  it('with --json prints one object and nothing else', async () => {
    const result = JSON.parse(await migrate('as_json', { json: true })) as {
      steps: Record<string, unknown>[];
    };
    expect(result).toMatchObject({
      url: front.url,
      database: 'as_json',
      table: 'session_metrics',
      dry_run: false,
    });
    expect(result.steps).toHaveLength(13);
    expect(result.steps[0]).toEqual({
      action: 'create',
      where: 'as_json',
      what: 'there is no such database',
      statement: expect.stringMatching(/^CREATE DATABASE/),
      done: true,
    });
  });

  it('where a person must decide ends with 78, says what, and has done nothing', async () => {
    await migrate('decide');
    const rig = new ClickHouseRig(targetOf('decide'), everyType);
    await rig.sql(
      'ALTER TABLE decide.session_metrics MODIFY COLUMN purchases String CODEC(ZSTD), DROP COLUMN user_agent',
    );
    const flags = ['--model', 'clickstream', '--clickhouse', front.url, '--clickhouse-database', 'decide'];
    const user = ['--clickhouse-user', 'headrace', '--clickhouse-password-file', passwordFile, '--json'];
    const { code, stderr } = await headrace('clickhouse', 'migrate', ...flags, ...user);
    expect(code).toBe(78);
    expect(stderr).toBe(
      `CLICKHOUSE_UNFIT: decide.session_metrics.purchases: is String and must hold UInt32 — ALTER TABLE \`decide\`.\`session_metrics\` MODIFY COLUMN \`purchases\` UInt32 CODEC(T64, ZSTD(1)) (url=${front.url})\n`,
    );
    expect(
      await rig.count(
        "system.columns WHERE database = 'decide' AND name = 'user_agent' AND table = 'session_metrics'",
      ),
    ).toBe(0);
    await rig.close();
  });

  it('with a wrong password, or where nothing listens, ends with 75 and one line without the password', async () => {
    const wrong = join(folder, 'wrong');
    await writeFile(wrong, 'hunter3');
    const flags = ['clickhouse', 'migrate', '--model', 'clickstream', '--clickhouse-user', 'headrace'];
    const denied = await headrace(...flags, '--clickhouse', front.url, '--clickhouse-password-file', wrong);
    expect(denied.code).toBe(75);
    expect(denied.stderr).toMatch(/^CLICKHOUSE_AUTH: ClickHouse does not let the user headrace in: .*\n$/);
    expect(denied.stderr).not.toMatch(/hunter/);
    const nobody = await headrace(
      ...flags,
      '--clickhouse',
      'http://127.0.0.1:1',
      '--clickhouse-password-file',
      wrong,
    );
    expect(nobody.code).toBe(75);
    expect(nobody.stderr).toMatch(
      /^CLICKHOUSE_UNREACHABLE: .* can't be reached: nothing listens there .*\n$/,
    );
  });

  it('without the password’s file ends with 78', async () => {
    const flags = ['clickhouse', 'migrate', '--model', 'clickstream', '--clickhouse', front.url];
    const { code, stderr } = await headrace(...flags, '--clickhouse-password-file', join(folder, 'none'));
    expect(code).toBe(78);
    expect(stderr).toMatch(/^CONFIG_INVALID: clickhouse\.password_file can't be read: .*none.*\n$/);
  });
});

describe('the check at boot', () => {
  it('says all at once, a line each, and that migrate mends it', async () => {
    const unfit = await checkClickHouse(targetOf('nothing_here'), everyType, LOAD).catch(
      (error: Error) => error,
    );
    expect(String(unfit).split('\n')).toEqual([
      `CLICKHOUSE_UNFIT: 5 problems in ClickHouse at ${front.url}`,
      "  nothing_here: there is no such database — CREATE DATABASE IF NOT EXISTS `nothing_here` COMMENT 'headrace: sessions of the model every_type'",
      '  nothing_here.session_metrics: there is no such table — `headrace clickhouse migrate` makes it',
      '  nothing_here.headrace_files: there is no such table — `headrace clickhouse migrate` makes it',
      '  nothing_here.headrace_positions: there is no such table — `headrace clickhouse migrate` makes it',
      '  nothing_here.sessions: there is no such view — `headrace clickhouse migrate` makes it',
      '  `headrace clickhouse migrate` does this',
    ]);
  });

  it('resolves where all is as it should be', async () => {
    const rig = new ClickHouseRig(targetOf('as_it_should'), everyType);
    await rig.migrate();
    await rig.close();
    await expect(checkClickHouse(targetOf('as_it_should'), everyType, LOAD)).resolves.toBe(undefined);
  });

  it('where ClickHouse can’t be asked says so, and that is nothing to end for', async () => {
    const nobody = { ...targetOf('any'), url: 'http://127.0.0.1:1' };
    await expect(checkClickHouse(nobody, everyType, LOAD)).rejects.toMatchObject({
      code: 'CLICKHOUSE_UNREACHABLE',
      disposition: 'retry',
    });
    const wrong = { ...targetOf('any'), passwordFile: null };
    await expect(checkClickHouse(wrong, everyType, LOAD)).rejects.toMatchObject({ code: 'CLICKHOUSE_AUTH' });
  });
});

describe('an insert that a real ClickHouse refuses', () => {
  const spoils: [string, string, RegExp][] = [
    [
      'the database is gone',
      'DROP DATABASE spoiled',
      /there is no database spoiled .* — run `headrace clickhouse migrate`/,
    ],
    [
      'the table is gone',
      'DROP TABLE spoiled.session_metrics',
      /a table is missing .* — run `headrace clickhouse migrate`/,
    ],
    [
      'a column has another type',
      'ALTER TABLE spoiled.session_metrics MODIFY COLUMN s DateTime DEFAULT 0 CODEC(ZSTD)',
      /has a column of another type than the model: .* — `headrace clickhouse migrate --dry-run`/,
    ],
    [
      'a column takes no nulls',
      'ALTER TABLE spoiled.session_metrics MODIFY COLUMN u32 UInt32 DEFAULT 0',
      /has a column of another type than the model: .*u32/,
    ],
  ];

  it.each(spoils)('because %s is told in one line, and nothing of it is in', async (_, spoil, says) => {
    const rig = new ClickHouseRig(targetOf('spoiled'), everyType);
    try {
      await rig.sql('DROP DATABASE IF EXISTS spoiled');
      await rig.migrate();
      await rig.sql(spoil);
      const numbers = [null, null, null, null, null, null];
      const more = [null, null, null, null, null, true];
      const row = ['a', 0, ...numbers, 'text', null, [], ...more, 0, 0n, 0n, 'gap', 0, 1];
      const refused = await rig.insertRows([row]).catch((error: unknown) => error);
      const told = asClickHouseError(refused, { database: 'spoiled', table: 'session_metrics' });
      expect(told.toString()).toMatch(says);
      expect(told.toString()).not.toContain('\n');
      expect(isUnknownOutcome(refused)).toBe(false);
    } finally {
      await rig.close();
    }
  });
});
