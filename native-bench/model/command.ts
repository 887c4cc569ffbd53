import { type Clock, systemClock } from '#src/clock.js';
import { loadModel } from '#src/model/load.js';
import type { CompiledModel } from '#src/model/types.js';
import { formatTable, formatWhole } from '#src/telemetry/progress.js';
import { runOpenSessions } from '../kernel/open-sessions-run.js';
import { type Machine, thisMachine } from '../machine.js';
import { writeResult } from '../result-folder.js';
import type { Output } from '../stages-command.js';
import { type EarlyFigure, runEarly } from './early-run.js';
import { type ModelOptions, parseModelOptions } from './options.js';
import { ownColumns, wideModel } from './wide-model.js';

/**
 * The benchmark `model`: what words of a model cost. A model of 60 columns beside one of 28 over the same events, 20 a session; and
 * early updates of sessions that go on.
 */

export interface WidthFigure {
  model: string;
  columns: number;
  cpuUsPerEvent: number;
  ratioToJsonParse: number;
}

export interface ModelResult {
  benchmark: 'model';
  startedAt: string;
  machine: Machine;
  lanes: number;
  widths: WidthFigure[];
  /** The wide model's event beside the other's, each in times of what JSON.parse takes meanwhile. */
  wideToNarrow: number;
  early: EarlyFigure;
}

/** What is asked for. */
const WIDE_TO_NARROW_MAX = 2;
const EARLY_SHARE_MAX = 0.15;

/** Throws Error for flags it does not know, and for sessions or rows that got lost. */
export function runModel(args: readonly string[], output: Output, clock: Clock = systemClock): ModelResult {
  const options = parseModelOptions(args);
  const startedAt = new Date(clock.nowMs()).toISOString();
  const machine = thisMachine();
  const widths = [loadModel('clickstream'), wideModel()].map((model) => widthOf(model, options, output));
  const [narrow, wide] = widths;
  const { lanes } = options;
  const result: ModelResult = {
    benchmark: 'model',
    startedAt,
    machine,
    lanes,
    widths,
    wideToNarrow: wide!.ratioToJsonParse / narrow!.ratioToJsonParse,
    early: runEarly({ ...options, onProgress: (text) => output.progress(`early: ${text}`) }),
  };
  output.print([headText(result), widthsText(result), earlyText(result)].join('\n\n'));
  if (options.out !== undefined) output.print(`\nwritten to ${writeResult(options.out, result)}`);
  if (options.json) output.print(JSON.stringify(result));
  return result;
}

function widthOf(compiled: CompiledModel, options: ModelOptions, output: Output): WidthFigure {
  const { sessions, eventsPerRound, rounds, lanes, recordsPerBatch } = options;
  const { name } = compiled;
  const figure = runOpenSessions({
    engine: 'kernel',
    model: 'clickstream',
    compiled,
    openSessions: sessions,
    lanes,
    recordsPerBatch,
    rounds,
    eventsPerRound,
    hours: 1,
    onProgress: (text) => output.progress(`${name}: ${text}`),
  });
  const { cpuUsPerEvent, ratioToJsonParse } = figure;
  return { model: name, columns: ownColumns(compiled), cpuUsPerEvent, ratioToJsonParse };
}

function headText({ lanes, machine, startedAt }: ModelResult): string {
  return [
    `engine    kernel, ${lanes} lanes in one thread; fetched bytes to rows, without Kafka and lake`,
    'events    clickstream, 20 a session',
    `machine   ${machine.cores} × ${machine.cpu}, Node ${machine.node}, load ${machine.loadAverage.toFixed(1)}, ${startedAt}`,
  ].join('\n');
}

function widthsText({ widths, wideToNarrow }: ModelResult): string {
  const rows = widths.map(({ model, columns, cpuUsPerEvent, ratioToJsonParse }) => [
    model,
    String(columns),
    `${cpuUsPerEvent.toFixed(3)} µs`,
    ratioToJsonParse.toFixed(3),
  ]);
  const table = formatTable(['model', 'columns', 'CPU an event', '÷ JSON.parse'], rows);
  return `${table}\nwide ÷ narrow ${wideToNarrow.toFixed(2)}, wanted: at most ${WIDE_TO_NARROW_MAX}`;
}

function earlyText({ early }: ModelResult): string {
  const { sessions, everyMs, rows, fileBytes, rowsCpuMs, filesCpuMs, shareOfCore } = early;
  const table = formatTable(
    ['active', 'rows a mark', 'files', 'CPU for rows', 'CPU for files'],
    [
      [
        formatWhole(sessions),
        formatWhole(rows),
        `${(fileBytes / 2 ** 20).toFixed(1)} MiB`,
        `${rowsCpuMs.toFixed(0)} ms`,
        `${filesCpuMs.toFixed(0)} ms`,
      ],
    ],
  );
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return `${table}\nearly updates every ${everyMs / 1_000} s: ${percent(shareOfCore)} of a core, wanted: at most ${percent(EARLY_SHARE_MAX)}`;
}
