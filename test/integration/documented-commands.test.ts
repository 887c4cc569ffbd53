import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type ClickHouseFront, startClickHouseFront } from '#src/embedded/clickhouse-front.js';
import { freePorts } from '../../native-bench/kafka-cluster/free-ports.js';
import { argumentsOf, commandsIn } from '../support/documented-commands.js';
import { type KafkaCluster, startKafkaCluster } from '../support/kafka-cluster.js';
import { needsNoService } from '../support/needs-no-service.js';
import { type ProducedRecord, SpineProducer } from '../support/spine-kafka.js';
import { BASE_MS, goodRecord } from '../support/spine-lane.js';

/**
 * The README's commands that need services, called as they stand there against real ones, in an order in which somebody might.
 * Only where those are, how much is produced, and numbers that this table has differ: see `here`.
 */
vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 });

const ENGINE = fileURLToPath(new URL('../../dist/engine.js', import.meta.url));
const TOPIC = 'clickstream_events';
const COMMAND_MS_MAX = 120_000;
const DAY_MS = 86_400_000;
const PARTITIONS = 30;
const PERSON = 'u-4711';

const documented = commandsIn('README.md', readFileSync('README.md', 'utf8'))
  .filter(({ isMention }) => !isMention)
  .map((command) => ({ line: command.line, args: argumentsOf(command) }))
  .filter((each): each is { line: number; args: string[] } => each.args !== null);
/** Those that were called, by their line. */
const called = new Set<number>();

let cluster: KafkaCluster;
let front: ClickHouseFront;
let folder: string;
let httpPort: number;
const running: Running[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'headrace-documented-'));
  [httpPort = 0] = await freePorts(1);
  cluster = await startKafkaCluster({ brokers: 3 });
  front = await startClickHouseFront({ folder: join(folder, 'clickhouse') });
  writeFileSync(join(folder, 'engine.yaml'), settings());
});

afterAll(async () => {
  for (const each of running) each.kill();
  await front?.stop();
  await cluster?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function settings(): string {
  return [
    `kafka: { brokers: ["${cluster.bootstrap.split(',').join('", "')}"], topic: ${TOPIC}, group: sessions }`,
    'model: clickstream',
    'lake: { path: ./lake }',
    `clickhouse: { url: "${front.url}" }`,
    `http: { listen: "127.0.0.1:${httpPort}" }`,
    'cut_interval: 200ms',
    'workers: 1',
    '',
  ].join('\n');
}

/** Words of the README that are of its own places, and what they are here. */
function here(args: readonly string[]): string[] {
  const places: [RegExp, string][] = [
    [/^localhost:\d+$/, cluster.bootstrap],
    [/^http:\/\/127\.0\.0\.1:8123$/, front.url],
    [/^(\/var\/lib\/headrace\/sessions|FOLDER)$/, join(folder, 'lake')],
    [/^\/archive\/sessions$/, join(folder, 'archive')],
    // a minute and twenty millions are for people who look
    [/^60s$/, '2s'],
    [/^20000000$/, '20000'],
    // the table is younger than the README's
    [/^2h ago$/, '1s ago'],
  ];
  return args.map((word) => {
    const place = places.find(([pattern]) => pattern.test(word));
    return place === undefined ? word : place[1];
  });
}

interface Said {
  code: number | null;
  stdout: string;
  stderr: string;
}

class Running {
  readonly said: Said = { code: null, stdout: '', stderr: '' };
  readonly ended: Promise<Said>;
  readonly #child;

  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, [ENGINE, ...args], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const name of ['stdout', 'stderr'] as const) {
      this.#child[name].on('data', (bytes: Buffer) => {
        this.said[name] += bytes.toString();
      });
    }
    this.ended = new Promise((resolve) => {
      this.#child.once('close', (code) => resolve(Object.assign(this.said, { code })));
    });
    running.push(this);
  }

  /** Until it has said something; it may not end before. */
  async says(pattern: RegExp): Promise<void> {
    const isOver = this.ended.then(() => true);
    const deadline = performance.now() + COMMAND_MS_MAX;
    while (!pattern.test(this.said.stdout + this.said.stderr)) {
      const next = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 50));
      if ((await Promise.race([isOver, next])) || performance.now() > deadline)
        throw new Error(`it did not say ${pattern}:\n${this.said.stdout}\n${this.said.stderr}`);
    }
  }

  async end(signal: NodeJS.Signals): Promise<Said> {
    this.#child.kill(signal);
    return await this.ended;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

/** The documented lines that begin so, which there must be, as they are here. */
function linesOf(beginning: string): string[][] {
  const found = documented.filter(({ args }) => `${args.join(' ')} `.startsWith(`${beginning} `));
  expect(found, `headrace ${beginning} in README.md`).not.toEqual([]);
  for (const { line } of found) called.add(line);
  return found.map(({ args }) => here(args));
}

/** Calls the one documented line that begins so, to its end. */
async function call(beginning: string, says: RegExp, code = 0, more: readonly string[] = []): Promise<Said> {
  const [line = [], ...others] = linesOf(beginning);
  expect(others, `one line that begins with ${beginning}`).toEqual([]);
  return await ended([...line, ...more], says, code);
}

async function ended(args: readonly string[], says: RegExp, code = 0): Promise<Said> {
  const command = new Running(args);
  const timer = setTimeout(() => command.kill(), COMMAND_MS_MAX);
  const said = await command.ended;
  clearTimeout(timer);
  const told = `headrace ${args.join(' ')}\n${said.stdout}\n${said.stderr}`;
  expect(said.code, told).toBe(code);
  expect(said.stdout + said.stderr, told).toMatch(says);
  return said;
}

async function produce(records: readonly ProducedRecord[]): Promise<void> {
  const producer = new SpineProducer(cluster.bootstrap);
  await producer.connect();
  await producer.send(TOPIC, records);
  await producer.flush();
  await producer.close();
}

/** Two events of each of these people at that time, in all partitions. The topic keeps records for a week, so these are of now. */
function visits(users: readonly string[], atMs: number): ProducedRecord[] {
  const record = (user: string, ms: number, i: number) => goodRecord(user, ms - BASE_MS, i % PARTITIONS);
  return users.flatMap((user, i) =>
    [0, 1_000].map((ms) => ({ ...record(user, atMs + ms, i), timestampMs: Date.now() })),
  );
}

it('cluster and topics', async () => {
  await call('topics plan', /make +clickstream_events/);
  await call('topics create', /made clickstream_events:/);
  await call('topics check', /All 10 topics are as planned/);
  await call('topics describe', /clickstream_events_dlq/);
  // the test's brokers are small on purpose, which is said
  await call('kafka check', /mend +kafka-configs/, 1);
});

it('a load, and a run to its end', async () => {
  const people = Array.from({ length: 30 }, (_, i) => `person-${i}`);
  await produce(visits(people, BASE_MS));
  await produce(visits(people, Date.parse('2026-01-31T10:00:00Z')));
  const nowMs = Date.now();
  await produce([
    ...visits([PERSON, ...people], nowMs - DAY_MS),
    // a producer whose clock is ahead: a dead letter now, and an event like any other when its day has come
    { ...goodRecord('ahead', nowMs - 1_000 - BASE_MS, 3), timestampMs: nowMs - 2 * DAY_MS },
  ]);
  await call('produce --brokers localhost:9092 --model clickstream', /Total events: 20,000 /);
  await call('produce --brokers localhost:9092 --model web_clicks', /Total events: 20,000 /);
  const [dry = [], real = []] = linesOf('clickhouse migrate --clickhouse');
  expect(dry).toContain('--dry-run');
  await ended(dry, /CREATE TABLE/);
  await ended(real, /create +clickstream\.session_metrics/);
  await call('run --brokers', /"events":/, 0, ['--until-end', '--json']);
});

it('a service that runs, and what people ask of it', async () => {
  const [run = []] = linesOf('run --config');
  const engine = new Running(run);
  const url = `http://127.0.0.1:${httpPort}`;
  const isReady = async () => (await fetch(`${url}/ready`).catch(() => null))?.status === 200;
  await engine.says(/"url":"http/);
  await vi.waitFor(async () => expect(await isReady()).toBe(true), {
    timeout: COMMAND_MS_MAX,
    interval: 200,
  });
  await call('check --config engine.yaml', /ok +clickhouse/);
  await call('clickhouse migrate --config', /nothing to do/);
  const [top = []] = linesOf('top');
  const [monitor = [], check = []] = linesOf('monitor --brokers');
  for (const [line, says] of [
    [[...top, '--url', url], /: ready · .* version \d/],
    [monitor, /3 brokers · 0 under-replicated/],
  ] as const) {
    const live = new Running(line);
    await live.says(says);
    expect(await live.end('SIGINT')).toMatchObject({ code: 0 });
  }
  await ended(check, /under-replicated/);
  expect(await engine.end('SIGTERM')).toMatchObject({ code: 0 });
});

it('the table', async () => {
  const history = await call('lake history', /version/i);
  expect(history.stderr).toBe('');
  const { stdout } = await ended(['lake', 'history', '--lake', './lake', '--json'], /"version"/);
  const newest = Math.max(...(JSON.parse(stdout) as { version: number }[]).map(({ version }) => version));
  expect(newest).toBeGreaterThan(1);
  await call('lake show', /country/);
  await call('lake read', /30|day\.csv/);
  expect(readFileSync(join(folder, 'day.csv'), 'utf8')).toContain('person-29');
  const versions: Record<string, string> = { '120': '1', '140': `${newest}` };
  for (const [beginning, says] of [
    ['lake diff', /added/],
    ['lake restore', /--yes/],
  ] as const) {
    const [line = []] = linesOf(beginning);
    await ended(
      line.map((word) => versions[word] ?? word),
      says,
    );
  }
  const [own = [], copy = []] = linesOf('lake check');
  await ended(own, /Sound/);
  await ended(
    copy.map((word) => (word === '/backup/sessions' ? './lake' : word)),
    /Sound/,
  );
});

it('ClickHouse', async () => {
  const [list = [], countries = []] = linesOf('query');
  await ended(list, /geographic_analytics/);
  await ended(countries, /country/);
  await call('clickhouse audit', /no differences/);
  await call('clickhouse rebuild', /is as version \d+ of the lake/);
  await call('clickhouse audit', /no differences/);
});

it('dead letters', async () => {
  await call('dlq list', /future/);
  const listed = await ended(['dlq', 'list', '--lake', './lake', '--json'], /future/);
  const { newest } = JSON.parse(listed.stdout) as {
    newest: { partition: number; offset: number; reason: string }[];
  };
  const letter = newest.find(({ reason }) => reason === 'future')!;
  const [show = []] = linesOf('dlq show');
  await ended(
    show.map((word) => (word === '3:1204' ? `${letter.partition}:${letter.offset}` : word)),
    /future/,
  );
  await call('dlq replay', /1 of 1 dead letters would go back/);
});

it('a person is forgotten, and the table is kept', async () => {
  const [look = [], take = []] = linesOf('forget');
  await ended(look, /table/);
  expect(take).toContain('--yes');
  await ended(take, /table/);
  await call('lake fold', /fold/);
  await call('lake compact', /compact/);
  await call('lake vacuum', /would be deleted/);
  await call('lake archive', /of 2024-03-01, went to the archive/);
  await call('lake expire', /30 rows .* 2026-01-31, left the table/);
  await ended(['lake', 'check', '--lake', './lake', '--full'], /Sound/);
});

it('no documented command was left out', () => {
  const left = documented.filter(({ line, args }) => !called.has(line) && !needsNoService(args));
  expect(left.map(({ line, args }) => `README.md:${line} headrace ${args.join(' ')}`)).toEqual([]);
});
