import { describe, expect, it } from 'vitest';
import { settingProblem, versionProblem } from '#src/clickhouse/check-server.js';
import { INSERT_SETTINGS, insertSettings, insertStatement } from '#src/clickhouse/insert-settings.js';
import { quoteName, quoteTable, quoteText } from '#src/clickhouse/sql.js';
import { splitKey, targetOfView } from '#src/clickhouse/state.js';
import { targetOf } from '#src/clickhouse/target.js';
import { clickHouseType, holdsAll } from '#src/clickhouse/types.js';
import { loadOf, windowNeeded } from '#src/clickhouse/window.js';
import { clickHouseSettingProblem } from '#src/config/clickhouse-settings.js';
import { resolveClickHouseConfig } from '#src/config/load-clickhouse.js';
import { everyType } from '../support/columnar-model.js';

describe('names and texts in SQL', () => {
  it('are quoted, whatever is in them', () => {
    expect(quoteTable('a`b', 'c d')).toBe('`a\\`b`.`c d`');
    expect(quoteName('a\\')).toBe('`a\\\\`');
    expect(quoteText("it's \\")).toBe("'it\\'s \\\\'");
  });
});

describe('types', () => {
  it('are as wide as the model’s, nullable where it is, and lists are never null', () => {
    const types = Object.fromEntries(
      everyType.columns.map((column) => [column.name, clickHouseType(column)]),
    );
    expect(types).toMatchObject({
      session_id: 'String',
      session_start: "DateTime64(3, 'UTC')",
      i8: 'Nullable(Int8)',
      u16: 'Nullable(UInt16)',
      u64: 'Nullable(UInt64)',
      i16: 'Nullable(Int16)',
      i32: 'Nullable(Int32)',
      i64: 'Nullable(Int64)',
      u8: 'Nullable(UInt8)',
      truth: 'Nullable(Bool)',
      certain: 'Bool',
      f64: 'Nullable(Float64)',
      low: 'LowCardinality(Nullable(String))',
      list: 'Array(String)',
      closed_by: 'LowCardinality(String)',
    });
  });

  it.each([
    ['UInt32', 'UInt16', true],
    ['UInt16', 'UInt32', false],
    ['Int32', 'UInt16', false],
    ['Nullable(UInt16)', 'UInt16', true],
    ['UInt16', 'Nullable(UInt16)', false],
    ['String', 'LowCardinality(String)', true],
    ['LowCardinality(Nullable(String))', 'Nullable(String)', true],
    ['LowCardinality(String)', 'LowCardinality(Nullable(String))', false],
    ["DateTime64(6, 'Europe/Berlin')", "DateTime64(3, 'UTC')", true],
    ['DateTime64(3)', "DateTime64(3, 'UTC')", true],
    ['DateTime64(0)', "DateTime64(3, 'UTC')", false],
    ['DateTime', "DateTime64(3, 'UTC')", false],
    ['Float32', 'Float64', false],
    ['FixedString(8)', 'String', false],
    ['Array(Nullable(String))', 'Array(String)', false],
  ])('%s holds all of %s: %s', (found, wanted, holds) => {
    expect(holdsAll(found, wanted)).toBe(holds);
  });
});

describe('settings of every insert', () => {
  const target = { settings: { insert_quorum: 2 } };

  it('are refused in the configuration, each of them', () => {
    const names = [...Object.keys(insertSettings({ settings: {} }, 'token'))];
    expect(names.filter((name) => clickHouseSettingProblem(name) === undefined)).toEqual([]);
    expect(names).toEqual(expect.arrayContaining(Object.keys(INSERT_SETTINGS)));
  });

  it('have the user’s with them, and the token', () => {
    expect(insertSettings(target, 'a/b.parquet')).toMatchObject({
      insert_quorum: 2,
      async_insert: 0,
      wait_end_of_query: 1,
      insert_deduplication_token: 'a/b.parquet',
    });
  });

  it('go with a statement that names the file’s columns, without the computed one', () => {
    const statement = insertStatement({ database: 'd', table: 't' }, everyType);
    expect(statement).toMatch(/^INSERT INTO `d`\.`t` \(`session_id`, .*, `sign`\) FORMAT Parquet$/);
    expect(statement).not.toContain('session_date');
  });

  it('that this version lacks, or that a profile forbids, are problems', () => {
    const free = { name: 'async_insert', value: '1', readonly: 0, min: null, max: null };
    const says = (row: typeof free | undefined | object, value = '0') =>
      settingProblem('async_insert', value, row as typeof free, { user: 'u', settings: {} }).map(
        ({ what }) => what,
      );
    expect(says(free)).toEqual([]);
    expect(says({ ...free, readonly: 1 })).toEqual([
      'is fixed to 1 for the user u, and every insert needs 0',
    ]);
    expect(says({ ...free, readonly: 1, value: '0' })).toEqual([]);
    expect(says({ ...free, min: '1' })).toEqual([
      'may be at least 1 for the user u, and every insert needs 0',
    ]);
    expect(says({ ...free, max: '3' }, '4')).toEqual([
      'may be at most 3 for the user u, and every insert needs 4',
    ]);
    expect(says(undefined)).toEqual(['this version of ClickHouse has no such setting']);
  });
});

describe('the server’s version', () => {
  it.each([
    ['24.8.1.1', 0],
    ['26.7.2.1', 0],
    ['24.7.9.9', 1],
    ['23.12.1.1', 1],
    ['nonsense', 1],
  ])('%s has %i problems', (version, problems) => {
    expect(versionProblem(version)).toHaveLength(problems);
  });
});

describe('the window', () => {
  it('is four times what may be inserted until a file in doubt is tried again', () => {
    expect(
      windowNeeded({
        insertsPerSecond: 10,
        sessionTimeoutMs: 10_000,
        recoveryMs: 20_000,
        requestTimeoutMs: 30_000,
      }),
    ).toBe(2_400);
  });

  it('of an engine counts two files a worker and cut', () => {
    const load = { workers: 3, cutIntervalMs: 500, sessionTimeoutMs: 10_000, requestTimeoutMs: 30_000 };
    expect(loadOf(load)).toMatchObject({
      insertsPerSecond: 12,
      sessionTimeoutMs: 10_000,
      requestTimeoutMs: 30_000,
    });
  });
});

describe('what is read of a server', () => {
  it.each([
    ['CREATE MATERIALIZED VIEW d.v TO e.t (`d` Date) AS SELECT 1', ['e', 't']],
    ['CREATE MATERIALIZED VIEW d.v TO e.`days \\`of\\` all` AS SELECT 1', ['e', 'days `of` all']],
    [
      'CREATE MATERIALIZED VIEW d.v (`d` Date) ENGINE = MergeTree ORDER BY d AS SELECT 1',
      ['d', '.inner_id.5b0a'],
    ],
    [
      "CREATE MATERIALIZED VIEW d.v (`d` Date) ENGINE = MergeTree ORDER BY d AS SELECT ' TO e.t '",
      ['d', '.inner_id.5b0a'],
    ],
  ])('%s fills %j', (createQuery, filled) => {
    expect(targetOfView({ database: 'd', name: 'v', uuid: '5b0a', createQuery })).toEqual(filled);
  });

  it('a view of an old database fills a table by its own name', () => {
    const createQuery = 'CREATE MATERIALIZED VIEW d.v (`d` Date) ENGINE = Log AS SELECT 1';
    const uuid = '00000000-0000-0000-0000-000000000000';
    expect(targetOfView({ database: 'd', name: 'v', uuid, createQuery })).toEqual(['d', '.inner.v']);
  });

  it.each([
    ['', []],
    ['a', ['a']],
    ['(a)', ['a']],
    ['a, f(b, c), d', ['a', 'f(b, c)', 'd']],
    ['(a), (b)', ['(a)', '(b)']],
    ["'/path/{shard}', '{replica}', sign, revision", ["'/path/{shard}'", "'{replica}'", 'sign', 'revision']],
  ])('the key %j has the parts %j', (key, parts) => {
    expect(splitKey(key)).toEqual(parts);
  });
});

describe('the target', () => {
  it('has the model’s name for a database where the configuration names none', () => {
    const config = (flags: { clickhouseDatabase?: string }) =>
      resolveClickHouseConfig(undefined, { model: 'm', clickhouse: 'http://ch:8123', ...flags }, '/')
        .clickhouse;
    expect(targetOf(config({}), { name: 'clickstream' }).database).toBe('clickstream');
    expect(targetOf(config({ clickhouseDatabase: 'x' }), { name: 'clickstream' }).database).toBe('x');
  });
});
