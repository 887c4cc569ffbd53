import { formatBytes, formatCount, formatTable, formatWhole } from '#src/telemetry/progress.js';
import type { LatencyResult, Spread } from './figures.js';

/** The result for people. */

const BAR_COLUMNS = 50;

export function reportText(result: LatencyResult): string {
  return [headText(result), waitsText(result), histogramText(result), restText(result)].join('\n\n');
}

function headText(result: LatencyResult): string {
  const { workload: w, machine, flags, startedAt } = result;
  return [
    `events    ${formatWhole(w.events)}, of which ${result.warmUpSeconds} s of ${result.warmUpSeconds + result.seconds} s warm up; ${Math.round(w.valueBytes / w.events)} bytes each, ${formatBytes(w.batchBytes)} as sent`,
    `sessions  ${formatWhole(w.sessions)} closed and found in ClickHouse and in the table, each once: right`,
    `bytes     seed ${w.seed}, SHA-256 ${w.sha256.slice(0, 16)}`,
    `topic     ${w.kafka}, ${w.partitions} partitions`,
    `engine    ${flags.length === 0 ? 'default settings' : flags.join(' ')}`,
    `machine   ${machine.cores} × ${machine.cpu}, Node ${machine.node}, load ${machine.loadAverage.toFixed(1)}, ${startedAt}`,
    `rate      ${formatCount(result.eventsPerSecond)} events/s kept, ${formatCount(result.eventsPerSecondAsked)} asked for`,
  ].join('\n');
}

function waitsText(result: LatencyResult): string {
  const { stages } = result;
  const total: Spread = {
    p50: result.closeToVisibleMsP50,
    p90: result.closeToVisibleMsP90,
    p99: result.closeToVisibleMsP99,
    max: result.closeToVisibleMsMax,
  };
  const row = (title: string, { p50, p90, p99, max }: Spread) => [title, ms(p50), ms(p90), ms(p99), ms(max)];
  return formatTable(
    [`${formatWhole(result.sessionsMeasured)} sessions`, 'p50', 'p90', 'p99', 'max'],
    [
      row('session closed → row in ClickHouse', total),
      row('  closed → cut', stages.closeToCutMs),
      row('  cut → commit in the table', stages.cutToCommitMs),
      row('  commit → row in ClickHouse', stages.commitToVisibleMs),
    ],
  );
}

function histogramText({ histogram }: LatencyResult): string {
  const most = Math.max(...histogram.map(({ sessions }) => sessions));
  const rows = histogram.map(({ fromMs, sessions }) => [
    `${formatWhole(fromMs)} ms`,
    formatWhole(sessions),
    '█'.repeat(Math.ceil((sessions / most) * BAR_COLUMNS)),
  ]);
  return formatTable(['from', 'sessions', 'closed → row in ClickHouse'], rows);
}

function restText(result: LatencyResult): string {
  const { poll } = result;
  const us = (value: number) => `${value.toFixed(3)} µs`;
  return [
    `CPU an event: engine ${us(result.engineCpuUsPerEvent)}, ClickHouse ${us(result.clickhouseCpuUsPerEvent)}, broker ${us(result.brokerCpuUsPerEvent)}`,
    `the watch   asked ${formatWhole(poll.answers)} times, every ${poll.everyMs} ms, ${poll.msMean.toFixed(1)} ms each: ${(poll.share * 100).toFixed(1)} % of the time`,
    `steal       ${(result.steal * 100).toFixed(1)} % of the machine's time was given to others`,
  ].join('\n');
}

function ms(value: number): string {
  return `${formatWhole(Math.round(value))} ms`;
}
