import { describe, expect, test } from 'vitest';
import { seededRandom } from '#src/random.js';
import { waitFigures } from '../../native-bench/lake/figures.js';
import { createBenchTable, nextDraft, openBenchLedger, proveTable } from '../../native-bench/lake/ledger.js';
import { MemoryObjects } from '../../native-bench/lake/memory-store.js';
import { parseLakeOptions } from '../../native-bench/lake/options.js';

describe('figures of lake', () => {
  test('p99 is a value that was measured', () => {
    const values = Array.from({ length: 400 }, (_, index) => 400 - index);
    expect(waitFigures(values)).toEqual({ p50: 200, p99: 396, max: 400 });
    expect(waitFigures([7])).toEqual({ p50: 7, p99: 7, max: 7 });
  });
});

describe('options of lake', () => {
  test('have the numbers of the issue by default', () => {
    expect(parseLakeOptions([])).toMatchObject({ shortVersions: 100, longVersions: 10_000, lanes: 24 });
  });

  test.each([
    ['--commits', '0'],
    ['--versions', '100'],
    ['--short', '1.5'],
    ['--nothing', '1'],
  ])('refuse %s %s', (...args) => {
    expect(() => parseLakeOptions(args)).toThrow();
  });
});

describe('the proof', () => {
  const LANES = 3;

  async function written(): Promise<MemoryObjects> {
    const store = new MemoryObjects();
    const random = seededRandom(1);
    await createBenchTable(store);
    const ledger = await openBenchLedger(store, random);
    for (let i = 0; i < 5; i++) await ledger.commit(() => nextDraft(ledger, LANES, random));
    return store;
  }

  test('accepts what was written, and nothing else', async () => {
    await proveTable(await written(), 5, LANES);
    await expect(proveTable(await written(), 6, LANES)).rejects.toThrow(/newest version is 5, not 6/);
    const short = await written();
    short.objects.delete('_delta_log/00000000000000000005.json');
    await expect(proveTable(short, 5, LANES)).rejects.toThrow(/lane 0 stands at 3000, not at 4000/);
  });
});
