import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type QueryOptions, queryCommand } from '#src/commands/warehouse/query.js';
import { resolveClickHouseConfig } from '#src/config/load-clickhouse.js';
import { type ClickHouseFront, startClickHouseFront } from '#src/embedded/clickhouse-front.js';
import { loadModel } from '#src/model/load.js';
import { seededRandom } from '#src/random.js';
import { ClickHouseRig, targetAt } from '../support/clickhouse-rig.js';
import { VisitStory } from '../support/visit-story.js';

/** `headrace query` against a real ClickHouse. */

const TEST_MS = 300_000;
const MODEL = 'web_clicks';
const model = loadModel(MODEL);
let front: ClickHouseFront;
let rig: ClickHouseRig;

beforeAll(async () => {
  front = await startClickHouseFront();
  const target = targetAt(front, MODEL);
  rig = new ClickHouseRig(
    { ...target, warehouse: { ...target.warehouse, exactEveryMs: null, views: ['brand_analytics'] } },
    model,
  );
  await rig.migrate();
}, TEST_MS);

afterAll(async () => {
  await rig?.close();
  await front?.stop();
});

async function query(options: Partial<QueryOptions>): Promise<string> {
  const settings = resolveClickHouseConfig(undefined, { model: MODEL, clickhouse: front.url }, '/');
  const warehouse = { ...settings.clickhouse.warehouse, exactEveryMs: null, views: ['brand_analytics'] };
  let said = '';
  const code = await queryCommand({
    settings: { ...settings, clickhouse: { ...settings.clickhouse, warehouse } },
    name: null,
    sql: null,
    days: 30,
    format: 'json',
    cachedMs: null,
    stdout: (text) => {
      said += text;
    },
    ...options,
  });
  expect(code).toBe(0);
  return said;
}

const sessionsIn = (json: string) =>
  (JSON.parse(json) as { data: { sessions: number }[] }).data.reduce(
    (sum, { sessions }) => sum + sessions,
    0,
  );

describe('headrace query', () => {
  it('names the queries, answers one as table, CSV and JSON, and only reads', {
    timeout: TEST_MS,
  }, async () => {
    expect(await query({})).toMatch(/^brands {2}.* \(brand_analytics\)\nEach over the last 30 days/);
    expect(await query({ name: 'brands', format: 'table' })).toBe('(no rows)\n');
    const story = new VisitStory(model, seededRandom(9));
    for (const { token, rows } of story.next()) await rig.insertRows(rows, token);
    const json = await query({ name: 'brands' });
    expect(sessionsIn(json)).toBe(story.visits.length);
    // read from the sums it says what the view for people says
    const { data } = JSON.parse(json) as { data: { brand: string; sessions: number; events: number }[] };
    const shown = await rig.rows<{ brand: string; sessions: number; events: number }>(
      `SELECT brand, toFloat64(sum(sessions)) AS sessions, toFloat64(sum(events)) AS events
       FROM ${MODEL}.brand_analytics WHERE date > (SELECT max(date) FROM ${MODEL}.brand_analytics) - 30 GROUP BY brand`,
    );
    const sorted = (rows: readonly { brand: string; sessions: number; events: number }[]) =>
      rows.map(({ brand, sessions, events }) => `${brand} ${sessions} ${events}`).sort();
    expect(sorted(data)).toEqual(sorted(shown));
    const csv = (await query({ name: 'brand_analytics', format: 'csv' })).trim().split('\n');
    expect(csv[0]).toMatch(/^"brand",/);
    expect(csv).toHaveLength(1 + (JSON.parse(json) as { rows: number }).rows);
    expect(await query({ sql: 'SELECT 1 AS one', format: 'table' })).toMatch(/^one\n─+\n *1\n$/);
    await expect(query({ sql: `TRUNCATE TABLE ${rig.table}` })).rejects.toThrow(/readonly/);
    await expect(query({ name: 'brand' })).rejects.toMatchObject({ remedy: 'did you mean brands?' });
  });

  // the embedded ClickHouse has no query cache, but knows its settings
  it('with --cached-for lets ClickHouse take an answer of before, and what asks the time is no error', {
    timeout: TEST_MS,
  }, async () => {
    const sql = `SELECT getSetting('use_query_cache') AS used, toUInt32(getSetting('query_cache_ttl')) AS seconds, now() > 0 AS yes`;
    expect(JSON.parse(await query({ sql, cachedMs: 90_000 }))).toMatchObject({
      data: [{ used: true, seconds: 90, yes: 1 }],
    });
    expect(JSON.parse(await query({ sql }))).toMatchObject({ data: [{ used: false, yes: 1 }] });
    expect(JSON.parse(await query({ name: 'brands', cachedMs: 90_000 }))).toMatchObject({
      data: JSON.parse(await query({ name: 'brands' })).data,
    });
  });
});
