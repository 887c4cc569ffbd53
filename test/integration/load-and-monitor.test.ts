import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '#src/clock.js';
import { Producer } from '#src/kafka/producer.js';
import { readTopic } from '#src/kafka/topic-reader.js';
import { jmxAgentJar } from '../../config/setup/jmx-agent.mjs';
import { freePorts } from '../../native-bench/kafka-cluster/free-ports.js';
import { FakeLog } from '../support/fake-log.js';
import { resetGroupOffset } from '../support/kafka-admin.js';
import { type KafkaCluster, startKafkaCluster } from '../support/kafka-cluster.js';

/** `headrace produce` into a real broker, counted by another client; `headrace monitor` with the broker's JMX agent and without. */

const ENGINE = fileURLToPath(new URL('../../dist/engine.js', import.meta.url));
const RULES = fileURLToPath(new URL('../../config/kafka/jmx-rules.yaml', import.meta.url));
const PARTITIONS = 6;
const TEST_MS_MAX = 300_000;
const START = '2026-01-30T12:00:00Z';
const DIRT = [
  '--disordered',
  '0.2',
  '--late',
  '0.02',
  '--duplicated',
  '0.02',
  '--malformed',
  '0.01',
  '--future',
  '0.01',
];
const FAST_START = [
  '-XX:-UseG1GC',
  '-Xms64m',
  '-Xmx512m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Xshare:auto',
];

let cluster: KafkaCluster;
let agent: string;

beforeAll(async () => {
  const [port] = await freePorts(1);
  agent = `127.0.0.1:${port}`;
  const javaOptions = [...FAST_START, `-javaagent:${jmxAgentJar()}=${agent}:${RULES}`];
  cluster = await startKafkaCluster({ brokers: 1, javaOptions });
  for (const name of ['by-bulk', 'by-client', 'web_clicks']) {
    await cluster.createTopic({ name, partitions: PARTITIONS });
  }
}, TEST_MS_MAX);

afterAll(async () => {
  await cluster?.stop();
});

/** The command line as people run it. */
async function headrace(
  args: readonly string[],
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [ENGINE, ...args, '--brokers', cluster.bootstrap]);
  const text = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    text.stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    text.stderr += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, ...text };
}

interface Produced {
  complete: boolean;
  made: Record<string, number>;
  sent: number;
  cpuMicrosPerRecord: number;
  bytes: number | null;
}

async function produce(args: readonly string[]): Promise<Produced> {
  const { code, stdout, stderr } = await headrace(['produce', '--json', '--start', START, ...args]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Produced;
}

/** By partition, `key value` of each record. */
async function recordsOf(topic: string): Promise<string[][]> {
  const records: string[][] = Array.from({ length: PARTITIONS }, () => []);
  const { isWhole } = await readTopic(
    {
      brokers: [cluster.bootstrap],
      clientId: 'headrace-test',
      topic,
      clock: systemClock,
      partitions: [...records.keys()],
      silenceMsMax: 60_000,
    },
    ({ partition, key, value }) => void records[partition]!.push(`${key} ${value?.toString('latin1')}`),
  );
  expect(isWhole).toBe(true);
  return records;
}

it('puts the same records where they belong with both senders, dirt and all, each once', {
  timeout: TEST_MS_MAX,
}, async () => {
  const load = [
    '--model',
    'clickstream',
    '--users',
    '2000',
    '--count',
    '30000',
    '--rate',
    'max',
    '--seed',
    '7',
  ];
  const bulk = await produce([...load, ...DIRT, '--sender', 'bulk', '--workers', '2', '--topic', 'by-bulk']);
  const client = await produce([...load, ...DIRT, '--sender', 'client', '--topic', 'by-client']);
  for (const produced of [bulk, client]) {
    expect(produced).toMatchObject({ complete: true, sent: 30_000 });
    expect(produced.cpuMicrosPerRecord).toBeGreaterThan(0);
  }
  expect(client.made).toEqual(bulk.made);
  const found = await recordsOf('by-bulk');
  expect(found.map(({ length }) => length)).toEqual(Array.from({ length: PARTITIONS }, () => 5_000));
  const repeated = found.flat().length - new Set(found.flat()).size;
  expect(repeated).toBe(bulk.made.duplicated);
  expect(await recordsOf('by-client')).toEqual(found);
});

it('keeps to a rate, in real time', { timeout: TEST_MS_MAX }, async () => {
  const beganMs = Date.parse(new Date(systemClock.nowMs()).toISOString());
  const args = [
    '--model',
    'web_clicks',
    '--rate',
    '100',
    '--duration',
    '5s',
    '--users',
    '60000',
    '--speed',
    '1',
  ];
  const { code, stdout } = await headrace(['produce', '--json', '--sender', 'bulk', ...args]);
  const endedMs = systemClock.nowMs();
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ complete: true, sent: 500, speed: 1 });
  const records = (await recordsOf('web_clicks')).flat();
  expect(records.length).toBe(500);
  const times = records.map((record) => Date.parse(/"timestamp":"([^"]+)"/.exec(record)![1]!));
  expect(Math.min(...times)).toBeGreaterThan(beganMs - 1_000);
  expect(Math.max(...times)).toBeLessThan(endedMs);
});

it('names a topic that is not there, and sends nothing', { timeout: TEST_MS_MAX }, async () => {
  const { code, stderr } = await headrace(['produce', '--model', 'clickstream', '--topic', 'nowhere']);
  expect(code).toBe(75);
  expect(stderr).toMatch(/KAFKA_TOPIC_MISSING: the topic does not exist \(topic=nowhere\)/);
});

interface Monitored {
  sources: { rates: string; agents: number[] };
  totals: Record<string, number | null>;
  topics: { name: string; partitions: number; records: number; bytes: number }[];
  groups: { id: string; lag: number; partitions: { partition: number; lag: number }[] }[];
  checks: { check: string; holds: boolean; found: number | null; reason: string | null }[];
  troubles: string[];
}

it('shows the cluster with the agent and without, and says which is which', {
  timeout: TEST_MS_MAX,
}, async () => {
  // the agent's rates are Kafka's, which look back for five seconds at least
  await expect
    .poll(async () => (await fetch(`http://${agent}/metrics`)).text(), { timeout: 120_000, interval: 1_000 })
    .toMatch(/^kafka_broker_messages_in_per_second [1-9]/m);
  const look = async (args: readonly string[]) => {
    const { code, stdout, stderr } = await headrace(['monitor', '--once', '--json', ...args]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout) as Monitored;
  };
  const without = await look([]);
  expect(without.sources).toMatchObject({ rates: 'protocol', agents: [] });
  expect(without.totals).toMatchObject({
    brokers: 1,
    underReplicated: 0,
    offline: 0,
    bytesOutPerSecond: null,
  });
  expect(without.totals).toMatchObject({ messagesInPerSecond: 0, requestsPerSecond: null });
  expect(without.topics.find(({ name }) => name === 'by-bulk')).toMatchObject({
    partitions: PARTITIONS,
    records: 30_000,
  });
  const withAgent = await look(['--metrics', agent]);
  expect(withAgent.sources).toMatchObject({ rates: 'agent', agents: [1] });
  expect(withAgent.troubles).toEqual([]);
  for (const rate of ['messagesInPerSecond', 'bytesInPerSecond', 'requestsPerSecond']) {
    expect(withAgent.totals[rate], rate).toBeGreaterThan(0);
  }
  // what README and rules promise of the names
  expect(await readFile(RULES, 'utf8')).toContain('kafka_broker_under_replicated_partitions');
});

it('ends with 1 where a check fails, and says what it found', { timeout: TEST_MS_MAX }, async () => {
  await cluster.createTopic({ name: 'read', partitions: 2 });
  const producer = new Producer({
    brokers: cluster.bootstrap,
    clientId: 'headrace-test',
    log: new FakeLog(),
    clock: systemClock,
  });
  await producer.connect();
  for (let record = 0; record < 100; record++)
    producer.produce('read', record % 2, 'k', Buffer.from('v'), 1_000);
  await producer.close(60_000);
  for (const partition of [0, 1]) {
    // a coordinator that has just been made loads for a while
    const commit = () => resetGroupOffset(cluster.bootstrap, 'readers', 'read', partition, 20);
    const tried = () =>
      commit().then(
        () => 'committed',
        (error: unknown) => String(error),
      );
    await expect.poll(tried, { timeout: 60_000 }).toBe('committed');
  }
  const checks = ['--check', 'under-replicated=0', '--check', 'lag:readers<10', '--check', 'bytes-out>0'];
  const { code, stdout } = await headrace(['monitor', '--json', ...checks]);
  expect(code).toBe(1);
  const { checks: results, groups } = JSON.parse(stdout) as Monitored;
  expect(groups).toMatchObject([{ id: 'readers', lag: 60 }]);
  expect(groups[0]!.partitions.reduce((sum, { lag }) => sum + lag, 0)).toBe(60);
  expect(results).toMatchObject([
    { holds: true, found: 0 },
    { check: 'lag:readers<10', holds: false, found: 60 },
    { holds: false, found: null, reason: expect.stringContaining('--metrics') },
  ]);
  const { code: fine, stdout: text } = await headrace([
    'monitor',
    ...checks.slice(0, 4),
    '--check',
    'lag<=60',
  ]);
  expect(fine).toBe(1);
  expect(text).toMatch(/FAILED {2}lag:readers<10 \(60\)/);
  expect((await headrace(['monitor', '--check', 'lag<=60', '--check', 'brokers=1'])).code).toBe(0);
});
