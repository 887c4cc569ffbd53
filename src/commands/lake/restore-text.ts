import type { Add } from '../../lake/delta/actions.js';
import { rowsOf } from '../../lake/reading/file-rows.js';
import { sum } from '../../lake/reading/history.js';
import type { TableAt } from '../../lake/reading/table-at.js';
import type { RestoreDraft } from '../../ledger/restore.js';
import { formatBytes, formatWhole } from '../../telemetry/progress.js';
import { timeText } from './lane-text.js';

export interface RestoreReport {
  table: string;
  then: TableAt;
  draft: RestoreDraft;
  /** Null: nothing was done. */
  version: number | null;
}

export function restoreJson({ table, then, draft, version }: RestoreReport): string {
  const side = (files: readonly Add[]) => ({
    files: files.length,
    rows: sum(files.map(rowsOf)),
    bytes: files.reduce((total, { size }) => total + size, 0),
  });
  return JSON.stringify({
    table,
    to: then.version,
    removed: side(draft.remove),
    added: side(draft.add),
    done: version !== null,
    version,
  });
}

export function restoreText({ table, then, draft: { add, remove }, version }: RestoreReport): string {
  const written = then.timeMs === null ? '' : ` of ${timeText(then.timeMs)}`;
  const head = `Table ${table}, back to version ${formatWhole(then.version)}${written}`;
  if (add.length + remove.length === 0)
    return `${head}\n\nThe table has just these files: there is nothing to do.`;
  const done = version !== null;
  const lines = [
    `${done ? 'Taken out' : 'Would take out'}: ${filesText(remove)}`,
    `${done ? 'Brought back' : 'Would bring back'}: ${filesText(add)}`,
  ];
  return [head, lines.join('\n'), done ? doneText(version) : DRY].join('\n\n');
}

const DRY = `Nothing was changed. --yes does it. What it means:
- Only the table changes. Partitions go on where they are: what is taken out is not read from Kafka again (headrace ledger reset does that).
- A correction that comes later for a session that was taken out brings a row with sign -1 for one that is no more; lake check names them.
- ClickHouse and output topics are not changed. headrace clickhouse rebuild brings ClickHouse to the table's state.
- What is taken out can be brought back in the same way, until a vacuum deletes its files.`;

function doneText(version: number): string {
  return `Done in version ${formatWhole(version)}; headrace lake restore --version ${version - 1} takes it back. ClickHouse has what it had: headrace clickhouse rebuild brings it to this state.`;
}

function filesText(files: readonly Add[]): string {
  if (files.length === 0) return 'nothing';
  const rows = sum(files.map(rowsOf));
  const bytes = files.reduce((total, { size }) => total + size, 0);
  const days = [
    ...new Set(files.map(({ partitionValues }) => Object.values(partitionValues).join('/'))),
  ].sort();
  const span = days.length < 2 ? days[0] : `${days[0]} … ${days.at(-1)}`;
  const what = `${formatWhole(files.length)} files, ${rows === null ? '?' : formatWhole(rows)} rows, ${formatBytes(bytes)}`;
  return span === undefined || span === '' ? what : `${what} (${span})`;
}
