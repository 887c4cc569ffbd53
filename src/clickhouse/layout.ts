import type { WarehouseConfig } from '../config/warehouse.js';
import { quoteName, quoteTable, quoteText } from './sql.js';

/**
 * On what the tables lie, and what of their statements follows from it.
 *
 *   single    tables as they are named. The one that was run, by chDB
 *   cluster   rows in replicated tables `<name>_local` on every shard; `<name>` is Distributed over them, sharded by the session,
 *             so that the two rows of a change meet. Every statement ON CLUSTER; needs the macros {shard} and {replica}
 *   cloud     ClickHouse Cloud, which takes plain engines for shared ones and keeps tokens by the settings of replicated tables
 *
 * Cluster and cloud are generated, and parsed by a ClickHouse; they were never run: there is no such server to test with.
 */

/** What a repeated insert is recognised by is kept for so many inserts (ledger, rule 19). */
export const DEDUPLICATION_WINDOW = 100_000;
/** Replicated tables forget by age too. The time must outlast an outage in which nobody could try again. */
export const WINDOW_SECONDS = 7 * 86_400;

export type Layout = Pick<
  WarehouseConfig,
  'kind' | 'cluster' | 'storagePolicy' | 'retentionMonths' | 'coldAfterMonths' | 'coldVolume'
>;

/** Where rows of a table lie, beside what it is called. */
export function storedName({ kind }: Layout, name: string): string {
  return kind === 'cluster' ? `${name}_local` : name;
}

/** ` ON CLUSTER name`, or nothing. */
export function onCluster({ cluster }: Pick<Layout, 'cluster'>): string {
  return cluster === null ? '' : ` ON CLUSTER ${quoteName(cluster)}`;
}

/** `ENGINE = …` */
export function engineClause({ kind }: Layout, engine: string, columns: readonly string[]): string {
  if (kind !== 'cluster') return `ENGINE = ${engine}(${columns.join(', ')})`;
  const place = ["'/clickhouse/tables/{shard}/{database}/{table}'", "'{replica}'"];
  return `ENGINE = Replicated${engine}(${[...place, ...columns].join(', ')})`;
}

/** What makes a table recognise an insert that comes again: 0 by default, and a repeat would double its rows. */
export function windowSettings({ kind }: Layout): string[] {
  if (kind === 'single') return [`non_replicated_deduplication_window = ${DEDUPLICATION_WINDOW}`];
  return [
    `replicated_deduplication_window = ${DEDUPLICATION_WINDOW}`,
    `replicated_deduplication_window_seconds = ${WINDOW_SECONDS}`,
  ];
}

/**
 * How long rows stay. Partitions are months, so whole parts go, and no merge has to rewrite one for it: a month is kept until as
 * many whole months have passed behind it as were asked for. By the date of the session's start, which both rows of a change share.
 */
export function ttlExpression(
  { retentionMonths, coldAfterMonths, coldVolume }: Layout,
  date: string,
): string | null {
  const after = (months: number) => `toStartOfMonth(${date}) + toIntervalMonth(${months + 1})`;
  const cold =
    coldAfterMonths === null ? [] : [`${after(coldAfterMonths)} TO VOLUME ${quoteText(coldVolume)}`];
  const gone = retentionMonths === null ? [] : [`${after(retentionMonths)}`];
  const all = [...cold, ...gone];
  return all.length === 0 ? null : all.join(', ');
}

/** Settings of a table that follow from how it is kept. */
export function storageSettings(layout: Layout): string[] {
  return [
    ...(layout.storagePolicy === null ? [] : [`storage_policy = ${quoteText(layout.storagePolicy)}`]),
    ...(layout.retentionMonths === null ? [] : ['ttl_only_drop_parts = 1']),
  ];
}

/** The table over all shards. `by`: what names a session, so that rows that cancel each other lie on one shard. */
export function distributedOver(
  { cluster }: Layout,
  database: string,
  name: string,
  by: readonly string[],
): string {
  const local = `${name}_local`;
  const key = by.length === 0 ? 'rand()' : `cityHash64(${by.map(quoteName).join(', ')})`;
  return [
    `CREATE TABLE IF NOT EXISTS ${quoteTable(database, name)}${onCluster({ cluster })} AS ${quoteTable(database, local)}`,
    `ENGINE = Distributed(${quoteName(cluster ?? '')}, ${quoteName(database)}, ${quoteName(local)}, ${key})`,
  ].join('\n');
}
