import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { type Clock, systemClock } from '#src/clock.js';
import { ClickstreamGenerator } from '#src/generator/clickstream.js';
import { type KafkaCluster, startKafkaCluster } from '../kafka-cluster/cluster.js';
import { thisMachine } from '../machine.js';
import { JAVA_OPTIONS } from '../pipeline/filled-broker.js';
import { endedChildrenSeconds } from '../pipeline/proc.js';
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
import { type ProducerBenchOptions, parseProducerOptions } from './options.js';
import { PERF_TEST, parsePerfTest, perfTestArguments } from './perf-test.js';
import type { SenderAnswer, SenderTask } from './sender.js';

/**
 * The benchmark `producer`: the client of the producer library against Kafka's own kafka-producer-perf-test, with the same
 * settings, events and broker, in turns. Each is a process of its own, so that its CPU is its own.
 */

export interface ProducerBenchPlaces {
  /** Path of the built sender.js. */
  sender: string;
  /** Folder of Kafka's jars. */
  jarsFolder: string;
}

const TOPIC = 'clickstream_events';
const SAMPLE_EVENTS = 20_000;
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

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
    await cluster.createTopic({ name: TOPIC, partitions: options.partitions });
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
      rounds: options.rounds,
      bytesPerEvent,
      javaStartCpuSeconds,
      contenders: contenderFigures(rounds, options.events),
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

class Runner {
  readonly #options: ProducerBenchOptions;
  readonly #places: ProducerBenchPlaces;
  readonly #cluster: KafkaCluster;
  readonly #file: string;
  #javaStartCpuSeconds = 0;

  constructor(
    options: ProducerBenchOptions,
    places: ProducerBenchPlaces,
    cluster: KafkaCluster,
    file: string,
  ) {
    this.#options = options;
    this.#places = places;
    this.#cluster = cluster;
    this.#file = file;
  }

  /** What a JVM costs that sends one event; later runs are less by it. */
  async measureJavaStart(): Promise<number> {
    this.#javaStartCpuSeconds = (await this.#java(1)).cpuSeconds;
    return this.#javaStartCpuSeconds;
  }

  async round(name: Contender): Promise<Round> {
    const { events } = this.#options;
    if (name !== 'kafka-producer-perf-test')
      return this.#client(name === 'client, bytes' ? 'bytes' : 'objects');
    const round = await this.#java(events);
    return { ...round, cpuSeconds: Math.max(0.01, round.cpuSeconds - this.#javaStartCpuSeconds) };
  }

  async #java(events: number): Promise<Round> {
    const before = endedChildrenSeconds();
    const answer = parsePerfTest(
      await this.#cluster.tool(
        PERF_TEST,
        perfTestArguments({
          brokers: this.#cluster.bootstrap,
          topic: TOPIC,
          profile: this.#options.profile,
          events,
          file: this.#file,
        }),
      ),
    );
    if (answer.records !== events) throw new Error(`Java's producer sent ${answer.records} of ${events}`);
    return {
      perSecond: answer.perSecond,
      cpuSeconds: endedChildrenSeconds() - before,
      latencyMs: answer.latencyMs,
    };
  }

  async #client(how: SenderTask['how']): Promise<Round> {
    const { events, profile } = this.#options;
    const task: SenderTask = {
      brokers: this.#cluster.bootstrap,
      topic: TOPIC,
      profile,
      how,
      events,
      file: this.#file,
    };
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [this.#places.sender, JSON.stringify(task)],
      {
        maxBuffer: OUTPUT_BYTES_MAX,
      },
    );
    const { sent, failed, seconds, cpuSeconds, latencyMs } = JSON.parse(stdout) as SenderAnswer;
    if (sent !== events || failed > 0) throw new Error(`the client had ${sent} of ${events} acknowledged`);
    return { perSecond: events / seconds, cpuSeconds, latencyMs };
  }
}
