import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { samplesOf } from '#src/commands/prometheus-text.js';
import { askEngine } from '#src/commands/top/ask.js';
import { type EngineFigures, figuresOf } from '#src/commands/top/figures.js';
import { lanesBy } from '#src/commands/top/lane-order.js';
import { type TopOptions, topCommand } from '#src/commands/top/top.js';
import { viewLines } from '#src/commands/top/view.js';
import { HeadraceError } from '#src/errors.js';
import { HttpListener, type Route } from '#src/http/listener.js';
import { Exposition } from '#src/metrics/exposition.js';
import type { EngineFacts } from '#src/metrics/facts.js';
import { readinessOf } from '#src/metrics/readiness.js';
import { coloursFor } from '#src/telemetry/progress.js';
import { engineFacts, laneFacts } from '../support/engine-facts.js';
import { headrace } from '../support/run-cli.js';

const PROGRAM = fileURLToPath(new URL('../../dist/engine.js', import.meta.url));
const TOKEN = 'a-token-of-some-length';
const READY = { isReady: true, notReadySeconds: 0, recoveries: 1, lastRecovery: null };
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** What an engine's listener answers, by its own guard and its own words; `facts`: at each look. */
async function listen(
  facts: (look: number) => EngineFacts | null,
  { token = null as string | null, host = '127.0.0.1' } = {},
): Promise<string> {
  const exposition = new Exposition();
  let looks = 0;
  const readiness = () => readinessOf(facts(looks), 'waits for the brokers');
  const listener = await HttpListener.open({
    ...{ host, port: 0, mayMove: false, connectionsMax: 16 },
    guard: { hosts: [], token, openPaths: ['/live', '/ready'] },
    routes: new Map<string, Route>([
      [
        '/metrics',
        async () => {
          const body = await exposition.text(facts(looks++), { ...READY, isReady: readiness().ready });
          return { status: 200, type: exposition.contentType, body };
        },
      ],
      [
        '/ready',
        () => ({ status: readiness().ready ? 200 : 503, type: 'json', body: JSON.stringify(readiness()) }),
      ],
    ]),
    onError: (error) => {
      throw error;
    },
  });
  closers.push(() => listener.close());
  return listener.url;
}

/** 1,000 events and two commits in the two seconds between two looks. */
function growing(look: number): EngineFacts {
  const { totals } = engineFacts();
  const position = 100 + look * 500;
  return engineFacts({
    uptimeSeconds: 60 + look * 2,
    totals: { ...totals, events: 12 + look * 1_000, bytes: look * 4_096, commits: look * 2, openSessions: 7 },
    lanes: [laneFacts(0, { position }), laneFacts(1, { position: 100, lag: 90 })],
  });
}

function asking(urls: string[], more: Partial<TopOptions> = {}) {
  const said = { stdout: '' };
  const options: TopOptions = {
    ...{ urls, tokenFile: null, intervalMs: 1, sort: 'lag', once: true, json: true },
    stdout: (text) => {
      said.stdout += text;
    },
    terminal: { write: () => true },
    ...more,
  };
  return { said, done: topCommand(options) };
}

async function failureOf(work: Promise<unknown>): Promise<HeadraceError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof HeadraceError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

describe('headrace top', () => {
  it('gives one object for a script, with rates by the engine’s own clock', async () => {
    const url = await listen(growing);
    const { said, done } = asking([url]);
    expect(await done).toBe(0);
    expect(said.stdout.trimEnd().split('\n')).toHaveLength(1);
    const { engines, troubles } = JSON.parse(said.stdout) as { engines: EngineFigures[]; troubles: object[] };
    expect(troubles).toEqual([]);
    expect(engines[0]).toMatchObject({
      url,
      about: {
        version: '1',
        engine: 'e',
        topic: 'clicks',
        group: 'g"1\n',
        model: 'clickstream',
        table: '/lake',
      },
      isReady: true,
      ...{ overSeconds: 2, events: 1_012, eventsPerSecond: 500, bytesPerSecond: 2_048 },
      ...{ lag: 100, uncommitted: 40, watermarkLagSeconds: 5, openSessions: 7 },
      ...{ commits: 2, commitsPerSecond: 1, tableVersion: 9, cpuCores: 0, lanesLeftOut: 0 },
      deadLetters: [{ reason: 'missing_field', letters: 3 }],
      followers: [
        { name: 'clickhouse', behind: 2, unit: 'files', lagSeconds: 1.5, isInTrouble: false },
        { name: 'offsets', behind: 0, unit: 'lanes', lagSeconds: null, isInTrouble: false },
      ],
      memory: { sessionBytes: 0, sessionLimitBytes: 4_096, plannedBytes: 1_024 },
    });
    expect(engines[0]!.memory.residentBytes).toBeGreaterThan(1_000_000);
    expect(engines[0]!.lanes).toMatchObject([
      { partition: 0, worker: 0, state: 'running', offset: 600, eventsPerSecond: 250, ringFill: 0.25 },
      { partition: 1, lag: 90, watermarkMs: 1_799_999_995_000, openSessions: 3, eventsPerSecond: 0 },
    ]);
  });

  it('has no rates for an engine that began anew between two looks, and says of one that begins what it waits for', async () => {
    const again = await listen((look) => engineFacts({ uptimeSeconds: look === 0 ? 60 : 3 }));
    const begins = await listen(() => null);
    const { said, done } = asking([again, begins]);
    expect(await done).toBe(0);
    const { engines } = JSON.parse(said.stdout) as { engines: EngineFigures[] };
    expect(engines[0]).toMatchObject({ overSeconds: null, eventsPerSecond: null, events: 12 });
    expect(engines[1]).toMatchObject({
      ...{ about: null, isReady: false, reasons: ['waits for the brokers'], events: null, lanes: [] },
    });
  });

  it('shows its table by the column that was asked for', async () => {
    const url = await listen(growing);
    const { said, done } = asking([url], { json: false, sort: 'offset' });
    await done;
    expect(said.stdout).not.toContain('\u001b');
    expect(said.stdout).toMatch(
      /ready http:\S+ up 1 min 02 s · clicks → \/lake · model clickstream, group g"1·\n/,
    );
    expect(said.stdout).toMatch(
      /500 events\/s · 2\.00 KiB\/s · lag 100, not committed 40 · watermark behind 5\.0 s/,
    );
    expect(said.stdout).toMatch(
      /Lanes by offset\npartition .*\n─.*\n +0 +0 +600 +250 +10 +5\.0 s +25 % +3 +running .*\n +1 /,
    );
    const other = asking([await listen(growing)], { json: false });
    await other.done;
    expect(other.said.stdout).toMatch(/Lanes by lag\n.*\n.*\n +1 .*\n +0 /);
  });

  it('goes on without an engine that is gone, and ends with 75 for it', async () => {
    const [url, gone] = [await listen(growing), await freePort()];
    const { said, done } = asking([gone, url]);
    expect(await done).toBe(75);
    const { engines, troubles } = JSON.parse(said.stdout) as {
      engines: EngineFigures[];
      troubles: { url: string }[];
    };
    expect(engines.map((engine) => engine.url)).toEqual([url]);
    expect(troubles).toMatchObject([{ url: gone, message: expect.stringMatching(/^ENGINE_UNREACHABLE: /) }]);
  });

  it('ends by itself when nobody reads what it says any more', async () => {
    const url = await listen(growing);
    const child = spawn(process.execPath, [PROGRAM, 'top', '--url', url, '--interval', '500ms']);
    closers.push(async () => child.kill('SIGKILL'));
    const exit = once(child, 'exit');
    await once(child.stdout, 'data');
    child.stdout.destroy();
    expect(await exit).toEqual([0, null]);
  });

  it('adds lines where it can draw over nothing, until a signal ends it in order', async () => {
    const url = await listen(growing);
    const child = spawn(process.execPath, [PROGRAM, 'top', '--url', url, '--interval', '500ms']);
    closers.push(async () => child.kill('SIGKILL'));
    let stdout = '';
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => {
        stdout += chunk.toString();
        if (stdout.split('\n').length > 2) resolve();
      });
      child.once('exit', () => reject(new Error(`it ended by itself: ${stdout}`)));
    });
    child.removeAllListeners('exit');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(stdout).toMatch(/^(http:.*: ready · 500 events\/s · .*\n){2,}$/);
  });
});

async function freePort(): Promise<string> {
  const server = createSocketServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
}

async function serving(server: Server | ReturnType<typeof createSocketServer>): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(async () => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('an engine that is asked', () => {
  it('and wants a token gets that of a file, and says what to do with none or another', async () => {
    const url = await listen(growing, { token: TOKEN });
    const none = await failureOf(askEngine(url, null));
    expect(none).toMatchObject({
      code: 'ENGINE_AUTH',
      exitCode: 75,
      message: expect.stringMatching(/asks for a token/),
    });
    const wrong = await failureOf(askEngine(url, `${TOKEN}s`));
    expect(wrong.toString()).toMatch(
      /^ENGINE_AUTH: the token is not .* \(url=http.*\) — .*--token-file FILE/,
    );
    expect(wrong.toString()).not.toContain(TOKEN);
    const folder = await mkdtemp(join(tmpdir(), 'headrace-top-'));
    closers.push(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'token'), `${TOKEN}\n`);
    const tokenFile = { path: join(folder, 'token'), setBy: '--token-file' };
    expect(await asking([url], { tokenFile }).done).toBe(0);
    const nowhere = { path: join(folder, 'none'), setBy: '--token-file' };
    expect((await failureOf(asking([url], { tokenFile: nowhere }).done)).toString()).toMatch(
      /^CONFIG_INVALID: --token-file can not be read/,
    );
  });

  it('by a name that it does not know says how it is called', async () => {
    const url = await listen(growing, { host: '0.0.0.0' });
    const refused = await failureOf(askEngine(url.replace('0.0.0.0', '127.0.0.2'), null));
    expect(refused).toMatchObject({ code: 'ENGINE_AUTH', remedy: expect.stringMatching(/http\.hosts/) });
  });

  it('and is not there is unreachable', async () => {
    const failure = await failureOf(asking([await freePort()]).done);
    expect(failure).toMatchObject({ code: 'ENGINE_UNREACHABLE', exitCode: 75 });
    expect(failure.toString()).toMatch(/ECONNREFUSED \(url=http:\/\/127\.0\.0\.1:\d+\) — does it run/);
  });

  it.each([
    ['a page', () => createServer((_, response) => void response.end('hello'))],
    ['nothing of that name', () => createServer((_, response) => void response.writeHead(404).end())],
    [
      'somewhere else',
      () => createServer((_, response) => void response.writeHead(302, { location: '/' }).end()),
    ],
    ['metrics of others', () => createServer((_, response) => void response.end('up 1\n'))],
    ['no HTTP', () => createSocketServer((socket) => void socket.end('220 mail.example ESMTP\r\n'))],
  ])('and is something else, which answers with %s, is told from one', async (_, make) => {
    const failure = await failureOf(askEngine(await serving(make()), TOKEN));
    expect(failure).toMatchObject({ code: 'NOT_AN_ENGINE', exitCode: 69 });
    expect(failure.toString()).not.toContain(TOKEN);
  });

  it('behind a proxy that can not reach it is unreachable, too', async () => {
    const url = await serving(createServer((_, response) => void response.writeHead(502).end('bad gateway')));
    expect(await failureOf(askEngine(url, null))).toMatchObject({ code: 'ENGINE_UNREACHABLE' });
  });
});

describe('lanes', () => {
  const figures = async (facts: EngineFacts) =>
    figuresOf(
      {
        url: 'http://e',
        samples: samplesOf(await new Exposition().text(facts, READY)),
        readiness: readinessOf(facts, ''),
      },
      null,
    );
  const partitions = (column: Parameters<typeof lanesBy>[0], of: readonly EngineFigures[]) =>
    lanesBy(column, of).map(({ engine, partition }) => `${engine}:${partition}`);

  it('are sorted from the most, places from the first, and what is not known comes last', async () => {
    const halted = { halted: { code: 'BATCH_CORRUPT', reason: 'twice' } };
    const one = await figures(
      engineFacts({
        lanes: [
          laneFacts(2, { lag: null, watermarkMs: null, openSessions: 9 }),
          laneFacts(0, { lag: 3, replayingSeconds: 2 }),
          laneFacts(4, { lag: 8, ...halted }),
        ],
      }),
    );
    const two = await figures(engineFacts({ lanes: [laneFacts(1, { lag: 5 }), laneFacts(3, { lag: 8 })] }));
    expect(partitions('lag', [one, two])).toEqual(['1:3', '0:4', '1:1', '0:0', '0:2']);
    expect(partitions('partition', [one, two])).toEqual(['0:0', '1:1', '0:2', '1:3', '0:4']);
    expect(partitions('sessions', [one, two])[0]).toBe('0:2');
    expect(partitions('watermark', [one, two]).at(-1)).toBe('0:2');
    expect(one.lanes.map(({ state }) => state)).toEqual(['running', 'replaying', 'halted']);
    expect(one.warnings).toEqual(['partition 4: twice']);
  });

  it('are no more than a screen has room for, and those left out are counted', async () => {
    const many = await figures(
      engineFacts({ lanes: Array.from({ length: 1_200 }, (_, partition) => laneFacts(partition)) }),
    );
    const view = { engines: [many], troubles: [], sort: 'partition' as const };
    const lines = viewLines({ ...view, linesMax: 23 }, coloursFor({}));
    expect(lines).toHaveLength(23);
    const shown = lines.filter((line) => /^ *\d+ +0 +.* running /.test(line)).length;
    expect(shown).toBeGreaterThan(8);
    expect(lines.at(-1)).toBe(`… and ${(1_200 - shown).toLocaleString('en')} more`);
    expect(viewLines({ ...view, linesMax: null }, coloursFor({})).at(-1)).toBe('… and 200 more');
  });
});

describe('the command line of top', () => {
  const asked = async (...flags: string[]) => (await headrace(['top', ...flags])).top[0]!;

  it('asks the usual place, the one of a file, or those that are named', async () => {
    expect(await asked()).toMatchObject({
      ...{ urls: ['http://127.0.0.1:8787'], tokenFile: null, sort: 'lag', intervalMs: 2_000 },
      ...{ once: false, json: false },
    });
    expect(await asked('--config', 'engine.yaml')).toMatchObject({ urls: ['http://127.0.0.1:8787'] });
    expect(await asked('--url', 'a:1,https://b.example/engine/', '--token-file', 't')).toMatchObject({
      urls: ['http://a:1', 'https://b.example/engine'],
      tokenFile: { path: 't', setBy: '--token-file' },
    });
    expect(await asked('--json')).toMatchObject({ once: true, json: true, intervalMs: 1_000 });
    expect(await asked('--once', '--interval', '10ms', '--sort', 'sessions')).toMatchObject({
      ...{ once: true, json: false, intervalMs: 500, sort: 'sessions' },
    });
  });

  it.each([
    [['--sort', 'lagg'], /--sort: the table of lanes has no column "lagg" — did you mean lag\?/],
    [['--interval', '5'], /--interval: 5 has no unit/],
    [['--url', 'http://'], /--url must be like http:\/\/host:8787/],
    [
      ['--url', 'http://u:secret@h:1'],
      /--url holds a user or a password, which others could read — .*--token-file/,
    ],
  ])('%j is refused', async (flags, says) => {
    const { code, stderr, top } = await headrace(['top', ...flags]);
    expect({ code, top }).toEqual({ code: 64, top: [] });
    expect(stderr).toMatch(says);
    expect(stderr).not.toContain('secret');
  });
});
