import type { Clock } from '../../clock.js';
import type { EngineConfig } from '../../config/types.js';
import { HeadraceError } from '../../errors.js';
import { OffsetsFollower } from '../../followers/offsets.js';
import type { Cluster } from '../../kafka/cluster.js';
import { Fetcher } from '../../kafka/fetcher.js';
import { Group, librdkafkaOf } from '../../kafka/group.js';
import type { Topic } from '../../kafka/topic.js';
import { chooseEngine } from '../../kernel/engine-choice.js';
import { IDLE_COMMIT_MS } from '../../lanes/cut-wishes.js';
import { acceptsGap } from '../../lanes/lane-gaps.js';
import { LaneManager } from '../../lanes/manager.js';
import { QualityFigures } from '../../lanes/quality-figures.js';
import { SessionMemory } from '../../lanes/session-memory.js';
import { SnapshotJanitor } from '../../lanes/snapshot-janitor.js';
import { SnapshotRequests } from '../../lanes/snapshot-requests.js';
import { Coordinator } from '../../ledger/coordinator.js';
import { Ledger } from '../../ledger/ledger.js';
import type { EngineFacts } from '../../metrics/facts.js';
import type { CompiledModel } from '../../model/types.js';
import type { WorkerMessage } from '../../pool/messages.js';
import { WorkerPool } from '../../pool/pool.js';
import type { Random } from '../../random.js';
import { sumCounters } from '../../telemetry/counters.js';
import type { Log } from '../../telemetry/log.js';
import { untilBoundedEnd } from './bounded-end.js';
import { clickHouseTarget } from './clickhouse.js';
import { CommitFigures } from './commit-figures.js';
import { CutLoop } from './cut-loop.js';
import { FactTaker } from './engine-facts.js';
import { cpuFigures, type RunFigures, runFigures } from './figures.js';
import { Followers } from './followers.js';
import { checkGroupAtBoot, judgeOffsets } from './group-offsets.js';
import type { PreparedLake } from './lake.js';
import { progressLoop } from './progress-loop.js';
import { SealTrouble } from './seal-trouble.js';
import { startOffsets } from './source-topic.js';
import { TableCare } from './table-care.js';

export interface EngineOptions {
  config: EngineConfig;
  model: CompiledModel;
  lake: PreparedLake;
  cluster: Cluster;
  topic: Topic;
  engineId: string;
  semantics: string;
  version: string;
  /** A bounded run: where each partition's input ends; null: it does not. */
  endOffsets: ReadonlyMap<number, bigint> | null;
  clock: Clock;
  random: Random;
  log: Log;
}

/** All parts of a running engine, wired; see src/ARCHITECTURE.md for the picture. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #ledger: Ledger;
  readonly #pool: WorkerPool;
  readonly #fetcher: Fetcher;
  readonly #group: Group;
  readonly #offsets: OffsetsFollower;
  readonly #janitor: SnapshotJanitor;
  readonly #memory: SessionMemory;
  readonly #requests: SnapshotRequests;
  readonly #followers: Followers;
  readonly #manager: LaneManager;
  readonly #coordinator: Coordinator;
  readonly #cuts: CutLoop;
  readonly #care: TableCare;
  readonly #sealTrouble: SealTrouble;
  readonly #quality: QualityFigures;
  readonly #commits: CommitFigures;
  readonly #facts: FactTaker;
  readonly #stop = new AbortController();
  /** Of each worker that has started. */
  readonly #workerThreads: (number | null)[];
  readonly #failed: Promise<never>;
  #fail: (error: unknown) => void = () => {};
  #abandoned = false;
  /** Were the group's committed offsets looked at? */
  #groupAsked = false;
  #startedMs = 0;
  /** Did the group say which partitions are ours? */
  #isJoined = false;
  #figures: RunFigures | null = null;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#failed = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    this.#failed.catch(() => undefined);
    const { lake, model, topic, clock, log } = options;
    this.#quality = new QualityFigures(topic.name, log, clock.monotonicMs());
    this.#sealTrouble = new SealTrouble(log, clock);
    this.#ledger = this.#makeLedger();
    this.#pool = this.#makePool();
    this.#workerThreads = this.#pool.rings.map(() => null);
    this.#commits = new CommitFigures(this.#pool.ownCounters, clock);
    this.#fetcher = this.#makeFetcher();
    this.#group = this.#makeGroup();
    this.#offsets = new OffsetsFollower({ committer: this.#group, clock, log });
    this.#janitor = new SnapshotJanitor({
      store: lake.store,
      modelHash: model.hash,
      appId: (partition) => this.#ledger.appId(partition),
      log,
    });
    this.#memory = this.#makeMemory();
    this.#followers = this.#makeFollowers();
    this.#manager = this.#makeManager();
    this.#requests = new SnapshotRequests({
      store: lake.store,
      clock,
      log,
      onRequest: () => this.#manager.snapshotSoon(),
    });
    this.#care = new TableCare({ ...options, ledger: this.#ledger, topicId: topic.topicId });
    this.#coordinator = this.#makeCoordinator();
    this.#cuts = this.#makeCutLoop();
    this.#manager.attach(this.#coordinator);
    this.#facts = this.#makeFacts();
  }

  /** How it stands now. */
  facts(): EngineFacts {
    return this.#facts.take();
  }

  #makeLedger(): Ledger {
    const { config, lake, topic, clock, random, log, engineId, semantics, version } = this.#options;
    return new Ledger(lake.delta, lake.history, {
      log,
      clock,
      random,
      engineId,
      group: config.kafka.group,
      topic: topic.name,
      topicId: topic.topicId,
      semantics,
      version,
      onForeign: (at, partitions) => this.#manager.onForeign(at, partitions),
    });
  }

  #makePool(): WorkerPool {
    const { config, lake, topic, model, log } = this.#options;
    const engine = chooseEngine(config.engine, model);
    if (engine !== config.engine) {
      log.warn(
        { model: model.name },
        'the model reads more fields than the kernel keeps: the reference runs',
      );
    }
    return new WorkerPool({
      workers: config.workers,
      ringCapacityBytes: config.limits.ringBytes,
      table: lake.place,
      topic: topic.name,
      model,
      engine,
      limits: config.limits,
      clickhouse: clickHouseTarget(config, model),
      quality: config.quality,
      onMessage: (worker, message) => this.#onWorkerMessage(worker, message),
      onFailure: (worker, cause) =>
        this.#fail(new HeadraceError('INVARIANT', 'a worker died', { where: { worker }, cause })),
    });
  }

  #makeFetcher(): Fetcher {
    const { config, cluster, topic, clock, random, log } = this.#options;
    return new Fetcher({
      cluster,
      topic,
      ringOf: (partition) => this.#pool.rings[this.#manager.lanes.get(partition)!.worker]!,
      limits: {
        partitionFetchBytes: config.fetch.partitionBytes,
        fetchBytesInFlight: config.fetch.inFlightBytes,
        responseBytesMax: config.fetch.responseBytesMax,
        maxWaitMs: config.fetch.maxWaitMs,
        minBytes: 1,
      },
      isolation: config.kafka.isolation,
      ...(config.kafka.rack === null ? {} : { rack: config.kafka.rack }),
      log,
      clock,
      random,
      acceptsGap: (partition, from, to) =>
        acceptsGap(config.kafka.acceptGaps, this.#ledger.lane(partition), { partition, from, to }),
      onEvent: (event) => this.#manager.onFetchEvent(event),
    });
  }

  #makeGroup(): Group {
    const { config, topic, clock, log } = this.#options;
    return new Group({
      brokers: config.kafka.brokers,
      topic: topic.name,
      groupId: config.kafka.group,
      clientId: config.kafka.clientId,
      protocol: config.kafka.groupProtocol,
      sessionTimeoutMs: config.kafka.sessionTimeoutMs,
      ...(config.kafka.instanceId === null ? {} : { instanceId: config.kafka.instanceId }),
      extra: librdkafkaOf(config.kafka),
      log,
      clock,
      onAssigned: (partitions) => this.#onAssigned(partitions),
      onRevoked: async (partitions) => {
        if (!this.#abandoned) await this.#manager.revoked(partitions);
      },
      onLost: (partitions) => this.#manager.lost(partitions),
    });
  }

  #makeMemory(): SessionMemory {
    const { config, topic, model, clock, log } = this.#options;
    return new SessionMemory({
      topic: topic.name,
      limitBytes: config.limits.sessionMemoryBytes,
      gapMs: model.gapMs,
      usualGapMs: model.gapField?.defaultMs ?? model.gapMs,
      clock,
      log,
    });
  }

  #makeFollowers(): Followers {
    return new Followers({
      ...this.#options,
      ledger: this.#ledger,
      pool: this.#pool,
      group: this.#group,
      workerOf: (partition) => this.#manager.lanes.get(partition)?.worker,
      onReached: (...reached) => this.#manager.noteOffset(...reached),
    });
  }

  #makeManager(): LaneManager {
    const { config, model, cluster, topic, clock, log, endOffsets } = this.#options;
    return new LaneManager({
      ledger: this.#ledger,
      rings: this.#pool.rings,
      post: (worker, message) => this.#pool.post(worker, message),
      fetcher: this.#fetcher,
      offsets: this.#offsets,
      follower: this.#followers.lanes,
      janitor: this.#janitor,
      clock,
      log,
      topic: topic.name,
      snapshotIntervalMs: config.snapshotIntervalMs,
      eviction: this.#memory.order,
      idleTimeoutMs: model.idleTimeoutMs,
      earlyEveryMs: model.emitEarlyMs,
      startOffsets: (partitions) =>
        startOffsets(config, { cluster, topic, ledger: this.#ledger }, partitions),
      endOffsets,
      onRecovered: () => this.#cuts.ring(),
      leaderOf: (partition) => {
        const leader = topic.leader(partition);
        return leader === undefined ? undefined : cluster.nameOf(leader.nodeId);
      },
      onFatal: (error) => this.#fail(error),
    });
  }

  #makeCoordinator(): Coordinator {
    const { clock, random } = this.#options;
    return new Coordinator({
      ledger: this.#ledger,
      clock,
      random,
      idleCommitMs: IDLE_COMMIT_MS,
      held: () => this.#manager.held(),
      sendCut: (command) => this.#manager.sendCut(command),
      onCommitted: (at, plan, tookMs) => {
        this.#commits.committed(at, plan, tookMs);
        this.#followers.committed(at, plan);
        this.#manager.onCommitted(at, plan);
        this.#care.committed(at);
      },
      onResets: (partitions) => this.#manager.onResets(partitions),
      onFatal: (error) => this.#fail(error),
    });
  }

  /**
   * Runs until `signal` asks for an orderly stop, or, in a bounded run, until everything is done. Resolves when all that
   * was read is committed and every part has ended; rejects when the engine can't go on.
   */
  async run(signal: AbortSignal): Promise<RunFigures> {
    const { clock, topic } = this.#options;
    this.#startedMs = clock.monotonicMs();
    try {
      this.#groupAsked = await checkGroupAtBoot(
        { ...this.#options, tableId: this.#ledger.tableId },
        topic.partitions,
      );
      await this.#group.start();
      const done = Promise.race([this.#untilStopped(signal), this.#untilFinished(), this.#failed]);
      void this.#care.run(this.#stop.signal);
      const loops = Promise.race([this.#cuts.run(), this.#progressLoop(), this.#failed]);
      await Promise.race([done, loops]);
      await this.#drain();
      return this.#figures!;
    } catch (error) {
      await this.#abandon();
      throw error;
    }
  }

  async #untilStopped(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    this.#options.log.info(
      {},
      'stopping: sealing what was read, committing, keeping open sessions in snapshots',
    );
  }

  #untilFinished(): Promise<void> {
    const { endOffsets, config, clock, log } = this.#options;
    return untilBoundedEnd(
      {
        ...{ endOffsets, manager: this.#manager, ledger: this.#ledger, followers: this.#followers },
        ...{ sessionTimeoutMs: config.kafka.sessionTimeoutMs, startedMs: this.#startedMs, clock, log },
      },
      this.#stop.signal,
    );
  }

  #makeFacts(): FactTaker {
    const { config, model, lake, topic, engineId, version, clock } = this.#options;
    return new FactTaker({
      about: {
        ...{ version, engineId, topic: topic.name, group: config.kafka.group, model: model.name },
        ...{ table: lake.place.path, sessionsBy: config.engine },
      },
      ...{ config, clock, pool: this.#pool, fetcher: this.#fetcher, quality: this.#quality },
      ...{ commits: this.#commits, followers: this.#followers },
      lanes: () => this.#manager.lanes,
      offsetsPending: () => this.#offsets.pending,
      tableVersion: () => this.#ledger.version,
      cutsInFlight: () => this.#coordinator.cutsInFlight,
      isLakeInTrouble: () => this.#sealTrouble.isMet || this.#ledger.isInTrouble,
      workerThreads: () => this.#workerThreads,
      isJoined: () => this.#isJoined,
      isStopping: () => this.#stop.signal.aborted,
      startedMs: () => this.#startedMs,
    });
  }

  #makeCutLoop(): CutLoop {
    const { config, clock } = this.#options;
    return new CutLoop({
      ...{ clock, intervalMs: config.cutIntervalMs, cutsInFlightMax: config.limits.cutsInFlight },
      rings: this.#pool.rings,
      coordinator: this.#coordinator,
      manager: this.#manager,
      requests: this.#requests,
      stop: this.#stop.signal,
      onError: (error) => this.#fail(error),
    });
  }

  #progressLoop(): Promise<never> {
    const { clock, log } = this.#options;
    const options = {
      counters: this.#pool.counters,
      quality: this.#quality,
      lag: () => this.#lag(),
      version: () => this.#ledger.version,
      followers: () => this.#followers.progress(),
      tellRecovery: () => this.#manager.tellRecovery(),
      startedMs: this.#startedMs,
    };
    return progressLoop({ ...options, clock, log }, this.#stop.signal);
  }

  /** Events between where the lanes are read and the ends of what can be read of their partitions. */
  #lag(): number {
    let lag = 0n;
    for (const partition of this.#manager.lanes.keys()) {
      const status = this.#fetcher.laneStatus(partition);
      if (status?.readableEnd != null && status.readableEnd > status.position) {
        lag += status.readableEnd - status.position;
      }
    }
    return Number(lag);
  }

  async #drain(): Promise<void> {
    const { config, clock, log } = this.#options;
    this.#stop.abort();
    const tooLate = clock.sleep(config.drainTimeoutMs).then(() => {
      throw new HeadraceError('LAKE_IO', 'the orderly stop took longer than it may', {
        where: { drain_timeout_ms: config.drainTimeoutMs },
        remedy:
          'nothing is lost: the next start replays what was not committed; raise drain_timeout if this is normal',
      });
    });
    tooLate.catch(() => undefined);
    await Promise.race([this.#drainParts(), tooLate, this.#failed]);
    log.info({ ...this.#figures, cpuSeconds: undefined }, 'stopped');
  }

  async #drainParts(): Promise<void> {
    for (const ring of this.#pool.rings) ring.holdData(false);
    const cared = this.#care.close();
    await this.#manager.drain();
    await this.#cuts.settled;
    await cared;
    const followed = await this.#followers.close(this.#options.config.drainTimeoutMs / 3);
    await this.#offsets.flush(2_000);
    await this.#janitor.settled();
    this.#figures = this.#takeFigures(followed);
    await this.#group.leave();
    await this.#fetcher.close();
    await this.#offsets.close();
    await this.#pool.stop();
    await this.#options.cluster.close();
  }

  /** After a failure: everything ends at once, nothing more is written. The ledger has what counts. */
  async #abandon(): Promise<void> {
    this.#abandoned = true;
    this.#stop.abort();
    await this.#followers.abandon();
    await this.#care.close();
    await this.#pool.destroy();
    await this.#fetcher.close();
    await this.#offsets.close();
    await this.#options.cluster.close();
    await this.#group.leave();
  }

  #takeFigures(followed: Pick<RunFigures, 'clickhouse' | 'output'>): RunFigures {
    const lanes = [...this.#manager.lanes.values()];
    return runFigures({
      totals: sumCounters(this.#pool.counters),
      cpu: cpuFigures(this.#workerThreads),
      seconds: (this.#options.clock.monotonicMs() - this.#startedMs) / 1_000,
      lanes: lanes.length,
      haltedLanes: lanes.filter((lane) => lane.halted !== null).length,
      tableVersion: this.#ledger.version,
      ...followed,
    });
  }

  #onAssigned(partitions: number[]): void {
    this.#isJoined = true;
    this.#manager.assigned(partitions).catch((error: unknown) => this.#fail(error));
    void this.#checkGroup(partitions);
  }

  /** Engines of another table may have joined the group, too: none of us had said anything yet when we began. */
  async #checkGroup(partitions: number[]): Promise<void> {
    const found = await this.#group.committed(partitions).catch(() => null);
    if (found === null) return;
    try {
      judgeOffsets({ ...this.#options, tableId: this.#ledger.tableId }, found, !this.#groupAsked);
      this.#groupAsked = true;
    } catch (error) {
      this.#fail(error);
    }
  }

  #onWorkerMessage(worker: number, message: WorkerMessage): void {
    try {
      if (message.type === 'started') this.#workerThreads[worker] = message.osThreadId;
      else if (message.type === 'sealed') {
        this.#sealTrouble.over(worker);
        this.#memory.sealed(message.report);
        this.#manager.sealed(message.report);
        this.#coordinator.sealed(message.report);
      } else if (message.type === 'quality') this.#quality.add(message.lanes);
      else if (message.type === 'seal-retry') this.#sealTrouble.met(worker, message.error);
      else if (message.type === 'store-retry') this.#options.lake.retries.tell(message);
      else if (!this.#followers.answered(message)) this.#manager.onWorkerMessage(message);
    } catch (error) {
      this.#fail(error);
    }
  }
}
