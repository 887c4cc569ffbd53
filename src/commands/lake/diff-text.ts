import type { Cell, CellColumn } from '../../lake/reading/cell.js';
import { jsonWriter, textWriter } from '../../lake/reading/cell-text.js';
import { partitionKey } from '../../lake/reading/plain-rows.js';
import type { DifferentRow } from '../../lake/reading/row-difference.js';
import { changedColumns, type SessionDifference } from '../../lake/reading/session-difference.js';
import { formatTable, formatWhole } from '../../telemetry/progress.js';
import { printable } from '../dlq/printable.js';
import { partitionText } from './show.js';

export interface DiffReport {
  table: string;
  from: number;
  to: number;
  columns: readonly CellColumn[];
  filesRead: number;
  found: readonly SessionDifference[];
  /** So many are shown one by one. */
  limit: number;
}

interface Counts {
  added: number;
  changed: number;
  removed: number;
}

/** A change counts in the partition where the session is now. */
function countsOf(found: readonly SessionDifference[]) {
  const all: Counts = { added: 0, changed: 0, removed: 0 };
  const partitions = new Map<string, Counts & { values: DifferentRow['partitionValues'] }>();
  for (const each of found) {
    const { partitionValues } = each.kind === 'removed' ? each.before : each.after;
    const key = partitionKey({ partitionValues });
    const own = partitions.get(key) ?? { values: partitionValues, added: 0, changed: 0, removed: 0 };
    partitions.set(key, own);
    own[each.kind]++;
    all[each.kind]++;
  }
  const sorted = [...partitions].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, counts]) => counts);
  return { all, partitions: sorted };
}

/** Of a change only the columns that differ; ids and start always. */
export function diffJson({ table, from, to, columns, filesRead, found, limit }: DiffReport): string {
  const json = columns.map(({ type }) => jsonWriter(type));
  const ids = columns.flatMap(({ name }, at) => (IDS.has(name) ? [at] : []));
  const all = columns.map((_, at) => at);
  const object = (row: DifferentRow, places: readonly number[]) =>
    `{${places.map((at) => `${JSON.stringify(columns[at]!.name)}:${json[at]!(row.cells[at]!)}`)}}`;
  const sessions = found.slice(0, limit).map((each) => {
    if (each.kind === 'added') return `{"kind":"added","old":null,"new":${object(each.after, all)}}`;
    if (each.kind === 'removed') return `{"kind":"removed","old":${object(each.before, all)},"new":null}`;
    const changed = changedColumns(columns, json, each);
    const places = all.filter((at) => ids.includes(at) || changed.includes(at));
    return `{"kind":"changed","old":${object(each.before, places)},"new":${object(each.after, places)}}`;
  });
  const { all: counts, partitions } = countsOf(found);
  const head = JSON.stringify({ table, from, to, ...counts, partitions, filesRead });
  return `${head.slice(0, -1)},"sessions":[${sessions.join(',\n')}]}`;
}

const IDS = new Set(['session_id', 'session_start']);

export function diffText(report: DiffReport): string {
  const { table, from, to, columns, filesRead, found, limit } = report;
  const head = `Table ${table}, from version ${formatWhole(from)} to ${formatWhole(to)} (${formatWhole(filesRead)} files read)`;
  if (found.length === 0) return `${head}\n\nThe same sessions.\n`;
  const { all, partitions } = countsOf(found);
  const rows = partitions.map(({ values, added, changed, removed }) => [
    partitionText(values),
    formatWhole(added),
    formatWhole(changed),
    formatWhole(removed),
  ]);
  const sum = `${formatWhole(all.added)} sessions added, ${formatWhole(all.changed)} changed, ${formatWhole(all.removed)} removed`;
  const lines = found.slice(0, limit).map((each) => lineOf(columns, each));
  const left = found.length - lines.length;
  if (left > 0) lines.push(`… and ${formatWhole(left)} more; --limit shows them`);
  const table_ = formatTable(['partition', 'added', 'changed', 'removed'], rows);
  return `${[head, `${sum}\n${table_}`, lines.join('\n')].join('\n\n')}\n`;
}

/** `~ u1:1769860800000  total_events 3 → 4, session_end … → …` */
function lineOf(columns: readonly CellColumn[], each: SessionDifference): string {
  const { cells } = each.kind === 'removed' ? each.before : each.after;
  const id = columns.findIndex(({ name }) => name === 'session_id');
  const name = id < 0 ? '' : printable(cellText(columns[id]!, cells[id]!), 60);
  if (each.kind === 'changed') {
    const json = columns.map(({ type }) => jsonWriter(type));
    const changes = changedColumns(columns, json, each).map((at) => {
      const [old, now] = [each.before, each.after].map((row) =>
        printable(cellText(columns[at]!, row.cells[at]!), 30),
      );
      return `${columns[at]!.name} ${old} → ${now}`;
    });
    return `~ ${name}  ${changes.join(', ')}`;
  }
  const facts = columns.flatMap((column, at) =>
    at === id || cells[at] === null || !SHORT.has(column.type.kind)
      ? []
      : [`${column.name} ${printable(cellText(column, cells[at]!), 30)}`],
  );
  return `${each.kind === 'added' ? '+' : '−'} ${name}  ${facts.slice(0, 5).join(', ')}`;
}

const SHORT = new Set(['byte', 'short', 'integer', 'long', 'timestamp', 'date', 'string']);

function cellText(column: CellColumn, cell: Cell): string {
  return cell === null ? '–' : textWriter(column.type)(cell);
}
