import type { Machine } from '../machine.js';
import { median } from '../measure.js';
import type { TopicFacts } from '../pipeline/fill.js';
import { type Steady, steadyOf } from './marks.js';
import type { RivalRun } from './rival.js';
import type { SessionSums } from './session-sums.js';

/** What the benchmark says: plain data, as it is printed with --json and written to a file. */
export interface CompareResult {
  benchmark: 'compare';
  startedAt: string;
  machine: Machine;
  workload: TopicFacts & { seed: number; kafka: string };
  threads: number;
  /** Of our engine beside the defaults. */
  flags: string[];
  javaFlags: string[];
  sinks: string;
  /** What all have found that make sessions. */
  found: SessionSums;
  jsonParseUs: number;
  /** ClickHouse's own beside our engine's; null: the lake alone. */
  clickhouseCpuUsPerEvent: number | null;
  /** Our engine is the first. */
  contenders: ContenderFigure[];
  /** Rivals whose run was not right, with the reason. */
  failures: Failure[];
}

export interface Failure {
  name: string;
  title: string;
  message: string;
}

/** One contender: medians of its runs. */
export interface ContenderFigure {
  name: string;
  title: string;
  notes: readonly string[];
  /** All threads, from start to exit. */
  cpuUsPerEvent: number;
  /** Of the same, from start to exit. */
  eventsPerSecond: number;
  /** Null: the run was too short, or has no steady state. */
  steady: Pick<Steady, 'cpuUsPerEvent' | 'eventsPerSecond'> | null;
  peakRssBytes: number;
  brokerCpuUsPerEvent: number;
  /** cpuUsPerEvent in JSON.parses of an event, each run by the JSON.parse before and after it. */
  jsonParses: number;
  /** CPU in CPU of ours in the same round; 1 for ours. */
  ratioToOurs: number;
  /** The same of the steady state; null where one of both has none. */
  steadyRatioToOurs: number | null;
  /** CPU in CPU of the Java consumer alone in the same round; null where it was not asked for, or failed. */
  ratioToJava: number | null;
  steadyRatioToJava: number | null;
  /** Whether its sessions were held against ours; otherwise its events alone. */
  makesSessions: boolean;
  runs: RunFigure[];
}

/** One run of one contender. */
export interface RunFigure {
  /** From 1 on. */
  round: number;
  seconds: number;
  cpuUsPerEvent: number;
  steady: Steady | null;
  peakRssBytes: number;
  brokerCpuUsPerEvent: number;
  jsonParseUs: number;
  /** Share of the machine's time that its host gave to others. */
  steal: number;
}

export function runFigure(
  run: RivalRun,
  events: number,
  about: Pick<RunFigure, 'round' | 'jsonParseUs' | 'steal'> & { brokerCpuSeconds: number },
): RunFigure {
  const { brokerCpuSeconds, ...rest } = about;
  return {
    ...rest,
    seconds: run.seconds,
    cpuUsPerEvent: (run.cpuSeconds * 1e6) / events,
    steady: steadyOf(run.marks, events),
    peakRssBytes: run.peakRssBytes,
    brokerCpuUsPerEvent: (brokerCpuSeconds * 1e6) / events,
  };
}

export type Contender = Pick<ContenderFigure, 'name' | 'title' | 'notes' | 'makesSessions' | 'runs'>;

/** Those without a run are left out. `java`: name of the Java consumer. */
export function contenderFigures(
  contenders: readonly Contender[],
  events: number,
  java: string,
): ContenderFigure[] {
  const ours = contenders[0]!.runs;
  const javaRuns = contenders.find(({ name }) => name === java)?.runs ?? [];
  return contenders
    .filter(({ runs }) => runs.length > 0)
    .map((contender): ContenderFigure => {
      const { runs } = contender;
      const of = (figure: (run: RunFigure) => number) => median(runs.map(figure));
      const steady = runs.flatMap((run) => run.steady ?? []);
      return {
        ...contender,
        cpuUsPerEvent: of((run) => run.cpuUsPerEvent),
        eventsPerSecond: of((run) => events / run.seconds),
        steady:
          steady.length === 0
            ? null
            : {
                cpuUsPerEvent: median(steady.map((each) => each.cpuUsPerEvent)),
                eventsPerSecond: median(steady.map((each) => each.eventsPerSecond)),
              },
        peakRssBytes: of((run) => run.peakRssBytes),
        brokerCpuUsPerEvent: of((run) => run.brokerCpuUsPerEvent),
        jsonParses: of((run) => run.cpuUsPerEvent / run.jsonParseUs),
        ratioToOurs: ratio(runs, ours, (run) => run.cpuUsPerEvent)!,
        steadyRatioToOurs: ratio(runs, ours, (run) => run.steady?.cpuUsPerEvent ?? null),
        ratioToJava: ratio(runs, javaRuns, (run) => run.cpuUsPerEvent),
        steadyRatioToJava: ratio(runs, javaRuns, (run) => run.steady?.cpuUsPerEvent ?? null),
      };
    });
}

/** Median of the ratios within each round; null where no round has both. */
function ratio(
  runs: readonly RunFigure[],
  to: readonly RunFigure[],
  figure: (run: RunFigure) => number | null,
): number | null {
  const ratios = runs.flatMap((run) => {
    const other = to.find(({ round }) => round === run.round);
    const [one, two] = [figure(run), other === undefined ? null : figure(other)];
    return one === null || two === null ? [] : [one / two];
  });
  return ratios.length === 0 ? null : median(ratios);
}
