import { formatBytes, formatTable, formatWhole } from '#src/telemetry/progress.js';
import type { BenchResult, Figure } from './result.js';
import type { Role } from './stage.js';

/** A result for people: a head, and a line a figure with a bar as long as its cost per event. */

const BAR_COLUMNS = 28;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const NONE = '–';
/** Floors and rivals are paler, and in whole columns: only the stages' bars are to be compared by the eighth. */
const FILLS: Readonly<Record<Role, string>> = { stage: '█', floor: '░', rival: '▒' };

export function headText({ workload, machine, rounds, startedAt, jsonParseNs }: BenchResult): string {
  const { events, sessions, valueBytes, lz4Ratio, sha256, seed } = workload;
  return [
    `events    ${formatWhole(events)} in ${formatWhole(sessions)} sessions, ${Math.round(valueBytes / events)} bytes each, ${formatBytes(valueBytes)}`,
    `bytes     seed ${seed}, SHA-256 ${sha256.slice(0, 16)}, LZ4 ${lz4Ratio.toFixed(2)} : 1`,
    `machine   ${machine.cores} × ${machine.cpu}, Node ${machine.node}, load ${machine.loadAverage.toFixed(1)}, ${startedAt}`,
    `figures   ns of CPU, median of rounds: ${rounds}; one JSON.parse of an event: ${formatNs(jsonParseNs)} ns`,
  ].join('\n');
}

/** `last`: an earlier result over the same bytes; its column is left out when there is none. */
export function tableText(result: BenchResult, last: BenchResult | null): string {
  const costs = result.stages.flatMap((stage) => stage.figures.map((figure) => figure.nsPerEvent ?? 0));
  const longest = Math.max(...costs);
  const head = ['stage', 'by', 'ns/event', 'CPU an event', 'JSON.parses', '±', 'stage ÷ it', 'per unit'];
  if (last !== null) head.push('÷ last');
  const rows = result.stages.flatMap(({ name, unit, figures }) =>
    figures.map((figure) => {
      const cells = [
        figure.role === 'stage' ? name : `  ${figure.role}`,
        figure.name,
        figure.nsPerEvent === null ? NONE : formatNs(figure.nsPerEvent),
        bar(figure, longest),
        figure.jsonParses === null ? NONE : figure.jsonParses.toFixed(3),
        `${(figure.spread * 100).toFixed(0)} %`,
        figure.role === 'stage' ? NONE : formatRatio(figure.stageRatio),
        unit === 'event' ? NONE : `${formatNs(figure.nsPerUnit)} a ${unit}`,
      ];
      return last === null ? cells : [...cells, comparedWithLast(name, figure, last)];
    }),
  );
  return formatTable(head, rows);
}

/** How much dearer than last time, in JSON.parses where there are any: another machine's speed then falls out. */
function comparedWithLast(stage: string, figure: Figure, last: BenchResult): string {
  const before = last.stages
    .find(({ name }) => name === stage)
    ?.figures.find(({ role, name }) => role === figure.role && name === figure.name);
  if (before === undefined) return NONE;
  const ratio =
    figure.jsonParses !== null && before.jsonParses !== null
      ? figure.jsonParses / before.jsonParses
      : figure.nsPerUnit / before.nsPerUnit;
  return formatRatio(ratio);
}

function bar({ role, nsPerEvent }: Figure, longest: number): string {
  if (nsPerEvent === null || !(longest > 0)) return '';
  const eighths = Math.round((nsPerEvent / longest) * BAR_COLUMNS * 8);
  if (role !== 'stage') return FILLS[role].repeat(Math.round(eighths / 8));
  return FILLS.stage.repeat(eighths >> 3) + EIGHTHS[eighths & 7]!;
}

function formatNs(ns: number): string {
  return ns < 99.95 ? ns.toFixed(1) : formatWhole(Math.round(ns));
}

function formatRatio(ratio: number): string {
  return ratio < 9.995 ? ratio.toFixed(2) : ratio < 99.95 ? ratio.toFixed(1) : ratio.toFixed(0);
}
