import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { kafkaJarsFolder } from '../../config/setup/kafka-jars.mjs';
import { runRecoveryBench } from '../../native-bench/recovery/command.js';
import type { RecoveryResult } from '../../native-bench/recovery/figures.js';

const NUMBERS = {
  'open-sessions': 2_000,
  partitions: 4,
  'events-per-second': 4_000,
  repetitions: 1,
  'kip848-repetitions': 0,
  'settle-seconds': 1,
};

test('a killed engine’s lanes are timed from the kill and from the assignment to their first new commit', async () => {
  const printed: string[] = [];
  const result = await runRecoveryBench(
    [...Object.entries(NUMBERS).flatMap(([name, value]) => [`--${name}`, String(value)]), '--json'],
    {
      engine: fileURLToPath(new URL('../../dist/engine.js', import.meta.url)),
      jarsFolder: kafkaJarsFolder(),
    },
    { print: (text) => printed.push(text), progress: () => {} },
  );
  expect(JSON.parse(printed.at(-1)!) as RecoveryResult).toEqual(result);
  const { classic, workload } = result;
  expect(result.kip848).toBeNull();
  expect(classic.kills).toBe(1);
  expect(classic.lanes).toBe(2);
  expect(workload.events).toBeGreaterThan(workload.openSessions * 10);
  const { killToAssignedMs, assignedToCommitMs, killToCommitMs } = classic;
  // the broker waits for the session time-out
  expect(killToAssignedMs.max).toBeGreaterThan(5_000);
  expect(assignedToCommitMs.p50).toBeGreaterThan(0);
  expect(killToCommitMs.max).toBeGreaterThanOrEqual(killToAssignedMs.max);
}, 600_000);
