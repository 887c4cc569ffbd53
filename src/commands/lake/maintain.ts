import { isWithin, lakePath } from '../../config/lake-path.js';
import { HeadraceError } from '../../errors.js';
import { archive } from '../../lake/maintenance/archive.js';
import { compact } from '../../lake/maintenance/compact.js';
import { expire } from '../../lake/maintenance/expire.js';
import { fold } from '../../lake/maintenance/fold.js';
import { whoIsBehind } from '../../lake/maintenance/follower-guard.js';
import { vacuumTable } from '../../lake/maintenance/vacuum-table.js';
import { openStore } from '../../lake/store/open-store.js';
import { placesOfFollowers } from '../ledger/follower-horizon.js';
import { type MaintenanceCommandOptions, openMaintenance } from './maintenance-table.js';
import { archiveText, compactText, expireText, foldText, jsonText, vacuumText } from './maintenance-text.js';

/** `headrace lake fold | compact | vacuum | expire | archive`. Exit code 0: done, or shown; 75: something is left, call again. */

const EXIT_TRY_AGAIN = 75;

export async function lakeFold(options: MaintenanceCommandOptions): Promise<number> {
  const { run, opened, partitions } = await openMaintenance(options);
  const report = await fold(run, partitions === undefined ? {} : { partitions });
  tell(options, { table: opened.table, ...report }, foldText(report));
  return report.givenUp > 0 && report.versions.length === 0 ? EXIT_TRY_AGAIN : 0;
}

export interface CompactCommandOptions extends MaintenanceCommandOptions {
  /** Large files too. */
  all: boolean;
  /** Instead of what the configuration says. */
  clusterBy: readonly string[] | null;
}

export async function lakeCompact(options: CompactCommandOptions): Promise<number> {
  const { all, clusterBy } = options;
  const { run, opened, partitions } = await openMaintenance(options, clusterBy === null ? {} : { clusterBy });
  const report = await compact(run, { all, ...(partitions === undefined ? {} : { partitions }) });
  tell(options, { table: opened.table, ...report }, compactText(report));
  return report.givenUp > 0 && report.versions.length === 0 ? EXIT_TRY_AGAIN : 0;
}

export interface VacuumCommandOptions extends MaintenanceCommandOptions {
  yes: boolean;
  /** Null: as the configuration says. */
  retentionMs: number | null;
  /** Also less than a week. */
  force: boolean;
}

const RETENTION_MS_LEAST = 7 * 86_400_000;

export async function lakeVacuum(options: VacuumCommandOptions): Promise<number> {
  const { config, yes, force } = options;
  const retentionMs = options.retentionMs ?? config.maintenance.vacuumRetentionMs;
  if (retentionMs < RETENTION_MS_LEAST && options.retentionMs !== null && !force) {
    throw new HeadraceError(
      'USAGE',
      '--retention of less than 7d takes files away that readers of older versions may have open, and a restore needs',
      { remedy: 'give --force too if nobody reads or restores versions that are older' },
    );
  }
  const { run, opened, log } = await openMaintenance(options);
  const report = await vacuumTable(run, {
    retentionMs,
    dryRun: !yes,
    followers: () => placesOfFollowers({ config, opened, log }),
  });
  const behind = whoIsBehind(report.held, report.places);
  const { places: _, ...facts } = report;
  tell(options, { table: opened.table, dryRun: !yes, ...facts, behind }, vacuumText(report, behind, !yes));
  return 0;
}

export interface AgeCommandOptions extends MaintenanceCommandOptions {
  yes: boolean;
  ageMs: number | null;
}

export async function lakeExpire(options: AgeCommandOptions): Promise<number> {
  const ageMs = ageOf(options, options.config.maintenance.expireAfterMs, 'expire_after');
  const { run, opened } = await openMaintenance(options);
  const report = await expire(run, { ageMs, dryRun: !options.yes });
  tell(options, { table: opened.table, dryRun: !options.yes, ...report }, expireText(report, !options.yes));
  return options.yes && report.files > 0 && report.version === null ? EXIT_TRY_AGAIN : 0;
}

export interface ArchiveCommandOptions extends AgeCommandOptions {
  /** Null: as the configuration says. */
  to: string | null;
}

export async function lakeArchive(options: ArchiveCommandOptions): Promise<number> {
  const { config, yes } = options;
  const ageMs = ageOf(options, config.maintenance.archiveAfterMs, 'archive_after');
  const to = options.to ?? config.maintenance.archiveTo;
  if (to === null) {
    throw new HeadraceError('USAGE', 'where to? neither --to nor lake.maintenance.archive_to says it', {
      remedy: 'headrace lake archive --help shows how',
    });
  }
  const { run, opened } = await openMaintenance(options, { keepStats: true });
  const place = lakePath(to, process.cwd());
  if ('problem' in place) throw new HeadraceError('USAGE', `--to ${place.problem}`);
  if (isWithin(place.path, opened.table) || isWithin(opened.table, place.path)) {
    throw new HeadraceError(
      'USAGE',
      'an archive is a table apart from its source, neither in it nor around it',
      {
        where: { archive: place.path, table: opened.table },
        remedy: 'name another folder or prefix with --to; nothing was archived',
      },
    );
  }
  const store = await openStore({ ...config.lake, path: place.path }, { prepares: yes });
  const report = await archive(run, { to: store, ageMs, dryRun: !yes });
  tell(
    options,
    { table: opened.table, archive: store.url, dryRun: !yes, ...report },
    archiveText(report, !yes),
  );
  return yes && report.files > 0 && report.version === null ? EXIT_TRY_AGAIN : 0;
}

function ageOf({ ageMs }: AgeCommandOptions, configured: number | null, setting: string): number {
  const age = ageMs ?? configured;
  if (age !== null) return age;
  throw new HeadraceError(
    'USAGE',
    `older than what? neither --older-than nor lake.maintenance.${setting} says it`,
    {
      remedy: 'such as --older-than 90d',
    },
  );
}

function tell({ json, stdout }: MaintenanceCommandOptions, report: object, text: string): void {
  stdout(`${json ? jsonText(report) : text}\n`);
}
