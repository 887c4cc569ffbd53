import { formatCount, formatTable, formatWhole } from '#src/telemetry/progress.js';
import { DOCUMENT, type LatencyRun, type ProducerLatencyResult } from './figures.js';

/** The result for people, as text. */

export function reportText(result: ProducerLatencyResult): string {
  const { machine, rates } = result;
  const head = [
    `events    due at fixed times (open loop), ${result.seconds} s of each rate count behind ${result.warmUpSeconds} s, ${result.rounds} rounds: medians`,
    `topic     ${result.kafka}, ${result.partitions} partitions, profile ${result.profile}`,
    `machine   ${machine.cores} × ${machine.cpu}, Node ${machine.node}, load ${machine.loadAverage.toFixed(1)}, ${result.startedAt}`,
  ];
  const row = (rate: string, name: string, run: LatencyRun, ratio: string) => [
    rate,
    name,
    ms(run.p50Ms),
    ms(run.p99Ms),
    ms(run.p999Ms),
    ms(run.maxMs),
    ms(run.behindMsMax),
    ratio,
  ];
  const rows = rates.flatMap(({ rate, ours, java, p99Ratio }) => [
    row(formatWhole(rate), 'ClickstreamProducer', ours, p99Ratio.toFixed(2)),
    row('', "Java's KafkaProducer", java, '1'),
  ]);
  const { latencyMs } = DOCUMENT;
  return [
    head.join('\n'),
    formatTable(['events/s', 'by', 'p50', 'p99', 'p99.9', 'max', 'sent late by', 'p99 ÷ Java'], rows),
    [
      'From when an event was due to be sent to when the same Java consumer had it, for both. Both are woken every millisecond.',
      `The document, of ${DOCUMENT.machine}: p50 ${latencyMs.p50Ms}, p99 ${latencyMs.p99Ms}, p99.9 ${latencyMs.p999Ms} ms;`,
      `${formatCount(DOCUMENT.eventsPerSecondMax)} events/s at most, ${formatCount(DOCUMENT.eventsPerSecondSustained)} sustained. Here brokers, clients and the meter share one machine.`,
    ].join('\n'),
  ].join('\n\n');
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`;
}
