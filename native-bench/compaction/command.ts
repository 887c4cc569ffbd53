import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '#src/clock.js';
import { encodeRows } from '#src/columnar/encode.js';
import { deltaSchema } from '#src/columnar/schema.js';
import { maintenance, toMaintenanceConfig } from '#src/config/maintenance.js';
import { DeltaLog } from '#src/lake/delta/log.js';
import { rewriteSettings } from '#src/lake/maintenance/cluster-columns.js';
import { compact } from '#src/lake/maintenance/compact.js';
import { rewriteActions } from '#src/lake/maintenance/rewrite-actions.js';
import { MaintenanceRun } from '#src/lake/maintenance/run.js';
import { LocalStore } from '#src/lake/store/local.js';
import type { CompiledModel, Row } from '#src/model/types.js';
import { seededRandom } from '#src/random.js';
import { thisMachine } from '../machine.js';
import { processCpuMs } from '../measure.js';
import { jsonParsing } from '../stages/events.js';
import { kernelStage } from '../stages/kernel.js';
import { parquetStage } from '../stages/rows.js';
import { closedRows } from '../stages/sessions.js';
import { whole } from '../whole-number.js';
import { buildWorkload } from '../workload.js';
import { deltaRsBytes } from './delta-rs-size.js';
import { Sessions } from './sessions.js';

/**
 * The benchmark `compaction`: small files of one partition become large ones, in order; beside it what the engine itself takes from
 * fetched bytes to sealed files, on one core and with no broker, store or commit in the way: the fastest that rows can come.
 */

export const USAGE = `npm run bench -- compaction [--files N] [--rows N] [--rounds N] [--json]

  --files N    small files (150)
  --rows N     rows in each (2000)
  --rounds N   rounds, of which the median counts (3)
  --json       the result as one line of JSON`;

/** As the pipeline's benchmark has them: what a row costs the engine is above all its events. */
const EVENTS_PER_SESSION = 23;

export interface CompactionFigures {
  rows: number;
  bytesBefore: number;
  bytesAfter: number;
  filesAfter: number;
  /** What delta-rs makes of the same rows, with the same codec; null: it is not there. */
  deltaRsBytes: number | null;
  /** Per second of CPU. */
  rowsPerCpuSecond: number;
  bytesPerCpuSecond: number;
  /** Per second of the wall clock. */
  rowsPerSecond: number;
  /** Events of a row, on average. */
  eventsPerRow: number;
  /** What one core makes of fetched events, per second of CPU. */
  engineRowsPerCpuSecond: number;
  /** Compaction beside it. */
  ratio: number;
}

/** `deltaRsPython`: a Python that has delta-rs, for the comparison of sizes. */
export async function runCompaction(
  args: readonly string[],
  progress: (text: string) => void,
  deltaRsPython?: string,
) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      files: { type: 'string' },
      rows: { type: 'string' },
      rounds: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const files = whole('files', values.files, 150, 2);
  const rowsPerFile = whole('rows', values.rows, 2_000);
  const rounds = whole('rounds', values.rounds, 3);
  progress('making events');
  const workload = buildWorkload({
    events: 120_000,
    recordsPerBatch: 500,
    eventsPerSessionMean: EVENTS_PER_SESSION,
  });
  const rows = closedRows(workload);
  progress('the engine, from fetched bytes to files');
  const engineMs = [
    kernelStage(workload, rows, jsonParsing(workload)).contenders[0]!,
    parquetStage(workload, rows).contenders[0]!,
  ].map(({ run }) => medianCpuMs(rounds, run));
  const engineRowsPerCpuSecond = (rows.length * 1_000) / engineMs.reduce((sum, ms) => sum + ms, 0);
  const found: Round[] = [];
  for (let round = 0; round <= rounds; round++) {
    progress(round === 0 ? 'compaction, warming up' : `compaction, round ${round} of ${rounds}`);
    const python = round === rounds ? deltaRsPython : undefined;
    const figures = await compactOnce(workload.model, rows, { files, rowsPerFile, python });
    if (round > 0) found.push(figures);
  }
  const theirs = found.at(-1)!.deltaRsBytes;
  found.sort((a, b) => a.rowsPerCpuSecond - b.rowsPerCpuSecond);
  const middle = found[found.length >> 1]!;
  const ratio = middle.rowsPerCpuSecond / engineRowsPerCpuSecond;
  return {
    figures: {
      ...middle,
      deltaRsBytes: theirs,
      engineRowsPerCpuSecond,
      eventsPerRow: workload.events.length / rows.length,
      ratio,
    } satisfies CompactionFigures,
    json: values.json,
  };
}

type Round = Omit<CompactionFigures, 'engineRowsPerCpuSecond' | 'eventsPerRow' | 'ratio'>;

export function figuresText(figures: CompactionFigures): string {
  const { rows, bytesBefore, bytesAfter, filesAfter, ratio, deltaRsBytes: theirs } = figures;
  const n = (value: number) => Math.round(value).toLocaleString('en-US');
  return [
    `${thisMachine().cpu}`,
    `${n(rows)} rows, ${n(bytesBefore)} bytes in small files → ${n(bytesAfter)} in ${filesAfter}`,
    theirs === null
      ? 'delta-rs     is not there to be compared with: npm run setup -- --tests'
      : `delta-rs     ${n(theirs)} bytes for the same rows and codec: ours are ${((100 * bytesAfter) / theirs).toFixed(1)} % of that`,
    `compaction   ${n(figures.rowsPerCpuSecond)} rows and ${n(figures.bytesPerCpuSecond)} bytes a second of CPU; ${n(figures.rowsPerSecond)} rows/s by the clock`,
    `the engine   ${n(figures.engineRowsPerCpuSecond)} rows a second of CPU, from fetched bytes to files, of ${figures.eventsPerRow.toFixed(1)} events each`,
    `ratio        ${ratio.toFixed(1)}`,
  ].join('\n');
}

function medianCpuMs(rounds: number, run: () => unknown): number {
  run();
  const times = Array.from({ length: Math.max(3, rounds) }, () => {
    const startedMs = processCpuMs();
    run();
    return processCpuMs() - startedMs;
  }).sort((a, b) => a - b);
  return times[times.length >> 1]!;
}

async function compactOnce(
  model: CompiledModel,
  rows: readonly Row[],
  { files, rowsPerFile, python }: { files: number; rowsPerFile: number; python: string | undefined },
): Promise<Round> {
  const folder = await mkdtemp(join(tmpdir(), 'headrace-compaction-'));
  try {
    const table = join(folder, 'table');
    const store = await LocalStore.open(table);
    const { log, bytes } = await smallFiles(store, model, rows, { files, rowsPerFile });
    const machine = { cores: 2, memoryBytes: 2 ** 33 };
    const settings = rewriteSettings(toMaintenanceConfig(maintenance.parse({}), '/', machine), model);
    const run = await MaintenanceRun.open({
      store,
      model,
      settings: { ...settings, ioBytesPerSecond: null },
      clock: systemClock,
      random: seededRandom(1),
      commit: async (draft) => {
        const headrace = { attempt: String(log.version) };
        const actions = rewriteActions(draft, { headrace, version: 'bench', nowMs: 1 });
        return (await log.tryCommit(log.version + 1, actions)) === 'committed' ? log.version : null;
      },
      tell: () => {},
    });
    const [startedMs, cpuMs] = [systemClock.monotonicMs(), processCpuMs()];
    const report = await compact(run, { all: false });
    const [tookMs, tookCpuMs] = [systemClock.monotonicMs() - startedMs, processCpuMs() - cpuMs];
    assert.equal(report.rows, files * rowsPerFile, 'rows were lost, or came');
    return {
      rows: report.rows,
      bytesBefore: bytes,
      bytesAfter: report.after.bytes,
      filesAfter: report.after.files,
      deltaRsBytes: deltaRsBytes(python, table, folder),
      rowsPerCpuSecond: (report.rows * 1_000) / tookCpuMs,
      bytesPerCpuSecond: (bytes * 1_000) / tookCpuMs,
      rowsPerSecond: (report.rows * 1_000) / tookMs,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function smallFiles(
  store: LocalStore,
  model: CompiledModel,
  rows: readonly Row[],
  { files, rowsPerFile }: { files: number; rowsPerFile: number },
) {
  const sessions = new Sessions(model, rows);
  const partitionValues = { [model.partitionColumn]: '2026-01-30' };
  const log = await DeltaLog.create(store, {
    id: '00000000-0000-4000-8000-000000000000',
    name: 'sessions',
    description: '',
    schemaString: JSON.stringify(deltaSchema(model)),
    partitionColumns: [model.partitionColumn],
    configuration: {},
    createdTimeMs: 1,
    commitInfo: { timestamp: 1, operation: 'CREATE TABLE', headrace: { attempt: 'create' } },
  });
  assert(log !== 'conflict');
  const adds = [];
  const all = files * rowsPerFile;
  let bytes = 0;
  for (let file = 0; file < files; file++) {
    const own = Array.from({ length: rowsPerFile }, (_, row) =>
      sessions.next((file * rowsPerFile + row) / all),
    );
    const encoded = encodeRows(model, own, { createdAtMs: 1, batchId: BigInt(file), fileId: BigInt(file) });
    const path = `${model.partitionColumn}=2026-01-30/part-${file}-0-${file}.parquet`;
    await store.put(path, encoded.bytes);
    bytes += encoded.bytes.byteLength;
    adds.push({
      add: {
        path,
        partitionValues,
        size: encoded.bytes.byteLength,
        modificationTime: 1,
        dataChange: true,
        stats: encoded.stats,
      },
    });
  }
  const commitInfo = { timestamp: 1, operation: 'WRITE', headrace: { attempt: 'files' } };
  assert.equal(await log.tryCommit(1, [{ commitInfo }, ...adds]), 'committed');
  return { log, bytes };
}
