import type { Command } from 'commander';
import type { ConfigFlags } from '../../config/flags.js';
import { suggest } from '../../config/suggest.js';
import type { EngineConfig } from '../../config/types.js';
import { HeadraceError } from '../../errors.js';
import { toLoad } from '../engine-flags.js';
import { READ_EXAMPLES } from './examples.js';
import type { LakeReadOptions } from './read.js';

export interface LakeLoaders {
  read(): Promise<{ lakeRead(options: LakeReadOptions): Promise<number> }>;
}

export const ownLakeLoaders: LakeLoaders = {
  read: () => import('./read.js'),
};

export interface LakeSurroundings {
  stdout(text: string): void;
  stderr(text: string): void;
  load(options: { file?: string; flags: ConfigFlags }): EngineConfig;
  /** Takes the exit code. */
  done(exitCode: number): void;
  loaders: LakeLoaders;
}

interface TableFlags {
  config?: string;
  lake?: string;
  json?: boolean;
}

interface AtFlags {
  version?: string;
  asOf?: string;
}

/** Adds `headrace lake …` to the command line. */
export function addLakeCommand(cli: Command, surroundings: LakeSurroundings): void {
  const lake = cli
    .command('lake')
    .description('the sessions table through time: look at it, read it, restore it');
  addRead(lake, surroundings);
}

const FORMATS = ['table', 'csv', 'jsonl', 'parquet'] as const;

function addRead(lake: Command, { stdout, stderr, load, done, loaders }: LakeSurroundings): void {
  atFlags(tableFlags(lake.command('read').description('rows, each session once, at a version or time')))
    .option(
      '--where <condition>',
      'only rows like session_date=2026-01-31; several have all to hold',
      collect,
      [],
    )
    .option('--columns <name,…>', 'only these, in this order')
    .option('--changes', 'the rows as they are in the files, with their sign')
    .option('--format <name>', FORMATS.join(', '), 'table')
    .option('--limit <n>', 'at most so many rows; of a table for people 50', wholeNumber('--limit'))
    .option('--output <file>', 'into a file instead of stdout; one that is there is replaced')
    .addHelpText('after', READ_EXAMPLES)
    .action(async ({ config, lake: path, format, limit, changes, ...flags }: ReadFlags) => {
      const table = tableOf({ ...(config && { config }), ...(path && { lake: path }) }, load);
      const known = FORMATS.find((name) => name === format);
      if (known === undefined) throw unknownFormat(format);
      const { lakeRead } = await loaders.read();
      const how = { format: known, limit: limit ?? null, changes: changes === true };
      done(await lakeRead({ ...flags, ...how, lake: table, stdout, stderr }));
    });
}

interface ReadFlags extends TableFlags, AtFlags {
  where: string[];
  columns?: string;
  changes?: boolean;
  format: string;
  limit?: number;
  output?: string;
}

function unknownFormat(format: string): HeadraceError {
  const near = suggest(format, FORMATS);
  return new HeadraceError(
    'USAGE',
    `--format must be one of ${FORMATS.join(', ')}, not ${JSON.stringify(format)}`,
    {
      ...(near === undefined ? {} : { remedy: `did you mean ${near}?` }),
    },
  );
}

/** Which table. */
function tableFlags(command: Command): Command {
  return command
    .option('--config <file>', "the engine's YAML file, for its table")
    .option('--lake <folder>', 'the table, or the folder that holds it');
}

function atFlags(command: Command): Command {
  return command
    .option('--version <n>', 'as this version left it')
    .option('--as-of <time>', 'as it was then: 2026-01-31T12:00:00Z, or 2h ago');
}

function tableOf({ config, lake }: TableFlags, load: LakeSurroundings['load']): string {
  if (lake !== undefined) return lake;
  if (config !== undefined) return load(toLoad({ config })).lake.path;
  throw new HeadraceError('USAGE', 'which table? neither --lake nor --config was given', {
    remedy: 'headrace lake read --help shows how',
  });
}

function collect(text: string, before: string[]): string[] {
  return [...before, text];
}

function wholeNumber(flag: string): (text: string) => number {
  return (text) => {
    if (/^\d{1,9}$/.test(text)) return Number(text);
    throw new HeadraceError('USAGE', `${flag} must be a whole number, not ${JSON.stringify(text)}`);
  };
}
