import { formatCount, formatTable, formatWhole } from '#src/telemetry/progress.js';
import type { Machine } from '../machine.js';
import { median } from '../measure.js';

/** From rounds to what is printed. */

export interface Round {
  perSecond: number;
  cpuSeconds: number;
  latencyMs: { average: number; p50: number; p99: number };
}

export type Contender =
  | 'client, events'
  | 'client, bytes'
  | 'kafka-javascript alone'
  | 'kafka-producer-perf-test'
  | 'bulk'
  | "bulk's bytes alone";

export const CONTENDERS: readonly Contender[] = [
  'client, events',
  'client, bytes',
  'kafka-javascript alone',
  'kafka-producer-perf-test',
  'bulk',
  "bulk's bytes alone",
];
const RIVAL: Contender = 'kafka-producer-perf-test';
const BARE: Contender = 'kafka-javascript alone';
const BULK_FLOOR: Contender = "bulk's bytes alone";

export interface ContenderFigures {
  name: Contender;
  eventsPerSecond: number;
  /** Of the fastest round. */
  eventsPerSecondMax: number;
  cpuUsPerEvent: number;
  /** CPU an event in those of Java's, within each round. */
  javaRatio: number;
  /** With the buffer always full; 0 where it is not measured. */
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
  /** In a round, of `bulk` and its floor. */
  bulkEvents: number;
  rounds: number;
  bytesPerEvent: number;
  /** CPU of Java's start, which is not in its figures. */
  javaStartCpuSeconds: number;
  contenders: ContenderFigures[];
}

/** Medians over the rounds. `eventsOf`: how many a round had. */
export function contenderFigures(
  rounds: readonly Readonly<Record<Contender, Round>>[],
  eventsOf: (name: Contender) => number,
): ContenderFigures[] {
  const middle = (name: Contender, of: (round: Round) => number) =>
    median(rounds.map((each) => of(each[name])));
  const cpuUs = (round: Readonly<Record<Contender, Round>>, name: Contender) =>
    (round[name].cpuSeconds * 1e6) / eventsOf(name);
  return CONTENDERS.map((name) => ({
    name,
    eventsPerSecond: middle(name, ({ perSecond }) => perSecond),
    eventsPerSecondMax: Math.max(...rounds.map((each) => each[name].perSecond)),
    cpuUsPerEvent: median(rounds.map((each) => cpuUs(each, name))),
    javaRatio: median(rounds.map((each) => cpuUs(each, name) / cpuUs(each, RIVAL))),
    latencyMsP50: middle(name, ({ latencyMs }) => latencyMs.p50),
    latencyMsP99: middle(name, ({ latencyMs }) => latencyMs.p99),
  }));
}

/** Where the CPU of an event goes that the library sends, µs, part by part; each is a difference of medians. */
export function libraryParts(contenders: readonly ContenderFigures[]): { part: string; cpuUs: number }[] {
  const of = (name: Contender) => contenders.find((each) => each.name === name)!.cpuUsPerEvent;
  return [
    {
      part: 'kafka-javascript: produce(), librdkafka with LZ4 and its sockets, a report an event',
      cpuUs: of(BARE),
    },
    {
      part: 'sendBytes(): partition, promise, room, matching the report, metrics',
      cpuUs: of('client, bytes') - of(BARE),
    },
    {
      part: 'send(): checking the event as the engine would, JSON',
      cpuUs: of('client, events') - of('client, bytes'),
    },
  ];
}

export function producerReport(result: ProducerBenchResult): string {
  const { machine } = result;
  const head = [
    `events    ${formatWhole(result.events)} a round (bulk ${formatWhole(result.bulkEvents)}), ${Math.round(result.bytesPerEvent)} bytes each, ${result.rounds} rounds: medians`,
    `topic     ${result.kafka}, ${result.partitions} partitions, profile ${result.profile}`,
    `machine   ${machine.cores} × ${machine.cpu}, Node ${machine.node}, load ${machine.loadAverage.toFixed(1)}, ${result.startedAt}`,
  ];
  const rows = result.contenders.map((each) => [
    each.name,
    formatCount(each.eventsPerSecond),
    `${each.cpuUsPerEvent.toFixed(2)} µs`,
    each.javaRatio.toFixed(2),
    msText(each.latencyMsP50),
    msText(each.latencyMsP99),
  ]);
  return [
    head.join('\n'),
    formatTable(['by', 'events/s', 'CPU an event', '÷ Java', 'p50, full buffer', 'p99'], rows),
    partsText(result),
    [
      `Java's CPU is of the whole JVM, without the ${result.javaStartCpuSeconds.toFixed(1)} s of its start; it sends without keys, batch after`,
      'batch to one partition. The client gives each event a promise of its own. Bulk is headrace produce: events are generated, too,',
      'behind its start; its bytes alone are one copy, CRC-32C and a socket that somebody reads.',
    ].join('\n'),
  ].join('\n\n');
}

function partsText({ contenders }: ProducerBenchResult): string {
  const java = contenders.find(({ name }) => name === RIVAL)!.cpuUsPerEvent;
  const rows = libraryParts(contenders).map(({ part, cpuUs }) => [
    part,
    `${cpuUs.toFixed(2)} µs`,
    (cpuUs / java).toFixed(2),
  ]);
  const cpuOf = (which: Contender) => contenders.find(({ name }) => name === which)!.cpuUsPerEvent;
  const bulk = cpuOf('bulk') / cpuOf(BULK_FLOOR);
  return `${formatTable(['of an event by send()', 'CPU', '÷ Java'], rows)}\n\nbulk ÷ its bytes alone: ${bulk.toFixed(1)}`;
}

function msText(ms: number): string {
  return ms === 0 ? '–' : `${Math.round(ms)} ms`;
}
