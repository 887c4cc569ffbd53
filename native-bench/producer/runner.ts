import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { KafkaCluster } from '../kafka-cluster/cluster.js';
import { endedChildrenSeconds } from '../pipeline/proc.js';
import type { ProducerBenchPlaces } from './command.js';
import type { Contender, Round } from './figures.js';
import type { FloorAnswer, FloorTask } from './floor.js';
import type { ProducerBenchOptions } from './options.js';
import { PERF_TEST, parsePerfTest, perfTestArguments } from './perf-test.js';
import type { SenderAnswer, SenderTask } from './sender.js';

const TOPIC = 'clickstream_events';
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

/** What `headrace produce --json` says, as far as it is read here. */
interface BulkAnswer {
  complete: boolean;
  sent: number;
  recordsPerSecond: number;
  cpuMicrosPerRecord: number;
  /** Of requests. */
  latencyMs: { avg: number; p50: number; p99: number };
}

/** In a round. */
export function eventsOf(name: Contender, { events, bulkEvents }: ProducerBenchOptions): number {
  return name.startsWith('bulk') ? bulkEvents : events;
}

/** Runs each contender once, as a process of its own. */
export class Runner {
  static readonly topic = TOPIC;
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
    switch (name) {
      case 'client, events':
        return await this.#client('objects');
      case 'client, bytes':
        return await this.#client('bytes');
      case 'kafka-javascript alone':
        return await this.#client('raw');
      case 'kafka-producer-perf-test': {
        const round = await this.#java(this.#options.events);
        return { ...round, cpuSeconds: Math.max(0.01, round.cpuSeconds - this.#javaStartCpuSeconds) };
      }
      case 'bulk':
        return await this.#bulk();
      case "bulk's bytes alone":
        return await this.#floor();
    }
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
    const { events, profile, partitions } = this.#options;
    const task: SenderTask = {
      brokers: this.#cluster.bootstrap,
      topic: TOPIC,
      profile,
      how,
      partitions,
      events,
      file: this.#file,
    };
    const { sent, failed, seconds, cpuSeconds, latencyMs } = await answerOf<SenderAnswer>([
      this.#places.sender,
      JSON.stringify(task),
    ]);
    if (sent !== events || failed > 0) throw new Error(`the client had ${sent} of ${events} acknowledged`);
    return { perSecond: events / seconds, cpuSeconds, latencyMs };
  }

  async #bulk(): Promise<Round> {
    const { bulkEvents } = this.#options;
    const flags = {
      brokers: this.#cluster.bootstrap,
      topic: TOPIC,
      model: 'clickstream',
      sender: 'bulk',
      rate: 'max',
    };
    const answer = await answerOf<BulkAnswer>([
      this.#places.engine,
      'produce',
      ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]),
      ...['--count', String(bulkEvents), '--json'],
    ]);
    if (!answer.complete) throw new Error(`bulk had ${answer.sent} of ${bulkEvents} acknowledged`);
    const { avg, p50, p99 } = answer.latencyMs;
    return {
      perSecond: answer.recordsPerSecond,
      cpuSeconds: (answer.cpuMicrosPerRecord * bulkEvents) / 1e6,
      latencyMs: { average: avg, p50, p99 },
    };
  }

  async #floor(): Promise<Round> {
    const { bulkEvents, partitions } = this.#options;
    const task: FloorTask = { events: bulkEvents, partitions };
    const { events, seconds, cpuSeconds } = await answerOf<FloorAnswer>([
      this.#places.floor,
      JSON.stringify(task),
    ]);
    return {
      perSecond: events / seconds,
      cpuSeconds: (cpuSeconds * bulkEvents) / events,
      latencyMs: { average: 0, p50: 0, p99: 0 },
    };
  }
}

/** What a run of Node's prints as JSON. */
async function answerOf<T>(args: readonly string[]): Promise<T> {
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: OUTPUT_BYTES_MAX });
  return JSON.parse(stdout) as T;
}
