import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import * as dlqExamples from '#src/commands/dlq/examples.js';
import * as mainExamples from '#src/commands/examples.js';
import * as forgetExamples from '#src/commands/forget/examples.js';
import * as lakeExamples from '#src/commands/lake/examples.js';
import * as ledgerExamples from '#src/commands/ledger/examples.js';
import * as modelExamples from '#src/commands/model/examples.js';
import * as systemdExamples from '#src/commands/systemd/examples.js';
import * as tapExamples from '#src/commands/tap/examples.js';
import * as topExamples from '#src/commands/top/examples.js';
import { HeadraceError } from '#src/errors.js';
import { FIVE, headrace } from '../support/run-cli.js';

describe('headrace run', () => {
  it('hands the command a configuration from five flags alone', async () => {
    const { code, run, stderr } = await headrace(['run', ...FIVE]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(run[0]).toMatchObject({
      untilEnd: false,
      json: false,
      config: { kafka: { topic: 't' }, workers: 3 },
    });
  });

  it('takes all its flags, and they win over the file', async () => {
    const more = ['--until-end', '--workers', '2', '--group-protocol', 'consumer', '--start', 'latest'];
    more.push('--engine', 'reference');
    const logs = ['--cut-interval=250ms', '--log-level', 'warn', '--json'];
    const { run } = await headrace(['run', '--config', 'engine.yaml', '--topic', 'other', ...more, ...logs]);
    expect(run[0]).toMatchObject({
      untilEnd: true,
      json: true,
      config: {
        kafka: { brokers: ['localhost:9092'], topic: 'other', groupProtocol: 'consumer', start: 'latest' },
        workers: 2,
        engine: 'reference',
        cutIntervalMs: 250,
        log: { level: 'warn', format: 'json' },
      },
    });
  });

  it('without what it needs ends with 78 and names the missing flags and an example', async () => {
    const { code, stderr, loaded } = await headrace(['run', '--brokers', 'b:9092', '--topic', 't']);
    expect(code).toBe(78);
    expect(stderr).toMatch(/--group[\s\S]*--model[\s\S]*--lake[\s\S]*for example: headrace run --brokers/);
    expect(stderr).not.toMatch(/--topic\n/);
    expect(loaded).toEqual([]);
  });

  it('with a wrong value ends with 78 and one line', async () => {
    const { code, stderr } = await headrace(['run', ...FIVE, '--cut-interval', '10']);
    expect(code).toBe(78);
    expect(stderr).toBe(
      'CONFIG_INVALID: --cut-interval (cut_interval): 10 has no unit: write 10s if you mean that\n',
    );
  });

  it('ends with the exit code of the command', async () => {
    expect((await headrace(['run', ...FIVE], async () => 75)).code).toBe(75);
  });
});

describe('headrace forget', () => {
  it('is told whom, shows it unless --yes, and --dry-run wins', async () => {
    const who = ['forget', ...FIVE, '--key', 'user_id=a=b'];
    const [shown] = (await headrace(who)).forget;
    expect(shown).toMatchObject({
      key: 'user_id=a=b',
      finish: null,
      yes: false,
      timeoutMs: 60_000,
      json: false,
    });
    expect(shown!.config.kafka.group).toBe('g');
    expect((await headrace([...who, '--yes', '--json', '--timeout', '2m'])).forget[0]).toMatchObject({
      yes: true,
      json: true,
      timeoutMs: 120_000,
    });
    expect((await headrace([...who, '--yes', '--dry-run'])).forget[0]).toMatchObject({ yes: false });
    const finishing = await headrace(['forget', ...FIVE, '--finish', 'abc', '--yes']);
    expect(finishing.forget[0]).toMatchObject({ key: null, finish: 'abc', yes: true });
    const file = fileURLToPath(new URL('../fixtures/forget-key.txt', import.meta.url));
    const fromFile = await headrace(['forget', ...FIVE, '--key-file', file]);
    expect(fromFile.forget[0]).toMatchObject({ key: 'user_id=from a file' });
    expect((await headrace([...who, '--key-file', file])).code).toBe(64);
    expect((await headrace(['forget', ...FIVE, '--key-file', '/nowhere'])).code).toBe(64);
    const nobody = await headrace(['forget', ...FIVE]);
    expect(nobody.code).toBe(64);
    expect(nobody.stderr).toMatch(/neither --key nor --finish/);
    expect((await headrace([...who, '--timeout', '20'])).code).toBe(64);
  });
});

describe('headrace ledger', () => {
  it('status needs a table and nothing else, or a configuration whose followers are asked', async () => {
    expect((await headrace(['ledger', 'status', '--lake', '/t', '--json'])).ledger[0]).toMatchObject({
      name: 'status',
      lake: { path: '/t' },
      config: null,
      json: true,
    });
    const asking = await headrace(['ledger', 'status', '--config', 'engine.yaml', '--lake', '/t']);
    expect(asking.ledger[0]).toMatchObject({
      lake: { path: '/t' },
      config: { kafka: { group: 'g' } },
      json: false,
    });
    const { code, stderr } = await headrace(['ledger', 'status']);
    expect({ code, stderr }).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('neither --lake nor'),
    });
  });

  it('verify takes partitions and a range', async () => {
    const range = ['--partition', '1,2', '--from', '100', '--to', '2026-01-31'];
    const { ledger, code } = await headrace(['ledger', 'verify', ...FIVE, ...range], async () => 1);
    expect(code).toBe(1);
    expect(ledger[0]).toMatchObject({ partition: '1,2', from: '100', to: '2026-01-31', json: false });
  });

  it('snapshot takes a time-out with its unit', async () => {
    const { ledger } = await headrace(['ledger', 'snapshot', '--lake', '/t', '--timeout', '2m']);
    expect(ledger[0]).toMatchObject({ lake: { path: '/t' }, timeoutMs: 120_000 });
    const { code, stderr } = await headrace(['ledger', 'snapshot', '--lake', '/t', '--timeout', '20']);
    expect(code).toBe(64);
    expect(stderr).toContain('--timeout: 20 has no unit');
  });

  it('reset shows, unless it is told to do it, and needs a partition and a place', async () => {
    const where = ['--partition', '3', '--to', 'latest'];
    expect((await headrace(['ledger', 'reset', ...FIVE, ...where])).ledger[0]).toMatchObject({
      partition: '3',
      to: 'latest',
      yes: false,
    });
    expect((await headrace(['ledger', 'reset', ...FIVE, ...where, '--yes'])).ledger[0]).toMatchObject({
      yes: true,
    });
    expect((await headrace(['ledger', 'reset', ...FIVE, '--to', 'latest'])).code).toBe(64);
  });
});

describe('headrace dlq', () => {
  it('list and show need a table and nothing else, or a configuration that names it', async () => {
    const filter = ['--reason', 'late', '--partition', '1,2', '--from', '10', '--to', '2026-01-31'];
    const { dlq } = await headrace(['dlq', 'list', '--lake', '/t', '--newest', '5', ...filter, '--json']);
    expect(dlq[0]).toMatchObject({
      name: 'list',
      lake: { path: '/t' },
      newest: 5,
      reason: 'late',
      partition: '1,2',
      from: '10',
      to: '2026-01-31',
      json: true,
    });
    const named = await headrace(['dlq', 'show', '--config', 'engine.yaml', '3:1204']);
    const table = { lake: { path: '/work-folder/lake' }, model: 'clickstream' };
    expect(named.dlq[0]).toMatchObject({ ...table, letter: '3:1204', json: false });
    const { code, stderr } = await headrace(['dlq', 'list']);
    expect({ code, stderr }).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('neither --lake nor'),
    });
    expect((await headrace(['dlq', 'list', '--lake', '/t', '--newest', 'all'])).code).toBe(64);
  });

  it('replay shows, unless it is told to do it', async () => {
    const { dlq } = await headrace(['dlq', 'replay', ...FIVE, '--reason', 'future']);
    expect(dlq[0]).toMatchObject({ reason: 'future', yes: false, refusedToo: false });
    expect(dlq[0]).toMatchObject({ config: { kafka: { topic: 't', group: 'g' } } });
    const done = await headrace(['dlq', 'replay', '--config', 'engine.yaml', '--yes', '--refused-too']);
    expect(done.dlq[0]).toMatchObject({ yes: true, refusedToo: true });
  });
});

describe('headrace clickhouse migrate', () => {
  it('needs a model and where ClickHouse is, no Kafka and no lake', async () => {
    const flags = ['--model', 'clickstream', '--clickhouse', 'http://ch:8123', '--clickhouse-database', 'd'];
    const { code, migrate, stderr } = await headrace(['clickhouse', 'migrate', ...flags, '--dry-run']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(migrate[0]).toMatchObject({
      settings: { model: 'clickstream', clickhouse: { url: 'http://ch:8123', database: 'd' } },
      dryRun: true,
      json: false,
    });
  });

  it('takes an engine’s file, and flags win over it', async () => {
    const admin = ['--clickhouse-user', 'admin', '--clickhouse-password-file', 'secret', '--json'];
    const { migrate } = await headrace(['clickhouse', 'migrate', '--config', 'engine.yaml', ...admin]);
    expect(migrate[0]).toMatchObject({
      settings: { clickhouse: { url: 'http://ch:8123', user: 'admin', passwordFile: '/work-folder/secret' } },
      dryRun: false,
      json: true,
    });
  });

  it('without what it needs ends with 78 and an example', async () => {
    const { code, stderr, loaded } = await headrace(['clickhouse', 'migrate', '--model', 'clickstream']);
    expect(code).toBe(78);
    expect(stderr).toMatch(
      /clickhouse\.url: is not set: .* as --clickhouse — for example: headrace clickhouse/,
    );
    expect(loaded).toEqual([]);
  });

  it('alone, `headrace clickhouse` says what it wants', async () => {
    const { code, stderr } = await headrace(['clickhouse']);
    expect(code).toBe(64);
    expect(stderr).toMatch(
      /\nUSAGE: a command is needed: run, init, check, config, demo, model, clickhouse, query, ledger, lake, dlq, forget, kafka, topics, produce, monitor, top, tap or systemd/,
    );
  });
});

describe('the warehouse', () => {
  const ours = ['--model', 'web_clicks', '--clickhouse', 'http://ch-1:8123'];

  it('is audited and asked without Kafka and lake', async () => {
    const { code, warehouse } = await headrace(['clickhouse', 'audit', ...ours, '--json']);
    expect({ code, asked: warehouse[0] }).toMatchObject({ code: 0, asked: { name: 'audit', json: true } });
    const asked = await headrace(['query', 'brands', ...ours, '--days', '7', '--format', 'csv']);
    const plain = { name: 'brands', sql: null, days: 7, format: 'csv', cachedMs: null };
    expect(asked.warehouse[0]).toMatchObject(plain);
    const cached = await headrace(['query', 'brands', ...ours, '--cached-for', '60s']);
    expect(cached.warehouse[0]).toMatchObject({ name: 'brands', cachedMs: 60_000 });
    const sql = await headrace(['query', ...ours, '--sql', 'SELECT 1']);
    expect(sql.warehouse[0]).toMatchObject({ sql: 'SELECT 1', days: 30, format: 'table' });
  });

  it('is made anew only with --yes, the views alone without a lake', async () => {
    const flags = [...FIVE, '--clickhouse', 'http://ch:8123'];
    const shown = await headrace(['clickhouse', 'rebuild', ...flags]);
    expect(shown.warehouse[0]).toMatchObject({ name: 'rebuild', yes: false });
    const views = await headrace(['clickhouse', 'rebuild', ...ours, '--views', '--yes']);
    expect(views.warehouse[0]).toMatchObject({ name: 'rebuild views', yes: true });
  });

  it.each([
    [['query', 'brands', '--sql', 'SELECT 1'], /a name or --sql, not both/],
    [['query', 'brands', '--days', 'x'], /--days must be a whole number from 1 to/],
    [['query', 'brands', '--cached-for', '60'], /--cached-for: /],
    [['query', 'brands', '--format', 'xml'], /--format must be table, csv or json, not xml/],
  ])('refuses %j with 64', async (args, says) => {
    const { code, stderr, warehouse } = await headrace([...args, ...ours]);
    expect({ code, warehouse }).toEqual({ code: 64, warehouse: [] });
    expect(stderr).toMatch(says);
  });
});

describe('headrace demo', () => {
  it('has defaults', async () => {
    const { demo } = await headrace(['demo']);
    expect(demo).toEqual([{ seconds: 30, json: false }]);
  });

  it('takes its flags', async () => {
    const { demo } = await headrace([
      'demo',
      '--seconds',
      '5',
      '--json',
      '--keep',
      '--events-per-second',
      '1000',
    ]);
    expect(demo).toEqual([{ seconds: 5, json: true, keep: true, eventsPerSecond: 1000 }]);
  });

  it.each(['0', '-1', '1.5', 'ten', '', '1e3'])('refuses --seconds %j with 64', async (seconds) => {
    const { code, stderr, demo } = await headrace(['demo', `--seconds=${seconds}`]);
    expect(code).toBe(64);
    expect(stderr).toMatch(/^USAGE: --seconds must be a whole number from 1 to 86400, not .*\n$/);
    expect(demo).toEqual([]);
  });

  it('ends with 1 when its figures differ', async () => {
    expect((await headrace(['demo'], async () => 1)).code).toBe(1);
  });
});

describe('headrace model export', () => {
  it('has defaults, and takes its flags', async () => {
    const { code, exported } = await headrace(['model', 'export', '--to', 'flink-sql']);
    const place = { to: 'flink-sql', brokers: 'localhost:9092', untilEnd: false, json: false };
    expect({ code, exported }).toEqual({ code: 0, exported: [{ ...place, model: 'clickstream' }] });
    const flags = ['--topic', 't', '--brokers', 'b:1,c:2', '--until-end', '--json'];
    const all = await headrace(['model', 'export', 'm.yaml', '--to', 'spark', ...flags]);
    const asked = { to: 'spark', topic: 't', brokers: 'b:1,c:2', untilEnd: true, json: true };
    expect(all.exported).toEqual([{ ...asked, model: 'm.yaml' }]);
  });

  it('asks for an engine', async () => {
    const { code, stderr } = await headrace(['model', 'export']);
    expect(code).toBe(64);
    expect(stderr).toMatch(/^USAGE: required option '--to <engine>' not specified/);
  });
});

describe('a wrong command line', () => {
  it.each([
    [['run', '--broker', 'b:9092'], "unknown option '--broker'", 'Did you mean --brokers?'],
    [['runn'], "unknown command 'runn'", 'Did you mean run?'],
    [['run', '--topic'], "option '--topic <name>' argument missing", 'headrace --help shows what there is'],
    [['run', 'now'], "too many arguments for 'run'. Expected 0 arguments but got 1", 'headrace --help'],
    [['demo', '--lake', 'x'], "unknown option '--lake'", 'headrace --help'],
    [['--versoin'], "unknown option '--versoin'", 'Did you mean --version?'],
  ])('%j ends with 64, one line and a way out', async (args, what, remedy) => {
    const { code, stderr, stdout, loaded } = await headrace(args);
    expect(code).toBe(64);
    expect(stdout).toBe('');
    expect(stderr.split('\n')).toHaveLength(2);
    expect(stderr.startsWith(`USAGE: ${what} — ${remedy}`)).toBe(true);
    expect(loaded).toEqual([]);
  });
});

describe('no command at all', () => {
  it('shows the help on stderr and ends with 64', async () => {
    const { code, stdout, stderr } = await headrace([]);
    expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
    expect(stderr).toMatch(/^Usage: headrace/);
    expect(stderr).toMatch(
      /\nUSAGE: a command is needed: run, init, check, config, demo, model, clickhouse, query, ledger, lake, dlq, forget, kafka, topics, produce, monitor, top, tap or systemd/,
    );
  });
});

describe('help and version', () => {
  it('--version is the package’s', async () => {
    const text = readFileSync(fileURLToPath(new URL('../../package.json', import.meta.url)), 'utf8');
    const { code, stdout } = await headrace(['--version']);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `${(JSON.parse(text) as { version: string }).version}\n`,
    });
  });

  it.each([
    [['--help']],
    [['help']],
    [['run', '--help']],
    [['help', 'demo']],
    [['demo', '-h']],
    [['clickhouse', '-h']],
    [['clickhouse', 'migrate', '--help']],
    [['model', 'export', '--help']],
  ])('%j teaches by example and loads no command', async (args) => {
    const { code, stdout, stderr, loaded } = await headrace(args);
    expect({ code, stderr, loaded }).toEqual({ code: 0, stderr: '', loaded: [] });
    expect(stdout).toMatch(/Examples:\n {2}headrace (run|demo|clickhouse|model)/);
  });

  /** Lines that begin with `headrace`, continued where they end in a backslash, without the remark behind. */
  const lines = Object.values({
    ...mainExamples,
    ...ledgerExamples,
    ...modelExamples,
    ...dlqExamples,
    ...forgetExamples,
    ...lakeExamples,
    ...systemdExamples,
    ...tapExamples,
    ...topExamples,
  }).flatMap((text) =>
    text
      .replaceAll('\\\n', ' ')
      .split('\n')
      .filter((line) => line.startsWith('  headrace '))
      .map((line) => line.trim().replace(/ {3,}(?![ -]).*| > .*/, '')),
  );

  it.each(lines)('the example `%s` works', async (line) => {
    const { code, stderr } = await headrace(wordsOf(line).slice(1));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});

/** As a shell would. */
function wordsOf(line: string): string[] {
  return line.match(/'[^']*'|\S+/g)!.map((word) => word.replace(/^'(.*)'$/, '$1'));
}

describe('a command that fails', () => {
  const lost = () =>
    Promise.reject(new HeadraceError('LAKE_IO', 'disk is gone', { where: { path: '/lake' } }));
  const bug = () => Promise.reject(new TypeError('x is\nundefined'));

  it('ends with the code of its error and one line', async () => {
    const { code, stderr } = await headrace(['run', ...FIVE], lost);
    expect({ code, stderr }).toEqual({ code: 75, stderr: 'LAKE_IO: disk is gone (path=/lake)\n' });
  });

  it('ends with 70 and one line when the fault is our own', async () => {
    const { code, stderr } = await headrace(['run', ...FIVE], bug);
    expect(code).toBe(70);
    expect(stderr).toBe(
      'INTERNAL: x is undefined — this is a fault of headrace; --log-level debug shows where\n',
    );
  });

  it.each([['--log-level', 'debug'], ['--log-level=trace']])(
    'shows the stack with %s %s',
    async (...level) => {
      const { stderr } = await headrace(['run', ...FIVE, ...level], bug);
      expect(stderr).toMatch(/^INTERNAL: x is undefined\nTypeError: x is/);
      expect(stderr).toMatch(/\n {4}at /);
    },
  );

  it('shows no stack at other levels', async () => {
    const { stderr } = await headrace(['run', ...FIVE, '--log-level', 'info'], bug);
    expect(stderr).not.toMatch(/\n {4}at /);
  });
});

it('says of a fault of our own what lies behind it', async () => {
  const ran = await headrace(['run', ...FIVE], async () => {
    throw new HeadraceError('INVARIANT', 'a worker died', {
      where: { worker: 0 },
      cause: new RangeError('out of range'),
    });
  });
  expect(ran.code).toBe(70);
  expect(ran.stderr).toBe('INVARIANT: a worker died (worker=0): out of range\n');
});
