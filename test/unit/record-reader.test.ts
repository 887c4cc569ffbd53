import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withoutRows } from '#src/columnar/without-rows.js';
import { HeadraceError } from '#src/errors.js';
import { type RecordRequest, type TopicRecord, unpackRecords } from '#src/ledger/record-pack.js';
import type { SealedReport } from '#src/ledger/types.js';
import { WorkerRecords } from '#src/pool/worker-records.js';
import type { FakeMainThread } from '../support/fake-main-thread.js';
import { batchOf, ENGINES, events, live, model, wanted, withWorker } from '../support/fake-worker-input.js';

/** Asks until all is there; what each answer passed over is that of the last. */
async function readAll(main: FakeMainThread, request: RecordRequest) {
  const records = new WorkerRecords((_, message) => main.post(message));
  main.onMessage = (message) => {
    if (message.type === 'records') records.answered(message);
    else main.messages.push(message);
  };
  const got: TopicRecord[] = [];
  for (let answers = 1; ; answers++) {
    const sent = (partition: number) => got.filter((record) => record.partition === partition).length;
    const skip = request.skip.map((lane) => ({ ...lane, records: lane.records + sent(lane.partition) }));
    const { bytes, skipped, more } = await records.read(0, { ...request, skip });
    got.push(
      ...[...unpackRecords(bytes)].map((record) => ({
        ...record,
        key: record.key && Buffer.from(record.key),
      })),
    );
    if (!more) return { got, skipped, answers };
  }
}

const textOf = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString());
const rowOf = ({ value }: TopicRecord) => JSON.parse(textOf(value)!) as Record<string, unknown>;

/** Users of two lanes, whose sessions are all closed by a late event. */
async function sealed(main: FakeMainThread, users: readonly string[][]): Promise<SealedReport> {
  for (const [index, names] of users.entries()) {
    const partition = 3 + index;
    await live(main, partition);
    const list = [...names.flatMap((user, at) => events(user, at, 1)), ...events('end', 5_000, 1)];
    main.data(partition, 1, 0n, BigInt(list.length), batchOf(list, 0));
  }
  return await main.cut(...users.map((_, index) => wanted(3 + index, 1)));
}

describe.each(ENGINES)('a worker with the %s reads a file back', (engine) => {
  const withThread = (work: Parameters<typeof withWorker>[0]) => withWorker(work, {}, engine);

  it('as one JSON object a row, keyed by the session key, of the lanes that are asked for', async () => {
    await withThread(async (main) => {
      const [file] = (await sealed(main, [['a', 'é"\n'], ['c']])).files;
      expect(file!.laneRows).toEqual([
        { partition: 3, rows: 2 },
        { partition: 4, rows: 1 },
      ]);
      const { path, sizeBytes, laneRows } = file!;
      const all = await readAll(main, {
        path,
        sizeBytes,
        laneRows: laneRows!,
        skip: [3, 4].map((partition) => ({ partition, records: 0 })),
      });
      expect(all.got.map(({ partition, key }) => `${partition} ${textOf(key)}`).sort()).toEqual([
        '3 a',
        '3 é"\n',
        '4 c',
      ]);
      for (const record of all.got) {
        const row = rowOf(record);
        expect(row.user).toBe(textOf(record.key));
        expect(row).toMatchObject({
          sign: 1,
          revision: 0,
          closed_by: 'gap',
          batch_id: expect.stringMatching(/^\d+$/),
        });
        expect(row.session_start).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
        expect(record.headers).toBeNull();
      }
      const one = await readAll(main, {
        path,
        sizeBytes,
        laneRows: laneRows!,
        skip: [{ partition: 3, records: 1 }],
      });
      expect(one.got.map(rowOf)).toEqual(
        all.got
          .filter(({ partition }) => partition === 3)
          .slice(1)
          .map(rowOf),
      );
      expect(one.skipped).toEqual([[3, 1]]);
    });
  });

  it('of which rows were erased, with each of those in its place and empty', async () => {
    await withThread(async (main, folder) => {
      const [file] = (
        await sealed(main, [
          ['a', 'b'],
          ['c', 'd'],
        ])
      ).files;
      const { path, sizeBytes, laneRows } = file!;
      const named = { path, sizeBytes, laneRows: laneRows! };
      const skip = [3, 4].map((partition) => ({ partition, records: 0 }));
      const all = await readAll(main, { ...named, skip });
      const bytes = await readFile(join(folder, path));
      const left = withoutRows(model, bytes, [1, 2])!.bytes;
      await writeFile(join(folder, 'left.parquet'), left);
      const now = { path: 'left.parquet', sizeBytes: left.byteLength };
      const some = await readAll(main, { ...named, skip, rewrite: { now, gone: [1, 2] } });
      expect(some.got.map(({ partition }) => partition)).toEqual(all.got.map(({ partition }) => partition));
      expect(some.got.map(({ value }) => textOf(value))).toEqual(
        all.got.map(({ value }, row) => (row === 1 || row === 2 ? null : textOf(value))),
      );
      // who had passed two rows of the first lane before the erasure goes on with the second lane's first one
      const behind = [{ partition: 3, records: 2 }, skip[1]!];
      const rest = await readAll(main, { ...named, skip: behind, rewrite: { now, gone: [1, 2] } });
      expect(rest.got.map(({ value }) => textOf(value))).toEqual([null, textOf(all.got[3]!.value)]);
      const none = await readAll(main, { ...named, skip, rewrite: { now: null, gone: [0, 1, 2, 3] } });
      expect(none.got.map(({ value }) => value)).toEqual([null, null, null, null]);
    });
  });

  it('in parts, none missing and none twice', async () => {
    await withThread(async (main) => {
      const users = [0, 1].map((lane) => Array.from({ length: 3_000 }, (_, user) => `${lane}-${user}`));
      const [file] = (await sealed(main, users)).files;
      const { path, sizeBytes, laneRows } = file!;
      const skip = [
        { partition: 3, records: 500 },
        { partition: 4, records: 3_500 },
      ];
      const { got, skipped, answers } = await readAll(main, { path, sizeBytes, laneRows: laneRows!, skip });
      expect(answers).toBeGreaterThan(1);
      expect(new Set(got.map(({ key }) => textOf(key))).size).toBe(2_500);
      expect(got).toHaveLength(2_500);
      expect(new Map(skipped).get(4)).toBe(3_000);
    });
  });

  it('or says which file is not what the ledger says', async () => {
    await withThread(async (main, folder) => {
      const [file] = (await sealed(main, [['a']])).files;
      const { path, sizeBytes, laneRows } = file!;
      const request = { path, sizeBytes, laneRows: laneRows!, skip: [{ partition: 3, records: 0 }] };
      const failure = async (asked: RecordRequest) => {
        const error = await readAll(main, asked).catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(HeadraceError);
        return String(error);
      };
      expect(await failure({ ...request, laneRows: [{ partition: 3, rows: 7 }] })).toMatch(
        /the ledger says 7.*path=/,
      );
      expect(await failure({ ...request, sizeBytes: 5 })).toMatch(/ledger_bytes=5/);
      await writeFile(join(folder, path), Buffer.alloc(sizeBytes));
      expect(await failure(request)).toContain(path);
      await rm(join(folder, path));
      expect(await failure(request)).toMatch(/LAKE_IO.*is not there/);
    });
  });
});

describe('dead letters', () => {
  it('come back as they were, with what is known of them in headers', async () => {
    await withWorker(async (main) => {
      await live(main, 3);
      main.data(3, 1, 0n, 1n, batchOf(events('a', 0, 1), 0));
      const bad = batchOf([], 1, {
        records: [
          { key: 'k', value: '{"bad', timestampMs: 7 },
          { key: null, value: null, timestampMs: 8 },
        ],
      });
      main.data(3, 1, 1n, 3n, bad);
      const { deadLetterFile } = await main.cut(wanted(3, 1));
      const { path, sizeBytes } = deadLetterFile!;
      const { got } = await readAll(main, {
        path,
        sizeBytes,
        laneRows: null,
        skip: [{ partition: 3, records: 0 }],
      });
      expect(got.map(({ key, value }) => [textOf(key), textOf(value)])).toEqual([
        ['k', '{"bad'],
        [null, null],
      ]);
      const where = { topic: 'clicks', partition: '3' };
      expect(got[0]!.headers).toMatchObject({ ...where, reason: 'malformed', offset: '1', timestamp: '7' });
      expect(Object.keys(got[1]!.headers!)).toContain('detail');
    });
  });
});
