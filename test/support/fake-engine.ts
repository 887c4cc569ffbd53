import type { Clock } from '#src/clock.js';
import type { OffsetsFollower } from '#src/followers/offsets.js';
import type { DeltaLog } from '#src/lake/delta/log.js';
import type { ObjectStore } from '#src/lake/store/store.js';
import { IDLE_COMMIT_MS } from '#src/lanes/cut-wishes.js';
import type { LaneFollower } from '#src/lanes/lane-follower.js';
import { LaneManager } from '#src/lanes/manager.js';
import { SessionMemory } from '#src/lanes/session-memory.js';
import type { SnapshotJanitor } from '#src/lanes/snapshot-janitor.js';
import { Coordinator } from '#src/ledger/coordinator.js';
import type { Ledger } from '#src/ledger/ledger.js';
import type { HeldLane } from '#src/ledger/protocol.js';
import type { MainMessage } from '#src/pool/messages.js';
import { type Random, seededRandom } from '#src/random.js';
import type { RingWriter } from '#src/ring/writer.js';
import type { Log } from '#src/telemetry/log.js';
import { FakeFetcher } from './fake-fetcher.js';
import { createTable, openLedger } from './fake-ledger.js';
import { FakeLog } from './fake-log.js';
import { MemoryStore } from './fake-store.js';
import { HurriedClock } from './fake-time.js';
import { FakeWorker } from './fake-worker.js';

/** Of each worker. */
export const SESSION_MEMORY_BYTES = 1_000_000;
/** That of the tiny model. */
const GAP_MS = 10_000;
export const IDLE_TIMEOUT_MS = 60_000;

export interface FakeEngineOptions {
  store?: MemoryStore;
  engineId?: string;
  workers?: number;
  snapshotIntervalMs?: number;
  /** Where lanes start that the ledger does not know; 100 when left out. */
  starts?: Record<number, bigint>;
  /** Lanes that are told to start whenever others are asked for. */
  more?: Record<number, bigint>;
  ends?: Record<number, bigint>;
  follower?: LaneFollower;
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
  memory!: SessionMemory;

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
          if (message.type === 'sealed') {
            this.memory.sealed(message.report);
            this.manager.sealed(message.report);
            this.coordinator.sealed(message.report);
          } else this.manager.onWorkerMessage(message);
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
    const offsets = {
      note: ({ partition, offset }: { partition: number; offset: bigint }) =>
        this.noted.push(`${partition}@${offset}`),
      flush: async () => 'flushed',
      forget: async (partitions: number[]) => void this.forgotten.push(...partitions),
    };
    const janitor = { committed: ({ partition }: { partition: number }) => this.cleaned.push(partition) };
    const wired = await wireEngine({
      store: this.store,
      engineId,
      clock: this.clock,
      random: seededRandom(engineId.charCodeAt(0)),
      log: this.log,
      rings: this.workers.map((worker) => worker.ring),
      post: (worker, message) => this.workers[worker]!.onMessage(message),
      fetcher: this.fetcher,
      offsets: offsets as unknown as OffsetsFollower,
      janitor: () => janitor as unknown as SnapshotJanitor,
      snapshotIntervalMs: options.snapshotIntervalMs ?? 600_000,
      startOffsets: (partitions) => {
        this.startsAsked.push(...partitions);
        const starts = new Map(
          partitions.map((partition) => [partition, options.starts?.[partition] ?? 100n]),
        );
        for (const [partition, offset] of Object.entries(options.more ?? {}))
          starts.set(Number(partition), offset);
        return starts;
      },
      ends: options.ends ?? null,
      sessionMemoryBytes: SESSION_MEMORY_BYTES,
      ...(options.follower === undefined ? {} : { follower: options.follower }),
      onFatal: (error) => this.fatal.push(error),
    });
    Object.assign(this, wired);
  }
}

export interface EngineWiring {
  store: ObjectStore;
  engineId: string;
  clock: Clock;
  random: Random;
  log: Log;
  rings: readonly RingWriter[];
  post(worker: number, message: MainMessage): void;
  fetcher: FakeFetcher;
  offsets: OffsetsFollower;
  janitor(ledger: Ledger): SnapshotJanitor;
  snapshotIntervalMs: number;
  startOffsets(partitions: number[]): ReadonlyMap<number, bigint>;
  ends: Record<number, bigint> | null;
  sessionMemoryBytes: number;
  /** Of the model. */
  gapMs?: number;
  idleTimeoutMs?: number;
  earlyEveryMs?: number | null;
  /** What the engine says it decides rows by. */
  semantics?: string;
  follower?: LaneFollower;
  seams?: EngineSeams;
  onFatal(error: unknown): void;
}

/** Places between the parts where a simulation can stand, to leave out what one of them decides. */
export interface EngineSeams {
  /** What the ledger sees of its log. */
  delta?(delta: DeltaLog): DeltaLog;
  /** What the others see of the ledger. */
  ledger?(ledger: Ledger, manager: () => LaneManager): Ledger;
  /** Which of the lanes in another engine's version the manager hears of. */
  foreign?(version: number, partitions: number[], manager: LaneManager): number[];
  /** The lanes whose seals count. */
  held?(manager: LaneManager): ReadonlyMap<number, HeldLane>;
}

/** Ledger, lanes and cuts as src/commands/run/engine.ts wires them. */
export async function wireEngine(
  wiring: EngineWiring,
): Promise<{ ledger: Ledger; manager: LaneManager; coordinator: Coordinator; memory: SessionMemory }> {
  const { store, engineId, clock, random, log, onFatal, ends, seams = {} } = wiring;
  const onForeign = (version: number, partitions: number[]) =>
    manager.onForeign(version, seams.foreign?.(version, partitions, manager) ?? partitions);
  const wrap = seams.delta ?? ((delta: DeltaLog) => delta);
  const semantics = wiring.semantics ?? 'rules';
  const opened = await openLedger(store, { engineId, clock, random, log, semantics, onForeign, wrap });
  const ledger = seams.ledger?.(opened, () => manager) ?? opened;
  const memory = new SessionMemory({
    topic: 'clicks',
    limitBytes: wiring.sessionMemoryBytes,
    gapMs: wiring.gapMs ?? GAP_MS,
    clock,
    log,
  });
  const manager = new LaneManager({
    ...wiring,
    follower: wiring.follower ?? null,
    ledger,
    eviction: memory.order,
    idleTimeoutMs: wiring.idleTimeoutMs ?? IDLE_TIMEOUT_MS,
    fetcher: wiring.fetcher.asFetcher,
    janitor: wiring.janitor(ledger),
    topic: 'clicks',
    startOffsets: async (partitions) => wiring.startOffsets(partitions),
    endOffsets:
      ends === null
        ? null
        : new Map(Object.entries(ends).map(([partition, end]) => [Number(partition), end])),
    leaderOf: () => 'broker-1',
  });
  const coordinator = new Coordinator({
    ledger,
    clock,
    random,
    idleCommitMs: IDLE_COMMIT_MS,
    held: () => seams.held?.(manager) ?? manager.held(),
    sendCut: (command) => manager.sendCut(command),
    onCommitted: (version, plan) => manager.onCommitted(version, plan),
    onResets: (partitions) => manager.onResets(partitions),
    onFatal,
  });
  manager.attach(coordinator);
  return { ledger, manager, coordinator, memory };
}
