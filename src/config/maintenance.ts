import type { z } from 'zod';
import { count, duration, names, orAuto, orOff, section, size, sizeOrAuto, text } from './fields.js';
import { isWithin, lakePath } from './lake-path.js';
import type { Problem } from './problems.js';
import type { Machine, MaintenanceConfig } from './types.js';

/** The section `lake.maintenance`: how a table's files are kept, in the background and by hand. */

const MiB = 2 ** 20;
const GiB = 2 ** 30;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const YEARS_MS = 36_500 * DAY_MS;

const often = () =>
  orOff(duration({ minMs: 1_000, maxMs: 365 * DAY_MS }), 'a duration such as 30m, 1h or 1d');
const age = () =>
  orOff(duration({ minMs: DAY_MS, maxMs: YEARS_MS }), 'a duration of a day or more, such as 90d');

export const maintenance = section({
  fold_interval: often().prefault('1h'),
  compact_interval: often().prefault('1h'),
  vacuum_interval: often().prefault('1d'),
  // below a minute a reader of the version before could not even finish
  vacuum_retention: duration({ minMs: MINUTE_MS, maxMs: YEARS_MS }).prefault('7d'),
  expire_after: age().prefault('off'),
  archive_after: age().prefault('off'),
  archive_to: text('a folder or s3://bucket/prefix').optional(),
  small_file_bytes: size({ minBytes: 1, maxBytes: 4 * GiB }).prefault('64MiB'),
  target_file_bytes: size({ minBytes: MiB, maxBytes: GiB }).prefault('128MiB'),
  files_min: count(2, 100_000).prefault(8),
  cluster_by: orAuto(names('a column'), "a list of the model's columns").prefault('auto'),
  io_bytes_per_second: orOff(size({ minBytes: MiB, maxBytes: 64 * GiB }), 'a size such as 32MiB').prefault(
    '32MiB',
  ),
  memory_bytes: sizeOrAuto({ minBytes: 64 * MiB, maxBytes: 16 * GiB }).prefault('auto'),
}).prefault({});

/** `folder`: what a relative archive_to is relative to. */
export function toMaintenanceConfig(
  file: z.output<typeof maintenance>,
  folder: string,
  machine: Machine,
): MaintenanceConfig {
  const orNull = <T>(value: T | 'off') => (value === 'off' ? null : value);
  const to = file.archive_to === undefined ? null : lakePath(file.archive_to, folder);
  return {
    foldIntervalMs: orNull(file.fold_interval),
    compactIntervalMs: orNull(file.compact_interval),
    vacuumIntervalMs: orNull(file.vacuum_interval),
    vacuumRetentionMs: file.vacuum_retention,
    expireAfterMs: orNull(file.expire_after),
    archiveAfterMs: orNull(file.archive_after),
    archiveTo: to === null || 'problem' in to ? null : to.path,
    smallFileBytes: file.small_file_bytes,
    targetFileBytes: file.target_file_bytes,
    filesMin: file.files_min,
    clusterBy: file.cluster_by,
    ioBytesPerSecond: orNull(file.io_bytes_per_second),
    memoryBytes: file.memory_bytes === 'auto' ? autoBytes(machine) : file.memory_bytes,
  };
}

/** What can't be with old partitions in another place. `folder`: as above; `lakeAt`: of the table, as it was resolved. */
export function archiveProblems(
  { archive_after: after, archive_to: to }: z.output<typeof maintenance>,
  folder: string,
  lakeAt: string,
): Problem[] {
  const at = (setting: string, message: string) => [{ path: `lake.maintenance.${setting}`, message }];
  if (to === undefined) {
    const message = 'needs lake.maintenance.archive_to too: a folder or s3://bucket/prefix of its own';
    return after === 'off' ? [] : at('archive_after', message);
  }
  const place = lakePath(to, folder);
  if ('problem' in place) return at('archive_to', place.problem);
  if (!isWithin(place.path, lakeAt) && !isWithin(lakeAt, place.path)) return [];
  const why = 'a vacuum of the one would take the other’s files for its own';
  return at('archive_to', `must be apart from lake.path, ${lakeAt}, neither in it nor around it: ${why}`);
}

/** Of the quarter of the machine that the engine's own memory leaves free (limits.ts), half. */
function autoBytes({ memoryBytes }: Machine): number {
  return Math.max(64 * MiB, Math.min(512 * MiB, Math.floor(memoryBytes / 8)));
}
