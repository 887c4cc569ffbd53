import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { analyticsOf } from '#src/clickhouse/schema.js';
import { auditView } from '#src/clickhouse/views/audit.js';
import { viewsOf } from '#src/clickhouse/views/model-views.js';
import { systemClock } from '#src/clock.js';
import { type ClickHouseFront, startClickHouseFront } from '#src/embedded/clickhouse-front.js';
import { loadModel } from '#src/model/load.js';
import type { Row } from '#src/model/types.js';
import { type Random, seededRandom } from '#src/random.js';
import { ClickHouseRig, targetAt } from '../support/clickhouse-rig.js';
import { clickstreamRow } from '../support/columnar-model.js';
import { propertySettings } from '../support/property-seed.js';
import { type RowFile, RowStory } from '../support/row-story.js';
import { newVisit, rowOf } from '../support/visit-rows.js';

/**
 * Every analytic view of the shipped models against its recomputation, after any sequence of revisions, merges, splits and retries:
 * files come in any order, once or more, also again long after, and parts are merged in between.
 */
const TEST_MS = 600_000;
const CUTS = 4;
const CLICKSTREAM = loadModel('clickstream');
const WEB_CLICKS = loadModel('web_clicks');
const MADE: Record<string, (random: Random) => (serial: number) => Row> = {
  clickstream: (random) => (serial) => clickstreamRow(random, serial),
  web_clicks: (random) => (serial) => rowOf(WEB_CLICKS, newVisit(random, serial), 0, 1),
};

let front: ClickHouseFront;
beforeAll(async () => {
  front = await startClickHouseFront();
});
afterAll(async () => {
  await front.stop();
});

describe('all analytic views', () => {
  it.each([CLICKSTREAM, WEB_CLICKS])(
    'of $name say what is recomputed from their rows',
    {
      timeout: TEST_MS,
    },
    async (model) => {
      const target = targetAt(front, `views_${model.name}`);
      const warehouse = { ...target.warehouse, views: 'all' as const, exactEveryMs: 3_600_000 };
      const rig = new ClickHouseRig({ ...target, warehouse }, model);
      await rig.migrate();
      const views = analyticsOf(rig.target, model);
      expect(views.map(({ view }) => view.name)).toEqual(viewsOf(model).map(({ name }) => name));
      const tables = [rig.table, ...views.map(({ view }) => `${target.database}.${view.name}_sums`)];
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 30 }), async (seed) => {
          for (const table of tables) await rig.sql(`TRUNCATE TABLE ${table}`);
          const random = seededRandom(seed);
          const story = new RowStory(model, random, MADE[model.name]!(random));
          const files: RowFile[] = Array.from({ length: CUTS }, () => story.next()).flat();
          const tries = files.flatMap((file) => Array.from({ length: 1 + random.below(2) }, () => file));
          while (tries.length > 0) {
            const [file] = tries.splice(random.below(tries.length), 1);
            await rig.insertRows(file!.rows, `${seed}/${file!.token}`);
            if (random.below(6) === 0) await rig.sql(`OPTIMIZE TABLE ${tables[random.below(tables.length)]}`);
          }
          const [all] = await rig.rows<{ n: string }>(`SELECT sum(sign) AS n FROM ${rig.table}`);
          expect(Number(all!.n)).toBe(story.sessions);
          for (const wanted of views) {
            const { name, differences } = await auditView(rig.client, wanted, systemClock);
            expect({ name, differences }).toEqual({ name, differences: [] });
          }
        }),
        propertySettings({ numRuns: 2 }),
      );
      await rig.close();
    },
  );
});
