import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type Clock, systemClock } from '#src/clock.js';
import { formatCount, progressLine } from '#src/telemetry/progress.js';
import { ClickHouseSide } from '../clickhouse-side.js';
import { measureJsonParse } from '../json-parse.js';
import { Reaper } from '../kafka-cluster/reaper.js';
import { thisMachine } from '../machine.js';
import { tryReadLast, writeResult } from '../result-folder.js';
import type { Output } from '../stages-command.js';
import { SEED } from '../workload.js';
import { type EngineRun, runEngine } from './engine-run.js';
import { type PipelineResult, pipelineResult, proveRun, type RunFigure, runFigure } from './figures.js';
import { type FilledBroker, startFilledBroker } from './filled-broker.js';
import type { LedgerWatch } from './ledger-watch.js';
import { type PipelineOptions, parsePipelineOptions } from './options.js';
import { reportText } from './report.js';
import { firstValues } from './topic-options.js';

/**
 * The benchmark `pipeline`: a real broker, a filled topic, and the built engine as a process of its own until all of it
 * is in the table. A run whose table is not right is an error.
 */

export interface PipelinePlaces {
  /** Path of the built engine.js. */
  engine: string;
  /** Folder of Kafka's jars. */
  jarsFolder: string;
  /** Where filled topics are kept; null: nowhere. */
  cacheFolder: string | null;
}

const PROGRESS_MS = 1_000;
/** What exactly once costs next to nothing with. */
const RARE_CUTS = 'cut_interval: 30s\nsnapshot_interval: 24h\ndrain_timeout: 60s\n';

/** Throws Error for flags it does not know and for a run that is not right. */
export async function runPipeline(
  args: readonly string[],
  places: PipelinePlaces,
  output: Output,
  clock: Clock = systemClock,
): Promise<PipelineResult> {
  const options = parsePipelineOptions(args);
  const startedAt = new Date(clock.nowMs()).toISOString();
  output.progress('making the sample for JSON.parse');
  const sample = firstValues(options.topic, options.sampleEvents);
  const machine = thisMachine();
  const filled = await startFilledBroker({
    topic: options.topic,
    jarsFolder: places.jarsFolder,
    cacheFolder: options.cached ? places.cacheFolder : null,
    sample,
    onProgress: output.progress,
  });
  try {
    const { facts } = filled;
    const { runs, lakeRuns, rareRuns } = await measureRuns(options, places, filled, sample, output);
    const workload = { ...facts, seed: SEED, kafka: basename(places.jarsFolder).replace(/-jars$/, '') };
    const result = pipelineResult(
      { startedAt, machine, workload, flags: options.engineFlags },
      runs,
      lakeRuns,
      rareRuns,
    );
    report(result, options, output);
    return result;
  } finally {
    await filled.cluster.stop();
  }
}

interface Measured {
  runs: RunFigure[];
  /** With the lake alone, where ClickHouse follows otherwise. */
  lakeRuns: RunFigure[];
  /** With hardly any cuts and snapshots. */
  rareRuns: RunFigure[];
}

async function measureRuns(
  options: PipelineOptions,
  { engine }: PipelinePlaces,
  { cluster, facts }: FilledBroker,
  sample: readonly Buffer[],
  output: Output,
): Promise<Measured> {
  const { runs, warmUps, engineFlags, lakeToo, topic } = options;
  const folder = mkdtempSync(join(tmpdir(), 'headrace-pipeline-'));
  const reaper = new Reaper(folder);
  const measured: Measured = { runs: [], lakeRuns: [], rareRuns: [] };
  const rarely = join(folder, 'rare-cuts.yaml');
  writeFileSync(rarely, RARE_CUTS);
  let side: ClickHouseSide | null = null;
  let parseUs = Number.NaN;
  const measureOne = async (
    title: string,
    clickhouse: ClickHouseSide | null,
    more: readonly string[] = [],
  ): Promise<RunFigure> => {
    const own = join(folder, 'run');
    const done = await runEngine({
      engine,
      model: topic.model,
      bootstrap: cluster.bootstrap,
      brokerPid: cluster.brokers[0]!.pid!,
      clickhouse,
      folder: own,
      reaper,
      flags: [...engineFlags, ...more],
      onPoll: showRun(title, facts.events, output),
    });
    proveRun(done, facts);
    rmSync(own, { recursive: true });
    const beforeUs = parseUs;
    parseUs = measureJsonParse(sample);
    const figure = runFigure(done, facts.events, (beforeUs + parseUs) / 2);
    output.progress(`${title}: ${summary(done, figure)}`);
    return figure;
  };
  try {
    if (options.clickhouse) side = await ClickHouseSide.start(join(folder, 'clickhouse'));
    measureJsonParse(sample);
    parseUs = measureJsonParse(sample);
    for (let run = 1 - warmUps; run <= runs; run++) {
      const title = run < 1 ? 'warming up' : `run ${run} of ${runs}`;
      const figure = await measureOne(title, side);
      if (run >= 1) measured.runs.push(figure);
      if (run >= 1 && lakeToo) measured.lakeRuns.push(await measureOne(`${title}, lake alone`, null));
      if (run >= 1 && options.costOfExactlyOnce) {
        measured.rareRuns.push(await measureOne(`${title}, rare cuts`, side, ['--config', rarely]));
      }
    }
    return measured;
  } finally {
    await side?.stop();
    reaper.finish();
  }
}

function showRun(title: string, events: number, output: Output) {
  let before = { events: 0, atMs: 0 };
  output.progress(`${title}: starting the engine`);
  return (ledger: LedgerWatch, elapsedMs: number) => {
    if (ledger.startedMs === null || elapsedMs - before.atMs < PROGRESS_MS) return;
    const line = progressLine({
      events: ledger.events - before.events,
      elapsedMs: elapsedMs - before.atMs,
      eventsTotal: ledger.events,
      lagEvents: events - ledger.events,
      openSessions: null,
      rowsTotal: ledger.rows,
      deadLettersTotal: ledger.deadLetters,
    });
    before = { events: ledger.events, atMs: elapsedMs };
    output.progress(`${title}: ${line}`);
  };
}

function summary(run: EngineRun, figure: RunFigure): string {
  const { engineCpuUsPerEvent, ratioToJsonParse, eventsPerSecond } = figure;
  const rate = `${formatCount(eventsPerSecond)}/s`;
  return `${rate}, ${engineCpuUsPerEvent.toFixed(3)} µs, ${ratioToJsonParse.toFixed(3)} JSON.parses, ${run.table.sessions} sessions: right`;
}

function report(result: PipelineResult, { out, json }: PipelineOptions, output: Output): void {
  const last =
    out === undefined ? null : tryReadLast<PipelineResult>(out, 'pipeline', result.workload.sha256);
  output.print(reportText(result, last));
  if (out !== undefined) output.print(`\nwritten to ${writeResult(out, result)}`);
  if (json) output.print(JSON.stringify(result));
}
