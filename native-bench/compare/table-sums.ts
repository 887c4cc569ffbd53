import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Table, tableFromIPC } from 'apache-arrow';
import { readParquet } from 'parquet-wasm';
import type { Add } from '#src/lake/delta/actions.js';
import { addSession, noSessions, type SessionSums } from './session-sums.js';

/** In the order of EVENT_TYPES, as config/models/clickstream.yaml names them. */
const COUNTS = ['page_views', 'clicks', 'add_to_carts', 'purchases', 'searches'];
const COLUMNS = [
  ...COUNTS,
  'sign',
  'total_events',
  'unique_pages',
  'session_start',
  'session_end',
  'country',
  'device_type',
];
const US_PER_MS = 1_000;

/** Adds up the sessions of our table, read by another's Parquet reader: what the rivals are held against. */
export function tableSums(folder: string, files: readonly Add[]): SessionSums {
  const sums = noSessions();
  for (const { path } of files) {
    const bytes = readFileSync(join(folder, path));
    addRows(sums, tableFromIPC(readParquet(bytes, { columns: COLUMNS }).intoIPCStream()));
  }
  return sums;
}

function addRows(sums: SessionSums, table: Table): void {
  const numbers = (name: string) => table.getChild(name)!.toArray() as ArrayLike<number | bigint>;
  const [signs, events, pages] = ['sign', 'total_events', 'unique_pages'].map(numbers);
  const [starts, ends] = ['session_start', 'session_end'].map(numbers);
  const counts = COUNTS.map(numbers);
  const countries = table.getChild('country')!;
  const devices = table.getChild('device_type')!;
  for (let row = 0; row < table.numRows; row++) {
    const session = {
      durationMs: Number(BigInt(ends![row]!) - BigInt(starts![row]!)) / US_PER_MS,
      events: Number(events![row]),
      pages: Number(pages![row]),
      country: countries.get(row) as string | null,
      device: devices.get(row) as string | null,
      byType: counts.map((column) => Number(column[row])),
    };
    addSession(sums, session, Number(signs![row]));
  }
}
