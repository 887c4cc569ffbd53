import { expect, it } from 'vitest';
import { minioBinary } from '../../config/setup/minio.mjs';
import { runLake } from '../../native-bench/lake/command.js';

it('the benchmark lake measures commits in both places and proves both tables', {
  timeout: 300_000,
}, async () => {
  const printed: string[] = [];
  const result = await runLake(
    ['--commits', '12', '--short', '5', '--versions', '140', '--lanes', '4', '--json'],
    { minio: minioBinary() },
    { print: (text) => printed.push(text), progress: () => {} },
  );
  expect(JSON.parse(printed.at(-1)!)).toEqual(result);
  expect(printed[0]).toContain('found in the log: right');
  expect(result.places.map(({ place }) => place)).toEqual(['local', 'minio']);
  for (const { short, long, growth } of result.places) {
    expect([short.versions, long.versions]).toEqual([5, 140]);
    // the long log is as an engine leaves it: with the checkpoint of its hundredth version
    expect([short.openedFrom, long.openedFrom]).toEqual(['versions', 'checkpoint']);
    for (const { commitMs, putMs, openMs } of [short, long]) {
      expect(commitMs.p99).toBeGreaterThanOrEqual(commitMs.p50);
      expect(commitMs.max).toBeGreaterThanOrEqual(commitMs.p99);
      expect(Math.min(commitMs.p50, putMs.p50, openMs)).toBeGreaterThan(0);
    }
    expect(growth).toBeCloseTo(long.commitMs.p50 / short.commitMs.p50);
  }
});
