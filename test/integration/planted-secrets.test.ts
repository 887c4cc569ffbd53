import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '#src/clock.js';
import { type ClickHouseFront, startClickHouseFront } from '#src/embedded/clickhouse-front.js';
import { Producer } from '#src/kafka/producer.js';
import { openStore } from '#src/lake/store/open-store.js';
import { EngineProcess } from '../support/engine-process.js';
import { FakeLog } from '../support/fake-log.js';
import { type MinioServer, startMinio } from '../support/minio.js';
import { NotifySocket } from '../support/notify-socket.js';
import { urlOf } from '../support/ops-rig.js';
import { runCommandLine } from '../support/run-command.js';
import { SecretHunt } from '../support/secret-hunt.js';
import { CLIENT_SECRET, SecureKafka } from '../support/secure-kafka.js';

/**
 * Ten secrets that an engine has and needs, each taken by the service that it is for, while the engine says all that it can: they are in no
 * log (at trace), no answer over HTTP, no object beside the table, no command's output, no error and no command line of a child.
 */
const MS_MAX = 300_000;
const TOPIC = 'planted-events';
const USERS = 40;
const GAP_MS = 2_400_000;
const CLICKSTREAM = fileURLToPath(new URL('../../config/models/clickstream.yaml', import.meta.url));

const PLANTED = {
  'kafka password': 'planted/kafka+password=1f9c2e',
  'key password': 'planted-key-password-77aa01',
  's3 access key id': 'PLANTEDACCESSKEYID9Q',
  's3 secret access key': 'planted/secret+access/key/5d7711',
  'clickhouse password': 'planted"clickhouse\\password:03be',
  'http token': 'planted+http/token=6c90d2f1',
  'mask salt': 'planted mask salt 8e21f4aa90',
  'client secret': CLIENT_SECRET,
} as const;

let kafka: SecureKafka;
let minio: MinioServer;
let front: ClickHouseFront;
let socket: NotifySocket;
let producer: Producer;
let hunt: SecretHunt;
let config: string;
const engines: EngineProcess[] = [];
const file = (name: string, text: string) => kafka.file(name, text);

beforeAll(async () => {
  kafka = await SecureKafka.start();
  minio = await startMinio({
    user: PLANTED['s3 access key id'],
    secret: PLANTED['s3 secret access key'],
  });
  front = await startClickHouseFront({ user: 'loader', password: PLANTED['clickhouse password'] });
  socket = await NotifySocket.open(join(kafka.folder, 'notify'));
  await kafka.setPassword('ann', PLANTED['kafka password']);
  for (const principal of ['ann', 'engine-client']) await kafka.allow(principal, 'planted-');
  await kafka.cluster.createTopic({ name: TOPIC, partitions: 2 });
  const options = { brokers: kafka.cluster.bootstrap, clientId: 'planted', log: new FakeLog() };
  producer = new Producer({ ...options, clock: systemClock, extra: {} });
  await producer.connect();
  config = settings();
}, MS_MAX);

afterAll(async () => {
  await Promise.all(engines.map((engine) => engine.kill()));
  await producer?.close(0).catch(() => undefined);
  socket?.close();
  await front?.kill().catch(() => undefined);
  await minio?.close();
  await kafka?.stop();
});

/** The files of an engine that has all but the client's secret; gives the path of its settings. */
function settings(): string {
  const { cert, key } = kafka.certificate('planted');
  const passphrase = PLANTED['key password'];
  const locked = createPrivateKey(readFileSync(key)).export({
    ...{ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase },
  } as never) as unknown as string;
  const keyFile = file('planted-locked.key', locked);
  hunt = new SecretHunt({ ...PLANTED, 'private key': locked.split('\n')[1]! });
  const model = readFileSync(CLICKSTREAM, 'utf8')
    .replace('ip_address: { type: string }', 'ip_address: { type: string, mask: hash }')
    .concat('\nmask_salt_file: ./salt\n');
  file('salt', PLANTED['mask salt']);
  const security = {
    ...{ protocol: 'sasl_ssl', ca_file: './ca.pem', mechanism: 'scram-sha-512', username: 'ann' },
    password_file: file('kafka-password', PLANTED['kafka password']),
    ...{ cert_file: cert, key_file: keyFile, key_password_file: file('key-password', passphrase) },
  };
  const { accessKeyId, secretAccessKey } = minio.keyFiles;
  const s3 = { endpoint: minio.endpoint, region: 'us-east-1', request_timeout: '5s' };
  return file(
    'planted.yaml',
    JSON.stringify({
      kafka: { brokers: kafka.addressOf('LOGIN'), topic: TOPIC, group: 'planted-group', security },
      model: file('planted-model.yaml', model),
      lake: {
        path: `s3://${minio.bucket}/planted`,
        s3: { ...s3, access_key_id_file: accessKeyId, secret_access_key_file: secretAccessKey },
      },
      clickhouse: {
        ...{ url: front.url, user: 'loader' },
        password_file: file('clickhouse-password', PLANTED['clickhouse password']),
      },
      http: { token_file: file('http-token', PLANTED['http token']) },
      ...{ cut_interval: '300ms', workers: 1, log: { level: 'trace', format: 'json' } },
    }),
  );
}

function start(settingsFile: string, more: { untilEnd?: boolean; lake?: string } = {}): EngineProcess {
  const { lake = `s3://${minio.bucket}/planted`, untilEnd = false } = more;
  const group = untilEnd ? 'planted-by-token' : 'planted-group';
  const model = join(kafka.folder, 'planted-model.yaml');
  const engine = new EngineProcess({
    ...{ brokers: kafka.addressOf('LOGIN'), topic: TOPIC, group, lake, model, untilEnd },
    log: join(kafka.folder, group),
    flags: ['--config', settingsFile],
    env: { NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '6000000', PATH: pathWithNotes() },
  });
  engines.push(engine);
  return engine;
}

/** What systemd-notify is called with is noted, and handed on. */
function pathWithNotes(): string {
  const real = execFileSync('sh', ['-c', 'command -v systemd-notify'], { encoding: 'utf8' }).trim();
  const notes = join(kafka.folder, 'children');
  const script = `#!/bin/sh\nprintf '%s\\n' "$0 $*" >> '${notes}'\nenv >> '${notes}'\nexec '${real}' "$@"\n`;
  chmodSync(file('systemd-notify', script), 0o755);
  return `${kafka.folder}:${process.env.PATH}`;
}

async function produce(atMs: number): Promise<void> {
  for (let user = 0; user < USERS; user++) {
    const event = { timestamp: new Date(atMs).toISOString(), user_id: `u${user}`, event_type: 'click' };
    const text = JSON.stringify({ ...event, ip_address: `203.0.113.${user}` });
    producer.produce(TOPIC, user % 2, null, Buffer.from(text), atMs);
  }
  producer.produce(TOPIC, 0, null, Buffer.from('{"broken'), atMs);
  expect(await producer.flush(60_000)).toBe('flushed');
}

async function lookAtCommand(what: string, codes: readonly number[], ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runCommandLine(args);
  expect(codes, `${what}: ${stderr}`).toContain(code);
  hunt.look(what, stdout + stderr);
  return stdout + stderr;
}

async function ask(
  url: string,
  path: string,
  token: string | null,
): Promise<{ status: number; text: string }> {
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
  const answer = await fetch(`${url}${path}`, { headers, signal: AbortSignal.timeout(60_000) });
  const said = JSON.stringify([...answer.headers]);
  if (path !== '/events' || answer.status !== 200)
    return { status: answer.status, text: said + (await answer.text()) };
  const reader = answer.body!.getReader();
  let text = said;
  while (!text.includes('data: ')) text += Buffer.from((await reader.read()).value!).toString();
  await reader.cancel();
  return { status: answer.status, text };
}

const PATHS = ['/metrics', '/ready', '/live', '/', '/page.css', '/page/page.js', '/events', '/nothing'];

describe.sequential('ten planted secrets', { timeout: MS_MAX }, () => {
  it('the hunt finds them in every form, so that to find nothing says something', () => {
    const secret = PLANTED['clickhouse password'];
    const bytes = Buffer.from(secret);
    const forms = [
      `a ${secret} b`,
      JSON.stringify({ secret }),
      `http://h/?p=${encodeURIComponent(secret)}`,
      ...['', 'x', 'xy', 'xyz'].map((front) => Buffer.from(`${front}${secret}:b`).toString('base64')),
      bytes.toString('hex'),
      Buffer.concat([Buffer.from([0, 255]), bytes]),
    ];
    const own = new SecretHunt(PLANTED);
    for (const [i, form] of forms.entries()) own.look(`${i}`, form);
    expect(own.found).toEqual(forms.map((_, i) => `${i}: clickhouse password`));
  });

  it('an engine at work says none of them', async () => {
    await lookAtCommand('migrate', [0], 'clickhouse', 'migrate', '--config', config);
    const engine = start(config);
    const url = await urlOf(engine);
    await produce(Date.now() - 2 * GAP_MS);
    await produce(Date.now());
    const token = PLANTED['http token'];
    const rowsIn = async () =>
      Number(
        /^headrace_follower_rows_total\{.*clickhouse.*\} (\d+)/m.exec(
          (await ask(url, '/metrics', token)).text,
        )?.[1],
      );
    await engine.until('ClickHouse has the sessions', async () => (await rowsIn()) >= USERS, MS_MAX);
    for (const path of PATHS) {
      const { status, text } = await ask(url, path, token);
      expect(status, path).toBe(path === '/nothing' ? 404 : 200);
      hunt.look(`GET ${path}`, text);
      const refused = await ask(url, path, null);
      expect(refused.status, path).toBe(['/ready', '/live'].includes(path) ? 200 : 401);
      hunt.look(`GET ${path} without a token`, refused.text);
    }
    engine.signal('SIGHUP');
    await engine.untilSays(/settings read again/);
    await engine.stop(120_000);
    expect(engine.output).toMatch(/"level":"debug"/);
    hunt.look('log', engine.output);
    const children = () => readFileSync(join(kafka.folder, 'children'), 'utf8');
    for (const said of ['READY=1', 'WATCHDOG=1', 'STOPPING=1'])
      await expect.poll(children, { timeout: 30_000 }).toContain(said);
    hunt.look('children', children());
    hunt.look('what systemd heard', socket.messages.join('\n'));
    expect(hunt.found).toEqual([]);
  });

  it('nothing that it wrote holds one of them', async () => {
    const store = await openStore(minio.place('planted'));
    const paths = (await store.list('')).map(({ path }) => path);
    for (const kind of ['_delta_log/', '_headrace/snapshots/', '_headrace/dead-letters/', 'session_date='])
      expect(
        paths.some((path) => path.includes(kind)),
        kind,
      ).toBe(true);
    for (const path of paths) hunt.look(path, (await store.get(path))!);
    expect(hunt.found).toEqual([]);
  });

  it('nor does a command, where all is well', async () => {
    const at = ['--config', config];
    const printed = await lookAtCommand('config print', [0], 'config', 'print', ...at);
    expect(printed).toContain(join(kafka.folder, 'kafka-password'));
    await lookAtCommand('config print --json', [0], 'config', 'print', ...at, '--json');
    await lookAtCommand('check', [0], 'check', ...at, '--log-level', 'trace');
    await lookAtCommand('ledger status', [0], 'ledger', 'status', ...at, '--log-level', 'trace');
    await lookAtCommand('monitor', [0], 'monitor', ...at, '--once', '--interval', '100ms', '--json');
    const sql = [
      '--sql',
      'SELECT count() AS n, max(length(ip_address)) AS masked FROM clickstream.session_metrics',
    ];
    const rows = await lookAtCommand('query', [0], 'query', ...at, ...sql, '--format', 'csv');
    // the salt was of use: addresses are not what they were
    expect(Number(rows.trim().split('\n').at(-1)!.split(',')[1])).toBeGreaterThan('203.0.113.39'.length);
    await lookAtCommand('systemd install', [0], 'systemd', 'install', ...at, '--dry-run');
    expect(hunt.found).toEqual([]);
  });

  it('nor an engine that logs in by token, and nobody says the token either', async () => {
    const text = JSON.parse(readFileSync(config, 'utf8')) as Record<string, Record<string, unknown>>;
    const oauth = { token_url: kafka.tokens.url, client_id: 'engine-client', client_secret_file: './secret' };
    file('secret', CLIENT_SECRET);
    text.kafka!.security = { protocol: 'sasl_ssl', ca_file: './ca.pem', mechanism: 'oauthbearer', oauth };
    const byToken = file(
      'by-token.yaml',
      JSON.stringify({ ...text, clickhouse: undefined, http: undefined }),
    );
    const engine = start(byToken, { lake: join(kafka.folder, 'lake-by-token'), untilEnd: true });
    expect(await engine.result(MS_MAX)).toMatchObject({ lanes: 2, haltedLanes: 0 });
    const [, claims, signature] = kafka.tokens.newest.split('.');
    const tokens = new SecretHunt({ claims: claims!, signature: signature! });
    for (const each of [hunt, tokens]) each.look('log by token', engine.output);
    expect([...hunt.found, ...tokens.found]).toEqual([]);
  });

  it('nor errors: services that refuse, with others in their place, and services that are gone', async () => {
    const wrong: Record<string, string> = {
      'kafka-password': 'another-planted-password',
      'key-password': 'another-key-password',
      'clickhouse-password': 'another-clickhouse-one',
      'http-token': 'another-planted-http-token',
    };
    const at = ['--config', config, '--log-level', 'trace'];
    const before = Object.keys(wrong).map((name) => [name, readFileSync(join(kafka.folder, name), 'utf8')]);
    const others = new SecretHunt(wrong);
    const keys = minio.keyFiles.secretAccessKey;
    const key = readFileSync(keys, 'utf8');
    writeFileSync(keys, 'another-secret-access-key');
    for (const name of ['kafka-password', 'clickhouse-password']) file(name, wrong[name]!);
    const refused = await lookAtCommand('check, refused', [75, 78], 'check', ...at);
    expect(refused).toMatch(/KAFKA_AUTH/);
    expect(refused).toMatch(/CLICKHOUSE_AUTH/);
    expect(refused).toMatch(/^failed +table/m);
    others.look('check, refused', refused);
    others.look('run, refused', await lookAtCommand('run, refused', [75, 78], 'run', ...at));
    file('key-password', wrong['key-password']!);
    const locked = await lookAtCommand('topics, refused', [78], 'topics', 'describe', '--config', config);
    expect(locked).toMatch(/cert_file: the file is of no use/);
    others.look('topics, refused', locked);
    others.look(
      'query, refused',
      await lookAtCommand('query, refused', [75, 78], 'query', ...at, '--sql', 'SELECT 1'),
    );
    for (const [name, text] of before) file(name!, text!);
    writeFileSync(keys, key);
    file('http-token', 'too short!');
    others.look('run, no token', await lookAtCommand('run, no token', [78], 'run', ...at));
    file('http-token', PLANTED['http token']);

    await front.kill();
    await minio.kill();
    const gone = await lookAtCommand('check, gone', [75, 78], 'check', ...at);
    expect(gone).toMatch(/CLICKHOUSE_UNREACHABLE/);
    await lookAtCommand('query, gone', [75], 'query', ...at, '--sql', 'SELECT 1');
    expect([...hunt.found, ...others.found]).toEqual([]);
    expect(hunt.places.length).toBeGreaterThan(30);
  });
});
