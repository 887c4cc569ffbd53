import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ThreadCpu } from '#src/telemetry/cpu.js';
import type { ClickHouseSide } from '../clickhouse-side.js';
import { EngineChild } from '../engine-child.js';
import type { Reaper } from '../kafka-cluster/reaper.js';
import { LedgerWatch } from './ledger-watch.js';
import { endedChildrenSeconds, machineTicks, processSeconds, stealShare, trySampleProcess } from './proc.js';
import { sumTable, type TableSums } from './table-check.js';
import type { SeenThreads } from './thread-groups.js';
import { type BenchModel, TOPICS } from './topic-options.js';

/**
 * One run of the built engine over the whole topic, with a group and a table of its own, watched from outside.
 *
 * The window is from the first lane's start in the ledger, before anything is fetched, to the last commit, with which all
 * sessions can be read. Before it: start-up and joining the group; behind it: leaving and ending.
 */

export interface EngineRunOptions {
  /** Path of engine.js. */
  engine: string;
  model: BenchModel;
  bootstrap: string;
  brokerPid: number;
  /** Follows the table in a database of this run's own; null: the lake alone. */
  clickhouse: ClickHouseSide | null;
  /** Of this run alone. */
  folder: string;
  /** Ends the engine when we end in whatever way. */
  reaper: Reaper;
  /** More of the engine's command line. */
  flags: readonly string[];
  /** `cpuSeconds`: of all threads seen so far. */
  onPoll: (ledger: LedgerWatch, elapsedMs: number, cpuSeconds: number) => void;
}

export interface EngineRun {
  /** From start to exit. */
  seconds: number;
  windowSeconds: number;
  /** User and system, of all threads that ever were. */
  engineCpuSeconds: number;
  brokerCpuSeconds: number;
  /** Inserts and the merges that they caused. */
  clickhouseCpuSeconds: number | null;
  peakRssBytes: number;
  steal: number;
  figures: EngineFigures;
  threads: SeenThreads;
  committed: { events: number; rows: number; deadLetters: number };
  table: TableSums;
  /** What ClickHouse has. */
  followed: TableSums | null;
}

/** The last line of a bounded run with --json, as far as it is used here. */
export interface EngineFigures {
  events: number;
  deadLetters: number;
  haltedLanes: number;
  openSessions: number;
  bytesPerOpenSession?: number;
  undecided?: number;
  cpuSeconds: { workerThreadIds: (number | null)[] };
  peakRssBytes: number;
}

const POLL_MS = 50;
const SILENT_MS_MAX = 300_000;

export async function runEngine(options: EngineRunOptions): Promise<EngineRun> {
  const { engine, model, bootstrap, brokerPid, clickhouse, folder, reaper, flags, onPoll } = options;
  mkdirSync(folder);
  const table = join(folder, 'sessions');
  const ledger = new LedgerWatch(table);
  const group = `bench-${process.pid}-${performance.now()}`;
  const database = group.replace(/\W/g, '_');
  await clickhouse?.migrate(engine, model, database);
  const follow = clickhouse?.flags(database) ?? [];
  const before = {
    children: endedChildrenSeconds(),
    broker: processSeconds(brokerPid),
    clickhouse: clickhouse?.cpuSeconds() ?? null,
    machine: machineTicks(),
  };
  const began = performance.now();
  const args = ['run', '--brokers', bootstrap, '--topic', TOPICS[model].name, '--group', group];
  const child = new EngineChild(
    engine,
    [...args, '--model', model, '--lake', table, ...follow, ...flags, '--json', '--until-end'],
    folder,
    reaper,
  );
  const samples = await watch(child, ledger, (...now) => onPoll(ledger, ...now));
  const seconds = (performance.now() - began) / 1_000;
  const figures = child.lastLine<EngineFigures>();
  await clickhouse?.untilSettled();
  const clickhouseCpuSeconds = clickhouse === null ? null : clickhouse.cpuSeconds() - before.clickhouse!;
  const followed = (await clickhouse?.sums(database)) ?? null;
  await clickhouse?.drop(database);
  return {
    seconds,
    windowSeconds: (ledger.lastMs! - ledger.startedMs!) / 1_000,
    engineCpuSeconds: endedChildrenSeconds() - before.children,
    brokerCpuSeconds: processSeconds(brokerPid) - before.broker,
    clickhouseCpuSeconds,
    peakRssBytes: Math.max(figures.peakRssBytes, samples.peakRssBytes),
    steal: stealShare(before.machine, machineTicks()),
    figures,
    threads: samples.threads,
    committed: { events: ledger.events, rows: ledger.rows, deadLetters: ledger.deadLetters },
    table: sumTable(table, ledger.files),
    followed,
  };
}

interface Samples {
  peakRssBytes: number;
  threads: EngineRun['threads'];
}

/** Until the process has ended. Throws Error when nothing is committed for minutes. */
async function watch(
  child: EngineChild,
  ledger: LedgerWatch,
  onPoll: (elapsedMs: number, cpuSeconds: number) => void,
): Promise<Samples> {
  const began = performance.now();
  let movedMs = began;
  let peakRssBytes = 0;
  /** As each was last seen, ended ones too; the main thread is the first. */
  const seen = new Map<number | null, ThreadCpu>();
  let begin: ThreadCpu[] | null = null;
  let end: ThreadCpu[] = [];
  for (;;) {
    const ended = await child.endsWithin(POLL_MS);
    const sample = trySampleProcess(child.pid);
    if (sample !== null) {
      peakRssBytes = sample.peakRssBytes;
      for (const thread of sample.threads) seen.set(thread.osThreadId, thread);
    }
    const nowMs = performance.now();
    if (ledger.poll() > 0) {
      movedMs = nowMs;
      end = [...seen.values()];
      if (ledger.startedMs !== null) begin ??= end;
    }
    if (ended) break;
    if (nowMs - movedMs > SILENT_MS_MAX) {
      child.kill();
      throw new Error(`the engine committed nothing for ${SILENT_MS_MAX / 1_000} s:\n${child.tail()}`);
    }
    onPoll(nowMs - began, cpuSecondsOf([...seen.values()]));
  }
  return { peakRssBytes, threads: { begin: begin ?? [], end, last: [...seen.values()] } };
}

function cpuSecondsOf(threads: readonly ThreadCpu[]): number {
  return threads.reduce((sum, { userSeconds, systemSeconds }) => sum + userSeconds + systemSeconds, 0);
}
