import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { type Clock, systemClock } from '#src/clock.js';
import { ClickstreamGenerator } from '#src/generator/clickstream.js';
import { type KafkaCluster, startKafkaCluster } from '../kafka-cluster/cluster.js';
import { thisMachine } from '../machine.js';
import { JAVA_OPTIONS } from '../pipeline/filled-broker.js';
import { type ProducerBenchPlaces, runProducer } from '../producer/command.js';
import type { ProducerBenchResult } from '../producer/figures.js';
import { clientProperties } from '../producer/perf-test.js';
import { writeResult } from '../result-folder.js';
import type { Output } from '../stages-command.js';
import { SEED } from '../workload.js';
import { type LatencyRun, type ProducerLatencyResult, rateFigures, SIDES, type Side } from './figures.js';
import { htmlReport } from './html-report.js';
import { type ProducerLatencyOptions, parseProducerLatencyOptions } from './options.js';
import { reportText } from './report.js';
import type { LatencySenderAnswer, LatencySenderTask } from './sender.js';

/**
 * The benchmark `producer-latency`: from when an event is due to be sent to when a consumer has it, by the producer library and by
 * Java's producer, in turns, with the same settings and events into the same broker. Open loop: what waits because something
 * stood still counts its wait.
 */

export interface ProducerLatencyPlaces extends ProducerBenchPlaces {
  /** Path of the built producer-latency/sender.js. */
  latencySender: string;
  /** Path of latency-probe.java. */
  probe: string;
}

const TOPIC = 'clickstream_events';
const SAMPLE_EVENTS = 20_000;
const JAVA_HEAP = ['-Xms256m', '-Xmx256m'];

/** Throws Error for flags it does not know, and for a run in which an event was not read. */
export async function runProducerLatency(
  args: readonly string[],
  places: ProducerLatencyPlaces,
  output: Output,
  clock: Clock = systemClock,
): Promise<ProducerLatencyResult> {
  const options = parseProducerLatencyOptions(args);
  const startedAt = new Date(clock.nowMs()).toISOString();
  const machine = thisMachine();
  const throughput = options.throughputEvents === 0 ? null : await throughputOf(options, places, output);
  const folder = mkdtempSync(join(tmpdir(), 'headrace-producer-latency-'));
  output.progress('starting a broker');
  const cluster = await startKafkaCluster({
    brokers: 1,
    jarsFolder: places.jarsFolder,
    javaOptions: JAVA_OPTIONS,
  });
  try {
    await cluster.createTopic({ name: TOPIC, partitions: options.partitions });
    const file = join(folder, 'events');
    writeSample(file, options.partitions);
    const runner = new LatencyRunner(options, places, cluster, file);
    const rates = [];
    for (const rate of options.rates) {
      const rounds: Record<Side, LatencyRun>[] = [];
      for (let round = 1; round <= options.rounds; round++) {
        const of = {} as Record<Side, LatencyRun>;
        for (const side of SIDES) {
          of[side] = await runner.run(side, rate);
          output.progress(`${rate} events/s, round ${round}: ${side}, p99 ${of[side].p99Ms.toFixed(1)} ms`);
        }
        rounds.push(of);
      }
      rates.push(rateFigures(rate, rate * options.seconds, rounds));
    }
    const { profile, partitions, seconds, warmUpSeconds, rounds } = options;
    const result: ProducerLatencyResult = {
      benchmark: 'producer-latency',
      startedAt,
      machine,
      kafka: basename(places.jarsFolder).replace(/-jars$/, ''),
      ...{ profile, partitions, seconds, warmUpSeconds, rounds, rates, throughput },
    };
    told(result, options, output);
    return result;
  } finally {
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function throughputOf(
  { throughputEvents, rounds }: ProducerLatencyOptions,
  places: ProducerBenchPlaces,
  output: Output,
): Promise<ProducerBenchResult> {
  const flags = { events: throughputEvents, 'bulk-events': 5 * throughputEvents, rounds };
  return await runProducer(
    Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]),
    places,
    output,
  );
}

function told(
  result: ProducerLatencyResult,
  { report, out, json }: ProducerLatencyOptions,
  output: Output,
): void {
  output.print(reportText(result));
  if (report !== undefined) {
    writeFileSync(report, htmlReport(result));
    output.print(`\nplots in ${report}`);
  }
  if (out !== undefined) output.print(`\nwritten to ${writeResult(out, result)}`);
  if (json) output.print(JSON.stringify(result));
}

function writeSample(file: string, partitions: number): void {
  const generator = new ClickstreamGenerator({
    seed: SEED,
    users: 5_000,
    partitions,
    startMs: Date.UTC(2026, 0, 1),
  });
  const lines = generator.next(SAMPLE_EVENTS).map(({ key, value }) => `${key}\t${value.toString()}`);
  writeFileSync(file, lines.join('\n'));
}

class LatencyRunner {
  readonly #options: ProducerLatencyOptions;
  readonly #places: ProducerLatencyPlaces;
  readonly #cluster: KafkaCluster;
  readonly #file: string;

  constructor(
    options: ProducerLatencyOptions,
    places: ProducerLatencyPlaces,
    cluster: KafkaCluster,
    file: string,
  ) {
    this.#options = options;
    this.#places = places;
    this.#cluster = cluster;
    this.#file = file;
  }

  async run(side: Side, rate: number): Promise<LatencyRun> {
    const { seconds, warmUpSeconds } = this.#options;
    const events = rate * (seconds + warmUpSeconds);
    const consumer = this.#consume(events, warmUpSeconds * 1e6);
    await consumer.ready;
    const sender = side === 'ours' ? this.#ours(rate, events) : this.#java(rate, events);
    const [{ sent, behindMsMax }, read] = await Promise.all([sender, consumer.answer]);
    if (sent !== events || read.received !== events) {
      throw new Error(`${side} at ${rate} events/s: ${sent} of ${events} sent, ${read.received} read`);
    }
    return { p50Ms: read.p50, p99Ms: read.p99, p999Ms: read.p999, maxMs: read.max, behindMsMax };
  }

  async #ours(rate: number, events: number): Promise<LatencySenderAnswer> {
    const task: LatencySenderTask = {
      brokers: this.#cluster.bootstrap,
      topic: TOPIC,
      profile: this.#options.profile,
      rate,
      events,
      file: this.#file,
    };
    const { stdout } = await promisify(execFile)(process.execPath, [
      this.#places.latencySender,
      JSON.stringify(task),
    ]);
    return JSON.parse(stdout) as LatencySenderAnswer;
  }

  async #java(rate: number, events: number): Promise<LatencySenderAnswer> {
    const properties = clientProperties(this.#cluster.bootstrap, this.#options.profile);
    const args = ['produce', TOPIC, String(rate), String(events), this.#file, ...properties];
    const { stdout } = await promisify(execFile)('java', this.#probe(args));
    return JSON.parse(stdout.trim().split('\n').at(-1)!) as LatencySenderAnswer;
  }

  /** `ready`: it stands at the topic's end. */
  #consume(events: number, warmUpUs: number): { ready: Promise<void>; answer: Promise<ProbeAnswer> } {
    const args = ['consume', this.#cluster.bootstrap, TOPIC, String(events), String(warmUpUs)];
    const child = spawn('java', this.#probe(args), { stdio: ['ignore', 'pipe', 'ignore'] });
    const lines: string[] = [];
    let isReady = () => {};
    const ready = new Promise<void>((resolve, reject) => {
      isReady = resolve;
      child.once('close', () => reject(new Error('the consumer ended before it was ready')));
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line === 'READY') isReady();
      lines.push(line);
    });
    const answer = new Promise<ProbeAnswer>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => {
        if (code === 0) resolve(JSON.parse(lines.at(-1)!) as ProbeAnswer);
        else reject(new Error(`the consumer ended with ${code}`));
      });
    });
    // who waits for the first has the reason
    answer.catch(() => undefined);
    return { ready, answer };
  }

  #probe(args: readonly string[]): string[] {
    return [...JAVA_HEAP, '-cp', join(this.#places.jarsFolder, '*'), this.#places.probe, ...args];
  }
}

interface ProbeAnswer {
  received: number;
  measured: number;
  p50: number;
  p99: number;
  p999: number;
  max: number;
}
