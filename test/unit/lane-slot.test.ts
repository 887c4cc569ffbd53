import { describe, expect, it } from 'vitest';
import type { RecordedCut } from '#src/ledger/types.js';
import type { Marks } from '#src/model/marks.js';
import { LaneSlot, type LaneSlotOptions, type Taken } from '../../workers/lane-slot.js';
import { concatBytes } from '../support/batch-builder.js';
import { NO_EVICTION } from '../support/fake-main-thread.js';
import { batchOf, events, model } from '../support/fake-worker-input.js';
import { WatchedEngine } from '../support/watched-engine.js';

const LIMITS = { sessionMemoryBytes: 2 ** 24, recordBytesMax: 2 ** 20, decompressedBatchBytesMax: 2 ** 20 };
const NO_ROWS = { marks: {} as Marks, rows: 0, deadLetters: 0, crc: 0 };

function slotOf(
  engine: WatchedEngine,
  replay: RecordedCut[] = [],
  more: Partial<LaneSlotOptions> = {},
): LaneSlot {
  const slot = new LaneSlot({
    assign: {
      partition: 3,
      incarnation: 1,
      appId: 'headrace/group/clicks/topic-id/3',
      snapshot: null,
      startOffset: 0n,
      committedTo: replay.at(-1)?.to ?? 0n,
      replay,
      eviction: NO_EVICTION,
    },
    topic: 'clicks',
    engine,
    limits: LIMITS,
    onLive: () => undefined,
    makeRoom: () => false,
    ...more,
  });
  slot.start(engine.lane(null));
  return slot;
}

function take(slot: LaneSlot, bytes: Uint8Array, from: bigint, until: bigint): Taken & { error: unknown } {
  const taken: Taken = { events: 0, batches: 0 };
  let error: unknown = null;
  try {
    slot.accept({ bytes, from, until, aborted: [] }, taken);
  } catch (thrown) {
    error = thrown;
  }
  return { ...taken, error };
}

describe('a lane in its worker', () => {
  it('stands exactly behind what it took when a later batch is corrupt, and counts that', () => {
    const slot = slotOf(new WatchedEngine(model));
    const bytes = concatBytes(
      batchOf(events('a', 0, 3), 0),
      batchOf(events('a', 3, 2), 3),
      batchOf(events('a', 5, 2), 5, { lies: { crc: 1 } }),
    );
    const taken = take(slot, bytes, 0n, 7n);
    expect(taken).toMatchObject({
      events: 5,
      batches: 2,
      error: { code: 'BATCH_CORRUPT', where: { offset: 5n } },
    });
    expect(slot.nextOffset).toBe(5n);
    expect(take(slot, batchOf(events('a', 5, 2), 5), 5n, 7n)).toMatchObject({ events: 2, error: null });
    expect(slot.nextOffset).toBe(7n);
  });

  it('passes over offsets that the log lacks with its sessions open, also up to a recorded cut', () => {
    const slot = slotOf(new WatchedEngine(model), [{ cutId: '1', to: 20n, ...NO_ROWS }]);
    take(slot, batchOf(events('a', 0, 3), 0), 0n, 3n);
    expect({ open: slot.openSessions, mode: slot.mode }).toEqual({ open: 1, mode: 'replay' });
    slot.pass(20n);
    expect({ open: slot.openSessions, mode: slot.mode, at: slot.nextOffset }).toEqual({
      open: 1,
      mode: 'live',
      at: 20n,
    });
    expect(take(slot, batchOf(events('a', 5, 2), 20), 20n, 22n)).toMatchObject({ events: 2, error: null });
    expect(() => slot.pass(21n)).toThrow(/sent back/);
  });

  it('stands before the record for which there was no memory, also amid a batch, and says where', () => {
    const engine = new WatchedEngine(model);
    const slot = slotOf(engine);
    engine.fullAt = 4n;
    const bytes = concatBytes(batchOf(events('a', 0, 3), 0), batchOf(events('a', 3, 3), 3), batchOf([], 6));
    const taken = take(slot, bytes, 0n, 6n);
    expect(taken).toMatchObject({ events: 4, batches: 2 });
    expect(taken.error).toMatchObject({
      code: 'SESSION_MEMORY_FULL',
      where: { partition: 3, offset: 4n, bytes: engine.sessionBytes, limit_bytes: LIMITS.sessionMemoryBytes },
    });
    expect(slot.nextOffset).toBe(4n);
  });

  it('goes on with the same record when room was made', () => {
    const engine = new WatchedEngine(model);
    const makeRoom = () => {
      engine.fullAt = null;
      return true;
    };
    const slot = slotOf(engine, [], { makeRoom });
    engine.fullAt = 1n;
    expect(take(slot, batchOf(events('a', 0, 3), 0), 0n, 3n)).toMatchObject({ events: 3, error: null });
    expect(engine.asked).toEqual(['0-3', '1-3']);
    expect(slot.nextOffset).toBe(3n);
  });

  it('takes nothing of a batch below its position or at its end', () => {
    const engine = new WatchedEngine(model);
    const slot = slotOf(engine);
    take(slot, batchOf(events('a', 0, 2), 0), 0n, 2n);
    const bytes = concatBytes(batchOf(events('a', 0, 2), 0), batchOf(events('a', 2, 4), 2));
    expect(take(slot, bytes, 2n, 5n)).toMatchObject({ events: 3, batches: 2, error: null });
    expect(engine.asked).toEqual(['0-2', '2-5']);
  });

  it('stops at each recorded cut of a replay, and gives back what it compared', () => {
    const engine = new WatchedEngine(model);
    const cuts = [1n, 1n, 3n, 4n].map((to, index) => ({ ...NO_ROWS, cutId: `${index}`, to }));
    const slot = slotOf(engine, cuts);
    expect(slot.mode).toBe('replay');
    const bytes = concatBytes(batchOf(events('a', 0, 2), 0), batchOf(events('a', 2, 4), 2));
    expect(take(slot, bytes, 0n, 6n)).toMatchObject({ events: 6, error: null });
    expect(engine.asked).toEqual(['0-1', '1-2', '2-3', '3-4', '4-6']);
    expect(slot.mode).toBe('live');
    expect(engine.emitted).toBe(0);
  });

  it('that gave other rows in its replay gives all back when it is halted: it will seal nothing', () => {
    const engine = new WatchedEngine(model);
    const slot = slotOf(engine, [{ ...NO_ROWS, cutId: '1', to: 2n, crc: 5 }]);
    const { error } = take(slot, batchOf(events('a', 0, 3), 0), 0n, 3n);
    expect(error).toMatchObject({ code: 'REPLAY_DIFFERS', where: { cut: '1', to: 2n } });
    expect(slot.nextOffset).toBe(2n);
    slot.halt();
    expect(slot.sealable).toBe(false);
    expect([engine.lanes, engine.emitted]).toEqual([0, 0]);
  });

  it('that was live keeps its sessions when it is halted, and gives them and its parts back when it goes', () => {
    const engine = new WatchedEngine(model);
    const slot = slotOf(engine);
    take(slot, batchOf([...events('a', 0, 2), ...events('b', 100, 1)], 0), 0n, 3n);
    slot.halt();
    expect(slot.sealable).toBe(true);
    slot.endPart({}, 0);
    expect([engine.lanes, engine.emitted]).toEqual([1, 1]);
    slot.free();
    slot.free();
    expect([engine.lanes, engine.emitted]).toEqual([0, 0]);
    expect([slot.openSessions, slot.watermarkMs]).toEqual([0, null]);
  });

  it('leaves what was taken to who took it', () => {
    const engine = new WatchedEngine(model);
    const slot = slotOf(engine);
    take(slot, batchOf([...events('a', 0, 2), ...events('b', 100, 1)], 0), 0n, 3n);
    slot.endPart({}, 0);
    const [part] = slot.takeParts();
    slot.free();
    expect(engine.emitted).toBe(1);
    expect([...part!.emitted.days.values()].map(({ rows }) => rows)).toEqual([1]);
    part!.emitted.free();
    part!.emitted.free();
    expect(engine.emitted).toBe(0);
  });
});
