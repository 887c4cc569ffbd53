import { type Table, tableFromIPC } from 'apache-arrow';
import { readParquet } from 'parquet-wasm';
import { expect } from 'vitest';
import { querySql } from '#src/embedded/chdb-query.js';
import { DeltaLog } from '#src/lake/delta/log.js';
import { LocalStore } from '#src/lake/store/local.js';
import { S3Store } from '#src/lake/store/s3.js';
import type { ObjectStore } from '#src/lake/store/store.js';
import {
  type Canonical,
  type ColumnType,
  canonical,
  canonicalOfArrow,
  canonicalOfClickHouse,
  canonicalOfPartition,
  clickHouseExpression,
  withoutNullLists,
} from './canonical-values.js';
import { readDeltaRs } from './delta-rs.js';
import type { MinioServer } from './minio.js';

/**
 * The judges of a table's state: our reader, delta-rs and ClickHouse's (delta-kernel-rs with a Parquet reader of its own) must
 * see the same version, columns and rows. Call it behind every step that changes a table:
 *
 *   const { rows } = await expectReadAlike(localTable(folder));
 */
export interface ReadableTable {
  store: ObjectStore;
  deltaRs: { path: string; storageOptions?: Readonly<Record<string, string>> };
  /** What is selected from, and a folder in which chDB may run. */
  chdb: { folder: string; source: string };
}

export interface TableReading {
  version: number;
  columns: string[];
  /** Values in the columns' order, the partition columns' among them. In no order. */
  rows: Canonical[][];
}

export interface ReadOptions {
  /** Undefined: the newest. */
  version?: number;
  /** Our reader; without it the log's files are read one by one. Null rows stand for nothing: every reader needs the same. */
  ours?(table: ReadableTable, version: number | undefined): Promise<TableReading>;
}

/** `above`: where chDB may run, as long as the table's folder is not there. */
export function localTable(folder: string, above = folder): ReadableTable {
  return {
    store: new LocalStore(folder),
    deltaRs: { path: folder },
    chdb: { folder: above, source: `deltaLakeLocal('${folder}')` },
  };
}

/** Below the bucket of a MinIO. `folder`: one in which chDB may run. */
export function s3Table(minio: MinioServer, prefix: string, folder: string): ReadableTable {
  const { AWS_ACCESS_KEY_ID: user, AWS_SECRET_ACCESS_KEY: secret } = minio.env();
  return {
    store: new S3Store(minio.place(prefix)),
    deltaRs: { path: `s3://${minio.bucket}/${prefix}`, storageOptions: minio.storageOptions() },
    chdb: {
      folder,
      source: `deltaLake('${minio.endpoint}/${minio.bucket}/${prefix}/', '${user}', '${secret}')`,
    },
  };
}

/** Fails with the rows that only one of two readers has. Answers what all of them read. */
export async function expectReadAlike(
  table: ReadableTable,
  { version, ours = readOurs }: ReadOptions = {},
): Promise<TableReading> {
  const reading = await ours(table, version);
  const types = await columnTypes(table, reading.version);
  const [rust, clickHouse] = await Promise.all([
    readByDeltaRs(table, types, version),
    readByClickHouse(table, types, reading.version),
  ]);
  expect([rust.version, rust.columns]).toEqual([reading.version, reading.columns]);
  expect(rowsApart(reading.rows, rust.rows), 'rows that only we and only delta-rs read').toEqual([[], []]);
  const withLists = reading.rows.map((row) => row.map((value, i) => withoutNullLists(types[i]![1], value)));
  expect(rowsApart(withLists, clickHouse), 'rows that only we and only ClickHouse read').toEqual([[], []]);
  return reading;
}

/** As the log says: each active file, its partition's values, and null for columns that the file has not. */
export async function readOurs({ store }: ReadableTable, version: number | undefined): Promise<TableReading> {
  const log = await DeltaLog.open(store, {
    keepFiles: true,
    ...(version === undefined ? {} : { upTo: version }),
  });
  if (log === null) throw new Error(`there is no table at ${store.url}`);
  if (version !== undefined && log.version !== version) throw new Error(`there is no version ${version}`);
  const { partitionColumns, schema } = log.metaData;
  const rows: Canonical[][] = [];
  for (const { path, partitionValues } of log.activeFiles.values()) {
    const bytes = await store.get(path);
    if (bytes === null) throw new Error(`the file ${path} is not there`);
    const file = tableFromIPC(readParquet(bytes).intoIPCStream()) as Table;
    const columns = schema.fields.map(({ name, type }): Canonical[] => {
      if (partitionColumns.includes(name)) {
        const value = canonicalOfPartition(type, partitionValues[name] ?? null);
        return Array.from({ length: file.numRows }, () => value);
      }
      const column = file.getChild(name);
      if (column === null) return Array.from({ length: file.numRows }, () => null);
      return column.data.flatMap((data) =>
        Array.from({ length: data.length }, (_, at) => canonicalOfArrow(data, at)),
      );
    });
    for (let row = 0; row < file.numRows; row++) rows.push(columns.map((column) => column[row]!));
  }
  return { version: log.version, columns: schema.fields.map(({ name }) => name), rows };
}

async function columnTypes({ store }: ReadableTable, upTo: number): Promise<[string, ColumnType][]> {
  const log = await DeltaLog.open(store, { upTo });
  return log!.metaData.schema.fields.map(({ name, type }) => [name, type]);
}

async function readByDeltaRs(
  { deltaRs: { path, ...options } }: ReadableTable,
  types: readonly [string, ColumnType][],
  version: number | undefined,
): Promise<TableReading> {
  const table = await readDeltaRs(path, { ...options, ...(version === undefined ? {} : { version }) });
  const rows = table.rows.map((row) => types.map(([name, type]) => canonical(type, row[name])));
  // its data sets have the partition columns last, wherever the schema has them
  const columns = types.map(([name]) => name).filter((name) => table.columns.includes(name));
  return { version: table.version, columns: [...columns, ...newIn(table.columns, columns)], rows };
}

async function readByClickHouse(
  { chdb: { folder, source } }: ReadableTable,
  types: readonly [string, ColumnType][],
  version: number,
): Promise<Canonical[][]> {
  if (types.length === 0) return [];
  const select = types.map(([name, type], i) => `${clickHouseExpression(type, `\`${name}\``)} AS c${i}`);
  const found = await querySql(
    folder,
    `SELECT ${select.join(', ')} FROM ${source} SETTINGS delta_lake_snapshot_version = ${version}`,
  );
  return found.map((row) => types.map(([, type], i) => canonicalOfClickHouse(type, row[`c${i}`])));
}

function newIn(columns: readonly string[], known: readonly string[]): string[] {
  return columns.filter((name) => !known.includes(name));
}

/** A few of the rows of each side that the other has not, counted. */
function rowsApart(one: readonly Canonical[][], other: readonly Canonical[][]): [string[], string[]] {
  const counts = new Map<string, number>();
  const count = (rows: readonly Canonical[][], by: number) => {
    for (const row of rows) {
      const text = JSON.stringify(row);
      counts.set(text, (counts.get(text) ?? 0) + by);
    }
  };
  count(one, 1);
  count(other, -1);
  const apart = [...counts].filter(([, each]) => each !== 0);
  const sideOf = (sign: number) =>
    apart.filter(([, each]) => Math.sign(each) === sign).map(([text, each]) => `${Math.abs(each)} × ${text}`);
  return [sideOf(1).slice(0, 3), sideOf(-1).slice(0, 3)];
}
