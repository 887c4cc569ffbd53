import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type Clock, systemClock } from '#src/clock.js';
import { startKafkaCluster } from '../kafka-cluster/cluster.js';
import { thisMachine } from '../machine.js';
import { JAVA_OPTIONS } from '../pipeline/filled-broker.js';
import { writeResult } from '../result-folder.js';
import type { Output } from '../stages-command.js';
import { protocolFigures, type RecoveryResult } from './figures.js';
import { parseRecoveryOptions } from './options.js';
import { reportText } from './report.js';
import { runRecovery } from './run.js';

/**
 * The benchmark `recovery`: two engines in a group, one is killed, and how long it takes until the other has committed something
 * new of each of its lanes. A run whose table is not right in the end is an error.
 */

export interface RecoveryPlaces {
  /** Path of the built engine.js. */
  engine: string;
  /** Folder of Kafka's jars. */
  jarsFolder: string;
}

const PROGRESS_MS = 1_000;

/** Throws Error for flags it does not know and for a run that is not right. */
export async function runRecoveryBench(
  args: readonly string[],
  places: RecoveryPlaces,
  output: Output,
  clock: Clock = systemClock,
): Promise<RecoveryResult> {
  const options = parseRecoveryOptions(args);
  const { openSessions, partitions, eventsPerSecond, settleSeconds, engineFlags, out, json } = options;
  const startedAt = new Date(clock.nowMs()).toISOString();
  const machine = thisMachine();
  const folder = mkdtempSync(join(tmpdir(), 'headrace-recovery-'));
  output.progress('starting a broker');
  const cluster = await startKafkaCluster({
    brokers: 1,
    jarsFolder: places.jarsFolder,
    javaOptions: JAVA_OPTIONS,
  });
  try {
    const onProgress = sparingly(output.progress);
    const run = await runRecovery({ ...options, engine: places.engine, folder, cluster, onProgress });
    const asked = { openSessions, partitions, eventsPerSecond, settleSeconds };
    const result: RecoveryResult = {
      benchmark: 'recovery',
      startedAt,
      machine,
      workload: {
        kafka: basename(places.jarsFolder).replace(/-jars$/, ''),
        ...asked,
        events: run.events,
        sessions: run.sessions,
        sha256: createHash('sha256').update(JSON.stringify(asked)).digest('hex'),
      },
      flags: engineFlags,
      classic: protocolFigures(run.classic)!,
      kip848: protocolFigures(run.kip848),
      snapshotStopMs: run.snapshotStopMs,
    };
    output.print(reportText(result));
    if (out !== undefined) output.print(`\nwritten to ${writeResult(out, result)}`);
    if (json) output.print(JSON.stringify(result));
    return result;
  } finally {
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Texts that only count on are shown once a second. */
function sparingly(show: (text: string) => void): (text: string) => void {
  let shownMs = Number.NEGATIVE_INFINITY;
  return (text) => {
    const isCount = text.startsWith('filling');
    if (isCount && performance.now() - shownMs < PROGRESS_MS) return;
    shownMs = performance.now();
    show(text);
  };
}
