import type { LaneOffset } from '#src/followers/offsets.js';
import { seededRandom } from '#src/random.js';
import {
  createTable,
  foldedHistory,
  type StoredVersion,
  storedVersions,
  TOPIC_ID,
} from '../../support/fake-ledger.js';
import { MemoryStore } from '../../support/fake-store.js';
import { filesUpTo, missingInTopic, verdict } from './oracle.js';
import { RULES } from './rules.js';
import { SimBroker } from './sim-broker.js';
import { LOG_KEPT_MS, SimCleaner } from './sim-cleaner.js';
import { SimClickHouse, WINDOW } from './sim-clickhouse.js';
import { SimEngine, type SimWorld } from './sim-engine.js';
import { SimGroup } from './sim-group.js';
import { type SimLake, truthOf } from './sim-store.js';
import { SimTopic } from './sim-topic.js';
import { Timeline } from './timeline.js';

/**
 * One seed: three engines of one group over some lanes, a lake, a ClickHouse and topics. For a while they are killed, stopped, made to
 * stand still, their lanes moved, their requests lost; then everything heals, and when the engines have come to the end of the
 * log it is looked at what there is.
 */
export interface SimOptions {
  seed: number;
  /** A rule of rules.ts that no engine keeps to. */
  off?: string;
  /** What happens, line by line. */
  onLine?(line: string): void;
}

export interface SimOutcome {
  seed: number;
  /** What went wrong, or null. */
  failure: string | null;
  /** Versions that the engines wrote, and simulated milliseconds. */
  versions: number;
  ms: number;
}

const ENGINES = 3;
const LANES = 4;
/** Each so manieth seed sets ClickHouse back. */
const RESTORING = 4;
/** In each so manieth, the log is cleaned up. */
const CLEANING = 5;
/** In each so manieth, engines of another model are started. */
const OTHER_MODEL = 8;
const TROUBLE_MS = 16_000;
/** Everything is healed: nothing takes that long any more. */
const HEALED_MS = 120_000;

export async function simulate(options: SimOptions): Promise<SimOutcome> {
  const { stackTraceLimit } = Error;
  // thousands of errors are thrown, and all of them on purpose
  Error.stackTraceLimit = 0;
  try {
    return await new Simulation(options).run();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

class Simulation {
  readonly #options: SimOptions;
  readonly #world: SimWorld;
  readonly #engines: SimEngine[] = [];
  #failure: string | null = null;
  #started = 0;
  #troubleEndsMs = TROUBLE_MS;
  #quietUntilMs = 0;
  #fileIds = 0;
  readonly #cleaner: SimCleaner;
  /** By lane: the first offset that an engine read. */
  readonly #readFrom = new Map<number, number>();

  constructor(options: SimOptions) {
    this.#options = options;
    const timeline = new Timeline();
    const random = seededRandom(options.seed);
    const lake: SimLake = {
      objects: new MemoryStore(() => timeline.ms),
      archive: new Map(),
      files: new Map(),
      letters: new Map(),
      faults: 0,
    };
    const rule = options.off === undefined ? null : RULES.get(options.off)!;
    const clickhouse = new SimClickHouse(timeline, random);
    this.#world = {
      timeline,
      random,
      topic: new SimTopic(random, LANES, TROUBLE_MS + 3_000),
      lake,
      clickhouse,
      broker: new SimBroker(timeline),
      group: new SimGroup(timeline, LANES, (offset) => this.#offsetCommitted(offset)),
      seamsOf: (engine) => rule?.seams(engine) ?? {},
      decoded: new Map(),
      onRead: (partition, offset) => {
        const first = this.#readFrom.get(partition);
        if (first === undefined || offset < first) this.#readFrom.set(partition, offset);
      },
      newFileId: () => String(1_000 + ++this.#fileIds),
      isTold: options.onLine !== undefined,
      tell: (who, what) => options.onLine?.(`${(timeline.ms / 1_000).toFixed(3).padStart(9)} ${who} ${what}`),
      failed: (why) => {
        this.#failure ??= why;
        options.onLine?.(`FAILED ${why}`);
      },
    };
    this.#cleaner = new SimCleaner({
      ...this.#world,
      lanes: LANES,
      keepsHorizon: rule?.horizon !== 'ignored',
      tell: (what) => this.#tell(what),
    });
  }

  /** In some seeds another tool is at the table now and then. */
  async #clean(): Promise<void> {
    const { timeline, random } = this.#world;
    if (timeline.ms >= this.#troubleEndsMs) return;
    await this.#cleaner.clean(timeline.ms);
    timeline.after(500 + random.below(1_500), () => void this.#clean());
  }

  async run(): Promise<SimOutcome> {
    const { seed } = this.#options;
    const { timeline, lake } = this.#world;
    await createTable(lake.objects, {
      'delta.logRetentionDuration': `interval ${LOG_KEPT_MS} milliseconds`,
    });
    lake.faults = 0.08;
    for (let i = 0; i < ENGINES; i++) this.#start();
    this.#trouble();
    if (this.#isCleaned) timeline.after(LOG_KEPT_MS, () => void this.#clean());
    await timeline.until(() => this.#failure !== null || timeline.ms >= this.#troubleEndsMs, Infinity);
    if (this.#failure === null) {
      this.#heal();
      if (!(await timeline.until(() => this.#failure !== null || this.#isAtEnd(), timeline.ms + HEALED_MS))) {
        this.#failure = `not at the end after ${HEALED_MS / 1_000} s without trouble: ${this.#whatIsMissing()}`;
      }
    }
    this.#failure ??= this.#verdict(() => verdict(this.#world) ?? this.#startsTooLate());
    for (const engine of this.#engines) engine.process.kill();
    return { seed, failure: this.#failure, versions: truthOf(lake).objects.size, ms: timeline.ms };
  }

  /** A backup from before what the log still has is for an operator: not in those that restore one. */
  get #isCleaned(): boolean {
    const { seed } = this.#options;
    return seed % CLEANING === 0 && seed % RESTORING !== 0;
  }

  #start(): void {
    const { random } = this.#world;
    // somebody starts an engine with a model that the table was not written by, beside others
    const isOdd = this.#options.seed % OTHER_MODEL === 0 && random.below(3) === 0;
    const isOneThere = this.#alive.some(({ otherModel, isLeaving }) => !otherModel && !isLeaving);
    const otherModel = isOdd && this.#started >= ENGINES && isOneThere;
    const engine = new SimEngine(`engine-${++this.#started}`, this.#world, otherModel);
    this.#engines.push(engine);
    void engine.start();
  }

  get #alive(): SimEngine[] {
    return this.#engines.filter(({ process }) => !process.isDead);
  }

  #trouble(): void {
    const { timeline, random } = this.#world;
    timeline.after(100 + random.below(2_400), () => {
      if (timeline.ms >= this.#troubleEndsMs) return;
      const until = this.#troubleEndsMs;
      this.#something();
      // a quiet time is quiet
      if (until === this.#troubleEndsMs) this.#trouble();
    });
  }

  #something(): void {
    const { random, lake, timeline, group } = this.#world;
    const alive = this.#alive;
    const engine = alive[random.below(alive.length)];
    const lot = random.below(100);
    if (lot < 45 && engine === undefined) this.#start();
    else if (lot < 12) this.#replace(() => engine!.crash());
    else if (lot < 18) this.#replace(() => engine!.stop());
    else if (lot < 32)
      engine!.freeze(
        (this.#isCleaned ? LOG_KEPT_MS : 500) + random.below(random.below(2) === 0 ? 2_000 : 12_000),
      );
    else if (lot < 45) group.move(random.below(LANES), engine!);
    else if (lot < 55) {
      lake.faults = 0.4;
      this.#tell('the lake is in trouble');
      timeline.after(random.below(5_000), () => {
        if (timeline.ms < this.#troubleEndsMs) lake.faults = 0.08;
      });
    } else this.#somethingInClickHouse(lot);
  }

  #somethingInClickHouse(lot: number): void {
    const { clickhouse, broker, random } = this.#world;
    if (lot < 59) {
      this.#tell('the brokers of the topics are in trouble');
      broker.faults = [0.5, 0.2, 0.05][random.below(3)]!;
      if (random.below(3) === 0) broker.down(random.below(8_000));
    } else if (lot < 65) {
      this.#tell('ClickHouse is down');
      clickhouse.down(random.below(8_000));
    } else if (lot < 73) {
      this.#tell('ClickHouse is started anew');
      clickhouse.restart();
    } else if (lot < 80) {
      this.#quietTime(random.below(2) === 0);
    } else if (lot < 85) {
      this.#tell('ClickHouse merges');
      clickhouse.merge();
    } else if (lot < 92) this.#backUpOrRestore();
    else {
      this.#tell('ClickHouse loses answers');
      clickhouse.faults = random.below(2) === 0 ? 0.5 : 0.05;
    }
  }

  /**
   * Nobody runs for a good while, and meanwhile ClickHouse forgets the tokens of before: all engines are dead, or stand still.
   * While engines run, the window is never used up within a request: that is what its size is for.
   */
  #quietTime(dead: boolean): void {
    const { timeline, clickhouse, random } = this.#world;
    const alive = this.#alive;
    const pauseMs = dead ? 15_000 : 75_000;
    this.#troubleEndsMs += pauseMs;
    this.#quietUntilMs = timeline.ms + pauseMs;
    for (const engine of alive) {
      if (dead) engine.crash();
      else engine.freeze(pauseMs);
    }
    timeline.after(pauseMs - 1_000, () => {
      this.#tell('others have inserted much into ClickHouse');
      clickhouse.othersInsert(WINDOW + random.below(100));
    });
    if (dead) timeline.after(pauseMs, () => this.#start());
    timeline.after(pauseMs, () => this.#trouble());
  }

  /** In some seeds: a backup is made, and once it is brought back. */
  #backUpOrRestore(): void {
    const { clickhouse } = this.#world;
    if (this.#options.seed % RESTORING !== 0 || clickhouse.restored) return;
    if (!clickhouse.isBackedUp) {
      this.#tell('ClickHouse is backed up');
      clickhouse.backup();
      return;
    }
    this.#tell('ClickHouse is down, its backup is brought back');
    clickhouse.restore();
  }

  #replace(end: () => void): void {
    const { timeline, random } = this.#world;
    end();
    timeline.after(random.below(4_000), () => {
      // in a quiet time nobody comes
      if (timeline.ms >= this.#quietUntilMs && this.#alive.length < ENGINES) this.#start();
    });
  }

  #heal(): void {
    const { lake, clickhouse, broker } = this.#world;
    this.#tell('everything heals');
    lake.faults = 0;
    clickhouse.heal();
    broker.heal();
    for (const engine of this.#engines) engine.thaw();
    if (this.#alive.every(({ isLeaving, otherModel }) => isLeaving || otherModel)) this.#start();
  }

  #isAtEnd(): boolean {
    const { timeline } = this.#world;
    if (timeline.ms < this.#nextLookMs) return false;
    this.#nextLookMs = timeline.ms + 1_000;
    return this.#whatIsMissing() === '';
  }

  #nextLookMs = 0;

  #whatIsMissing(): string {
    const { topic } = this.#world;
    const missing: string[] = [];
    topic.lanes.forEach((events, partition) => {
      const offsets = this.#alive.map(({ ledger }) => ledger?.lane(partition)?.committedTo ?? 0n);
      if (offsets.every((offset) => offset !== BigInt(events.length))) {
        missing.push(`lane ${partition} stands at ${offsets}, its end is ${events.length}`);
      }
    });
    const last = lastOfRows(this.#world.lake);
    for (const engine of this.#alive) {
      const newest = engine.ledger?.version ?? -1;
      const { files, versions } = engine.follower?.behind ?? { files: 0, versions: 0 };
      if (files > 0 || newest - versions < last)
        missing.push(`${engine.name} has ${files} files and ${versions} versions to go`);
      const behind = engine.topics?.behind ?? 0;
      if (newest - behind < last) missing.push(`${engine.name} has ${behind} versions to go into the topics`);
    }
    if (missing.length === 0) missing.push(verdict(this.#world) ?? '');
    return missing.filter((each) => each !== '').join(', ');
  }

  /** What was read before a lane's first commit is behind that commit's start (rule 5). */
  #startsTooLate(): string | null {
    const history = foldedHistory(truthOf(this.#world.lake));
    for (const [partition, offset] of this.#readFrom) {
      const start = history.lane(TOPIC_ID, partition)!.startOffset;
      if (offset < start)
        return `lane ${partition} was read from ${offset} on, and the table has it from ${start}`;
    }
    return null;
  }

  /** Kafka's offsets are those of the slowest follower (rule 21). */
  #offsetCommitted({ partition, offset, metadata }: LaneOffset): void {
    const { lake, clickhouse } = this.#world;
    const version = Number(/version=(\d+)/.exec(metadata!)![1]);
    const unsent = missingInTopic(this.#world, partition, version);
    if (unsent > 0) {
      this.#world.failed(
        `lane ${partition}: offset ${offset} was committed to Kafka before ${unsent} rows were in the output topic`,
      );
    }
    if (clickhouse.restored || clickhouse.merged) return;
    const ids = filesUpTo(lake, partition, version);
    const present = clickhouse.present(ids);
    const absent = ids.filter((id) => !present.has(id));
    if (absent.length === 0) return;
    const what = `offset ${offset} was committed to Kafka before files ${absent} were in ClickHouse`;
    this.#world.failed(`lane ${partition}: ${what}`);
  }

  #verdict(look: () => string | null): string | null {
    try {
      return look();
    } catch (error) {
      return String(error);
    }
  }

  #tell(what: string): void {
    this.#world.tell('·', what);
  }
}

/** The last version that brought rows, dead letters or offsets: engines go on to write ones with snapshots alone, and followers after them. */
function lastOfRows(lake: SimLake): number {
  const isMore = ({ facts: { entry }, paths }: StoredVersion) =>
    paths.length > 0 ||
    entry!.cuts.some(({ lanes }) => lanes.some(({ from, to, deadLetters }) => to > from || deadLetters > 0));
  return storedVersions(truthOf(lake)).findLast(isMore)?.version ?? -1;
}
