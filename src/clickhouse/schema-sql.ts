import {
  distributedOver,
  engineClause,
  type Layout,
  onCluster,
  storageSettings,
  storedName,
  ttlExpression,
  windowSettings,
} from './layout.js';
import type { ClickHouseSchema, SchemaColumn, SchemaTable, SchemaView } from './schema.js';
import { quoteName, quoteTable, quoteText } from './sql.js';

/** One statement each, on several lines, as it can be run by hand. */

export function createDatabase({ database, databaseComment, layout }: ClickHouseSchema): string {
  return `CREATE DATABASE IF NOT EXISTS ${quoteName(database)}${onCluster(layout)} COMMENT ${quoteText(databaseComment)}`;
}

export function createTable(database: string, table: SchemaTable, layout: Layout): string {
  const columns = table.columns.map((column) => `    ${columnDefinition(column)}`).join(',\n');
  const ttl = table.deduplicates ? ttlExpression(layout, 'session_date') : null;
  const settings = table.deduplicates ? [...windowSettings(layout), ...storageSettings(layout)] : [];
  return [
    `CREATE TABLE IF NOT EXISTS ${quoteTable(database, placeOf(table, layout))}${onCluster(layout)}\n(\n${columns}\n)`,
    engineClause(layout, table.engine, table.engineColumns),
    ...(table.partitionBy === null ? [] : [`PARTITION BY ${table.partitionBy}`]),
    `ORDER BY ${orderBy(table.orderBy)}`,
    ...(ttl === null ? [] : [`TTL ${ttl}`]),
    ...(settings.length === 0 ? [] : [`SETTINGS ${settings.join(', ')}`]),
    `COMMENT ${quoteText(table.comment)}`,
  ].join('\n');
}

/** The rows of changes over all shards; the follower's own tables are on one shard, where all hosts of clickhouse.url are. */
export function createDistributed(database: string, table: SchemaTable, layout: Layout): string {
  return distributedOver(layout, database, table.name, ['session_id', 'session_start']);
}

/** Only rows of changes are spread: the follower reads its own tables back, all of them. */
export function placeOf({ name, deduplicates }: SchemaTable, layout: Layout): string {
  return deduplicates ? storedName(layout, name) : name;
}

function orderBy(columns: readonly string[]): string {
  return columns.length === 1 ? columns[0]! : `(${columns.join(', ')})`;
}

export function createView(database: string, view: SchemaView, layout: Layout): string {
  const columns = view.columns.map(({ name, type }) => `    ${quoteName(name)} ${type}`).join(',\n');
  return [
    `CREATE OR REPLACE VIEW ${quoteTable(database, view.name)}${onCluster(layout)}\n(\n${columns}\n)`,
    `COMMENT ${quoteText(view.comment)}`,
    `AS ${view.select}`,
  ].join('\n');
}

/** `name` Type MATERIALIZED … COMMENT '…' CODEC(…), as in CREATE TABLE and ADD COLUMN. */
export function columnDefinition({ name, type, materialized, comment, codec }: SchemaColumn): string {
  const computed = materialized === null ? '' : ` MATERIALIZED ${materialized}`;
  const told = comment === null ? '' : ` COMMENT ${quoteText(comment)}`;
  return `${quoteName(name)} ${type}${computed}${told}${codec === null ? '' : ` CODEC(${codec})`}`;
}
