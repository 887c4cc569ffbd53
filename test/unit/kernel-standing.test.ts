import { expect, it } from 'vitest';
import { workerMemory } from '#src/config/worker-memory.js';
import type { Marks } from '#src/model/marks.js';
import { openBatches } from '#src/reference/batch-reader.js';
import { encodeRow } from '#src/reference/row-crc.js';
import type { LaneEngine, SessionEngine } from '../../workers/engines/engine.js';
import { KernelRows } from '../../workers/engines/kernel-rows.js';
import { makeEngine } from '../../workers/engines/make-engine.js';
import { compareStates } from '../fuzz/state-compare.js';
import { batchOf, model } from '../support/fake-worker-input.js';
import type { TinyEvent } from '../support/reference-lane.js';

/** Rows of open sessions that may be taken back, held against the reference; times are seconds. */

const LIMITS = {
  sessionMemoryBytes: 16 * 2 ** 20,
  recordBytesMax: 2 ** 20,
  decompressedBatchBytesMax: 2 ** 23,
};
const WHERE = { topic: 'clicks', partition: 0 };
/** A value that all sessions share, and each row has four times. */
const LONG_PAGE = `/${'x'.repeat(1_000)}`;

function engineOf(engine: 'kernel' | 'reference'): SessionEngine {
  const ringCapacityBytes = 2 ** 16;
  const pages = workerMemory({ ...LIMITS, ringBytes: ringCapacityBytes }, engine).totalPages;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  return makeEngine({ engine, model, memory, limits: LIMITS, ringCapacityBytes });
}

/** One engine and its lanes, which are all sent the same. */
class Lanes {
  readonly engine: SessionEngine;
  readonly #lanes: LaneEngine[];
  #offset = 0n;

  constructor(name: 'kernel' | 'reference', lanes: number) {
    this.engine = engineOf(name);
    this.#lanes = Array.from({ length: lanes }, () => this.engine.lane(null));
  }

  send(events: readonly TinyEvent[]): void {
    const from = this.#offset;
    const until = from + BigInt(events.length);
    const options = { fromOffset: from, limits: LIMITS, where: WHERE, aborted: [] };
    for (const lane of this.#lanes) {
      const bytes = batchOf(events, Number(from));
      openBatches(bytes, options, this.engine.codecs, (batch) => {
        expect(lane.accept(batch, from, until).full).toBe(false);
      });
    }
    this.#offset = until;
  }

  /** The rows of each lane, in some order. Before the next lane has its marks, they have left the engine's memory. */
  mark(marks: Marks): string[][] {
    return this.#lanes.map((lane) => {
      lane.applyMarks(marks);
      const emitted = lane.take();
      emitted.spill();
      const rows: string[] = [];
      for (const day of emitted.days.values())
        rows.push(...bytesOf(day).map((bytes) => bytes.toString('latin1')));
      emitted.free();
      return rows.sort();
    });
  }

  /** The lanes as another engine would have them after a restart. */
  restart(from: Lanes): void {
    const states = from.#lanes.map((lane) => lane.snapshot());
    for (const [index, lane] of this.#lanes.entries()) {
      lane.free();
      this.#lanes[index] = this.engine.lane(states[index]!);
    }
  }

  snapshots(): Uint8Array[] {
    return this.#lanes.map((lane) => lane.snapshot());
  }
}

function bytesOf(day: unknown): Buffer[] {
  if (day instanceof KernelRows) return day.rowBytes().map((bytes) => Buffer.from(bytes));
  return (day as { list: Parameters<typeof encodeRow>[1][] }).list.map((row) =>
    Buffer.from(encodeRow(model, row)),
  );
}

function expectSame(kernel: Lanes, reference: Lanes, marks: Marks): string[][] {
  const rows = kernel.mark(marks);
  expect(rows).toEqual(reference.mark(marks));
  return rows;
}

function both(lanes: number): { kernel: Lanes; reference: Lanes; send(events: readonly TinyEvent[]): void } {
  const kernel = new Lanes('kernel', lanes);
  const reference = new Lanes('reference', lanes);
  const send = (events: readonly TinyEvent[]) => {
    kernel.send(events);
    reference.send(events);
  };
  return { kernel, reference, send };
}

const SHAPES: [string, TinyEvent[]][] = [
  ['no further event', []],
  ['an event', [{ user: 'a', at: 8, page: '/late' }]],
  ['an event before the first', [{ user: 'a', at: -2, page: '/first' }]],
  ['an event between the others', [{ user: 'a', at: 2, page: '/between' }]],
  ['an event that joins two sessions', [{ user: 'b', at: 8, page: '/bridge' }]],
  ['an end that parts a session', [{ user: 'a', at: 2, type: 'end' }]],
  ['an end that ends it', [{ user: 'a', at: 5, type: 'end' }]],
];

it.each(SHAPES)('what was let out early is taken back as it was after %s', (_, events) => {
  for (const restarts of ['none', 'own', 'other'] as const) {
    const { kernel, reference, send } = both(1);
    send([
      { user: 'a', at: 0, page: '/', price: 1 },
      { user: 'b', at: 0 },
      { user: 'a', at: 5, page: '/p', price: 2 },
      { user: 'b', at: 16, page: '/second' },
    ]);
    expect(expectSame(kernel, reference, { early: true })[0]).toHaveLength(3);
    if (restarts !== 'none') kernel.restart(restarts === 'own' ? kernel : reference);
    send(events);
    expectSame(kernel, reference, {});
    if (restarts === 'other') reference.restart(kernel);
    expectSame(kernel, reference, { early: true });
    expectSame(kernel, reference, { early: true });
    expectSame(kernel, reference, { endOfInput: true });
    for (const [index, state] of kernel.snapshots().entries()) {
      compareStates(model, state, reference.snapshots()[index]!);
    }
    expectSame(kernel, reference, { idleWatermarkMs: Date.UTC(2026, 0, 2) });
  }
});

it('rows that stand take no memory: many sessions outlive the end of the input', () => {
  const users = 2_000;
  const { kernel, reference, send } = both(3);
  for (let from = 0; from < users; from += 500) {
    send(Array.from({ length: 500 }, (_, i) => ({ user: `user ${from + i}`, at: i / 500, page: LONG_PAGE })));
  }
  const before = kernel.engine.sessionBytes;
  for (const rows of expectSame(kernel, reference, { endOfInput: true })) expect(rows).toHaveLength(users);
  expect(kernel.engine.sessionBytes - before).toBeLessThan(3 * users * 64);
  send(Array.from({ length: 100 }, (_, i) => ({ user: `user ${i}`, at: 2, page: '/again' })));
  for (const rows of expectSame(kernel, reference, { endOfInput: true })) expect(rows).toHaveLength(200);
  for (const rows of expectSame(kernel, reference, { idleWatermarkMs: Date.UTC(2026, 0, 2) })) {
    expect(rows).toHaveLength(2 * users);
  }
});
