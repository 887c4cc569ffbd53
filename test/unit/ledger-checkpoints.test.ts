import { describe, expect, it } from 'vitest';
import { lakeAt } from '#src/config/lake-place.js';
import { checkpointPath } from '#src/lake/delta/checkpoint.js';
import { DeltaLog } from '#src/lake/delta/log.js';
import { LocalStore } from '#src/lake/store/local.js';
import type { CheckpointResult } from '#src/ledger/checkpoint-job.js';
import { Checkpoints, checkpointInThread } from '#src/ledger/checkpoints.js';
import { LedgerHistory } from '#src/ledger/history.js';
import { historyFrom } from '#src/ledger/ledger.js';
import { createTable, SOURCE } from '../support/fake-ledger.js';
import { FakeLog } from '../support/fake-log.js';
import { commitInfo, withFolder } from '../support/lake-table.js';

/** Checkpoints whose writing the test ends. */
function rig(newest: number, interval = 10) {
  const asked: { unlessFrom: number; answer(result: CheckpointResult | Error): void }[] = [];
  const newer: number[] = [];
  const checkpoints = new Checkpoints({
    newest,
    interval: () => interval,
    write: (unlessFrom) =>
      new Promise((resolve, reject) => {
        const answer = (result: CheckpointResult | Error) =>
          result instanceof Error ? reject(result) : resolve(result);
        asked.push({ unlessFrom, answer });
      }),
    onNewer: (version) => void newer.push(version),
    log: new FakeLog(),
  });
  const written = (version: number, files = 1) => ({ version, written: { version, files, sizeBytes: 1 } });
  return { checkpoints, asked, newer, written };
}

describe('a checkpoint', () => {
  it('is due an interval behind the newest, one at a time', async () => {
    const { checkpoints, asked, newer, written } = rig(100);
    for (let version = 101; version < 130; version++) checkpoints.committed(version);
    expect(asked.map(({ unlessFrom }) => unlessFrom)).toEqual([105]);
    asked[0]!.answer(written(112));
    await checkpoints.settled();
    expect(newer).toEqual([112]);
    checkpoints.committed(121);
    expect(asked).toHaveLength(1);
    checkpoints.committed(122);
    expect(asked).toHaveLength(2);
  });

  it('is left to another engine that has written one', async () => {
    const { checkpoints, asked, newer } = rig(-1);
    checkpoints.committed(9);
    asked[0]!.answer({ version: 8, written: null });
    await checkpoints.settled();
    expect(newer).toEqual([8]);
    checkpoints.committed(17);
    expect(asked).toHaveLength(1);
  });

  it('that fails is tried again an interval later', async () => {
    const { checkpoints, asked, newer } = rig(0);
    checkpoints.committed(10);
    asked[0]!.answer(new Error('the disk is full'));
    await checkpoints.settled();
    checkpoints.committed(19);
    expect(asked).toHaveLength(1);
    checkpoints.committed(20);
    expect(asked).toHaveLength(2);
    expect(newer).toEqual([]);
  });

  it('comes more seldom where the table has very many files, but not without bound', async () => {
    const { checkpoints, asked, written } = rig(0);
    checkpoints.committed(10);
    asked[0]!.answer(written(10, 5_000));
    await checkpoints.settled();
    checkpoints.committed(59);
    expect(asked).toHaveLength(1);
    checkpoints.committed(60);
    expect(asked).toHaveLength(2);
    asked[1]!.answer(written(60, 10_000_000));
    await checkpoints.settled();
    checkpoints.committed(1_059);
    expect(asked).toHaveLength(2);
    checkpoints.committed(1_060);
    expect(asked).toHaveLength(3);
  });
});

it('is written by a thread of its own, and the table opens from it', async () => {
  await withFolder(async (folder) => {
    const store = new LocalStore(folder);
    await createTable(store);
    const log = (await DeltaLog.open(store))!;
    for (const version of [1, 2, 3])
      await log.tryCommit(version, [{ commitInfo: commitInfo(`a${version}`) }]);
    const task = { place: lakeAt(folder), source: SOURCE, unlessFrom: 2, nowMs: 1 };
    const news = new FakeLog();
    expect(await checkpointInThread(task, news)).toMatchObject({ version: 3, written: { files: 0 } });
    expect(await checkpointInThread(task, news)).toEqual({ version: 3, written: null });
    const told: number[] = [];
    const history = new LedgerHistory(SOURCE);
    const fold = historyFrom(history);
    const opened = await DeltaLog.open(store, {
      ...fold,
      fromCheckpoint: true,
      onVersion: ({ version }) => void told.push(version),
    });
    expect([opened!.version, told]).toEqual([3, []]);
    await store.put(checkpointPath(3), new Uint8Array(20));
    await log.tryCommit(4, [{ commitInfo: commitInfo('a4') }]);
    expect(await checkpointInThread({ ...task, unlessFrom: 4 }, news)).toMatchObject({ version: 4 });
    expect(news.lines.some(({ message }) => /damaged/.test(message))).toBe(true);
  });
});

it('is given up when the engine stops', async () => {
  await withFolder(async (folder) => {
    await createTable(new LocalStore(folder));
    const stop = new AbortController();
    stop.abort();
    const task = { place: lakeAt(folder), source: SOURCE, unlessFrom: 0, nowMs: 1 };
    expect(await checkpointInThread(task, new FakeLog(), stop.signal)).toEqual({
      version: -1,
      written: null,
    });
  });
});
