import { writeFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { EngineProcess } from '../support/engine-process.js';
import { metricsOf, OpsRig, urlOf } from '../support/ops-rig.js';
import { openBrowser } from '../support/page-browser.js';

/** The page of a running engine, as a browser shows it. */
const TEST_MS_MAX = 180_000;
const USERS = Array.from({ length: 40 }, (_, user) => user);
const BROKEN = 8;
const STREAMS_MAX = 3;
const AGREE = { timeout: 60_000, interval: 500 };
let rig: OpsRig;
let browser: Browser;
let engine: EngineProcess;
let url: string;

beforeAll(async () => {
  rig = await OpsRig.open();
  browser = await openBrowser();
  await writeFile(`${rig.folder}/page.yaml`, `http: { streams_max: ${STREAMS_MAX} }\n`);
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
});

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
    const widths = await inPage<number[]>(page, '[document.documentElement.scrollWidth, innerWidth]');
    expect(widths[0]).toBeLessThanOrEqual(widths[1]!);
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
