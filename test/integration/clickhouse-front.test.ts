/** The embedded ClickHouse as @clickhouse/client, curl and the engine meet it. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';
import {
  type ClickHouseClient,
  type ClickHouseClientConfigOptions,
  ClickHouseLogLevel,
  type ClickHouseSettings,
  createClient,
} from '@clickhouse/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ClickHouseFront, startClickHouseFront } from '#src/embedded/clickhouse-front.js';

let front: ClickHouseFront;
let client: ClickHouseClient;
const clients: ClickHouseClient[] = [];

function open(options: ClickHouseClientConfigOptions = {}): ClickHouseClient {
  const opened = createClient({ url: front.url, log: { level: ClickHouseLogLevel.OFF }, ...options });
  clients.push(opened);
  return opened;
}

beforeAll(async () => {
  front = await startClickHouseFront();
  client = open();
});

afterAll(async () => {
  await Promise.all(clients.map((one) => one.close()));
  await front.stop();
});

async function rows<T = Record<string, unknown>>(query: string, from = client): Promise<T[]> {
  return (await from.query({ query, format: 'JSONEachRow' })).json<T>();
}

interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

/** A request as curl sends it: nothing added, nothing undone. */
function ask(
  path: string,
  {
    method = 'POST',
    body = '',
    headers = {},
  }: { method?: string; body?: string | Buffer; headers?: object } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(front.url + path, { method, headers: { ...headers } }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
      resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) });
    });
    request.on('error', reject).end(body);
  });
}

const inAddress = (query: string, more = '') => `/?query=${encodeURIComponent(query)}${more}`;

describe('queries', () => {
  test('it answers pings, with and without a query', async () => {
    expect(await client.ping()).toEqual({ success: true });
    expect(await client.ping({ select: true })).toEqual({ success: true });
    expect((await ask('/ping', { method: 'GET' })).body.toString()).toBe('Ok.\n');
    expect((await ask('/', { method: 'GET' })).body.toString()).toBe('Ok.\n');
  });

  test('a result comes whole as JSON and row by row as a stream', async () => {
    const query = 'SELECT number AS n, toString(n) AS s FROM numbers(3)';
    const whole = await (await client.query({ query, format: 'JSON' })).json();
    expect(whole.data).toEqual([0, 1, 2].map((n) => ({ n, s: String(n) })));
    expect(whole.rows).toBe(3);
    const stream = (
      await client.query({ query: 'SELECT number AS n FROM numbers(100000)', format: 'JSONEachRow' })
    ).stream<{ n: number }>();
    let sum = 0;
    for await (const some of stream) for (const row of some) sum += row.json().n;
    expect(sum).toBe((100_000 * 99_999) / 2);
  });

  test('parameters arrive as they were given, whatever is in them', async () => {
    const given = {
      text: "tab\t, 'quoted', back\\slash,\nline, é 😀, {x:String}",
      list: ["it's", 'a\\b'],
      nothing: null,
      big: 18446744073709551615n,
      time: new Date(86_400_000),
    };
    const query =
      'SELECT {text:String} AS text, {list:Array(String)} AS list, {nothing:Nullable(String)} AS nothing, ' +
      'toString({big:UInt64}) AS big, toString({time:DateTime}) AS time';
    const result = await client.query({ query, query_params: given, format: 'JSONEachRow' });
    expect(await result.json()).toEqual([
      {
        text: given.text,
        list: given.list,
        nothing: null,
        big: '18446744073709551615',
        time: '1970-01-02 00:00:00',
      },
    ]);
  });

  test('a setting holds for its query alone', async () => {
    const value = async (settings: ClickHouseSettings) => {
      const query = "SELECT toString(getSetting('max_block_size')) AS v";
      const result = await client.query({ query, format: 'JSONEachRow', clickhouse_settings: settings });
      return (await result.json<{ v: string }>())[0]!.v;
    };
    const usual = await value({});
    expect(await value({ max_block_size: '4711' })).toBe('4711');
    expect(await value({})).toBe(usual);
  });

  test('the database of a client is the one its queries are in', async () => {
    await client.command({ query: 'CREATE DATABASE elsewhere' });
    expect(await rows('SELECT currentDatabase() AS d', open({ database: 'elsewhere' }))).toEqual([
      { d: 'elsewhere' },
    ]);
    await expect(rows('SELECT 1', open({ database: 'missing' }))).rejects.toMatchObject({
      code: '81',
      type: 'UNKNOWN_DATABASE',
    });
  });

  test.each([
    ['SELECT * FROM missing', '60', 'UNKNOWN_TABLE', 404],
    ['SELECT missing', '47', 'UNKNOWN_IDENTIFIER', 404],
    ['SELEKT 1', '62', 'SYNTAX_ERROR', 400],
    ['SELECT 1; SELECT 2', '62', 'SYNTAX_ERROR', 400],
    ["SELECT throwIf(1, 'no')", '395', 'FUNCTION_THROW_IF_VALUE_IS_NON_ZERO', 500],
    [
      'SELECT sum(ignore(number)) FROM numbers(10000000000) SETTINGS max_execution_time = 0.2',
      '159',
      'TIMEOUT_EXCEEDED',
      408,
    ],
  ])('%s is refused with its code, name and status', async (query, code, type, status) => {
    await expect(client.command({ query })).rejects.toMatchObject({ code, type });
    const answer = await ask('/', { body: query });
    expect(answer.status).toBe(status);
    expect(answer.headers['x-clickhouse-exception-code']).toBe(code);
    expect(answer.body.toString()).toMatch(
      /^Code: \d+\. DB::Exception: .* \([A-Z_]+\) \(version [\d.]+\)\n$/s,
    );
  });

  test('an unknown setting is refused, and so is a value that is none', async () => {
    const asked = (settings: ClickHouseSettings) =>
      client.command({ query: 'SELECT 1', clickhouse_settings: settings });
    await expect(asked({ no_such_setting: 1 })).rejects.toMatchObject({
      code: '115',
      type: 'UNKNOWN_SETTING',
    });
    await expect(asked({ max_block_size: 'many' })).rejects.toMatchObject({ code: '27' });
    await expect(asked({ 'a = 1, b': 1 })).rejects.toMatchObject({ code: '115' });
  });

  test('answers say what they are', async () => {
    const { headers, body } = await ask('/?query_id=abc&default_format=JSONCompactEachRow', {
      body: 'SELECT 1',
    });
    expect(body.toString()).toBe('[1]\n');
    expect(headers).toMatchObject({
      'x-clickhouse-query-id': 'abc',
      'x-clickhouse-format': 'JSONCompactEachRow',
      'x-clickhouse-server-display-name': 'headrace-embedded',
    });
    expect(JSON.parse(headers['x-clickhouse-summary'] as string)).toMatchObject({ read_rows: '1' });
    expect(
      (await ask(inAddress('SELECT 1 FORMAT CSV'), { method: 'GET' })).headers['x-clickhouse-format'],
    ).toBe('CSV');
  });

  test('a statement may be in the address, in the body, or begin in one and go on in the other', async () => {
    expect((await ask(inAddress('SELECT 1'), { method: 'GET' })).body.toString()).toBe('1\n');
    expect((await ask('/', { body: 'SELECT 2' })).body.toString()).toBe('2\n');
    expect((await ask(inAddress('SELECT 3 +'), { body: '4' })).body.toString()).toBe('7\n');
    expect((await ask('/', { body: '' })).status).toBe(400);
  });

  test('GET changes nothing', async () => {
    const answer = await ask(inAddress('CREATE TABLE made_by_get (a UInt8) ENGINE = Memory'), {
      method: 'GET',
    });
    expect(answer.body.toString()).toMatch(/^Code: 164\..*\(READONLY\)/);
  });

  test('answers are compressed when they should be, and compressed bodies are understood', async () => {
    const headers = { 'accept-encoding': 'gzip' };
    const answer = await ask(inAddress('SELECT number FROM numbers(1000)', '&enable_http_compression=1'), {
      headers,
    });
    expect(answer.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(answer.body).toString().split('\n')).toHaveLength(1001);
    expect((await ask(inAddress('SELECT 1'), { headers })).headers['content-encoding']).toBeUndefined();
    const zipped = { body: gzipSync('SELECT 5'), headers: { 'content-encoding': 'gzip' } };
    expect((await ask('/', zipped)).body.toString()).toBe('5\n');
    expect((await ask('/', { ...zipped, body: 'not gzip' })).status).toBe(500);
    const both = open({ compression: { request: true, response: true } });
    expect(await rows('SELECT max(number) AS m FROM numbers(1000)', both)).toEqual([{ m: 999 }]);
  });

  test('what it cannot do it says', async () => {
    expect((await ask('/?decompress=1', { body: 'x' })).status).toBe(501);
    expect((await ask('/elsewhere', { body: 'x' })).status).toBe(404);
    expect((await ask('/', { body: 'x', headers: { 'content-encoding': 'morse' } })).status).toBe(501);
  });
});

describe('sessions', () => {
  test('keep what is set and temporary tables, for themselves', async () => {
    const session = open({ session_id: 'one' });
    const threads = "SELECT toString(getSetting('max_threads')) AS v";
    await session.command({ query: 'CREATE TEMPORARY TABLE mine (a UInt8)' });
    await session.insert({ table: 'mine', values: [{ a: 1 }], format: 'JSONEachRow' });
    await session.command({ query: 'SET max_threads = 7' });
    await session.command({
      query: 'SELECT 1',
      clickhouse_settings: { max_threads: 9, max_block_size: '5' },
    });
    expect(await rows('SELECT a FROM mine', session)).toEqual([{ a: 1 }]);
    expect(await rows(threads, session)).toEqual([{ v: '7' }]);
    await expect(rows('SELECT a FROM mine')).rejects.toMatchObject({ type: 'UNKNOWN_TABLE' });
    await expect(rows('SELECT a FROM mine', open({ session_id: 'two' }))).rejects.toMatchObject({
      type: 'UNKNOWN_TABLE',
    });
    expect(await rows(threads)).not.toEqual([{ v: '7' }]);
  });

  test('are gone when their time is over, and one that is expected must be there', async () => {
    const expected = () => ask('/?session_id=short&session_timeout=1&session_check=1', { body: 'SELECT 1' });
    expect((await expected()).body.toString()).toMatch(/^Code: 372\..*SESSION_NOT_FOUND/);
    await ask('/?session_id=short&session_timeout=1', { body: 'SELECT 1' });
    expect((await expected()).body.toString()).toBe('1\n');
    await expect.poll(async () => (await expected()).status, { interval: 1_500, timeout: 20_000 }).toBe(500);
  });
});

describe('inserts', () => {
  /** What the follower sends with each file: one file, one block. */
  const FILE_SETTINGS = {
    async_insert: 0,
    insert_deduplicate: 1,
    wait_end_of_query: 1,
    deduplicate_blocks_in_dependent_materialized_views: 1,
    max_insert_threads: '1',
    min_insert_block_size_rows: '10000000',
    min_insert_block_size_bytes: '10000000000',
    min_insert_block_size_rows_for_materialized_views: '10000000',
    min_insert_block_size_bytes_for_materialized_views: '10000000000',
  } as const;
  const ROWS = 200_000;
  let parquet: Buffer;

  beforeAll(async () => {
    const query =
      "SELECT number AS id, toString(number % 100) AS page, [page, 'x'] AS list, if(page = '7', NULL, page) AS maybe " +
      `FROM numbers(${ROWS}) FORMAT Parquet SETTINGS output_format_parquet_row_group_size = 50000`;
    parquet = (await ask('/', { body: query })).body;
    await client.command({ query: 'SYSTEM STOP MERGES' });
  });

  async function makeTables(name: string): Promise<void> {
    const end = 'SETTINGS non_replicated_deduplication_window = 100';
    for (const query of [
      `CREATE DATABASE ${name}`,
      `CREATE TABLE ${name}.t (id UInt64, page LowCardinality(String), list Array(String), maybe Nullable(String)) ENGINE = MergeTree ORDER BY id ${end}`,
      `CREATE TABLE ${name}.pages (page String, n UInt64) ENGINE = SummingMergeTree ORDER BY page ${end}`,
      `CREATE MATERIALIZED VIEW ${name}.to_pages TO ${name}.pages AS SELECT page, count() AS n FROM ${name}.t GROUP BY page`,
    ]) {
      await client.command({ query });
    }
  }

  const insertFile = (table: string, token: string, bytes: Buffer = parquet, from = client) =>
    from.insert({
      table,
      values: Readable.from([bytes], { objectMode: false }),
      format: 'Parquet',
      clickhouse_settings: { ...FILE_SETTINGS, insert_deduplication_token: token },
    });

  /** [rows, rows as the view counts them, parts of the table] */
  async function state(name: string): Promise<[number, number, number]> {
    const [row] = await rows<{ t: number; n: number; parts: number }>(
      `SELECT (SELECT count() FROM ${name}.t) AS t, (SELECT sum(n) FROM ${name}.pages) AS n,
        (SELECT count() FROM system.parts WHERE database = '${name}' AND table = 't' AND active) AS parts`,
    );
    return [row!.t, row!.n, row!.parts];
  }

  test('a Parquet file of several row groups is one part, and one token is one insert, for a view too', async () => {
    await makeTables('tokens');
    const { summary } = await insertFile('tokens.t', 'a');
    expect(summary).toMatchObject({ written_rows: String(ROWS) });
    expect(await state('tokens')).toEqual([ROWS, ROWS, 1]);
    await insertFile('tokens.t', 'a');
    expect(await state('tokens')).toEqual([ROWS, ROWS, 1]);
    await insertFile('tokens.t', 'b', parquet, open({ compression: { request: true } }));
    expect(await state('tokens')).toEqual([2 * ROWS, 2 * ROWS, 2]);
    expect(await rows('SELECT * FROM tokens.t WHERE id = 107 LIMIT 1')).toEqual([
      { id: 107, page: '7', list: ['7', 'x'], maybe: null },
    ]);
  });

  test('a view has a window of its own: what it has lost comes back with the token', async () => {
    await makeTables('windows');
    await insertFile('windows.t', 'a');
    await client.command({ query: 'DROP TABLE windows.pages SYNC' });
    await client.command({
      query:
        'CREATE TABLE windows.pages (page String, n UInt64) ENGINE = SummingMergeTree ORDER BY page SETTINGS non_replicated_deduplication_window = 100',
    });
    await insertFile('windows.t', 'a');
    expect(await state('windows')).toEqual([ROWS, ROWS, 1]);
  });

  test('a row that is refused refuses the whole insert, in any format', async () => {
    await makeTables('refused');
    const json = [{ id: 1 }, { id: 'two' }];
    await expect(
      client.insert({ table: 'refused.t', values: json, format: 'JSONEachRow' }),
    ).rejects.toMatchObject({ code: '27' });
    await expect(insertFile('refused.t', 'cut', parquet.subarray(0, 100_000))).rejects.toMatchObject({
      code: '117',
      type: 'INCORRECT_DATA',
    });
    await expect(insertFile('refused.missing', 'x')).rejects.toMatchObject({ type: 'UNKNOWN_TABLE' });
    expect(await state('refused')).toEqual([0, 0, 0]);
  });

  test('a view that throws refuses the insert', async () => {
    await client.command({ query: 'CREATE TABLE thrown (id UInt64) ENGINE = MergeTree ORDER BY id' });
    await client.command({
      query:
        "CREATE MATERIALIZED VIEW throws ENGINE = MergeTree ORDER BY e AS SELECT throwIf(id = 2, 'no twos') AS e FROM thrown",
    });
    const insert = (id: number) =>
      client.insert({
        table: 'thrown',
        values: [{ id }],
        format: 'JSONEachRow',
        clickhouse_settings: { async_insert: 0 },
      });
    await insert(1);
    await expect(insert(2)).rejects.toMatchObject({
      code: '395',
      message: expect.stringContaining('no twos'),
    });
  });

  test('a disk that is full refuses the insert', async () => {
    await client.command({ query: 'CREATE TABLE no_room (a UInt32) ENGINE = MergeTree ORDER BY a' });
    const insert = client.insert({
      table: 'no_room',
      values: [{ a: 1 }],
      format: 'JSONEachRow',
      clickhouse_settings: { async_insert: 0, min_free_disk_bytes_to_perform_insert: '1000000000000000' },
    });
    await expect(insert).rejects.toMatchObject({ code: '243', type: 'NOT_ENOUGH_SPACE' });
  });

  test('data may come in other formats, compressions and ways', async () => {
    await client.command({ query: 'CREATE TABLE ways (a UInt32, s String) ENGINE = Memory' });
    await client.insert({ table: 'ways', values: [{ a: 1, s: 'é😀\n"' }], format: 'JSONEachRow' });
    await client.insert({
      table: 'ways',
      values: [[2, "it's"]],
      format: 'JSONCompactEachRow',
      columns: ['a', 's'],
    });
    await client.insert({ table: 'ways', values: [], format: 'JSONEachRow' });
    await client.command({
      query: 'INSERT INTO ways VALUES ({a:UInt32}, {s:String})',
      query_params: { a: 3, s: 'p' },
    });
    await client.exec({
      query: 'INSERT INTO ways FORMAT TabSeparated',
      values: Readable.from(['4\tt\n'], { objectMode: false }),
    });
    await ask('/', {
      body: Buffer.concat([
        Buffer.from('INSERT INTO ways FORMAT RowBinary\n'),
        Buffer.of(5, 0, 0, 0, 1, 255),
      ]),
    });
    await ask(inAddress('INSERT INTO ways VALUES'), { body: "(6, 'v')" });
    await ask(inAddress('INSERT INTO ways (a) SETTINGS max_threads = 1 FORMAT CSV'), {
      body: gzipSync('7\n8\n'),
      headers: { 'content-encoding': 'gzip' },
    });
    await ask(inAddress('INSERT INTO ways FORMAT JSONEachRow'), { body: '' });
    expect(await rows('SELECT a, hex(s) AS s FROM ways ORDER BY a')).toEqual(
      ['é😀\n"', "it's", 'p', 't', null, 'v', '', ''].map((s, i) => ({
        a: i + 1,
        s: s === null ? 'FF' : Buffer.from(s).toString('hex').toUpperCase(),
      })),
    );
  });

  test('a body that breaks off is nothing, and its client keeps nobody waiting', async () => {
    await client.command({ query: 'CREATE TABLE broken (a UInt32) ENGINE = Memory' });
    const { port } = new URL(front.url);
    const slow = connect(Number(port), '127.0.0.1');
    slow.on('error', () => {});
    const head = `POST ${inAddress('INSERT INTO broken FORMAT CSV')} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`;
    await new Promise<void>((done) => slow.write(`${head}4\r\n1\n2\n\r\n`, () => done()));
    expect(await rows('SELECT count() AS n FROM broken')).toEqual([{ n: 0 }]);
    slow.resetAndDestroy();
    await client.insert({ table: 'broken', values: [{ a: 3 }], format: 'JSONEachRow' });
    expect(await rows('SELECT a FROM broken')).toEqual([{ a: 3 }]);
  });

  test('a client that gives up gets its error; what another had sent whole before it went is done in its turn', async () => {
    await client.command({ query: 'CREATE TABLE given_up (a UInt32) ENGINE = Memory' });
    const slow = client.command({ query: 'SELECT sleep(2)' });
    const impatient = open({ request_timeout: 300 });
    await expect(impatient.command({ query: 'SELECT 1' })).rejects.toThrow(/[Tt]imeout/);
    const aborter = new AbortController();
    const aborted = client.command({ query: 'SELECT 1', abort_signal: aborter.signal });
    aborter.abort();
    await expect(aborted).rejects.toThrow(/abort/i);
    const gone = httpRequest(front.url + inAddress('INSERT INTO given_up FORMAT CSV'), { method: 'POST' });
    gone.on('error', () => {});
    await new Promise<void>((sent) => gone.end('1\n', sent));
    await client.ping();
    gone.destroy();
    await slow;
    expect(await rows('SELECT a FROM given_up')).toEqual([{ a: 1 }]);
  });
});

test('what a check of tables, columns and settings reads is there', async () => {
  await client.command({
    query:
      "CREATE TABLE checked (a UInt32, b Nullable(String), day Date MATERIALIZED toDate(a, 'UTC')) ENGINE = MergeTree PARTITION BY day ORDER BY a SETTINGS non_replicated_deduplication_window = 12",
  });
  expect(
    await rows(
      "SELECT engine, partition_key, sorting_key, engine_full FROM system.tables WHERE name = 'checked'",
    ),
  ).toEqual([
    {
      engine: 'MergeTree',
      partition_key: 'day',
      sorting_key: 'a',
      engine_full: expect.stringContaining('non_replicated_deduplication_window = 12'),
    },
  ]);
  expect(
    await rows(
      "SELECT name, type, default_kind FROM system.columns WHERE table = 'checked' AND database = currentDatabase() ORDER BY position",
    ),
  ).toEqual([
    { name: 'a', type: 'UInt32', default_kind: '' },
    { name: 'b', type: 'Nullable(String)', default_kind: '' },
    { name: 'day', type: 'Date', default_kind: 'MATERIALIZED' },
  ]);
  const [facts] = await rows(
    `SELECT version() AS version, timezone() AS zone, getSetting('readonly') AS readonly,
      (SELECT value FROM system.settings WHERE name = 'async_insert') AS async,
      (SELECT value FROM system.merge_tree_settings WHERE name = 'non_replicated_deduplication_window') AS window`,
  );
  expect(facts).toMatchObject({ zone: expect.stringMatching(/UTC$/), readonly: 0, async: '1', window: '0' });
  expect(String(facts!.version)).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
});

test('its CPU grows with what it does', async () => {
  const before = front.cpuSeconds();
  await rows('SELECT sum(sipHash64(number)) AS s FROM numbers(50000000)');
  expect(front.cpuSeconds()).toBeGreaterThan(before);
});
