import { formatBytes, formatCount, formatTable, formatWhole } from '#src/telemetry/progress.js';
import type { ExactlyOnceCost, LakeAlone, PipelineResult, RunFigure } from './figures.js';
import { TOPICS } from './topic-options.js';

/** The result for people. */

const BAR_COLUMNS = 40;
const NONE = '–';

export function reportText(result: PipelineResult, last: PipelineResult | null): string {
  const parts = [headText(result), figuresText(result, last), threadsText(result), runsText(result)];
  if (result.lakeAlone !== null) parts.push(lakeAloneText(result, result.lakeAlone));
  if (result.exactlyOnce !== null) parts.push(exactlyOnceText(result, result.exactlyOnce));
  return parts.join('\n\n');
}

function headText(result: PipelineResult): string {
  const { workload: w, machine, flags, startedAt, runs } = result;
  return [
    `events    ${formatWhole(w.events)} in ${formatWhole(w.sessions)} sessions (${(w.events / w.sessions).toFixed(1)} each) of ${formatWhole(w.users)} users, ${Math.round(w.valueBytes / w.events)} bytes each, ${formatBytes(w.valueBytes)}`,
    `bytes     seed ${w.seed}, SHA-256 ${w.sha256.slice(0, 16)}, ${TOPICS[w.model].codec} ${w.compressionRatio.toFixed(2)} : 1`,
    `topic     ${w.kafka}, ${w.partitions} partitions, batches of ${w.recordsPerBatch} records and ${formatBytes(w.batchBytes / w.batches)}`,
    `model     ${w.model}, sinks: ${result.clickhouseCpuUsPerEvent === null ? 'lake' : 'lake and ClickHouse'}`,
    `engine    ${flags.length === 0 ? 'default settings' : flags.join(' ')}`,
    `machine   ${machine.cores} × ${machine.cpu}, Node ${machine.node}, load ${machine.loadAverage.toFixed(1)}, ${startedAt}`,
    `figures   medians of runs: ${runs.length}`,
  ].join('\n');
}

function figuresText(result: PipelineResult, last: PipelineResult | null): string {
  const rows: [string, keyof PipelineResult, (value: number) => string][] = [
    ['events/s, first fetch to last commit', 'eventsPerSecond', formatCount],
    ['CPU of the engine, start to exit', 'engineCpuUsPerEvent', us],
    ['  of this, first fetch to last commit', 'windowCpuUsPerEvent', us],
    ['JSON.parse(buffer.toString())', 'jsonParseUs', us],
    ['engine ÷ JSON.parse', 'ratioToJsonParse', (value) => value.toFixed(3)],
    ['CPU of the broker', 'brokerCpuUsPerEvent', us],
    ['CPU of ClickHouse', 'clickhouseCpuUsPerEvent', us],
    ['peak memory of the engine', 'peakRssBytes', formatBytes],
    ['bytes per open session', 'bytesPerOpenSession', (value) => formatWhole(Math.round(value))],
    ["machine's time given to others", 'steal', (value) => `${(value * 100).toFixed(1)} %`],
  ];
  const cells = rows.map(([title, key, format]) => {
    const value = result[key] as number | null;
    const before = (last?.[key] ?? null) as number | null;
    const row = [title, value === null ? NONE : format(value)];
    return last === null ? row : [...row, before === null ? NONE : format(before)];
  });
  return formatTable(last === null ? ['', 'this run'] : ['', 'this run', 'the last'], cells);
}

function threadsText({ threads, engineCpuUsPerEvent }: PipelineResult): string {
  const longest = Math.max(...threads.map(({ cpuUsPerEvent }) => cpuUsPerEvent));
  const rows = threads.map(({ name, threads: count, cpuUsPerEvent, windowCpuUsPerEvent }) => [
    count > 1 ? `${name} (${count} threads)` : name,
    us(cpuUsPerEvent),
    us(windowCpuUsPerEvent),
    `${((cpuUsPerEvent / engineCpuUsPerEvent) * 100).toFixed(0)} %`,
    bar(windowCpuUsPerEvent, cpuUsPerEvent, longest),
  ]);
  return formatTable(['CPU of', 'an event', 'in window', 'share', '█ in window, ░ before and after'], rows);
}

function runsText({ runs }: PipelineResult): string {
  const rows = runs.map((run: RunFigure, at) => [
    at + 1,
    formatCount(run.eventsPerSecond),
    `${run.windowSeconds.toFixed(1)} of ${run.seconds.toFixed(1)} s`,
    us(run.engineCpuUsPerEvent),
    run.ratioToJsonParse.toFixed(3),
    us(run.brokerCpuUsPerEvent),
    run.clickhouseCpuUsPerEvent === null ? NONE : us(run.clickhouseCpuUsPerEvent),
    formatBytes(run.peakRssBytes),
    run.undecided === null ? NONE : formatWhole(run.undecided),
    `${(run.steal * 100).toFixed(1)} %`,
  ]);
  const head = [
    'run',
    'events/s',
    'window',
    'engine',
    '÷ JSON',
    'broker',
    'ClickHouse',
    'memory',
    'undecided',
    'steal',
  ];
  return formatTable(head, rows);
}

function lakeAloneText(result: PipelineResult, alone: LakeAlone): string {
  const row = (sinks: string, of: LakeAlone) => [
    sinks,
    formatCount(of.eventsPerSecond),
    us(of.engineCpuUsPerEvent),
    of.ratioToJsonParse.toFixed(3),
  ];
  return formatTable(
    ['sinks', 'events/s', 'engine', '÷ JSON'],
    [row('lake and ClickHouse', result), row('lake alone', alone)],
  );
}

function exactlyOnceText(result: PipelineResult, { engineCpuUsPerEvent, ratio }: ExactlyOnceCost): string {
  return [
    `exactly once   ${us(result.engineCpuUsPerEvent)} an event; with a cut each 30 s and a snapshot at the end only ${us(engineCpuUsPerEvent)}`,
    `               it costs ${((ratio - 1) * 100).toFixed(1)} % more CPU (median of the runs' ratios)`,
  ].join('\n');
}

function us(value: number): string {
  return `${value.toFixed(3)} µs`;
}

function bar(inWindow: number, whole: number, longest: number): string {
  if (!(longest > 0)) return '';
  const columns = Math.round((whole / longest) * BAR_COLUMNS);
  const solid = Math.min(columns, Math.round((inWindow / longest) * BAR_COLUMNS));
  return '█'.repeat(solid) + '░'.repeat(columns - solid);
}
