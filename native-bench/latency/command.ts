import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type Clock, systemClock } from '#src/clock.js';
import { loadModel } from '#src/model/load.js';
import { formatWhole } from '#src/telemetry/progress.js';
import { startKafkaCluster } from '../kafka-cluster/cluster.js';
import { thisMachine } from '../machine.js';
import { JAVA_OPTIONS } from '../pipeline/filled-broker.js';
import { writeResult } from '../result-folder.js';
import type { Output } from '../stages-command.js';
import { SEED } from '../workload.js';
import { histogramOf, type LatencyResult, spreadOf, waitsOf } from './figures.js';
import { parseLatencyOptions } from './options.js';
import { reportText } from './report.js';
import { type LatencyRun, runOnce } from './run.js';
import { makeStream, type Stream, TICK_MS } from './stream.js';

/**
 * The benchmark `latency`: events at a steady rate through a real broker and the built engine, and how long it takes from the
 * moment at which the broker has the event that closes a session to the session's row in ClickHouse.
 */

export interface LatencyPlaces {
  /** Path of the built engine.js. */
  engine: string;
  /** Folder of Kafka's jars. */
  jarsFolder: string;
}

/** Throws Error for flags it does not know and for a run that is not right. */
export async function runLatency(
  args: readonly string[],
  places: LatencyPlaces,
  output: Output,
  clock: Clock = systemClock,
): Promise<LatencyResult> {
  const options = parseLatencyOptions(args);
  const { partitions, warmUpSeconds, seconds, eventsPerSecond, json, out } = options;
  const startedAt = new Date(clock.nowMs()).toISOString();
  const machine = thisMachine();
  output.progress('making the events');
  const stream = makeStream({
    model: loadModel('clickstream'),
    eventsPerSecond,
    seconds: warmUpSeconds + seconds,
    partitions,
  });
  const fromTick = Math.round((warmUpSeconds * 1_000) / TICK_MS);
  output.progress(
    `${formatWhole(stream.events)} events, which close ${formatWhole(stream.closed.length)} sessions`,
  );
  const folder = mkdtempSync(join(tmpdir(), 'headrace-latency-'));
  output.progress('starting a broker');
  const cluster = await startKafkaCluster({
    brokers: 1,
    jarsFolder: places.jarsFolder,
    javaOptions: JAVA_OPTIONS,
  });
  try {
    const run = await runOnce({
      ...options,
      engine: places.engine,
      folder,
      cluster,
      stream,
      fromTick,
      onSecond: (second, rows) =>
        output.progress(`${second} of ${warmUpSeconds + seconds} s: ${formatWhole(rows)} rows in ClickHouse`),
    });
    const { sha256, events, valueBytes, batchBytes, closed } = stream;
    const result: LatencyResult = {
      benchmark: 'latency',
      startedAt,
      machine,
      workload: {
        seed: SEED,
        kafka: basename(places.jarsFolder).replace(/-jars$/, ''),
        ...{ partitions, events, sessions: closed.length, valueBytes, batchBytes, sha256 },
      },
      flags: options.engineFlags,
      ...{ seconds, warmUpSeconds, eventsPerSecondAsked: eventsPerSecond },
      ...figuresOf(run, stream, fromTick, options.pollMs),
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

function figuresOf(run: LatencyRun, stream: Stream, fromTick: number, pollMs: number) {
  const waits = waitsOf(run.rows, stream, fromTick, run.moments);
  const totals = waits.map(({ total }) => total);
  const { p50, p90, p99, max } = spreadOf(totals);
  const events = stream.ticks.slice(fromTick).reduce((sum, tick) => sum + tick.events, 0);
  const us = (cpuSeconds: number) => (cpuSeconds * 1e6) / events;
  const { cpuSeconds, poll } = run;
  return {
    eventsPerSecond: run.eventsPerSecond,
    sessionsMeasured: waits.length,
    closeToVisibleMsP50: p50,
    closeToVisibleMsP90: p90,
    closeToVisibleMsP99: p99,
    closeToVisibleMsMax: max,
    stages: {
      closeToCutMs: spreadOf(waits.map(({ toCut }) => toCut)),
      cutToCommitMs: spreadOf(waits.map(({ toCommit }) => toCommit)),
      commitToVisibleMs: spreadOf(waits.map(({ toVisible }) => toVisible)),
    },
    histogram: histogramOf(totals),
    poll: {
      everyMs: pollMs,
      answers: poll.answers,
      msMean: poll.pollingMs / poll.answers,
      share: poll.pollingMs / 1_000 / poll.seconds,
    },
    engineCpuUsPerEvent: us(cpuSeconds.engine),
    clickhouseCpuUsPerEvent: us(cpuSeconds.clickhouse),
    brokerCpuUsPerEvent: us(cpuSeconds.broker),
    steal: run.steal,
  };
}
