import { describe, expect, it } from 'vitest';
import { HeadraceError } from '#src/errors.js';
import { resetDraft } from '#src/ledger/reset.js';
import { seededRandom } from '#src/random.js';
import { FakeEngine } from '../support/fake-engine.js';
import { openLedger } from '../support/fake-ledger.js';
import { MemoryStore } from '../support/fake-store.js';

describe('offsets that are gone', () => {
  it('that were accepted are recorded with the lane, and a snapshot comes at once', async () => {
    const engine = await FakeEngine.start();
    await engine.assign(0);
    await engine.feed(0, 130n);
    await engine.tick();
    const { incarnation } = engine.manager.lanes.get(0)!;
    engine.fetcher.seekLane(0, incarnation, 180n);
    engine.manager.onFetchEvent({ type: 'lane-skipped', partition: 0, incarnation, from: 130n, to: 180n });
    await engine.tick();
    const lane = engine.ledger.lane(0)!;
    expect(lane).toMatchObject({ committedTo: 180n, gaps: [{ from: 130, to: 180 }] });
    expect(lane.snapshots.at(-1)).toMatchObject({ offset: 180n });
    expect(engine.log.with('passed over')[0]!.fields).toMatchObject({ partition: 0, from: 130n, to: 179n });
    await engine.feed(0, 190n);
    await engine.tick();
    expect(engine.ledger.lane(0)!.gaps).toHaveLength(1);
  });

  it('and that a recovery needs can not be: the halt names the reset', async () => {
    const store = new MemoryStore();
    const first = await FakeEngine.start({ store });
    await first.assign(0);
    await first.feed(0, 150n);
    await first.tick();
    const second = await FakeEngine.start({ store, engineId: 'second' });
    await second.assign(0);
    const where = { partition: 0, position: 100n, logStart: 120n };
    const error = new HeadraceError('OFFSET_OUT_OF_RANGE', 'gone', { where, remedy: '--accept-gap' });
    const { incarnation } = second.manager.lanes.get(0)!;
    second.manager.onFetchEvent({ type: 'lane-halted', partition: 0, incarnation, error });
    const { halted } = second.manager.lanes.get(0)!;
    expect(halted!.message).toContain('open sessions can');
    expect(halted!.remedy).toContain('headrace ledger reset --partition 0 --to 150 ');
  });
});

describe('a lane that the operator moves', () => {
  it.each([20n, 400n])('to %d starts over there, and what it had not committed is void', async (to) => {
    const engine = await FakeEngine.start();
    await engine.assign(0, 1);
    await engine.feed(0, 150n);
    await engine.feed(1, 150n);
    await engine.tick();
    await engine.feed(0, 170n);
    const operator = await openLedger(engine.store, {
      engineId: 'o',
      clock: engine.clock,
      random: seededRandom(3),
    });
    await operator.commit(() =>
      resetDraft((partition) => operator.lane(partition), [{ partition: 0, to }], {
        id: '5',
        createdAtMs: 0,
      }),
    );
    await engine.feed(1, 160n);
    await engine.tick();
    await engine.settle();
    const lane = engine.manager.lanes.get(0)!;
    expect(lane).toMatchObject({ committedTo: to, state: 'live', incarnation: 3 });
    expect(engine.fetcher.calls.at(-1)).toBe(`add 0 from ${to}`);
    expect(engine.forgotten).toEqual(to < 150n ? [0] : []);
    await engine.feed(0, to + 10n);
    await engine.tick();
    expect(engine.ledger.lane(0)).toMatchObject({ committedTo: to + 10n, startOffset: to });
    expect(engine.ledger.lane(1)!.committedTo).toBe(160n);
  });

  it('goes on although it had halted on its way back', async () => {
    const engine = await FakeEngine.start();
    engine.workers[0]!.slowLanes.add(0);
    await engine.assign(0);
    const { incarnation } = engine.manager.lanes.get(0)!;
    const error = new HeadraceError('OFFSET_OUT_OF_RANGE', 'gone');
    engine.manager.onFetchEvent({ type: 'lane-halted', partition: 0, incarnation, error });
    const operator = await openLedger(engine.store, {
      engineId: 'o',
      clock: engine.clock,
      random: seededRandom(3),
    });
    await operator.commit(() =>
      resetDraft((partition) => operator.lane(partition), [{ partition: 0, to: 7n }], {
        id: '5',
        createdAtMs: 0,
      }),
    );
    engine.workers[0]!.slowLanes.clear();
    expect(await engine.tick()).toBe(false);
    await engine.settle();
    expect(engine.manager.lanes.get(0)).toMatchObject({ halted: null, state: 'live', committedTo: 7n });
  });
});
