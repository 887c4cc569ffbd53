import { bytesPerOpenSession, type CounterValues, deadLettersOf } from '../../telemetry/counters.js';
import { peakRssBytes, processCpuSeconds, threadCpu } from '../../telemetry/cpu.js';

/** CPU seconds (user and system) by what the threads are for. */
export interface CpuFigures {
  main: number;
  workers: number[];
  /** The operating system's ids of the workers' threads, for who watches from outside; null where they cannot be known. */
  workerThreadIds: (number | null)[];
  /** librdkafka's, libuv's, V8's. */
  others: number;
  total: number;
}

/** What a run did, for its last line and for machines. */
export interface RunFigures {
  events: number;
  rows: number;
  deadLetters: number;
  openSessions: number;
  bytesPerOpenSession: number;
  /** Events that the kernel left to the reference. */
  undecided: number;
  lanes: number;
  haltedLanes: number;
  seconds: number;
  eventsPerSecond: number;
  cpuSeconds: CpuFigures;
  cpuUsPerEvent: number;
  /** Snapshots of lanes written. */
  snapshots: number;
  /** Of the workers' time, compressing and writing left out. */
  snapshotSeconds: number;
  /** The longest time for which one of them held a worker. */
  snapshotStopMs: number;
  peakRssBytes: number;
  tableVersion: number;
  /** Null: none follows. */
  clickhouse: ClickHouseFigures | null;
  /** Null: no topics follow. */
  output: OutputFigures | null;
}

export interface OutputFigures {
  /** Sent by this engine. */
  rows: number;
  letters: number;
  /** Versions of the table that are left for the next start. */
  behind: number;
}

export interface ClickHouseFigures {
  /** Inserted by this engine. */
  files: number;
  rows: number;
  /** Files of our lanes that are left for the next start. */
  behind: number;
}

/** Taken while the workers still live: a thread that has ended has no line of its own any more. */
export function cpuFigures(workerThreadIds: readonly (number | null)[]): CpuFigures {
  const threads = new Map(
    threadCpu().map((thread) => [thread.osThreadId, thread.userSeconds + thread.systemSeconds]),
  );
  const main = threads.get(process.pid) ?? 0;
  const workers = workerThreadIds.map((id) => (id === null ? 0 : (threads.get(id) ?? 0)));
  const total = processCpuSeconds();
  const others = Math.max(0, total - main - workers.reduce((sum, seconds) => sum + seconds, 0));
  return {
    main: round(main),
    workers: workers.map(round),
    workerThreadIds: [...workerThreadIds],
    others: round(others),
    total: round(total),
  };
}

export function runFigures(facts: {
  totals: CounterValues;
  cpu: CpuFigures;
  seconds: number;
  lanes: number;
  haltedLanes: number;
  tableVersion: number;
  clickhouse: ClickHouseFigures | null;
  output: OutputFigures | null;
}): RunFigures {
  const { totals, cpu, seconds } = facts;
  return {
    events: totals.events,
    rows: totals.rows,
    deadLetters: deadLettersOf(totals),
    openSessions: totals.openSessions,
    bytesPerOpenSession: bytesPerOpenSession(totals),
    undecided: totals.undecided,
    lanes: facts.lanes,
    haltedLanes: facts.haltedLanes,
    seconds: round(seconds),
    eventsPerSecond: seconds > 0 ? Math.round(totals.events / seconds) : 0,
    cpuSeconds: cpu,
    cpuUsPerEvent: totals.events > 0 ? round((cpu.total / totals.events) * 1e6) : 0,
    snapshots: totals.snapshots,
    snapshotSeconds: round(totals.snapshotNs / 1e9),
    snapshotStopMs: round(totals.snapshotStopNs / 1e6),
    peakRssBytes: peakRssBytes(),
    tableVersion: facts.tableVersion,
    clickhouse: facts.clickhouse,
    output: facts.output,
  };
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
