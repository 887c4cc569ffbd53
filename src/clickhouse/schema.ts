import { createHash } from 'node:crypto';
import type { CompiledModel } from '../model/types.js';
import { codecOf } from './codecs.js';
import type { Layout } from './layout.js';
import { MIGRATIONS } from './migrations-table.js';
import { quoteName, quoteTable } from './sql.js';
import type { ClickHouseTarget } from './target.js';
import { clickHouseType } from './types.js';
import type { WantedView } from './views/compare-views.js';
import { viewsOf } from './views/model-views.js';

/**
 * What there should be in ClickHouse for a model:
 *
 *   session_metrics     change rows, as in the lake's files: what is inserted, and what views read
 *   sessions            view: one row a session, without sign; for people and BI tools
 *   headrace_files      the follower's: files it has begun to insert, and has inserted
 *   headrace_positions  the follower's: up to which version of the table each lane is in
 *   headrace_migrations which versions of this schema were applied, when and by which headrace
 *   <view>, <view>_sums, <view>_feed, <view>_exact   the analytic views (views/analytic-view.ts)
 *
 * Pure: `migrate` carries it out, `check` holds the server to it.
 */

export const SESSIONS_VIEW = 'sessions';
export const FILES_TABLE = 'headrace_files';
export const POSITIONS_TABLE = 'headrace_positions';

export interface SchemaColumn {
  name: string;
  type: string;
  /** ClickHouse computes it from the others; files do not have it. */
  materialized: string | null;
  comment: string | null;
  /** Null: the server's default. */
  codec: string | null;
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
  /** Must recognise repeated inserts; holds the rows of changes. */
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
  layout: Layout;
  model: { name: string; hash: string };
  sessions: SchemaTable;
  followers: readonly SchemaTable[];
  migrations: SchemaTable;
  view: SchemaView;
  analytics: readonly WantedView[];
}

export function schemaOf(
  target: Pick<ClickHouseTarget, 'database' | 'table' | 'warehouse'>,
  model: CompiledModel,
): ClickHouseSchema {
  const { warehouse } = target;
  return {
    database: target.database,
    databaseComment: `headrace: sessions of the model ${model.name}`,
    sessions: sessionsTable(target.table, model),
    layout: warehouse,
    model: { name: model.name, hash: model.hash },
    followers: [FILES, POSITIONS],
    migrations: MIGRATIONS,
    view: sessionsView(target, model),
    analytics: analyticsOf(target, model),
  };
}

/** The views that are wanted of those that the model's columns carry. */
export function analyticsOf(
  { database, table, warehouse }: Pick<ClickHouseTarget, 'database' | 'table' | 'warehouse'>,
  model: CompiledModel,
): WantedView[] {
  const place = {
    database,
    table,
    sessions: SESSIONS_VIEW,
    dateColumn: model.partitionColumn,
    layout: warehouse,
    exactEveryMs: warehouse.exactEveryMs,
  };
  return viewsOf(model)
    .filter(({ name }) => warehouse.views === 'all' || warehouse.views.includes(name))
    .map((view) => ({ view, place }));
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
    // ClickHouse lets nothing of the engine's own columns be altered, so they could not be brought up
    codec: column.op.op === 'sign' || column.op.op === 'revision' ? null : codecOf(column),
  }));
}

/** The lake's partition column: it stands in a file's path and not in the file, so ClickHouse computes it. */
function sessionDate(model: CompiledModel): SchemaColumn {
  return {
    name: model.partitionColumn,
    type: 'Date',
    materialized: "toDate(session_start, 'UTC')",
    comment: 'UTC date of session_start',
    // first in the sorting key: one value for thousands of rows
    codec: 'ZSTD(1)',
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
  codec: null,
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
