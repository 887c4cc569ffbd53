import { createHash } from 'node:crypto';
import {
  engineClause,
  type Layout,
  onCluster,
  storageSettings,
  storedName,
  ttlExpression,
  windowSettings,
} from '../layout.js';
import { quoteName, quoteTable, quoteText } from '../sql.js';
import { type AnalyticView, DAY, EXACT, FEED, SUMS } from './analytic-view.js';

/** The statements of an analytic view. Pure; each is one statement, as it can be run by hand. */

export interface ViewPlace {
  database: string;
  /** The table of change rows, as inserts name it. */
  table: string;
  /** The view of sessions as they are. */
  sessions: string;
  /** The date of a session's start. */
  dateColumn: string;
  layout: Layout;
  /** Null: no exact figures. */
  exactEveryMs: number | null;
}

const OURS = 'headrace: ';

/** Σ sign·x of one insert's rows, or of all rows of the table: what the feed adds, and what an audit recomputes. */
export function sumsSelect(
  view: AnalyticView,
  place: ViewPlace,
  from: string,
  where: string | null = null,
): string {
  const { unfold, sums } = view;
  const columns = [
    `${quoteName(place.dateColumn)} AS ${DAY}`,
    ...view.keys.map(({ name, expression }) => `${expression} AS ${quoteName(keyAlias(name))}`),
    ...sums.map(({ name, expression }) => {
      const x = expression === null ? 'sign' : `sign * (${expression})`;
      return `sum(${x}) AS ${quoteName(sumAlias(name))}`;
    }),
  ];
  return [
    ...(unfold === null ? [] : [`WITH ${unfold.with}`]),
    `SELECT ${columns.join(', ')}`,
    `FROM ${from}`,
    ...(unfold === null ? [] : [`ARRAY JOIN ${unfold.arrayJoin}`]),
    ...(where === null ? [] : [`WHERE ${where}`]),
    `GROUP BY ${[DAY, ...view.keys.map(({ name }) => quoteName(keyAlias(name)))].join(', ')}`,
  ].join('\n');
}

/**
 * Within a SELECT an alias wins over a column of the same name, in ClickHouse everywhere in it: what is computed and called as a
 * column that other expressions read would change these. So all aliases are our own, and the target is filled by place.
 */
function keyAlias(name: string): string {
  return `key_${name}`;
}

function sumAlias(name: string): string {
  return `sum_${name}`;
}

export function sumsTable(view: AnalyticView, place: ViewPlace): string {
  const { database, layout } = place;
  const name = storedName(layout, `${view.name}${SUMS}`);
  const columns = [
    `${DAY} Date`,
    ...view.keys.map((key) => `${quoteName(key.name)} ${key.type}`),
    // sums are small where keys are many: their upper bytes are the same
    ...view.sums.map((sum) => `${quoteName(sum.name)} Int64 CODEC(T64, ZSTD(1))`),
  ];
  const ttl = ttlExpression(layout, DAY);
  return [
    `CREATE TABLE IF NOT EXISTS ${quoteTable(database, name)}${onCluster(layout)}`,
    `(\n${columns.map((column) => `    ${column}`).join(',\n')}\n)`,
    // adds up rows of one key as it merges, and leaves those out of which nothing is left
    engineClause(layout, 'SummingMergeTree', []),
    `PARTITION BY toYYYYMM(${DAY})`,
    `ORDER BY (${[DAY, ...view.keys.map((key) => quoteName(key.name))].join(', ')})`,
    ...(ttl === null ? [] : [`TTL ${ttl}`]),
    `SETTINGS ${[...windowSettings(layout), ...storageSettings(layout)].join(', ')}`,
    `COMMENT ${quoteText(commentOf(view, place, 'sums'))}`,
  ].join('\n');
}

export function feedView(view: AnalyticView, place: ViewPlace): string {
  const { database, layout } = place;
  const target = quoteTable(database, storedName(layout, `${view.name}${SUMS}`));
  const columns = [DAY, ...view.keys.map(({ name }) => name), ...view.sums.map(({ name }) => name)];
  const aliases = [
    DAY,
    ...view.keys.map(({ name }) => keyAlias(name)),
    ...view.sums.map(({ name }) => sumAlias(name)),
  ];
  const from = quoteTable(database, storedName(layout, place.table));
  // a materialized view fills its target by name
  const renamed = columns.map((name, i) =>
    name === aliases[i] ? quoteName(name) : `${quoteName(aliases[i]!)} AS ${quoteName(name)}`,
  );
  return [
    `CREATE MATERIALIZED VIEW IF NOT EXISTS ${quoteTable(database, `${view.name}${FEED}`)}${onCluster(layout)} TO ${target}`,
    `COMMENT ${quoteText(commentOf(view, place, 'feed'))}`,
    `AS SELECT ${renamed.join(', ')} FROM (`,
    sumsSelect(view, place, from),
    ')',
  ].join('\n');
}

/** Fills an empty table of sums from the rows that are there. Not recognised again: it is run while nothing else is inserted. */
export function fillSums(view: AnalyticView, place: ViewPlace): string {
  const { database } = place;
  const columns = [DAY, ...view.keys.map(({ name }) => name), ...view.sums.map(({ name }) => name)];
  return [
    `INSERT INTO ${quoteTable(database, `${view.name}${SUMS}`)} (${columns.map(quoteName).join(', ')})`,
    'SETTINGS insert_deduplicate = 0, max_partitions_per_insert_block = 0',
    sumsSelect(view, place, quoteTable(database, place.table)),
  ].join('\n');
}

/** What is exact, over sessions as they are. */
export function exactSelect(view: AnalyticView, place: ViewPlace, where: string | null = null): string {
  const columns = [
    `${quoteName(place.dateColumn)} AS ${DAY}`,
    ...view.keys.map(({ name, expression }) => `${expression} AS ${quoteName(keyAlias(name))}`),
    ...view.exact.map(({ name, aggregate }) => `${aggregate} AS ${quoteName(name)}`),
  ];
  return [
    `SELECT ${columns.join(', ')}`,
    `FROM ${quoteTable(place.database, place.sessions)}`,
    ...(where === null ? [] : [`WHERE ${where}`]),
    `GROUP BY ${[DAY, ...view.keys.map(({ name }) => quoteName(keyAlias(name)))].join(', ')}`,
  ].join('\n');
}

/** On a cluster each replica works them out over all shards, into a table of its own: nothing has to be agreed upon. */
export function exactView(view: AnalyticView, place: ViewPlace): string {
  const { database, layout } = place;
  const columns = [
    `${DAY} Date`,
    ...view.keys.map((key) => `${quoteName(key.name)} ${key.type}`),
    ...view.exact.map(({ name, type }) => `${quoteName(name)} ${type}`),
    "refreshed_at DateTime('UTC')",
  ];
  const renamed = [
    DAY,
    ...view.keys.map(({ name }) => `${quoteName(keyAlias(name))} AS ${quoteName(name)}`),
    ...view.exact.map(({ name }) => quoteName(name)),
    "now('UTC') AS refreshed_at",
  ];
  const seconds = Math.round(place.exactEveryMs! / 1_000);
  return [
    `CREATE MATERIALIZED VIEW IF NOT EXISTS ${quoteTable(database, `${view.name}${EXACT}`)}${onCluster(layout)}`,
    // spread out, so that a model's views do not all begin at once
    `REFRESH EVERY ${seconds} SECOND RANDOMIZE FOR ${Math.max(1, Math.floor(seconds / 5))} SECOND`,
    `(\n${columns.map((column) => `    ${column}`).join(',\n')}\n)`,
    'ENGINE = MergeTree',
    `ORDER BY (${[DAY, ...view.keys.map((key) => quoteName(key.name))].join(', ')})`,
    `COMMENT ${quoteText(commentOf(view, place, 'exact'))}`,
    `AS SELECT ${renamed.join(', ')} FROM (`,
    exactSelect(view, place),
    ')',
  ].join('\n');
}

/** What people read: sums of a day and key with averages beside them, and the exact figures as of their last refresh. */
export function peopleView(view: AnalyticView, place: ViewPlace): string {
  const { database, layout } = place;
  return [
    `CREATE OR REPLACE VIEW ${quoteTable(database, view.name)}${onCluster(layout)}`,
    `COMMENT ${quoteText(commentOf(view, place, 'people'))}`,
    `AS ${peopleSelect(view, place)}`,
  ].join('\n');
}

export function peopleSelect(view: AnalyticView, place: ViewPlace): string {
  const { database } = place;
  const keys = [DAY, ...view.keys.map(({ name }) => name)].map(quoteName);
  const sums = view.sums.map(({ name }) => `sum(${quoteName(name)}) AS ${quoteName(`sum_${name}`)}`);
  const named = view.sums.map(({ name }) => `${quoteName(`sum_${name}`)} AS ${quoteName(name)}`);
  const grouped = [
    `SELECT ${[...keys, ...sums].join(', ')}`,
    `FROM ${quoteTable(database, `${view.name}${SUMS}`)}`,
    `GROUP BY ${keys.join(', ')}`,
    'HAVING sum_sessions != 0',
  ].join(' ');
  const inner = `SELECT ${[...keys, ...named].join(', ')} FROM (${grouped})`;
  const ratios = view.ratios.map(({ name, expression }) => `${expression} AS ${quoteName(name)}`);
  if (view.exact.length === 0 || place.exactEveryMs === null) {
    return `SELECT ${['*', ...ratios].join(', ')} FROM (${inner})`;
  }
  // 0 where there is no row yet, and a time of refreshing is never 0
  const exact = [...view.exact.map(({ name }) => name), 'refreshed_at'].map(
    (name) => `if(e.refreshed_at = 0, NULL, e.${quoteName(name)}) AS ${quoteName(name)}`,
  );
  const own = [...keys, ...view.sums.map(({ name }) => quoteName(name))].map(
    (name) => `s.${name} AS ${name}`,
  );
  return [
    `SELECT ${[...own, ...ratios, ...exact].join(', ')}`,
    `FROM (${inner}) AS s`,
    `LEFT JOIN ${quoteTable(database, `${view.name}${EXACT}`)} AS e ON ${keys.map((key) => `e.${key} = s.${key}`).join(' AND ')}`,
  ].join(' ');
}

export type ViewPart = 'sums' | 'feed' | 'exact' | 'people';

/** Names the definition, so that an older one is recognised. What only says how long and where rows lie is not in it. */
export function commentOf(view: AnalyticView, place: ViewPlace, part: ViewPart): string {
  const definition = {
    sums: [view.keys.map(({ name, type }) => [name, type]), view.sums.map(({ name }) => name)],
    feed: [sumsSelect(view, place, quoteTable(place.database, place.table))],
    exact: [exactSelect(view, place), place.exactEveryMs],
    people: [peopleSelect(view, place)],
  }[part];
  const digest = createHash('sha256').update(JSON.stringify(definition)).digest('hex').slice(0, 12);
  const what = {
    sums: `sums of ${view.name}; read ${view.name} instead`,
    feed: `fills ${view.name}${SUMS} with each insert`,
    exact: `distinct users and quantiles of ${view.name}, refreshed`,
    people: view.about,
  }[part];
  return `${OURS}${what} (${digest})`;
}

/** Was it made by us? */
export function isOurs(comment: string): boolean {
  return comment.startsWith(OURS);
}
