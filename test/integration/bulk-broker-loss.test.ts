/** `headrace produce --sender bulk` into three brokers of which one dies meanwhile. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '#src/clock.js';
import { readTopic } from '#src/kafka/topic-reader.js';
import { type KafkaCluster, startKafkaCluster } from '../support/kafka-cluster.js';

const ENGINE = fileURLToPath(new URL('../../dist/engine.js', import.meta.url));
const TOPIC = 'clickstream_events';
const PARTITIONS = 6;
const RECORDS = 60_000;
const START = '2026-01-30T12:00:00Z';
const TEST_MS_MAX = 600_000;

let cluster: KafkaCluster;

beforeAll(async () => {
  cluster = await startKafkaCluster({ brokers: 3 });
  await cluster.createTopic({ name: TOPIC, partitions: PARTITIONS, config: { 'min.insync.replicas': 2 } });
}, TEST_MS_MAX);

afterAll(async () => {
  await cluster?.stop();
});

async function endOffsets(): Promise<number> {
  const records = await recordsOf();
  return records.reduce((sum, { length }) => sum + length, 0);
}

/** By partition, the values. */
async function recordsOf(): Promise<string[][]> {
  const records: string[][] = Array.from({ length: PARTITIONS }, () => []);
  const { isWhole } = await readTopic(
    {
      brokers: cluster.bootstrap.split(','),
      clientId: 'headrace-test',
      topic: TOPIC,
      clock: systemClock,
      partitions: [...records.keys()],
      silenceMsMax: 120_000,
    },
    ({ partition, value }) => void records[partition]!.push(value!.toString('latin1')),
  );
  expect(isWhole).toBe(true);
  return records;
}

test(
  'every event that bulk sends is there once, in order, though a broker of three dies meanwhile',
  async () => {
    const flags = {
      brokers: cluster.bootstrap,
      model: 'clickstream',
      sender: 'bulk',
      users: '2000',
      count: String(RECORDS),
      rate: '4000',
      seed: '3',
      start: START,
      workers: '2',
    };
    const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
    const child = spawn(process.execPath, [ENGINE, 'produce', '--json', ...args]);
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    const ended = once(child, 'close');
    await expect.poll(endOffsets, { timeout: 240_000, interval: 500 }).toBeGreaterThan(2_000);
    expect(child.exitCode).toBeNull();
    const dead = await cluster.leaderOf(TOPIC, 0);
    await cluster.killBroker(dead);
    const [code] = (await ended) as [number];
    expect({ code, stderr: stderr.replace(/^.*a batch was not taken.*\n?/gm, '') }).toMatchObject({
      code: 0,
    });
    expect(JSON.parse(stdout)).toMatchObject({ complete: true, sent: RECORDS, failed: 0 });
    // batches of the dead broker's partitions went again
    expect(stderr).toContain('a batch was not taken');
    await cluster.startBroker(dead);
    const found = await recordsOf();
    expect(found.flat().length).toBe(RECORDS);
    expect(new Set(found.flat()).size).toBe(RECORDS);
    for (const own of found) expect(own.length).toBe(RECORDS / PARTITIONS);
  },
  TEST_MS_MAX,
);
