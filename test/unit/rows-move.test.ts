import { expect, it } from 'vitest';
import { workerMemory } from '#src/config/worker-memory.js';
import { openBatches } from '#src/reference/batch-reader.js';
import type { Emitted, LaneEngine, SessionEngine } from '../../workers/engines/engine.js';
import { KernelEngine } from '../../workers/engines/kernel-engine.js';
import { ReferenceEngine } from '../../workers/engines/reference-engine.js';
import { FILE_MOST, filesOf } from '../../workers/file-rows.js';
import { compareEmitted } from '../fuzz/emitted-compare.js';
import { readColumns } from '../support/columnar-read.js';
import { batchOf, model } from '../support/fake-worker-input.js';
import type { TinyEvent } from '../support/reference-lane.js';

/** A lane that lets out more rows in one go than the kernel's memory holds. */

const MiB = 2 ** 20;
const SESSIONS = 2_000;
const EVENTS = 5;
/** Each row has it eight times, all sessions together once: rows are twenty times their sessions. */
const LONG_PAGE = `/${'x'.repeat(1_000)}`;
const LIMITS = { recordBytesMax: MiB, decompressedBatchBytesMax: 8 * MiB };
const SEAL = { createdAtMs: 1_767_225_600_000, batchId: 7n, fileId: 8n };

/** Rows of all sessions take 16 MiB (32 in blocks), the heap is 12. */
function smallKernel(): KernelEngine {
  const sessionBytesMax = 4 * MiB;
  const place = workerMemory({ ...LIMITS, sessionMemoryBytes: sessionBytesMax, ringBytes: 65_536 }, 'kernel');
  const memory = new WebAssembly.Memory({
    initial: place.totalPages,
    maximum: place.totalPages,
    shared: true,
  });
  const heapBytes = sessionBytesMax + 8 * MiB;
  return new KernelEngine({
    ...place,
    heapBytes,
    memory,
    model,
    sessionBytesMax,
    recordBytesMax: MiB,
    seed: 1n,
  });
}

interface Fed {
  engine: SessionEngine;
  lane: LaneEngine;
  send(events: readonly TinyEvent[]): void;
}

function fed(engine: SessionEngine): Fed {
  const lane = engine.lane(null);
  let offset = 0n;
  const send = (events: readonly TinyEvent[]) => {
    const until = offset + BigInt(events.length);
    const options = {
      fromOffset: offset,
      limits: LIMITS,
      where: { topic: 'clicks', partition: 0 },
      aborted: [],
    };
    openBatches(batchOf(events, Number(offset)), options, engine.codecs, (batch) => {
      expect(lane.accept(batch, offset, until).full).toBe(false);
    });
    offset = until;
  };
  for (let event = 0; event < EVENTS; event++) {
    for (let from = 0; from < SESSIONS; from += 500) {
      send(
        Array.from({ length: 500 }, (_, i) => ({
          user: `user-${from + i}`,
          at: event,
          page: LONG_PAGE,
        })),
      );
    }
  }
  return { engine, lane, send };
}

/** Every way in which a lane lets all go at once. */
const BURSTS: [string, (fed: Fed) => void][] = [
  ['the end of its input', ({ lane }) => lane.applyMarks({ endOfInput: true })],
  ['an early mark', ({ lane }) => lane.applyMarks({ early: true })],
  ['an eviction', ({ lane }) => lane.applyMarks({ evictBeforeMs: Number.MAX_SAFE_INTEGER })],
  ['an event after a long silence', ({ send }) => send([{ user: 'later', at: 10_000 }])],
  ['a watermark that is moved', ({ lane }) => lane.applyMarks({ idleWatermarkMs: 1_800_000_000_000 })],
];

it.each(BURSTS)('%s that lets out more than the kernel holds gives the rows of the reference', (_, burst) => {
  const [kernel, reference] = [fed(smallKernel()), fed(new ReferenceEngine(model))];
  burst(kernel);
  burst(reference);
  const [own, others] = [kernel.lane.take(), reference.lane.take()];
  const sums = ({ rows, crc, days }: Emitted) => [rows, crc, [...days].map(([day, of]) => [day, of.rows])];
  expect(own.rows).toBe(SESSIONS);
  expect(sums(own)).toEqual(sums(others));
  own.free();
});

it('rows that left the kernel are there to the last byte, and become files like all others', () => {
  const [kernel, reference] = [fed(smallKernel()), fed(new ReferenceEngine(model))];
  for (const { lane } of [kernel, reference]) lane.applyMarks({ endOfInput: true });
  const emitted = kernel.lane.take();
  compareEmitted(model, emitted, reference.lane.take());
  expect(usersOf(kernel.engine, emitted)).toEqual(allUsers());
  emitted.free();
});

it('a lane that is freed with rows on their way leaves nothing in the kernel', () => {
  const engine = smallKernel();
  const { lane } = fed(engine);
  lane.applyMarks({ endOfInput: true });
  lane.free();
  expect(engine.sessionBytes).toBeLessThan(MiB);
  expect(engine.rowPressure).toBeLessThan(0.2);
});

function allUsers(): string[] {
  return Array.from({ length: SESSIONS }, (_, i) => `user-${i}`).sort();
}

/** The users of the rows in files of a few mebibytes, several of them. */
function usersOf(engine: SessionEngine, emitted: Emitted): string[] {
  const given = [...emitted.days].map(([day, rows]) => ({ day, rows, partition: 3 }));
  const files = filesOf(given, { rows: 400, bytes: 2 * MiB });
  expect(files.length).toBeGreaterThan(3);
  const users = files.flatMap((file) => {
    expect(new Set(file.partitions)).toEqual(new Set([3]));
    const { bytes, rows } = engine.encode(file.rows, SEAL);
    expect(rows).toBeLessThanOrEqual(400);
    return readColumns(bytes).user!.map(String);
  });
  return users.sort();
}

it('a file has one day, at most so many rows and bytes, and the parts in their order', () => {
  const part = (rows: number, name: string) => ({
    rows,
    bytes: rows * 10,
    name,
    split: (most: { rows: number }) =>
      rows <= most.rows ? [part(rows, name)] : [part(most.rows, name), part(rows - most.rows, name)],
  });
  const given = [
    { day: 2, rows: part(5, 'a'), partition: 1 },
    { day: 1, rows: part(14, 'b'), partition: 1 },
    { day: 2, rows: part(4, 'c'), partition: 3 },
    { day: 2, rows: part(2, 'd'), partition: 4 },
  ];
  const files = filesOf(given as Parameters<typeof filesOf>[0], { rows: 10, bytes: 1_000 });
  const shown = files.map(({ day, rows, partitions }) => [day, rows.map((each) => each.rows), partitions]);
  expect(shown).toEqual([
    [1, [10], [1]],
    [1, [4], [1]],
    [2, [5, 4], [1, 3]],
    [2, [2], [4]],
  ]);
  expect(FILE_MOST.rows).toBeGreaterThan(100_000);
});
