import { expect, it } from 'vitest';
import { seededRandom } from '#src/random.js';
import { FIRST_SEED, failuresOf, SEEDS } from './simulator/seeds.js';
import { SimTopic } from './simulator/sim-topic.js';
import { simulate } from './simulator/simulate.js';
import { ToyLane, type ToyRow } from './simulator/toy-sessions.js';

/**
 * Three engines in a simulated world, with crashes, standstills, moved lanes, a lake, a ClickHouse and topics that lose answers,
 * and another tool that cleans the log up: in the end each row is in every sink as often as it ought to be.
 * `npm run simulate -- --seed S` shows a seed. The other half of the seeds is in simulator-more.test.ts.
 */
it('whatever happens, in the end each row is in the table, in ClickHouse and in the output topic once', async () => {
  expect(await failuresOf(FIRST_SEED, SEEDS / 2)).toEqual([]);
}, 900_000);

it('late events revise rows, make one session of two and become dead letters in what is simulated', () => {
  const rows: ToyRow[] = [];
  const reasons: string[] = [];
  let merges = 0;
  for (let seed = 1; seed <= 500; seed++) {
    const topic = new SimTopic(seededRandom(seed), 4, 19_000);
    for (const events of topic.lanes) {
      const lane = new ToyLane(0);
      for (const [offset, event] of events.entries()) {
        lane.event(offset, event);
        // as half of the engines do now and then
        if (offset % 3 === 0) lane.marks({ early: true });
        const taken = lane.take();
        rows.push(...taken.rows);
        reasons.push(...taken.letters.map(({ reason }) => reason));
        const [one, other, both] = taken.rows;
        if (one?.sign === -1 && other?.sign === -1 && both?.session === one.session && both.sign === 1)
          merges++;
      }
    }
  }
  expect(rows.filter(({ sign }) => sign < 0).length).toBeGreaterThan(100);
  expect(merges).toBeGreaterThan(3);
  expect(reasons.filter((reason) => reason === 'late').length).toBeGreaterThan(10);
  expect(reasons.filter((reason) => reason === 'future').length).toBeGreaterThan(10);
});

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
