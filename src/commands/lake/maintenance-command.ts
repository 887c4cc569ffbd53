import type { Command } from 'commander';
import type { ConfigFlags } from '../../config/flags.js';
import type { EngineConfig } from '../../config/types.js';
import { parseDurationMs } from '../../config/units.js';
import { HeadraceError } from '../../errors.js';
import { engineFlags, toLoad } from '../engine-flags.js';
import type {
  AgeCommandOptions,
  ArchiveCommandOptions,
  CompactCommandOptions,
  VacuumCommandOptions,
} from './maintain.js';
import {
  ARCHIVE_EXAMPLES,
  COMPACT_EXAMPLES,
  EXPIRE_EXAMPLES,
  FOLD_EXAMPLES,
  VACUUM_EXAMPLES,
} from './maintenance-examples.js';
import type { MaintenanceCommandOptions } from './maintenance-table.js';

export interface MaintenanceCommands {
  lakeFold(options: MaintenanceCommandOptions): Promise<number>;
  lakeCompact(options: CompactCommandOptions): Promise<number>;
  lakeVacuum(options: VacuumCommandOptions): Promise<number>;
  lakeExpire(options: AgeCommandOptions): Promise<number>;
  lakeArchive(options: ArchiveCommandOptions): Promise<number>;
}

export interface MaintenanceSurroundings {
  stdout(text: string): void;
  stderr(text: string): void;
  load(options: { file?: string; flags: ConfigFlags }): EngineConfig;
  /** Takes the exit code. */
  done(exitCode: number): void;
  loader(): Promise<MaintenanceCommands>;
}

export const ownMaintenanceLoader: MaintenanceSurroundings['loader'] = () => import('./maintain.js');

interface Flags extends ConfigFlags {
  config?: string;
  partition: string[];
  fast?: boolean;
  yes?: boolean;
  dryRun?: boolean;
}

/** Adds the commands that maintain a table to `headrace lake`. */
export function addMaintenanceCommands(cli: Command, surroundings: MaintenanceSurroundings): void {
  const lake =
    cli.commands.find((command) => command.name() === 'lake') ??
    cli.command('lake').description("the sessions table's files");
  const { loader, done } = surroundings;
  const shared = (flags: Flags) => optionsOf(flags, surroundings);

  flagsOf(lake.command('fold').description('make changed sessions plain rows again'), true)
    .addHelpText('after', FOLD_EXAMPLES)
    .action(async (flags: Flags) => done(await (await loader()).lakeFold(shared(flags))));

  flagsOf(lake.command('compact').description('make large files of small ones'), true)
    .option('--all', 'rewrite large files too, to put their rows into order')
    .option('--cluster-by <column,…>', 'columns by which rows are ordered, instead of the configuration’s')
    .addHelpText('after', COMPACT_EXAMPLES)
    .action(async ({ all, clusterBy, ...flags }: Flags & { all?: boolean; clusterBy?: string }) =>
      done(
        await (await loader()).lakeCompact({
          ...shared(flags),
          all: all === true,
          clusterBy: clusterBy === undefined ? null : clusterBy.split(',').filter((name) => name !== ''),
        }),
      ),
    );

  yesFlags(flagsOf(lake.command('vacuum').description('delete files that are in the table no more'), false))
    .option('--retention <duration>', 'how long files stay after they were taken out of the table')
    .option('--force', 'also with a retention of less than 7d')
    .addHelpText('after', VACUUM_EXAMPLES)
    .action(async ({ retention, force, ...flags }: Flags & { retention?: string; force?: boolean }) =>
      done(
        await (await loader()).lakeVacuum({
          ...shared(flags),
          yes: isYes(flags),
          force: force === true,
          retentionMs: durationOf('--retention', retention),
        }),
      ),
    );

  yesFlags(
    flagsOf(lake.command('expire').description('take partitions out of the table that are old'), false),
  )
    .option('--older-than <duration>', 'whole days, such as 90d')
    .addHelpText('after', EXPIRE_EXAMPLES)
    .action(async ({ olderThan, ...flags }: Flags & { olderThan?: string }) =>
      done(
        await (await loader()).lakeExpire({
          ...shared(flags),
          yes: isYes(flags),
          ageMs: ageOf(olderThan),
        }),
      ),
    );

  yesFlags(
    flagsOf(lake.command('archive').description('bring old partitions to a table of their own'), false),
  )
    .option('--older-than <duration>', 'whole days, such as 90d')
    .option(
      '--to <folder>',
      'the archive: a folder or s3://bucket/prefix for a Delta table of its own, made when it is not there',
    )
    .addHelpText('after', ARCHIVE_EXAMPLES)
    .action(async ({ olderThan, to, ...flags }: Flags & { olderThan?: string; to?: string }) =>
      done(
        await (await loader()).lakeArchive({
          ...shared(flags),
          yes: isYes(flags),
          ageMs: ageOf(olderThan),
          to: to ?? null,
        }),
      ),
    );
}

function flagsOf(command: Command, hasPartitions: boolean): Command {
  engineFlags(command)
    .option('--fast', 'not within lake.maintenance.io_bytes_per_second')
    .option('--json', 'print one JSON object');
  if (!hasPartitions) return command;
  return command.option(
    '--partition <date>',
    'only this session_date; may be given several times',
    (text: string, before: string[]) => [...before, text],
    [],
  );
}

function yesFlags(command: Command): Command {
  return command.option('--yes', 'do it').option('--dry-run', 'only show it, as without --yes');
}

function isYes({ yes, dryRun }: Flags): boolean {
  return yes === true && dryRun !== true;
}

function optionsOf(
  { partition = [], fast, yes: _, dryRun: __, ...flags }: Flags,
  { stdout, stderr, load }: MaintenanceSurroundings,
): MaintenanceCommandOptions {
  for (const day of partition) {
    if (/^\d{4}-\d\d-\d\d$/.test(day)) continue;
    throw new HeadraceError('USAGE', `--partition must be a date such as 2026-01-31, not ${day}`);
  }
  const config = load(toLoad(flags));
  return {
    config,
    partitions: partition,
    unlimited: fast === true,
    json: flags.json === true,
    stdout,
    stderr,
  };
}

const DAY_MS = 86_400_000;

function ageOf(text: string | undefined): number | null {
  const ageMs = durationOf('--older-than', text);
  if (ageMs === null || ageMs >= DAY_MS) return ageMs;
  throw new HeadraceError('USAGE', '--older-than must be a day or more: partitions are days');
}

function durationOf(flag: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const parsed = parseDurationMs(text);
  if (parsed.ok) return parsed.value;
  throw new HeadraceError('USAGE', `${flag}: ${parsed.message}`);
}
