import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../clock.js';
import type { MockKafka } from '../embedded/mock-kafka.js';
import type { EventGenerator } from '../generator/event-generator.js';
import { Producer } from '../kafka/producer.js';
import type { PlainLog } from '../telemetry/log.js';
import { Backlog } from './demo-backlog.js';
import type { Cleanups } from './demo-cleanups.js';
import type { Sample } from './demo-dashboard.js';
import { DemoEngine } from './demo-engine.js';
import { EngineLogReader } from './demo-engine-log.js';
import { Feed } from './demo-feed.js';
import { DemoLedger } from './demo-ledger.js';
import type { DemoModel, Generated } from './demo-model.js';

/**
 * One model's way through the demo: generator → topic → an engine of its own → its table.
 *
 * Generate for some seconds while the engine runs → SIGTERM: the engine seals, commits and keeps what is open in
 * snapshots → a bounded run goes on from there and closes the rest.
 */

/** The mock cluster gives every topic so many. */
const PARTITIONS = 4;
const SEED = 1;
const CUT_INTERVAL = '250ms';
const START_TIMEOUT_MS = 60_000;
const STALL_MS = 60_000;
const STOP_TIMEOUT_MS = 40_000;
/** The engine opens its page before all else. */
const PAGE_TIMEOUT_MS = 20_000;
const PAGE_POLL_MS = 50;
const BOUNDED_TIMEOUT_MS = 180_000;

/**
 * So few users that the brokers hold more than an hour of event time: a cut without a finished session is not committed,
 * and with nothing committed nothing more is produced.
 */
const USERS_MAX = 5_000;
const USERS_MIN = 50;
/** At a slower rate as many fewer users: event time passes about 2½ hours a second. */
const EVENTS_PER_SECOND_PER_USER = 12;
const EVENT_HOURS_PER_SECOND = 3;
const HOUR_MS = 3_600_000;

export interface DemoStreamOptions {
  model: DemoModel;
  /** The demo's folder; the table lies in `lake-<model>` below it. */
  folder: string;
  kafka: MockKafka;
  clickhouseUrl: string;
  seconds: number;
  /** null: as fast as the engine follows. */
  eventsPerSecond: number | null;
  clock: Clock;
  log: PlainLog;
  cleanups: Cleanups;
  /** Aborts when the demo is interrupted. */
  signal: AbortSignal;
}

export class DemoStream {
  readonly model: DemoModel;
  readonly tableFolder: string;
  readonly ledger: DemoLedger;
  readonly feed: Feed;
  /** What the generator knows of the events so far. */
  readonly generated: () => Generated;
  readonly #options: DemoStreamOptions;
  readonly #generator: EventGenerator;
  readonly #backlog = new Backlog(PARTITIONS);
  readonly #engineLog: EngineLogReader;
  readonly #ended = new AbortController();
  #engine: DemoEngine | null = null;

  private constructor(options: DemoStreamOptions, producer: Producer) {
    const { model, folder, clock, signal } = options;
    this.#options = options;
    this.model = model;
    this.tableFolder = join(folder, `lake-${model.name}`);
    this.ledger = new DemoLedger(this.tableFolder, this.#backlog, clock);
    const { generator, generated } = model.start(generatorOptions(options));
    this.#generator = generator;
    this.generated = generated;
    this.feed = new Feed({
      generator,
      producer,
      topic: model.topic,
      backlog: this.#backlog,
      eventsPerSecond: options.eventsPerSecond,
      clock,
      signal: AbortSignal.any([signal, this.#ended.signal]),
    });
    this.#engineLog = new EngineLogReader(this.#logPath('engine'));
  }

  /** Its topic is there, its engine runs. */
  static async start(options: DemoStreamOptions): Promise<DemoStream> {
    const { model, kafka, clock, log, cleanups } = options;
    await kafka.createTopic(model.topic);
    const producer = new Producer({
      brokers: kafka.bootstrap,
      clientId: `headrace-demo-${model.name}`,
      log,
      clock,
      extra: { 'compression.codec': model.compression },
    });
    await producer.connect();
    cleanups.add(() => producer.close(0).catch(() => undefined));
    const stream = new DemoStream(options, producer);
    await mkdir(stream.tableFolder);
    stream.#engine = await stream.#startEngine('engine', []);
    cleanups.add(() => stream.#engineLog.close());
    return stream;
  }

  /** Where its engine's page is; null: it has none. */
  async pageUrl(): Promise<string | null> {
    const { clock, signal } = this.#options;
    const deadlineMs = clock.monotonicMs() + PAGE_TIMEOUT_MS;
    while (this.#engineLog.pageUrl === null && clock.monotonicMs() < deadlineMs && !signal.aborted) {
      await this.#engineLog.look();
      await clock.sleep(PAGE_POLL_MS, signal);
    }
    return this.#engineLog.pageUrl;
  }

  /** Until all events are delivered; fails as soon as the engine ends, or stands still. */
  async run(): Promise<void> {
    const engine = this.#engine!;
    const stop = AbortSignal.any([this.#options.signal, this.#ended.signal]);
    const died = engine.ended.then(async (how) => {
      if (!stop.aborted) throw await engine.failure(`the engine of ${this.model.name} ended by itself`, how);
    });
    const fed = async () => {
      // the engine's first commit says where each lane starts: from then on it reads
      const reads = () => this.ledger.lanes === PARTITIONS;
      const started = await this.ledger.follow(reads, stop, START_TIMEOUT_MS);
      if (started === 'stalled') throw await this.#failure(engine, 'did not start to read');
      const followed = this.ledger.follow(() => false, stop, STALL_MS);
      const outcome = await Promise.race([this.feed.run(this.#options.seconds), followed]);
      if (outcome === 'stalled') throw await this.#failure(engine, 'stands still');
    };
    try {
      await Promise.race([fed(), died]);
    } finally {
      this.#ended.abort();
    }
  }

  /** The engine stops in order. */
  async stop(): Promise<void> {
    await this.#engine!.stop(STOP_TIMEOUT_MS);
    await this.#engine!.finish(`the engine of ${this.model.name} did not stop in order`, STOP_TIMEOUT_MS);
  }

  /** A bounded run closes what is open. */
  async close(): Promise<void> {
    const bounded = await this.#startEngine('engine-until-end', ['--until-end']);
    await bounded.finish(`the bounded run of ${this.model.name} failed`, BOUNDED_TIMEOUT_MS);
    await this.ledger.refresh();
  }

  async sample(clickhouseRows: number | null): Promise<Sample> {
    await this.#engineLog.look();
    return {
      model: this.model.name,
      produced: this.#backlog.records,
      committed: this.#backlog.committedRecords,
      openSessions: this.#engineLog.openSessions,
      commits: this.ledger.commits,
      lakeRows: this.ledger.rows,
      clickhouseRows,
      deadLetters: this.ledger.deadLetters,
      eventTimeMs: this.#generator.nowMs,
    };
  }

  async #startEngine(name: string, more: readonly string[]): Promise<DemoEngine> {
    const { model, kafka, clickhouseUrl, cleanups, signal } = this.#options;
    signal.throwIfAborted();
    const flags = {
      brokers: kafka.bootstrap,
      topic: model.topic,
      group: `headrace-demo-${model.name}`,
      model: model.name,
      lake: this.tableFolder,
      clickhouse: clickhouseUrl,
      workers: '1',
      'cut-interval': CUT_INTERVAL,
    };
    const args = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]);
    const engine = await DemoEngine.start(['run', ...args, '--json', ...more], this.#logPath(name));
    cleanups.add(async () => void (await engine.stop(STOP_TIMEOUT_MS)));
    return engine;
  }

  #failure(engine: DemoEngine, what: string): Promise<Error> {
    return engine.failure(`the engine of ${this.model.name} ${what}`, 'no commit');
  }

  #logPath(name: string): string {
    return join(this.#options.folder, `${name}-${this.model.name}.log`);
  }
}

function generatorOptions({ seconds, eventsPerSecond, clock }: DemoStreamOptions) {
  const wanted = Math.ceil((eventsPerSecond ?? Number.POSITIVE_INFINITY) / EVENTS_PER_SECOND_PER_USER);
  const users = Math.min(USERS_MAX, Math.max(USERS_MIN, wanted));
  const hourMs = Math.floor(clock.nowMs() / HOUR_MS) * HOUR_MS;
  const startMs = hourMs - (24 + seconds * EVENT_HOURS_PER_SECOND) * HOUR_MS;
  return { seed: SEED, users, partitions: PARTITIONS, startMs };
}
