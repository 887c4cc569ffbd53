import { describe, expect, it } from 'vitest';
import type { HeadraceError } from '#src/errors.js';
import type { Action } from '#src/lake/delta/actions.js';
import { checkpointPath, lastCheckpoint, tellLastCheckpoint } from '#src/lake/delta/checkpoint.js';
import { encodeCheckpoint } from '#src/lake/delta/checkpoint-encode.js';
import type { CheckpointRow } from '#src/lake/delta/checkpoint-rows.js';
import { sealPath } from '#src/lake/delta/checkpoint-seal.js';
import { checkRows, writeCheckpoint } from '#src/lake/delta/checkpoint-write.js';
import { cleanUpLog, planCleanUp } from '#src/lake/delta/clean-up.js';
import { DeltaLog, type OpenOptions } from '#src/lake/delta/log.js';
import { versionPath } from '#src/lake/delta/path.js';
import { createTable } from '../support/fake-ledger.js';
import { MemoryStore } from '../support/fake-store.js';
import { addOf, commitInfo } from '../support/lake-table.js';

const DAY_MS = 86_400_000;
const NOW_MS = 1_800_000_000_000;

/** Counts what is read. */
class CountingStore extends MemoryStore {
  reads: string[] = [];
  override async get(path: string): Promise<Uint8Array | null> {
    this.reads.push(path);
    return await super.get(path);
  }
}

/** A day a version, the last one now. */
async function table(versions: number): Promise<CountingStore> {
  let nowMs = NOW_MS - versions * DAY_MS;
  const store = new CountingStore(() => nowMs);
  await createTable(store);
  const log = (await DeltaLog.open(store))!;
  for (let version = 1; version < versions; version++) {
    nowMs += DAY_MS;
    expect(await log.tryCommit(version, actionsOf(version))).toBe('committed');
  }
  store.reads = [];
  return store;
}

function actionsOf(version: number): Action[] {
  return [
    { commitInfo: commitInfo(`attempt-${version}`) },
    { txn: { appId: 'headrace/g/t/x/0', version: BigInt(version) } },
    addOf(
      `p=\ufeff${version}/a b`,
      { p: `\ufeff${version}` },
      { bytes: new Uint8Array(9), stats: '{"numRecords":1}' },
    ),
    ...(version % 2 === 0
      ? [
          {
            remove: {
              path: `p=\ufeff${version - 1}/a b`,
              dataChange: true,
              deletionTimestamp: NOW_MS - 8 * DAY_MS + version,
            },
          },
        ]
      : []),
  ];
}

async function write(store: MemoryStore, note: unknown = { of: 'the writer' }) {
  return await writeCheckpoint(store, { nowMs: NOW_MS, note: () => note });
}

async function open(store: MemoryStore, options: OpenOptions = {}) {
  const told: { start: number | null; note: unknown; versions: number[]; damaged: string[] } = {
    start: null,
    note: undefined,
    versions: [],
    damaged: [],
  };
  const log = await DeltaLog.open(store, {
    keepFiles: true,
    fromCheckpoint: true,
    onCheckpoint: ({ version, note }) => void Object.assign(told, { start: version, note }),
    onVersion: ({ version }) => void told.versions.push(version),
    onDamaged: (error: HeadraceError) => void told.damaged.push(error.message),
    ...options,
  });
  return { ...told, log: log! };
}

function damage(store: MemoryStore, path: string): void {
  const bytes = store.objects.get(path)!.slice();
  bytes[bytes.length >> 1]! ^= 1;
  store.objects.set(path, bytes);
}

describe('a checkpoint of ours', () => {
  it('stands for all before it: nothing else of the log is read, and its note is told', async () => {
    const store = await table(9);
    const whole = await open(store, { fromCheckpoint: false });
    expect(await write(store)).toMatchObject({ version: 8, files: 4 });
    await whole.log.tryCommit(9, actionsOf(9));
    store.reads = [];
    const { log, start, note, versions } = await open(store);
    expect([start, note, versions]).toEqual([8, { of: 'the writer' }, [9]]);
    expect(store.reads.filter((path) => path.endsWith('.json')).sort()).toEqual([
      versionPath(9),
      versionPath(10),
      sealPath(8),
    ]);
    const withoutChange = (files: ReadonlyMap<string, object>) =>
      [...files.values()].map((file) => ({ ...file, dataChange: null })).sort(byPath);
    expect(withoutChange(log.activeFiles)).toEqual(withoutChange(whole.log.activeFiles));
    expect(log.txns.get('headrace/g/t/x/0')!.version).toBe(9n);
    expect(log.metaData).toEqual(whole.log.metaData);
  });

  it('is written from the one before, and not twice', async () => {
    const store = await table(5);
    await write(store);
    expect(await write(store)).toBeNull();
    const log = (await open(store)).log;
    await log.tryCommit(5, actionsOf(5));
    store.reads = [];
    expect(await write(store)).toMatchObject({ version: 5, files: 3 });
    expect(store.reads).not.toContain(versionPath(4));
    expect(await lastCheckpoint(store)).toBe(5);
  });

  it('knows removed files for as long as a vacuum may want to', async () => {
    const store = await table(9);
    await write(store);
    const removed: string[] = [];
    await DeltaLog.open(store, {
      fromCheckpoint: true,
      tellFiles: true,
      onCheckpoint: ({ actions }) => {
        for (const action of actions) if ('remove' in action) removed.push(action.remove.path);
      },
    });
    expect(removed).toEqual([]);
    store.objects.delete(checkpointPath(8));
    expect(await writeCheckpoint(store, { nowMs: NOW_MS - 2 * DAY_MS })).not.toBeNull();
    await DeltaLog.open(store, {
      fromCheckpoint: true,
      tellFiles: true,
      onCheckpoint: ({ actions }) => {
        for (const action of actions) if ('remove' in action) removed.push(action.remove.path);
      },
    });
    expect(removed).toHaveLength(4);
  });

  it('that a reader finds something else in is not published, and the reader is named', async () => {
    const rows: CheckpointRow[] = [
      { kind: 'protocol', value: { minReaderVersion: 1, minWriterVersion: 2 } },
      { kind: 'txn', value: { appId: 'a', version: 2n ** 62n } },
    ];
    await checkRows(7, rows, encodeCheckpoint(rows));
    const other = rows.with(1, { kind: 'txn', value: { appId: 'a', version: 2n ** 62n + 1n } });
    await expect(checkRows(7, rows, encodeCheckpoint(other))).rejects.toThrow(/parquet-wasm.*row 1 differs/);
    await expect(checkRows(7, rows, encodeCheckpoint(rows.slice(0, 1)))).rejects.toThrow(/row 1 differs/);
    await expect(checkRows(7, rows, new Uint8Array(30))).rejects.toMatchObject({ code: 'INVARIANT' });
  });

  it('is never pointed to once a newer one is', async () => {
    const store = new MemoryStore();
    const hint = { size: 1, sizeInBytes: 1, numOfAddFiles: 0 };
    await tellLastCheckpoint(store, { version: 9, ...hint });
    await tellLastCheckpoint(store, { version: 7, ...hint });
    expect(await lastCheckpoint(store)).toBe(9);
  });
});

describe('a damaged checkpoint', () => {
  it('is passed over for the log, where that is whole', async () => {
    const store = await table(6);
    await write(store);
    damage(store, checkpointPath(5));
    const { start, versions, damaged } = await open(store);
    expect([start, versions]).toEqual([null, [0, 1, 2, 3, 4, 5]]);
    expect(damaged[0]).toMatch(/checkpoint \(version 5\) that can't be read: its bytes are not those/);
  });

  it('is passed over for the one before, and told', async () => {
    const store = await table(4);
    await write(store);
    const { log } = await open(store);
    for (const version of [4, 5, 6]) await log.tryCommit(version, actionsOf(version));
    await write(store);
    for (const version of [0, 1, 2]) store.objects.delete(versionPath(version));
    store.objects.set(checkpointPath(6), store.objects.get(checkpointPath(6))!.slice(0, 100));
    const { start, versions, damaged } = await open(store);
    expect([start, versions]).toEqual([3, [4, 5, 6]]);
    expect(damaged.length).toBeGreaterThan(0);
    // and the next one is written from there
    store.objects.delete('_delta_log/_last_checkpoint');
    expect(await write(store)).toMatchObject({ version: 6 });
    expect((await open(store)).start).toBe(6);
  });

  it('with nothing before it is refused, with version, file and what to do', async () => {
    const store = await table(4);
    await write(store);
    for (const version of [0, 1]) store.objects.delete(versionPath(version));
    store.objects.set(checkpointPath(3), new Uint8Array(50));
    await expect(open(store)).rejects.toMatchObject({
      code: 'LAKE_LOG_CORRUPT',
      where: { version: 3, path: checkpointPath(3) },
      remedy: expect.stringMatching(/bring the older log files back/) as string,
    });
  });

  it('that another tool has replaced is taken as its own when nothing else is left, without our note', async () => {
    const store = await table(4);
    await write(store, 'ours');
    const other = await table(4);
    await writeCheckpoint(other, { nowMs: NOW_MS - 30 * DAY_MS });
    store.objects.set(checkpointPath(3), other.objects.get(checkpointPath(3))!);
    for (const version of [0, 1]) store.objects.delete(versionPath(version));
    const { start, note, log } = await open(store);
    expect([start, note, log.version]).toEqual([3, null, 3]);
  });
});

describe('cleaning the log up', () => {
  const retention = (days: number, neededFrom = 1_000) => ({
    nowMs: NOW_MS,
    retentionMs: days * DAY_MS,
    neededFrom,
  });

  async function withCheckpoints(): Promise<CountingStore> {
    const store = await table(1);
    let log = (await open(store)).log;
    for (let version = 1; version < 30; version++) {
      await log.tryCommit(version, actionsOf(version));
      if (version % 5 === 0) await write(store);
    }
    log = (await open(store)).log;
    const aged = new CountingStore(() => 0);
    const time = (path: string) => NOW_MS - (30 - Number(/\d{20}/.exec(path)?.[0] ?? 30)) * DAY_MS;
    for (const [path, bytes] of store.objects) await aged.put(path, bytes);
    aged.modifiedMs = time;
    return aged;
  }

  it('goes no further than the last checkpoint that is old enough', async () => {
    const store = await withCheckpoints();
    expect(await planCleanUp(store, retention(12))).toMatchObject({ keepFrom: 15 });
    const { paths } = await cleanUpLog(store, retention(12));
    expect(paths[0]).toBe(versionPath(0));
    expect(paths).toContain(versionPath(14));
    expect(paths).toContain(checkpointPath(10));
    expect(paths).toContain(sealPath(10));
    expect(store.objects.has(versionPath(15))).toBe(true);
    expect((await open(store, { fromCheckpoint: false })).start).toBe(25);
    expect((await open(store, { upTo: 17 })).log.version).toBe(17);
    await expect(open(store, { upTo: 12 })).rejects.toMatchObject({ code: 'LAKE_LOG_CORRUPT' });
  });

  it('leaves what somebody still has to read', async () => {
    const store = await withCheckpoints();
    expect(await planCleanUp(store, retention(1, 13))).toMatchObject({ keepFrom: 10 });
    expect(await planCleanUp(store, retention(1, 4))).toEqual({ keepFrom: null, paths: [] });
    expect(await planCleanUp(store, retention(40))).toEqual({ keepFrom: null, paths: [] });
  });

  it('trusts no checkpoint that it can not read', async () => {
    const store = await withCheckpoints();
    damage(store, checkpointPath(15));
    expect(await planCleanUp(store, retention(12))).toMatchObject({ keepFrom: 10 });
  });
});

function byPath(a: object, b: object): number {
  return (a as { path: string }).path < (b as { path: string }).path ? -1 : 1;
}
