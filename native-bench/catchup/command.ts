import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { planMigration, runMigration } from '#src/clickhouse/migrate.js';
import { analyticsOf } from '#src/clickhouse/schema.js';
import { type ClickHouseTarget, openClickHouse } from '#src/clickhouse/target.js';
import { auditView } from '#src/clickhouse/views/audit.js';
import type { WantedView } from '#src/clickhouse/views/compare-views.js';
import { queriesOf } from '#src/clickhouse/views/queries.js';
import { systemClock } from '#src/clock.js';
import { groupByDate } from '#src/columnar/session-date.js';
import { resolveClickHouseConfig } from '#src/config/load-clickhouse.js';
import { LocalStore } from '#src/lake/store/local.js';
import type { Row } from '#src/model/types.js';
import { seededRandom } from '#src/random.js';
import { sumHistogram } from '#src/telemetry/counters.js';
import { formatTable, formatWhole } from '#src/telemetry/progress.js';
import { ClickHouseSide } from '../clickhouse-side.js';
import { createBenchTable, openBenchLedger } from '../lake/ledger.js';
import { type Machine, thisMachine } from '../machine.js';
import { writeResult } from '../result-folder.js';
import { closedRows } from '../stages/sessions.js';
import type { Output } from '../stages-command.js';
import { buildWorkload } from '../workload.js';
import { type AskedFigures, askedWhile } from './asking.js';
import { BenchFollower, type FollowerParts } from './follower.js';
import { CatchupLake, type WrittenCut } from './lake.js';
import { type CatchupOptions, parseCatchupOptions } from './options.js';
import type { StatementFigures } from './statements.js';

/**
 * The benchmark `catchup`: ClickHouse was away, the lake went on; how long does it take until ClickHouse has it all, while commits go
 * on once a second? And what becomes of those commits, and of the thread that makes them, meanwhile? Ends only when each row is in once.
 */
export interface CatchupResult {
  benchmark: 'catchup';
  startedAt: string;
  machine: Machine;
  options: CatchupOptions;
  files: number;
  rows: number;
  seconds: number;
  filesPerSecond: number;
  /** How many times faster than events came. */
  timesLive: number;
  /** One insert, on average, and its share of the time: the rest are the follower's own words with ClickHouse. */
  insertMs: number;
  insertShare: number;
  /** What the follower says to ClickHouse beside the inserts of files, by kind, the one that takes longest first. */
  statements: StatementFigures[];
  /** All of them and the file's own insert, a file. */
  statementsAFile: number;
  /** CPU of this process and of ClickHouse, a file. */
  engineCpuMsAFile: number;
  clickhouseCpuMsAFile: number;
  /** Of commits that go on, before and during: how long one takes, and for how long this thread was held up. */
  calm: LiveFigures;
  during: LiveFigures;
  /** From a commit to its rows in ClickHouse, when it is caught up. */
  lagAfter: LagFigures;
  /** The same while the documented queries are asked; null without views. */
  asked: (AskedFigures & { lag: LagFigures }) | null;
}

export interface LagFigures {
  msP50: number;
  msMax: number;
}

export interface LiveFigures {
  commitMsP50: number;
  commitMsMax: number;
  heldMsP99: number;
  heldMsMax: number;
}

const MODEL = 'clickstream';
const SEED = 20_260_131;
const WORKLOAD_EVENTS = 60_000;
const LIVE_MS = 1_000;
const CALM_COMMITS = 10;
const DAY_MS = 86_400_000;
const DAYS_ASKED = 30;
const POLL_MS = 5;
const STALL_MS = 120_000;
const AUDIT_MS = 600_000;

/** Throws Error for flags it does not know, when it stalls, and when a row is missing or doubled. */
export async function runCatchup(args: readonly string[], output: Output): Promise<CatchupResult> {
  const options = parseCatchupOptions(args);
  const startedAt = new Date(systemClock.nowMs()).toISOString();
  const folder = mkdtempSync(join(tmpdir(), 'headrace-catchup-'));
  const side = await ClickHouseSide.start(join(folder, 'clickhouse'));
  try {
    const scene = await setTheScene(options, new LocalStore(join(folder, 'lake')), side, output);
    const result: CatchupResult = {
      benchmark: 'catchup',
      startedAt,
      machine: thisMachine(),
      options,
      ...(await catchUp(scene, side, options, output)),
    };
    output.print(reportText(result));
    if (options.out !== undefined) output.print(`\nwritten to ${writeResult(options.out, result)}`);
    if (options.json) output.print(JSON.stringify(result));
    return result;
  } finally {
    await side.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Scene extends FollowerParts {
  lake: CatchupLake;
  /** What is committed while ClickHouse is caught up: written before, so that only commits are measured. */
  written: WrittenCut[];
  /** Of the outage: its last version, its files and rows. */
  outage: { version: number; files: number; rows: number };
}

/** Tables in ClickHouse that have nothing, and a lake that has it all. */
async function setTheScene(
  options: CatchupOptions,
  store: LocalStore,
  side: ClickHouseSide,
  { progress }: Output,
): Promise<Scene> {
  const random = seededRandom(SEED);
  await createBenchTable(store);
  const ledger = await openBenchLedger(store, random);
  const workload = buildWorkload({ events: WORKLOAD_EVENTS, recordsPerBatch: 500 });
  const { model } = workload;
  const [day, sessions] = largest(groupByDate(model, closedRows(workload)));
  const { workers, lanes, outageSeconds } = options;
  const rowsACommit = Math.floor(options.eventsPerSecond / options.eventsASession);
  const lake = new CatchupLake({ store, ledger, model, sessions, day, rowsACommit, workers, lanes, random });
  const target = targetOf(side.url, options.views);
  const client = openClickHouse(target, { database: 'system' });
  await runMigration(client, target, await planMigration(client, target, model), () => {});
  await client.close();
  for (let cut = 1; cut <= outageSeconds; cut++) {
    await lake.commit(await lake.write());
    if (cut % 60 === 0) progress(`the lake has ${cut} of ${outageSeconds} s`);
  }
  const outage = { version: ledger.version, files: lake.files, rows: lake.rows };
  const written: WrittenCut[] = [];
  const count = CALM_COMMITS + Math.ceil(outageSeconds / 10) + 1;
  while (written.length < count) written.push(await lake.write());
  return { store, ledger, model, workers, target, lake, written, outage };
}

type Measured = Omit<CatchupResult, 'benchmark' | 'startedAt' | 'machine' | 'options'>;

async function catchUp(
  scene: Scene,
  side: ClickHouseSide,
  { lanes, outageSeconds, workers, liveSeconds, queriesADay }: CatchupOptions,
  { progress }: Output,
): Promise<Measured> {
  const { lake, written, ledger, outage } = scene;
  const live = new LiveCommits(lake, written);
  const calm = await live.run((count) => count >= CALM_COMMITS);
  progress('ClickHouse is back');
  const bench = await BenchFollower.open(scene);
  const { follower } = bench;
  try {
    const before = { engine: process.cpuUsage(), clickhouse: side.cpuSeconds(), ms: performance.now() };
    follower.acquired(Array.from({ length: lanes }, (_, lane) => lane));
    const stall = stallWatch(() => follower.figures.files);
    const until = async (version: number) => {
      while (
        follower.health.positions.size < lanes ||
        Math.min(...follower.health.positions.values()) < version
      ) {
        stall();
        await systemClock.sleep(POLL_MS);
      }
      return performance.now();
    };
    let isOver = false;
    const caught = until(outage.version).finally(() => {
      isOver = true;
    });
    const tell = () => follower.committed(ledger.version, []);
    const [during, doneMs] = await Promise.all([live.run(() => isOver, tell), caught]);
    const { user, system } = process.cpuUsage(before.engine);
    const clickhouseSeconds = side.cpuSeconds() - before.clickhouse;
    const { files } = follower.figures;
    const { figures: statements, count } = bench.statements;
    const took = sumHistogram('clickhouseInsertNs', bench.counters);
    await until(ledger.version);
    const lag = async () => {
      const lagsMs: number[] = [];
      for (let i = 0; i < liveSeconds; i++) {
        const next = await lake.write();
        const beganMs = performance.now();
        await lake.commit(next);
        for (const { worker, sealed, bytes } of next.files) bench.keep(worker, sealed.path, bytes);
        const committedMs = performance.now();
        tell();
        lagsMs.push((await until(ledger.version)) - committedMs);
        await systemClock.sleep(Math.max(0, LIVE_MS + beganMs - performance.now()));
      }
      lagsMs.sort((a, b) => a - b);
      return { msP50: lagsMs[lagsMs.length >> 1]!, msMax: lagsMs.at(-1)! };
    };
    const lagAfter = await lag();
    const wanted = analyticsOf(scene.target, scene.model);
    const queries = queriesOf(wanted).map(({ sql }) => sql(DAYS_ASKED));
    const people = { ask: (sql: string) => side.query(sql), queries, everyMs: DAY_MS / queriesADay };
    const asked = queries.length === 0 ? null : await askedWhile(people, lag);
    await prove(side, lake.rows);
    await proveViews(scene.target, wanted);
    const seconds = (doneMs - before.ms) / 1_000;
    return {
      files: outage.files,
      rows: outage.rows,
      seconds,
      filesPerSecond: outage.files / seconds,
      timesLive: outageSeconds / seconds,
      insertMs: took.sum / 1e6 / took.count,
      insertShare: took.sum / 1e9 / seconds / workers,
      statements,
      statementsAFile: count / files + 1,
      engineCpuMsAFile: (user + system) / 1e3 / files,
      clickhouseCpuMsAFile: (clickhouseSeconds * 1e3) / files,
      calm,
      during,
      lagAfter,
      asked: asked === null ? null : { ...asked.asked, lag: asked.result },
    };
  } finally {
    await bench.close();
  }
}

/** Throws Error unless each row is there once. */
async function prove(side: ClickHouseSide, rows: number): Promise<void> {
  const [found] = await side.query<{ rows: number; ids: number }>(
    `SELECT toFloat64(count()) AS rows, toFloat64(uniqExact(session_id)) AS ids FROM ${MODEL}.session_metrics`,
  );
  if (found!.rows !== rows || found!.ids !== rows)
    throw new Error(`ClickHouse has ${found!.rows} rows of ${found!.ids} sessions, the lake ${rows}`);
}

/** Throws Error unless each view says what its rows say. */
async function proveViews(target: ClickHouseTarget, wanted: readonly WantedView[]): Promise<void> {
  const client = openClickHouse(target, { requestTimeoutMs: AUDIT_MS });
  try {
    for (const each of wanted) {
      const { name, differences } = await auditView(client, each, systemClock);
      if (differences.length > 0)
        throw new Error(`${name} differs from its rows: ${JSON.stringify(differences[0])}`);
    }
  } finally {
    await client.close();
  }
}

/** Commits once a second, as long as there are some, and how they fare. */
class LiveCommits {
  readonly #lake: CatchupLake;
  readonly #written: WrittenCut[];

  constructor(lake: CatchupLake, written: WrittenCut[]) {
    this.#lake = lake;
    this.#written = written;
  }

  async run(isOver: (count: number) => boolean, onCommit: () => void = () => {}): Promise<LiveFigures> {
    const held: IntervalHistogram = monitorEventLoopDelay({ resolution: 1 });
    held.enable();
    const commitMs: number[] = [];
    while (!isOver(commitMs.length)) {
      const beganMs = performance.now();
      const next = this.#written.shift();
      // slower than a tenth of live speed it runs out of them: writing more here would be measured, too
      if (next !== undefined) {
        await this.#lake.commit(next);
        commitMs.push(performance.now() - beganMs);
        onCommit();
      }
      await systemClock.sleep(Math.max(0, LIVE_MS + beganMs - performance.now()));
    }
    held.disable();
    commitMs.sort((a, b) => a - b);
    return {
      commitMsP50: commitMs[commitMs.length >> 1] ?? 0,
      commitMsMax: commitMs.at(-1) ?? 0,
      heldMsP99: held.percentile(99) / 1e6,
      heldMsMax: held.max / 1e6,
    };
  }
}

/** Throws when a figure has not moved for long. */
function stallWatch(figure: () => number): () => void {
  let last = { value: -1, atMs: performance.now() };
  return () => {
    const value = figure();
    if (value !== last.value) last = { value, atMs: performance.now() };
    if (performance.now() - last.atMs > STALL_MS)
      throw new Error(`nothing has moved for ${STALL_MS / 1_000} s`);
  };
}

function targetOf(url: string, views: boolean): ClickHouseTarget {
  const { clickhouse } = resolveClickHouseConfig(undefined, { model: MODEL, clickhouse: url }, '/');
  const warehouse = { ...clickhouse.warehouse, exactEveryMs: null, ...(views ? {} : { views: [] }) };
  return { ...clickhouse, warehouse, database: MODEL };
}

function largest(groups: ReadonlyMap<string, Row[]>): [string, Row[]] {
  return [...groups].sort(([, a], [, b]) => b.length - a.length)[0]!;
}

function lagText({ msP50, msMax }: LagFigures): string {
  return `${msP50.toFixed(0)} ms (p50), ${msMax.toFixed(0)} ms at most`;
}

function askedText(asked: NonNullable<CatchupResult['asked']>, { queriesADay }: CatchupOptions): string {
  const times = [asked.msP50, asked.msP99, asked.msMax].map((ms) => ms.toFixed(1)).join(', ');
  return `asked     and with ${formatWhole(queriesADay)} queries a day within ${lagText(asked.lag)}; ${asked.queries} queries, p50, p99, max: ${times} ms`;
}

function reportText(result: CatchupResult): string {
  const { files, rows, seconds, options, calm, during, machine, asked } = result;
  const line = (what: string, { commitMsP50, commitMsMax, heldMsP99, heldMsMax }: LiveFigures) => [
    what,
    ...[commitMsP50, commitMsMax, heldMsP99, heldMsMax].map((ms) => ms.toFixed(1)),
  ];
  return [
    `outage    ${options.outageSeconds} s at ${formatWhole(options.eventsPerSecond)} events/s: ${formatWhole(files)} files, ${formatWhole(rows)} rows; ${options.workers} workers, ${options.views ? 'with all views' : 'no views'}`,
    `caught up in ${seconds.toFixed(1)} s: ${result.filesPerSecond.toFixed(1)} files/s, ${result.timesLive.toFixed(1)} × live`,
    `insert    ${result.insertMs.toFixed(1)} ms each, ${(100 * result.insertShare).toFixed(0)} % of the workers' time`,
    `          ${result.statementsAFile.toFixed(1)} statements a file with it`,
    `CPU       ${result.engineCpuMsAFile.toFixed(1)} ms a file here, ${result.clickhouseCpuMsAFile.toFixed(1)} ms in ClickHouse`,
    `after it  a commit is in within ${lagText(result.lagAfter)}`,
    ...(asked === null ? [] : [askedText(asked, options)]),
    `machine   ${machine.cores} × ${machine.cpu}, load ${machine.loadAverage.toFixed(1)}`,
    formatTable(
      ['statements beside the inserts', 'count', 'ms each'],
      result.statements.map(({ statement, count, ms }) => [
        statement,
        formatWhole(count),
        (ms / count).toFixed(1),
      ]),
    ),
    formatTable(
      ['commits meanwhile', 'p50 ms', 'max ms', 'thread held p99 ms', 'max ms'],
      [line('before', calm), line('during', during)],
    ),
  ].join('\n');
}
