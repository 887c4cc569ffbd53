import { setImmediate } from 'node:timers/promises';
import type { SessionEngineName } from '#src/config/worker-memory.js';
import { HeadraceError } from '#src/errors.js';
import type { OffsetsFollower } from '#src/followers/offsets.js';
import { LocalStore } from '#src/lake/store/local.js';
import type { LaneManager } from '#src/lanes/manager.js';
import type { SessionMemory } from '#src/lanes/session-memory.js';
import { SnapshotJanitor } from '#src/lanes/snapshot-janitor.js';
import type { Coordinator } from '#src/ledger/coordinator.js';
import type { Ledger } from '#src/ledger/ledger.js';
import type { CompiledModel } from '#src/model/types.js';
import type { WorkerMessage } from '#src/pool/messages.js';
import type { Random } from '#src/random.js';
import { wireEngine } from './fake-engine.js';
import { FakeFetcher } from './fake-fetcher.js';
import { FakeLog } from './fake-log.js';
import { FakeMainThread } from './fake-main-thread.js';
import { FaultyStore, type MemoryStore, randomFaults } from './fake-store.js';
import { HurriedClock } from './fake-time.js';

/** What a partition holds: whole batches in the order of their offsets, without holes. */
export interface BottledBatch {
  from: bigint;
  to: bigint;
  bytes: Uint8Array;
}

/** A topic in memory; some batches come out wrong the first time they are fetched. */
export interface BottledTopic {
  lanes: BottledBatch[][];
  /** Batches that are still to come out wrong once, as `partition/from`. */
  bad: Set<string>;
}

export interface BottleOptions {
  engineId: string;
  memory: MemoryStore;
  folder: string;
  topic: BottledTopic;
  model: CompiledModel;
  random: Random;
  startMs: number;
  /** A bounded run: where each partition ends; null: a run without an end. */
  ends: Record<number, bigint> | null;
  /** By this much, and at each cut, idle sessions are evicted; at twice as much without any, lanes halt. */
  sessionMemoryBytes: number;
  /** Changed sessions are let out so often; null: never. */
  earlyEveryMs: number | null;
  /** What makes the sessions: engines of both kinds go on with each other's lanes. */
  sessions: SessionEngineName;
}

/**
 * A whole engine in one thread: real ledger, coordinator, lane manager, janitor, rings, and two real workers over real
 * files; the ledger's log lies in memory behind a line with faults.
 */
export class BottledEngine {
  readonly fetcher: FakeFetcher;
  readonly store: FaultyStore;
  readonly clock: HurriedClock;
  readonly fatal: unknown[] = [];
  readonly log = new FakeLog();
  ledger!: Ledger;
  manager!: LaneManager;
  coordinator!: Coordinator;
  memory!: SessionMemory;
  crashed = false;
  #lettingOut = false;
  readonly #workers: FakeMainThread[];
  readonly #options: BottleOptions;

  private constructor(options: BottleOptions) {
    const { folder, model, random, memory, startMs, sessionMemoryBytes } = options;
    this.#options = options;
    this.clock = new HurriedClock(startMs);
    const faults = randomFaults(random, 0.15);
    // opening is not what is tried here
    this.store = new FaultyStore(memory, {
      ...faults,
      onGet: (path) => this.manager !== undefined && faults.onGet!(path),
    });
    this.#workers = [0, 1].map(
      (worker) =>
        new FakeMainThread({
          folder,
          model,
          engine: options.sessions,
          worker,
          ringCapacityBytes: 64 * 1024,
          limits: { sessionMemoryBytes: 2 * sessionMemoryBytes },
        }),
    );
    for (const worker of this.#workers) {
      worker.onMessage = (message) => this.#onMessage(message);
      worker.ended.catch((error: unknown) => this.fatal.push(error));
    }
    this.fetcher = new FakeFetcher(
      (partition) => this.#workers[this.manager.lanes.get(partition)!.worker]!.ring,
    );
  }

  static async start(options: BottleOptions): Promise<BottledEngine> {
    const engine = new BottledEngine(options);
    const { model, folder, ends, engineId, random } = options;
    const offsets = { note: () => {}, flush: async () => 'flushed', forget: async () => {} };
    const files = new LocalStore(folder);
    const wired = await wireEngine({
      store: engine.store,
      engineId,
      clock: engine.clock,
      random,
      log: engine.log,
      rings: engine.#workers.map((worker) => worker.ring),
      post: (worker, message) => engine.#workers[worker]!.post(message),
      fetcher: engine.fetcher,
      offsets: offsets as unknown as OffsetsFollower,
      janitor: (ledger) =>
        new SnapshotJanitor({
          store: files,
          modelHash: model.hash,
          appId: (partition) => ledger.appId(partition),
          log: engine.log,
        }),
      snapshotIntervalMs: 20_000,
      startOffsets: (partitions) => new Map(partitions.map((partition) => [partition, 0n])),
      ends,
      sessionMemoryBytes: options.sessionMemoryBytes,
      earlyEveryMs: options.earlyEveryMs,
      onFatal: (error) => engine.fatal.push(error),
    });
    Object.assign(engine, wired);
    return engine;
  }

  /** The next batch of a lane, if it is fetched now and there is one, and room. */
  feed(partition: number): void {
    const { topic } = this.#options;
    const lane = this.fetcher.lanes.get(partition);
    if (lane === undefined || this.crashed) return;
    const { position, endOffset } = lane;
    if (endOffset !== null && position >= endOffset) return;
    const batch = topic.lanes[partition]!.find(({ to }) => to > position);
    if (batch === undefined) return;
    const name = `${partition}/${batch.from}`;
    const bytes = topic.bad.has(name) ? damaged(batch.bytes) : batch.bytes;
    const to = endOffset !== null && endOffset < batch.to ? endOffset : batch.to;
    if (this.fetcher.deliver(partition, bytes, to)) topic.bad.delete(name);
  }

  /** A tick of the cut interval. */
  tick(): void {
    if (this.crashed || this.coordinator.cutsInFlight >= 4) return;
    this.manager.cutLive()?.catch((error: unknown) => this.fatal.push(error));
  }

  /** In a bounded run: lets the lanes out that are at their ends. */
  async letOut(): Promise<void> {
    if (this.crashed || this.#lettingOut || this.#options.ends === null) return;
    this.#lettingOut = true;
    await this.manager.finishBounded();
    this.#lettingOut = false;
  }

  /** Ends without a word; what is on its way may land all the same. */
  async crash(): Promise<void> {
    this.crashed = true;
    this.store.cutOff();
    for (const worker of this.#workers) await worker.stop();
  }

  async stop(): Promise<void> {
    await this.manager.drain();
    await this.crash();
  }

  async finish(): Promise<void> {
    while (!(await this.manager.finishBounded())) {
      if (this.fatal.length > 0) throw this.fatal[0];
      for (const partition of this.#options.topic.lanes.keys()) this.feed(partition);
      this.tick();
      await setImmediate();
    }
  }

  #onMessage(message: WorkerMessage): void {
    if (this.crashed || message.type === 'started') return;
    try {
      // the folder is sound: a file that can't be written is a bug
      if (message.type === 'seal-retry') throw HeadraceError.fromPlain(message.error);
      if (message.type === 'sealed') {
        this.memory.sealed(message.report);
        this.coordinator.sealed(message.report);
      } else this.manager.onWorkerMessage(message);
    } catch (error) {
      this.fatal.push(error);
    }
  }
}

/** The same bytes with one bit of the records the other way. */
function damaged(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  copy[copy.length - 1]! ^= 0x10;
  return copy;
}
