import type { Layout } from '#src/clickhouse/layout.js';
import type { SchemaColumn, SchemaTable } from '#src/clickhouse/schema.js';
import { createTable } from '#src/clickhouse/schema-sql.js';
import { quoteName, quoteTable } from '#src/clickhouse/sql.js';
import { formatTable } from '#src/telemetry/progress.js';
import type { ClickHouseSide } from '../clickhouse-side.js';

/** What each column of a table takes: as it is, without its codec, and without either codec or LowCardinality. */

export interface ColumnFigures {
  name: string;
  type: string;
  /** Null: ClickHouse's default, LZ4. */
  codec: string | null;
  /** Stored bytes a session. */
  withCodec: number;
  withoutCodec: number;
  /** Null: the column has no LowCardinality. */
  plain: number | null;
}

export interface ColumnBytesOptions {
  side: ClickHouseSide;
  database: string;
  /** Of the rows. */
  table: SchemaTable;
  layout: Layout;
  /** Rows that are stored once more. */
  sample: number;
  command(sql: string): Promise<unknown>;
}

const LOW_CARDINALITY = /^LowCardinality\((.*)\)$/;

/** The largest first. */
export async function columnBytes(options: ColumnBytesOptions): Promise<ColumnFigures[]> {
  const { columns } = options.table;
  const withoutCodec = (column: SchemaColumn) => ({ ...column, codec: null });
  const plain = (column: SchemaColumn) => ({
    ...withoutCodec(column),
    type: plainOf(column.type) ?? column.type,
  });
  const stored = {
    withCodec: await store(options, 'as_they_are', columns),
    withoutCodec: await store(options, 'without_codecs', columns.map(withoutCodec)),
    plain: await store(options, 'plain', columns.map(plain)),
  };
  const figures = columns.map(({ name, type, codec }) => ({
    name,
    type,
    codec,
    withCodec: stored.withCodec.get(name)!,
    withoutCodec: stored.withoutCodec.get(name)!,
    plain: plainOf(type) === null ? null : stored.plain.get(name)!,
  }));
  return figures.sort((a, b) => b.withoutCodec - a.withoutCodec);
}

export function columnsText(columns: readonly ColumnFigures[]): string {
  const bytes = (value: number) => value.toFixed(2);
  return formatTable(
    ['column', 'bytes', 'without codec', 'plain text', 'codec', 'type'],
    columns.map(({ name, type, codec, withCodec, withoutCodec, plain }) => [
      name,
      bytes(withCodec),
      bytes(withoutCodec),
      plain === null ? '–' : bytes(plain),
      codec ?? 'default',
      type,
    ]),
  );
}

function plainOf(type: string): string | null {
  return LOW_CARDINALITY.exec(type)?.[1] ?? null;
}

/** Stored bytes a session of each column, in a table of its own in one part a month. */
async function store(
  { side, database, table, layout, sample, command }: ColumnBytesOptions,
  name: string,
  columns: readonly SchemaColumn[],
): Promise<Map<string, number>> {
  await command(createTable(database, { ...table, name, columns }, layout));
  // parts below 10 MB keep all columns in one file, of which none has a size of its own
  await command(
    `ALTER TABLE ${quoteTable(database, name)} MODIFY SETTING min_bytes_for_wide_part = 0, min_rows_for_wide_part = 0`,
  );
  const given = columns
    .filter(({ materialized }) => materialized === null)
    .map((column) => quoteName(column.name));
  await command(
    `INSERT INTO ${quoteTable(database, name)} (${given.join(', ')}) SELECT ${given.join(', ')} FROM ${quoteTable(database, table.name)} LIMIT ${sample}`,
  );
  await command(`OPTIMIZE TABLE ${quoteTable(database, name)} FINAL`);
  const found = await side.query<{ column: string; bytes: number }>(
    `SELECT column, toFloat64(sum(column_data_compressed_bytes)) AS bytes FROM system.parts_columns
     WHERE active AND database = '${database}' AND table = '${name}' GROUP BY column`,
  );
  return new Map(found.map(({ column, bytes }) => [column, bytes / sample]));
}
