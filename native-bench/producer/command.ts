import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type Clock, systemClock } from '#src/clock.js';
import { ClickstreamGenerator } from '#src/generator/clickstream.js';
import { startKafkaCluster } from '../kafka-cluster/cluster.js';
import { thisMachine } from '../machine.js';
import { JAVA_OPTIONS } from '../pipeline/filled-broker.js';
import { writeResult } from '../result-folder.js';
import type { Output } from '../stages-command.js';
import { SEED } from '../workload.js';
import {
  CONTENDERS,
  type Contender,
  contenderFigures,
  type ProducerBenchResult,
  producerReport,
  type Round,
} from './figures.js';
import { parseProducerOptions } from './options.js';
import { eventsOf, Runner } from './runner.js';

/**
 * The benchmark `producer`: the producer library against Kafka's own kafka-producer-perf-test and against what it stands on, and
 * bulk loads against their bytes' floor; the same settings, events and broker, in turns. Each is a process of its own, so that its
 * CPU is its own.
 */

export interface ProducerBenchPlaces {
  /** Paths of the built sender.js, floor.js and engine.js. */
  sender: string;
  floor: string;
  engine: string;
  /** Folder of Kafka's jars. */
  jarsFolder: string;
}

const SAMPLE_EVENTS = 20_000;

/** Throws Error for flags it does not know, and for a run in which an event was not acknowledged. */
export async function runProducer(
  args: readonly string[],
  places: ProducerBenchPlaces,
  output: Output,
  clock: Clock = systemClock,
): Promise<ProducerBenchResult> {
  const options = parseProducerOptions(args);
  const startedAt = new Date(clock.nowMs()).toISOString();
  const machine = thisMachine();
  const folder = mkdtempSync(join(tmpdir(), 'headrace-producer-'));
  output.progress('starting a broker');
  const cluster = await startKafkaCluster({
    brokers: 1,
    jarsFolder: places.jarsFolder,
    javaOptions: JAVA_OPTIONS,
    properties: { 'log.retention.bytes': 256 * 1024 * 1024 },
  });
  try {
    await cluster.createTopic({ name: Runner.topic, partitions: options.partitions });
    const file = join(folder, 'events');
    const bytesPerEvent = writeSample(file, options.partitions);
    const run = new Runner(options, places, cluster, file);
    const javaStartCpuSeconds = await run.measureJavaStart();
    const rounds: Record<Contender, Round>[] = [];
    for (let round = 1; round <= options.rounds; round++) {
      const of = {} as Record<Contender, Round>;
      for (const name of CONTENDERS) {
        of[name] = await run.round(name);
        output.progress(
          `round ${round} of ${options.rounds}: ${name}, ${Math.round(of[name].perSecond)} events/s`,
        );
      }
      rounds.push(of);
    }
    const result: ProducerBenchResult = {
      benchmark: 'producer',
      startedAt,
      machine,
      kafka: basename(places.jarsFolder).replace(/-jars$/, ''),
      profile: options.profile,
      partitions: options.partitions,
      events: options.events,
      bulkEvents: options.bulkEvents,
      rounds: options.rounds,
      bytesPerEvent,
      javaStartCpuSeconds,
      contenders: contenderFigures(rounds, (name) => eventsOf(name, options)),
    };
    output.print(producerReport(result));
    if (options.out !== undefined) output.print(`\nwritten to ${writeResult(options.out, result)}`);
    if (options.json) output.print(JSON.stringify(result));
    return result;
  } finally {
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Returns the mean length of an event. */
function writeSample(file: string, partitions: number): number {
  const generator = new ClickstreamGenerator({
    seed: SEED,
    users: 5_000,
    partitions,
    startMs: Date.UTC(2026, 0, 1),
  });
  const values = generator.next(SAMPLE_EVENTS).map(({ value }) => value.toString());
  writeFileSync(file, values.join('\n'));
  return values.reduce((sum, value) => sum + Buffer.byteLength(value), 0) / values.length;
}
