import { expect, it } from 'vitest';
import { FakeEngine } from '../support/fake-engine.js';
import { storedVersions } from '../support/fake-ledger.js';

it('an engine with nothing to cut hears all the same of what another has committed of its lanes', async () => {
  const ours = await FakeEngine.start();
  await ours.assign(0);
  const other = await FakeEngine.start({ store: ours.store, engineId: 'late' });
  await other.assign(0);
  await other.feed(0, 120n);
  await other.tick();
  const newest = storedVersions(ours.store).length - 1;
  expect(ours.ledger.version).toBeLessThan(newest);
  ours.clock.advance(10_000);
  expect(await ours.tick()).toBe(false);
  await ours.settle();
  expect(ours.ledger.version).toBe(newest);
  expect(ours.manager.lanes.get(0)).toMatchObject({ committedTo: 120n, incarnation: 2 });
  expect(ours.fatal).toEqual([]);
});
