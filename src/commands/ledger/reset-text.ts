import { formatTable, formatWhole } from '../../telemetry/progress.js';
import { jsonOf } from './status-text.js';

/** What becomes of one lane. */
export interface LanePlan {
  partition: number;
  /** Where the ledger has it. */
  from: bigint;
  to: bigint;
  /** The end of what can be read of the partition now. */
  end: bigint;
  /** The version that started it over before, or null. */
  resetIn: number | null;
  /** Rows that it let out behind `to`: they stay. */
  rowsBehind: number;
}

export interface ResetReport {
  table: string;
  topic: string;
  lanes: readonly LanePlan[];
  /** The version that did it; null: nothing was done. */
  version: number | null;
}

/** For people: what is moved, and what that means for what is there. */
export function planText({ table, topic, lanes, version }: ResetReport): string {
  const rows = lanes.map(({ partition, from, to, end, rowsBehind }) => [
    partition,
    formatWhole(from),
    formatWhole(to),
    to < from ? formatWhole(from - to) : '–',
    to > from ? formatWhole(to - from) : '–',
    formatWhole(end - to),
    formatWhole(rowsBehind),
  ]);
  const head = [
    'partition',
    'committed to',
    'starts over at',
    'read again',
    'passed over',
    'left to read',
    'rows behind',
  ];
  const back = lanes.filter(({ from, to }) => to < from);
  const ahead = lanes.filter(({ from, to }) => to > from);
  const behind = lanes.reduce((sum, lane) => sum + lane.rowsBehind, 0);
  const notes = [
    'Sessions that are open now are given up: of their events nothing comes into the table, unless they are read again.',
    ...(ahead.length === 0 ? [] : ['What is passed over is in no session.']),
    ...(back.length === 0
      ? []
      : [
          `Rows that are in the table stay. What is read again makes new sessions beside them: up to ${formatWhole(behind)} rows are then there twice,`,
          'in the table, in ClickHouse and in the output topics, unless the table is restored, or a new table and group are taken instead.',
        ]),
    version === null
      ? 'Nothing was changed. --yes does it; engines that run start these partitions over within seconds.'
      : `Done, in version ${formatWhole(version)}. Engines that run start these partitions over within seconds.`,
  ];
  return [`Table ${table}, topic ${topic}`, formatTable(head, rows), ...notes].join('\n');
}

export function resetJson(report: ResetReport): string {
  return jsonOf(report);
}
