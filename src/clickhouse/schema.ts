import { createHash } from 'node:crypto';
import type { CompiledModel } from '../model/types.js';
import { quoteName, quoteTable, quoteText } from './sql.js';
import type { ClickHouseTarget } from './target.js';
import { clickHouseType } from './types.js';

/**
 * What there should be in ClickHouse for a model:
 *
 *   session_metrics     change rows, as in the lake's files: what is inserted, and what views read
 *   sessions            view: one row a session, without sign; for people and BI tools
 *   headrace_files      the follower's: files it has begun to insert, and has inserted
 *   headrace_positions  the follower's: up to which version of the table each lane is in
 *
 * Pure: `migrate` carries it out, `check` holds the server to it.
 */

export const SESSIONS_VIEW = 'sessions';
export const FILES_TABLE = 'headrace_files';
export const POSITIONS_TABLE = 'headrace_positions';

/** What a repeated insert is recognised by is kept for so many inserts (ledger, rule 19). */
export const DEDUPLICATION_WINDOW = 100_000;

export interface SchemaColumn {
  name: string;
  type: string;
  /** ClickHouse computes it from the others; files do not have it. */
  materialized: string | null;
  comment: string | null;
}

export interface SchemaTable {
  name: string;
  /** Without Replicated or Shared before it. */
  engine: string;
  /** Columns that the engine is given, in its order. */
  engineColumns: readonly string[];
  columns: readonly SchemaColumn[];
  partitionBy: string | null;
  orderBy: readonly string[];
  /** Must recognise repeated inserts. */
  deduplicates: boolean;
  comment: string;
}

export interface SchemaView {
  name: string;
  columns: readonly SchemaColumn[];
  select: string;
  /** Names its definition, so that an older one is recognised. */
  comment: string;
}

export interface ClickHouseSchema {
  database: string;
  databaseComment: string;
  sessions: SchemaTable;
  followers: readonly SchemaTable[];
  view: SchemaView;
}

export function schemaOf(
  target: Pick<ClickHouseTarget, 'database' | 'table'>,
  model: CompiledModel,
): ClickHouseSchema {
  return {
    database: target.database,
    databaseComment: `headrace: sessions of the model ${model.name}`,
    sessions: sessionsTable(target.table, model),
    followers: [FILES, POSITIONS],
    view: sessionsView(target, model),
  };
}

function sessionsTable(name: string, model: CompiledModel): SchemaTable {
  return {
    name,
    // of a +row and a −row of one session and one revision nothing is left; which came first does not matter, as it would to
    // CollapsingMergeTree: a repeated or later insert may bring them in any order
    engine: 'VersionedCollapsingMergeTree',
    engineColumns: ['sign', 'revision'],
    columns: [...modelColumns(model), sessionDate(model)],
    // a file has one session_date, so it is one part: stored whole or not at all. By month, since parts of days are many
    partitionBy: "toYYYYMM(session_start, 'UTC')",
    // rows collapse where the sorting key is equal, so it must name a session: an id may come again (another session of the same
    // key), but never with the same start. The date comes first, because people ask for days
    orderBy: [model.partitionColumn, 'session_id', 'session_start'],
    deduplicates: true,
    comment: `headrace: changes of sessions, model ${model.name} (${model.hash.slice(0, 12)}). sum(sign * x) is right at any time; ${SESSIONS_VIEW} shows sessions as they are`,
  };
}

function modelColumns(model: CompiledModel): SchemaColumn[] {
  return model.columns.map((column) => ({
    name: column.name,
    type: clickHouseType(column),
    materialized: null,
    comment: null,
  }));
}

/** The lake's partition column: it stands in a file's path and not in the file, so ClickHouse computes it. */
function sessionDate(model: CompiledModel): SchemaColumn {
  return {
    name: model.partitionColumn,
    type: 'Date',
    materialized: "toDate(session_start, 'UTC')",
    comment: 'UTC date of session_start',
  };
}

function sessionsView(
  { database, table }: Pick<ClickHouseTarget, 'database' | 'table'>,
  model: CompiledModel,
): SchemaView {
  const sign = model.columnIndex.sign;
  const columns = [
    ...modelColumns(model).filter((_, index) => index !== sign),
    { ...sessionDate(model), materialized: null },
  ];
  const names = columns.map(({ name }) => quoteName(name)).join(', ');
  // FINAL collapses what merges have not collapsed yet; what is left is each session's newest row
  const select = `SELECT ${names} FROM ${quoteTable(database, table)} FINAL WHERE ${quoteName('sign')} = 1`;
  const digest = createHash('sha256').update(select).digest('hex').slice(0, 12);
  return {
    name: SESSIONS_VIEW,
    columns,
    select,
    comment: `headrace: sessions of the model ${model.name}, one row each (${digest})`,
  };
}

const plain = (name: string, type: string, comment: string | null = null): SchemaColumn => ({
  name,
  type,
  materialized: null,
  comment,
});

const FILES: SchemaTable = {
  name: FILES_TABLE,
  engine: 'ReplacingMergeTree',
  // done wins over intent in whatever order they come; an Enum8 can't be a version
  engineColumns: ['state_rank'],
  columns: [
    plain('path', 'String', 'in the table’s folder'),
    plain('attempt', 'UInt32', 'of its token: 0 is the path, n is path#n'),
    plain('file_id', 'UInt64'),
    plain('state', "Enum8('intent' = 1, 'done' = 2)"),
    plain('version', 'UInt64', 'of the table, that added the file'),
    plain('rows', 'UInt64'),
    plain('lanes', 'Array(UInt32)', 'partitions of the topic with rows in it'),
    plain('engine', 'String', 'who wrote this row'),
    plain('at', "DateTime64(3, 'UTC')"),
    { ...plain('state_rank', 'UInt8'), materialized: 'toUInt8(state)' },
  ],
  partitionBy: null,
  orderBy: ['path'],
  deduplicates: false,
  comment:
    'headrace: files of the table that were begun (intent) and are inserted (done). Read it with FINAL',
};

const POSITIONS: SchemaTable = {
  name: POSITIONS_TABLE,
  engine: 'ReplacingMergeTree',
  engineColumns: ['seq'],
  columns: [
    plain('app_id', 'String', 'the lane’s id in the ledger'),
    plain('version', 'Int64', 'every file with this lane in versions up to it is in'),
    plain('engine', 'String', 'who wrote this row'),
    plain('at', "DateTime64(3, 'UTC')"),
    plain('seq', 'UInt64'),
  ],
  partitionBy: null,
  orderBy: ['app_id'],
  deduplicates: false,
  comment: 'headrace: up to which version of the table each lane has been inserted. Read it with FINAL',
};

/** One statement, on several lines, as it can be run by hand. */
export function createDatabase({ database, databaseComment }: ClickHouseSchema): string {
  return `CREATE DATABASE IF NOT EXISTS ${quoteName(database)} COMMENT ${quoteText(databaseComment)}`;
}

export function createTable(database: string, table: SchemaTable): string {
  const columns = table.columns.map((column) => `    ${columnDefinition(column)}`).join(',\n');
  return [
    `CREATE TABLE IF NOT EXISTS ${quoteTable(database, table.name)}\n(\n${columns}\n)`,
    `ENGINE = ${table.engine}(${table.engineColumns.join(', ')})`,
    ...(table.partitionBy === null ? [] : [`PARTITION BY ${table.partitionBy}`]),
    `ORDER BY ${orderBy(table.orderBy)}`,
    // 0 by default: a repeated insert would double its rows
    ...(table.deduplicates ? [`SETTINGS non_replicated_deduplication_window = ${DEDUPLICATION_WINDOW}`] : []),
    `COMMENT ${quoteText(table.comment)}`,
  ].join('\n');
}

function orderBy(columns: readonly string[]): string {
  return columns.length === 1 ? columns[0]! : `(${columns.join(', ')})`;
}

export function createView(database: string, view: SchemaView): string {
  const columns = view.columns.map(({ name, type }) => `    ${quoteName(name)} ${type}`).join(',\n');
  return [
    `CREATE OR REPLACE VIEW ${quoteTable(database, view.name)}\n(\n${columns}\n)`,
    `COMMENT ${quoteText(view.comment)}`,
    `AS ${view.select}`,
  ].join('\n');
}

/** `name` Type MATERIALIZED … COMMENT '…', as in CREATE TABLE and ADD COLUMN. */
export function columnDefinition({ name, type, materialized, comment }: SchemaColumn): string {
  const computed = materialized === null ? '' : ` MATERIALIZED ${materialized}`;
  return `${quoteName(name)} ${type}${computed}${comment === null ? '' : ` COMMENT ${quoteText(comment)}`}`;
}
