import type { OffsetsFollower } from '#src/followers/offsets.js';
import { IDLE_COMMIT_MS, LaneManager } from '#src/lanes/manager.js';
import type { SnapshotJanitor } from '#src/lanes/snapshot-janitor.js';
import { Coordinator } from '#src/ledger/coordinator.js';
import type { Ledger } from '#src/ledger/ledger.js';
import { seededRandom } from '#src/random.js';
import { FakeFetcher } from './fake-fetcher.js';
import { createTable, openLedger } from './fake-ledger.js';
import { FakeLog } from './fake-log.js';
import { MemoryStore } from './fake-store.js';
import { HurriedClock } from './fake-time.js';
import { FakeWorker } from './fake-worker.js';

export interface FakeEngineOptions {
  store?: MemoryStore;
  engineId?: string;
  workers?: number;
  snapshotIntervalMs?: number;
  /** Where lanes start that the ledger does not know; 100 when left out. */
  starts?: Record<number, bigint>;
  ends?: Record<number, bigint>;
}

/** The main thread's parts, real, over workers and a fetcher that do as the test says. */
export class FakeEngine {
  readonly store: MemoryStore;
  readonly clock = new HurriedClock();
  readonly log = new FakeLog();
  readonly workers: FakeWorker[];
  readonly fetcher: FakeFetcher;
  readonly fatal: unknown[] = [];
  /** Offsets noted for Kafka, as `partition@offset`. */
  readonly noted: string[] = [];
  readonly forgotten: number[] = [];
  /** Lanes whose snapshots the janitor was told of. */
  readonly cleaned: number[] = [];
  /** Partitions for which start offsets were asked. */
  readonly startsAsked: number[] = [];
  ledger!: Ledger;
  manager!: LaneManager;
  coordinator!: Coordinator;

  private constructor(store: MemoryStore, workers: number) {
    this.store = store;
    this.workers = Array.from({ length: workers }, (_, index) => new FakeWorker(index));
    this.fetcher = new FakeFetcher((partition) => this.workerOf(partition).ring);
  }

  static async start(options: FakeEngineOptions = {}): Promise<FakeEngine> {
    const { store = new MemoryStore(), engineId = 'ours', workers = 1 } = options;
    if (store.objects.size === 0) await createTable(store);
    const engine = new FakeEngine(store, workers);
    await engine.#wire(options, engineId);
    return engine;
  }

  workerOf(partition: number): FakeWorker {
    return this.workers[this.manager.lanes.get(partition)!.worker]!;
  }

  /** Lets workers work and hands on what they say until all is quiet. `hold`: messages that stay where they are. */
  async settle(hold: (type: string) => boolean = () => false): Promise<void> {
    for (let quiet = 0; quiet < 8; quiet++) {
      await new Promise((resolve) => setImmediate(resolve));
      for (const worker of this.workers) {
        worker.work();
        const ready = worker.outbox.filter(({ type }) => !hold(type));
        const held = worker.outbox.filter(({ type }) => hold(type));
        worker.outbox.splice(0, worker.outbox.length, ...held);
        if (ready.length > 0) quiet = 0;
        for (const message of ready) {
          if (message.type === 'sealed') this.coordinator.sealed(message.report);
          else this.manager.onWorkerMessage(message);
        }
      }
    }
  }

  /** Lets everybody work until something is done. */
  async through<T>(work: Promise<T>): Promise<T> {
    await this.settle();
    return await work;
  }

  /** Assigns lanes and lets them come up. */
  async assign(...partitions: number[]): Promise<void> {
    await this.through(this.manager.assigned(partitions));
    await this.settle();
  }

  /** Hands the worker a record of data that reaches to `nextOffset`, and lets it take it. */
  async feed(partition: number, nextOffset: bigint): Promise<void> {
    if (!this.fetcher.deliver(partition, Buffer.from('data'), nextOffset)) throw new Error('not delivered');
    await this.settle();
  }

  /** One tick of the cut interval, to its end. */
  async tick(): Promise<boolean> {
    const cut = this.manager.cutLive();
    await this.through(cut ?? Promise.resolve());
    return cut !== null;
  }

  async #wire(options: FakeEngineOptions, engineId: string): Promise<void> {
    const { clock, log } = this;
    const random = seededRandom(engineId.charCodeAt(0));
    const onFatal = (error: unknown) => this.fatal.push(error);
    const onForeign = (version: number, partitions: number[]) => this.manager.onForeign(version, partitions);
    this.ledger = await openLedger(this.store, { engineId, clock, random, log, onForeign });
    const offsets = {
      note: ({ partition, offset }: { partition: number; offset: bigint }) =>
        this.noted.push(`${partition}@${offset}`),
      flush: async () => 'flushed',
      forget: async (partitions: number[]) => void this.forgotten.push(...partitions),
    };
    const janitor = { committed: ({ partition }: { partition: number }) => this.cleaned.push(partition) };
    this.manager = new LaneManager({
      ledger: this.ledger,
      rings: this.workers.map((worker) => worker.ring),
      post: (worker, message) => this.workers[worker]!.onMessage(message),
      fetcher: this.fetcher.asFetcher,
      offsets: offsets as unknown as OffsetsFollower,
      janitor: janitor as unknown as SnapshotJanitor,
      clock,
      random,
      log,
      topic: 'clicks',
      snapshotIntervalMs: options.snapshotIntervalMs ?? 600_000,
      startOffsets: async (partitions) => {
        this.startsAsked.push(...partitions);
        return new Map(partitions.map((partition) => [partition, options.starts?.[partition] ?? 100n]));
      },
      endOffsets:
        options.ends === undefined
          ? null
          : new Map(Object.entries(options.ends).map(([partition, end]) => [Number(partition), end])),
      leaderOf: () => 'broker-1',
      onFatal,
    });
    this.coordinator = new Coordinator({
      ledger: this.ledger,
      clock,
      random,
      idleCommitMs: IDLE_COMMIT_MS,
      held: () => this.manager.held(),
      sendCut: (command) => this.manager.sendCut(command),
      onCommitted: (version, plan) => this.manager.onCommitted(version, plan),
      onResets: (partitions) => this.manager.onResets(partitions),
      onFatal,
    });
    this.manager.attach(this.coordinator);
  }
}
