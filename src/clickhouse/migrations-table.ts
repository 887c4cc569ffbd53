import type { ClickHouseSchema, SchemaTable } from './schema.js';
import { quoteTable, quoteText } from './sql.js';

/**
 * Versions of the schema, and the table that says which of them were applied to a database.
 *
 *   1   session_metrics, sessions, headrace_files, headrace_positions
 *   2   codecs, retention, analytic views, headrace_migrations
 *
 * What a version consists of follows from the model, so no statement is kept here: a migration is the way from what is there to what
 * there should be, worked out at that time (compare.ts). It only adds. A new version is a new number here, and a test that comes from each
 * earlier one with data in it.
 */
export const SCHEMA_VERSION = 2;

export const MIGRATIONS_TABLE = 'headrace_migrations';

const plain = (name: string, type: string, comment: string | null = null) => ({
  name,
  type,
  materialized: null,
  comment,
  codec: null,
});

export const MIGRATIONS: SchemaTable = {
  name: MIGRATIONS_TABLE,
  engine: 'MergeTree',
  engineColumns: [],
  columns: [
    plain('version', 'UInt32', 'of the schema'),
    plain('model', 'String'),
    plain('model_hash', 'String', 'another model has other columns, so other tables'),
    plain('steps', 'Array(String)', 'what was done'),
    plain('by', 'String', 'which headrace did it'),
    plain('at', "DateTime64(3, 'UTC')"),
  ],
  partitionBy: null,
  orderBy: ['at', 'version'],
  deduplicates: false,
  comment: 'headrace: versions of the schema that were applied here',
};

/** What was applied last; null: nothing that says so. */
export interface AppliedVersion {
  version: number;
  modelHash: string;
}

export function readApplied(database: string): string {
  return `SELECT version, model_hash FROM ${quoteTable(database, MIGRATIONS_TABLE)} ORDER BY at DESC LIMIT 1`;
}

export function recordApplied(
  { database, model }: Pick<ClickHouseSchema, 'database' | 'model'>,
  steps: readonly string[],
  by: string,
): string {
  const done = steps.map(quoteText).join(', ');
  return [
    `INSERT INTO ${quoteTable(database, MIGRATIONS_TABLE)} (version, model, model_hash, steps, by, at)`,
    // not VALUES: the statement is one that can be run by hand over any interface
    `SELECT ${SCHEMA_VERSION}, ${quoteText(model.name)}, ${quoteText(model.hash)}, [${done}], ${quoteText(by)}, now64(3)`,
  ].join('\n');
}
