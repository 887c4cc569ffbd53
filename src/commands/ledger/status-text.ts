import { formatBytes, formatElapsed, formatTable, formatWhole } from '../../telemetry/progress.js';
import type { LaneReport, LedgerReport } from './read-ledger.js';

/** The ledger's state for people: a line on the table, a table of lanes. `nowMs`: what ages are counted to. */
export function statusText(report: LedgerReport, nowMs: number): string {
  const { table, version, writtenMs, group, topic, model, topics } = report;
  const head = [
    `Table ${table}`,
    `version ${formatWhole(version)} of ${timeText(writtenMs)}, ${ago(writtenMs, nowMs)}`,
    `group ${group}, topic ${topic}, model ${model}`,
  ].join('\n');
  if (topics.length === 0) return `${head}\n\nNo engine has started a lane in it yet.`;
  return [head, ...topics.map(({ topicId, lanes }) => topicText(topicId, lanes, nowMs))].join('\n\n');
}

function topicText(topicId: string, lanes: readonly LaneReport[], nowMs: number): string {
  const rows = lanes.map((lane) => [
    lane.partition,
    formatWhole(lane.startOffset),
    formatWhole(lane.committedTo),
    formatWhole(lane.version),
    ago(lane.committedMs, nowMs),
    lane.watermarkMs === null ? '–' : timeText(lane.watermarkMs),
    ...snapshotCells(lane, nowMs),
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
      'let out at',
    ],
    rows,
  );
  return `Topic id ${topicId}\n${table}`;
}

function snapshotCells({ snapshot }: LaneReport, nowMs: number): string[] {
  if (snapshot === null) return ['–', '–', '–'];
  const { offset, takenMs, sizeBytes, isThere } = snapshot;
  return [formatWhole(offset), ago(takenMs, nowMs), isThere ? formatBytes(sizeBytes) : 'missing'];
}

/** The ledger's state for machines: offsets are strings, since they may not fit a JSON reader's numbers. */
export function statusJson(report: LedgerReport): unknown {
  return JSON.parse(
    JSON.stringify(report, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)),
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
