import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { QualityConfig } from '#src/config/types.js';
import { buildBatch } from '../support/batch-builder.js';
import { FakeMainThread, onlyLane } from '../support/fake-main-thread.js';
import { batchOf, ENGINES, events, live, model, rowsOf, wanted } from '../support/fake-worker-input.js';
import { withFolder } from '../support/lake-table.js';
import { BASE_MS } from '../support/reference-lane.js';

const LIMITS: QualityConfig = { min: 0.5, overMs: 600_000, eventsMin: 10 };

function broken(count: number, baseOffset: number): Uint8Array {
  const record = { value: '{"user"', timestampMs: BASE_MS };
  return buildBatch({ baseOffset, records: Array.from({ length: count }, () => record) });
}

describe.each(ENGINES)('a worker with the %s', (engine) => {
  const withWorker = (work: (main: FakeMainThread, folder: string) => Promise<void>, quality = LIMITS) =>
    withFolder(async (folder) => {
      const main = new FakeMainThread({ folder, model, engine, quality });
      try {
        await work(main, folder);
      } finally {
        await main.stop().catch(() => undefined);
      }
    });

  it('stops a lane of bad events at its last cut: nothing of them is sealed, and other lanes go on', async () => {
    await withWorker(async (main, folder) => {
      await live(main, 0);
      await live(main, 1);
      main.data(0, 1, 0n, 5n, batchOf([...events('a', 0, 4), ...events('b', 90_000, 1)], 0));
      const good = await main.cut(wanted(0, 1), wanted(1, 1));
      expect(await rowsOf(folder, good)).toEqual(['a 4 gap 1']);
      main.data(0, 1, 5n, 8n, batchOf([...events('c', 180_000, 3)], 5));
      main.data(0, 1, 8n, 20n, broken(12, 8));
      const halted = await main.message('lane-halted', 0, 1);
      expect(halted.error).toMatchObject({
        code: 'QUALITY_LOW',
        where: { topic: 'clicks', partition: 0, offsets: '8-19', malformed: 12 },
      });
      main.data(0, 1, 20n, 23n, batchOf([...events('d', 270_000, 3)], 20));
      main.data(1, 1, 0n, 2n, batchOf(events('e', 0, 2), 0));
      const report = await main.cut(wanted(0, 1), wanted(1, 1));
      expect(onlyLane(report)).toMatchObject({ partition: 1, to: 2n });
      expect(report.deadLetterFile).toBeNull();
      expect(await readdir(join(folder, '_headrace')).catch(() => [])).toEqual([]);
    });
  });

  it('lets bad events become dead letters while enough are good, or too few came to tell', async () => {
    await withWorker(async (main) => {
      await live(main, 0);
      main.data(0, 1, 0n, 9n, broken(9, 0));
      const first = await main.cut(wanted(0, 1));
      expect(onlyLane(first)).toMatchObject({ to: 9n, deadLetters: 9 });
      main.data(0, 1, 9n, 29n, batchOf(events('a', 0, 20), 9));
      main.data(0, 1, 29n, 35n, broken(6, 29));
      const second = await main.cut(wanted(0, 1));
      expect(onlyLane(second)).toMatchObject({ to: 35n, deadLetters: 6 });
      expect(main.about(0)).not.toContain('lane-halted');
    });
  });

  it('does not judge what was committed before', async () => {
    await withWorker(async (main) => {
      const replay = [{ cutId: '1', to: 20n, marks: {}, rows: 0, deadLetters: 20, crc: 0 }];
      main.assign({ partition: 0, incarnation: 1, committedTo: 20n, replay });
      await main.message('lane-ready', 0);
      main.data(0, 1, 0n, 20n, broken(20, 0));
      await main.message('lane-live', 0);
      main.data(0, 1, 20n, 25n, broken(5, 20));
      expect(onlyLane(await main.cut(wanted(0, 1)))).toMatchObject({ to: 25n, deadLetters: 5 });
    });
  });
});
