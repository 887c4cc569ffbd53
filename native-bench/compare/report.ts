import { formatBytes, formatCount, formatTable, formatWhole } from '#src/telemetry/progress.js';
import { TOPICS } from '../pipeline/topic-options.js';
import type { CompareResult, ContenderFigure } from './figures.js';
import { WARM_UP_SHARE } from './marks.js';

/** The result for people. */

const NONE = '–';

export function reportText(result: CompareResult, last: CompareResult | null): string {
  const parts = [
    headText(result),
    figuresText(result, last),
    runsText(result),
    foundText(result),
    notesText(result),
  ];
  if (result.failures.length > 0) parts.push(failuresText(result));
  return parts.join('\n\n');
}

function headText(result: CompareResult): string {
  const { workload: w, machine, startedAt, threads, flags, javaFlags, sinks, jsonParseUs } = result;
  const clickhouse = result.clickhouseCpuUsPerEvent;
  const more = clickhouse === null ? '' : `; ClickHouse itself took ${us(clickhouse)} beside it`;
  return [
    `events    ${formatWhole(w.events)} in ${formatWhole(w.sessions)} sessions (${(w.events / w.sessions).toFixed(1)} each) of ${formatWhole(w.users)} users, ${Math.round(w.valueBytes / w.events)} bytes each, ${formatBytes(w.valueBytes)}`,
    `bytes     seed ${w.seed}, SHA-256 ${w.sha256.slice(0, 16)}, ${TOPICS[w.model].codec} ${w.compressionRatio.toFixed(2)} : 1`,
    `topic     ${w.kafka}, ${w.partitions} partitions, one broker on the same cores`,
    `ours      exactly once, sinks: ${sinks}; ${flags.length === 0 ? 'default settings' : flags.join(' ')}${more}`,
    `rivals    threads each: ${threads}; JVMs: heap of 2 GB${javaFlags.length === 0 ? '' : `, ${javaFlags.join(' ')}`}; no sink`,
    `machine   ${machine.cores} × ${machine.cpu}, Node ${machine.node}, load ${machine.loadAverage.toFixed(1)}, ${startedAt}`,
    `figures   CPU µs an event of all threads, whole: from start to exit, steady: behind the first ${(WARM_UP_SHARE * 100).toFixed(0)} % of the events; one JSON.parse of an event: ${us(jsonParseUs)}`,
  ].join('\n');
}

function figuresText({ contenders }: CompareResult, last: CompareResult | null): string {
  const head = [
    ...['', 'CPU, whole', 'steady', 'events/s, whole', 'steady', 'memory', '÷ ours, whole', 'steady'],
    ...['÷ Java, whole', 'steady', 'JSON.parses'],
  ];
  const rows = contenders.map((each) => {
    const cells = [
      each.title,
      us(each.cpuUsPerEvent),
      each.steady === null ? NONE : us(each.steady.cpuUsPerEvent),
      formatCount(each.eventsPerSecond),
      each.steady === null ? NONE : formatCount(each.steady.eventsPerSecond),
      formatBytes(each.peakRssBytes),
      times(each.ratioToOurs),
      times(each.steadyRatioToOurs),
      times(each.ratioToJava),
      times(each.steadyRatioToJava),
      each.jsonParses.toFixed(2),
    ];
    return last === null ? cells : [...cells, wholeBefore(each, last)];
  });
  return formatTable(last === null ? head : [...head, 'whole, the last'], rows);
}

function wholeBefore({ name }: ContenderFigure, last: CompareResult): string {
  const before = last.contenders.find((each) => each.name === name);
  return before === undefined ? NONE : us(before.cpuUsPerEvent);
}

function runsText({ contenders }: CompareResult): string {
  const rows = contenders.flatMap(({ title, runs }) =>
    runs.map((run) => [
      title,
      run.round,
      `${run.seconds.toFixed(1)} s`,
      us(run.cpuUsPerEvent),
      run.steady === null ? NONE : us(run.steady.cpuUsPerEvent),
      us(run.brokerCpuUsPerEvent),
      us(run.jsonParseUs),
      `${(run.steal * 100).toFixed(1)} %`,
    ]),
  );
  return formatTable(['run of', 'round', 'took', 'whole', 'steady', 'broker', 'JSON.parse', 'steal'], rows);
}

function foundText({ contenders, found }: CompareResult): string {
  const checked = contenders.filter(({ makesSessions }) => makesSessions).length;
  return [
    `sessions  found by all who make them (${checked}): ${formatWhole(found.sessions)} of ${formatWhole(found.events)} events, ${formatWhole(found.durationMs)} ms long together,`,
    `          ${formatWhole(found.pages)} different pages, checksum of first country and device ${formatWhole(found.firsts)},`,
    `          by type ${found.byType.join(' ')}, squares ${found.squaresByType.join(' ')}`,
  ].join('\n');
}

function notesText({ contenders }: CompareResult): string {
  const namesByNote = new Map<string, string[]>();
  for (const { name, notes } of contenders) {
    for (const note of notes) namesByNote.set(note, [...(namesByNote.get(note) ?? []), name]);
  }
  const lines = [...namesByNote].map(([note, names]) => `  ${names.join(', ')}: ${note}`);
  return [
    'what the figures leave out',
    '  all rivals: each keeps of an event only what its session needs (type, page, country, device, time), ours fills all columns of the model',
    ...lines,
  ].join('\n');
}

function failuresText({ failures }: CompareResult): string {
  return failures.map(({ title, message }) => `FAILED    ${title}: ${message}`).join('\n');
}

function us(value: number): string {
  return `${value < 10 ? value.toFixed(3) : value.toFixed(2)} µs`;
}

function times(value: number | null): string {
  if (value === null) return NONE;
  return value < 9.995 ? value.toFixed(2) : value.toFixed(1);
}
