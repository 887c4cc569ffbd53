import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { readParquet } from 'parquet-wasm';
import type { Add } from '#src/lake/delta/actions.js';

export interface TableSums {
  /** Σ sign. */
  sessions: number;
  /** Σ sign × total_events. */
  events: number;
  rows: number;
}

/** Adds up the sessions of a table's data files, read by another's Parquet reader. */
export function sumTable(table: string, files: readonly Add[]): TableSums {
  const sums: TableSums = { sessions: 0, events: 0, rows: 0 };
  for (const { path } of files) {
    const bytes = readFileSync(join(table, path));
    const read = tableFromIPC(readParquet(bytes, { columns: ['sign', 'total_events'] }).intoIPCStream());
    const signs = read.getChild('sign')!.toArray() as ArrayLike<number>;
    // Delta has no unsigned types: counts are 64 bits wide
    const events = read.getChild('total_events')!.toArray() as ArrayLike<bigint>;
    for (let row = 0; row < signs.length; row++) {
      sums.sessions += signs[row]!;
      sums.events += signs[row]! * Number(events[row]!);
    }
    sums.rows += signs.length;
  }
  return sums;
}
