import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type Clock, systemClock } from '#src/clock.js';
import { ClickHouseSide } from '../clickhouse-side.js';
import { measureJsonParse } from '../json-parse.js';
import { Reaper } from '../kafka-cluster/reaper.js';
import { thisMachine } from '../machine.js';
import { median } from '../measure.js';
import { type FilledBroker, startFilledBroker } from '../pipeline/filled-broker.js';
import { firstValues } from '../pipeline/topic-options.js';
import { tryReadLast, writeResult } from '../result-folder.js';
import type { Output } from '../stages-command.js';
import { SEED } from '../workload.js';
import { type CompareResult, contenderFigures } from './figures.js';
import { htmlReport } from './html-report.js';
import { javaConsumer } from './java-consumer.js';
import { type CompareOptions, parseCompareOptions } from './options.js';
import { reportText } from './report.js';
import type { RivalPlaces } from './rival.js';
import { type Measured, Rounds } from './rounds.js';

/**
 * The benchmark `compare`: our engine and its rivals over the same topic of one real broker, in turns. Who found other sessions
 * than ours is a failure, and has no figures.
 */

export interface ComparePlaces extends RivalPlaces {
  /** Path of the built engine.js. */
  engine: string;
  /** Where filled topics are kept; null: nowhere. */
  cacheFolder: string | null;
}

/** Throws Error for flags it does not know, for a run of ours that is not right, and at its end when a rival failed. */
export async function runCompare(
  args: readonly string[],
  places: ComparePlaces,
  output: Output,
  clock: Clock = systemClock,
): Promise<CompareResult> {
  const options = parseCompareOptions(args);
  const startedAt = new Date(clock.nowMs()).toISOString();
  const machine = thisMachine();
  output.progress('making the sample for JSON.parse');
  const sample = firstValues(options.topic, options.sampleEvents);
  const filled = await startFilledBroker({
    topic: options.topic,
    jarsFolder: places.kafkaJars,
    cacheFolder: options.cached ? places.cacheFolder : null,
    sample,
    onProgress: output.progress,
  });
  try {
    const measured = await measure(options, places, filled, sample, output);
    const { facts } = filled;
    const { threads, engineFlags: flags, javaFlags, clickhouse } = options;
    const result: CompareResult = {
      benchmark: 'compare',
      startedAt,
      machine,
      workload: { ...facts, seed: SEED, kafka: basename(places.kafkaJars).replace(/-jars$/, '') },
      threads,
      flags,
      javaFlags,
      sinks: clickhouse ? 'Delta table and ClickHouse' : 'Delta table',
      found: measured.found,
      jsonParseUs: median(measured.jsonParseUs),
      clickhouseCpuUsPerEvent:
        measured.clickhouseCpuUs.length === 0 ? null : median(measured.clickhouseCpuUs) / facts.events,
      contenders: contenderFigures(measured.contenders, facts.events, javaConsumer.name),
      failures: measured.failures,
    };
    told(result, options, output);
    const [failed] = result.failures;
    if (failed !== undefined) throw new Error(`${failed.title} failed: ${failed.message}`);
    return result;
  } finally {
    await filled.cluster.stop();
  }
}

async function measure(
  options: CompareOptions,
  places: ComparePlaces,
  { cluster, facts }: FilledBroker,
  sample: readonly Buffer[],
  output: Output,
): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-compare-'));
  const reaper = new Reaper(folder);
  let side: ClickHouseSide | null = null;
  try {
    if (options.clickhouse) side = await ClickHouseSide.start(join(folder, 'clickhouse'));
    measureJsonParse(sample);
    const rounds = new Rounds({
      rivals: options.rivals,
      facts,
      folder,
      our: {
        engine: places.engine,
        brokerPid: cluster.brokers[0]!.pid!,
        clickhouse: side,
        flags: options.engineFlags,
      },
      task: {
        bootstrap: cluster.bootstrap,
        reaper,
        threads: options.threads,
        javaFlags: options.javaFlags,
        places,
      },
      measureJsonParse: () => measureJsonParse(sample),
      progress: output.progress,
    });
    for (let round = 1 - options.warmUps; round <= options.runs; round++) await rounds.run(round);
    return rounds.measured();
  } finally {
    await side?.stop();
    reaper.finish();
  }
}

function told(result: CompareResult, { report, out, json }: CompareOptions, output: Output): void {
  const last = out === undefined ? null : tryReadLast<CompareResult>(out, 'compare', result.workload.sha256);
  output.print(reportText(result, last));
  if (out !== undefined) {
    const path = writeResult(out, result);
    const page = path.replace(/\.json$/, '.html');
    writeFileSync(page, htmlReport(result));
    output.print(`\nwritten to ${path}, plots in ${page}`);
  }
  if (report !== undefined) {
    writeFileSync(report, htmlReport(result));
    output.print(`\nplots in ${report}`);
  }
  if (json) output.print(JSON.stringify(result));
}
