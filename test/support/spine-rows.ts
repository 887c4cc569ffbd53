import type { TableRow } from './spine-table.js';

/** Whether a sink has the table's rows. */

const SHOWN_MAX = 5;

/** What the table has and a sink lacks, or the other way round, every column of every row, as sentences: none when they are equal. */
export function rowDifferences(
  delta: readonly TableRow[],
  sink: readonly TableRow[],
  sinkName = 'ClickHouse',
): string[] {
  // by name, so that neither side's order matters; all rows of a side have the same columns
  const names = [delta, sink].map(([first = {}]) => Object.keys(first).sort());
  const counts = new Map<string, number>();
  for (const row of delta) count(counts, textOf(row, names[0]!), 1);
  for (const row of sink) count(counts, textOf(row, names[1]!), -1);
  const found = [...counts];
  const shown = found.slice(0, SHOWN_MAX).map(([text, times]) => {
    const where = times > 0 ? 'only in the table' : `only in ${sinkName}`;
    return `${Math.abs(times)} × ${where}: ${text}`;
  });
  if (String(names[0]) !== String(names[1]))
    shown.unshift(`columns ${names[0]} in the table, ${names[1]} in ${sinkName}`);
  return found.length <= SHOWN_MAX ? shown : [...shown, `… and ${found.length - SHOWN_MAX} more`];
}

/** Texts with a count of 0 are not there. */
function count(counts: Map<string, number>, text: string, by: number): void {
  const times = (counts.get(text) ?? 0) + by;
  if (times === 0) counts.delete(text);
  else counts.set(text, times);
}

function textOf(row: TableRow, names: readonly string[]): string {
  const values = names.map((name) => {
    const value = row[name];
    return typeof value === 'bigint' ? `${value}` : value;
  });
  return JSON.stringify(values);
}
