import { describe, expect, it } from 'vitest';
import type { LaneFollower } from '#src/lanes/lane-follower.js';
import { FakeEngine } from '../support/fake-engine.js';
import { MemoryStore } from '../support/fake-store.js';

/** Writes down what it is told. A release waits until the test lets it go. */
class ToldFollower implements LaneFollower {
  readonly told: string[] = [];
  letGo = () => {};

  acquired(partitions: readonly number[]): void {
    this.told.push(`acquired ${partitions}`);
  }

  released(partitions: readonly number[]): Promise<void> {
    this.told.push(`released ${partitions}`);
    return new Promise((resolve) => {
      this.letGo = resolve;
    });
  }

  lost(partitions: readonly number[]): void {
    this.told.push(`lost ${partitions}`);
  }

  committed(version: number, lanes: readonly { partition: number; to: bigint }[]): void {
    for (const { partition, to } of lanes) this.told.push(`version ${version}: ${partition}@${to}`);
  }
}

describe('a follower of lanes', () => {
  it('gets a lane when it is live, and hears of its commits instead of the committed offsets', async () => {
    const follower = new ToldFollower();
    const engine = await FakeEngine.start({ follower });
    await engine.assign(0);
    expect(follower.told).toEqual(['acquired 0']);
    await engine.feed(0, 150n);
    await engine.tick();
    expect(follower.told).toEqual(['acquired 0', 'version 2: 0@150']);
    expect(engine.noted).toEqual([]);
    engine.manager.noteOffset(0, 2, 150n);
    engine.manager.noteOffset(7, 2, 150n);
    expect(engine.noted).toEqual(['0@150']);
  });

  it('is done with a revoked lane before the revoke is answered, and after its last commit', async () => {
    const follower = new ToldFollower();
    const engine = await FakeEngine.start({ follower });
    await engine.assign(0);
    await engine.feed(0, 150n);
    let answered = false;
    const revoked = engine.manager.revoked([0]).then(() => {
      answered = true;
    });
    await engine.settle();
    expect(follower.told).toEqual(['acquired 0', 'version 2: 0@150', 'released 0']);
    expect([answered, engine.manager.lanes.has(0)]).toEqual([false, true]);
    follower.letGo();
    await engine.settle();
    await revoked;
    expect(engine.manager.lanes.has(0)).toBe(false);
  });

  it('loses a lane that is lost, and one that starts over until it is live again', async () => {
    const store = new MemoryStore();
    const follower = new ToldFollower();
    const ours = await FakeEngine.start({ store, follower });
    await ours.assign(0, 1);
    ours.manager.lost([1]);
    const theirs = await FakeEngine.start({ store, engineId: 'theirs' });
    await theirs.assign(0);
    await theirs.feed(0, 150n);
    await theirs.tick();
    await ours.ledger.refresh();
    expect(follower.told).toEqual(['acquired 0', 'acquired 1', 'lost 1', 'lost 0']);
    await ours.settle();
    await ours.feed(0, 150n);
    expect(follower.told.slice(4)).toEqual(['acquired 0']);
  });

  it('never gets a lane that becomes live while it is being let go', async () => {
    const follower = new ToldFollower();
    const engine = await FakeEngine.start({ follower });
    engine.workers[0]!.slowLanes.add(0);
    await engine.assign(0);
    const revoked = engine.manager.revoked([0]);
    await engine.settle();
    engine.workers[0]!.finishLoading(0);
    await engine.settle();
    expect(engine.manager.lanes.get(0)).toMatchObject({ state: 'gone' });
    follower.letGo();
    await engine.through(revoked);
    expect(follower.told).toEqual(['released 0']);
    expect(engine.fetcher.lanes.has(0)).toBe(false);
  });

  it('never gets a lane back that another engine commits while it is being let go', async () => {
    const store = new MemoryStore();
    const follower = new ToldFollower();
    const ours = await FakeEngine.start({ store, follower });
    await ours.assign(0);
    const revoked = ours.manager.revoked([0]);
    await ours.settle();
    const theirs = await FakeEngine.start({ store, engineId: 'theirs' });
    await theirs.assign(0);
    await theirs.feed(0, 150n);
    await theirs.tick();
    await ours.ledger.refresh();
    await ours.settle();
    follower.letGo();
    await ours.through(revoked);
    expect(follower.told.slice(-2)).toEqual(['released 0', 'lost 0']);
    expect(ours.manager.lanes.has(0)).toBe(false);
  });
});
