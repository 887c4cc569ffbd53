import type { ClickHouseClient } from '@clickhouse/client';
import { asClickHouseError } from './errors.js';
import { storedName } from './layout.js';
import { type AppliedVersion, MIGRATIONS_TABLE, readApplied } from './migrations-table.js';
import { quoteText } from './sql.js';
import type { ClickHouseTarget } from './target.js';

/** What is there in ClickHouse, as far as it can decide whether an engine may insert. */

export interface ColumnState {
  name: string;
  type: string;
  /** '', DEFAULT, MATERIALIZED, ALIAS or EPHEMERAL. */
  kind: string;
  /** `CODEC(…)`, or empty: the server's default. */
  codec: string;
}

export interface TableState {
  database: string;
  name: string;
  engine: string;
  /** E.g. `VersionedCollapsingMergeTree(sign, revision) PARTITION BY … SETTINGS …`. */
  engineFull: string;
  partitionKey: string;
  /** Columns and expressions, those that the engine adds included. */
  sortingKey: readonly string[];
  comment: string;
  createQuery: string;
  uuid: string;
  columns: readonly ColumnState[];
  /** Materialized views that read it, as [database, name]. */
  views: readonly (readonly [string, string])[];
}

export interface ServerState {
  hasDatabase: boolean;
  /** Tables and views of the database, by name. */
  tables: ReadonlyMap<string, TableState>;
  /** What of WINDOW_SETTINGS a table has that does not say it, by the setting's name. */
  windowDefaults: ReadonlyMap<string, number>;
  /** Tables that materialized views fill, directly or through others, by `database.name`; each with the view that does. */
  viewTargets: ReadonlyMap<string, { view: string; table: TableState }>;
  /** Of the schema; null: nothing says so. */
  applied: AppliedVersion | null;
}

interface TableRow {
  database: string;
  name: string;
  engine: string;
  engine_full: string;
  partition_key: string;
  sorting_key: string;
  comment: string;
  create_table_query: string;
  uuid: string;
  dependencies_database: string[];
  dependencies_table: string[];
}

interface ColumnRow {
  database: string;
  table: string;
  name: string;
  type: string;
  default_kind: string;
  compression_codec: string;
}

/** How many inserts, and for how long, a table recognises again. */
export const WINDOW_SETTINGS = [
  'non_replicated_deduplication_window',
  'replicated_deduplication_window',
  'replicated_deduplication_window_seconds',
] as const;

/** Views that fill tables that views read that fill …: nobody builds more of them, and a circle must end. */
const VIEWS_MAX = 1_000;

/** Throws HeadraceError CLICKHOUSE_…. `client` must not name a database that may be missing. */
export async function readState(client: ClickHouseClient, target: ClickHouseTarget): Promise<ServerState> {
  try {
    const databases = await rows(
      client,
      `SELECT name FROM system.databases WHERE name = ${quoteText(target.database)}`,
    );
    const inDatabase = await readTables(client, target.database);
    const tables = new Map(inDatabase.map((table) => [table.name, table]));
    const sessions = tables.get(storedName(target.warehouse, target.table));
    return {
      hasDatabase: databases.length > 0,
      tables,
      windowDefaults: await readWindowDefaults(client),
      viewTargets: sessions === undefined ? new Map() : await readViewTargets(client, sessions),
      applied: tables.has(MIGRATIONS_TABLE) ? await lastApplied(client, target.database) : null,
    };
  } catch (error) {
    throw asClickHouseError(error, { url: target.url, user: target.user, database: target.database });
  }
}

async function lastApplied(client: ClickHouseClient, database: string): Promise<AppliedVersion | null> {
  const [row] = await rows<{ version: number; model_hash: string }>(client, readApplied(database));
  return row === undefined ? null : { version: Number(row.version), modelHash: row.model_hash };
}

/** Tables and views of a database, or the one of that name; those that the user may not see are not among them. */
async function readTables(client: ClickHouseClient, database: string, name?: string): Promise<TableState[]> {
  const where = (column: string) =>
    `database = ${quoteText(database)}${name === undefined ? '' : ` AND ${column} = ${quoteText(name)}`}`;
  const tables = await rows<TableRow>(
    client,
    `SELECT database, name, engine, engine_full, partition_key, sorting_key, comment, create_table_query, toString(uuid) AS uuid, dependencies_database, dependencies_table FROM system.tables WHERE ${where('name')}`,
  );
  const columns = await rows<ColumnRow>(
    client,
    `SELECT database, table, name, type, default_kind, compression_codec FROM system.columns WHERE ${where('table')} ORDER BY database, table, position`,
  );
  return tables.map((table) => ({
    database: table.database,
    name: table.name,
    engine: table.engine,
    engineFull: table.engine_full,
    partitionKey: table.partition_key,
    sortingKey: splitKey(table.sorting_key),
    comment: table.comment,
    createQuery: table.create_table_query,
    uuid: table.uuid,
    columns: columns
      .filter((column) => column.database === table.database && column.table === table.name)
      .map(({ name, type, default_kind, compression_codec }) => ({
        name,
        type,
        kind: default_kind,
        codec: compression_codec,
      })),
    views: table.dependencies_table.map((name, index) => [
      table.dependencies_database[index] ?? table.database,
      name,
    ]),
  }));
}

/** Breadth first over the views that read the table, and those that read what these fill. */
async function readViewTargets(
  client: ClickHouseClient,
  sessions: TableState,
): Promise<Map<string, { view: string; table: TableState }>> {
  const targets = new Map<string, { view: string; table: TableState }>();
  const seen = new Set<string>();
  let next = [...sessions.views];
  while (next.length > 0 && seen.size < VIEWS_MAX) {
    const views = next.filter(([database, name]) => !seen.has(`${database}.${name}`));
    for (const [database, name] of views) seen.add(`${database}.${name}`);
    next = [];
    for (const [database, name] of views) {
      const [view] = await readTables(client, database, name);
      if (view?.engine !== 'MaterializedView') continue;
      const [table] = await readTables(client, ...targetOfView(view));
      if (table === undefined) continue;
      targets.set(`${table.database}.${table.name}`, { view: `${database}.${name}`, table });
      next.push(...table.views);
    }
  }
  return targets;
}

async function readWindowDefaults(client: ClickHouseClient): Promise<Map<string, number>> {
  const names = WINDOW_SETTINGS.map(quoteText).join(', ');
  const of = (table: string) =>
    rows<{ name: string; value: string }>(
      client,
      `SELECT name, value FROM system.${table} WHERE name IN (${names})`,
    );
  const plain = await of('merge_tree_settings');
  // the same settings have other defaults there, where a server's configuration says so
  const replicated = await of('replicated_merge_tree_settings');
  const own = [
    ...plain.filter(({ name }) => name.startsWith('non_')),
    ...replicated.filter(({ name }) => !name.startsWith('non_')),
  ];
  return new Map(own.map(({ name, value }) => [name, Number(value)]));
}

const NAME = '(`(?:[^`\\\\]|\\\\.)+`|[A-Za-z_][A-Za-z0-9_]*)';
const VIEW_TO = new RegExp(
  `^CREATE MATERIALIZED VIEW ${NAME}\\.${NAME}(?: [^(]*?)? TO ${NAME}\\.${NAME}[ (]`,
);

/** Where a materialized view writes: a table it names, or a hidden one of its own. */
export function targetOfView(
  view: Pick<TableState, 'database' | 'name' | 'uuid' | 'createQuery'>,
): [string, string] {
  const [, , , database, name] = VIEW_TO.exec(view.createQuery) ?? [];
  if (database !== undefined && name !== undefined) return [unquoted(database), unquoted(name)];
  const hasUuid = !/^[0-]*$/.test(view.uuid);
  return [view.database, hasUuid ? `.inner_id.${view.uuid}` : `.inner.${view.name}`];
}

function unquoted(name: string): string {
  return name.startsWith('`') ? name.slice(1, -1).replace(/\\(.)/g, '$1') : name;
}

/** `(a, f(b, c))` or `a, f(b, c)` → [a, f(b, c)] */
export function splitKey(key: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = '';
  for (const char of stripParentheses(key)) {
    if (char === '(') depth++;
    if (char === ')') depth--;
    if (char === ',' && depth === 0) {
      parts.push(part.trim());
      part = '';
    } else {
      part += char;
    }
  }
  return part.trim() === '' ? parts : [...parts, part.trim()];
}

/** One pair around the whole. */
function stripParentheses(key: string): string {
  if (!key.startsWith('(') || !key.endsWith(')')) return key;
  let depth = 0;
  for (let i = 0; i < key.length; i++) {
    if (key[i] === '(') depth++;
    if (key[i] === ')' && --depth === 0 && i < key.length - 1) return key;
  }
  return key.slice(1, -1);
}

async function rows<T = Record<string, unknown>>(client: ClickHouseClient, query: string): Promise<T[]> {
  const result = await client.query({ query, format: 'JSONEachRow' });
  return await result.json<T>();
}
