import { type Clock, systemClock } from '#src/clock.js';
import { formatTable, formatWhole } from '#src/telemetry/progress.js';
import { type Machine, thisMachine } from '../machine.js';
import { writeResult } from '../result-folder.js';
import type { Output } from '../stages-command.js';
import type { EngineName } from './bench-engine.js';
import type { BenchModel } from './event-templates.js';
import { type OpenSessionsFigure, runOpenSessions } from './open-sessions-run.js';
import { type KernelOptions, parseKernelOptions } from './options.js';

/** The benchmark `kernel`: what an event costs an engine at a constant number of open sessions, without Kafka and lake. */

export interface KernelResult {
  benchmark: 'kernel';
  startedAt: string;
  machine: Machine;
  engine: EngineName;
  model: BenchModel;
  lanes: number;
  figures: OpenSessionsFigure[];
}

const BAR_COLUMNS = 30;

/** Throws Error for flags it does not know, for an engine there is not, and for sessions that got lost. */
export function runKernel(args: readonly string[], output: Output, clock: Clock = systemClock): KernelResult {
  const options = parseKernelOptions(args);
  const { engine, model, lanes, recordsPerBatch, rounds, eventsPerRound } = options;
  const startedAt = new Date(clock.nowMs()).toISOString();
  const machine = thisMachine();
  const figures = options.openSessions.map((openSessions, at) =>
    runOpenSessions({
      engine,
      model,
      openSessions,
      lanes,
      recordsPerBatch,
      rounds,
      eventsPerRound,
      hours: at === 0 ? options.hours : 1,
      onProgress: (text) => output.progress(`${formatWhole(openSessions)}: ${text}`),
    }),
  );
  const result: KernelResult = { benchmark: 'kernel', startedAt, machine, engine, model, lanes, figures };
  report(result, options, output);
  return result;
}

function report(result: KernelResult, { out, json }: KernelOptions, output: Output): void {
  output.print(
    [headText(result), figuresText(result), snapshotText(result), memoryText(result)].join('\n\n'),
  );
  if (out !== undefined) output.print(`\nwritten to ${writeResult(out, result)}`);
  if (json) output.print(JSON.stringify(result));
}

function headText({ engine, model, lanes, machine, startedAt, figures }: KernelResult): string {
  const { valueBytesMean, lz4Ratio } = figures[0]!;
  return [
    `engine    ${engine}, ${lanes} lanes in one thread; fetched bytes to rows, without Kafka and lake`,
    `events    ${model}, ${Math.round(valueBytesMean)} bytes each, LZ4 ${lz4Ratio.toFixed(2)} : 1, keys of 36 random bytes, 20 events a session`,
    `machine   ${machine.cores} × ${machine.cpu}, Node ${machine.node}, load ${machine.loadAverage.toFixed(1)}, ${startedAt}`,
  ].join('\n');
}

function figuresText({ figures }: KernelResult): string {
  const head = ['open', 'CPU an event', '', 'JSON.parse', '÷ it', '÷ first', 'bytes/session', 'undecided'];
  const longest = Math.max(...figures.map(({ cpuUsPerEvent }) => cpuUsPerEvent));
  const rows = figures.map((figure) => [
    formatWhole(figure.openSessions),
    `${figure.cpuUsPerEvent.toFixed(3)} µs`,
    '█'.repeat(Math.round((figure.cpuUsPerEvent / longest) * BAR_COLUMNS)),
    `${figure.jsonParseUs.toFixed(3)} µs`,
    figure.ratioToJsonParse.toFixed(3),
    (figure.cpuUsPerEvent / figures[0]!.cpuUsPerEvent).toFixed(2),
    formatWhole(Math.round(figure.bytesPerOpenSession)),
    formatWhole(figure.undecided),
  ]);
  return formatTable(head, rows);
}

function snapshotText({ figures }: KernelResult): string {
  const rows = figures.map(({ openSessions, snapshot }) => [
    formatWhole(openSessions),
    `${snapshot.cpuUsPerSession.toFixed(2)} µs`,
    formatWhole(Math.round(snapshot.bytesPerSession)),
    `${snapshot.stopMsMax.toFixed(1)} ms`,
  ]);
  return formatTable(['open', 'snapshot, CPU a session', 'bytes a session', 'longest stop'], rows);
}

function memoryText({ figures }: KernelResult): string {
  const longest = Math.max(
    ...figures.flatMap(({ memory }) => memory.map((point) => point.bytesPerOpenSession)),
  );
  const rows = figures.flatMap(({ memory }) =>
    memory.map(({ hours, openSessions, bytesPerOpenSession }) => [
      `${hours.toFixed(1)} h`,
      formatWhole(openSessions),
      formatWhole(Math.round(bytesPerOpenSession)),
      '█'.repeat(Math.round((bytesPerOpenSession / longest) * BAR_COLUMNS)),
    ]),
  );
  return formatTable(['event time', 'open', 'bytes/session', ''], rows);
}
