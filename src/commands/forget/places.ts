import { HeadraceError } from '../../errors.js';
import { behindText } from '../../lake/maintenance/follower-guard.js';
import type { VacuumPlan } from '../../lake/maintenance/vacuum.js';
import { formatWhole } from '../../telemetry/progress.js';
import type { ClickHouseReport } from './clickhouse-erasure.js';
import type { Followers } from './follower-wait.js';
import type { LakeErasure } from './lake-erasure.js';
import type { LetterErasure } from './letter-files.js';
import { counted, type PlaceReport } from './report.js';
import type { SnapshotErasure } from './snapshot-erasure.js';
import { forgottenAtMs } from './snapshot-plan.js';
import { youngText } from './young-text.js';

/** What each place's part of the report says. */

export function lakePlaces(
  { unread, erasedRows, removed, versions, rows: left }: LakeErasure,
  found: { rows: number; files: number },
  isLate = false,
): PlaceReport[] {
  const done = `${counted(erasedRows, 'row')} taken out, ${counted(removed.length, 'file')} rewritten`;
  const reasons = [
    ...(isLate ? [`${counted(left, 'row')} that engines let out meanwhile`] : []),
    ...(unread.size === 0
      ? []
      : [
          `${counted(unread.size, 'file')} could not be read: ${[...unread]
            .slice(0, 2)
            .map(([path, why]) => `${path} (${why})`)
            .join(', ')}`,
        ]),
  ];
  const isDone = versions.length > 0 && !isLate;
  return [
    {
      place: isLate ? 'table, since' : 'table',
      found: `${counted(found.rows, 'row')} in ${counted(found.files, 'file')}`,
      done: isDone ? done : isLate || found.rows === 0 ? 'nothing' : 'taken out, in one version',
      left: reasons.length === 0 ? null : reasons.join('; '),
      isOpen: reasons.length > 0,
    },
  ];
}

export function vacuumPlace(
  { free, held, young }: VacuumPlan,
  deleted: number,
  { behind, silent }: Followers,
  unread: readonly string[] = [],
): PlaceReport {
  const reasons = [
    ...(held.length === 0
      ? []
      : [
          `${counted(held.length, 'file')}: ${[behindText(behind), ...silent].filter((text) => text !== '').join('; ')}`,
        ]),
    ...(young.length === 0 ? [] : [youngText(young)]),
  ];
  const isOpen = reasons.length > 0;
  if (unread.length > 0)
    reasons.push(
      `${counted(unread.length, 'file')} that could not be read: ${unread.slice(0, 2).join(', ')}`,
    );
  return {
    place: 'files no longer in the table',
    found: counted(free.length + held.length + young.length, 'file'),
    done: deleted === 0 ? 'nothing' : `${counted(deleted, 'file')} deleted`,
    left: reasons.length === 0 ? null : reasons.join('; '),
    isOpen,
  };
}

/** Null: no ClickHouse is named. An error: it could not be done. */
export function clickHousePlaces(
  report: ClickHouseReport | HeadraceError | null,
  { behind, silent }: Followers,
): PlaceReport[] {
  const place = 'ClickHouse';
  if (report === null) {
    return [
      {
        place,
        found: 'not in the configuration',
        done: 'nothing',
        left: 'one that is not named here was not asked',
        isOpen: false,
      },
    ];
  }
  if (report instanceof HeadraceError) {
    return [{ place, found: 'not known', done: 'nothing', left: report.toString(), isOpen: true }];
  }
  const isBehind =
    behind.some(({ follower }) => follower === place) || silent.some((text) => text.startsWith(place));
  const late = isBehind ? ['it is behind the table: what it is about to insert may be of before'] : [];
  const rows = report.findings.map(({ table, rows: found, left, isInLogs }, index): PlaceReport => {
    const reasons = [
      ...(index === 0 ? late : []),
      ...(left === null || left === 0 ? [] : [`${counted(left, 'row')} that came meanwhile`]),
    ];
    const kept = isInLogs
      ? ['the statement with the value, in query_log and system.mutations (the table is replicated)']
      : [];
    return {
      place: `${place}, ${table}`,
      found: counted(found, 'row'),
      done: found === 0 ? 'nothing' : left === null ? 'deleted' : `${counted(found - left, 'row')} deleted`,
      left: [...reasons, ...kept].join('; ') || null,
      isOpen: reasons.length > 0,
    };
  });
  if (report.nameless.length === 0) return rows;
  return [
    ...rows,
    {
      place: `${place}, ${report.nameless.join(', ')}`,
      found: 'sums without a column that names a person',
      done: 'nothing',
      left: 'what the person added to the sums',
      isOpen: false,
    },
  ];
}

export function snapshotPlace(
  { before, after, lanes, deleted, single }: SnapshotErasure,
  model: { allowedLatenessMs: number },
  dryRun: boolean,
): PlaceReport {
  const inUse = lanes.filter(({ state }) => state === 'in use');
  const older = lanes.filter(({ state, older: paths }) => state === 'older' && paths.length > 0);
  const reasons = [
    ...inUse.map(
      ({ partition, heldMs }) =>
        `partition ${partition} still knows the person, until its event time is past ${timeText(forgottenAtMs(heldMs!, model))}, and until it is cut then`,
    ),
    ...(dryRun
      ? []
      : older.map(({ partition }) => `partition ${partition}: no newer snapshot took an older one's place`)),
    ...(after.unread.length === 0
      ? []
      : [`${counted(after.unread.length, 'snapshot')} could not be read (damaged, or of another model)`]),
  ];
  const one = single.length === 0 ? '' : `; one is left of partition ${single.join(', ')} until its next`;
  return {
    place: 'snapshots',
    found: `${formatWhole(before.held.size)} of ${formatWhole(before.all.length)}`,
    done:
      dryRun && before.held.size > 0
        ? 'new ones asked for, older ones deleted'
        : deleted === 0
          ? 'nothing'
          : `${counted(deleted, 'snapshot')} replaced${one}`,
    left: reasons.length === 0 ? null : reasons.join('; '),
    isOpen: reasons.length > 0,
  };
}

export function letterPlace({ files, letters, unread }: LetterErasure): PlaceReport {
  return {
    place: 'dead letters beside the table',
    found: `${counted(letters, 'letter')} in ${counted(files, 'file')}`,
    done: letters === 0 ? 'nothing' : 'key, bytes and detail taken out',
    left: unread === 0 ? null : `${counted(unread, 'line')} that can't be read`,
    isOpen: unread > 0,
  };
}

/** The log can't be changed. */
export function statsPlace(bounds: number): PlaceReport {
  return {
    place: "the log's older versions",
    found:
      bounds === 0 ? 'no statistics with the value' : `the value as a bound of ${counted(bounds, 'file')}`,
    done: 'nothing',
    left: 'bounds of columns of the removed files (add.stats), until whoever cleans the log up does',
    isOpen: false,
  };
}

function timeText(ms: number): string {
  return Number.isFinite(ms) ? new Date(ms).toISOString() : 'its next event';
}
