import type { ArchiveReport } from '../../lake/maintenance/archive.js';
import type { CompactReport } from '../../lake/maintenance/compact.js';
import type { ExpireReport } from '../../lake/maintenance/expire.js';
import type { FoldReport } from '../../lake/maintenance/fold.js';
import { type Behind, behindText } from '../../lake/maintenance/follower-guard.js';
import type { VacuumReport } from '../../lake/maintenance/vacuum-table.js';
import { formatWhole } from '../../telemetry/progress.js';

/** What the commands that maintain a table say of it: for people, and as one JSON object. */

export function jsonText(report: object): string {
  return JSON.stringify(report, (_, value) => (value instanceof Map ? Object.fromEntries(value) : value));
}

export function foldText(report: FoldReport): string {
  const { rows, unmatched, before, after } = report;
  if (before.files === 0) return lines('no rows to fold: the table is plain', ...more(report));
  return lines(
    `${formatWhole(rows)} rows folded away; ${counts(before)} became ${counts(after)}, ${versionsText(report.versions)}`,
    ...(unmatched === 0
      ? []
      : [`${formatWhole(unmatched)} −rows stay: the rows that they take back are not in their partition`]),
    ...more(report),
  );
}

export function compactText(report: CompactReport): string {
  const { before, after, rows, versions } = report;
  if (before.files === 0) return lines('nothing to compact', ...more(report));
  return lines(
    `${counts(before)} became ${counts(after)}, with ${formatWhole(rows)} rows, ${versionsText(versions)}`,
    ...more(report),
  );
}

export function vacuumText(report: VacuumReport, behind: readonly Behind[], isDryRun: boolean): string {
  const { deleted, held, silent, young } = report;
  const reasons = [behindText(behind), ...silent].filter((text) => text !== '').join('; ');
  return lines(
    `${counts(deleted)} ${isDryRun ? 'would be deleted; --yes does it' : 'deleted'}`,
    ...(held.length === 0 ? [] : [`${formatWhole(held.length)} files wait for followers: ${reasons}`]),
    ...(young.files === 0 ? [] : [`${counts(young)} are too young yet`]),
  );
}

export function expireText(report: ExpireReport, isDryRun: boolean): string {
  const { partitions, files, rows, version } = report;
  if (files === 0) return 'no partition is that old';
  const what = `${formatWhole(rows)} rows in ${formatWhole(files)} files, ${daysText(partitions)}`;
  if (isDryRun) return `${what}, would leave the table; --yes does it`;
  return version === null
    ? `${what}: others took some of it out at the same time; call again`
    : `${what}, left the table in version ${formatWhole(version)}`;
}

export function archiveText(report: ArchiveReport, isDryRun: boolean): string {
  const { partitions, files, rows, version, archiveVersions } = report;
  const late =
    archiveVersions.length > (version === null ? 0 : 1) ? ['what an earlier call left was brought over'] : [];
  if (files === 0) return lines('no partition is that old', ...late);
  const what = `${formatWhole(rows)} rows in ${formatWhole(files)} files, ${daysText(partitions)}`;
  if (isDryRun) return `${what}, would go to the archive; --yes does it`;
  return lines(
    version === null
      ? `${what}: others took some of it out at the same time; call again`
      : `${what}, went to the archive; they left the table in version ${formatWhole(version)}`,
    ...late,
  );
}

function more({ givenUp, foreign }: { givenUp: number; foreign: ReadonlyMap<string, string> }): string[] {
  return [
    ...(givenUp === 0
      ? []
      : [`given up ${formatWhole(givenUp)} times: others took the files out first; call again`]),
    ...[...foreign].map(([path, why]) => `left alone: ${path}, which another tool wrote: ${why}`),
  ];
}

function counts({ files, bytes }: { files: number; bytes: number }): string {
  return `${formatWhole(files)} ${files === 1 ? 'file' : 'files'} (${formatWhole(Math.round(bytes / 1e3))} kB)`;
}

function versionsText(versions: readonly number[]): string {
  const [first, last] = [versions[0], versions.at(-1)];
  if (first === undefined || last === undefined) return 'in no version';
  return first === last
    ? `version ${formatWhole(first)}`
    : `versions ${formatWhole(first)} to ${formatWhole(last)}`;
}

function daysText(days: readonly string[]): string {
  return days.length === 1 ? `of ${days[0]}` : `of ${days.length} days, ${days[0]} to ${days.at(-1)}`;
}

function lines(...texts: string[]): string {
  return texts.join('\n');
}
