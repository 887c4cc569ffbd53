import type { Command } from 'commander';
import { suggest } from '../../config/suggest.js';
import { HeadraceError } from '../../errors.js';
import type { LakeCheckOptions } from './check.js';
import type { LakeDiffOptions } from './diff.js';
import {
  CHECK_EXAMPLES,
  DIFF_EXAMPLES,
  HISTORY_EXAMPLES,
  READ_EXAMPLES,
  RESTORE_EXAMPLES,
  SHOW_EXAMPLES,
} from './examples.js';
import type { LakeHistoryOptions } from './history.js';
import {
  type AtFlags,
  atFlags,
  collect,
  type LoadConfig,
  type TableFlags,
  tableFlags,
  tableOf,
  wholeNumber,
} from './lake-flags.js';
import type { LakeReadOptions } from './read.js';
import type { LakeRestoreOptions } from './restore.js';
import type { LakeShowOptions } from './show.js';

export interface LakeLoaders {
  history(): Promise<{ lakeHistory(options: LakeHistoryOptions): Promise<number> }>;
  show(): Promise<{ lakeShow(options: LakeShowOptions): Promise<number> }>;
  read(): Promise<{ lakeRead(options: LakeReadOptions): Promise<number> }>;
  diff(): Promise<{ lakeDiff(options: LakeDiffOptions): Promise<number> }>;
  restore(): Promise<{ lakeRestore(options: LakeRestoreOptions): Promise<number> }>;
  check(): Promise<{ lakeCheck(options: LakeCheckOptions): Promise<number> }>;
}

export const ownLakeLoaders: LakeLoaders = {
  history: () => import('./history.js'),
  show: () => import('./show.js'),
  read: () => import('./read.js'),
  diff: () => import('./diff.js'),
  restore: () => import('./restore.js'),
  check: () => import('./check.js'),
};

export interface LakeSurroundings {
  stdout(text: string): void;
  stderr(text: string): void;
  load: LoadConfig;
  /** Takes the exit code. */
  done(exitCode: number): void;
  loaders: LakeLoaders;
}

/** Adds `headrace lake …` to the command line. */
export function addLakeCommand(cli: Command, surroundings: LakeSurroundings): void {
  const lake = cli
    .command('lake')
    .description('the sessions table through time: look at it, read it, compare, restore and check it');
  addHistory(lake, surroundings);
  addShow(lake, surroundings);
  addRead(lake, surroundings);
  addDiff(lake, surroundings);
  addRestore(lake, surroundings);
  addCheck(lake, surroundings);
}

function addHistory(lake: Command, { stdout, stderr, load, done, loaders }: LakeSurroundings): void {
  tableFlags(lake.command('history').description('what each version did, the oldest first'))
    .option('--limit <n>', 'only the newest so many', wholeNumber('--limit'))
    .option('--json', 'print an array, one object a version')
    .addHelpText('after', HISTORY_EXAMPLES)
    .action(async (flags: TableFlags & { limit?: number }) => {
      const table = tableOf(flags, load);
      const { lakeHistory } = await loaders.history();
      const how = { limit: flags.limit ?? null, json: flags.json === true };
      done(await lakeHistory({ lake: table, ...how, stdout, stderr }));
    });
}

function addShow(lake: Command, { stdout, load, done, loaders }: LakeSurroundings): void {
  atFlags(tableFlags(lake.command('show').description('the table at a version or time, without its rows')))
    .option('--files', 'list its files, too')
    .option('--json', 'print one JSON object')
    .addHelpText('after', SHOW_EXAMPLES)
    .action(async (flags: TableFlags & AtFlags & { files?: boolean }) => {
      const table = tableOf(flags, load);
      const { lakeShow } = await loaders.show();
      const how = { files: flags.files === true, json: flags.json === true };
      done(await lakeShow({ ...atOf(flags), lake: table, ...how, stdout }));
    });
}

const FORMATS = ['table', 'csv', 'jsonl', 'parquet'] as const;

interface ReadFlags extends TableFlags, AtFlags {
  where: string[];
  columns?: string;
  changes?: boolean;
  format?: string;
  limit?: number;
  output?: string;
}

function addRead(lake: Command, { stdout, stderr, load, done, loaders }: LakeSurroundings): void {
  whereFlag(
    atFlags(tableFlags(lake.command('read').description('rows, each session once, at a version or time'))),
  )
    .option('--columns <name,…>', 'only these, in this order')
    .option('--changes', 'the rows as they are in the files, with their sign')
    .option('--format <name>', `${FORMATS.join(', ')}; table`)
    .option('--json', 'the same as --format jsonl')
    .option('--limit <n>', 'at most so many rows; of a table for people 50', wholeNumber('--limit'))
    .option('--output <file>', 'into a file instead of stdout; one that is there is replaced')
    .addHelpText('after', READ_EXAMPLES)
    .action(async (flags: ReadFlags) => {
      const table = tableOf(flags, load);
      const format = formatOf(flags);
      const { where, columns, output } = flags;
      const { lakeRead } = await loaders.read();
      const how = {
        format,
        where,
        limit: flags.limit ?? null,
        changes: flags.changes === true,
        ...(columns === undefined ? {} : { columns }),
        ...(output === undefined ? {} : { output }),
      };
      done(await lakeRead({ ...atOf(flags), lake: table, ...how, stdout, stderr }));
    });
}

interface DiffFlags extends TableFlags {
  where: string[];
  limit?: number;
  check?: boolean;
}

function addDiff(lake: Command, { stdout, load, done, loaders }: LakeSurroundings): void {
  whereFlag(
    tableFlags(
      lake
        .command('diff')
        .description('sessions added, changed and removed between two versions')
        .argument('<from>', 'the earlier version')
        .argument('<to>', 'the later version'),
    ),
  )
    .option('--limit <n>', 'how many are shown one by one: 20, with --json all', wholeNumber('--limit'))
    .option('--check', 'exit code 1 when there is a difference')
    .option('--json', 'print one JSON object')
    .addHelpText('after', DIFF_EXAMPLES)
    .action(async (from: string, to: string, flags: DiffFlags) => {
      const table = tableOf(flags, load);
      const { lakeDiff } = await loaders.diff();
      const how = { where: flags.where, limit: flags.limit ?? null };
      const asked = { check: flags.check === true, json: flags.json === true };
      done(await lakeDiff({ lake: table, from, to, ...how, ...asked, stdout }));
    });
}

function addRestore(lake: Command, { stdout, load, done, loaders }: LakeSurroundings): void {
  tableFlags(
    lake
      .command('restore')
      .description('bring the table back to an earlier version, by a new one; shows it, unless --yes'),
  )
    .requiredOption('--version <n>', 'which version')
    .option('--yes', 'do it')
    .option('--json', 'print one JSON object')
    .addHelpText('after', RESTORE_EXAMPLES)
    .action(async (flags: TableFlags & { version: string; yes?: boolean }) => {
      const table = tableOf(flags, load);
      const { lakeRestore } = await loaders.restore();
      const how = { version: flags.version, yes: flags.yes === true, json: flags.json === true };
      done(await lakeRestore({ lake: table, ...how, stdout }));
    });
}

function addCheck(lake: Command, { stdout, load, done, loaders }: LakeSurroundings): void {
  tableFlags(
    lake.command('check').description('is the table sound: files, statistics, log, checkpoints, signs'),
  )
    .option('--full', 'read all files, not some')
    .option('--json', 'print one JSON object')
    .addHelpText('after', CHECK_EXAMPLES)
    .action(async (flags: TableFlags & { full?: boolean }) => {
      const table = tableOf(flags, load);
      const { lakeCheck } = await loaders.check();
      done(await lakeCheck({ lake: table, full: flags.full === true, json: flags.json === true, stdout }));
    });
}

function whereFlag(command: Command): Command {
  return command.option(
    '--where <condition>',
    'only rows like session_date=2026-01-31; several have all to hold',
    collect,
    [],
  );
}

function atOf({ version, asOf }: AtFlags): AtFlags {
  return { ...(version === undefined ? {} : { version }), ...(asOf === undefined ? {} : { asOf }) };
}

function formatOf({ format: text, json }: ReadFlags): (typeof FORMATS)[number] {
  if (text === undefined) return json === true ? 'jsonl' : 'table';
  const format = FORMATS.find((name) => name === text);
  if (format === undefined) throw unknownFormat(text);
  if (json !== true || format === 'jsonl') return format;
  throw new HeadraceError('USAGE', `--json and --format ${format} are two formats: give one`);
}

function unknownFormat(format: string): HeadraceError {
  const near = suggest(format, FORMATS);
  const message = `--format must be one of ${FORMATS.join(', ')}, not ${JSON.stringify(format)}`;
  return new HeadraceError('USAGE', message, near === undefined ? {} : { remedy: `did you mean ${near}?` });
}
