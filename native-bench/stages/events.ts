import assert from 'node:assert/strict';
import { parseEvent } from '#src/reference/event.js';
import { type BatchLimits, decodeBatches } from '#src/reference/record-batches.js';
import { walkRecords } from '#src/reference/record-walk.js';
import { type Contender, contender, type Role, type Stage } from '../stage.js';
import type { Workload } from '../workload.js';
import { copying, kernelWalking } from './bytes.js';

/** Stages that read events. Their floor: JSON.parse of the same values. */

export const LIMITS: BatchLimits = {
  decompressedBatchBytesMax: 64 * 1024 * 1024,
  recordBytesMax: 1024 * 1024,
};

/** The part of an event that the proofs look at. */
export interface RawEvent {
  user_id: string;
  event_type: string;
}

export type Counts = Map<string, number>;

export function walkStage(workload: Workload): Stage {
  const run = () => {
    let valueBytes = 0;
    for (const { records, count } of workload.batches) {
      walkRecords(records, count, count - 1, (record) => {
        valueBytes += record.valueBytes;
      });
    }
    return valueBytes;
  };
  const prove = (valueBytes: number) => {
    assert.equal(valueBytes, workload.valueBytes);
    const values = workload.batches.flatMap(({ records, count }) => {
      const found: Uint8Array[] = [];
      walkRecords(records, count, count - 1, ({ valueAt, valueBytes: bytes }) => {
        found.push(records.subarray(valueAt, valueAt + bytes));
      });
      return found;
    });
    workload.events.forEach(({ value }, index) => {
      assert.ok(value.equals(values[index]!));
    });
  };
  return {
    name: 'walk',
    unit: 'event',
    units: workload.events.length,
    events: workload.events.length,
    contenders: [
      kernelWalking(workload),
      contender('rival', 'walkRecords, the reference', run, prove),
      copying(
        'memcpy, decompressed',
        workload.batches.map(({ records }) => records),
      ),
    ],
  };
}

export function decodeStage(workload: Workload, jsonParse: Contender): Stage {
  const run = () => {
    const counts: Counts = new Map();
    const done = decodeBatches(workload.fetched, { fromOffset: 0n, limits: LIMITS }, ({ value }) => {
      count(counts, parse(value!).event_type);
    });
    return { counts, done };
  };
  const prove = ({ counts, done }: ReturnType<typeof run>) => {
    assert.equal(done.records, workload.events.length);
    assert.equal(done.nextOffset, BigInt(workload.events.length));
    proveTypes(workload, counts);
  };
  return {
    name: 'batch to objects',
    unit: 'event',
    units: workload.events.length,
    events: workload.events.length,
    contenders: [contender('stage', 'decodeBatches + JSON.parse', run, prove), jsonParse],
  };
}

export function extractStage(workload: Workload, jsonParse: Contender): Stage {
  return {
    name: 'extraction',
    unit: 'event',
    units: workload.events.length,
    events: workload.events.length,
    contenders: [extracting('stage', workload), jsonParse],
  };
}

/** What every figure is compared with: JSON.parse(buffer.toString()) of each value. */
export function jsonParsing(workload: Workload): Contender {
  const run = () => {
    const counts: Counts = new Map();
    for (const { value } of workload.events) count(counts, parse(value).event_type);
    return counts;
  };
  return contender('floor', 'JSON.parse(buffer.toString())', run, (counts) => proveTypes(workload, counts));
}

export function extracting(role: Role, workload: Workload): Contender {
  const { model, records, events } = workload;
  const run = () => {
    let timeMsSum = 0;
    for (const { value, timestampMs } of records) {
      const parsed = parseEvent(model, value, timestampMs);
      if (!parsed.ok) throw new Error(parsed.detail);
      timeMsSum += parsed.timeMs - events[0]!.timeMs;
    }
    return timeMsSum;
  };
  const prove = (timeMsSum: number) => {
    assert.equal(
      timeMsSum,
      events.reduce((sum, { timeMs }) => sum + timeMs - events[0]!.timeMs, 0),
    );
    const userIds = records.map(({ value, timestampMs }) => {
      const parsed = parseEvent(model, value, timestampMs);
      return parsed.ok && parsed.values[model.keyField];
    });
    assert.deepEqual(
      userIds,
      events.map(({ key }) => key),
    );
  };
  return contender(role, 'parseEvent', run, prove);
}

export function parse(value: Uint8Array): RawEvent {
  return JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString()) as RawEvent;
}

export function count(counts: Counts, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function proveTypes({ expected }: Workload, counts: Counts): void {
  const occurring = Object.entries(expected.byType).filter(([, events]) => events > 0);
  assert.deepEqual(Object.fromEntries(counts), Object.fromEntries(occurring));
}
