import { quoteName, quoteTable } from '../sql.js';
import { DAY, SUMS } from './analytic-view.js';
import type { WantedView } from './compare-views.js';

/** The documented queries: what people ask of the analytic views, over the last days that there are rows of. */

export interface DocumentedQuery {
  name: string;
  /** The view it reads. */
  view: string;
  about: string;
  /** `rowsMax`: of an answer by keys, those with most sessions. */
  sql(days: number, rowsMax?: number): string;
}

const NAMES: Readonly<Record<string, string>> = {
  brand_analytics: 'brands',
  device_analytics: 'devices',
  geographic_analytics: 'countries',
  subscription_analytics: 'subscriptions',
  referrer_analytics: 'referrers',
  page_analytics: 'pages',
  funnel_analytics: 'funnel',
  hour_analytics: 'hours',
  session_summary: 'summary',
};
const ROWS_MAX = 100;

export function queriesOf(wanted: readonly WantedView[]): DocumentedQuery[] {
  return wanted.map((each) => ({
    name: NAMES[each.view.name] ?? each.view.name,
    view: each.view.name,
    about: each.view.about,
    sql: (days, rowsMax = ROWS_MAX) =>
      each.view.name === 'session_summary' ? byDay(each, days) : byKeys(each, days, rowsMax),
  }));
}

/** The newest day comes from what is known of the parts: no row is read for it. */
function lastDays(sums: string, day: string, days: number): string {
  return `${day} > (SELECT max(${DAY}) FROM ${sums}) - ${days}`;
}

function sumsOf({ view, place }: WantedView): string {
  return quoteTable(place.database, `${view.name}${SUMS}`);
}

/** From the view of people: whether it has exact figures beside the sums is as it was made, whatever is asked for now. */
function byDay(wanted: WantedView, days: number): string {
  const { view, place } = wanted;
  const where = lastDays(sumsOf(wanted), `v.${DAY}`, days);
  return `SELECT * FROM ${quoteTable(place.database, view.name)} AS v WHERE ${where} ORDER BY ${DAY} DESC`;
}

/** From the sums themselves, once: through the view of people they are added up by day first and then again, which takes twice as long. */
function byKeys(wanted: WantedView, days: number, rowsMax: number): string {
  const { view } = wanted;
  const from = sumsOf(wanted);
  const keys = view.keys.map(({ name }) => quoteName(name));
  // qualified: within a query an alias wins over a column of the same name
  const sums = view.sums.map(({ name }) => `sum(t.${quoteName(name)}) AS ${quoteName(name)}`);
  const inner = [
    `SELECT ${[...keys.map((key) => `t.${key} AS ${key}`), ...sums].join(', ')}`,
    `FROM ${from} AS t WHERE ${lastDays(from, `t.${DAY}`, days)}`,
    ...(keys.length === 0 ? [] : [`GROUP BY ${keys.map((key) => `t.${key}`).join(', ')}`]),
    'HAVING sum(t.sessions) != 0',
  ].join(' ');
  const ratios = view.ratios.map(({ name, expression }) => `${expression} AS ${quoteName(name)}`);
  const order = view.name === 'hour_analytics' ? 'hour' : 'sessions DESC';
  return `SELECT ${['*', ...ratios].join(', ')} FROM (${inner}) ORDER BY ${order} LIMIT ${rowsMax}`;
}

/** The same from the rows of changes: what a view saves. */
export function fromRows(wanted: WantedView, days: number, select: (where: string) => string): string {
  const { view, place } = wanted;
  const date = quoteName(place.dateColumn);
  const table = quoteTable(place.database, place.table);
  const keys = view.keys.map(({ name }) => `key_${name}`);
  const sums = view.sums.map(({ name }) => `sum(sum_${name}) AS ${quoteName(name)}`);
  const rows = select(`${date} > (SELECT max(${date}) FROM ${table}) - ${days}`);
  const by = keys.length === 0 ? [DAY] : keys;
  return `SELECT ${[...by, ...sums].join(', ')} FROM (${rows}) GROUP BY ${by.join(', ')} ORDER BY sessions DESC LIMIT ${ROWS_MAX}`;
}
