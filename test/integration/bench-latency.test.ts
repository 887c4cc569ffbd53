import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { kafkaJarsFolder } from '../../config/setup/kafka-jars.mjs';
import { runLatency } from '../../native-bench/latency/command.js';
import type { LatencyResult } from '../../native-bench/latency/figures.js';

const NUMBERS = [
  '--events-per-second',
  '1000',
  '--seconds',
  '3',
  '--warm-up-seconds',
  '4',
  '--partitions',
  '3',
];

test('every session that a steady stream closes is timed from the broker to its row in ClickHouse', async () => {
  const printed: string[] = [];
  const result = await runLatency(
    [...NUMBERS, '--json'],
    {
      engine: fileURLToPath(new URL('../../dist/engine.js', import.meta.url)),
      jarsFolder: kafkaJarsFolder(),
    },
    { print: (text) => printed.push(text), progress: () => {} },
  );
  expect(JSON.parse(printed.at(-1)!) as LatencyResult).toEqual(result);
  expect(result.workload.events).toBe(7_000);
  expect(result.workload.sessions).toBeGreaterThan(result.sessionsMeasured);
  expect(result.sessionsMeasured).toBeGreaterThan(10);
  const { closeToVisibleMsP50: p50, closeToVisibleMsP99: p99, closeToVisibleMsMax: max, stages } = result;
  expect([p50, p99, max]).toEqual([p50, p99, max].toSorted((a, b) => a - b));
  expect(p50).toBeGreaterThan(0);
  expect(stages.cutToCommitMs.p50).toBeGreaterThan(0);
  expect(result.histogram.reduce((sum, { sessions }) => sum + sessions, 0)).toBe(result.sessionsMeasured);
  for (const key of ['engineCpuUsPerEvent', 'clickhouseCpuUsPerEvent', 'brokerCpuUsPerEvent'] as const) {
    expect(result[key], key).toBeGreaterThan(0);
  }
  expect(result.poll.share).toBeLessThan(1);
}, 600_000);
