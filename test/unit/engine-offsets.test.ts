import { expect, it } from 'vitest';
import { workerMemory } from '#src/config/worker-memory.js';
import { openBatches } from '#src/reference/batch-reader.js';
import { makeEngine } from '../../workers/engines/make-engine.js';
import { buildBatch } from '../support/batch-builder.js';
import { BASE_MS, tinyModel } from '../support/reference-lane.js';

const LIMITS = { sessionMemoryBytes: 2 ** 20, recordBytesMax: 2 ** 20, decompressedBatchBytesMax: 2 ** 20 };
const RING_BYTES = 2 ** 16;
const BASE_OFFSET = 2n ** 40n;
const DELTAS = [0, 7, 2 ** 31 - 1];

function eventsTaken(engine: 'kernel' | 'reference', from: bigint, until: bigint): number {
  const pages = workerMemory({ ...LIMITS, ringBytes: RING_BYTES }, 'kernel').totalPages;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const made = makeEngine({
    engine,
    model: tinyModel(),
    memory,
    limits: LIMITS,
    ringCapacityBytes: RING_BYTES,
  });
  const value = JSON.stringify({ user: 'u', at: BASE_MS });
  const records = DELTAS.map((offsetDelta) => ({ offsetDelta, timestampMs: BASE_MS, value }));
  const lane = made.lane(null);
  let events = 0;
  openBatches(
    buildBatch({ baseOffset: BASE_OFFSET, records, baseTimestampMs: BASE_MS }),
    { fromOffset: from, limits: LIMITS },
    made.codecs,
    (batch) => {
      events += lane.accept(batch, from, until).events;
    },
  );
  expect(lane.openSessions).toBe(events === 0 ? 0 : 1);
  return events;
}

it.each(['kernel', 'reference'] as const)(
  'the %s takes the records from one offset up to another, whatever lies between them',
  (engine) => {
    const end = BASE_OFFSET + 2n ** 31n;
    expect(eventsTaken(engine, 0n, end)).toBe(3);
    expect(eventsTaken(engine, 0n, 2n ** 62n)).toBe(3);
    expect(eventsTaken(engine, BASE_OFFSET + 1n, end)).toBe(2);
    expect(eventsTaken(engine, BASE_OFFSET + 8n, end)).toBe(1);
    expect(eventsTaken(engine, 0n, end - 1n)).toBe(2);
    expect(eventsTaken(engine, 0n, BASE_OFFSET)).toBe(0);
  },
);
