import { formatBytes, formatElapsed, formatTable, formatWhole } from '../../telemetry/progress.js';
import type { FollowerPlace } from './follower-places.js';
import type { LaneReport, LedgerReport, SnapshotReport } from './read-ledger.js';

/** The ledger's state for people: a line on the table, a table of lanes. `nowMs`: what ages are counted to. */
export function statusText(report: LedgerReport, nowMs: number): string {
  const { table, version, writtenMs, group, topic, model, topics, troubles } = report;
  const head = [
    `Table ${table}`,
    `version ${formatWhole(version)} of ${timeText(writtenMs)}, ${ago(writtenMs, nowMs)}`,
    `group ${group}, topic ${topic}, model ${model}`,
  ].join('\n');
  if (topics.length === 0) return `${head}\n\nNo engine has started a lane in it yet.`;
  const parts = topics.flatMap(({ topicId, lanes }) => [
    topicText(topicId, lanes, nowMs),
    followersText(lanes),
  ]);
  const asked = troubles.map((trouble) => `Could not be asked: ${trouble}`).join('\n');
  return [head, ...parts, asked].filter((part) => part !== '').join('\n\n');
}

function topicText(topicId: string, lanes: readonly LaneReport[], nowMs: number): string {
  const rows = lanes.map((lane) => [
    lane.partition,
    formatWhole(lane.startOffset),
    formatWhole(lane.committedTo),
    formatWhole(lane.version),
    ago(lane.committedMs, nowMs),
    lane.watermarkMs === null ? '–' : timeText(lane.watermarkMs),
    ...snapshotCells(lane.snapshots.at(-1), nowMs),
    beforeCell(lane.snapshots.at(-2), nowMs),
    lane.endedAt === null ? '–' : formatWhole(lane.endedAt),
  ]);
  const table = formatTable(
    [
      'partition',
      'start',
      'committed to',
      'in version',
      'committed',
      'watermark (UTC)',
      'snapshot at',
      'taken',
      'size',
      'the one before',
      'let out at',
    ],
    rows,
  );
  const moved = lanes
    .filter(({ resetIn }) => resetIn !== null)
    .map(
      ({ partition, resetIn }) =>
        `Partition ${partition} was started over by an operator in version ${resetIn}.`,
    );
  return [`Topic id ${topicId}`, table, ...moved].join('\n');
}

function snapshotCells(snapshot: SnapshotReport | undefined, nowMs: number): string[] {
  if (snapshot === undefined) return ['–', '–', '–'];
  const { offset, takenMs, sizeBytes, isThere } = snapshot;
  return [formatWhole(offset), ago(takenMs, nowMs), isThere ? formatBytes(sizeBytes) : 'missing'];
}

function beforeCell(snapshot: SnapshotReport | undefined, nowMs: number): string {
  if (snapshot === undefined) return '–';
  return snapshot.isThere ? ago(snapshot.takenMs, nowMs) : 'missing';
}

/** A column a follower; nothing where none is known. */
function followersText(lanes: readonly LaneReport[]): string {
  const all = lanes.flatMap(({ followers }) => followers);
  const names = [...new Map(all.map((place) => [place.follower, headOf(place)]))];
  if (names.length === 0) return '';
  const rows = lanes.map(({ partition, version, committedTo, followers }) => [
    partition,
    ...names.map(([name]) => {
      const place = followers.find(({ follower }) => follower === name);
      return place === undefined ? '–' : placeText(place, version, committedTo);
    }),
  ]);
  return `Followers\n${formatTable(['partition', ...names.map(([, head]) => head)], rows)}`;
}

function headOf({ follower, kind }: FollowerPlace): string {
  if (kind === 'clickhouse') return follower;
  return kind === 'group' ? `group ${follower}` : `topics, by ${follower}`;
}

/** `newest`: the lane's last version. What came behind it does not concern the lane. */
function placeText({ version, offset, note }: FollowerPlace, newest: number, committedTo: bigint): string {
  const parts: string[] = [];
  if (version !== null) {
    const behind = newest - version;
    parts.push(`version ${formatWhole(version)}${behind > 0 ? `, ${formatWhole(behind)} behind` : ''}`);
  }
  if (offset !== null) {
    const behind = committedTo - offset;
    parts.push(`${formatWhole(offset)}${behind > 0n ? `, ${formatWhole(behind)} behind` : ''}`);
  }
  if (note !== null) parts.push(note);
  return parts.join(', ');
}

/** A report for machines: offsets are strings, since they may not fit a JSON reader's numbers. */
export function jsonOf(report: object): string {
  return JSON.stringify(report, (_, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
}

function ago(ms: number, nowMs: number): string {
  return `${formatElapsed(Math.max(0, nowMs - ms))} ago`;
}

function timeText(ms: number): string {
  return new Date(ms)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, '');
}
