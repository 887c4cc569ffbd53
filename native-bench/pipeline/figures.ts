import type { Machine } from '../machine.js';
import { median } from '../measure.js';
import type { EngineRun } from './engine-run.js';
import type { TopicFacts } from './fill.js';
import { threadGroups } from './thread-groups.js';

/** What the benchmark says: plain data, as it is printed with --json and written to a file. */
export interface PipelineResult {
  benchmark: 'pipeline';
  startedAt: string;
  machine: Machine;
  workload: TopicFacts & { seed: number; kafka: string };
  /** The engine's flags beside the defaults. */
  flags: string[];

  // medians of the runs
  /** Events ÷ seconds of the window. */
  eventsPerSecond: number;
  /** CPU of all threads from start to exit ÷ events. */
  engineCpuUsPerEvent: number;
  /** The same, within the window and as far as threads were seen. */
  windowCpuUsPerEvent: number;
  /** engineCpuUsPerEvent in JSON.parses of an event, each run by the JSON.parse before and after it. */
  ratioToJsonParse: number;
  jsonParseUs: number;
  brokerCpuUsPerEvent: number;
  /** ClickHouse's own, beside the engine's; null: the lake alone. */
  clickhouseCpuUsPerEvent: number | null;
  /** The same engine without ClickHouse, run by run in turn; null where it was not asked for. */
  lakeAlone: LakeAlone | null;
  /** Against cuts each 30 s and no snapshot before the end, run by run in turn; null where it was not asked for. */
  exactlyOnce: ExactlyOnceCost | null;
  peakRssBytes: number;
  bytesPerOpenSession: number | null;
  events: number;
  sessions: number;
  /** Share of the machine's time that its host gave to others. */
  steal: number;
  threads: ThreadFigure[];
  runs: RunFigure[];
}

export interface LakeAlone {
  eventsPerSecond: number;
  engineCpuUsPerEvent: number;
  ratioToJsonParse: number;
}

export interface ExactlyOnceCost {
  /** With the rare cuts. */
  engineCpuUsPerEvent: number;
  /** Median of the runs' ratios, each with the run beside it. */
  ratio: number;
}

export interface ThreadFigure {
  name: string;
  threads: number;
  cpuUsPerEvent: number;
  windowCpuUsPerEvent: number;
}

/** One run of the engine. */
export interface RunFigure {
  seconds: number;
  windowSeconds: number;
  eventsPerSecond: number;
  engineCpuUsPerEvent: number;
  windowCpuUsPerEvent: number;
  jsonParseUs: number;
  ratioToJsonParse: number;
  brokerCpuUsPerEvent: number;
  clickhouseCpuUsPerEvent: number | null;
  peakRssBytes: number;
  bytesPerOpenSession: number | null;
  undecided: number | null;
  steal: number;
  threads: ThreadFigure[];
}

/** `jsonParseUs`: measured right before and after the run. */
export function runFigure(run: EngineRun, events: number, jsonParseUs: number): RunFigure {
  const usPerEvent = (seconds: number) => (seconds * 1e6) / events;
  const { figures, threads: seen, engineCpuSeconds, windowSeconds } = run;
  const threads = threadGroups(seen, figures.cpuSeconds.workerThreadIds, engineCpuSeconds).map(
    ({ name, threads: count, seconds, windowSeconds: inWindow }): ThreadFigure => ({
      name,
      threads: count,
      cpuUsPerEvent: usPerEvent(seconds),
      windowCpuUsPerEvent: usPerEvent(inWindow),
    }),
  );
  const engineCpuUsPerEvent = usPerEvent(engineCpuSeconds);
  return {
    seconds: run.seconds,
    windowSeconds,
    eventsPerSecond: events / windowSeconds,
    engineCpuUsPerEvent,
    windowCpuUsPerEvent: threads.reduce((sum, thread) => sum + thread.windowCpuUsPerEvent, 0),
    jsonParseUs,
    ratioToJsonParse: engineCpuUsPerEvent / jsonParseUs,
    brokerCpuUsPerEvent: usPerEvent(run.brokerCpuSeconds),
    clickhouseCpuUsPerEvent: run.clickhouseCpuSeconds === null ? null : usPerEvent(run.clickhouseCpuSeconds),
    peakRssBytes: run.peakRssBytes,
    bytesPerOpenSession: figures.bytesPerOpenSession ?? null,
    undecided: figures.undecided ?? null,
    steal: run.steal,
    threads,
  };
}

export function pipelineResult(
  about: Pick<PipelineResult, 'startedAt' | 'machine' | 'workload' | 'flags'>,
  runs: RunFigure[],
  lakeRuns: RunFigure[] = [],
  rareRuns: RunFigure[] = [],
): PipelineResult {
  const of = (figure: (run: RunFigure) => number) => median(runs.map(figure));
  const ofAll = (figure: (run: RunFigure) => number | null) => {
    const values = runs.map(figure).filter((value) => value !== null);
    return values.length === 0 ? null : median(values);
  };
  const { startedAt, machine, workload, flags } = about;
  return {
    benchmark: 'pipeline',
    startedAt,
    machine,
    workload,
    flags,
    eventsPerSecond: of((run) => run.eventsPerSecond),
    engineCpuUsPerEvent: of((run) => run.engineCpuUsPerEvent),
    windowCpuUsPerEvent: of((run) => run.windowCpuUsPerEvent),
    ratioToJsonParse: of((run) => run.ratioToJsonParse),
    jsonParseUs: of((run) => run.jsonParseUs),
    brokerCpuUsPerEvent: of((run) => run.brokerCpuUsPerEvent),
    clickhouseCpuUsPerEvent: ofAll((run) => run.clickhouseCpuUsPerEvent),
    lakeAlone: lakeRuns.length === 0 ? null : lakeAlone(lakeRuns),
    exactlyOnce: rareRuns.length === 0 ? null : exactlyOnceCost(runs, rareRuns),
    peakRssBytes: of((run) => run.peakRssBytes),
    bytesPerOpenSession: ofAll((run) => run.bytesPerOpenSession),
    events: workload.events,
    sessions: workload.sessions,
    steal: of((run) => run.steal),
    threads: runs[0]!.threads.map(({ name, threads }, at) => ({
      name,
      threads,
      cpuUsPerEvent: of((run) => run.threads[at]!.cpuUsPerEvent),
      windowCpuUsPerEvent: of((run) => run.threads[at]!.windowCpuUsPerEvent),
    })),
    runs,
  };
}

function exactlyOnceCost(runs: readonly RunFigure[], rareRuns: readonly RunFigure[]): ExactlyOnceCost {
  return {
    engineCpuUsPerEvent: median(rareRuns.map((run) => run.engineCpuUsPerEvent)),
    ratio: median(rareRuns.map((rare, at) => runs[at]!.engineCpuUsPerEvent / rare.engineCpuUsPerEvent)),
  };
}

function lakeAlone(runs: RunFigure[]): LakeAlone {
  return {
    eventsPerSecond: median(runs.map((run) => run.eventsPerSecond)),
    engineCpuUsPerEvent: median(runs.map((run) => run.engineCpuUsPerEvent)),
    ratioToJsonParse: median(runs.map((run) => run.ratioToJsonParse)),
  };
}

/** Throws Error unless the run read every event once and its table, and ClickHouse where it follows, have every session. */
export function proveRun(run: EngineRun, { events, countedEvents, sessions }: TopicFacts): void {
  const { figures, committed, table, followed } = run;
  const found = {
    'events read': figures.events,
    'events committed': committed.events,
    'events in the sessions': table.events,
    'sessions in the table': table.sessions,
    'rows in the table': table.rows,
    'dead letters': figures.deadLetters + committed.deadLetters,
    'halted lanes': figures.haltedLanes,
    // merges may have put rows away that cancel each other
    'sessions in ClickHouse': followed?.sessions ?? sessions,
    "events in ClickHouse's sessions": followed?.events ?? countedEvents,
  };
  const expected = {
    'events read': events,
    'events committed': events,
    'events in the sessions': countedEvents,
    'sessions in the table': sessions,
    'rows in the table': committed.rows,
    'dead letters': 0,
    'halted lanes': 0,
    'sessions in ClickHouse': sessions,
    "events in ClickHouse's sessions": countedEvents,
  };
  const wrong = Object.entries(expected).filter(
    ([what, count]) => found[what as keyof typeof found] !== count,
  );
  if (wrong.length === 0) return;
  const details = wrong.map(([what, count]) => `${what}: ${found[what as keyof typeof found]}, not ${count}`);
  throw new Error(`the run is wrong: ${details.join('; ')}`);
}
