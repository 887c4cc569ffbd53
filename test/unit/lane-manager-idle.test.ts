import { describe, expect, it } from 'vitest';
import { HeadraceError } from '#src/errors.js';
import { IDLE_MOVE_MS } from '#src/lanes/idle-moves.js';
import { FakeEngine, type FakeEngineOptions, IDLE_TIMEOUT_MS } from '../support/fake-engine.js';
import { MemoryStore } from '../support/fake-store.js';

const WATERMARK_MS = 1_000_000;
/** Behind the events that `resting` gives each lane. */
const AT = 110n;

/** Lane 0 and others have taken events, have sessions open, and their partitions are empty by the broker's word. */
async function resting(options: FakeEngineOptions = {}, partitions = [0]): Promise<FakeEngine> {
  const engine = await FakeEngine.start(options);
  await engine.assign(...partitions);
  for (const partition of partitions) await open(engine, partition, AT, WATERMARK_MS);
  await engine.tick();
  return engine;
}

/** Events come, and leave sessions open. */
async function open(engine: FakeEngine, partition: number, to: bigint, watermarkMs: number): Promise<void> {
  await engine.feed(partition, to);
  Object.assign(engine.workerOf(partition).slots.get(partition)!, { watermarkMs, openSessions: 2 });
}

/** Requests are answered by the partition's end for so long; the last one was sent now, less `agoMs`. */
function silent(engine: FakeEngine, partition: number, ms: number, agoMs = 0): void {
  const untilMs = engine.clock.monotonicMs() - agoMs;
  engine.fetcher.lanes.get(partition)!.silence = { fromMs: untilMs - ms, untilMs };
}

/** The idle moves that the ledger has of a lane. */
function moves(engine: FakeEngine, partition = 0) {
  return engine.ledger
    .lane(partition)!
    .cuts.filter(({ marks }) => marks.idleWatermarkMs !== undefined)
    .map(({ to, marks }) => [to, marks.idleWatermarkMs! - WATERMARK_MS]);
}

describe('a lane whose partition falls silent', () => {
  it('is moved by the time of its silence, at a cut, and that is committed though the offset stays', async () => {
    const engine = await resting();
    silent(engine, 0, IDLE_TIMEOUT_MS - 1);
    expect(await engine.tick()).toBe(false);
    silent(engine, 0, IDLE_TIMEOUT_MS);
    const { version } = engine.ledger;
    expect(await engine.tick()).toBe(true);
    expect(engine.ledger.version).toBe(version + 1);
    expect(moves(engine)).toEqual([[AT, IDLE_TIMEOUT_MS]]);
    expect(engine.ledger.lane(0)).toMatchObject({
      committedTo: AT,
      watermarkMs: WATERMARK_MS + IDLE_TIMEOUT_MS,
    });
  });

  it('is moved again after some seconds, no sooner, and from where it had come to rest', async () => {
    const engine = await resting();
    for (const afterMs of [0, 1_000, IDLE_MOVE_MS - 1_001]) {
      engine.clock.advance(afterMs);
      silent(engine, 0, IDLE_TIMEOUT_MS + 10_000);
      await engine.tick();
    }
    expect(moves(engine)).toEqual([[AT, IDLE_TIMEOUT_MS + 10_000]]);
    engine.clock.advance(1);
    silent(engine, 0, IDLE_TIMEOUT_MS + 15_000);
    expect(await engine.tick()).toBe(true);
    expect(moves(engine).at(-1)).toEqual([AT, IDLE_TIMEOUT_MS + 15_000]);
  });

  it('is moved together with the others that are silent, and with no other', async () => {
    const engine = await resting({}, [0, 1, 2]);
    const { version } = engine.ledger;
    silent(engine, 0, IDLE_TIMEOUT_MS);
    silent(engine, 2, IDLE_TIMEOUT_MS + 7);
    await engine.tick();
    expect([0, 1, 2].map((partition) => moves(engine, partition).map(([, byMs]) => byMs))).toEqual([
      [IDLE_TIMEOUT_MS],
      [],
      [IDLE_TIMEOUT_MS + 7],
    ]);
    expect(engine.ledger.version).toBe(version + 1);
  });

  it('is left alone when its last session has closed', async () => {
    const engine = await resting();
    silent(engine, 0, IDLE_TIMEOUT_MS);
    engine.workerOf(0).slots.get(0)!.openSessions = 0;
    await engine.tick();
    engine.clock.advance(IDLE_MOVE_MS);
    silent(engine, 0, IDLE_TIMEOUT_MS + IDLE_MOVE_MS);
    expect(await engine.tick()).toBe(false);
    expect(moves(engine)).toHaveLength(1);
  });

  it('after a standstill of the engine is moved only as far as it had asked before, until it has asked again', async () => {
    const engine = await resting();
    engine.clock.advance(3_600_000);
    silent(engine, 0, 20_000, 3_500_000);
    await engine.tick();
    expect(moves(engine)).toEqual([]);
    silent(engine, 0, IDLE_TIMEOUT_MS, 3_400_000);
    await engine.tick();
    expect(moves(engine)).toEqual([[AT, IDLE_TIMEOUT_MS]]);
    engine.clock.advance(IDLE_MOVE_MS);
    silent(engine, 0, 3_600_000);
    await engine.tick();
    expect(moves(engine).at(-1)).toEqual([AT, 3_600_000]);
  });

  it('is not moved while events of its are on their way to the worker', async () => {
    const engine = await resting();
    engine.fetcher.deliver(0, Buffer.from('data'), 120n);
    silent(engine, 0, IDLE_TIMEOUT_MS);
    await engine.tick();
    expect(moves(engine)).toEqual([]);
  });

  it('begins anew with the next events, from the watermark that they leave', async () => {
    const engine = await resting();
    silent(engine, 0, IDLE_TIMEOUT_MS);
    await engine.tick();
    await open(engine, 0, 120n, WATERMARK_MS + 500_000);
    await engine.tick();
    expect(moves(engine)).toHaveLength(1);
    engine.clock.advance(IDLE_MOVE_MS);
    silent(engine, 0, IDLE_TIMEOUT_MS + 1);
    await engine.tick();
    expect(moves(engine).at(-1)).toEqual([120n, 500_000 + IDLE_TIMEOUT_MS + 1]);
  });

  it('is kept in a snapshot with its moves, so that a replay has few of them to meet', async () => {
    const engine = await resting({ snapshotIntervalMs: 20_000 });
    engine.clock.advance(60_000);
    await engine.tick();
    expect(engine.ledger.lane(0)!.snapshots).toHaveLength(1);
    let silentMs = IDLE_TIMEOUT_MS;
    for (let i = 0; i < 20; i++, silentMs += IDLE_MOVE_MS) {
      engine.clock.advance(IDLE_MOVE_MS);
      silent(engine, 0, silentMs);
      await engine.tick();
    }
    expect(engine.ledger.lane(0)!.snapshots.map(({ offset }) => offset)).toEqual([AT, AT]);
    expect(moves(engine).length).toBeLessThan(10);
    engine.clock.advance(60_000);
    await engine.tick();
    expect(await engine.tick()).toBe(false);
  });
});

describe('not moved is', () => {
  it('a lane that halted', async () => {
    const engine = await resting();
    silent(engine, 0, IDLE_TIMEOUT_MS);
    const { incarnation } = engine.manager.lanes.get(0)!;
    const error = new HeadraceError('BATCH_UNSUPPORTED', 'old').toPlain();
    engine.manager.onWorkerMessage({ type: 'lane-halted', partition: 0, incarnation, error });
    expect(await engine.tick()).toBe(false);
    expect(moves(engine)).toEqual([]);
  });

  it('a lane that leaves', async () => {
    const engine = await resting();
    silent(engine, 0, IDLE_TIMEOUT_MS);
    await engine.through(engine.manager.revoked([0]));
    expect(moves(engine)).toEqual([]);
  });

  it('a lane of a bounded run', async () => {
    const engine = await resting({ ends: { 0: 200n } });
    silent(engine, 0, IDLE_TIMEOUT_MS);
    expect(await engine.tick()).toBe(false);
    expect(moves(engine)).toEqual([]);
  });

  it('a lane that has seen no event', async () => {
    const engine = await FakeEngine.start();
    await engine.assign(0);
    silent(engine, 0, IDLE_TIMEOUT_MS);
    expect(await engine.tick()).toBe(false);
  });
});

describe('a lane that comes back', () => {
  /** A table whose lane 0 was left with open sessions and a snapshot, one move beyond its events. */
  async function left(): Promise<MemoryStore> {
    const store = new MemoryStore();
    const engine = await resting({ store, engineId: 'before' });
    silent(engine, 0, IDLE_TIMEOUT_MS);
    await engine.tick();
    await engine.through(engine.manager.drain());
    return store;
  }

  it('is moved from where the ledger has its watermark, by the silence that its new engine has seen', async () => {
    const engine = await FakeEngine.start({ store: await left() });
    engine.workers[0]!.openSessions.set(0, 2);
    await engine.assign(0);
    silent(engine, 0, IDLE_TIMEOUT_MS + 3);
    await engine.tick();
    expect(moves(engine).at(-1)).toEqual([AT, 2 * IDLE_TIMEOUT_MS + 3]);
  });

  it('is moved by nothing that its worker said of an earlier assignment', async () => {
    const engine = await resting();
    engine.manager.lost([0]);
    await engine.assign(0);
    const { incarnation } = engine.manager.lanes.get(0)!;
    const sealed = { partition: 0, to: 100n, watermarkMs: WATERMARK_MS, openSessions: 2 };
    const of = (each: number) => ({ ...sealed, incarnation: each, marks: {}, snapshot: null });
    const report = { cutId: '1', worker: 0, sessionBytes: 0, files: [], deadLetterFile: null };
    const counts = { rows: 0, deadLetters: 0, crc: 0, evicted: 0, sessionBytes: 0 };
    engine.manager.lanes.get(0)!.rest = null;
    engine.manager.sealed({ ...report, lanes: [{ ...of(incarnation - 1), ...counts }] });
    expect(engine.manager.lanes.get(0)!.rest).toBeNull();
    engine.manager.sealed({ ...report, lanes: [{ ...of(incarnation), ...counts }] });
    expect(engine.manager.lanes.get(0)!.rest).toMatchObject({ at: 100n, openSessions: 2 });
  });

  it('with moves behind its snapshot is soon kept in a new one, though it stays where it is', async () => {
    const store = new MemoryStore();
    const before = await resting({ store, engineId: 'before', snapshotIntervalMs: 20_000 });
    before.clock.advance(60_000);
    await before.tick();
    before.clock.advance(1_000);
    silent(before, 0, IDLE_TIMEOUT_MS);
    await before.tick();
    expect(before.ledger.lane(0)!.snapshots).toHaveLength(1);
    const engine = await FakeEngine.start({ store, snapshotIntervalMs: 20_000 });
    await engine.assign(0);
    expect(await engine.tick()).toBe(false);
    engine.clock.advance(60_000);
    expect(await engine.tick()).toBe(true);
    expect(engine.ledger.lane(0)!.snapshots.map(({ offset }) => offset)).toEqual([AT, AT]);
    expect(await engine.tick()).toBe(false);
  });

  it('without open sessions is left alone', async () => {
    const engine = await FakeEngine.start({ store: await left() });
    await engine.assign(0);
    silent(engine, 0, IDLE_TIMEOUT_MS);
    expect(await engine.tick()).toBe(false);
  });

  it('is not moved before its replay is through', async () => {
    const store = new MemoryStore();
    const before = await FakeEngine.start({ store, engineId: 'before' });
    await before.assign(0);
    await before.feed(0, AT);
    await before.tick();
    const engine = await FakeEngine.start({ store });
    engine.workers[0]!.openSessions.set(0, 2);
    await engine.assign(0);
    silent(engine, 0, IDLE_TIMEOUT_MS);
    expect(await engine.tick()).toBe(false);
    await engine.feed(0, AT);
    engine.workers[0]!.slots.get(0)!.watermarkMs = WATERMARK_MS;
    silent(engine, 0, IDLE_TIMEOUT_MS);
    // where it stands has to be told by its worker first
    await engine.tick();
    expect(moves(engine)).toEqual([]);
    await engine.tick();
    expect(moves(engine)).toEqual([[AT, IDLE_TIMEOUT_MS]]);
  });
});
