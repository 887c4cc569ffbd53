import { formatCount, formatTable, formatWhole } from '#src/telemetry/progress.js';
import type { Machine } from '../machine.js';
import { median } from '../measure.js';

/** From rounds to what is printed. */

export interface Round {
  perSecond: number;
  cpuSeconds: number;
  latencyMs: { average: number; p50: number; p99: number };
}

export type Contender = 'client, events' | 'client, bytes' | 'kafka-producer-perf-test';

export const CONTENDERS: readonly Contender[] = [
  'client, events',
  'client, bytes',
  'kafka-producer-perf-test',
];
const RIVAL: Contender = 'kafka-producer-perf-test';

export interface ContenderFigures {
  name: Contender;
  eventsPerSecond: number;
  cpuUsPerEvent: number;
  /** CPU an event in those of Java's, within each round. */
  javaRatio: number;
  /** With the buffer always full. */
  latencyMsP50: number;
  latencyMsP99: number;
}

export interface ProducerBenchResult {
  benchmark: 'producer';
  startedAt: string;
  machine: Machine;
  kafka: string;
  profile: string;
  partitions: number;
  events: number;
  rounds: number;
  bytesPerEvent: number;
  /** CPU of Java's start, which is not in its figures. */
  javaStartCpuSeconds: number;
  contenders: ContenderFigures[];
}

/** Medians over the rounds. */
export function contenderFigures(
  rounds: readonly Readonly<Record<Contender, Round>>[],
  events: number,
): ContenderFigures[] {
  const middle = (name: Contender, of: (round: Round) => number) =>
    median(rounds.map((each) => of(each[name])));
  return CONTENDERS.map((name) => ({
    name,
    eventsPerSecond: middle(name, ({ perSecond }) => perSecond),
    cpuUsPerEvent: middle(name, ({ cpuSeconds }) => (cpuSeconds * 1e6) / events),
    javaRatio: median(rounds.map((each) => each[name].cpuSeconds / each[RIVAL].cpuSeconds)),
    latencyMsP50: middle(name, ({ latencyMs }) => latencyMs.p50),
    latencyMsP99: middle(name, ({ latencyMs }) => latencyMs.p99),
  }));
}

export function producerReport(result: ProducerBenchResult): string {
  const { machine } = result;
  const head = [
    `events    ${formatWhole(result.events)} a round, ${Math.round(result.bytesPerEvent)} bytes each, ${result.rounds} rounds: medians`,
    `topic     ${result.kafka}, ${result.partitions} partitions, profile ${result.profile}`,
    `machine   ${machine.cores} × ${machine.cpu}, Node ${machine.node}, load ${machine.loadAverage.toFixed(1)}, ${result.startedAt}`,
  ];
  const rows = result.contenders.map((each) => [
    each.name,
    formatCount(each.eventsPerSecond),
    `${each.cpuUsPerEvent.toFixed(2)} µs`,
    each.javaRatio.toFixed(2),
    `${Math.round(each.latencyMsP50)} ms`,
    `${Math.round(each.latencyMsP99)} ms`,
  ]);
  return [
    head.join('\n'),
    formatTable(['by', 'events/s', 'CPU an event', '÷ Java', 'p50, full buffer', 'p99'], rows),
    [
      `Java's CPU is of the whole JVM, without the ${result.javaStartCpuSeconds.toFixed(1)} s of its start; it sends without keys, batch after`,
      'batch to one partition. The client gives each event a promise of its own.',
    ].join('\n'),
  ].join('\n\n');
}
