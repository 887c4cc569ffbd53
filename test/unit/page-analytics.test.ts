import { afterEach, describe, expect, it } from 'vitest';
import type { AskAnswer } from '#src/clickhouse/views/ask.js';
import { HeadraceError } from '#src/errors.js';
import { HttpListener } from '#src/http/listener.js';
import { loadModel } from '#src/model/load.js';
import { Analytics } from '#src/page/analytics.js';
import type { ViewAnswer, ViewsAnswer } from '#src/page/client/view-answers.js';
import { CLICKHOUSE_DEFAULTS } from '../support/clickhouse-defaults.js';
import { HurriedClock } from '../support/fake-time.js';

/** The page's side of the analytic views, over a real socket; ClickHouse itself is asked in test/integration/ops-page. */
const CLICKHOUSE = {
  ...CLICKHOUSE_DEFAULTS,
  url: 'http://127.0.0.1:1',
  database: null,
  table: 'session_metrics',
  requestTimeoutMs: 30_000,
  keptBytes: 0,
  warehouse: { ...CLICKHOUSE_DEFAULTS.warehouse, views: 'all' as const },
};
const ANSWER = {
  columns: ['brand', 'sessions', 'share'],
  rows: [
    ['a"<b>', 3, 0.5],
    ['', 1, null],
  ],
} satisfies AskAnswer;

let listener: HttpListener;
/** Each has a port of its own: connections to the one before may be taken up again. */
let opened = 0;
afterEach(() => listener.close());

interface Opened {
  asked: string[];
  clock: HurriedClock;
  get(path: string, init?: RequestInit): Promise<{ status: number; body: unknown }>;
}

async function open(
  model: string,
  answer: () => Promise<AskAnswer> = async () => ANSWER,
  clickhouse: typeof CLICKHOUSE | null = CLICKHOUSE,
): Promise<Opened> {
  const asked: string[] = [];
  const clock = new HurriedClock();
  const ask = (sql: string) => {
    asked.push(sql);
    return answer();
  };
  const analytics = new Analytics({ clickhouse, model: loadModel(model), clock, ask });
  listener = await HttpListener.open({
    host: '127.0.0.1',
    port: 20_000 + ((process.pid + 100 * opened++) % 20_000),
    mayMove: true,
    connectionsMax: 32,
    guard: { hosts: [], token: null, openPaths: [] },
    routes: new Map(analytics.routes()),
    onError: (error) => {
      throw error;
    },
  });
  const get = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`${listener.url}${path}`, init);
    const text = await response.text();
    return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : text };
  };
  return { asked, clock, get };
}

describe('the analytic views on the page', () => {
  it.each([
    ['web_clicks', ['brands', 'devices', 'countries', 'subscriptions', 'pages', 'hours', 'summary']],
    ['clickstream', ['devices', 'countries', 'referrers', 'pages', 'funnel', 'hours', 'summary']],
  ])('of %s are its documented queries', async (model, names) => {
    const { get, asked } = await open(model);
    const { status, body } = await get('/api/views');
    expect(status).toBe(200);
    const { lacking, views } = body as ViewsAnswer;
    expect(lacking).toBeNull();
    expect(views.map(({ name }) => name)).toEqual(names);
    expect(asked).toEqual([]);
  });

  it('are asked by the query’s own words, and answered with its columns and rows', async () => {
    const { get, asked } = await open('web_clicks');
    const { status, body } = await get('/api/view?name=brands&days=7');
    expect(status).toBe(200);
    expect(body).toEqual({ name: 'brands', days: 7, keys: ['brand'], ...ANSWER } satisfies ViewAnswer);
    expect(asked).toEqual([
      expect.stringMatching(
        /FROM `web_clicks`\.`brand_analytics_sums` .*- 7 .*ORDER BY sessions DESC LIMIT 100$/,
      ),
    ]);
    const summary = (await get('/api/view?name=summary')).body as ViewAnswer;
    expect([summary.days, summary.keys]).toEqual([30, ['date']]);
  });

  it('are asked once for many pages, and anew after some seconds', async () => {
    const { get, asked, clock } = await open('web_clicks');
    await Promise.all(Array.from({ length: 20 }, () => get('/api/view?name=brands')));
    await get('/api/view?name=brands');
    expect(asked).toHaveLength(1);
    await get('/api/view?name=brands&days=1');
    expect(asked).toHaveLength(2);
    await clock.sleep(10_000);
    await get('/api/view?name=brands');
    expect(asked).toHaveLength(3);
  });

  it('say what is wrong with a ClickHouse that does not answer, which is then left in peace for a while', async () => {
    const { get, asked } = await open('web_clicks', async () => {
      throw new HeadraceError('CLICKHOUSE_UNREACHABLE', 'nobody listens', {
        where: { url: 'http://inside:8123' },
        remedy: 'start it',
      });
    });
    for (let i = 0; i < 3; i++) {
      const { status, body } = await get('/api/view?name=brands');
      expect([status, body]).toEqual([503, { error: 'nobody listens', remedy: 'start it' }]);
    }
    expect(asked).toHaveLength(1);
  });

  it('say so where there is no ClickHouse', async () => {
    const { get, asked } = await open('web_clicks', undefined, null);
    expect((await get('/api/views')).body).toMatchObject({
      lacking: expect.stringMatching(/No ClickHouse is configured.*--clickhouse/),
      views: [],
    });
    expect(await get('/api/view?name=brands')).toMatchObject({ status: 400 });
    expect(asked).toEqual([]);
  });

  it('cut what is too long for a cell', async () => {
    const long = 'x'.repeat(100_000);
    const { get } = await open('web_clicks', async () => ({
      columns: ['brand'],
      rows: [[long], [[1, 'a']]],
    }));
    const { rows } = (await get('/api/view?name=brands')).body as ViewAnswer;
    expect(rows).toEqual([[`${'x'.repeat(300)}…`], ['[1,"a"]']]);
  });

  it.each([
    ['an unknown name', '/api/view?name=nobody', {}, 400],
    ['no name', '/api/view', {}, 400],
    ['a name with SQL', `/api/view?name=${encodeURIComponent("brands'; DROP TABLE x")}`, {}, 400],
    ['a name of the prototype', '/api/view?name=constructor', {}, 400],
    ['a name of 6 KB', `/api/view?name=${'n'.repeat(6_000)}`, {}, 400],
    ['days that are none', '/api/view?name=brands&days=1e9', {}, 400],
    ['days with SQL', '/api/view?name=brands&days=1)%20OR%201', {}, 400],
    ['POST', '/api/view?name=brands', { method: 'POST' }, 405],
    ['a page elsewhere', '/api/view?name=brands', { headers: { origin: 'https://evil.example' } }, 403],
  ])('refuse %s, and ask nothing', async (_, path, init, status) => {
    const { get, asked } = await open('web_clicks');
    expect((await get(path, init)).status).toBe(status);
    expect(asked).toEqual([]);
  });
});
