import { fileURLToPath } from 'node:url';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { ClickHouseTarget } from '../clickhouse/target.js';
import { SESSION_HEAP_FACTOR, WORKER_HEAP_BASE_BYTES } from '../config/limits.js';
import type { LakeConfig, QualityConfig } from '../config/types.js';
import { type SessionEngineName, workerMemory } from '../config/worker-memory.js';
import type { CompiledModel } from '../model/types.js';
import { RecordType } from '../ring/layout.js';
import { RingProducer } from '../ring/producer.js';
import { RingWriter } from '../ring/writer.js';
import { countersBytes, WorkerCounters } from '../telemetry/counters.js';
import { Begun } from './begun.js';
import { letHeapsGrow } from './heap-growth.js';
import type { MainMessage, WorkerMessage, WorkerResult, WorkerTask } from './messages.js';

/**
 * The workers: a piscina pool in which each thread runs one task for as long as the engine lives. Each has a ring that
 * the main thread writes (data and commands in one order) and a port for what needs no place in that order.
 */
export interface PoolOptions {
  workers: number;
  ringCapacityBytes: number;
  /** Where the table lies. */
  table: LakeConfig;
  topic: string;
  model: CompiledModel;
  engine: SessionEngineName;
  limits: WorkerTask['limits'];
  clickhouse: ClickHouseTarget | null;
  quality: QualityConfig | null;
  onMessage(worker: number, message: WorkerMessage): void;
  /** A worker's task ended with an error: the engine can't go on. */
  onFailure(worker: number, error: unknown): void;
}

export class WorkerPool {
  readonly rings: readonly RingWriter[];
  /** Of each worker, and last those of the main thread. */
  readonly counters: readonly SharedArrayBuffer[];
  readonly ownCounters: WorkerCounters;
  readonly #piscina: Piscina;
  readonly #tasks: Promise<WorkerResult>[] = [];
  readonly #begun: Begun[] = [];
  readonly #ports: MessagePort[] = [];

  constructor(options: PoolOptions) {
    const { engine } = options;
    const objectBytes = engine === 'reference' ? SESSION_HEAP_FACTOR * options.limits.sessionMemoryBytes : 0;
    const heapBytes = WORKER_HEAP_BASE_BYTES + objectBytes;
    // the reference's sessions are objects: there V8 knows better
    if (engine === 'kernel') letHeapsGrow();
    this.#piscina = new Piscina({
      filename: fileURLToPath(new URL('../workers/worker.js', import.meta.url)),
      minThreads: options.workers,
      maxThreads: options.workers,
      concurrentTasksPerWorker: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      resourceLimits: { maxOldGenerationSizeMb: Math.ceil(heapBytes / 2 ** 20) },
    });
    const rings: RingWriter[] = [];
    const counters: SharedArrayBuffer[] = [];
    const limits = { ...options.limits, ringBytes: options.ringCapacityBytes };
    const { ringAt, totalPages } = workerMemory(limits, engine);
    for (let worker = 0; worker < options.workers; worker++) {
      const memory = new WebAssembly.Memory({ initial: totalPages, maximum: totalPages, shared: true });
      const place = { buffer: memory.buffer, baseBytes: ringAt, capacityBytes: options.ringCapacityBytes };
      const shared = new SharedArrayBuffer(countersBytes());
      rings.push(new RingWriter(new RingProducer(place)));
      counters.push(shared);
      this.#run(worker, options, { memory, ringBaseBytes: ringAt }, shared);
    }
    this.rings = rings;
    const own = new SharedArrayBuffer(countersBytes());
    this.counters = [...counters, own];
    this.ownCounters = new WorkerCounters(own);
  }

  /** Tells a worker something that must not wait behind its ring's data. */
  post(worker: number, message: MainMessage): void {
    this.#ports[worker]!.postMessage(message);
  }

  /** Tells every worker to stop behind what its ring holds, and waits for them. */
  async stop(): Promise<WorkerResult[]> {
    for (const ring of this.rings) {
      ring.command(
        { type: RecordType.stop, partition: -1, incarnation: 0, offset: 0n, aux: 0n },
        new Uint8Array(0),
      );
    }
    const results = await Promise.all(this.#tasks);
    await this.destroy();
    return results;
  }

  /** Ends the threads as soon as they have begun, whatever they do. */
  async destroy(): Promise<void> {
    await Promise.all(this.#begun.map(({ settled }) => settled));
    for (const ring of this.rings) ring.close();
    for (const port of this.#ports) port.close();
    await this.#piscina.destroy();
  }

  #run(
    worker: number,
    options: PoolOptions,
    place: Pick<WorkerTask, 'memory' | 'ringBaseBytes'>,
    counters: SharedArrayBuffer,
  ): void {
    const { port1, port2 } = new MessageChannel();
    port1.on('message', (message: WorkerMessage) => {
      this.#begun[worker]!.said();
      options.onMessage(worker, message);
    });
    this.#ports.push(port1);
    const task: WorkerTask = {
      worker,
      port: port2,
      ...place,
      ringCapacityBytes: options.ringCapacityBytes,
      counters,
      table: options.table,
      topic: options.topic,
      model: options.model,
      engine: options.engine,
      limits: options.limits,
      clickhouse: options.clickhouse,
      quality: options.quality,
    };
    const running = this.#piscina.run(task, { transferList: [port2] }) as Promise<WorkerResult>;
    running.catch((error: unknown) => options.onFailure(worker, error));
    this.#tasks.push(running);
    this.#begun.push(new Begun(running));
  }
}
