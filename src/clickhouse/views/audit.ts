import type { ClickHouseClient } from '@clickhouse/client';
import type { Clock } from '../../clock.js';
import { quoteName, quoteTable } from '../sql.js';
import { type AnalyticView, DAY, EXACT, SUMS } from './analytic-view.js';
import type { WantedView } from './compare-views.js';
import { exactSelect, sumsSelect, type ViewPlace } from './view-sql.js';

/**
 * Does each view say what its rows say? Everything is worked out anew from the table and compared with what the view holds, group by
 * group. An insert under way is in the table a moment before it is in the views, so only a difference that is there at each of several
 * looks, and the same each time, counts.
 */

export interface ViewDifference {
  /** Day and keys, as the view has them. */
  group: readonly string[];
  column: string;
  /** Decimal; null: the other side alone has such a group. */
  found: string | null;
  recomputed: string | null;
}

export interface ViewAudit {
  name: string;
  groups: number;
  /** Those that are told, at most DIFFERENCES_MAX. */
  differences: readonly ViewDifference[];
}

const LOOKS = 3;
const BETWEEN_MS = 1_000;
const DIFFERENCES_MAX = 1_000;

/** Throws what the client throws. */
export async function auditView(
  client: ClickHouseClient,
  wanted: WantedView,
  clock: Clock,
): Promise<ViewAudit> {
  const { view, place } = wanted;
  let differences: ViewDifference[] = await look(client, wanted);
  for (let i = 1; i < LOOKS && differences.length > 0; i++) {
    await clock.sleep(BETWEEN_MS);
    const again = new Set((await look(client, wanted)).map((each) => JSON.stringify(each)));
    differences = differences.filter((each) => again.has(JSON.stringify(each)));
  }
  const [count] = await rows<{ n: string }>(
    client,
    `SELECT toString(count()) AS n FROM ${quoteTable(place.database, view.name)}`,
  );
  return { name: view.name, groups: Number(count?.n ?? 0), differences };
}

async function look(client: ClickHouseClient, { view, place }: WantedView): Promise<ViewDifference[]> {
  const sums = await rows<Row>(client, sumsDifferences(view, place));
  const found = differencesOf(
    view.sums.map(({ name }) => name),
    sums,
  );
  if (view.exact.length === 0 || place.exactEveryMs === null) return found;
  const exact = quoteTable(place.database, `${view.name}${EXACT}`);
  await client.command({ query: `SYSTEM REFRESH VIEW ${exact}` });
  await client.command({ query: `SYSTEM WAIT VIEW ${exact}` });
  const others = await rows<Row>(client, exactDifferences(view, place));
  return [
    ...found,
    ...differencesOf(
      view.exact.map(({ name }) => name),
      others,
    ),
  ];
}

interface Row {
  group: string[];
  found: string[];
  recomputed: string[];
  /** How many rows each side has of the group. */
  sides: [string, string];
}

function differencesOf(names: readonly string[], found: readonly Row[]): ViewDifference[] {
  return found.flatMap(({ group, found: have, recomputed: want, sides }) =>
    names.flatMap((column, i) =>
      have[i] === want[i]
        ? []
        : [
            {
              group,
              column,
              found: Number(sides[0]) === 0 ? null : have[i]!,
              recomputed: Number(sides[1]) === 0 ? null : want[i]!,
            },
          ],
    ),
  );
}

/** A query for groups in which the sums that are kept and those of the rows are not the same. */
export function sumsDifferences(view: AnalyticView, place: ViewPlace): string {
  const names = view.sums.map(({ name }) => name);
  const table = quoteTable(place.database, `${view.name}${SUMS}`);
  const kept = `SELECT ${columnsOf(view, (name) => quoteName(name), names, quoteName)} FROM ${table}${whereKept(place, DAY)}`;
  const source = quoteTable(place.database, place.table);
  const rule = keptSince(place, quoteName(place.dateColumn));
  const anew = `SELECT ${columnsOf(
    view,
    (name) => `key_${name}`,
    names,
    (name) => `sum_${name}`,
  )} FROM (${sumsSelect(view, place, source, rule)})`;
  return differing(view, names, kept, anew, 'sum');
}

function exactDifferences(view: AnalyticView, place: ViewPlace): string {
  const names = view.exact.map(({ name }) => name);
  const table = quoteTable(place.database, `${view.name}${EXACT}`);
  const kept = `SELECT ${columnsOf(view, (name) => quoteName(name), names, quoteName)} FROM ${table}${whereKept(place, DAY)}`;
  const rule = keptSince(place, quoteName(place.dateColumn));
  const anew = `SELECT ${columnsOf(view, (name) => `key_${name}`, names, quoteName)} FROM (${exactSelect(view, place, rule)})`;
  return differing(view, names, kept, anew, 'max');
}

function columnsOf(
  view: AnalyticView,
  key: (name: string) => string,
  names: readonly string[],
  value: (name: string) => string,
): string {
  const keys = view.keys.map(({ name }, i) => `toString(${key(name)}) AS k${i}`);
  const values = names.map((name, i) => `toInt64(${value(name)}) AS x${i}`);
  return [`toString(${DAY}) AS k`, ...keys, ...values].join(', ');
}

/** Both sides beside each other, a group a row; `how` brings the rows of a group together. */
function differing(
  view: AnalyticView,
  names: readonly string[],
  kept: string,
  anew: string,
  how: 'sum' | 'max',
): string {
  const keys = ['k', ...view.keys.map((_, i) => `k${i}`)];
  const of = (side: number) => names.map((_, i) => `${how}If(x${i}, side = ${side}) AS y${side}_${i}`);
  const texts = (side: number) => names.map((_, i) => `toString(y${side}_${i})`).join(', ');
  // a group of zeros is the same as none
  const differs = names.map((_, i) => `y0_${i} != y1_${i}`).join(' OR ');
  return [
    `SELECT [${keys.join(', ')}] AS group, [${texts(0)}] AS found, [${texts(1)}] AS recomputed,`,
    '[toString(countIf(side = 0)), toString(countIf(side = 1))] AS sides,',
    [...of(0), ...of(1)].join(', '),
    `FROM (SELECT 0 AS side, * FROM (${kept}) UNION ALL SELECT 1 AS side, * FROM (${anew}))`,
    `GROUP BY ${keys.join(', ')} HAVING ${differs} ORDER BY ${keys.join(', ')} LIMIT ${DIFFERENCES_MAX}`,
  ].join('\n');
}

/** Rows and sums go by the same rule, but not at the same moment: of months that are over nothing is compared. */
function keptSince({ layout }: ViewPlace, date: string): string | null {
  if (layout.retentionMonths === null) return null;
  return `${date} >= toStartOfMonth(today()) - toIntervalMonth(${layout.retentionMonths})`;
}

function whereKept(place: ViewPlace, date: string): string {
  const rule = keptSince(place, date);
  return rule === null ? '' : ` WHERE ${rule}`;
}

async function rows<T>(client: ClickHouseClient, query: string): Promise<T[]> {
  const result = await client.query({ query, format: 'JSONEachRow' });
  return await result.json<T>();
}
