import type { CompiledModel } from '../model/types.js';
import { quoteName, quoteTable } from './sql.js';
import type { ClickHouseTarget } from './target.js';

/**
 * What is sent with every insert of a file. The first group decides whether each row comes in once: it is never left to what a
 * server, a profile or a version has by default (26.7 has async_insert = 1).
 */

/** Above any file: a file is one block. */
const ROWS_ABOVE_ANY_FILE = 1_000_000_000;
const BYTES_ABOVE_ANY_FILE = 2 ** 40;

export type SettingValue = string | number | boolean;

/** Settings of ClickHouse; config/clickhouse-settings.ts refuses each of them in `clickhouse.settings`. */
export const INSERT_SETTINGS = {
  // a repeated insert is recognised by its token, in the table …
  insert_deduplicate: 1,
  // … and in the targets of its views: without it a repeat whose first try failed in a view never reaches that view
  deduplicate_blocks_in_dependent_materialized_views: 1,
  // an insert that fails in a view must fail, and come again
  materialized_views_ignore_errors: 0,
  // answered when the rows are stored, and not when they are queued
  async_insert: 0,

  // one file, one block, one part, so that it is stored whole or not at all: the reader's pieces are joined up to these sizes
  max_insert_threads: 1,
  min_insert_block_size_rows: ROWS_ABOVE_ANY_FILE,
  min_insert_block_size_bytes: BYTES_ABOVE_ANY_FILE,
  // the same behind materialized views, where 0 would mean the two above only since some version
  min_insert_block_size_rows_for_materialized_views: ROWS_ABOVE_ANY_FILE,
  min_insert_block_size_bytes_for_materialized_views: BYTES_ABOVE_ANY_FILE,
  // and the reader's own pieces, so that there is nothing to join
  input_format_parquet_max_block_size: ROWS_ABOVE_ANY_FILE,
  input_format_parquet_prefer_block_bytes: BYTES_ABOVE_ANY_FILE,

  // a file that is older than a column of the table lacks it: the column's default
  input_format_parquet_allow_missing_columns: 1,
  // a missing value in a column that can't be empty is a fault, and no 0
  input_format_null_as_default: 0,
  // rows of one file that cancel each other stay until they are merged: a file's rows can be counted after an insert in doubt
  optimize_on_insert: 0,
} as const satisfies Readonly<Record<string, SettingValue>>;

/** Into a table over shards: answered when the shards have stored their rows, not when they are to be told of them. */
const OVER_SHARDS = { distributed_foreground_insert: 1 } as const;

/** No setting but a word of the HTTP interface: the status comes when all is done, so that 200 means stored. */
const HTTP_PARAMETERS = { wait_end_of_query: 1 } as const;

/** All settings of one file's insert. The user's come first: what the engine decides is refused among them at boot. */
export function insertSettings(
  target: Pick<ClickHouseTarget, 'settings'> & { warehouse?: Pick<ClickHouseTarget['warehouse'], 'kind'> },
  token: string,
): Record<string, SettingValue> {
  return {
    ...target.settings,
    ...INSERT_SETTINGS,
    ...(target.warehouse?.kind === 'cluster' ? OVER_SHARDS : {}),
    ...HTTP_PARAMETERS,
    insert_deduplication_token: token,
  };
}

/** The statement before a file's bytes. Columns are named, so that one that the table lacks is an error and not left out. */
export function insertStatement(
  target: Pick<ClickHouseTarget, 'database' | 'table'>,
  model: CompiledModel,
): string {
  const columns = model.columns.map(({ name }) => quoteName(name)).join(', ');
  return `INSERT INTO ${quoteTable(target.database, target.table)} (${columns}) FORMAT Parquet`;
}
