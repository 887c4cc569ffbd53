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
  clickhouseCpuUsPerEvent: null;
  peakRssBytes: number;
  bytesPerOpenSession: number | null;
  events: number;
  sessions: number;
  /** Share of the machine's time that its host gave to others. */
  steal: number;
  threads: ThreadFigure[];
  runs: RunFigure[];
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
    clickhouseCpuUsPerEvent: null,
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

/** Throws Error unless the run read every event once and its table has every session. */
export function proveRun(run: EngineRun, { events, sessions }: TopicFacts): void {
  const { figures, committed, table } = run;
  const found = {
    'events read': figures.events,
    'events committed': committed.events,
    'events in the sessions': table.events,
    'sessions in the table': table.sessions,
    'rows in the table': table.rows,
    'dead letters': figures.deadLetters + committed.deadLetters,
    'halted lanes': figures.haltedLanes,
  };
  const expected = {
    'events read': events,
    'events committed': events,
    'events in the sessions': events,
    'sessions in the table': sessions,
    'rows in the table': committed.rows,
    'dead letters': 0,
    'halted lanes': 0,
  };
  const wrong = Object.entries(expected).filter(
    ([what, count]) => found[what as keyof typeof found] !== count,
  );
  if (wrong.length === 0) return;
  const details = wrong.map(([what, count]) => `${what}: ${found[what as keyof typeof found]}, not ${count}`);
  throw new Error(`the run is wrong: ${details.join('; ')}`);
}
