import { asClickHouseError } from '../../clickhouse/errors.js';
import { withReachable } from '../../clickhouse/hosts.js';
import { analyticsOf } from '../../clickhouse/schema.js';
import { type ClickHouseTarget, openClickHouse, targetOf } from '../../clickhouse/target.js';
import { READ_ONLY } from '../../clickhouse/views/ask.js';
import { type DocumentedQuery, queriesOf } from '../../clickhouse/views/queries.js';
import type { ClickHouseSettings } from '../../config/load-clickhouse.js';
import { suggest } from '../../config/suggest.js';
import { HeadraceError } from '../../errors.js';
import { loadModel } from '../../model/load.js';
import { formatTable } from '../../telemetry/progress.js';

export type QueryFormat = 'table' | 'csv' | 'json';

export interface QueryOptions {
  settings: ClickHouseSettings;
  /** Null: the names are listed, or `sql` is run. */
  name: string | null;
  sql: string | null;
  days: number;
  format: QueryFormat;
  /** ClickHouse may give an answer that is this old; null: none but a new one. */
  cachedMs: number | null;
  stdout(text: string): void;
}

/** `headrace query`: a documented query, or SQL of one's own, which may only read. Resolves to 0. */
export async function queryCommand(options: QueryOptions): Promise<number> {
  const { settings, name, sql, days, format, cachedMs, stdout } = options;
  const model = loadModel(settings.model);
  const target = targetOf(settings.clickhouse, model);
  const queries = queriesOf(analyticsOf(target, model));
  if (name === null && sql === null) {
    stdout(listText(queries, days));
    return 0;
  }
  const asked = sql ?? named(queries, name!, model.name).sql(days);
  stdout(await withReachable(target, (at) => answer(at, asked, format, cachedMs)));
  return 0;
}

function named(queries: readonly DocumentedQuery[], name: string, model: string): DocumentedQuery {
  const found = queries.find((query) => query.name === name || query.view === name);
  if (found !== undefined) return found;
  const names = queries.map((query) => query.name);
  const near = suggest(name, names);
  throw new HeadraceError('USAGE', `the model ${model} has no query ${name}`, {
    remedy: near === undefined ? `there are: ${names.join(', ')}` : `did you mean ${near}?`,
  });
}

const TEXT_FORMATS = { csv: 'CSVWithNames', json: 'JSON' } as const;

async function answer(
  target: ClickHouseTarget,
  sql: string,
  format: QueryFormat,
  cachedMs: number | null,
): Promise<string> {
  const client = openClickHouse(target);
  const clickhouse_settings = { ...READ_ONLY, ...(cachedMs === null ? {} : cacheSettings(cachedMs)) };
  try {
    if (format === 'table') {
      const result = await client.query({ query: sql, format: 'JSONCompact', clickhouse_settings });
      return tableText(await result.json<unknown[]>());
    }
    const result = await client.query({ query: sql, format: TEXT_FORMATS[format], clickhouse_settings });
    return withNewline(await result.text());
  } catch (error) {
    const { url, user, database } = target;
    throw asClickHouseError(error, { url, user, database });
  } finally {
    await client.close();
  }
}

/**
 * ClickHouse keeps answers by the text of their query, a user's apart from others'. What asks the time or a system table is never kept:
 * it is asked anew, and no error.
 */
function cacheSettings(cachedMs: number) {
  return {
    use_query_cache: 1,
    query_cache_ttl: Math.max(1, Math.ceil(cachedMs / 1_000)),
    query_cache_nondeterministic_function_handling: 'ignore',
    query_cache_system_table_handling: 'ignore',
  } as const;
}

function tableText({ meta = [], data }: { meta?: { name: string }[]; data: unknown[][] }): string {
  if (data.length === 0) return '(no rows)\n';
  const head = meta.map(({ name }) => name);
  return `${formatTable(
    head,
    data.map((row) => row.map(cellText)),
  )}\n`;
}

function cellText(value: unknown): string {
  if (value === null || value === '') return '–';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function listText(queries: readonly DocumentedQuery[], days: number): string {
  if (queries.length === 0) return 'this model has no analytic views, or clickhouse.views names none\n';
  const width = Math.max(...queries.map(({ name }) => name.length));
  const lines = queries.map(({ name, about, view }) => `${name.padEnd(width)}  ${about} (${view})`);
  return `${lines.join('\n')}\nEach over the last ${days} days that there are rows of; --days changes that.\n`;
}

function withNewline(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}
