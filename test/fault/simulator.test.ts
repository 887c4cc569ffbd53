import { expect, it } from 'vitest';
import { simulate } from './simulator/simulate.js';

/**
 * Three engines in a simulated world, with crashes, standstills, moved lanes, a lake and a ClickHouse that lose answers: in the
 * end each row is in the table and in ClickHouse as often as it ought to be. `npm run simulate -- --seed S` shows a seed.
 */
const SEEDS = 2_000;

it('whatever happens, in the end each row is in the table and in ClickHouse once', async () => {
  const first = Number(process.env.HEADRACE_SEED ?? 1);
  const failures: string[] = [];
  for (let seed = first; seed < first + SEEDS && failures.length < 5; seed++) {
    const { failure } = await simulate({ seed });
    if (failure !== null) failures.push(`npm run simulate -- --seed ${seed}: ${failure}`);
  }
  expect(failures).toEqual([]);
}, 600_000);

it('a seed gives the same run every time', async () => {
  const runs = [[], []] as string[][];
  for (const lines of runs) await simulate({ seed: 7, onLine: (line) => lines.push(line) });
  expect(runs[0]!.length).toBeGreaterThan(50);
  expect(runs[1]).toEqual(runs[0]);
});
