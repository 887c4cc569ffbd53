import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { RecordedCut } from '#src/ledger/types.js';
import { concatBytes } from '../support/batch-builder.js';
import { FakeMainThread, onlyLane } from '../support/fake-main-thread.js';
import {
  batchOf,
  ENGINES,
  events,
  live,
  model,
  recorded,
  rowsOf,
  wanted,
  withWorker as withEngine,
} from '../support/fake-worker-input.js';

describe.each(ENGINES)('a worker with the %s', (engine) => {
  const withWorker = (work: Parameters<typeof withEngine>[0], limits?: Parameters<typeof withEngine>[1]) =>
    withEngine(work, limits, engine);

  describe('a snapshot', () => {
    /** One lane with an open session at offset 3 and a cut that recorded it. */
    async function snapshotted(main: FakeMainThread) {
      await live(main, 0);
      main.data(0, 1, 0n, 3n, batchOf(events('a', 0, 3), 0));
      const report = await main.cut(wanted(0, 1, true));
      return onlyLane(report).snapshot!;
    }

    it.each(ENGINES)(
      'brings a lane back as it was, for the %s too: its open session goes on',
      async (reader) => {
        await withWorker(async (main, folder) => {
          const snapshot = await snapshotted(main);
          expect((await readFile(join(folder, snapshot.path))).byteLength).toBe(snapshot.sizeBytes);
          const other = new FakeMainThread({ folder, model, engine: reader });
          other.assign({ partition: 0, incarnation: 1, snapshot, committedTo: 3n });
          expect(await other.message('lane-ready')).toMatchObject({ nextOffset: 3n, openSessions: 1 });
          other.data(0, 1, 3n, 6n, batchOf([...events('a', 5, 2), ...events('b', 100, 1)], 3));
          expect(await rowsOf(folder, await other.cut(wanted(0, 1)))).toEqual(['a 5 gap 1']);
          await other.stop();
        });
      },
    );

    it.each(['missing', 'torn', 'of another lane'])(
      'that is %s is said to be unusable, by its path',
      async (how) => {
        await withWorker(async (main, folder) => {
          const snapshot = await snapshotted(main);
          const path = join(folder, snapshot.path);
          if (how === 'missing') await rm(path);
          if (how === 'torn') await writeFile(path, (await readFile(path)).subarray(0, 40));
          const appId = how === 'of another lane' ? 'headrace/group/clicks/topic-id/9' : undefined;
          main.assign({
            partition: 0,
            incarnation: 2,
            snapshot,
            committedTo: 3n,
            ...(appId ? { appId } : {}),
          });
          const message = await main.message('lane-snapshot-unusable', 0, 2);
          expect(message).toMatchObject({ path: snapshot.path, error: { code: 'SNAPSHOT_UNUSABLE' } });
          expect((await main.cut(wanted(0, 2))).lanes).toEqual([]);
        });
      },
    );

    it('that can not be read for a moment is read again', async () => {
      await withWorker(async (main, folder) => {
        const snapshot = await snapshotted(main);
        const path = join(folder, snapshot.path);
        await rename(path, `${path}.aside`);
        await mkdir(path);
        main.assign({ partition: 0, incarnation: 2, snapshot, committedTo: 3n });
        await setTimeout(50);
        await rm(path, { recursive: true });
        await rename(`${path}.aside`, path);
        expect(await main.message('lane-ready', 0, 2)).toMatchObject({ nextOffset: 3n, openSessions: 1 });
        expect(main.about(0)).not.toContain('lane-snapshot-unusable');
      });
    });

    it('is given up with the error when it can not be read for longer', async () => {
      await withWorker(async (main, folder) => {
        const snapshot = await snapshotted(main);
        const path = join(folder, snapshot.path);
        await rm(path);
        await mkdir(path);
        main.assign({ partition: 0, incarnation: 2, snapshot, committedTo: 3n });
        const message = await main.message('lane-snapshot-unusable', 0, 2);
        expect(message.error).toMatchObject({ code: 'LAKE_IO' });
      });
    });
  });

  describe('a replay', () => {
    const first = batchOf([...events('a', 0, 3), ...events('b', 100, 1)], 0);
    const second = batchOf([...events('b', 103, 2), ...events('c', 200, 1)], 4);

    /** Two cuts of a lane, as the ledger would have them. */
    async function cutTwice(main: FakeMainThread): Promise<RecordedCut[]> {
      await live(main, 0);
      const cuts: RecordedCut[] = [];
      for (const [from, to, bytes] of [
        [0n, 4n, first],
        [4n, 7n, second],
      ] as const) {
        main.data(0, 1, from, to, bytes);
        const report = await main.cut(wanted(0, 1));
        cuts.push(recorded(onlyLane(report), report.cutId));
      }
      return cuts;
    }

    it('puts out nothing up to the ledger’s offset, compares each cut, and goes on live behind it', async () => {
      await withWorker(async (main, folder) => {
        const replay = await cutTwice(main);
        main.revoke(0, 1);
        main.assign({ partition: 0, incarnation: 2, committedTo: 7n, replay });
        await main.message('lane-ready', 0, 2);
        const third = batchOf(events('d', 300, 1), 7);
        main.data(0, 2, 0n, 8n, concatBytes(first, second, third));
        await main.message('lane-live', 0, 2);
        const report = await main.cut(wanted(0, 2));
        expect(await rowsOf(folder, report)).toEqual(['c 1 gap 1']);
        expect(onlyLane(report).to).toBe(8n);
      });
    });

    it('meets a mark at its own offset, also when its cut lies inside a batch', async () => {
      await withWorker(async (main, folder) => {
        await live(main, 0);
        main.data(0, 1, 0n, 2n, batchOf(events('a', 0, 2), 0));
        const report = await main.cut({ ...wanted(0, 1), marks: { endOfInput: true } });
        const replay = [recorded(onlyLane(report), report.cutId)];
        main.assign({ partition: 0, incarnation: 2, committedTo: 2n, replay });
        await main.message('lane-ready', 0, 2);
        main.data(0, 2, 0n, 5n, batchOf([...events('a', 0, 4), ...events('b', 100, 1)], 0));
        await main.message('lane-live', 0, 2);
        expect(await rowsOf(folder, await main.cut(wanted(0, 2)))).toEqual([
          'a 2 end_of_input -1',
          'a 4 gap 1',
        ]);
      });
    });

    it.each([
      ['rows', { rows: 2 }],
      ['sum of rows', { crc: 1 }],
      ['dead letters', { deadLetters: 1 }],
    ])('that gives other %s than the ledger has halts the lane, and only that one', async (_, tampered) => {
      await withWorker(async (main) => {
        const [one, two] = await cutTwice(main);
        await live(main, 1);
        main.assign({
          partition: 0,
          incarnation: 2,
          committedTo: 7n,
          replay: [one!, { ...two!, ...tampered }],
        });
        await main.message('lane-ready', 0, 2);
        main.data(0, 2, 0n, 7n, concatBytes(first, second));
        const halted = await main.message('lane-halted', 0, 2);
        expect(halted.error).toMatchObject({
          code: 'REPLAY_DIFFERS',
          where: { partition: 0, cut: two!.cutId },
        });
        main.data(1, 1, 0n, 4n, first);
        const report = await main.cut(wanted(0, 2), wanted(1, 1));
        expect(report.lanes.map(({ partition, rows }) => [partition, rows])).toEqual([[1, 1]]);
      });
    });
  });
});
