import type { Clock } from '../../clock.js';
import type { LoadAnswer } from '../../generator/load/load-messages.js';
import type { LoadSpec } from '../../generator/load/load-plan.js';
import { type LoadCounts, NO_COUNTS, sumOf } from '../../generator/load/partition-load.js';
import type { Cluster } from '../../kafka/cluster.js';
import type { Topic } from '../../kafka/topic.js';
import type { PlainLog } from '../../telemetry/log.js';
import { BulkSender, producerIdentity } from './bulk-sender.js';
import { LoadThreads } from './load-threads.js';
import { cpuUs, type LoadRun, pace, type Standing } from './run.js';

/** Batches from threads straight into Produce requests. The main thread does nothing an event. */

export interface BulkRunOptions {
  spec: LoadSpec;
  speed: number | null;
  workers: number;
  cluster: Cluster;
  topic: Topic;
  log: PlainLog;
  clock: Clock;
  signal: AbortSignal;
}

/**
 * A thread makes one chunk while those before are on their way. Each has one batch of a partition, and a broker knows the last five
 * of a producer again.
 */
const ORDERS_MAX = 3;
/** With a rate: how long events gather for a batch. */
const LINGER_MS = 50;

interface Worker {
  /** Orders that are not yet acknowledged to the last batch. */
  orders: number;
  isDone: boolean;
  counts: LoadCounts;
  nowMs: number;
  /** Chunks that are acknowledged: their memory is written again. */
  used: ArrayBuffer[];
}

export class BulkRun implements LoadRun {
  readonly #options: BulkRunOptions;
  readonly #sender: BulkSender;
  readonly #workers: Worker[];
  #threads: LoadThreads | null = null;
  #ready = 0;
  #beganMs: number | null = null;
  #beganCpuUs = 0;
  #ended: (() => void) | null = null;
  #broke: ((error: unknown) => void) | null = null;

  constructor(options: BulkRunOptions) {
    this.#options = options;
    this.#sender = new BulkSender(options);
    this.#workers = Array.from({ length: options.workers }, () => {
      return { orders: 0, isDone: false, counts: { ...NO_COUNTS }, nowMs: options.spec.startMs, used: [] };
    });
  }

  async run(): Promise<void> {
    const { spec, workers, signal } = this.#options;
    const producer = await producerIdentity(this.#options);
    const ended = new Promise<void>((resolve, reject) => {
      this.#ended = resolve;
      this.#broke = reject;
    });
    const stop = () => this.#endIfDone();
    signal.addEventListener('abort', stop, { once: true });
    this.#threads = new LoadThreads(
      workers,
      { spec, producer },
      {
        onAnswer: (worker, answer) => this.#answered(worker, answer),
        onFailure: (error) => this.#broke?.(error),
      },
    );
    try {
      await ended;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  async close(): Promise<void> {
    await this.#threads?.close();
  }

  standing(): Standing {
    const { records, bytes, requestMs } = this.#sender;
    return {
      beganMs: this.#beganMs,
      beganCpuUs: this.#beganCpuUs,
      counts: sumOf(this.#workers.map(({ counts }) => counts)),
      sent: records,
      failed: 0,
      bytes,
      nowMs: Math.max(...this.#workers.map(({ nowMs }) => nowMs)),
      latencyMs: requestMs,
    };
  }

  #answered(worker: number, answer: LoadAnswer): void {
    if (answer.type === 'ready') {
      // all begin at once: with a rate the time counts from here
      if (++this.#ready < this.#workers.length) return;
      this.#beganMs = this.#options.clock.monotonicMs();
      this.#beganCpuUs = cpuUs();
      for (const each of this.#workers.keys()) this.#order(each);
      return;
    }
    const state = this.#workers[worker]!;
    state.counts = answer.counts;
    state.nowMs = answer.nowMs;
    state.isDone = answer.isDone;
    this.#sent(worker, answer).catch((error: unknown) => this.#broke?.(error));
  }

  async #sent(worker: number, { bytes, batches }: LoadAnswer & { type: 'made' }): Promise<void> {
    if (batches.length > 0) await this.#sender.send(bytes, batches);
    const state = this.#workers[worker]!;
    state.used.push(bytes);
    state.orders--;
    this.#order(worker);
  }

  #order(worker: number): void {
    const { speed, spec, clock, signal } = this.#options;
    const state = this.#workers[worker]!;
    if (state.isDone || signal.aborted) {
      this.#endIfDone();
      return;
    }
    if (speed === null) {
      while (state.orders < ORDERS_MAX) {
        this.#make(worker, Number.POSITIVE_INFINITY);
      }
      return;
    }
    if (state.orders > 0) return;
    state.orders++;
    void clock.sleep(LINGER_MS, signal).then(() => {
      state.orders--;
      this.#make(worker, pace(speed, spec.startMs, clock.monotonicMs() - this.#beganMs!));
    });
  }

  #make(worker: number, untilMs: number): void {
    const state = this.#workers[worker]!;
    state.orders++;
    const used = state.used.pop();
    const order = { type: 'make', untilMs, recordsMax: Number.POSITIVE_INFINITY } as const;
    this.#threads!.order(worker, used === undefined ? order : { ...order, used });
  }

  #endIfDone(): void {
    const { signal } = this.#options;
    if (this.#workers.every(({ orders, isDone }) => orders === 0 && (isDone || signal.aborted)))
      this.#ended?.();
  }
}
