import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FollowerSim, type SimOptions } from '../support/follower-sim.js';
import { propertySettings } from '../support/property-seed.js';

/**
 * Followers of two engines over random schedules: commits, lanes that move or are stolen, crashes of engines and of ClickHouse,
 * calls that fail before or after they are done, inserts that land late, merges that take a file's rows away, hours that pass.
 * What a follower may rely on: ClickHouse recognises the last `window` inserts while it runs.
 */
const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });

async function run(options: Omit<SimOptions, 'seed'>, numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(seeds, async (seed) => {
      expect(await new FollowerSim({ seed, ...options }).run()).toEqual([]);
    }),
    propertySettings({ numRuns }),
  );
}

describe('the ClickHouse follower', () => {
  it('brings in every file exactly once, each behind the files of its lanes before it', async () => {
    await run({ steps: 60, window: 60, moves: false, restores: false }, 60);
  });

  it('brings in every file exactly once while lanes move between engines, and files are shared by both', async () => {
    await run({ steps: 60, window: 60, moves: true, restores: false }, 60);
  });

  it('brings in every other file exactly once when some are erased before or after they are in', async () => {
    await run({ steps: 60, window: 60, moves: true, restores: false, erases: true }, 60);
    await run({ steps: 60, window: 60, moves: false, restores: true, erases: true }, 40);
  });

  it('puts back what a restored backup lacks, exactly once', async () => {
    await run({ steps: 60, window: 60, moves: false, restores: true }, 60);
  });
});
