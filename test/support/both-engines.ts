import { expect } from 'vitest';
import type { CompiledModel, RowValue } from '#src/model/types.js';
import { KernelTestLane } from './kernel-lane.js';
import { LaneProbe } from './reference-lane.js';

/** Behind all sessions of a test. */
const END_MS = Date.UTC(2200, 0, 1);

export interface BothRows {
  rows: Record<string, RowValue>[];
  filtered: number;
  blanked: number;
}

/** The rows of kernel and reference, which are the same, in the order of session_start; all sessions are closed. */
export function rowsOfBoth(model: CompiledModel, events: readonly object[]): BothRows {
  const lane = new KernelTestLane(model);
  lane.send(events);
  const rows = lane.rows();
  const probe = new LaneProbe(model);
  for (const event of events) {
    const value = Buffer.from(JSON.stringify(event));
    probe.lane.accept({ offset: probe.offset++, timestampMs: -1, key: null, value, tooLarge: false });
  }
  probe.marks({ idleWatermarkMs: END_MS });
  const text = (row: object) =>
    JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? `${value}n` : value));
  const order = (a: object, b: object) => (text(a) < text(b) ? -1 : 1);
  expect(rows.toSorted(order)).toEqual(probe.named.toSorted(order));
  const { filtered, blanked } = lane;
  expect({ filtered, blanked }).toEqual({ filtered: probe.lane.filtered, blanked: probe.lane.blanked });
  return { rows, filtered, blanked };
}
