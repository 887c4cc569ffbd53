import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../clock.js';
import { openChdb } from '../embedded/chdb-query.js';
import { startMockKafka } from '../embedded/mock-kafka.js';
import { ClickstreamGenerator } from '../generator/clickstream.js';
import { Producer } from '../kafka/producer.js';
import { createLog } from '../telemetry/log.js';
import { Backlog } from './demo-backlog.js';
import { DemoEngine } from './demo-engine.js';
import { Feed } from './demo-feed.js';
import { DemoLedger } from './demo-ledger.js';
import { Narrator } from './demo-narrator.js';
import { type DemoFigures, resultJson, resultText, statusText } from './demo-output.js';
import { differences, readTable } from './demo-report.js';
import type { DemoCommand, DemoOptions } from './options.js';

/**
 * `headrace demo`: brokers in this process, a generator that knows its sessions, the real engine in a process of its
 * own, and SQL over the table by a reader that nobody here wrote. No server, no network, one temporary folder.
 *
 * Generate for some seconds while the engine runs → SIGTERM: the engine seals, commits and keeps what is open in
 * snapshots → a bounded run goes on from there and closes the rest → the table must say what the generator knows.
 */

const TOPIC = 'clickstream_events';
/** The mock cluster gives every topic so many. */
const PARTITIONS = 4;
const SEED = 1;
const CUT_INTERVAL = '250ms';
const START_TIMEOUT_MS = 60_000;
const STALL_MS = 60_000;
const STOP_TIMEOUT_MS = 40_000;
const BOUNDED_TIMEOUT_MS = 180_000;
const STATUS_MS = 1_000;

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

/** Exit code 0: the table agrees with the generator; 1: it differs, or a part failed; 130, 143: ended by a signal. */
export const demoCommand: DemoCommand = async (options) => {
  const narrator = new Narrator(options.json ? process.stderr : process.stdout);
  const interrupt = watchSignals();
  const cleanups = new Cleanups();
  try {
    const played = play(options, narrator, cleanups, interrupt.signal);
    // after an interrupt its parts end in failures that nobody asks about
    played.catch(() => undefined);
    const outcome = await Promise.race([played, interrupt.code]);
    if (typeof outcome === 'number') {
      narrator.line('Interrupted: stopping the engine and clearing up; nothing is compared.');
      return outcome;
    }
    if (options.json) process.stdout.write(`${JSON.stringify(resultJson(outcome))}\n`);
    else narrator.line(resultText(outcome, process.stdout));
    return outcome.differences.length === 0 ? 0 : 1;
  } finally {
    interrupt.end();
    await cleanups.run();
  }
};

async function play(
  options: DemoOptions,
  narrator: Narrator,
  cleanups: Cleanups,
  signal: AbortSignal,
): Promise<DemoFigures> {
  const clock = systemClock;
  const keeping = { folder: options.keep === true };
  const folder = await demoFolder(keeping, narrator, cleanups);
  const lake = join(folder, 'lake');
  await mkdir(lake);
  // chDB is asked for now: half a minute later would be late to learn that it is not installed
  const chdb = await openChdb(folder);
  cleanups.add(() => chdb.close());

  const kafka = await startMockKafka();
  cleanups.add(() => kafka.stop());
  await kafka.createTopic(TOPIC);
  const log = createLog({ level: 'warn', format: 'auto' });
  const producer = new Producer({ brokers: kafka.bootstrap, clientId: 'headrace-demo', log, clock });
  await producer.connect();
  cleanups.add(() => producer.close(0).catch(() => undefined));

  const backlog = new Backlog(PARTITIONS);
  const ledger = new DemoLedger(lake, backlog, clock);
  const startEngine = async (name: string, args: readonly string[]) => {
    signal.throwIfAborted();
    const engine = await DemoEngine.start(
      [...engineArgs(kafka.bootstrap, lake), ...args],
      join(folder, `${name}.log`),
    );
    cleanups.add(async () => void (await engine.stop(STOP_TIMEOUT_MS)));
    return engine;
  };

  narrator.line(`Kafka (in this process): ${kafka.bootstrap}. Starting the engine, table in ${lake}.`);
  const engine = await startEngine('engine', []);
  const generator = new ClickstreamGenerator(generatorOptions(options, clock.nowMs()));
  const eventsPerSecond = options.eventsPerSecond ?? null;
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  const feed = new Feed({ generator, producer, topic: TOPIC, backlog, eventsPerSecond, clock, signal: stop });
  const tell = () => narrator.status(statusText({ feed, generator, backlog, ledger }));
  try {
    await feedEngine({ engine, feed, ledger, seconds: options.seconds, stop, tell });
  } finally {
    ended.abort();
  }
  signal.throwIfAborted();

  narrator.line(
    'All events are out. Stopping the engine: it seals, commits, and keeps open sessions in snapshots.',
  );
  await engine.stop(STOP_TIMEOUT_MS);
  await engine.finish('the engine did not stop in order', STOP_TIMEOUT_MS);
  narrator.line('A bounded run goes on from the snapshots and closes what is open.');
  const bounded = await startEngine('engine-until-end', ['--until-end']);
  await bounded.finish('the bounded run failed', BOUNDED_TIMEOUT_MS);
  await ledger.refresh();

  narrator.line('Asking the table (SQL by chDB, deltaLakeLocal).');
  const table = await readTable(chdb, join(chdb.folder, 'lake'));
  const expected = generator.expected();
  const differing = differences(expected, table);
  // a table that is wrong is worth a look
  if (differing.length > 0) keeping.folder = true;
  return {
    expected,
    table,
    differences: differing,
    seconds: options.seconds,
    feedMs: feed.elapsedMs,
    commits: ledger.commits,
    tableFolder: lake,
    kept: keeping.folder,
  };
}

/** Until all events are delivered; fails as soon as the engine ends, or stands still. */
async function feedEngine(parts: {
  engine: DemoEngine;
  feed: Feed;
  ledger: DemoLedger;
  seconds: number;
  stop: AbortSignal;
  /** Says how it goes, once a second. */
  tell: () => void;
}): Promise<void> {
  const { engine, feed, ledger, seconds, stop, tell } = parts;
  const died = engine.ended.then(async (how) => {
    if (!stop.aborted) throw await engine.failure('the engine ended by itself', how);
  });
  const status = async () => {
    while (!stop.aborted) {
      tell();
      await systemClock.sleep(STATUS_MS, stop);
    }
  };
  const fed = async () => {
    // the engine's first commit says where each lane starts: from then on it reads
    const started = await ledger.follow(() => ledger.lanes === PARTITIONS, stop, START_TIMEOUT_MS);
    if (started === 'stalled') throw await engine.failure('the engine did not start to read', 'no commit');
    void status();
    const followed = ledger.follow(() => false, stop, STALL_MS);
    const outcome = await Promise.race([feed.run(seconds), followed]);
    if (outcome === 'stalled') throw await engine.failure('the engine stands still', 'no commit');
  };
  await Promise.race([fed(), died]);
}

function engineArgs(brokers: string, lake: string): string[] {
  const flags = { brokers, topic: TOPIC, group: 'headrace-demo', model: 'clickstream', lake };
  const args = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]);
  return ['run', ...args, '--cut-interval', CUT_INTERVAL, '--json'];
}

function generatorOptions({ seconds, eventsPerSecond }: DemoOptions, nowMs: number) {
  const wanted = Math.ceil((eventsPerSecond ?? Number.POSITIVE_INFINITY) / EVENTS_PER_SECOND_PER_USER);
  const users = Math.min(USERS_MAX, Math.max(USERS_MIN, wanted));
  const startMs = Math.floor(nowMs / HOUR_MS) * HOUR_MS - (24 + seconds * EVENT_HOURS_PER_SECOND) * HOUR_MS;
  return { seed: SEED, users, partitions: PARTITIONS, startMs };
}

async function demoFolder(
  keeping: { folder: boolean },
  narrator: Narrator,
  cleanups: Cleanups,
): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'headrace-demo-')));
  cleanups.add(async () => {
    if (keeping.folder) narrator.line(`Kept: ${folder}`);
    else await rm(folder, { recursive: true, force: true });
  });
  return folder;
}

/** What is to be undone, last first. One that fails does not keep the others from being done. */
class Cleanups {
  readonly #steps: (() => Promise<void>)[] = [];
  #done = false;

  add(step: () => Promise<void>): void {
    // the demo may have been interrupted while a part was being started
    if (this.#done) void step().catch(() => undefined);
    else this.#steps.push(step);
  }

  async run(): Promise<void> {
    this.#done = true;
    for (const step of this.#steps.reverse()) await step().catch(() => undefined);
  }
}

/** The first SIGINT, SIGTERM or SIGHUP ends the demo in order, the second at once. */
function watchSignals() {
  const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
  const controller = new AbortController();
  let interrupted: (code: number) => void = () => {};
  const code = new Promise<number>((resolve) => {
    interrupted = resolve;
  });
  const onSignal = (name: NodeJS.Signals) => {
    const number = codes[name as keyof typeof codes];
    if (controller.signal.aborted) process.exit(number);
    controller.abort();
    interrupted(number);
  };
  for (const name of Object.keys(codes)) process.on(name, onSignal);
  const end = () => {
    for (const name of Object.keys(codes)) process.off(name, onSignal);
  };
  return { signal: controller.signal, code, end };
}
