import { suggest } from './suggest.js';

/**
 * The settings that `clickhouse.settings` may not set: those that the engine sends with every insert because "each row once"
 * rests on them (src/clickhouse/insert-settings.ts; a test holds that none of them is missing here), and words of
 * ClickHouse's HTTP interface that are no settings but would travel with them.
 */

const SYNCHRONOUS = 'an insert is answered when its rows are stored, never before';
const ONE_BLOCK = 'a file is one block, so that it is stored whole or not at all';
const RECOGNISED = 'a repeated insert is recognised by its file, in the table and in its views';
const READING = 'it decides which values a file becomes';

const ENGINES_OWN: Readonly<Record<string, string>> = {
  insert_deduplicate: RECOGNISED,
  deduplicate_insert: RECOGNISED,
  insert_deduplication_token: RECOGNISED,
  insert_deduplication_version: RECOGNISED,
  deduplicate_blocks_in_dependent_materialized_views: RECOGNISED,
  update_insert_deduplication_token_in_dependent_materialized_views: RECOGNISED,
  materialized_views_ignore_errors: 'a view that fails must fail the insert, or it would miss rows for good',
  async_insert: SYNCHRONOUS,
  wait_end_of_query: SYNCHRONOUS,
  wait_for_async_insert: SYNCHRONOUS,
  distributed_foreground_insert: SYNCHRONOUS,
  insert_distributed_sync: SYNCHRONOUS,
  max_insert_threads: ONE_BLOCK,
  use_strict_insert_block_limits: ONE_BLOCK,
  optimize_on_insert: 'the rows of a file are counted after an insert in doubt',
  readonly: 'the engine inserts',
  database: 'set clickhouse.database instead',
  user: 'set clickhouse.user instead',
  password: 'set clickhouse.password_file instead',
};

/** Whole families, by how their names begin. */
const FAMILIES: readonly [RegExp, string][] = [
  [/^(min|max)_insert_block_size/, ONE_BLOCK],
  [/^async_insert_/, SYNCHRONOUS],
  [/^input_format_/, READING],
];

/** Parameters of an HTTP request to ClickHouse that are no settings. */
const HTTP_PARAMETERS = new Set([
  'buffer_size',
  'compress',
  'decompress',
  'default_format',
  'query',
  'query_id',
  'quota_key',
  'role',
  'session_check',
  'session_id',
  'session_timeout',
  'stacktrace',
]);

/** Why a setting is refused, or undefined when it may be passed on. */
export function clickHouseSettingProblem(name: string): string | undefined {
  const own = Object.hasOwn(ENGINES_OWN, name) ? ENGINES_OWN[name] : undefined;
  const reason = own ?? FAMILIES.find(([pattern]) => pattern.test(name))?.[1];
  if (reason !== undefined) return `is the engine's own: ${reason}`;
  if (HTTP_PARAMETERS.has(name)) return 'is no setting but a word of ClickHouse’s HTTP interface';
  if (!/^[a-z][a-z0-9_]*$/i.test(name)) {
    const near = suggest(name, Object.keys(ENGINES_OWN));
    const hint = near === undefined ? '' : `; for ${near}: ${ENGINES_OWN[near]}`;
    return `is not a setting of ClickHouse: their names are letters, digits and _${hint}`;
  }
  return undefined;
}
