import { formatBytes, formatTable, formatWhole } from '#src/telemetry/progress.js';
import type { LakeResult, PlaceFigures, WaitFigures } from './figures.js';

/** The result for people. */
export function reportText({ machine, startedAt, workload, places }: LakeResult): string {
  const { lanes, commitBytes, commits } = workload;
  return [
    `commit    one add and ${lanes} transactions, ${formatBytes(commitBytes)}; ${formatWhole(commits)} at each length, found in the log: right`,
    `machine   ${machine.cores} × ${machine.cpu}, Node ${machine.node}, load ${machine.loadAverage.toFixed(1)}, ${startedAt}`,
    '',
    formatTable(
      ['', 'versions', 'opened in', 'commit p50', 'p99', 'max', 'put p50', 'p99', 'max'],
      places.flatMap((place) => [lengthRow(place, 'short'), lengthRow(place, 'long')]),
    ),
    '',
    ...places.map(
      ({ place, growth, long, short }) =>
        `${place}: a commit at version ${formatWhole(long.versions)} takes ${growth.toFixed(2)} × one at ${formatWhole(short.versions)}`,
    ),
  ].join('\n');
}

function lengthRow(figures: PlaceFigures, length: 'short' | 'long'): (string | number)[] {
  const { versions, openMs, openedFrom, commitMs, putMs } = figures[length];
  const waits = ({ p50, p99, max }: WaitFigures) => [ms(p50), ms(p99), ms(max)];
  const opened = `${ms(openMs)} from ${openedFrom === 'checkpoint' ? 'a checkpoint' : 'its versions'}`;
  return [figures.place, formatWhole(versions), opened, ...waits(commitMs), ...waits(putMs)];
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(1) : formatWhole(Math.round(value))} ms`;
}
