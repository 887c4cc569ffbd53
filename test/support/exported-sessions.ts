import type { CompiledModel, Row } from '#src/model/types.js';
import { ReferenceLane } from '#src/reference/lane.js';
import { nameRow } from './reference-lane.js';
import { makeSpineEvents, type SpineForm } from './spine-events.js';

/** The events and the sessions that an exported job is held against: the spine's awkward ones, and events that are refused. */

export interface ExportedRecord {
  partition: number;
  offset: number;
  timestampMs: number;
  key: string;
  value: string;
}

export type NamedRow = Record<string, unknown>;

/** In the order of the log, over some partitions; a key's events are in one of them. */
export function exportedRecords(
  form: SpineForm,
  profile: { seed: number; events: number; partitions: number },
  /** Each event says how long it holds its session open, most of them. */
  holds = false,
): ExportedRecord[] {
  const { events } = makeSpineEvents({ ...profile, users: 900, spanMs: 4 * 3_600_000 }, form);
  const next: number[] = new Array(profile.partitions).fill(0);
  return events.flatMap(({ key, value, arrivalMs }, index) => {
    const partition = [...key].reduce((sum, char) => sum + char.codePointAt(0)!, 0) % profile.partitions;
    const said =
      holds && index % 7 !== 0 ? `{"hold":${((index * 7_919) % 40_000) / 10 - 100},${value.slice(1)}` : value;
    const values = index % 50 === 7 ? [refused(said, arrivalMs, index), said] : [said];
    return values.map((text) => ({
      partition,
      offset: next[partition]!++,
      timestampMs: arrivalMs,
      key,
      value: text,
    }));
  });
}

/** The same event, so that it would be counted by whoever does not refuse it. */
function refused(value: string, arrivalMs: number, index: number): string {
  const event = JSON.parse(value) as Record<string, unknown>;
  // an hour is what a clock may be ahead: this one would close everybody's session
  const future = { ...event, timestamp: new Date(arrivalMs + 3_600_001 + 86_400_000).toISOString() };
  const kinds = [
    value.slice(0, -1),
    'no event',
    JSON.stringify({ ...event, timestamp: 'yesterday' }),
    JSON.stringify({ ...event, event_type: null }),
    JSON.stringify({ ...event, timestamp: undefined }),
    JSON.stringify(future),
  ];
  return kinds[((index / 50) % kinds.length) | 0]!;
}

/** What the engine makes of them: a lane a partition, to the end of the input. */
export function referenceRows(model: CompiledModel, records: readonly ExportedRecord[]): NamedRow[] {
  const lanes = new Map<number, { lane: ReferenceLane; rows: Row[] }>();
  for (const { partition, offset, timestampMs, value } of records) {
    let entry = lanes.get(partition);
    if (entry === undefined) {
      const rows: Row[] = [];
      const sink = { row: (row: Row) => rows.push(row), deadLetter: () => undefined };
      const lane = new ReferenceLane(model, sink, undefined, partition);
      entry = { lane, rows };
      lanes.set(partition, entry);
    }
    entry.lane.accept({
      offset: BigInt(offset),
      timestampMs,
      key: null,
      value: Buffer.from(value),
      tooLarge: false,
    });
  }
  return [...lanes.values()].flatMap(({ lane, rows }) => {
    lane.applyMarks({ endOfInput: true });
    return rows.map((row) => nameRow(model, row));
  });
}

/** Columns that the lists of what is not expressed name, in every export. */
const NAMED = ['created_at', 'batch_id', 'file_id', 'closed_by'];

/** Rows as texts that are equal where they mean the same: without what the list names, JSON texts by their content. */
export function comparable(model: CompiledModel, rows: readonly NamedRow[]): string[] {
  const columns = model.columns.filter(({ name }) => !NAMED.includes(name));
  const isJson = new Set(
    columns
      .filter(({ op }) => op.op === 'records' || ('json' in op && op.json === true))
      .map(({ name }) => name),
  );
  return rows
    .map((row) =>
      JSON.stringify(
        columns.map(({ name }) => [
          name,
          isJson.has(name) ? JSON.parse(row[name] as string) : plain(row[name]),
        ]),
      ),
    )
    .sort();
}

function plain(value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}
