import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SCHEMA_VERSION } from '#src/clickhouse/migrations-table.js';
import { analyticsOf } from '#src/clickhouse/schema.js';
import { auditView } from '#src/clickhouse/views/audit.js';
import { queriesOf } from '#src/clickhouse/views/queries.js';
import { systemClock } from '#src/clock.js';
import { type ClickHouseFront, startClickHouseFront } from '#src/embedded/clickhouse-front.js';
import { loadModel } from '#src/model/load.js';
import type { CompiledModel, Row } from '#src/model/types.js';
import { seededRandom } from '#src/random.js';
import { ClickHouseRig, targetAt } from '../support/clickhouse-rig.js';
import { clickstreamRow } from '../support/columnar-model.js';
import { VisitStory } from '../support/visit-story.js';

/** From each earlier version of the schema, with data in it, to the newest one. Fixtures hold the statements of their time. */

const TEST_MS = 400_000;
/** Place of total_events in clickstream. */
const EVENTS = 5;
let front: ClickHouseFront;
beforeAll(async () => {
  front = await startClickHouseFront();
});
afterAll(async () => {
  await front.stop();
});

function statements(version: number, model: string, database: string): string[] {
  const file = new URL(`../fixtures/clickhouse-schema/version-${version}-${model}.sql`, import.meta.url);
  const text = readFileSync(file, 'utf8').replaceAll('{database}', database);
  return text.split(/;\n/).filter((statement) => statement.trim() !== '');
}

function files(model: CompiledModel): Row[][] {
  if (model.name === 'web_clicks') {
    const story = new VisitStory(model, seededRandom(5));
    return [1, 2, 3].flatMap(() => story.next()).map(({ rows }) => rows);
  }
  const random = seededRandom(6);
  const rows = Array.from({ length: 5 }, (_, serial) => clickstreamRow(random, serial));
  const { sign, revision } = model.columnIndex;
  const first = rows[0]!;
  const back = first.map((value, i) => (i === sign ? -1 : value));
  const changed = first.map((value, i) => (i === revision ? 1 : i === EVENTS ? 99 : value));
  return [rows, [back, changed, clickstreamRow(random, 9)]];
}

describe('a database of an earlier schema', () => {
  const versions = Array.from({ length: SCHEMA_VERSION - 1 }, (_, i) => i + 1);
  const cases = versions.flatMap((version) =>
    ['web_clicks', 'clickstream', 'product_analytics'].map((name) => [version, name] as const),
  );

  it.each(cases)(
    'of version %i, model %s, is brought up with its rows, and has right views of them',
    { timeout: TEST_MS },
    async (version, name) => {
      const model = loadModel(name);
      const target = targetAt(front, `from_${version}_${name}`);
      const warehouse = { ...target.warehouse, views: 'all' as const, retentionMonths: 1_200 };
      const rig = new ClickHouseRig({ ...target, warehouse }, model);
      try {
        for (const statement of statements(version, name, target.database)) await rig.sql(statement);
        const rows = name === 'product_analytics' ? [] : files(model);
        for (const file of rows.slice(0, -1)) await rig.insertRows(file);
        const before = await rig.count(rig.table);
        const done = await rig.migrate();
        expect(done).toContain(`store ${rig.table}`);
        expect(done).toContain(`fill ${target.database}.session_summary_sums`);
        expect(await rig.count(rig.table)).toBe(before);
        expect(await rig.migrate()).toEqual([]);
        expect(await rig.problems()).toEqual([]);
        const [applied] = await rig.rows(`SELECT version, model FROM ${target.database}.headrace_migrations`);
        expect(applied).toEqual({ version: SCHEMA_VERSION, model: name });
        // and the feeds take what comes
        for (const file of rows.slice(-1)) for (let i = 0; i < 2; i++) await rig.insertRows(file, 'last');
        for (const wanted of analyticsOf(rig.target, model)) {
          const { name: view, differences } = await auditView(rig.client, wanted, systemClock);
          expect({ view, differences }).toEqual({ view, differences: [] });
        }
        for (const query of queriesOf(analyticsOf(rig.target, model))) {
          const found = await rig.rows(query.sql(400));
          expect(found.length > 0, query.name).toBe(rows.length > 0);
        }
      } finally {
        await rig.close();
      }
    },
  );
});
