import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClickHouseFront, startClickHouseFront } from '#src/embedded/clickhouse-front.js';
import { loadModel } from '#src/model/load.js';
import type { CompiledModel } from '#src/model/types.js';
import { ClickHouseRig, targetAt } from '../support/clickhouse-rig.js';
import { everyType } from '../support/columnar-model.js';

/** Tables, migration and boot check against a real ClickHouse. Each test has a database of its own. */

let front: ClickHouseFront;
const rigs: ClickHouseRig[] = [];
beforeAll(async () => {
  front = await startClickHouseFront();
});
afterAll(async () => {
  for (const rig of rigs) await rig.close();
  await front.stop();
});

function rigOf(model: CompiledModel = everyType): ClickHouseRig {
  const rig = new ClickHouseRig(targetAt(front, `db${rigs.length}`), model);
  rigs.push(rig);
  return rig;
}

/** The model as it was before it had that column. */
function without(model: CompiledModel, name: string): CompiledModel {
  const columns = model.columns.filter((column) => column.name !== name);
  const columnIndex = Object.fromEntries(
    Object.keys(model.columnIndex).map((shared) => [
      shared,
      columns.findIndex((column) => column.name === shared),
    ]),
  ) as CompiledModel['columnIndex'];
  return { ...model, columns, columnIndex };
}

const columnsOf = async (rig: ClickHouseRig, table: string) =>
  (
    await rig.rows<{ name: string; type: string }>(
      `SELECT name, type FROM system.columns WHERE database = '${rig.target.database}' AND table = '${table}' ORDER BY position`,
    )
  ).map(({ name, type }) => `${name} ${type}`);

describe('headrace clickhouse migrate', () => {
  it.each(['clickstream', 'web_clicks', 'product_analytics'])(
    'makes all of %s, and finds nothing to do a second time',
    async (name) => {
      const rig = rigOf(loadModel(name));
      const { database } = rig.target;
      expect(await rig.migrate()).toEqual([
        `create ${database}`,
        `create ${database}.session_metrics`,
        `create ${database}.headrace_files`,
        `create ${database}.headrace_positions`,
        `create ${database}.headrace_migrations`,
        `create ${database}.sessions`,
        `record ${database}.headrace_migrations`,
      ]);
      expect(await rig.migrate()).toEqual([]);
      expect(await rig.problems()).toEqual([]);
      const names = (await columnsOf(rig, 'session_metrics')).map((column) => column.split(' ')[0]);
      expect(names).toEqual([...rig.model.columns.map((column) => column.name), 'session_date']);
      expect((await columnsOf(rig, 'sessions')).map((column) => column.split(' ')[0])).toEqual(
        names.filter((column) => column !== 'sign'),
      );
    },
  );

  it('web_clicks has the types of its document', async () => {
    const rig = rigOf(loadModel('web_clicks'));
    await rig.migrate();
    const columns = await columnsOf(rig, 'session_metrics');
    expect(columns.slice(0, 29)).toEqual([
      'session_id String',
      'user_id UInt32',
      ...[
        'brand',
        'country',
        'city',
        'device_type',
        'device_os',
        'browser',
        'subscription_tier',
        'user_segment',
      ].map((column) => `${column} LowCardinality(Nullable(String))`),
      "session_start DateTime64(3, 'UTC')",
      "session_end DateTime64(3, 'UTC')",
      'session_duration_sec UInt32',
      'total_events UInt16',
      'article_views UInt16',
      'article_clicks UInt16',
      'video_plays UInt16',
      'newsletter_signups UInt16',
      'ad_clicks UInt16',
      'searches UInt16',
      'pages_visited_count UInt16',
      'unique_pages_count UInt16',
      'unique_categories_count UInt16',
      'categories_visited String',
      'article_ids_visited String',
      'article_titles_visited String',
      'page_events String',
      "created_at DateTime64(3, 'UTC')",
      'batch_id UInt64',
    ]);
  });

  it('adds a column where the model has it, and shows it in the view', async () => {
    const rig = rigOf();
    await rig.migrate(without(everyType, 'f64'));
    const { database } = rig.target;
    expect(await rig.migrate()).toEqual([
      `add column ${database}.session_metrics.f64`,
      `replace view ${database}.sessions`,
      `record ${database}.headrace_migrations`,
    ]);
    const columns = await columnsOf(rig, 'session_metrics');
    expect(columns.slice(5, 8)).toEqual([
      'u64 Nullable(UInt64)',
      'f64 Nullable(Float64)',
      expect.stringMatching(/^t /),
    ]);
    expect(await columnsOf(rig, 'sessions')).toContain('f64 Nullable(Float64)');
    expect(await rig.migrate()).toEqual([]);
  });

  it('leaves a column that the model has no more', async () => {
    const rig = rigOf();
    await rig.migrate();
    expect(await rig.migrate(without(everyType, 'f64'))).toEqual([
      `replace view ${rig.target.database}.sessions`,
      `record ${rig.target.database}.headrace_migrations`,
    ]);
    expect(await columnsOf(rig, 'session_metrics')).toContain('f64 Nullable(Float64)');
  });

  it('raises a window that is too small, and leaves a larger one', async () => {
    const rig = rigOf();
    await rig.migrate();
    const setWindow = (inserts: number) =>
      rig.sql(`ALTER TABLE ${rig.table} MODIFY SETTING non_replicated_deduplication_window = ${inserts}`);
    await setWindow(100);
    expect(await rig.migrate()).toEqual([
      `raise ${rig.table}`,
      `record ${rig.target.database}.headrace_migrations`,
    ]);
    await setWindow(500_000);
    expect(await rig.migrate()).toEqual([]);
  });

  it('raises the windows of what views fill, hidden tables and views behind views too', async () => {
    const rig = rigOf();
    const { database } = rig.target;
    await rig.migrate();
    await rig.sql(
      `CREATE MATERIALIZED VIEW ${database}.hidden ENGINE = SummingMergeTree ORDER BY d AS SELECT session_date AS d, sum(sign) AS n FROM ${rig.table} GROUP BY d`,
    );
    await rig.sql(
      `CREATE TABLE ${database}.\`days of\` (d Date, n Int64) ENGINE = SummingMergeTree ORDER BY d`,
    );
    await rig.sql(
      `CREATE MATERIALIZED VIEW ${database}.named TO ${database}.\`days of\` AS SELECT session_date AS d, sum(sign) AS n FROM ${rig.table} GROUP BY d`,
    );
    await rig.sql(`CREATE TABLE ${database}.months (m UInt32, n Int64) ENGINE = SummingMergeTree ORDER BY m`);
    await rig.sql(
      `CREATE MATERIALIZED VIEW ${database}.behind TO ${database}.months AS SELECT toYYYYMM(d) AS m, sum(n) AS n FROM ${database}.\`days of\` GROUP BY m`,
    );
    // keeps nothing that could be doubled
    await rig.sql(`CREATE TABLE ${database}.nothing (d Date) ENGINE = Null`);
    await rig.sql(
      `CREATE MATERIALIZED VIEW ${database}.to_nothing TO ${database}.nothing AS SELECT session_date AS d FROM ${rig.table}`,
    );
    const done = await rig.migrate();
    expect(done).toHaveLength(4);
    expect(done).toEqual(
      expect.arrayContaining([
        expect.stringMatching(new RegExp(`^raise ${database}\\.\\.inner_id\\.[0-9a-f-]{36}$`)),
        `raise ${database}.days of`,
        `raise ${database}.months`,
      ]),
    );
    expect(await rig.problems()).toEqual([]);
  });

  it('leaves somebody’s own view sessions that shows all columns', async () => {
    const rig = rigOf();
    await rig.migrate();
    await rig.sql(
      `CREATE OR REPLACE VIEW ${rig.target.database}.sessions AS SELECT *, session_date, 1 AS one FROM ${rig.table} FINAL WHERE sign = 1`,
    );
    expect(await rig.migrate()).toEqual([]);
  });

  it('does nothing at all where a person must decide', async () => {
    const rig = rigOf();
    const { database } = rig.target;
    await rig.migrate();
    await rig.sql(`ALTER TABLE ${rig.table} DROP COLUMN f64`);
    await rig.sql(`ALTER TABLE ${rig.table} MODIFY COLUMN u32 Nullable(String) CODEC(ZSTD)`);
    await expect(rig.migrate()).rejects.toMatchObject({
      code: 'CLICKHOUSE_UNFIT',
      exitCode: 78,
      message: `${database}.session_metrics.u32: is Nullable(String) and must hold Nullable(UInt32) — ALTER TABLE \`${database}\`.\`session_metrics\` MODIFY COLUMN \`u32\` Nullable(UInt32) CODEC(T64, ZSTD(1))`,
    });
    expect(await columnsOf(rig, 'session_metrics')).not.toContain('f64 Nullable(Float64)');
  });
});

describe('the check at boot', () => {
  /** What is done to good tables, and what must be said of it. */
  const defects: [string, (table: string, database: string) => string, RegExp][] = [
    ['the database', (_, database) => `DROP DATABASE ${database}`, /^db\d+: there is no such database/],
    ['the table', (table) => `DROP TABLE ${table}`, /session_metrics: there is no such table/],
    ['the view', (_, database) => `DROP VIEW ${database}.sessions`, /sessions: there is no such view/],
    [
      'files',
      (_, database) => `DROP TABLE ${database}.headrace_files`,
      /headrace_files: there is no such table/,
    ],
    [
      'positions',
      (_, db) => `DROP TABLE ${db}.headrace_positions`,
      /headrace_positions: there is no such table/,
    ],
    ['a column', (table) => `ALTER TABLE ${table} DROP COLUMN low`, /low: there is no such column/],
    [
      'a column’s type',
      (table) => `ALTER TABLE ${table} MODIFY COLUMN u32 Nullable(UInt16)`,
      /u32: is Nullable\(UInt16\)/,
    ],
    [
      'a column’s nulls',
      (table) => `ALTER TABLE ${table} MODIFY COLUMN s String DEFAULT ''`,
      /s: is String and must hold Null/,
    ],
    [
      'a computed column',
      (table) => `ALTER TABLE ${table} MODIFY COLUMN i8 Nullable(Int8) MATERIALIZED 1`,
      /i8: is MATERIALIZED/,
    ],
    [
      'the window',
      (table) => `ALTER TABLE ${table} MODIFY SETTING non_replicated_deduplication_window = 0`,
      /window is 0/,
    ],
    [
      'no window',
      (table) => `ALTER TABLE ${table} RESET SETTING non_replicated_deduplication_window`,
      /window is 0/,
    ],
    [
      'a view’s window',
      (table, db) =>
        `CREATE MATERIALIZED VIEW ${db}.mv ENGINE = MergeTree ORDER BY d AS SELECT session_date AS d FROM ${table}`,
      /window is 0 .*\(the view db\d+\.mv fills it\)/,
    ],
    [
      'a view into memory',
      (table, db) =>
        `CREATE MATERIALIZED VIEW ${db}.mv ENGINE = Memory AS SELECT session_date AS d FROM ${table}`,
      /is of the engine Memory, .*the view db\d+\.mv fills it/,
    ],
  ];

  it.each(defects)('finds %s, and its statement mends it', async (_, spoil, says) => {
    const rig = rigOf();
    await rig.migrate();
    expect(await rig.problems()).toEqual([]);
    await rig.sql(spoil(rig.table, rig.target.database));
    const problems = await rig.problems();
    const lines = problems.map(({ where, what, mend }) => `${where}: ${what} — ${mend}`);
    expect(lines.filter((line) => says.test(line))).toHaveLength(1);
    for (const { mend, byMigrate } of problems) if (!byMigrate) await rig.sql(mend);
    await rig.migrate();
    expect(await rig.problems()).toEqual([]);
  });

  const tables: [string, string, RegExp][] = [
    [
      'another engine',
      'ENGINE = MergeTree ORDER BY (session_id, session_start)',
      /is MergeTree and must be VersionedColl/,
    ],
    [
      'a version that is none',
      'ENGINE = VersionedCollapsingMergeTree(sign, u) ORDER BY (session_id, session_start)',
      /is VersionedCollapsingMergeTree\(sign, u\) and must be .*\(sign, revision\)/,
    ],
    [
      'an order without session_start',
      'ENGINE = VersionedCollapsingMergeTree(sign, revision) ORDER BY session_id',
      /without session_start: rows of different sessions would cancel/,
    ],
    [
      'an order with the cut',
      'ENGINE = VersionedCollapsingMergeTree(sign, revision) ORDER BY (session_id, session_start, batch_id)',
      /ordered by batch_id too/,
    ],
    [
      'parts by hour',
      "ENGINE = VersionedCollapsingMergeTree(sign, revision) PARTITION BY toStartOfHour(session_start, 'UTC') ORDER BY (session_id, session_start)",
      /partitioned by toStartOfHour/,
    ],
  ];

  it.each(tables)('refuses a table with %s, which its statement moves away', async (_, engine, says) => {
    const rig = rigOf();
    await rig.sql(`CREATE DATABASE ${rig.target.database}`);
    await rig.sql(
      `CREATE TABLE ${rig.table} (session_id String, session_start DateTime64(3), revision UInt32, u UInt32, batch_id UInt64, sign Int8) ${engine}`,
    );
    await expect(rig.migrate()).rejects.toThrow(says);
    const [problem] = (await rig.problems()).filter(({ byMigrate }) => !byMigrate);
    expect(problem?.what).toMatch(says);
    await rig.sql(problem!.mend);
    await rig.migrate();
    expect(await rig.problems()).toEqual([]);
    expect(await rig.count(`${rig.table}_before`)).toBe(0);
  });

  it('accepts what holds as much: wider types, days as partitions, columns of somebody’s own', async () => {
    const rig = rigOf();
    const { database } = rig.target;
    await rig.migrate();
    await rig.sql(
      `ALTER TABLE ${rig.table} MODIFY COLUMN u32 Nullable(UInt64), MODIFY COLUMN low Nullable(String)`,
    );
    await rig.sql(`ALTER TABLE ${rig.table} ADD COLUMN mine UInt8`);
    expect(await rig.problems()).toEqual([]);
    const [table] = await rig.rows<{ create_table_query: string }>(
      `SELECT create_table_query FROM system.tables WHERE database = '${database}' AND name = 'session_metrics'`,
    );
    await rig.sql(`DROP TABLE ${rig.table}`);
    await rig.sql(
      table!.create_table_query.replace(
        "PARTITION BY toYYYYMM(session_start, 'UTC')",
        'PARTITION BY session_date',
      ),
    );
    expect(await rig.problems()).toEqual([]);
  });

  it('asks for a larger window where the engine inserts often', async () => {
    const rig = rigOf();
    await rig.migrate();
    const problems = await rig.problems({ workers: 16, cutIntervalMs: 100 });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ where: rig.table, byMigrate: false });
    await rig.sql(problems[0]!.mend);
    expect(await rig.problems({ workers: 16, cutIntervalMs: 100 })).toEqual([]);
  });

  it.each([1, 2])('says that a user with readonly = %i can’t insert', async (readonly) => {
    const other = await startClickHouseFront({ settings: { readonly } });
    try {
      const rig = new ClickHouseRig(targetAt(other, 'nowhere'), everyType);
      const problems = await rig.problems();
      await rig.close();
      expect(problems[0]).toMatchObject({
        where: 'user default',
        what: `may only read (readonly = ${readonly})`,
        mend: 'ALTER USER `default` SETTINGS readonly = 0',
      });
    } finally {
      await other.stop();
    }
  });

  it('says which of the configured settings this ClickHouse does not know', async () => {
    const rig = new ClickHouseRig(
      { ...targetAt(front, 'settings_of'), settings: { insert_quorumm: 2 } },
      everyType,
    );
    await rig.migrate();
    const problems = await rig.problems();
    await rig.close();
    expect(problems.map(({ where }) => where)).toEqual(['clickhouse.settings.insert_quorumm']);
  });
});
