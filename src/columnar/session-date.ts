import { invariant } from '../invariant.js';
import type { CompiledModel, Row } from '../model/types.js';

const MS_PER_DAY = 86_400_000;

/** The UTC date of a time in ms since 1970, as 'YYYY-MM-DD': the value of the table's partition column. */
export function sessionDate(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** Rows by the UTC date of their session_start, dates ascending, rows of a date in the order they came. */
export function groupByDate(model: CompiledModel, rows: readonly Row[]): Map<string, Row[]> {
  const start = model.columnIndex.session_start;
  const byDay = new Map<number, Row[]>();
  for (const row of rows) {
    const ms = row[start];
    invariant(typeof ms === 'number', 'session_start of a row is not a time', { value: String(ms) });
    const day = Math.floor(ms / MS_PER_DAY);
    const group = byDay.get(day);
    if (group === undefined) byDay.set(day, [row]);
    else group.push(row);
  }
  const days = [...byDay].sort(([a], [b]) => a - b);
  return new Map(days.map(([day, group]) => [sessionDate(day * MS_PER_DAY), group]));
}
