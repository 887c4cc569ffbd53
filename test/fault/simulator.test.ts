import { expect, it } from 'vitest';
import { FIRST_SEED, failuresOf, SEEDS } from './simulator/seeds.js';
import { simulate } from './simulator/simulate.js';

/**
 * Three engines in a simulated world, with crashes, standstills, moved lanes, a lake, a ClickHouse and topics that lose answers,
 * and another tool that cleans the log up: in the end each row is in every sink as often as it ought to be.
 * `npm run simulate -- --seed S` shows a seed. The other half of the seeds is in simulator-more.test.ts.
 */
it('whatever happens, in the end each row is in the table, in ClickHouse and in the output topic once', async () => {
  expect(await failuresOf(FIRST_SEED, SEEDS / 2)).toEqual([]);
}, 900_000);

it('a seed gives the same run every time', async () => {
  const runs = [[], []] as string[][];
  for (const lines of runs) await simulate({ seed: 7, onLine: (line) => lines.push(line) });
  expect(runs[0]!.length).toBeGreaterThan(50);
  expect(runs[1]).toEqual(runs[0]);
});

it('a seed in which the log is cleaned up gives the same run every time', async () => {
  const runs = [[], []] as string[][];
  for (const lines of runs) await simulate({ seed: 15, onLine: (line) => lines.push(line) });
  expect(runs[0]!.some((line) => line.includes('cleans the log up'))).toBe(true);
  expect(runs[1]).toEqual(runs[0]);
});
