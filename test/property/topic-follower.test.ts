import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertySettings } from '../support/property-seed.js';
import { TopicSim } from '../support/topic-sim.js';

describe('the topic follower', () => {
  it('sends every record exactly once and in its lane’s order, whatever fails, moves, is stolen or killed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 - 1 }), async (seed) => {
        expect(await new TopicSim({ seed, steps: 60 }).run()).toEqual([]);
      }),
      propertySettings({ numRuns: 150 }),
    );
  });

  it('leaves out what was erased and nothing else, wherever it stands in a file that was rewritten', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 - 1 }), async (seed) => {
        expect(await new TopicSim({ seed, steps: 60, erases: true }).run()).toEqual([]);
      }),
      propertySettings({ numRuns: 100 }),
    );
  });

  it('would leave out others’ rows if an erased one did not keep its place', async () => {
    for (let seed = 0; seed < 100; seed++) {
      const wrong = await new TopicSim({ seed, steps: 60, erases: true, without: 'places' }).run();
      if (wrong.some((line) => line.includes('left out'))) return;
    }
    expect.unreachable('the simulation does not notice');
  });

  it.each([
    ['did not wait for the ends of open transactions', 'ends'],
    ['let an engine commit that the group has given up', 'generations'],
  ] as const)('would send twice if the broker %s', async (_, without) => {
    for (let seed = 0; seed < 100; seed++) {
      const wrong = await new TopicSim({ seed, steps: 60, without }).run();
      if (wrong.some((line) => line.includes('twice'))) return;
    }
    expect.unreachable('the simulation does not notice');
  });
});
