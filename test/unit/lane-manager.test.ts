import { describe, expect, it } from 'vitest';
import { HeadraceError } from '#src/errors.js';
import { FakeEngine } from '../support/fake-engine.js';
import { storedVersions } from '../support/fake-ledger.js';
import { MemoryStore } from '../support/fake-store.js';

const corrupt = (offset: bigint) => ({
  offset,
  error: new HeadraceError('BATCH_CORRUPT', 'its CRC-32C differs').toPlain(),
});

/** Two engines on one table, the second one without lanes. */
async function twoEngines() {
  const store = new MemoryStore();
  const ours = await FakeEngine.start({ store, engineId: 'ours' });
  const theirs = await FakeEngine.start({ store, engineId: 'theirs' });
  return { store, ours, theirs };
}

describe('an assignment', () => {
  it('starts lanes that the ledger does not know by a commit before anything of them is fetched', async () => {
    const engine = await FakeEngine.start({ starts: { 0: 40n, 1: 70n } });
    const assigned = engine.manager.assigned([0, 1]);
    await assigned;
    expect(storedVersions(engine.store)).toHaveLength(2);
    expect(engine.fetcher.calls).toEqual([]);
    await engine.settle();
    expect(engine.fetcher.calls).toEqual(['add 0 from 40', 'add 1 from 70']);
    expect([...engine.manager.lanes.values()].map(({ state }) => state)).toEqual(['live', 'live']);
  });

  it('starts all that it is told to start with those that were asked for', async () => {
    const engine = await FakeEngine.start({ starts: { 0: 40n }, more: { 2: 7n } });
    await engine.assign(0);
    expect(engine.startsAsked).toEqual([0]);
    expect(engine.ledger.lane(2)).toMatchObject({ startOffset: 7n, version: 1 });
    await engine.assign(2);
    expect(engine.startsAsked).toEqual([0]);
    expect(engine.fetcher.calls).toEqual(['add 0 from 40', 'add 2 from 7']);
  });

  it('of a lane that the ledger knows asks for no start and recovers it from its newest snapshot', async () => {
    const store = new MemoryStore();
    const first = await FakeEngine.start({ store });
    await first.assign(0);
    await first.feed(0, 150n);
    await first.tick();
    await first.through(first.manager.drain());
    const second = await FakeEngine.start({ store, engineId: 'second' });
    await second.assign(0);
    expect(second.startsAsked).toEqual([]);
    expect(second.fetcher.calls).toEqual(['add 0 from 150']);
  });

  it('of a lane without a snapshot replays it from its start, and takes it live at the ledger’s offset', async () => {
    const store = new MemoryStore();
    const first = await FakeEngine.start({ store });
    await first.assign(0);
    await first.feed(0, 150n);
    await first.tick();
    const second = await FakeEngine.start({ store, engineId: 'second' });
    await second.assign(0);
    const lane = second.manager.lanes.get(0)!;
    expect(second.fetcher.calls).toEqual(['add 0 from 100']);
    expect(lane.state).toBe('recovering');
    expect(await second.tick()).toBe(false);
    await second.feed(0, 150n);
    expect(lane.state).toBe('live');
  });

  it('spreads lanes over the workers', async () => {
    const engine = await FakeEngine.start({ workers: 2 });
    await engine.assign(0, 1, 2, 3);
    expect([...engine.manager.lanes.values()].map(({ worker }) => worker)).toEqual([0, 1, 0, 1]);
  });

  it('of a lane it has already changes nothing', async () => {
    const engine = await FakeEngine.start();
    await engine.assign(0);
    const before = engine.manager.lanes.get(0)!.incarnation;
    await engine.assign(0);
    expect(engine.manager.lanes.get(0)!.incarnation).toBe(before);
    expect(engine.fetcher.calls).toEqual(['add 0 from 100']);
  });

  it('is forgotten when the lane is taken away again before it could begin', async () => {
    const engine = await FakeEngine.start();
    const assigned = engine.manager.assigned([0]);
    engine.manager.lost([0]);
    await assigned;
    await engine.settle();
    expect(engine.manager.lanes.size).toBe(0);
    expect(engine.fetcher.calls).toEqual([]);
  });

  it('takes over what another engine committed since we last looked, once and without a fuss', async () => {
    const { ours, theirs } = await twoEngines();
    await theirs.assign(0);
    await theirs.feed(0, 130n);
    await theirs.tick();
    await theirs.through(theirs.manager.revoked([0]));
    await ours.assign(0);
    expect(ours.workers[0]!.seen).toEqual(['assign 0/1']);
    expect(ours.fetcher.calls).toEqual(['add 0 from 130']);
    expect(ours.log.with('another engine')).toEqual([]);
  });

  it('of two engines at once starts the lane where the quicker one says', async () => {
    const store = new MemoryStore();
    const a = await FakeEngine.start({ store, engineId: 'a', starts: { 0: 10n } });
    const b = await FakeEngine.start({ store, engineId: 'b', starts: { 0: 20n } });
    await Promise.all([a.manager.assigned([0]), b.manager.assigned([0])]);
    await a.settle();
    await b.settle();
    expect([a.fetcher.calls, b.fetcher.calls]).toEqual([['add 0 from 10'], ['add 0 from 10']]);
    expect(storedVersions(store)).toHaveLength(2);
  });
});

describe('a snapshot that can not be used', () => {
  async function withTwoSnapshots() {
    const store = new MemoryStore();
    const first = await FakeEngine.start({ store, snapshotIntervalMs: 1_000 });
    await first.assign(0);
    for (const to of [110n, 120n]) {
      await first.feed(0, to);
      first.clock.advance(5_000);
      await first.tick();
    }
    await first.feed(0, 130n);
    await first.tick();
    return await FakeEngine.start({ store, engineId: 'second' });
  }

  it('is left for the one before, with a longer replay', async () => {
    const engine = await withTwoSnapshots();
    const [older, newest] = engine.ledger.lane(0)!.snapshots;
    engine.workers[0]!.unreadable.add(newest!.path);
    await engine.assign(0);
    const { assign } = engine.workers[0]!.slots.get(0)!;
    expect(assign.snapshot?.path).toBe(older!.path);
    expect(assign.replay.map(({ to }) => to)).toEqual([120n, 130n]);
    expect(engine.fetcher.calls).toEqual(['add 0 from 110']);
    await engine.feed(0, 130n);
    expect(engine.manager.lanes.get(0)!.state).toBe('live');
  });

  it('halts the lane when none is left', async () => {
    const engine = await withTwoSnapshots();
    for (const { path } of engine.ledger.lane(0)!.snapshots) engine.workers[0]!.unreadable.add(path);
    await engine.assign(0);
    expect(engine.manager.lanes.get(0)!.halted).toMatchObject({ code: 'SNAPSHOT_UNUSABLE' });
    expect(engine.fetcher.calls).toEqual([]);
  });
});

describe('a batch that does not check out', () => {
  it('is fetched once more, and a second time at the same place halts the lane while others go on', async () => {
    const engine = await FakeEngine.start();
    await engine.assign(0, 1);
    const { incarnation } = engine.manager.lanes.get(0)!;
    const message = { type: 'lane-corrupt' as const, partition: 0, incarnation, ...corrupt(105n) };
    engine.manager.onWorkerMessage(message);
    await engine.settle();
    expect(engine.fetcher.calls.at(-1)).toBe('seek 0 to 105');
    expect(engine.workers[0]!.seen.at(-1)).toBe(`seek 0/${incarnation}`);
    expect(engine.manager.lanes.get(0)!.halted).toBeNull();
    engine.manager.onWorkerMessage(message);
    expect(engine.manager.lanes.get(0)!.halted).toMatchObject({ code: 'BATCH_CORRUPT' });
    expect(engine.fetcher.calls.at(-1)).toBe('remove 0');
    expect(engine.log.with('lane halted')[0]!.fields).toMatchObject({ partition: 0, broker: 'broker-1' });
    await engine.feed(1, 140n);
    await engine.tick();
    expect(engine.ledger.lane(1)!.committedTo).toBe(140n);
  });

  it('at another place gets a second chance again', async () => {
    const engine = await FakeEngine.start();
    await engine.assign(0);
    const { incarnation } = engine.manager.lanes.get(0)!;
    for (const offset of [105n, 106n, 107n]) {
      engine.manager.onWorkerMessage({ type: 'lane-corrupt', partition: 0, incarnation, ...corrupt(offset) });
    }
    expect(engine.manager.lanes.get(0)!.halted).toBeNull();
  });
});

describe('a lane that halts', () => {
  it('still commits what lies before the halt', async () => {
    const engine = await FakeEngine.start();
    await engine.assign(0);
    await engine.feed(0, 130n);
    const { incarnation } = engine.manager.lanes.get(0)!;
    const error = new HeadraceError('OFFSET_OUT_OF_RANGE', 'gone');
    engine.manager.onFetchEvent({ type: 'lane-halted', partition: 0, incarnation, error });
    await engine.tick();
    expect(engine.ledger.lane(0)!.committedTo).toBe(130n);
    expect(await engine.tick()).toBe(false);
  });
});

describe('another engine’s commit of a lane of ours', () => {
  it('drops what is not committed and recovers the lane from the ledger as a new incarnation', async () => {
    const { ours, theirs, store } = await twoEngines();
    await ours.assign(0, 1);
    await ours.feed(0, 110n);
    await ours.feed(1, 110n);
    await theirs.assign(0);
    await theirs.feed(0, 120n);
    await theirs.tick();
    await ours.tick();
    const lane = ours.manager.lanes.get(0)!;
    expect(lane).toMatchObject({ incarnation: 3, committedTo: 120n });
    expect(ours.workers[0]!.seen.slice(-2)).toEqual(['revoke 0/1', 'assign 0/3']);
    expect(ours.ledger.lane(1)!.committedTo).toBe(110n);
    const rows = storedVersions(store).flatMap(({ paths }) => paths.map((path) => path.split('-')[1]));
    expect(rows).toEqual(['0', '1']);
    await ours.feed(0, 120n);
    expect(lane.state).toBe('live');
    await ours.feed(0, 125n);
    await ours.tick();
    expect(ours.ledger.lane(0)!.committedTo).toBe(125n);
  });

  it('makes what the old incarnation still says void', async () => {
    const { ours, theirs } = await twoEngines();
    await ours.assign(0);
    await theirs.assign(0);
    await theirs.feed(0, 120n);
    await theirs.tick();
    await ours.ledger.refresh();
    const lane = ours.manager.lanes.get(0)!;
    const old = { partition: 0, incarnation: 1 };
    const error = new HeadraceError('BATCH_UNSUPPORTED', 'old').toPlain();
    ours.manager.onWorkerMessage({ type: 'lane-live', ...old });
    ours.manager.onWorkerMessage({ type: 'lane-ready', ...old, nextOffset: 100n, openSessions: 0 });
    ours.manager.onWorkerMessage({ type: 'lane-halted', ...old, error });
    ours.manager.onWorkerMessage({ type: 'lane-corrupt', ...old, ...corrupt(3n) });
    ours.manager.onFetchEvent({
      type: 'lane-halted',
      ...old,
      error: new HeadraceError('OFFSET_OUT_OF_RANGE', 'old'),
    });
    expect(lane).toMatchObject({ incarnation: 2, halted: null, corruptAt: null });
    expect(lane.state).not.toBe('live');
    expect(ours.fetcher.lanes.size).toBe(0);
    await ours.settle();
    expect(ours.fetcher.calls.at(-1)).toBe('add 0 from 100');
  });

  it('is not undone by the news of a commit of the old incarnation that was under way', async () => {
    const engine = await FakeEngine.start();
    await engine.assign(0);
    const lane = engine.manager.lanes.get(0)!;
    const before = { ...lane };
    const lanes = [{ partition: 0, incarnation: lane.incarnation - 1, to: 999n }];
    engine.manager.onCommitted(77, { cuts: [], files: [], lanes, resets: [], snapshots: [] });
    expect(lane).toEqual(before);
    expect(engine.noted).toEqual([]);
  });

  it('brings a halted lane back to work', async () => {
    const { ours, theirs } = await twoEngines();
    await ours.assign(0);
    const error = new HeadraceError('BATCH_CORRUPT', 'bad').toPlain();
    ours.manager.onWorkerMessage({ type: 'lane-halted', partition: 0, incarnation: 1, error });
    await theirs.assign(0);
    await theirs.feed(0, 120n);
    await theirs.tick();
    await ours.ledger.refresh();
    await ours.settle();
    expect(ours.manager.lanes.get(0)!).toMatchObject({ halted: null, state: 'recovering' });
  });
});

describe('a revoke', () => {
  it('commits what was read, with a snapshot, and waits for the worker to let go', async () => {
    const engine = await FakeEngine.start();
    await engine.assign(0, 1);
    await engine.feed(0, 130n);
    let released = false;
    const revoked = engine.manager.revoked([0]).then(() => {
      released = true;
    });
    await engine.settle((type) => type === 'lane-revoked');
    expect(engine.ledger.lane(0)).toMatchObject({ committedTo: 130n, snapshots: [{ offset: 130n }] });
    expect(released).toBe(false);
    expect(engine.fetcher.calls.at(-1)).toBe('remove 0');
    await engine.settle();
    await revoked;
    expect([...engine.manager.lanes.keys()]).toEqual([1]);
    expect(engine.forgotten).toEqual([0]);
    expect(engine.workers[0]!.slots.has(0)).toBe(false);
  });

  it('takes nothing more of the lane, though it lies in the ring already', async () => {
    const engine = await FakeEngine.start();
    await engine.assign(0);
    engine.fetcher.deliver(0, Buffer.from('data'), 500n);
    await engine.through(engine.manager.revoked([0]));
    expect(engine.ledger.lane(0)!.committedTo).toBe(100n);
  });

  it('waits for cuts that are under way', async () => {
    const engine = await FakeEngine.start();
    await engine.assign(0);
    await engine.feed(0, 130n);
    void engine.manager.cutLive();
    await engine.through(engine.manager.revoked([0]));
    expect(engine.ledger.lane(0)!.committedTo).toBe(130n);
  });

  it('of a lane that is still loading lets go of it, and nothing of it is fetched afterwards', async () => {
    const engine = await FakeEngine.start();
    engine.workers[0]!.slowLanes.add(0);
    await engine.assign(0, 1);
    await engine.feed(1, 130n);
    const revoked = engine.manager.revoked([0, 1]);
    engine.workers[0]!.finishLoading(0);
    await engine.settle((type) => type === 'sealed');
    await engine.settle();
    await revoked;
    expect(engine.fetcher.lanes.size).toBe(0);
    await engine.assign(0);
    engine.workers[0]!.finishLoading(0);
    await engine.settle();
    expect(engine.fetcher.lanes.has(0)).toBe(true);
  });

  it('of lanes that are not ours is answered at once', async () => {
    const engine = await FakeEngine.start();
    await engine.manager.revoked([5]);
    expect(engine.fetcher.calls).toEqual([]);
  });
});

describe('lanes that are lost', () => {
  it('are dropped with all that is not committed', async () => {
    const engine = await FakeEngine.start();
    await engine.assign(0);
    await engine.feed(0, 130n);
    const cut = engine.manager.cutLive();
    engine.manager.lost([0]);
    await engine.settle();
    await cut;
    expect(engine.manager.lanes.size).toBe(0);
    expect(engine.ledger.lane(0)!.committedTo).toBe(100n);
    expect(engine.noted).toEqual([]);
    expect(engine.forgotten).toEqual([0]);
  });

  it('and given back at once come up as new ones', async () => {
    const engine = await FakeEngine.start();
    await engine.assign(0);
    await engine.feed(0, 130n);
    engine.manager.lost([0]);
    await engine.assign(0);
    await engine.feed(0, 140n);
    await engine.tick();
    expect(engine.manager.lanes.get(0)!.incarnation).toBe(2);
    expect(engine.ledger.lane(0)!.cuts.map(({ rows, to }) => [rows, to])).toEqual([[1, 140n]]);
  });
});

describe('an orderly stop', () => {
  it('commits every lane with a snapshot where the worker stands, and reads nothing more', async () => {
    const engine = await FakeEngine.start();
    engine.workers[0]!.slowLanes.add(1);
    await engine.assign(0, 1);
    await engine.feed(0, 130n);
    const drained = engine.manager.drain();
    engine.workers[0]!.finishLoading(1);
    await engine.settle();
    await drained;
    expect(engine.ledger.lane(0)).toMatchObject({ committedTo: 130n, snapshots: [{ offset: 130n }] });
    expect(engine.fetcher.lanes.size).toBe(0);
  });

  it('leaves what lies in the rings behind, and the group’s revoke adds nothing to it', async () => {
    const engine = await FakeEngine.start();
    await engine.assign(0);
    await engine.feed(0, 130n);
    engine.workerOf(0).onMessage({ type: 'freeze', lanes: [{ partition: 0, incarnation: 1 }] });
    await engine.feed(0, 200n);
    await engine.through(engine.manager.drain());
    expect(engine.ledger.lane(0)).toMatchObject({ committedTo: 130n, snapshots: [{ offset: 130n }] });
    const versions = storedVersions(engine.store).length;
    await engine.through(engine.manager.revoked([0]));
    expect(storedVersions(engine.store)).toHaveLength(versions);
  });

  it('writes nothing when the newest snapshot is where the lane stands', async () => {
    const engine = await FakeEngine.start();
    await engine.assign(0);
    await engine.feed(0, 130n);
    await engine.through(engine.manager.drain());
    const versions = storedVersions(engine.store).length;
    await engine.through(engine.manager.drain());
    expect(storedVersions(engine.store)).toHaveLength(versions);
  });
});

describe('the cut interval', () => {
  it('passes by lanes that did not move', async () => {
    const engine = await FakeEngine.start();
    await engine.assign(0);
    expect(await engine.tick()).toBe(false);
    await engine.feed(0, 130n);
    expect(await engine.tick()).toBe(true);
    expect(await engine.tick()).toBe(false);
    expect(engine.noted).toEqual(['0@130']);
  });

  it('takes a snapshot of each lane that moved, once an interval, also when it has gone quiet since', async () => {
    const engine = await FakeEngine.start({ snapshotIntervalMs: 10_000 });
    await engine.assign(0, 1);
    await engine.feed(0, 130n);
    await engine.tick();
    expect(engine.ledger.lane(0)!.snapshots).toEqual([]);
    engine.clock.advance(20_000);
    expect(await engine.tick()).toBe(true);
    expect(engine.ledger.lane(0)!.snapshots).toMatchObject([{ offset: 130n }]);
    expect(engine.cleaned).toContain(0);
    engine.clock.advance(20_000);
    await engine.tick();
    expect(engine.ledger.lane(0)!.snapshots).toHaveLength(1);
  });
});
