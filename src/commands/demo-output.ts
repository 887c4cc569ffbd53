import type { ClickstreamGenerator } from '../generator/clickstream.js';
import type { Expected } from '../generator/tally.js';
import {
  type Colours,
  coloursFor,
  formatCount,
  formatElapsed,
  formatRate,
  formatTable,
  formatWhole,
} from '../telemetry/progress.js';
import type { Backlog } from './demo-backlog.js';
import type { Feed } from './demo-feed.js';
import type { DemoLedger } from './demo-ledger.js';
import { type Check, mainChecks, type TableFigures } from './demo-report.js';

/** The demo's figures as a status line, as tables for people and as one JSON object for scripts. */

export interface DemoFigures {
  expected: Expected;
  table: TableFigures;
  /** Empty: table and generator agree. */
  differences: Check[];
  /** As asked for. */
  seconds: number;
  /** From the first event to the delivery of the last, waits for the engine included. */
  feedMs: number;
  commits: number;
  tableFolder: string;
  kept: boolean;
}

const TOP = 10;

export function statusText(parts: {
  feed: Feed;
  generator: ClickstreamGenerator;
  backlog: Backlog;
  ledger: DemoLedger;
}): string {
  const { feed, generator, backlog, ledger } = parts;
  return [
    `${formatElapsed(feed.elapsedMs)}: ${formatCount(backlog.records)} events`,
    formatRate(backlog.records, feed.elapsedMs),
    `${formatCount(ledger.rows)} sessions`,
    `${ledger.commits} commits`,
    `lag ${formatCount(backlog.records - backlog.committedRecords)}`,
    `at ${new Date(generator.nowMs).toISOString().slice(5, 16).replace('T', ' ')}`,
  ].join(' · ');
}

/** One object; counts are numbers, `country` null stands for sessions without one. */
export function resultJson(figures: DemoFigures): object {
  const { expected, table, seconds, feedMs, commits } = figures;
  return {
    agree: figures.differences.length === 0,
    seconds,
    eventsPerSecond: Math.round((expected.events * 1000) / feedMs),
    events: { generated: expected.events, found: table.totals.total_events },
    sessions: { generated: expected.sessions, found: table.sessions },
    rows: table.rows,
    commits,
    countries: table.countries.slice(0, TOP),
    pages: table.pages.slice(0, TOP),
    differences: figures.differences,
    table: figures.tableFolder,
    kept: figures.kept,
  };
}

export function resultText(figures: DemoFigures, stream: { isTTY?: boolean }): string {
  const { expected, table, feedMs, commits } = figures;
  const colours = coloursFor(stream);
  const countries = table.countries.slice(0, TOP).map(({ country, sessions, events }) => {
    return [country ?? '(none)', formatWhole(sessions), formatWhole(events), (events / sessions).toFixed(1)];
  });
  const pages = table.pages.slice(0, TOP).map(({ page, events }) => [page, formatWhole(events)]);
  const checks = mainChecks(expected, table).map(({ what, generated, found }) => {
    return [what, formatWhole(generated), formatWhole(found), generated === found ? 'same' : 'DIFFERS'];
  });
  return [
    '',
    colours.bold('Busiest countries'),
    formatTable(['country', 'sessions', 'events', 'per session'], countries),
    '',
    colours.bold('Busiest pages'),
    formatTable(['page', 'events'], pages),
    '',
    colours.bold('What the generator made, and what the table says'),
    formatTable(['', 'generated', 'in the table', ''], checks),
    '',
    verdict(figures.differences, colours),
    `${formatRate(expected.events, feedMs)}, ${formatWhole(commits)} commits, ${formatWhole(table.rows)} rows.`,
  ].join('\n');
}

function verdict(differing: Check[], colours: Colours): string {
  if (differing.length === 0)
    return colours.green('Table and generator agree: nothing lost, nothing doubled.');
  const lines = differing.slice(0, TOP).map(({ what, generated, found }) => {
    return `  ${what}: ${formatWhole(generated)} generated, ${formatWhole(found)} in the table`;
  });
  const more = differing.length > TOP ? [`  and ${differing.length - TOP} more`] : [];
  return colours.red(['Table and generator DIFFER:', ...lines, ...more].join('\n'));
}
