import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { kafkaJarsFolder } from '../../config/setup/kafka-jars.mjs';
import { runPipeline } from '../../native-bench/pipeline/command.js';
import type { PipelineResult } from '../../native-bench/pipeline/figures.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headrace-bench-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const NUMBERS = ['--events', '6000', '--users', '300', '--partitions', '3', '--sample', '500'];

test('the pipeline is measured from a filled broker to a proved table and ClickHouse, the second time from the cache and with the lake alone', async () => {
  const printed: string[] = [];
  const progress: string[] = [];
  const run = (...more: string[]) =>
    runPipeline(
      [...NUMBERS, ...more, '--runs', '1', '--warm-ups', '0', '--json', '--out', join(folder, 'results')],
      {
        engine: fileURLToPath(new URL('../../dist/engine.js', import.meta.url)),
        jarsFolder: kafkaJarsFolder(),
        cacheFolder: join(folder, 'cache'),
      },
      { print: (text) => printed.push(text), progress: (text) => progress.push(text) },
    );
  const first = await run();
  expect(progress).toContain('filling the topic');
  expect(readdirSync(join(folder, 'cache'))).toEqual([expect.stringMatching(/^topic-[0-9a-f]{16}$/)]);
  progress.length = 0;
  const second = await run('--no-clickhouse');
  expect(progress).not.toContain('filling the topic');

  const last = JSON.parse(printed.at(-1)!) as PipelineResult;
  expect(last).toEqual(second);
  expect(second.workload).toEqual(first.workload);
  expect(first.workload.ends.reduce((sum, end) => sum + end, 0)).toBe(6_000);
  expect(first.clickhouseCpuUsPerEvent).toBeGreaterThan(0);
  expect(second).toMatchObject({ events: 6_000, clickhouseCpuUsPerEvent: null, lakeAlone: null });
  expect(second.sessions).toBeGreaterThan(300);
  for (const key of ['eventsPerSecond', 'engineCpuUsPerEvent', 'ratioToJsonParse', 'peakRssBytes'] as const) {
    expect(second[key], key).toBeGreaterThan(0);
  }
  expect(second.threads.map(({ name }) => name)).toEqual(expect.arrayContaining(['main', 'worker 0']));
  const parts = second.threads.reduce((sum, { cpuUsPerEvent }) => sum + cpuUsPerEvent, 0);
  expect(parts).toBeCloseTo(second.engineCpuUsPerEvent, 6);
  expect(printed.filter((text) => text.includes('the last'))).toHaveLength(1);
  expect(readdirSync(join(folder, 'results'))).toHaveLength(2);
}, 600_000);
