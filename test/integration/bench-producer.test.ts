import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { kafkaJarsFolder } from '../../config/setup/kafka-jars.mjs';
import { runProducer } from '../../native-bench/producer/command.js';
import type { ProducerBenchResult } from '../../native-bench/producer/figures.js';

test("the client and Java's perf test send the same events in turns, and every one is acknowledged", async () => {
  const printed: string[] = [];
  const result = await runProducer(
    ['--events', '3000', '--bulk-events', '9000', '--rounds', '1', '--partitions', '3', '--json'],
    {
      sender: fileURLToPath(new URL('../../dist/native-bench/producer/sender.js', import.meta.url)),
      floor: fileURLToPath(new URL('../../dist/native-bench/producer/floor.js', import.meta.url)),
      engine: fileURLToPath(new URL('../../dist/engine.js', import.meta.url)),
      jarsFolder: kafkaJarsFolder(),
    },
    { print: (text) => printed.push(text), progress: () => {} },
  );
  expect(JSON.parse(printed.at(-1)!) as ProducerBenchResult).toEqual(result);
  expect(result.contenders.length).toBe(6);
  expect(printed.join('\n')).toMatch(/bulk ÷ its bytes alone: \d/);
  for (const each of result.contenders) {
    expect(each.eventsPerSecond, each.name).toBeGreaterThan(0);
    expect(each.cpuUsPerEvent, each.name).toBeGreaterThan(0);
    expect(each.latencyMsP99, each.name).toBeGreaterThanOrEqual(each.latencyMsP50);
  }
  expect(result.javaStartCpuSeconds).toBeGreaterThan(0.1);
}, 600_000);
