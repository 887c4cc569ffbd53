/** The life of the embedded ClickHouse's process: restarts, kills, ends, and what it can't start with. */
import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  type ClickHouseFront,
  type ClickHouseFrontOptions,
  startClickHouseFront,
} from '#src/embedded/clickhouse-front.js';
import { startHttpFaultProxy } from '../support/http-fault-proxy.js';

const DIST = new URL('../../dist/', import.meta.url);

let root: string;
let folder: string;
let front: ClickHouseFront | null;
let client: ClickHouseClient;

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'headrace-test-front-')));
  folder = join(root, 'clickhouse');
  front = null;
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await client?.close();
  await front?.kill();
  await rm(root, { recursive: true, force: true });
});

function open(url: string, password = ''): ClickHouseClient {
  return createClient({ url, password, log: { level: ClickHouseLogLevel.OFF } });
}

async function start(options: ClickHouseFrontOptions = { folder }): Promise<ClickHouseFront> {
  await client?.close();
  front = await startClickHouseFront(options);
  client = open(front.url);
  return front;
}

async function count(table: string): Promise<number> {
  const result = await client.query({ query: `SELECT count() AS n FROM ${table}`, format: 'JSONEachRow' });
  return (await result.json<{ n: number }>())[0]!.n;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const TOKEN_SETTINGS = { async_insert: 0, deduplicate_blocks_in_dependent_materialized_views: 1 } as const;
const WINDOW = 'SETTINGS non_replicated_deduplication_window = 100';

const insertOne = (token: string) =>
  client.insert({
    table: 't',
    values: [{ a: 1 }],
    format: 'JSONEachRow',
    clickhouse_settings: { ...TOKEN_SETTINGS, insert_deduplication_token: token },
  });

test.each(['kill', 'stop'] as const)(
  'rows, tables and the tokens of inserts are there again after %s and a start in the same folder',
  async (end) => {
    const first = await start();
    await client.command({ query: `CREATE TABLE t (a UInt32) ENGINE = MergeTree ORDER BY a ${WINDOW}` });
    await insertOne('x');
    await first[end]();
    expect(isAlive(first.pid)).toBe(false);
    await start();
    expect(await count('t')).toBe(1);
    await insertOne('x');
    expect(await count('t')).toBe(1);
    await insertOne('y');
    expect(await count('t')).toBe(2);
  },
);

test('killed in the middle of an insert it holds all of its rows or none, and the same token makes it whole', async () => {
  const ROWS = 300_000;
  await start();
  for (const query of [
    `CREATE TABLE t (a UInt64, s String) ENGINE = MergeTree ORDER BY a ${WINDOW}`,
    `CREATE TABLE seen (s String, n UInt64) ENGINE = SummingMergeTree ORDER BY s ${WINDOW}`,
    'CREATE MATERIALIZED VIEW to_seen TO seen AS SELECT s, count() AS n FROM t GROUP BY s',
  ]) {
    await client.command({ query });
  }
  const { stream } = await client.exec({
    query: `SELECT number AS a, toString(number % 1000) AS s FROM numbers(${ROWS}) FORMAT Parquet`,
  });
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  const insert = (token: string) =>
    client.insert({
      table: 't',
      values: Readable.from(chunks, { objectMode: false }),
      format: 'Parquet',
      clickhouse_settings: {
        ...TOKEN_SETTINGS,
        insert_deduplication_token: token,
        min_insert_block_size_rows: '10000000',
        min_insert_block_size_bytes: '10000000000',
        min_insert_block_size_rows_for_materialized_views: '10000000',
        min_insert_block_size_bytes_for_materialized_views: '10000000000',
      },
    });
  const seen = async () => {
    const result = await client.query({ query: 'SELECT sum(n) AS n FROM seen', format: 'JSONEachRow' });
    return (await result.json<{ n: number }>())[0]!.n;
  };
  const begun = performance.now();
  await insert('whole');
  const insertMs = performance.now() - begun;

  for (const [i, part] of [0.2, 0.4, 0.6, 0.8, 0.95].entries()) {
    const whole = (i + 1) * ROWS;
    const cut = insert(`cut ${i}`).then(
      () => 'answered',
      () => 'lost',
    );
    await sleep(insertMs * part);
    await front!.kill();
    const outcome = await cut;
    await start();
    const [found, foundInView] = [await count('t'), await seen()];
    expect(outcome === 'answered' ? [whole + ROWS] : [whole, whole + ROWS]).toContain(found);
    expect([whole, whole + ROWS]).toContain(foundInView);
    await insert(`cut ${i}`);
    expect([await count('t'), await seen()]).toEqual([whole + ROWS, whole + ROWS]);
  }
}, 240_000);

test('a token noted without its part, as a crash between the two leaves it, refuses the insert that is sent again', async () => {
  // ClickHouse writes its log of tokens before it puts the part in place: who sends again must look for the rows
  await start();
  await client.command({ query: `CREATE TABLE t (a UInt32) ENGINE = MergeTree ORDER BY a ${WINDOW}` });
  await insertOne('x');
  await front!.kill();
  const store = join(folder, 'data/store');
  const entries = await readdir(store, { recursive: true, withFileTypes: true });
  const part = entries.find(({ name }) => name === 'all_1_1_0')!;
  await rm(join(part.parentPath, part.name), { recursive: true });
  await start();
  expect(await count('t')).toBe(0);
  await insertOne('x');
  expect(await count('t')).toBe(0);
  await insertOne('another');
  expect(await count('t')).toBe(1);
});

test('an insert whose answer is lost and that is sent again is there once, also over a restart', async () => {
  await start();
  await client.command({ query: `CREATE TABLE t (a UInt32) ENGINE = MergeTree ORDER BY a ${WINDOW}` });
  const proxy = await startHttpFaultProxy(front!.url);
  try {
    await client.close();
    client = open(proxy.url);
    proxy.inject({ kind: 'drop-answer' });
    await expect(insertOne('x')).rejects.toThrow();
    await insertOne('x');
    proxy.inject({ kind: 'reset-body', afterBytes: 2 });
    await expect(insertOne('y')).rejects.toThrow();
    expect(await count('t')).toBe(1);
    await front!.kill();
    await expect(insertOne('x')).rejects.toThrow();
    front = await startClickHouseFront({ folder });
    proxy.setUpstream(front.url);
    await insertOne('x');
    expect(await count('t')).toBe(1);
  } finally {
    await proxy.close();
  }
});

test('without a folder it has one of its own, which goes with it', async () => {
  vi.stubEnv('TMPDIR', root);
  const first = await start({});
  expect(await readdir(root)).toHaveLength(1);
  await first.stop();
  expect(await first.ended).toBe('exit code 0');
  expect(await readdir(root)).toEqual([]);
  const second = await start({});
  await second.kill();
  expect(await second.ended).toBe('SIGKILL');
  expect(await readdir(root)).toEqual([]);
});

test('a query under way is answered before it stops', async () => {
  await start();
  const slow = client.query({ query: 'SELECT sleep(1) AS s', format: 'JSONEachRow' });
  await expect
    .poll(async () => {
      const answer = await fetch(`${front!.url}/ping`);
      return answer.status;
    })
    .toBe(200);
  await sleep(300);
  await front!.stop();
  expect(await (await slow).json()).toEqual([{ s: 0 }]);
});

test('it ends with its parent, even when that is killed in the middle of a query, and takes its files along', async () => {
  const script = `
    const { startClickHouseFront } = await import(${JSON.stringify(new URL('embedded/clickhouse-front.js', DIST).href)});
    const front = await startClickHouseFront();
    fetch(front.url, { method: 'POST', body: 'SELECT sleep(3)' });
    setTimeout(() => console.log(front.pid), 300);
  `;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: root },
  });
  const pid = await new Promise<number>((done) => parent.stdout.once('data', (text) => done(Number(text))));
  expect(isAlive(pid)).toBe(true);
  parent.kill('SIGKILL');
  await expect.poll(() => isAlive(pid), { timeout: 30_000 }).toBe(false);
  expect(await readdir(root)).toEqual([]);
});

test('only its user comes in, and the password is nowhere to be seen', async () => {
  const password = 'correct horse';
  await start({ folder, user: 'ann', password });
  const ask = async (headers: Record<string, string>) => {
    const answer = await fetch(front!.url, { method: 'POST', body: 'SELECT 1', headers });
    return [answer.status, answer.headers.get('x-clickhouse-exception-code'), await answer.text()];
  };
  expect(await ask({ 'X-ClickHouse-User': 'ann', 'X-ClickHouse-Key': password })).toEqual([200, null, '1\n']);
  const basic = Buffer.from(`ann:${password}`).toString('base64');
  expect(await ask({ Authorization: `Basic ${basic}` })).toEqual([200, null, '1\n']);
  const refused = await ask({ 'X-ClickHouse-User': 'ann', 'X-ClickHouse-Key': 'wrong' });
  expect(refused).toEqual([
    403,
    '516',
    expect.stringMatching(/^Code: 516\. DB::Exception: ann: Auth.*AUTHENTICATION_FAILED/),
  ]);
  expect((await ask({}))[0]).toBe(403);
  await expect(client.command({ query: 'SELECT 1' })).rejects.toMatchObject({
    code: '516',
    type: 'AUTHENTICATION_FAILED',
  });
  expect((await fetch(`${front!.url}/ping`)).status).toBe(200);
  const ps = spawn('ps', ['-o', 'args=', '-p', String(front!.pid)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const line = await new Promise<string>((done) => ps.stdout.once('data', (text) => done(String(text))));
  expect(line).toContain('clickhouse-front-child.js');
  expect(line).not.toContain(password);
});

test('settings that it is started with are those of every query, as in a profile that may only read', async () => {
  await start({ folder, settings: { readonly: 1 } });
  await expect(client.command({ query: 'CREATE TABLE t (a UInt8) ENGINE = Memory' })).rejects.toMatchObject({
    code: '164',
    type: 'READONLY',
  });
  await expect(
    client.command({ query: 'SELECT 1', clickhouse_settings: { max_threads: 1 } }),
  ).rejects.toMatchObject({ type: 'READONLY' });
  await client.command({ query: 'SELECT 1' });
});

test('a folder has one front, a port one server', async () => {
  const first = await start();
  await expect(startClickHouseFront({ folder })).rejects.toMatchObject({
    code: 'CHDB_UNAVAILABLE',
    where: { folder },
  });
  const port = Number(new URL(first.url).port);
  await expect(startClickHouseFront({ folder: join(root, 'other'), port })).rejects.toMatchObject({
    code: 'CHDB_UNAVAILABLE',
    message: expect.stringContaining('EADDRINUSE'),
    remedy: 'Give another port.',
  });
  expect((await client.ping()).success).toBe(true);
  await first.kill();
  expect((await start({ folder, port })).url).toBe(first.url);
  await writeFile(join(root, 'file'), '');
  await expect(startClickHouseFront({ folder: join(root, 'file') })).rejects.toMatchObject({
    code: 'CHDB_UNAVAILABLE',
  });
});

test('it says what to do when chDB is not installed, as in production', async () => {
  for (const part of ['errors.js', 'random.js', 'version.js', 'telemetry/cpu.js']) {
    await cp(new URL(part, DIST), join(root, 'dist', part));
  }
  await mkdir(join(root, 'dist/embedded'), { recursive: true });
  for (const name of await readdir(new URL('embedded/', DIST))) {
    if (name.startsWith('clickhouse-front')) {
      await cp(new URL(`embedded/${name}`, DIST), join(root, 'dist/embedded', name));
    }
  }
  await cp(new URL('../package.json', DIST), join(root, 'package.json'));
  const script = `
    const { startClickHouseFront } = await import(${JSON.stringify(join(root, 'dist/embedded/clickhouse-front.js'))});
    await startClickHouseFront().catch((error) => console.log(String(error)));
  `;
  const node = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const printed = await new Promise((done) => node.stdout.once('data', (text) => done(String(text))));
  expect(printed).toMatch(
    /^CHDB_UNAVAILABLE: .*Cannot find package 'chdb'.*npm ci in a checkout installs it/,
  );
});
