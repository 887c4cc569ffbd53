import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { kafkaJarsFolder } from '../../config/setup/kafka-jars.mjs';
import { runProducerLatency } from '../../native-bench/producer-latency/command.js';

const folder = mkdtempSync(join(tmpdir(), 'headrace-test-'));
const built = (path: string) => fileURLToPath(new URL(`../../dist/${path}`, import.meta.url));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the library and Java's producer send at fixed times, one consumer reads every event, and it is drawn", async () => {
  const report = join(folder, 'report.html');
  const flags = ['--rates', '200', '--seconds', '2', '--warm-up-seconds', '1', '--rounds', '1'];
  const result = await runProducerLatency(
    [...flags, '--partitions', '3', '--throughput-events', '0', '--report', report],
    {
      sender: built('native-bench/producer/sender.js'),
      floor: built('native-bench/producer/floor.js'),
      engine: built('engine.js'),
      latencySender: built('native-bench/producer-latency/sender.js'),
      probe: fileURLToPath(
        new URL('../../native-bench/producer-latency/latency-probe.java', import.meta.url),
      ),
      jarsFolder: kafkaJarsFolder(),
    },
    { print: () => {}, progress: () => {} },
  );
  const [{ rate, measured, ours, java }] = result.rates as [(typeof result.rates)[number]];
  expect({ rate, measured }).toEqual({ rate: 200, measured: 400 });
  for (const run of [ours, java]) {
    expect(run.p50Ms).toBeGreaterThan(0);
    expect(run.p99Ms).toBeGreaterThanOrEqual(run.p50Ms);
    expect(run.maxMs).toBeGreaterThanOrEqual(run.p999Ms);
  }
  expect(readFileSync(report, 'utf8')).toContain('Producer to consumer, p99.9');
}, 600_000);
