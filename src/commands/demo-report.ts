import type { ChdbSession } from '../embedded/chdb-query.js';
import type { Expected } from '../generator/tally.js';

/**
 * The table, asked by an independent reader (chDB with delta-kernel), beside what the generator knows. Rows are changes:
 * a session that was revised is there as +old, −old, +new, so every figure is a sum of sign · x.
 */

export interface CountryFigures {
  /** null: sessions whose events name none. */
  country: string | null;
  sessions: number;
  events: number;
}

export interface PageFigures {
  page: string;
  /** Events on the page. */
  events: number;
}

export interface TableFigures {
  rows: number;
  sessions: number;
  /** Sessions whose signs add up to something other than 0 or 1: there must be none. */
  unbalanced: number;
  totals: Record<string, number>;
  /** Busiest first. */
  countries: CountryFigures[];
  pages: PageFigures[];
}

export interface Check {
  what: string;
  generated: number;
  found: number;
}

/** Integers beyond 32 bits come as strings. */
type Sums = Record<string, string | number>;

/** Columns that count a session's events, and the event types that they count; '' counts all. */
const COUNTS = {
  total_events: '',
  page_views: 'page_view',
  clicks: 'click',
  add_to_carts: 'add_to_cart',
  purchases: 'purchase',
  searches: 'search',
} as const;

/** `tableFolder` lies below the session's folder. */
export async function readTable(chdb: ChdbSession, tableFolder: string): Promise<TableFigures> {
  const table = `deltaLakeLocal('${tableFolder.replace(/[\\']/g, '\\$&')}')`;
  const sums = Object.keys(COUNTS).map((column) => `sum(sign * ${column}) AS ${column}`);
  const [all] = await chdb.query<Sums>(
    `SELECT count() AS rows, sum(sign) AS sessions, ${sums.join(', ')} FROM ${table}`,
  );
  const [balance] = await chdb.query<Sums>(
    `SELECT countIf(net NOT IN (0, 1)) AS unbalanced
     FROM (SELECT sum(sign) AS net FROM ${table} GROUP BY session_id)`,
  );
  const countries = await chdb.query<Sums & { country: string | null }>(
    `SELECT country, sum(sign) AS sessions, sum(sign * total_events) AS events
     FROM ${table} GROUP BY country HAVING sessions != 0 ORDER BY sessions DESC, country`,
  );
  const pages = await chdb.query<Sums & { page: string }>(
    `SELECT arrayJoin(pages) AS page, sum(sign) AS events
     FROM ${table} GROUP BY page HAVING events != 0 ORDER BY events DESC, page`,
  );
  return {
    rows: Number(all!.rows),
    sessions: Number(all!.sessions),
    unbalanced: Number(balance!.unbalanced),
    totals: Object.fromEntries(Object.keys(COUNTS).map((column) => [column, Number(all![column])])),
    countries: countries.map(({ country, sessions, events }) => ({
      country,
      sessions: Number(sessions),
      events: Number(events),
    })),
    pages: pages.map(({ page, events }) => ({ page, events: Number(events) })),
  };
}

/** The figures that a reader wants to see side by side. */
export function mainChecks(expected: Expected, table: TableFigures): Check[] {
  const counts = Object.entries(COUNTS).map(([column, type]) => ({
    what: column === 'total_events' ? 'events' : column.replaceAll('_', ' '),
    generated: type === '' ? expected.events : expected.byType[type],
    found: table.totals[column]!,
  }));
  return [{ what: 'sessions', generated: expected.sessions, found: table.sessions }, ...counts];
}

/** All that differs: main figures, each country, each page. Empty when table and generator agree. */
export function differences(expected: Expected, table: TableFigures): Check[] {
  const byCountry = <K extends 'sessions' | 'events'>(key: K) =>
    new Map(table.countries.map((figures) => [figures.country, figures[key]]));
  const byPage = new Map<string | null, number>(table.pages.map(({ page, events }) => [page, events]));
  const pages = new Map(expected.eventsByPage);
  // a list of pages has no place for events without one
  pages.delete(null);
  const checks = [
    ...mainChecks(expected, table),
    { what: 'sessions with unbalanced signs', generated: 0, found: table.unbalanced },
    ...pairs('sessions from', expected.sessionsByCountry, byCountry('sessions')),
    ...pairs('events from', expected.eventsByCountry, byCountry('events')),
    ...pairs('events on', pages, byPage),
  ];
  return checks.filter(({ generated, found }) => generated !== found);
}

function pairs(
  what: string,
  generated: ReadonlyMap<string | null, number>,
  found: ReadonlyMap<string | null, number>,
): Check[] {
  const keys = new Set([...generated.keys(), ...found.keys()]);
  return [...keys].map((key) => ({
    what: `${what} ${key ?? 'nowhere'}`,
    generated: generated.get(key) ?? 0,
    found: found.get(key) ?? 0,
  }));
}
