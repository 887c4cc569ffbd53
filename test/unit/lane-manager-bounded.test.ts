import { describe, expect, it } from 'vitest';
import { HeadraceError } from '#src/errors.js';
import { FakeEngine } from '../support/fake-engine.js';
import { storedVersions } from '../support/fake-ledger.js';
import { MemoryStore } from '../support/fake-store.js';

async function poll(engine: FakeEngine): Promise<boolean> {
  return await engine.through(engine.manager.finishBounded());
}

function lastMarks(engine: FakeEngine, partition: number) {
  return engine.ledger.lane(partition)!.cuts.at(-1)?.marks;
}

describe('a bounded run', () => {
  it('is over when the last cut of every lane, with endOfInput and a snapshot, is committed', async () => {
    const engine = await FakeEngine.start({ ends: { 0: 130n, 1: 150n } });
    await engine.assign(0, 1);
    await engine.feed(0, 130n);
    expect(await poll(engine)).toBe(false);
    expect(lastMarks(engine, 0)).toBeUndefined();
    await engine.feed(1, 150n);
    const finished = engine.manager.finishBounded();
    await engine.settle((type) => type === 'sealed');
    expect(engine.manager.unfinished()).toHaveLength(2);
    await engine.settle();
    expect(await finished).toBe(true);
    for (const partition of [0, 1]) {
      expect(lastMarks(engine, partition)).toEqual({ endOfInput: true });
      expect(engine.ledger.lane(partition)!.snapshots).toHaveLength(1);
    }
  });

  it('does not count a lane whose worker has not come to the end', async () => {
    const engine = await FakeEngine.start({ ends: { 0: 130n } });
    await engine.assign(0);
    await engine.feed(0, 120n);
    // handed to the worker, which has yet to take it when the cut comes
    engine.workers[0]!.slots.get(0)!.frozen = true;
    engine.fetcher.deliver(0, Buffer.from('data'), 130n);
    expect(await poll(engine)).toBe(false);
    expect(lastMarks(engine, 0)).toEqual({});
    engine.workers[0]!.slots.get(0)!.frozen = false;
    engine.fetcher.seekLane(0, 1, 120n);
    await engine.feed(0, 130n);
    expect(await poll(engine)).toBe(true);
    expect(lastMarks(engine, 0)).toEqual({ endOfInput: true });
  });

  it('has nothing to do for lanes that were always empty', async () => {
    const engine = await FakeEngine.start({ ends: { 0: 100n } });
    await engine.assign(0);
    const versions = storedVersions(engine.store).length;
    expect(await poll(engine)).toBe(true);
    expect(storedVersions(engine.store)).toHaveLength(versions);
  });

  it('is over at once when an earlier one ended at the same place', async () => {
    const store = new MemoryStore();
    const first = await FakeEngine.start({ store, ends: { 0: 130n } });
    await first.assign(0);
    await first.feed(0, 130n);
    expect(await poll(first)).toBe(true);
    const versions = storedVersions(store).length;
    const second = await FakeEngine.start({ store, engineId: 'second', ends: { 0: 130n } });
    await second.assign(0);
    expect(await poll(second)).toBe(true);
    expect(storedVersions(store)).toHaveLength(versions);
  });

  it('lets out sessions that an unbounded run left open at the same place', async () => {
    const store = new MemoryStore();
    const first = await FakeEngine.start({ store });
    await first.assign(0);
    await first.feed(0, 130n);
    await first.through(first.manager.drain());
    const second = await FakeEngine.start({ store, engineId: 'second', ends: { 0: 130n } });
    await second.assign(0);
    expect(await poll(second)).toBe(true);
    expect(lastMarks(second, 0)).toEqual({ endOfInput: true });
  });

  it('does not wait for a halted lane, which is committed up to its halt and not let out', async () => {
    const engine = await FakeEngine.start({ ends: { 0: 130n, 1: 130n } });
    await engine.assign(0, 1);
    await engine.feed(0, 120n);
    await engine.feed(1, 130n);
    const error = new HeadraceError('BATCH_UNSUPPORTED', 'zstd').toPlain();
    engine.manager.onWorkerMessage({ type: 'lane-halted', partition: 0, incarnation: 1, error });
    expect(await poll(engine)).toBe(true);
    expect(engine.ledger.lane(0)!.committedTo).toBe(120n);
    expect(lastMarks(engine, 0)).toEqual({});
    expect(lastMarks(engine, 1)).toEqual({ endOfInput: true });
  });

  it('sends a lane back to work whose last cut was lost to another engine', async () => {
    const store = new MemoryStore();
    const ours = await FakeEngine.start({ store, ends: { 0: 130n } });
    const theirs = await FakeEngine.start({ store, engineId: 'theirs' });
    await ours.assign(0);
    await ours.feed(0, 130n);
    await theirs.assign(0);
    await theirs.feed(0, 115n);
    await theirs.tick();
    expect(await poll(ours)).toBe(false);
    await ours.feed(0, 115n);
    await ours.feed(0, 130n);
    expect(await poll(ours)).toBe(true);
    expect(lastMarks(ours, 0)).toEqual({ endOfInput: true });
  });
});
