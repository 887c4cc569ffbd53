import { HeadraceError, messageOf } from '#src/errors.js';
import { ClickHouseFollower } from '#src/followers/clickhouse/follower.js';
import { OffsetsFollower } from '#src/followers/offsets.js';
import { SlowestFollower } from '#src/followers/slowest.js';
import { TopicFollower } from '#src/followers/topics/follower.js';
import { LanePlaces } from '#src/followers/topics/places.js';
import { LaneRegistry } from '#src/followers/topics/registry.js';
import type { Action } from '#src/lake/delta/actions.js';
import { decodeVersion } from '#src/lake/delta/decode.js';
import { versionPath } from '#src/lake/delta/path.js';
import type { LaneManager } from '#src/lanes/manager.js';
import { SeveralFollowers } from '#src/lanes/several-followers.js';
import { SnapshotJanitor } from '#src/lanes/snapshot-janitor.js';
import type { Coordinator } from '#src/ledger/coordinator.js';
import { appIdOf } from '#src/ledger/history.js';
import type { Ledger } from '#src/ledger/ledger.js';
import type { WorkerMessage } from '#src/pool/messages.js';
import { type Random, seededRandom } from '#src/random.js';
import type { Log, LogFields } from '#src/telemetry/log.js';
import { wireEngine } from '../../support/fake-engine.js';
import { FakeFetcher, type FakeLane } from '../../support/fake-fetcher.js';
import { SOURCE, TOPIC_ID } from '../../support/fake-ledger.js';
import { ClickHouseLine } from './clickhouse-line.js';
import type { Seams } from './rules.js';
import type { SimBroker } from './sim-broker.js';
import { type SimClickHouse, WINDOW } from './sim-clickhouse.js';
import type { SimGroup, SimMember } from './sim-group.js';
import { latencyMs, SimProcess } from './sim-process.js';
import { readRecords, startVersionOf } from './sim-records.js';
import { MODEL_HASH } from './sim-sealer.js';
import { SESSION_BYTES } from './sim-slot.js';
import { type SimLake, StoreLine } from './sim-store.js';
import type { SimTopic } from './sim-topic.js';
import { SimWorker } from './sim-worker.js';
import type { Timeline } from './timeline.js';
import { TopicsLine } from './topics-line.js';
import { GAP_MS } from './toy-sessions.js';

/** What all engines share. */
export interface SimWorld {
  timeline: Timeline;
  random: Random;
  topic: SimTopic;
  lake: SimLake;
  clickhouse: SimClickHouse;
  broker: SimBroker;
  group: SimGroup;
  /** How an engine is put together: a rule may be left out. */
  seamsOf(engine: SimEngine): Seams;
  newFileId(): string;
  /** An engine reads a lane from this offset on. */
  onRead(partition: number, offset: number): void;
  /** Versions of the log that a follower has read. */
  decoded: Map<number, readonly Action[]>;
  /** For whoever replays a seed; when nobody does, it need not be put into words. */
  isTold: boolean;
  tell(who: string, what: string): void;
  /** Something that must not happen did. */
  failed(why: string): void;
}

const WORKERS = 2;
const CUTS_MAX = 4;
/** Of each worker: a few sessions. */
const SESSION_MEMORY_BYTES = 7 * SESSION_BYTES;
const IDLE_TIMEOUT_MS = 1_500;

/** An engine: the main thread's parts, real, over a process, lines, workers and a group that are simulated. */
export class SimEngine implements SimMember {
  readonly name: string;
  readonly process: SimProcess;
  readonly store: StoreLine;
  readonly clickhouse: ClickHouseLine;
  readonly world: SimWorld;
  readonly otherModel: boolean;
  ledger!: Ledger;
  manager!: LaneManager;
  coordinator!: Coordinator;
  follower!: ClickHouseFollower;
  topics!: TopicFollower;
  offsets!: OffsetsFollower;
  readonly #random: Random;
  readonly #seams: Seams;
  readonly #fetcher: FakeFetcher;
  readonly #workers: SimWorker[];
  readonly #cutMs: number;
  readonly #earlyEveryMs: number | null;
  readonly #slowest = new SlowestFollower(['clickhouse', 'topics']);
  /** Lanes with a fetch under way. */
  readonly #fetching = new Set<FakeLane>();
  /** What the group said, one after the other. */
  #callbacks: Promise<unknown> = Promise.resolve();
  #leaving = false;
  /** Counts how often it was thrown out of the group: what that said before is void. */
  #stay = 0;

  /** `otherModel`: it comes with a model that the table was not written by. */
  constructor(name: string, world: SimWorld, otherModel = false) {
    this.name = name;
    this.world = world;
    this.otherModel = otherModel;
    this.#random = seededRandom(world.random.below(2 ** 31));
    this.process = new SimProcess(world.timeline, this.#random, this.#random.below(2_000) - 1_000);
    this.#seams = world.seamsOf(this);
    this.store = new StoreLine(world.lake, this.process, this.#random, {
      fsyncs: this.#seams.fsync !== 'never',
      unseen: this.#seams.unseen ?? null,
    });
    this.clickhouse = new ClickHouseLine(world.clickhouse, world.lake, this.process, this.#random, (what) =>
      world.tell(name, what),
    );
    this.#cutMs = 300 + this.#random.below(1_200);
    this.#earlyEveryMs = this.#random.below(2) === 0 ? null : 500 + this.#random.below(4_000);
    this.#workers = Array.from({ length: WORKERS }, (_, index) => this.#worker(index));
    const rings = this.#workers.map((worker) => worker.ring);
    this.#fetcher = new FakeFetcher((partition) => rings[this.manager.lanes.get(partition)!.worker]!);
  }

  get isAlive(): boolean {
    return this.process.isRunning;
  }

  /** Is it on its way out? */
  get isLeaving(): boolean {
    return this.#leaving;
  }

  /** Reads the table, then joins the group. Never rejects. */
  async start(): Promise<void> {
    const { world, process } = this;
    for (;;) {
      try {
        await this.#wire();
        break;
      } catch (error) {
        if (!isPassing(error)) return this.#fatal(error);
        await process.pause(500);
      }
    }
    if (process.isDead) return;
    world.tell(this.name, 'joins');
    world.group.join(this);
    this.#feed();
    this.#tick();
  }

  crash(): void {
    this.world.tell(this.name, 'crashes, and its machine with it');
    this.process.kill();
    this.store.machineDown();
  }

  /** An orderly end, as far as faults let it. */
  stop(): void {
    if (this.#leaving || this.manager === undefined) return;
    this.#leaving = true;
    this.world.tell(this.name, 'stops');
    this.#end().catch((error: unknown) => this.#fatal(error));
  }

  async #end(): Promise<void> {
    await this.manager.drain();
    await Promise.all([this.follower.close(5_000), this.topics.close(5_000)]);
    await this.offsets.flush(2_000);
    this.world.tell(this.name, 'has stopped');
    this.process.kill();
    this.world.group.leave(this);
  }

  freeze(ms: number): void {
    const { timeline } = this.world;
    // one that stands already stands for longer: in a quiet time nobody may be about
    if (this.process.isDead || timeline.ms + ms <= this.#frozenUntilMs) return;
    this.world.tell(this.name, `stands still for ${ms} ms`);
    this.process.freeze();
    this.#frozenUntilMs = timeline.ms + ms;
    timeline.after(ms, () => {
      if (timeline.ms >= this.#frozenUntilMs) this.thaw();
    });
  }

  #frozenUntilMs = 0;

  thaw(): void {
    if (!this.process.isFrozen) return;
    this.world.tell(this.name, 'goes on');
    this.process.thaw();
  }

  assigned(partition: number): void {
    this.world.tell(this.name, `is given lane ${partition}`);
    const stay = this.#stay;
    this.#queue(async () => {
      await this.process.pause(this.#random.below(200));
      if (this.#stay === stay && !this.#leaving) await this.manager.assigned([partition]);
    });
  }

  async revoked(partition: number): Promise<void> {
    this.world.tell(this.name, `is to let go of lane ${partition}`);
    await new Promise<void>((resolve) => {
      this.#queue(async () => {
        await this.process.pause(this.#random.below(200));
        await this.manager.revoked([partition]);
        this.world.tell(this.name, `has let go of lane ${partition}`);
        resolve();
      });
    });
  }

  /** It learns of it at once or, thawed, some time after it has gone on with its work. */
  lost(): void {
    this.world.tell(this.name, 'is out of the group');
    this.process.after(0, () => {
      this.process.after(this.#random.below(2_000), () => {
        this.#stay++;
        this.manager.lost([...this.manager.lanes.keys()]);
        this.world.tell(this.name, 'knows that it is out');
        this.#queue(async () => {
          if (!this.#leaving && !this.world.group.has(this)) this.world.group.join(this);
        });
      });
    });
  }

  /** One after the other; they go on while a lane comes up, as the group's do not wait for each other's lanes. */
  #queue(work: () => Promise<void>): void {
    this.#callbacks = this.#callbacks.then(work).catch((error: unknown) => this.#fatal(error));
  }

  #worker(index: number): SimWorker {
    const { process, store, world } = this;
    return new SimWorker({
      index,
      process,
      random: this.#random,
      store,
      topic: world.topic,
      sessionMemoryBytes: SESSION_MEMORY_BYTES,
      salt: this.otherModel ? 1 : 0,
      newFileId: world.newFileId,
      onMessage: (message) => this.#onMessage(message),
      onFatal: (error) => this.#fatal(error),
      onSnapshot: (snapshot) => this.#seams.snapshotWritten?.(snapshot),
    });
  }

  async #wire(): Promise<void> {
    const { process, world, store } = this;
    const { clock } = process;
    const log = world.isTold ? new TellingLog((text) => world.tell(this.name, text)) : SILENT;
    this.offsets = new OffsetsFollower({
      clock,
      log,
      committer: {
        commit: async (offsets) => {
          await process.pause(1 + this.#random.below(30));
          return world.group.commit(this, offsets);
        },
      },
    });
    this.follower = this.#makeFollower(log);
    this.topics = this.#makeTopics(log);
    const follower = new SeveralFollowers([
      this.#seams.laneFollower?.(this.follower) ?? this.follower,
      this.#seams.topicFollower?.(this.topics) ?? this.topics,
    ]);
    const parts = await wireEngine({
      store,
      engineId: this.name,
      clock,
      random: this.#random,
      log,
      rings: this.#workers.map((worker) => worker.ring),
      post: (worker, message) => this.#workers[worker]!.post(message),
      fetcher: this.#fetcher,
      offsets: this.offsets,
      janitor: (ledger) =>
        new SnapshotJanitor({
          store,
          modelHash: MODEL_HASH,
          appId: (partition) => ledger.appId(partition),
          log,
        }),
      snapshotIntervalMs: 3_000,
      startOffsets: (partitions) =>
        new Map(partitions.map((each) => [each, BigInt(world.topic.end(each, world.timeline.ms))])),
      ends: null,
      sessionMemoryBytes: SESSION_MEMORY_BYTES,
      gapMs: GAP_MS,
      idleTimeoutMs: IDLE_TIMEOUT_MS,
      earlyEveryMs: this.#earlyEveryMs,
      semantics: this.otherModel && this.#seams.semantics === undefined ? 'another model' : 'rules',
      follower,
      onFatal: (error) => this.#fatal(error),
      ...(this.#seams.engine === undefined ? {} : { seams: this.#seams.engine }),
    });
    Object.assign(this, parts);
  }

  #makeFollower(log: Log): ClickHouseFollower {
    const { process, clickhouse } = this;
    const [tables, inserter] = [clickhouse.tables(), clickhouse.inserter()];
    return new ClickHouseFollower({
      tables: this.#seams.tables?.(tables) ?? tables,
      inserter: this.#seams.inserter?.(inserter) ?? inserter,
      check: async () => {},
      readVersion: (version) => this.#readVersion(version),
      newestVersion: () => this.ledger?.version ?? -1,
      appId: (partition) => appIdOf(SOURCE, TOPIC_ID, partition),
      workerOf: (partition) => this.manager.lanes.get(partition)?.worker,
      window: WINDOW,
      clock: process.clock,
      random: this.#random,
      log,
      onReached: (...reached) => this.#reached('clickhouse', ...reached),
    });
  }

  #makeTopics(log: Log): TopicFollower {
    const { process, store, world } = this;
    const line = new TopicsLine({
      broker: world.broker,
      process,
      random: this.#random,
      id: this.name,
      isMember: () => world.group.has(this),
      checksGeneration: this.#seams.checksGeneration ?? true,
      tell: (what) => world.tell(this.name, what),
    });
    const readVersion = async (version: number) => await this.#readVersion(version);
    const newestVersion = () => this.ledger?.version ?? -1;
    const places = new LanePlaces({
      registry: new LaneRegistry(store, 'positions'),
      startOf: (partition) => startVersionOf(this.ledger.lane(partition)),
      readVersion,
      newestVersion,
      start: null,
      topic: 'positions',
    });
    return new TopicFollower({
      sink: this.#seams.sink?.(line) ?? line,
      places,
      readRecords: async (_, request) => {
        await process.pause(latencyMs(this.#random));
        return readRecords(world.lake, request);
      },
      readVersion,
      newestVersion,
      appId: (partition) => appIdOf(SOURCE, TOPIC_ID, partition),
      recordsMax: 12,
      clock: process.clock,
      random: this.#random,
      log,
      onReached: (...reached) => this.#reached('topics', ...reached),
    });
  }

  /** The group's offsets are those of the slowest follower (rule 21). */
  #reached(name: 'clickhouse' | 'topics', partition: number, version: number, offset: bigint): void {
    this.#slowest.reached(name, partition, { version, offset });
    const slowest = this.#slowest.of(partition);
    if (slowest !== null) this.manager.noteOffset(partition, slowest.version, slowest.offset);
  }

  async #readVersion(version: number): Promise<readonly Action[] | null> {
    const bytes = await this.store.get(versionPath(version));
    return bytes === null ? null : this.#decoded(version, bytes);
  }

  /** A version is read by each follower of each engine, and says the same to all. */
  #decoded(version: number, bytes: Uint8Array): readonly Action[] {
    const { decoded } = this.world;
    const actions = decoded.get(version) ?? decodeVersion(version, bytes);
    decoded.set(version, actions);
    return actions;
  }

  /** Fetches of each lane that is read, one after the other; each is answered with a few events, or with the log's end. */
  #feed(): void {
    const { process } = this;
    for (const [partition, lane] of this.#fetcher.lanes) {
      if (this.#fetching.has(lane)) continue;
      this.#fetching.add(lane);
      this.#fetch(partition, lane);
    }
    process.after(100 + this.#random.below(700), () => this.#feed());
  }

  #fetch(partition: number, lane: FakeLane): void {
    const { topic, timeline, onRead } = this.world;
    const askedMs = timeline.ms;
    timeline.after(latencyMs(this.#random), () => {
      const end = topic.end(partition, timeline.ms);
      this.process.after(latencyMs(this.#random), () => {
        this.#fetching.delete(lane);
        if (this.#fetcher.lanes.get(partition) !== lane) return;
        const { position, silence } = lane;
        const to = Math.min(end, Number(position) + 1 + this.#random.below(20));
        if (to > position) {
          onRead(partition, Number(position));
          this.#fetcher.deliver(partition, NO_BYTES, BigInt(to));
        } else if (this.#seams.silence === 'answer') {
          lane.silence = { fromMs: silence?.fromMs ?? askedMs, untilMs: timeline.ms };
        } else lane.silence = { fromMs: silence?.fromMs ?? askedMs, untilMs: askedMs };
      });
    });
  }

  #tick(): void {
    for (const { partition, halted } of this.manager.lanes.values()) {
      if (halted !== null) this.world.failed(`${this.name}: lane ${partition} halted: ${halted}`);
    }
    if (this.coordinator.cutsInFlight < CUTS_MAX && !this.#leaving) {
      this.manager.cutLive()?.catch((error: unknown) => this.#fatal(error));
    }
    this.process.after(this.#cutMs, () => this.#tick());
  }

  #onMessage(message: WorkerMessage): void {
    try {
      if (message.type === 'sealed') {
        this.manager.sealed(message.report);
        this.coordinator.sealed(this.#seams.sealed?.(message.report) ?? message.report);
      } else this.manager.onWorkerMessage(message);
    } catch (error) {
      this.#fatal(error);
    }
  }

  #fatal(error: unknown): void {
    if (this.process.isDead) return;
    this.process.kill();
    if (this.otherModel && error instanceof HeadraceError && error.code === 'LAKE_NOT_OURS') {
      this.world.tell(this.name, 'ends: the table was written by another model');
    } else this.world.failed(`${this.name}: ${messageOf(error)}`);
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof HeadraceError && error.disposition === 'retry';
}

const NO_BYTES = new Uint8Array(0);

/** A log whose lines go to whoever replays a seed. */
class TellingLog implements Log {
  readonly #tell: (text: string) => void;

  constructor(tell: (text: string) => void) {
    this.#tell = tell;
  }

  trace(): void {}
  debug(): void {}

  info(fields: LogFields, message: string): void {
    this.#line(fields, message);
  }

  warn(fields: LogFields, message: string): void {
    this.#line(fields, message);
  }

  error(fields: LogFields, message: string): void {
    this.#line(fields, message);
  }

  child(): Log {
    return this;
  }

  #line(fields: LogFields, message: string): void {
    this.#tell(`${message} ${plain(fields)}`);
  }
}

const SILENT: Log = {
  trace: () => {},
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => SILENT,
};

function plain(fields: LogFields): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${value instanceof Error ? messageOf(value) : String(value)}`)
    .join(' ');
}
