import { noColor } from './log.js';

/** Figures for people: short, of even width, the same everywhere. Pure, but for `coloursFor`, which looks at a stream. */

/** 999, 1.20 k, 34.5 k, 345 M: three digits that count. */
export function formatCount(value: number): string {
  return scaled(value, 1_000, ['', ' k', ' M', ' G', ' T']);
}

/** 12 B, 1.50 KiB, 64.0 MiB. Rounded: not for configuration, which has exact ones. */
export function formatBytes(bytes: number): string {
  return scaled(bytes, 1_024, [' B', ' KiB', ' MiB', ' GiB', ' TiB']);
}

/** Events over milliseconds as `1.23 M/s`. */
export function formatRate(events: number, elapsedMs: number): string {
  return elapsedMs > 0 ? `${formatCount((events * 1_000) / elapsedMs)}/s` : '–';
}

/** 12 ms, 4.2 s, 3 min 07 s, 2 h 05 min. */
export function formatElapsed(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  const two = (value: number) => String(value).padStart(2, '0');
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

/** 1234567 → `1,234,567`. */
export function formatWhole(value: number | bigint): string {
  return value.toString().replace(/\B(?=(\d{3})+$)/g, ',');
}

function scaled(value: number, step: number, units: readonly string[]): string {
  if (value < 0) return `-${scaled(-value, step, units)}`;
  let rest = value;
  let unit = 0;
  // what would be shown as 1000 goes to the next unit
  while (rest >= step - 0.5 && unit < units.length - 1) {
    rest /= step;
    unit++;
  }
  if (unit === 0) return `${Math.round(rest)}${units[0]}`;
  return `${rest.toFixed(rest < 9.995 ? 2 : rest < 99.95 ? 1 : 0)}${units[unit]}`;
}

export interface Progress {
  /** Since the line before. */
  events: number;
  elapsedMs: number;
  eventsTotal: number;
  /** Events not yet read, or null while nobody knows. */
  lagEvents: number | null;
  /** Null where it cannot be known, from outside for instance. */
  openSessions: number | null;
  rowsTotal: number;
  deadLettersTotal: number;
}

/** One line on how it goes. Dead letters only when there are any: then they stand out. */
export function progressLine(progress: Progress): string {
  const parts = [
    `${formatRate(progress.events, progress.elapsedMs)} events`,
    `${formatCount(progress.eventsTotal)} in all`,
    progress.lagEvents === null ? 'lag unknown' : `lag ${formatCount(progress.lagEvents)}`,
  ];
  if (progress.openSessions !== null) parts.push(`${formatCount(progress.openSessions)} open sessions`);
  parts.push(`${formatCount(progress.rowsTotal)} rows`);
  if (progress.deadLettersTotal > 0) parts.push(`${formatCount(progress.deadLettersTotal)} dead letters`);
  return parts.join(' · ');
}

/** A table with a head; columns of numbers (or of texts that begin with a digit) stand to the right. */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const texts = rows.map((row) => head.map((_, column) => String(row[column] ?? '')));
  const right = head.map(
    (_, column) => texts.length > 0 && texts.every((row) => /^(-?\d|–?$)/.test(row[column]!)),
  );
  const widths = head.map((name, column) =>
    Math.max(...[name, ...texts.map((row) => row[column]!)].map(width)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => {
        const space = ' '.repeat(widths[column]! - width(cell));
        return right[column] ? space + cell : cell + space;
      })
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((size) => '─'.repeat(size)).join('  '), ...texts.map(line)].join('\n');
}

/** Characters, not UTF-16 units. */
function width(text: string): number {
  return [...text].length;
}

export interface Colours {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
}

/** Colours on a terminal, plain text elsewhere and where NO_COLOR is set. */
export function coloursFor(stream: { isTTY?: boolean }): Colours {
  const on = stream.isTTY === true && !noColor();
  const paint = (start: number, end: number) => (text: string) =>
    on ? `\u001b[${start}m${text}\u001b[${end}m` : text;
  return {
    bold: paint(1, 22),
    dim: paint(2, 22),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
  };
}
