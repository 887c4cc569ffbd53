import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type ClickHouseFront, startClickHouseFront } from '#src/embedded/clickhouse-front.js';
import { freePorts } from '../../native-bench/kafka-cluster/free-ports.js';
import { linesFor } from '../support/documented-runs.js';
import { DocumentedShell } from '../support/documented-shell.js';
import { type MinioServer, startMinio } from '../support/minio.js';
import { PASSWORD, SecureKafka } from '../support/secure-kafka.js';
import { SpineProducer } from '../support/spine-kafka.js';
import { goodRecord } from '../support/spine-lane.js';

/**
 * "From an empty Debian host to a service" of the README, followed line by line: settings and secrets as it says, against a broker that
 * asks for TLS and a login, a bucket, and ClickHouse. What needs a systemd that runs is left to the engine's own command line.
 */
vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 });

const TOPIC = 'clickstream_events';
const PARTITIONS = 3;
const shell = new DocumentedShell(linesFor('integration/documented-service'));
let kafka: SecureKafka;
let minio: MinioServer;
let front: ClickHouseFront;

beforeAll(async () => {
  kafka = await SecureKafka.start();
  await kafka.setPassword('headrace', PASSWORD);
  for (const prefix of [TOPIC, 'headrace']) await kafka.allow('headrace', prefix);
  await kafka.cluster.createTopic({ name: TOPIC, partitions: PARTITIONS });
  minio = await startMinio();
  front = await startClickHouseFront({ folder: `${shell.folder}/clickhouse` });
  const [port] = await freePorts(1);
  shell.place('http://127.0.0.1:8787', `http://127.0.0.1:${port}`);
  shell.program('editor', editor(port!));
});

afterAll(async () => {
  shell.close();
  await front?.stop();
  await minio?.close();
  await kafka?.stop();
});

/** Does what the README asks of a person: addresses, topic, group, bucket, users, the # away from files that are needed. */
function editor(port: number): string {
  const edits = {
    'kafka.example.com:9093': kafka.addressOf('LOGIN'),
    '#ca_file: ./kafka-ca.pem': `ca_file: ${kafka.folder}/ca.pem`,
    's3://my-bucket/sessions': `s3://${minio.bucket}/sessions`,
    'region: eu-central-1': 'region: us-east-1',
    '#endpoint:': `endpoint: ${minio.endpoint}`,
    '#access_key_id_file': 'access_key_id_file',
    '#secret_access_key_file': 'secret_access_key_file',
    'http://localhost:8123': front.url,
  };
  const words = JSON.stringify({
    edits,
    http: `\nhttp: { listen: "127.0.0.1:${port}" }\n`,
    password: PASSWORD,
  });
  return `#!${process.execPath}
const { readFileSync, writeFileSync } = require('node:fs');
const { edits, http, password } = ${words};
const [settings, secret] = process.argv.slice(2);
let text = readFileSync(settings, 'utf8');
for (const [from, to] of Object.entries(edits)) {
  if (!text.includes(from)) throw new Error('init wrote no ' + from);
  text = text.replace(from, to);
}
writeFileSync(settings, text + http);
writeFileSync(secret, password);
`;
}

it('installed: `headrace` is a word of the shell', async () => {
  await shell.call('ln -s', /^$/);
  await shell.call('headrace --version', /^\d+\.\d+\.\d+\n$/);
});

it('settings as `init` writes them, each secret in a file of its own that others can’t read', async () => {
  await shell.call('mkdir -p /etc/headrace', /^$/);
  await shell.call('headrace init engine.yaml', /engine\.yaml is written/);
  await shell.call('install -m 600 /dev/null kafka-password', /^$/);
  const { accessKeyId, secretAccessKey } = minio.keyFiles;
  await shell.own(`install -m 600 ${accessKeyId} s3-access-key-id`);
  await shell.own(`install -m 600 ${secretAccessKey} s3-secret-access-key`);
  await shell.call('editor engine.yaml kafka-password', /^$/);
  expect((await shell.own('stat -c "%a %n" kafka-password s3-*')).stdout.match(/^600 /gm)).toHaveLength(3);
});

it('what is missing is said, until nothing is', async () => {
  const { stdout } = await shell.call('headrace config print', /kafka\.security\.mechanism +scram-sha-512/);
  expect(stdout).not.toContain(PASSWORD);
  const before = await shell.own('headrace check --config engine.yaml');
  expect(before.code).toBe(78);
  expect(before.stdout).toMatch(/^failed {2}clickhouse [\s\S]*`headrace clickhouse migrate` makes it/m);
  await shell.call('headrace clickhouse migrate', /session_metrics/);
  const { stdout: checked } = await shell.call('headrace check', /^ok +clickhouse/m);
  for (const what of ['settings', 'brokers', 'topic', 'reading', 'table', 'clickhouse'])
    expect(checked).toMatch(new RegExp(`^ok +${what}`, 'm'));
});

it('a service: what is installed, and the engine with these settings, from events to rows in ClickHouse', async () => {
  const root = `--config ./engine.yaml --prefix ${shell.folder}/root`;
  const { stdout: dry } = await shell.callNth('headrace systemd install', 0, /LoadCredential=/, {
    more: root,
  });
  expect(dry).toContain('[Service]');
  expect((await shell.own(`ls ${shell.folder}/root`)).code).not.toBe(0);
  await shell.callNth('headrace systemd install', 1, /headrace\.service: written/, { more: root });
  expect((await shell.own(`find ${shell.folder}/root -name headrace.service`)).stdout).toMatch(
    /headrace\.service$/m,
  );

  const engine = shell.ownStart('headrace run --config engine.yaml');
  await engine.says(/"url":"http/);
  await produce();
  const ready = async () =>
    (await shell.own(`curl -s -o /dev/null -w '%{http_code}' ${shell.here('http://127.0.0.1:8787')}/ready`))
      .stdout;
  await vi.waitFor(async () => expect(await ready()).toBe('200'), { timeout: 180_000, interval: 500 });
  await shell.call('curl -s http://127.0.0.1:8787/ready', /ready/);
  const top = shell.start('headrace top', { more: `--url ${shell.here('http://127.0.0.1:8787')}` });
  await top.says(/: ready · .* version \d/);
  expect(await top.end('SIGINT')).toMatchObject({ code: 0 });

  const counted = async () =>
    (
      await shell.own(
        "headrace query --config engine.yaml --json --sql 'SELECT count() AS n FROM clickstream.sessions'",
      )
    ).stdout;
  await vi.waitFor(async () => expect(await counted()).toMatch(/"n":\s*"?10"?/), {
    timeout: 180_000,
    interval: 1_000,
  });
  expect(await engine.end('SIGTERM')).toMatchObject({ code: 0 });
  expect(engine.everything).not.toContain(PASSWORD);
});

/** Ten visits that are over, and in each partition an event of much later, which moves time on. */
async function produce(): Promise<void> {
  const producer = new SpineProducer(kafka.cluster.bootstrap);
  await producer.connect();
  const nowMs = Date.now() - goodRecord('', 0, 0).timestampMs;
  const visits = Array.from({ length: 10 }, (_, i) =>
    goodRecord(`person-${i}`, nowMs - 7_200_000, i % PARTITIONS),
  );
  const later = [0, 1, 2].map((partition) => goodRecord(`later-${partition}`, nowMs, partition));
  await producer.send(TOPIC, [...visits, ...later]);
  await producer.flush();
  await producer.close();
}

it('no line of the chapter was left out', () => {
  expect(shell.left).toEqual([]);
});
