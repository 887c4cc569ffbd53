import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metricsOf, OpsRig, urlOf } from '../support/ops-rig.js';
import { runCommandLine } from '../support/run-command.js';

/** What an engine says of itself over HTTP while it runs, and while it stops. */
const TEST_MS_MAX = 180_000;
const USERS = Array.from({ length: 40 }, (_, user) => user);
const BROKEN = 8;
let rig: OpsRig;

beforeAll(async () => {
  rig = await OpsRig.open();
}, TEST_MS_MAX);
afterAll(async () => {
  await rig?.close();
});

describe('an engine over HTTP', { timeout: TEST_MS_MAX }, () => {
  it('is ready when its lanes are there, and tells in /metrics what it was sent', async () => {
    await rig.produce(USERS, Date.now(), BROKEN);
    const engine = rig.engine('told');
    const url = await urlOf(engine);
    expect(new URL(url).hostname).toBe('127.0.0.1');
    const early = await fetch(`${url}/ready`);
    if (early.status === 503) expect(((await early.json()) as { reasons: string[] }).reasons).not.toEqual([]);
    await engine.until('it is ready', async () => (await fetch(`${url}/ready`)).status === 200);
    expect(await (await fetch(`${url}/ready`)).json()).toEqual({ ready: true, reasons: [], warnings: [] });
    expect((await fetch(`${url}/live`)).status).toBe(200);

    const events = 2 * USERS.length + BROKEN;
    await engine.until('all is read and committed', async () => {
      const metrics = await metricsOf(url);
      const lag = metrics.get('kafka_consumergroup_lag_sum{consumergroup="told",topic="clicks"}');
      return metrics.get('headrace_events_total') === events && lag === 0;
    });
    const metrics = await metricsOf(url);
    expect(Object.fromEntries(metrics)).toMatchObject({
      headrace_ready: 1,
      headrace_lag_events: 0,
      headrace_open_sessions: USERS.length,
      headrace_sessions_opened_total: USERS.length,
      'headrace_dead_letters_total{reason="malformed"}': BROKEN,
      'headrace_lanes{state="live"}': 4,
      'headrace_worker_events_total{worker="0"}': events,
    });
    const sum = (name: string) =>
      [...metrics]
        .filter(([series]) => series.startsWith(`${name}{`))
        .reduce((total, [, value]) => total + value, 0);
    expect(sum('kafka_consumergroup_current_offset')).toBe(events);
    expect(sum('headrace_lane_open_sessions')).toBe(USERS.length);

    // the same for a person, or a script, at a terminal
    const looked = await runCommandLine(['top', '--url', url, '--json', '--interval', '500ms']);
    expect(looked).toMatchObject({ code: 0, stderr: '' });
    expect((JSON.parse(looked.stdout) as { engines: object[] }).engines).toMatchObject([
      {
        ...{ url, isReady: true, events, eventsPerSecond: 0, lag: 0, uncommitted: 0 },
        openSessions: USERS.length,
        deadLetters: [{ reason: 'malformed', letters: BROKEN }],
        lanes: [0, 1, 2, 3].map((partition) => ({ partition, worker: 0, state: 'running', lag: 0 })),
      },
    ]);

    // two hours later the sessions are over: their rows are told with the way they took
    await rig.produce([100, 101, 102, 103], Date.now() + 3_000_000);
    await engine.until('the sessions are committed', async () => {
      const now = await metricsOf(url);
      return (now.get('headrace_committed_rows_total') ?? 0) >= USERS.length;
    });
    const later = await metricsOf(url);
    expect(later.get('headrace_sessions_closed_total')).toBe(USERS.length);
    expect(later.get('headrace_close_lag_seconds_count')).toBe(USERS.length);
    expect(later.get('headrace_rows_total')).toBe(USERS.length);
    // where the time went, and that it became ready once
    const spent = ['fetch', 'decompress', 'check', 'sessions', 'cut', 'columns', 'parquet'];
    for (const stage of spent)
      expect(later.get(`headrace_stage_seconds_total{stage="${stage}"}`), stage).toBeGreaterThan(0);
    for (const stage of ['fetch', 'upload', 'commit'])
      expect(later.get(`headrace_waited_seconds_total{stage="${stage}"}`), stage).toBeGreaterThan(0);
    for (const part of ['sessions', 'heaps', 'buffers'])
      expect(later.get(`headrace_memory_used_bytes{part="${part}"}`), part).toBeGreaterThan(0);
    expect(later.get('headrace_recoveries_total')).toBeGreaterThanOrEqual(1);
    expect(later.get('headrace_last_recovery_seconds')).toBeGreaterThan(0);
    expect(later.get('headrace_not_ready_seconds_total')).toBeGreaterThan(0);

    // a second one, which was not told where to listen, takes the next port
    const second = rig.engine('second');
    expect(await urlOf(second)).not.toBe(url);
    await second.kill();
    await engine.stop(60_000);
  });

  it('a port that was asked for and is taken ends it at once, with what to do', async () => {
    const { port } = new URL(rig.kafka.bootstrap.replace(/^/, 'http://').split(',')[0]!);
    const engine = rig.engine('taken', { flags: ['--http', `127.0.0.1:${port}`] });
    expect(await engine.exit(60_000)).toMatchObject({ code: 78 });
    expect(engine.output).toMatch(/HTTP_LISTEN: .*EADDRINUSE.*http\.listen/);
  });

  it('off means that nothing listens', async () => {
    const engine = rig.engine('off', { flags: ['--http', 'off'] });
    await engine.untilSays(/lanes assigned/);
    expect(engine.output).not.toMatch(/"url":"http/);
    await engine.stop(60_000);
  });
});
