import assert from 'node:assert/strict';
import type { CompiledModel, Row } from '#src/model/types.js';
import { ReferenceLane } from '#src/reference/lane.js';
import { decodeBatches } from '#src/reference/record-batches.js';
import { addCrc, rowCrc } from '#src/reference/row-crc.js';
import { type Contender, contender, type Stage } from '../stage.js';
import type { Workload } from '../workload.js';
import { type Counts, count, extracting, LIMITS, parse } from './events.js';
import { encodeAll, proveFiles } from './rows.js';

/** Events → closed sessions, alone and as the whole way through a worker. */

export function sessionStage(workload: Workload): Stage {
  return {
    name: 'sessions',
    unit: 'event',
    units: workload.events.length,
    events: workload.events.length,
    contenders: [
      contender(
        'stage',
        'ReferenceLane.accept',
        () => closedRows(workload),
        (rows) => proveRows(workload, rows),
      ),
      extracting('floor', workload),
      countingByUser(workload),
    ],
  };
}

/** What a worker does with a fetched answer, in its order; only the ring and the disk are missing. */
export function workerStage(workload: Workload): Stage {
  const { model, fetched } = workload;
  const run = () => {
    const rows: Row[] = [];
    let crc = 0;
    const lane = laneInto(model, (row) => {
      crc = addCrc(crc, rowCrc(model, row));
      rows.push(row);
    });
    decodeBatches(fetched, { fromOffset: 0n, limits: LIMITS }, (record) => lane.accept(record));
    closeAll(workload, lane);
    return { rows, crc, files: encodeAll(model, rows) };
  };
  return {
    name: 'whole worker',
    unit: 'event',
    units: workload.events.length,
    events: workload.events.length,
    contenders: [
      contender('stage', 'batches → Parquet', run, ({ rows, crc, files }) => {
        proveRows(workload, rows);
        assert.equal(
          crc,
          rows.reduce((sum, row) => addCrc(sum, rowCrc(model, row)), 0),
        );
        proveFiles(model, rows, files);
      }),
    ],
  };
}

/** All sessions of the workload, closed. */
export function closedRows(workload: Workload): Row[] {
  const rows: Row[] = [];
  const lane = laneInto(workload.model, (row) => rows.push(row));
  for (const record of workload.records) lane.accept(record);
  closeAll(workload, lane);
  return rows;
}

export function laneInto(model: CompiledModel, onRow: (row: Row) => void): ReferenceLane {
  return new ReferenceLane(model, {
    row: onRow,
    deadLetter: ({ reason, detail }) => {
      throw new Error(`a dead letter: ${reason}, ${detail}`);
    },
  });
}

function closeAll({ model, events }: Workload, lane: ReferenceLane): void {
  const newestMs = events.reduce((newest, { timeMs }) => Math.max(newest, timeMs), 0);
  lane.applyMarks({ idleWatermarkMs: newestMs + model.gapMs + model.allowedLatenessMs + 1 });
}

function proveRows({ model, expected }: Workload, rows: readonly Row[]): void {
  assert.equal(rows.length, expected.sessions);
  const at = (name: string) => model.columns.findIndex((column) => column.name === name);
  const sumOf = (name: string) => rows.reduce((sum, row) => sum + (row[at(name)] as number), 0);
  assert.equal(sumOf('total_events'), expected.events);
  assert.equal(sumOf('page_views'), expected.byType.page_view);
  assert.equal(sumOf('purchases'), expected.byType.purchase);
  const countries = new Map<string | null, number>();
  for (const row of rows) {
    const country = row[at('country')] as string | null;
    countries.set(country, (countries.get(country) ?? 0) + 1);
  }
  assert.deepEqual(countries, expected.sessionsByCountry);
}

/** What a consumer in a few lines does: no order, no gaps, no rows, counters by user. */
export function countingByUser(workload: Workload): Contender {
  const run = () => {
    const users = new Map<string, Counts>();
    for (const { value } of workload.events) {
      const { user_id, event_type } = parse(value);
      let counts = users.get(user_id);
      if (counts === undefined) {
        counts = new Map();
        users.set(user_id, counts);
      }
      count(counts, event_type);
    }
    return users;
  };
  return contender('rival', 'JSON.parse + Map by user', run, (users) => {
    const expected = new Map<string, number>();
    for (const { key } of workload.events) count(expected, key);
    const sums = [...users].map(([user, counts]) => [user, [...counts.values()].reduce((a, b) => a + b, 0)]);
    assert.deepEqual(Object.fromEntries(sums), Object.fromEntries(expected));
  });
}
