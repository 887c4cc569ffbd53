import type { Command } from 'commander';
import type { ConfigFlags } from '../../config/flags.js';
import type { ClickHouseSettings, LoadClickHouseOptions } from '../../config/load-clickhouse.js';
import type { EngineConfig } from '../../config/types.js';
import { parseDurationMs } from '../../config/units.js';
import { HeadraceError } from '../../errors.js';
import { clickHouseFlags, engineFlags, tableFlags, toLoad } from '../engine-flags.js';
import type { AuditOptions } from './audit.js';
import { AUDIT_EXAMPLES, QUERY_EXAMPLES, REBUILD_EXAMPLES } from './examples.js';
import type { QueryFormat, QueryOptions } from './query.js';
import type { RebuildOptions, RebuildViewsOptions } from './rebuild.js';

export interface WarehouseLoaders {
  audit(): Promise<{ clickhouseAudit(options: AuditOptions): Promise<number> }>;
  rebuild(): Promise<{
    clickhouseRebuild(options: RebuildOptions): Promise<number>;
    clickhouseRebuildViews(options: RebuildViewsOptions): Promise<number>;
  }>;
  query(): Promise<{ queryCommand(options: QueryOptions): Promise<number> }>;
}

export const ownWarehouseLoaders: WarehouseLoaders = {
  audit: () => import('./audit.js'),
  rebuild: () => import('./rebuild.js'),
  query: () => import('./query.js'),
};

export interface WarehouseSurroundings {
  stdout(text: string): void;
  stderr(text: string): void;
  load(options: { file?: string; flags: ConfigFlags }): EngineConfig;
  loadClickHouse(options: LoadClickHouseOptions): ClickHouseSettings;
  /** Takes the exit code. */
  done(exitCode: number): void;
  loaders: WarehouseLoaders;
}

interface WarehouseFlags extends ConfigFlags {
  config?: string;
}

const DAYS_MAX = 36_600;
const FORMATS: readonly QueryFormat[] = ['table', 'csv', 'json'];

/** Adds `audit` and `rebuild` to `headrace clickhouse`, and `headrace query`. */
export function addWarehouseCommands(
  cli: Command,
  clickhouse: Command,
  { stdout, stderr, load, loadClickHouse, done, loaders }: WarehouseSurroundings,
): void {
  tableFlags(
    clickhouse.command('audit').description('recompute each analytic view from the rows, print differences'),
  )
    .option('--json', 'the result as one JSON object on stdout')
    .addHelpText('after', AUDIT_EXAMPLES)
    .action(async (flags: WarehouseFlags) => {
      const settings = loadClickHouse(toLoad(flags));
      const { clickhouseAudit } = await loaders.audit();
      done(await clickhouseAudit({ settings, json: flags.json === true, stdout }));
    });

  clickHouseFlags(
    engineFlags(
      clickhouse.command('rebuild').description('make the table anew from the lake, or views from the table'),
    ),
  )
    .option('--views', 'only the sums behind the views, from the rows that are in ClickHouse')
    .option('--yes', 'do it')
    .option('--json', 'the result as one JSON object on stdout')
    .addHelpText('after', REBUILD_EXAMPLES)
    .action(async ({ views, yes, ...flags }: WarehouseFlags & { views?: boolean; yes?: boolean }) => {
      const { json, ...rest } = flags;
      const options = { yes: yes === true, json: json === true, stdout, stderr };
      if (views === true) {
        const settings = loadClickHouse(toLoad(rest));
        const { clickhouseRebuildViews } = await loaders.rebuild();
        done(await clickhouseRebuildViews({ settings, ...options }));
        return;
      }
      const config = load(toLoad(rest));
      const { clickhouseRebuild } = await loaders.rebuild();
      done(await clickhouseRebuild({ config, ...options }));
    });

  tableFlags(
    cli
      .command('query')
      .description('ask ClickHouse: a documented query by its name, or SQL; without one the names'),
  )
    .argument('[name]', 'such as brands, pages, summary')
    .option('--sql <statement>', 'SQL of your own; it may only read')
    .option('--days <n>', 'the last days that there are rows of', '30')
    .option('--format <name>', 'table, csv or json; table')
    .option('--json', 'the same as --format json')
    .option(
      '--cached-for <duration>',
      'an answer that ClickHouse gave this short a time ago will do, such as 60s',
    )
    .addHelpText('after', QUERY_EXAMPLES)
    .action(async (name: string | undefined, flags: QueryFlags) => {
      const { sql, days, format, json, cachedFor, ...rest } = flags;
      if (name !== undefined && sql !== undefined)
        throw new HeadraceError('USAGE', 'a name or --sql, not both');
      const asked = {
        name: name ?? null,
        sql: sql ?? null,
        days: daysOf(days),
        format: formatOf(format, json === true),
        cachedMs: cachedOf(cachedFor),
      };
      const settings = loadClickHouse(toLoad(rest));
      const { queryCommand } = await loaders.query();
      done(await queryCommand({ settings, ...asked, stdout }));
    });
}

interface QueryFlags extends WarehouseFlags {
  sql?: string;
  days: string;
  format?: string;
  json?: boolean;
  cachedFor?: string;
}

function cachedOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const parsed = parseDurationMs(text);
  if (parsed.ok) return parsed.value;
  throw new HeadraceError('USAGE', `--cached-for: ${parsed.message}`);
}

function daysOf(text: string): number {
  const days = Number(text);
  if (/^\d+$/.test(text) && days >= 1 && days <= DAYS_MAX) return days;
  throw new HeadraceError('USAGE', `--days must be a whole number from 1 to ${DAYS_MAX}, not ${text}`);
}

function formatOf(text: string | undefined, json: boolean): QueryFormat {
  if (text === undefined) return json ? 'json' : 'table';
  if (json && text !== 'json')
    throw new HeadraceError('USAGE', `--json and --format ${text} are two formats: give one`);
  const found = FORMATS.find((each) => each === text);
  if (found !== undefined) return found;
  throw new HeadraceError('USAGE', `--format must be table, csv or json, not ${text}`);
}
