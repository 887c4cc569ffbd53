import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openChdb, querySql } from '#src/embedded/chdb-query.js';

let root: string;
let folder: string;
let temporary: string;

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'headrace-test-chdb-')));
  folder = join(root, 'lake');
  temporary = join(root, 'tmp');
  await mkdir(folder);
  await mkdir(temporary);
  vi.stubEnv('TMPDIR', temporary);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true, force: true });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** A Delta table of two files, the second of which takes a row back. Written by chDB and by hand. */
async function writeDeltaTable(): Promise<string> {
  const table = join(folder, 'sessions');
  await mkdir(join(table, '_delta_log'), { recursive: true });
  const session = await openChdb(folder);
  const put = (name: string, rows: string) =>
    session.text(`INSERT INTO FUNCTION file('sessions/${name}', 'Parquet') ${rows}`, 'Null');
  await put(
    'a.parquet',
    `SELECT * FROM values('country String, n Int32, sign Int32', ('DE', 3, 1), ('FR', 5, 1))`,
  );
  await put(
    'b.parquet',
    `SELECT * FROM values('country String, n Int32, sign Int32', ('DE', 3, -1), ('DE', 4, 1))`,
  );
  await session.close();
  const fields = [
    ['country', 'string'],
    ['n', 'integer'],
    ['sign', 'integer'],
  ].map(([name, type]) => ({ name, type, nullable: true, metadata: {} }));
  const add = async (path: string) => ({
    add: {
      path,
      partitionValues: {},
      size: (await stat(join(table, path))).size,
      modificationTime: 0,
      dataChange: true,
    },
  });
  const actions = [
    { protocol: { minReaderVersion: 1, minWriterVersion: 2 } },
    {
      metaData: {
        id: '5ad5cd5c-41c6-4bb8-a6c1-8a2a4c8ad6c5',
        format: { provider: 'parquet', options: {} },
        schemaString: JSON.stringify({ type: 'struct', fields }),
        partitionColumns: [],
        configuration: {},
      },
    },
    await add('a.parquet'),
    await add('b.parquet'),
  ];
  const log = actions.map((action) => JSON.stringify(action)).join('\n');
  await writeFile(join(table, '_delta_log', '00000000000000000000.json'), log);
  return table;
}

describe('SQL by chDB in a child process', () => {
  it('gives rows, with 64-bit numbers to the last digit and times in UTC', async () => {
    vi.stubEnv('TZ', 'America/New_York');
    const rows = await querySql(
      folder,
      `SELECT * FROM (SELECT toUInt64(9223372036854775807) AS id, toUInt32(7) AS n, 'é\n"' AS text, toDateTime64(0.5, 3) AS t
       UNION ALL SELECT 1, 2, '', toDateTime64(1, 3)) ORDER BY id DESC`,
    );
    expect(rows).toEqual([
      { id: '9223372036854775807', n: 7, text: 'é\n"', t: '1970-01-01 00:00:00.500' },
      { id: '1', n: 2, text: '', t: '1970-01-01 00:00:01.000' },
    ]);
    expect(await readdir(temporary)).toEqual([]);
  });

  it('reads a Delta table below its folder, also when the folder is a symbolic link', async () => {
    await writeDeltaTable();
    await symlink(folder, join(root, 'link'));
    const session = await openChdb(join(root, 'link'));
    expect(session.folder).toBe(folder);
    const rows = await session.query(
      `SELECT country, sum(sign * n) AS n, sum(sign) AS sessions
       FROM deltaLakeLocal('${session.folder}/sessions') GROUP BY country ORDER BY country`,
    );
    await session.close();
    expect(rows).toEqual([
      { country: 'DE', n: '4', sessions: '1' },
      { country: 'FR', n: '5', sessions: '1' },
    ]);
  });

  it('answers queries asked at once in turn, keeps its tables between them, and ends when closed', async () => {
    const session = await openChdb(folder);
    const answers = await Promise.all([
      session.query('CREATE TABLE t (x UInt32) ENGINE = Memory'),
      session.query('INSERT INTO t SELECT number FROM numbers(10)'),
      session.text('SELECT sum(x) FROM t', 'CSV'),
    ]);
    expect(answers).toEqual([[], [], '45\n']);
    await session.close();
    expect(isAlive(session.pid)).toBe(false);
    await expect(session.query('SELECT 1')).rejects.toMatchObject({ code: 'CHDB_QUERY' });
    expect(await readdir(temporary)).toEqual([]);
  });

  it("fails with ClickHouse's words and answers the next query", async () => {
    const session = await openChdb(folder);
    await expect(session.query('SELECT nope')).rejects.toMatchObject({
      code: 'CHDB_QUERY',
      message: expect.stringContaining('UNKNOWN_IDENTIFIER'),
      where: { sql: 'SELECT nope' },
    });
    await expect(session.query(`SELECT * FROM deltaLakeLocal('${root}/elsewhere')`)).rejects.toThrow(
      /PATH_ACCESS_DENIED/,
    );
    expect(await session.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await session.close();
  });

  it('stops a query that takes too long, together with its process and files', async () => {
    const session = await openChdb(folder, { timeoutMs: 8_000 });
    const endless = 'SELECT count() FROM numbers_mt(1000000000000) WHERE NOT ignore(sipHash64(number))';
    await expect(session.query(endless)).rejects.toThrow(/no answer within 8000 ms/);
    expect(isAlive(session.pid)).toBe(false);
    await session.close();
    expect(await readdir(temporary)).toEqual([]);
  });

  it('ends with its parent, even when that is killed in the middle of a query', async () => {
    const script = `
      import { openChdb } from ${JSON.stringify(new URL('../../dist/embedded/chdb-query.js', import.meta.url).href)};
      const session = await openChdb(${JSON.stringify(folder)});
      session.query('SELECT count() FROM numbers_mt(1000000000000) WHERE NOT ignore(sipHash64(number))');
      console.log(session.pid);
    `;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const pid = await new Promise<number>((resolve) =>
      parent.stdout.once('data', (text) => resolve(Number(text))),
    );
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await expect.poll(() => isAlive(pid), { timeout: 20_000 }).toBe(false);
    expect(await readdir(temporary)).toEqual([]);
  });

  it('says what to do when chDB is not installed, as in production', async () => {
    const dist = new URL('../../dist/', import.meta.url);
    for (const name of ['errors.js', 'version.js', 'embedded/chdb-query.js', 'embedded/chdb-child.js']) {
      await cp(new URL(name, dist), join(root, 'dist', name));
    }
    await cp(new URL('../package.json', dist), join(root, 'package.json'));
    const script = `
      import { querySql } from ${JSON.stringify(join(root, 'dist/embedded/chdb-query.js'))};
      await querySql('.', 'SELECT 1').catch((error) => console.log(String(error)));
    `;
    const node = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const printed = await new Promise((resolve) => node.stdout.once('data', (text) => resolve(String(text))));
    expect(printed).toMatch(
      /^CHDB_UNAVAILABLE: .*Cannot find package 'chdb'.*npm install chdb@\d+\.\d+\.\d+ .*npm ci in a checkout installs it/,
    );
  });

  it('says so when the folder is not there', async () => {
    await expect(openChdb(join(root, 'missing'))).rejects.toMatchObject({
      code: 'CHDB_UNAVAILABLE',
      where: { folder: join(root, 'missing') },
    });
  });
});
