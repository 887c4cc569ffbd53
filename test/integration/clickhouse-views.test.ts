import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runMigration } from '#src/clickhouse/migrate.js';
import { analyticsOf } from '#src/clickhouse/schema.js';
import { readState } from '#src/clickhouse/state.js';
import { auditView, type ViewDifference } from '#src/clickhouse/views/audit.js';
import { refillAll } from '#src/clickhouse/views/compare-views.js';
import { systemClock } from '#src/clock.js';
import { type ClickHouseFront, startClickHouseFront } from '#src/embedded/clickhouse-front.js';
import { loadModel } from '#src/model/load.js';
import { seededRandom } from '#src/random.js';
import { ClickHouseRig, targetAt } from '../support/clickhouse-rig.js';
import { propertySettings } from '../support/property-seed.js';
import type { Visit } from '../support/visit-rows.js';
import { grouped, VisitStory } from '../support/visit-story.js';

/**
 * The analytic views against a plain count of the sessions that are left, and against their own recomputation, in a real ClickHouse:
 * whatever revisions, merges and repeated inserts came before.
 */

let front: ClickHouseFront;
const rigs: ClickHouseRig[] = [];
beforeAll(async () => {
  front = await startClickHouseFront();
});
afterAll(async () => {
  for (const rig of rigs) await rig.close();
  await front.stop();
});

const model = loadModel('web_clicks');
const EXACT_EVERY_MS = 3_600_000;
/** One of each kind: by a column, by what is in a list, by nothing. */
const VIEWS = ['brand_analytics', 'page_analytics', 'session_summary'];
/** Each file goes through several views, each statement through one process that others slow down. */
const TEST_MS = 400_000;

async function warehouse(exactEveryMs: number | null = null, views = VIEWS): Promise<ClickHouseRig> {
  const target = targetAt(front, `views${rigs.length}`);
  const warehouse = { ...target.warehouse, exactEveryMs, views };
  const rig = new ClickHouseRig({ ...target, warehouse }, model);
  rigs.push(rig);
  await rig.migrate();
  return rig;
}

async function audit(rig: ClickHouseRig): Promise<Record<string, readonly ViewDifference[]>> {
  const found: Record<string, readonly ViewDifference[]> = {};
  for (const wanted of analyticsOf(rig.target, model)) {
    const { name, differences } = await auditView(rig.client, wanted, systemClock);
    if (differences.length > 0) found[name] = differences;
  }
  return found;
}

const lines = async (rig: ClickHouseRig, view: string, key: string, figures: string) =>
  (
    await rig.rows<{ line: string }>(
      `SELECT concat(toString(date), ' ', ${key}, ': ', arrayStringConcat([${figures}], ' ')) AS line FROM ${rig.target.database}.${view}`,
    )
  )
    .map(({ line }) => line)
    .sort();

const text = (column: string) => `toString(ifNull(${column}, 0))`;
const sum = (group: readonly Visit[], of: (visit: Visit) => number) =>
  group.reduce((total, visit) => total + of(visit), 0);
const users = (group: readonly Visit[]) => new Set(group.map(({ userId }) => userId)).size;
const ordered = (group: readonly Visit[]) => group.map(({ seconds }) => seconds).sort((a, b) => a - b);

async function expectRight(rig: ClickHouseRig, visits: readonly Visit[]): Promise<void> {
  // refreshes what is exact, too
  expect(await audit(rig)).toEqual({});
  const hasExact = rig.target.warehouse.exactEveryMs !== null;
  const exact = ['users', 'duration_sec_min', 'duration_sec_max'];
  const figures = ['sessions', 'events', 'bounces', 'article_views', ...(hasExact ? exact : [])];
  const counted = (group: readonly Visit[]) => [
    group.length,
    sum(group, ({ events }) => events),
    group.filter(({ events }) => events === 1).length,
    sum(group, ({ pages }) => pages.filter(({ type }) => type === 'article_view').length),
    ...(hasExact ? [users(group), ordered(group)[0]!, ordered(group).at(-1)!] : []),
  ];
  const read = (view: string, key: string) => lines(rig, view, key, figures.map(text).join(', '));
  expect(await read('brand_analytics', 'brand')).toEqual(
    grouped(visits, ({ brand }) => [brand ?? ''], counted),
  );
  expect(await read('session_summary', "'all'")).toEqual(grouped(visits, () => ['all'], counted));
  const pages = await lines(
    rig,
    'page_analytics',
    'page',
    ['sessions', 'views', 'article_clicks'].map(text).join(', '),
  );
  const urls = ['/a', '/b', '/c'];
  const perPage = urls.flatMap((url) => {
    const withIt = visits.filter((visit) => visit.pages.some((page) => page.url === url));
    return grouped(
      withIt,
      () => [url],
      (group) => {
        const all = group.flatMap((visit) => visit.pages.filter((page) => page.url === url));
        return [group.length, all.length, all.filter(({ type }) => type === 'article_click').length];
      },
    );
  });
  expect(pages).toEqual(perPage.sort());
}

describe('the analytic views', () => {
  it('say what a plain count says, whatever sequence of revisions, merges and repeated inserts came before', {
    timeout: TEST_MS,
  }, async () => {
    const rig = await warehouse(EXACT_EVERY_MS);
    const parts = [
      rig.table,
      ...analyticsOf(rig.target, model).map(({ view }) => `${rig.target.database}.${view.name}_sums`),
    ];
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 30 }), async (seed) => {
        for (const table of parts) await rig.sql(`TRUNCATE TABLE ${table}`);
        const random = seededRandom(seed);
        const story = new VisitStory(model, random);
        const sent: { token: string; rows: ReturnType<VisitStory['next']>[number]['rows'] }[] = [];
        for (let cut = 0; cut < 5; cut++) {
          for (const file of story.next()) {
            const token = `${seed}/${file.token}`;
            sent.push({ ...file, token });
            for (let times = 1 + random.below(2); times > 0; times--) await rig.insertRows(file.rows, token);
          }
          const again = sent[random.below(sent.length)]!;
          await rig.insertRows(again.rows, again.token);
        }
        await expectRight(rig, story.visits);
      }),
      propertySettings({ numRuns: 2 }),
    );
  });

  it('move a session from one brand to another, and know nothing of the first any more', {
    timeout: TEST_MS,
  }, async () => {
    const rig = await warehouse();
    const story = new VisitStory(model, seededRandom(1));
    const [file] = story.next();
    const row = file!.rows[0]!;
    const brand = model.columns.findIndex(({ name }) => name === 'brand');
    const { revision, sign } = model.columnIndex;
    const as = (changes: Record<number, unknown>) =>
      row.map((value, i) => (i in changes ? changes[i] : value)) as typeof row;
    await rig.insertRows([as({ [brand]: 'bild' })], 'first');
    const moved = [as({ [brand]: 'bild', [sign]: -1 }), as({ [brand]: 'welt', [revision]: 1 })];
    for (let i = 0; i < 2; i++) await rig.insertRows(moved, 'second');
    expect(await rig.rows(`SELECT brand, sessions FROM ${rig.target.database}.brand_analytics`)).toEqual([
      { brand: 'welt', sessions: '1' },
    ]);
    expect(await audit(rig)).toEqual({});
  });

  it('that differ are found by an audit, group by group, and made anew by a rebuild', {
    timeout: TEST_MS,
  }, async () => {
    const rig = await warehouse();
    const { database } = rig.target;
    const story = new VisitStory(model, seededRandom(2));
    for (let cut = 0; cut < 3; cut++)
      for (const file of story.next()) await rig.insertRows(file.rows, file.token);
    await rig.sql(
      `INSERT INTO ${database}.brand_analytics_sums (date, brand, sessions) VALUES ('2026-01-30', 'nobody', 3)`,
    );
    await rig.sql(`ALTER TABLE ${database}.session_summary_sums DELETE WHERE 1 SETTINGS mutations_sync = 2`);
    const found = await audit(rig);
    expect(Object.keys(found).sort()).toEqual(['brand_analytics', 'session_summary']);
    expect(found.brand_analytics).toEqual([
      { group: ['2026-01-30', 'nobody'], column: 'sessions', found: '3', recomputed: null },
    ]);
    expect(found.session_summary!.every((each) => each.found === null)).toBe(true);
    const steps = refillAll(analyticsOf(rig.target, model), await readState(rig.client, rig.target));
    await runMigration(rig.client, rig.target, { steps, refused: [] }, () => {});
    await expectRight(rig, story.visits);
    for (const file of story.next()) await rig.insertRows(file.rows, file.token);
    await expectRight(rig, story.visits);
  });

  it('behind one that throws in the middle have each file once, when it is mended and the file comes again', {
    timeout: TEST_MS,
  }, async () => {
    const rig = await warehouse();
    const { database } = rig.target;
    const story = new VisitStory(model, seededRandom(3));
    await rig.sql(
      `CREATE TABLE ${database}.mine (n Int64) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 100000`,
    );
    const feed = (select: string) =>
      rig.sql(
        `CREATE MATERIALIZED VIEW ${database}.m_throws TO ${database}.mine AS SELECT ${select} AS n FROM ${rig.table}`,
      );
    const [file] = story.next();
    for (let i = 0; i < 2; i++) {
      await feed("throwIf(1, 'in the middle') + sum(sign)");
      await expect(rig.insertRows(file!.rows, file!.token)).rejects.toThrow(/in the middle/);
      await rig.sql(`DROP VIEW ${database}.m_throws SYNC`);
    }
    await feed('sum(sign)');
    for (let i = 0; i < 2; i++) await rig.insertRows(file!.rows, file!.token);
    expect(await rig.count(rig.table)).toBe(file!.rows.length);
    expect(await audit(rig)).toEqual({});
    expect(await rig.rows(`SELECT sum(n) AS n FROM ${database}.mine`)).toEqual([
      { n: String(file!.rows.length) },
    ]);
  });
});
