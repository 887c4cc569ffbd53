import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../clock.js';
import { type ChdbSession, openChdb } from '../embedded/chdb-query.js';
import { startMockKafka } from '../embedded/mock-kafka.js';
import { loadModel } from '../model/load.js';
import { createLog } from '../telemetry/log.js';
import { Cleanups } from './demo-cleanups.js';
import { DemoClickHouse, deltaSink } from './demo-clickhouse.js';
import { CLICKSTREAM } from './demo-clickstream.js';
import { Dashboard } from './demo-dashboard.js';
import { migrate } from './demo-engine.js';
import { Narrator } from './demo-narrator.js';
import { agrees, type DemoFigures, type ModelFigures, resultJson, resultText } from './demo-output.js';
import { differences, readSink } from './demo-report.js';
import { watchSignals } from './demo-signals.js';
import { DemoStream } from './demo-stream.js';
import { WEB_CLICKS } from './demo-web-clicks.js';
import type { DemoCommand, DemoOptions } from './options.js';

/**
 * `headrace demo`: both models at once. Brokers in this process, ClickHouse (chDB behind its HTTP interface) and a real
 * engine for each model in processes of their own, generators that know their sessions. No server, no network, one
 * temporary folder.
 *
 * At the end ClickHouse, the Delta tables (read by chDB, which nobody here wrote) and the generators must say the same.
 */

const MODELS = [CLICKSTREAM, WEB_CLICKS] as const;
const STATUS_MS = 1_000;
const CATCH_UP_STALL_MS = 15_000;

interface Parts {
  options: DemoOptions;
  narrator: Narrator;
  cleanups: Cleanups;
  /** Aborts when the demo is interrupted, or has failed. */
  signal: AbortSignal;
}

/** Exit code 0: all agree; 1: something differs, or a part failed; 130, 143: ended by a signal. */
export const demoCommand: DemoCommand = async (options) => {
  const narrator = new Narrator(options.json ? process.stderr : process.stdout);
  const interrupt = watchSignals();
  const cleanups = new Cleanups();
  const over = new AbortController();
  try {
    const signal = AbortSignal.any([interrupt.signal, over.signal]);
    const played = play({ options, narrator, cleanups, signal });
    // after an interrupt its parts end in failures that nobody asks about
    played.catch(() => undefined);
    const outcome = await Promise.race([played, interrupt.code]);
    if (typeof outcome === 'number') {
      narrator.line('Interrupted: stopping the engines and clearing up; nothing is compared.');
      return outcome;
    }
    if (options.json) process.stdout.write(`${JSON.stringify(resultJson(outcome))}\n`);
    else narrator.line(resultText(outcome, process.stdout));
    return agrees(outcome) ? 0 : 1;
  } finally {
    over.abort();
    interrupt.end();
    await cleanups.run();
  }
};

async function play(parts: Parts): Promise<DemoFigures> {
  const { options, narrator, cleanups, signal } = parts;
  const keeping = { folder: options.keep === true };
  const folder = await demoFolder(keeping, narrator, cleanups);
  // chDB is asked for now: half a minute later would be late to learn that it is not installed
  const opened = openChdb(folder).then((session) => {
    cleanups.add(() => session.close());
    return session;
  });
  const [chdb, clickhouse] = await Promise.all([opened, DemoClickHouse.start(folder, cleanups)]);
  narrator.line(`ClickHouse (chDB behind HTTP): ${clickhouse.url}. Making its tables.`);
  for (const made of await Promise.all(MODELS.map(({ name }) => migrate(name, clickhouse.url)))) {
    narrator.line(made);
  }
  signal.throwIfAborted();
  const models = await Promise.race([run(parts, folder, clickhouse, chdb), clickhouse.died]);
  // what is wrong is worth a look
  if (!agrees({ models })) keeping.folder = true;
  return { models, seconds: options.seconds, folder, kept: keeping.folder };
}

async function run(
  parts: Parts,
  folder: string,
  clickhouse: DemoClickHouse,
  chdb: ChdbSession,
): Promise<ModelFigures[]> {
  const { narrator, signal } = parts;
  const streams = await startStreams(parts, folder, clickhouse);
  const pages = await Promise.all(streams.map((stream) => stream.pageUrl()));
  for (const [index, { model }] of streams.entries()) {
    if (pages[index] !== null) narrator.line(`Watch ${model.name} live: ${pages[index]}`);
  }
  await feedAll(parts, streams, clickhouse);
  signal.throwIfAborted();

  narrator.keepStatus();
  narrator.line(
    'All events are out. The engines stop: they seal, commit, and keep open sessions in snapshots.',
  );
  await Promise.all(streams.map((stream) => stream.stop()));
  narrator.line('Bounded runs go on from the snapshots and close what is open.');
  await Promise.all(streams.map((stream) => stream.close()));
  narrator.line('Asking ClickHouse, and the Delta tables (chDB, deltaLakeLocal).');
  const models: ModelFigures[] = [];
  for (const stream of streams) {
    const { name } = stream.model;
    await clickhouse.caughtUp(name, stream.ledger.rows, CATCH_UP_STALL_MS, systemClock, signal);
    models.push(await compare(stream, clickhouse, chdb));
  }
  return models;
}

async function startStreams(
  { options, narrator, cleanups, signal }: Parts,
  folder: string,
  clickhouse: DemoClickHouse,
): Promise<DemoStream[]> {
  const kafka = await startMockKafka();
  cleanups.add(() => kafka.stop());
  narrator.line(
    `Kafka (in this process): ${kafka.bootstrap}. Starting an engine for each model in ${folder}.`,
  );
  const log = createLog({ level: 'warn', format: 'auto' });
  const { seconds } = options;
  const common = { folder, kafka, clickhouseUrl: clickhouse.url, seconds, log, cleanups, signal };
  const streams: DemoStream[] = [];
  for (const [index, model] of MODELS.entries()) {
    const eventsPerSecond = rateOf(options, index);
    streams.push(await DemoStream.start({ ...common, model, eventsPerSecond, clock: systemClock }));
  }
  return streams;
}

/** The models share the rate that was asked for. */
function rateOf({ eventsPerSecond }: DemoOptions, index: number): number | null {
  if (eventsPerSecond === undefined) return null;
  return Math.max(1, Math.floor((eventsPerSecond + index) / MODELS.length));
}

/** Until all events of all models are delivered. Says once a second how it goes. */
async function feedAll(
  { options, narrator, signal }: Parts,
  streams: readonly DemoStream[],
  clickhouse: DemoClickHouse,
): Promise<void> {
  const dashboard = new Dashboard(options.seconds);
  const fed = new AbortController();
  const stop = AbortSignal.any([signal, fed.signal]);
  const tell = async () => {
    while (!stop.aborted) {
      const elapsedMs = Math.max(...streams.map(({ feed }) => feed.elapsedMs));
      const rows = await Promise.all(streams.map(({ model }) => clickhouse.rows(model.name)));
      const samples = await Promise.all(streams.map((stream, index) => stream.sample(rows[index]!)));
      if (stop.aborted) break;
      // before the first event there is nothing to tell
      if (elapsedMs > 0) {
        dashboard.add(elapsedMs, samples);
        narrator.status(dashboard.table(), dashboard.lines());
      }
      await systemClock.sleep(STATUS_MS, stop);
    }
  };
  const telling = tell();
  try {
    await Promise.race([Promise.all(streams.map((stream) => stream.run())), telling]);
  } finally {
    fed.abort();
  }
  await telling;
}

async function compare(
  stream: DemoStream,
  clickhouse: DemoClickHouse,
  chdb: ChdbSession,
): Promise<ModelFigures> {
  const { model, tableFolder, ledger, feed } = stream;
  const generated = stream.generated();
  const tables = clickhouse.sink(model.name);
  const read = (sink: typeof tables) => {
    return readSink(sink, model.questions, Object.keys(generated.totals), loadModel(model.name));
  };
  const [inClickHouse, inDelta] = await Promise.all([read(tables), read(deltaSink(chdb, tableFolder))]);
  const { deadLetters, commits } = ledger;
  return {
    model,
    generated,
    clickhouse: inClickHouse,
    delta: inDelta,
    sqlOf: tables.sqlOf,
    clickhouseUrl: clickhouse.url,
    differences: differences(model, generated, inClickHouse, inDelta),
    feedMs: feed.elapsedMs,
    commits,
    deadLetters,
    tableFolder,
  };
}

async function demoFolder(
  keeping: { folder: boolean },
  narrator: Narrator,
  cleanups: Cleanups,
): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'headrace-demo-')));
  cleanups.add(async () => {
    if (keeping.folder) narrator.line(keptText(folder));
    else await rm(folder, { recursive: true, force: true });
  });
  return folder;
}

/** How to look at what was kept. */
function keptText(folder: string): string {
  const sql = `SELECT * FROM ${CLICKSTREAM.name}.sessions LIMIT 3 FORMAT Vertical`;
  const data = join(folder, 'clickhouse', 'data');
  return [
    `Kept: ${folder}`,
    ...MODELS.map(({ name }) => `  lake-${name}: a Delta table, for any reader of Delta`),
    '  clickhouse: the data of ClickHouse. In a checkout:',
    `  node -p "new (require('chdb').Session)('${data}').query('${sql}')"`,
  ].join('\n');
}
