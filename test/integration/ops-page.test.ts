import { writeFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { dlqList, type LettersReport } from '#src/commands/dlq/list.js';
import { lakeHistory } from '#src/commands/lake/history.js';
import { lakeShow } from '#src/commands/lake/show.js';
import { queryCommand } from '#src/commands/warehouse/query.js';
import { lakeAt } from '#src/config/lake-place.js';
import { resolveClickHouseConfig } from '#src/config/load-clickhouse.js';
import { type ClickHouseFront, startClickHouseFront } from '#src/embedded/clickhouse-front.js';
import { loadModel } from '#src/model/load.js';
import { ClickHouseRig, targetAt } from '../support/clickhouse-rig.js';
import type { EngineProcess } from '../support/engine-process.js';
import { printed, readLines } from '../support/lake-story.js';
import { metricsOf, OpsRig, urlOf } from '../support/ops-rig.js';
import { openBrowser } from '../support/page-browser.js';

/** The page of a running engine, as a browser shows it. */
const TEST_MS_MAX = 300_000;
const USERS = Array.from({ length: 40 }, (_, user) => user);
const BROKEN = 8;
const STREAMS_MAX = 4;
/** It runs one query at a time. */
const CLICKHOUSE_AGREES = { timeout: 180_000, interval: 1_000 };
const AGREE = { timeout: 60_000, interval: 500 };
const DATABASE = 'page';
let rig: OpsRig;
let front: ClickHouseFront;
let warehouse: ClickHouseRig;
let browser: Browser;
let engine: EngineProcess;
let url: string;

beforeAll(async () => {
  rig = await OpsRig.open();
  browser = await openBrowser();
  front = await startClickHouseFront();
  const target = targetAt(front, DATABASE);
  const views = { ...target.warehouse, views: 'all' as const };
  warehouse = new ClickHouseRig({ ...target, warehouse: views }, loadModel('clickstream'));
  await warehouse.migrate();
  await writeFile(`${rig.folder}/page.yaml`, settings());
  await rig.produce(USERS, Date.now(), BROKEN);
  engine = rig.engine('page', { flags: ['--config', `${rig.folder}/page.yaml`] });
  url = await urlOf(engine);
  await engine.until('it is ready', async () => (await fetch(`${url}/ready`)).status === 200);
  await rig.produce([100, 101, 102, 103], Date.now() + 3_000_000);
  await engine.until('all is committed', async () => {
    const metrics = await metricsOf(url);
    const lag = metrics.get('kafka_consumergroup_lag_sum{consumergroup="page",topic="clicks"}');
    return lag === 0 && (metrics.get('headrace_committed_rows_total') ?? 0) >= USERS.length;
  });
}, TEST_MS_MAX);

afterAll(async () => {
  await browser?.close();
  await rig?.close();
  await warehouse?.close();
  await front?.stop();
});

function settings(): string {
  const clickhouse = `clickhouse: { url: "${front.url}", database: ${DATABASE}, exact_every: off }`;
  return `http: { streams_max: ${STREAMS_MAX} }\n${clickhouse}\n`;
}

interface Opened {
  page: Page;
  /** What the browser complained of, and the hosts it asked. */
  complaints: string[];
  hosts: Set<string>;
}

async function open(options: Parameters<Browser['newPage']>[0] = {}): Promise<Opened> {
  const page = await browser.newPage(options);
  const complaints: string[] = [];
  const hosts = new Set<string>();
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => hosts.add(new URL(request.url()).host));
  await page.goto(url);
  await page.waitForSelector('[data-metric=headrace_events_total]', { timeout: 60_000 });
  return { page, complaints, hosts };
}

/** Of the browser; as text, since the types of tests know no document. */
async function inPage<T>(page: Page, expression: string): Promise<T> {
  return (await page.evaluate(expression)) as T;
}

/** `column → value` of each row of a table, where the page says values. */
async function rowsOf(page: Page, table: string): Promise<Record<string, number>[]> {
  const cells =
    "[...row.querySelectorAll('td[data-value]')].map((cell) => [cell.dataset.column, +cell.dataset.value])";
  const rows = `[...document.querySelectorAll('#${table} tbody tr')]`;
  return await inPage(page, `${rows}.map((row) => Object.fromEntries(${cells}))`);
}

/** Cells of a table by their column, as texts. */
async function cellsOf(page: Page, table: string): Promise<Record<string, string | null>[]> {
  const cells =
    "[...row.querySelectorAll('td')].filter((cell) => cell.querySelector('meter') === null).map((cell) => [cell.dataset.column, cell.dataset.value ?? null])";
  return await inPage(
    page,
    `[...document.querySelectorAll('#${table} tbody tr')].map((row) => Object.fromEntries(${cells}))`,
  );
}

/** What `headrace query NAME --format json` has, each value as a text. */
async function queried(name: string): Promise<Record<string, string | null>[]> {
  const model = 'clickstream';
  const typed = { model, clickhouse: front.url, clickhouseDatabase: DATABASE };
  const settings = resolveClickHouseConfig(undefined, typed, '/');
  let said = '';
  const stdout = (text: string) => {
    said += text;
  };
  const how = { sql: null, days: 30, format: 'json', cachedMs: null } as const;
  await queryCommand({ settings, name, ...how, stdout });
  const { data } = JSON.parse(said) as { data: Record<string, unknown>[] };
  return data.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([column, value]) => [column, value === null ? null : String(value)]),
    ),
  );
}

/** Rows with as many sessions come in any order. */
const sorted = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).sort();

const lakeOf = () => `${rig.folder}/lake-page`;

async function shown(version: number) {
  const { said, stdout } = printed();
  await lakeShow({ lake: lakeOf(), version: String(version), files: false, json: true, stdout });
  const { files, rows, bytes, lanes } = JSON.parse(said.stdout) as {
    [name in 'files' | 'rows' | 'bytes']: number;
  } & { lanes: { appId: string; offset: string }[] };
  return { files, rows, bytes, lanes };
}

describe('the page', { timeout: TEST_MS_MAX }, () => {
  it('shows what /metrics says', async () => {
    const { page, complaints, hosts } = await open();
    // an engine goes on between the two looks: they are taken again until nothing came between
    await vi.waitFor(async () => {
      const figures = await inPage<{ name: string; value: number; text: string }[]>(
        page,
        "[...document.querySelectorAll('[data-metric]')].map(({ dataset, textContent }) => ({ name: dataset.metric, value: +dataset.value, text: textContent }))",
      );
      const metrics = await metricsOf(url);
      const sum = (name: string) =>
        [...metrics]
          .filter(([series]) => series === name || series.startsWith(`${name}{`))
          .reduce((total, [, value]) => total + value, 0);
      expect(figures.length).toBeGreaterThan(8);
      for (const { name, value } of figures) expect([name, value]).toEqual([name, sum(name)]);
      expect(figures.find(({ name }) => name === 'headrace_dead_letters_total')?.text).toBe(String(BROKEN));
      expect(sum('headrace_events_total')).toBe(2 * USERS.length + BROKEN + 8);

      const lanes = await rowsOf(page, 'lane-table');
      const of = (name: string, partition: number) =>
        metrics.get(`${name}{partition="${partition}",worker="0"}`);
      expect(lanes.map(({ partition }) => partition)).toEqual([0, 1, 2, 3]);
      for (const lane of lanes) {
        expect(lane).toMatchObject({
          offset: of('headrace_lane_position', lane.partition!),
          lag: of('headrace_lane_lag_events', lane.partition!),
          'open sessions': of('headrace_lane_open_sessions', lane.partition!),
        });
        expect(lane.watermark! / 1_000).toBe(of('headrace_lane_watermark_seconds', lane.partition!));
      }

      const letters = await inPage<[string, number][]>(
        page,
        "[...document.querySelectorAll('#letter-table tbody tr')].map(({ children: [reason, letters] }) => [reason.textContent, +letters.dataset.value])",
      );
      expect(letters.length).toBeGreaterThan(5);
      for (const [reason, value] of letters)
        expect(value).toBe(metrics.get(`headrace_dead_letters_total{reason="${reason}"}`));
      const versions = await rowsOf(page, 'commit-table');
      expect(versions[0]!.version).toBe(metrics.get('headrace_table_version'));
      const rows = versions.reduce((total, { rows = 0 }) => total + rows, 0);
      expect(rows).toBe(metrics.get('headrace_committed_rows_total'));
      expect(await page.locator('#timeline li').count()).toBe(versions.length);
    }, AGREE);
    expect(await page.textContent('#status')).toBe('ready');
    expect(await page.textContent('#about')).toContain('clicks (page, clickstream)');

    expect(await page.locator('.plot canvas').count()).toBe(4);
    expect([...hosts]).toEqual([new URL(url).host]);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('draws what comes', async () => {
    const { page } = await open();
    const drawn = () =>
      inPage<number>(page, "document.querySelector('#throughput canvas').toDataURL().length");
    const before = await drawn();
    await rig.produce(USERS, Date.now() + 3_000_000);
    await expect.poll(drawn, { timeout: 30_000 }).toBeGreaterThan(before);
    await page.close();
  });

  it.each([
    ['light', 'rgb(247, 248, 250)'],
    ['dark', 'rgb(18, 22, 28)'],
  ] as const)('is %s where the system is, until its user says otherwise', async (colorScheme, ground) => {
    const { page, complaints } = await open({ colorScheme });
    const background = () => inPage<string>(page, 'getComputedStyle(document.body).backgroundColor');
    expect(await background()).toBe(ground);
    await page.keyboard.press('t');
    expect(await background()).not.toBe(ground);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('can be used by keyboard alone', async () => {
    const { page } = await open();
    const focused = () =>
      inPage<string>(page, 'document.activeElement.id || document.activeElement.className');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('skip');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('pause');
    await page.keyboard.press('Enter');
    expect(await page.getAttribute('#pause', 'aria-pressed')).toBe('true');
    await page.keyboard.press('p');
    expect(await page.getAttribute('#pause', 'aria-pressed')).toBe('false');
    await page.close();
  });

  it('fits a phone: nothing but tables is wider than the screen', async () => {
    const { page } = await open({ viewport: { width: 390, height: 844 } });
    for (const part of ['#views', '#latest', '#versions']) await page.locator(part).scrollIntoViewIfNeeded();
    await page.waitForSelector('#version-table button');
    const widths = await inPage<number[]>(page, '[document.documentElement.scrollWidth, innerWidth]');
    expect(widths[0]).toBeLessThanOrEqual(widths[1]!);
    await page.close();
  });

  it('shows ClickHouse’s views as headrace query answers them', async () => {
    const { page, complaints, hosts } = await open();
    await page.locator('#views').scrollIntoViewIfNeeded();
    const names = ['devices', 'countries', 'referrers', 'pages', 'funnel', 'hours', 'summary'];
    await vi.waitFor(async () => {
      expect(
        await inPage(page, "[...document.querySelectorAll('#view-cards table')].map(({ id }) => id)"),
      ).toEqual(names.map((name) => `view-${name}`));
      for (const name of names) {
        const answer = await queried(name);
        expect(sorted(await cellsOf(page, `view-${name}`)), name).toEqual(sorted(answer));
      }
      const [{ sessions = null } = {}] = await queried('hours');
      expect(Number(sessions)).toBeGreaterThan(0);
    }, CLICKHOUSE_AGREES);
    expect(await page.textContent('#views-note')).toBe('');
    expect([...hosts]).toEqual([new URL(url).host]);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('shows the table at a version that is chosen by keyboard, as lake history and show have it', async () => {
    const { page, complaints } = await open();
    await page.locator('#versions').scrollIntoViewIfNeeded();
    await page.waitForSelector('#version-table button');
    const chosen = Number(await page.locator('#version-table button').last().textContent());
    const button = `[aria-label="version ${chosen}"]`;
    await page.locator(button).focus();
    await page.keyboard.press('Enter');
    await page.waitForSelector('#version-lanes tbody tr');
    expect(await page.getAttribute(button, 'aria-pressed')).toBe('true');
    await vi.waitFor(async () => {
      const { said, ...out } = printed();
      await lakeHistory({ lake: lakeOf(), limit: 50, json: true, ...out });
      const history = JSON.parse(said.stdout) as { version: number; filesAdded: number; rowsAdded: number }[];
      const versions = await rowsOf(page, 'version-table');
      expect(versions.map(({ version, files, rows }) => [version, files, rows])).toEqual(
        history.map(({ version, filesAdded, rowsAdded }) => [version, filesAdded, rowsAdded]).reverse(),
      );
      const [past, now] = [await shown(chosen), await shown(history.at(-1)!.version)];
      const sizes = await rowsOf(page, 'version-sizes');
      const wanted = (['rows', 'files', 'bytes'] as const).map((what) => ({
        ...{ past: past[what], now: now[what], difference: now[what] - past[what] },
      }));
      expect(sizes).toEqual(wanted);
      expect(now.rows).toBeGreaterThan(0);
      const lanes = await cellsOf(page, 'version-lanes');
      expect(lanes.map((lane) => [lane.lane, lane.now])).toEqual(
        now.lanes.map(({ appId, offset }) => [appId, offset]),
      );
    }, AGREE);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('shows the latest dead letters, and what a replay would send', async () => {
    const { page, complaints } = await open();
    await page.locator('#latest').scrollIntoViewIfNeeded();
    const { said, stdout } = printed();
    await dlqList({ lake: lakeAt(lakeOf()), newest: 50, json: true, stdout });
    const { newest, letters } = JSON.parse(said.stdout) as LettersReport;
    expect(letters).toBe(BROKEN);
    await vi.waitFor(async () => {
      const cells = await cellsOf(page, 'latest-table');
      expect(cells.map(({ letter, reason, version }) => [letter, reason, Number(version)])).toEqual(
        newest.map(({ partition, offset, reason, version }) => [`${partition}:${offset}`, reason, version]),
      );
    }, AGREE);
    expect(await page.textContent('#latest-table')).toContain('{"broken');
    expect(await page.isDisabled('#replay-send')).toBe(true);
    await page.selectOption('#latest-reason', 'malformed');
    await page.click('#replay-look');
    await page.waitForSelector('#replay-table tbody tr');
    expect(await rowsOf(page, 'replay-table')).toEqual([
      { letters: BROKEN, 'to send': 0, 'replayed before': 0, 'refused still': BROKEN, gone: 0 },
    ]);
    // nothing to send, so nothing can be sent
    expect(await page.isDisabled('#replay-send')).toBe(true);
    expect(await page.textContent('#replay-said')).toContain('0 dead letters would go back to topic clicks.');
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('follows sessions and events with a filter', async () => {
    const { page, complaints } = await open();
    await page.fill('#tail-events-filter', '"U7"');
    await page.click('#tail-events-follow');
    // typing is no shortcut
    await page.locator('#tail-sessions-filter').pressSequentially('p');
    expect(await page.getAttribute('#pause', 'aria-pressed')).toBe('false');
    await page.fill('#tail-sessions-filter', 'u7:');
    await page.click('#tail-sessions-follow');
    const atMs = Date.now() + 6_000_000;
    await rig.produce([7, 8], atMs);
    await rig.produce(USERS, atMs + 3_000_000);
    await vi.waitFor(async () => {
      const events = await cellsOf(page, 'tail-events-table');
      expect(events.length).toBeGreaterThan(0);
      for (const { value } of events) expect(JSON.parse(value!)).toMatchObject({ user_id: 'u7' });
      const times = events.map(({ value }) => (JSON.parse(value!) as { timestamp: string }).timestamp);
      expect(times).toContain(new Date(atMs).toISOString());

      const rows = await cellsOf(page, 'tail-sessions-table');
      const lake = await readLines(lakeOf(), { where: ['user_id=u7'], changes: true });
      const known = lake.map(({ session_id, sign }) => `${session_id} ${sign}`);
      const told = rows.map(({ session_id, sign }) => `${session_id} ${sign}`);
      expect(known).toEqual(expect.arrayContaining(told));
      expect(told).toContain(`u7:${atMs} 1`);
    }, AGREE);
    await page.click('#tail-events-follow');
    await page.click('#tail-sessions-follow');
    expect(await page.getAttribute('#tail-events-follow', 'aria-pressed')).toBe('false');
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('is refused beyond so many streams, and served again when one has ended', async () => {
    const controllers: AbortController[] = [];
    const stream = async () => {
      const controller = new AbortController();
      const { status } = await fetch(`${url}/events`, { signal: controller.signal });
      if (status === 200) controllers.push(controller);
      return status;
    };
    // those of the pages before may take a moment to end
    for (let i = 0; i < STREAMS_MAX; i++) await expect.poll(stream, { timeout: 30_000 }).toBe(200);
    const many = await Promise.all(Array.from({ length: 20 }, () => fetch(`${url}/events`)));
    expect(new Set(many.map(({ status }) => status))).toEqual(new Set([503]));
    expect((await fetch(`${url}/metrics`)).status).toBe(200);
    for (const controller of controllers) controller.abort();
    await expect.poll(stream, { timeout: 30_000 }).toBe(200);
    for (const controller of controllers) controller.abort();
  });
});
