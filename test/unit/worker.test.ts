import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { buildBatch, concatBytes } from '../support/batch-builder.js';
import { onlyLane } from '../support/fake-main-thread.js';
import { eventually } from '../support/fake-time.js';
import {
  batchOf,
  ENGINES,
  events,
  live,
  model,
  rowsOf,
  wanted,
  withWorker as withEngine,
} from '../support/fake-worker-input.js';
import { BASE_MS, LaneProbe } from '../support/reference-lane.js';

describe.each(ENGINES)('a worker with the %s', (engine) => {
  const withWorker = (work: Parameters<typeof withEngine>[0], limits?: Parameters<typeof withEngine>[1]) =>
    withEngine(work, limits, engine);

  describe('a cut', () => {
    it('ends in Parquet files with the rows of its lanes, as reported', async () => {
      await withWorker(async (main, folder) => {
        await live(main, 0);
        await live(main, 1);
        main.data(0, 1, 0n, 5n, batchOf([...events('a', 0, 4), ...events('b', 90_000, 1)], 0));
        main.data(1, 1, 0n, 3n, batchOf([...events('c', 0, 2), ...events('d', 100, 1)], 0));
        const report = await main.cut(wanted(0, 1), wanted(1, 1));
        expect(await rowsOf(folder, report)).toEqual(['a 4 gap 1', 'c 2 gap 1']);
        expect(
          report.lanes.map(({ partition, to, rows, openSessions }) => [partition, to, rows, openSessions]),
        ).toEqual([
          [0, 5n, 1, 1],
          [1, 3n, 1, 1],
        ]);
        expect(report.files).toMatchObject([
          { partitionValues: { session_date: '2026-01-01' }, lanes: [0, 1] },
        ]);
        expect(report.deadLetterFile).toBeNull();
      });
    });

    it('counts where the time goes, and what memory is taken', async () => {
      await withWorker(async (main) => {
        await live(main, 0);
        main.data(0, 1, 0n, 5n, batchOf([...events('a', 0, 4), ...events('b', 90_000, 1)], 0));
        await main.cut(wanted(0, 1, true));
        const counters = main.counters();
        const stages = ['decompressNs', 'checkNs', 'sessionsNs', 'cutNs', 'parquetNs', 'uploadNs'] as const;
        for (const stage of stages) expect(counters[stage], stage).toBeGreaterThan(0);
        const { busyNs, decompressNs, checkNs, sessionsNs, sealNs, columnsNs, parquetNs } = counters;
        expect(Math.abs(busyNs - decompressNs - checkNs - sessionsNs)).toBeLessThanOrEqual(3);
        expect(Math.abs(sealNs - columnsNs - parquetNs)).toBeLessThanOrEqual(3);
        expect(columnsNs > 0).toBe(engine === 'kernel');
        expect(counters.heapBytes).toBeGreaterThan(0);
        expect(counters.bufferBytes).toBeGreaterThan(0);
      });
    });

    it('writes one file a date', async () => {
      await withWorker(async (main, folder) => {
        await live(main, 0);
        const list = [...events('a', 0, 1), ...events('b', 86_400, 1), ...events('c', 2 * 86_400, 1)];
        main.data(0, 1, 0n, 3n, batchOf(list, 0));
        const report = await main.cut(wanted(0, 1));
        expect(report.files.map((file) => file.path.split('/')[0])).toEqual([
          'session_date=2026-01-01',
          'session_date=2026-01-02',
        ]);
        expect(await rowsOf(folder, report)).toHaveLength(2);
      });
    });

    it('takes its place among the data: what lies behind it is in the next one', async () => {
      await withWorker(async (main) => {
        await live(main, 0);
        main.data(0, 1, 0n, 2n, batchOf(events('a', 0, 2), 0));
        const first = main.sendCut(wanted(0, 1));
        main.data(0, 1, 2n, 3n, batchOf(events('b', 100, 1), 2));
        const second = await main.cut(wanted(0, 1));
        const before = main.reports().find(({ cutId }) => cutId === first)!;
        expect([onlyLane(before).to, onlyLane(before).rows]).toEqual([2n, 0]);
        expect([onlyLane(second).to, onlyLane(second).rows]).toEqual([3n, 1]);
      });
    });

    it('leaves out lanes of other incarnations, unknown ones, and those that are not live', async () => {
      await withWorker(async (main) => {
        await live(main, 0, 2);
        const replay = [{ cutId: '1', to: 5n, marks: {}, rows: 0, deadLetters: 0, crc: 0 }];
        main.assign({ partition: 1, incarnation: 1, committedTo: 5n, replay });
        await main.message('lane-ready', 1);
        const report = await main.cut(wanted(0, 1), wanted(1, 1), wanted(2, 1));
        expect(report.lanes).toEqual([]);
      });
    });

    it('holds endOfInput only for a lane that has reached its end', async () => {
      await withWorker(async (main) => {
        await live(main, 0);
        await live(main, 1);
        for (const partition of [0, 1]) main.data(partition, 1, 0n, 2n, batchOf(events('a', 0, 2), 0));
        const end = (partition: number, endOffset: bigint) => ({
          ...wanted(partition, 1),
          marks: { endOfInput: true },
          endOffset,
        });
        const report = await main.cut(end(0, 2n), end(1, 3n));
        expect(report.lanes.map(({ marks, rows }) => [marks, rows])).toEqual([
          [{ endOfInput: true }, 1],
          [{}, 0],
        ]);
      });
    });

    it('keeps dead letters as JSON lines with their coordinates and bytes', async () => {
      await withWorker(async (main, folder) => {
        main.assign({ partition: 3, incarnation: 1, startOffset: 40n });
        await main.message('lane-ready', 3);
        const records = [
          { value: '{"user": nonsense', key: 'k', timestampMs: BASE_MS },
          { value: JSON.stringify({ user: 'a', at: BASE_MS }), timestampMs: BASE_MS },
          { value: JSON.stringify({ at: BASE_MS }), timestampMs: BASE_MS + 7 },
        ];
        main.data(3, 1, 40n, 43n, buildBatch({ baseOffset: 40, records }));
        const report = await main.cut(wanted(3, 1));
        expect(report.deadLetterFile).toMatchObject({ letters: 2, lanes: [3] });
        const text = await readFile(join(folder, report.deadLetterFile!.path), 'utf8');
        expect(text.length).toBe(report.deadLetterFile!.sizeBytes);
        const letters = text
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as Record<string, unknown>);
        expect(letters).toMatchObject([
          {
            topic: 'clicks',
            partition: 3,
            offset: 40,
            reason: 'malformed',
            key: Buffer.from('k').toString('base64'),
          },
          {
            topic: 'clicks',
            partition: 3,
            offset: 42,
            reason: 'missing_field',
            timestamp_ms: BASE_MS + 7,
            key: null,
          },
        ]);
        expect(Buffer.from(letters[0]!.value as string, 'base64').toString()).toBe('{"user": nonsense');
        expect(main.counters()).toMatchObject({
          events: 3,
          deadLettersMalformed: 1,
          deadLettersMissingField: 1,
        });
      });
    });

    it('is written again and again while the store fails, says so, and is reported when it can be', async () => {
      await withWorker(async (main, folder) => {
        await live(main, 0);
        const inTheWay = join(folder, 'session_date=2026-01-01');
        await writeFile(inTheWay, 'a file where a folder must be');
        main.data(0, 1, 0n, 3n, batchOf([...events('a', 0, 2), ...events('b', 100, 1)], 0));
        const cutId = main.sendCut(wanted(0, 1));
        const retry = await main.message('seal-retry');
        expect(retry).toMatchObject({ cutId, worker: 0, error: { code: 'LAKE_IO' } });
        await eventually(
          'a second try',
          () => main.messages.filter(({ type }) => type === 'seal-retry').length > 1,
        );
        expect(main.reports()).toEqual([]);
        await rm(inTheWay);
        await eventually('the report', () => main.reports().length === 1);
        expect(await rowsOf(folder, main.reports()[0]!)).toEqual(['a 2 gap 1']);
      });
    });
  });

  describe('input that is no good', () => {
    it('stops a lane at a corrupt batch until it is fetched again; what lies before is taken', async () => {
      await withWorker(async (main, folder) => {
        await live(main, 0);
        const good = batchOf(events('a', 0, 2), 0);
        const next = [...events('a', 2, 1), ...events('b', 100, 1)];
        main.data(0, 1, 0n, 4n, concatBytes(good, batchOf(next, 2, { lies: { crc: 1 } })));
        const message = await main.message('lane-corrupt', 0);
        expect(message).toMatchObject({ offset: 2n, error: { code: 'BATCH_CORRUPT' } });
        // fetched before the main thread knew: void
        main.data(0, 1, 4n, 5n, batchOf(events('z', 500, 1), 4));
        expect(onlyLane(await main.cut(wanted(0, 1))).to).toBe(2n);
        main.seek(0, 1, 2n);
        main.data(0, 1, 2n, 4n, batchOf(next, 2));
        expect(await rowsOf(folder, await main.cut(wanted(0, 1)))).toEqual(['a 3 gap 1']);
        expect(main.about(0).filter((type) => type === 'lane-corrupt')).toHaveLength(1);
      });
    });

    it('halts a lane at a batch that can not be read, for good, and lets it seal what lies before', async () => {
      await withWorker(async (main, folder) => {
        await live(main, 0);
        await live(main, 1);
        const good = batchOf([...events('a', 0, 2), ...events('b', 100, 1)], 0);
        main.data(0, 1, 0n, 4n, concatBytes(good, batchOf(events('c', 200, 1), 3, { magic: 1 })));
        expect((await main.message('lane-halted', 0)).error).toMatchObject({ code: 'BATCH_UNSUPPORTED' });
        main.data(0, 1, 4n, 5n, batchOf(events('d', 300, 1), 4));
        main.data(1, 1, 0n, 3n, good);
        const report = await main.cut(wanted(0, 1), wanted(1, 1));
        expect(report.lanes.map(({ partition, to }) => [partition, to])).toEqual([
          [0, 3n],
          [1, 3n],
        ]);
        expect(await rowsOf(folder, report)).toEqual(['a 2 gap 1', 'a 2 gap 1']);
      });
    });

    it('passes over data of lanes and incarnations that are not there', async () => {
      await withWorker(async (main) => {
        await live(main, 0, 2);
        main.data(0, 1, 77n, 79n, Buffer.from('nonsense'));
        main.data(9, 1, 0n, 2n, Buffer.from('nonsense'));
        await main.caughtUp();
        expect(main.about(0)).toEqual(['lane-live', 'lane-ready']);
      });
    });
  });

  describe('the sessions’ memory', () => {
    it('halts the lane that wants more when it is used up; the others’ cuts go on', async () => {
      await withWorker(
        async (main) => {
          await live(main, 0);
          await live(main, 1);
          const users = Array.from({ length: 50 }, (_, i) => events(`user-${i}`, 0, 1)).flat();
          main.data(0, 1, 0n, 50n, batchOf(users, 0));
          main.data(1, 1, 0n, 2n, batchOf(events('late', 0, 2), 0));
          const halted = await main.message('lane-halted', 1);
          expect(halted.error).toMatchObject({ code: 'SESSION_MEMORY_FULL', where: { limit_bytes: 10_000 } });
          const report = await main.cut(wanted(0, 1, true), wanted(1, 1));
          expect(report.lanes.map(({ to, openSessions }) => [to, openSessions])).toEqual([
            [50n, 50],
            [0n, 0],
          ]);
          expect(report.lanes[0]!.snapshot).not.toBeNull();
        },
        { sessionMemoryBytes: 10_000 },
      );
    });
  });

  describe('a lane that leaves', () => {
    it('takes nothing more once it is frozen, but still seals what it has', async () => {
      await withWorker(async (main) => {
        await live(main, 0);
        await live(main, 1);
        main.data(0, 1, 0n, 2n, batchOf(events('a', 0, 2), 0));
        await main.caughtUp();
        main.post({
          type: 'freeze',
          lanes: [
            { partition: 0, incarnation: 1 },
            { partition: 1, incarnation: 7 },
          ],
        });
        // the port is not in order with the ring
        await setTimeout(60);
        for (const partition of [0, 1]) {
          const from = partition === 0 ? 2n : 0n;
          main.data(partition, 1, from, from + 2n, batchOf(events('a', 2, 2), Number(from)));
        }
        const report = await main.cut(wanted(0, 1, true), wanted(1, 1));
        expect(report.lanes.map(({ to }) => to)).toEqual([2n, 2n]);
        expect(report.lanes[0]!.snapshot?.offset).toBe(2n);
      });
    });

    it('is gone after its revoke, which is answered, and others stay', async () => {
      await withWorker(async (main) => {
        await live(main, 0);
        await live(main, 1);
        main.data(0, 1, 0n, 2n, batchOf(events('a', 0, 2), 0));
        main.revoke(0, 1);
        await main.message('lane-revoked', 0, 1);
        expect(main.counters().openSessions).toBe(0);
        const report = await main.cut(wanted(0, 1), wanted(1, 1));
        expect(report.lanes.map(({ partition }) => partition)).toEqual([1]);
      });
    });

    it('is let go by the incarnation that is named, no other', async () => {
      await withWorker(async (main) => {
        await live(main, 0, 2);
        main.revoke(0, 1);
        await main.message('lane-revoked', 0, 1);
        expect((await main.cut(wanted(0, 2))).lanes).toHaveLength(1);
      });
    });

    it('is let go while it is still loading, and does not come up afterwards', async () => {
      await withWorker(async (main) => {
        await live(main, 0);
        main.data(0, 1, 0n, 2n, batchOf(events('a', 0, 2), 0));
        const { snapshot } = onlyLane(await main.cut(wanted(0, 1, true)));
        main.assign({ partition: 0, incarnation: 2, snapshot, committedTo: 2n });
        main.revoke(0, 2);
        await main.message('lane-revoked', 0, 2);
        await setTimeout(50);
        expect(
          main.messages.filter((message) => 'incarnation' in message && message.incarnation === 2),
        ).toHaveLength(1);
      });
    });
  });

  describe('the task', () => {
    it('says when it has started, and ends with the number of events when told to stop, with every cut reported', async () => {
      await withWorker(async (main) => {
        await live(main, 0);
        main.data(0, 1, 0n, 3n, batchOf([...events('a', 0, 2), ...events('b', 100, 1)], 0));
        main.sendCut(wanted(0, 1));
        expect(await main.stop()).toEqual({ worker: 0, events: 3 });
        await eventually('the report', () => main.reports().length === 1);
        expect(main.messages[0]).toMatchObject({ type: 'started', worker: 0 });
      });
    });

    it('ends with an error when data does not continue a lane: a defect of ours', async () => {
      await withWorker(async (main) => {
        await live(main, 0);
        main.data(0, 1, 5n, 6n, batchOf(events('a', 0, 1), 5));
        await expect(main.ended).rejects.toMatchObject({ code: 'INVARIANT' });
      });
    });

    it('gives the rows of the reference, however the events are cut into batches, records and cuts', async () => {
      await withWorker(async (main, folder) => {
        await live(main, 0);
        const list = Array.from({ length: 120 }, (_, i) => ({
          user: `u${i % 7}`,
          at: Math.floor(i * 1.7) + (i % 3) * 4,
        }));
        const probe = new LaneProbe(model).send(...list);
        const rows: string[] = [];
        for (let from = 0, step = 1; from < list.length; from += step, step = (step * 3) % 17 || 5) {
          const part = list.slice(from, from + step);
          main.data(0, 1, BigInt(from), BigInt(from + part.length), batchOf(part, from));
          if (step % 2 === 0) rows.push(...(await rowsOf(folder, await main.cut(wanted(0, 1)))));
        }
        rows.push(...(await rowsOf(folder, await main.cut(wanted(0, 1)))));
        const expected = probe.named.map((row) => `${row.user} ${row.events} ${row.closed_by} ${row.sign}`);
        expect(expected.length).toBeGreaterThan(5);
        expect(rows.sort()).toEqual(expected.sort());
      });
    });
  });
});
