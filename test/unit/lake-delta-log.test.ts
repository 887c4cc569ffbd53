import { promises as fs } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { HeadraceError } from '#src/errors.js';
import type { Action } from '#src/lake/delta/actions.js';
import { encodeVersion } from '#src/lake/delta/encode.js';
import { DeltaLog } from '#src/lake/delta/log.js';
import { versionPath } from '#src/lake/delta/path.js';
import { LocalStore } from '#src/lake/store/local.js';
import type { ObjectStore } from '#src/lake/store/store.js';
import { commit, commitInfo, withFolder } from '../support/lake-table.js';

const CREATE = {
  id: '00000000-0000-4000-8000-000000000000',
  name: 'n',
  description: 'd',
  schemaString: '{"type":"struct","fields":[]}',
  partitionColumns: [],
  configuration: { 'headrace.group': 'g' },
  createdTimeMs: 1,
};

const txn = (lane: string, version: bigint): Action => ({ txn: { appId: `headrace/${lane}`, version } });
const add = (path: string): Action => ({
  add: { path, partitionValues: {}, size: 1, modificationTime: 1, dataChange: true, stats: '{}' },
});
const withInfo = (attempt: string, ...actions: Action[]): Action[] => [
  { commitInfo: commitInfo(attempt) },
  ...actions,
];

async function create(store: ObjectStore, attempt = 'create'): Promise<DeltaLog> {
  const log = await DeltaLog.create(store, { ...CREATE, commitInfo: commitInfo(attempt), keepFiles: true });
  if (log === 'conflict') throw new Error('conflict');
  return log;
}

/** A store whose next answers to putIfAbsent are lost, before or after the write. */
class LossyStore implements ObjectStore {
  readonly url = 'lossy://';
  readonly #store: ObjectStore;
  lose: 'nothing' | 'request' | 'answer' | 'by-throwing' = 'nothing';

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  async putIfAbsent(path: string, bytes: Uint8Array): Promise<'created' | 'exists' | 'unknown'> {
    const lose = this.lose;
    this.lose = 'nothing';
    if (lose === 'request') return 'unknown';
    const outcome = await this.#store.putIfAbsent(path, bytes);
    if (lose === 'by-throwing') throw new HeadraceError('LAKE_IO', 'broken');
    return lose === 'answer' ? 'unknown' : outcome;
  }

  put = (path: string, bytes: Uint8Array) => this.#store.put(path, bytes);
  get = (path: string) => this.#store.get(path);
  list = (prefix: string, startAfter?: string) => this.#store.list(prefix, startAfter);
  delete = (path: string) => this.#store.delete(path);
}

async function withTable(work: (store: LossyStore, folder: string) => Promise<void>): Promise<void> {
  await withFolder((folder) => work(new LossyStore(new LocalStore(folder)), folder));
}

describe('opening a log', () => {
  it('answers null where there is none', async () => {
    await withTable(async (store) => expect(await DeltaLog.open(store)).toBeNull());
  });

  it('adds all versions up, in order', async () => {
    await withTable(async (store) => {
      const log = await create(store);
      await commit(log, 'a', [txn('0', 5n), add('x'), add('y')]);
      await commit(log, 'b', [txn('1', 1n), { remove: { path: 'x', dataChange: true } }, add('z ü')]);
      await commit(log, 'c', [txn('0', 5n)]);
      const seen: number[] = [];
      const opened = (await DeltaLog.open(store, {
        keepFiles: true,
        onVersion: ({ version }) => {
          seen.push(version);
        },
      }))!;
      expect(seen).toEqual([0, 1, 2, 3]);
      expect(opened.version).toBe(3);
      expect([...opened.txns]).toEqual([
        ['headrace/0', { version: 5n, committedIn: 3 }],
        ['headrace/1', { version: 1n, committedIn: 2 }],
      ]);
      expect([...opened.activeFiles.keys()]).toEqual(['y', 'z ü']);
      expect(opened.protocol).toEqual({ minReaderVersion: 1, minWriterVersion: 2 });
      expect(opened.metaData).toMatchObject({
        name: 'n',
        description: 'd',
        configuration: CREATE.configuration,
      });
      expect(opened.metaData.schema).toEqual({ type: 'struct', fields: [] });
      expect(log.txns).toEqual(opened.txns);
      expect(log.activeFiles).toEqual(opened.activeFiles);
    });
  });

  it('keeps no list of files unless asked', async () => {
    await withTable(async (store) => {
      await create(store);
      const opened = (await DeltaLog.open(store))!;
      expect(() => opened.activeFiles).toThrow(/keepFiles/);
    });
  });

  it('passes over whatever else lies in the log folder', async () => {
    await withTable(async (store, folder) => {
      await create(store);
      for (const name of [
        '00000000000000000000.crc',
        '.tmp-5',
        '00000000000000000000.00000000000000000000.compacted.json',
      ]) {
        await fs.writeFile(join(folder, '_delta_log', name), 'x');
      }
      expect((await DeltaLog.open(store))!.version).toBe(0);
    });
  });

  it('names the version that is missing', async () => {
    await withTable(async (store) => {
      const log = await create(store);
      for (const attempt of ['a', 'b', 'c']) await commit(log, attempt, []);
      await store.delete(versionPath(2));
      await expect(DeltaLog.open(store)).rejects.toMatchObject({
        code: 'LAKE_LOG_CORRUPT',
        where: { version: 2, path: versionPath(2) },
      });
    });
  });

  it('says that it cannot start from a checkpoint, and names it', async () => {
    await withTable(async (store) => {
      const log = await create(store);
      await commit(log, 'a', []);
      await store.delete(versionPath(0));
      await expect(DeltaLog.open(store)).rejects.toThrow(/no version 0: it starts at version 1/);
      await store.put('_delta_log/00000000000000000001.checkpoint.parquet', new Uint8Array(1));
      await expect(DeltaLog.open(store)).rejects.toThrow(/checkpoint \(version 1\)/);
      await store.delete(versionPath(1));
      await expect(DeltaLog.open(store)).rejects.toThrow(/checkpoint \(version 1\)/);
    });
    await withTable(async (store) => {
      await store.put('_delta_log/_last_checkpoint', new Uint8Array(1));
      await expect(DeltaLog.open(store)).rejects.toThrow(/_last_checkpoint/);
    });
  });

  it('refuses a version 0 without protocol or metadata, and a schema that is none', async () => {
    const protocol: Action = { protocol: { minReaderVersion: 1, minWriterVersion: 2 } };
    const metaData = (schemaString: string): Action => ({
      metaData: {
        id: 'i',
        format: { provider: 'parquet', options: {} },
        schemaString,
        partitionColumns: [],
        configuration: {},
      },
    });
    for (const [actions, message] of [
      [[protocol], /no metaData/],
      [[metaData(CREATE.schemaString)], /no protocol/],
      [[protocol, metaData('{')], /schema is not JSON/],
      [[protocol, metaData('{"type":"array"}')], /schema is malformed/],
    ] as [Action[], RegExp][]) {
      await withTable(async (store) => {
        await store.put(versionPath(0), encodeVersion(actions));
        await expect(DeltaLog.open(store)).rejects.toThrow(message);
      });
    }
  });

  it("refuses a log in which a lane goes backwards, and lets other writers' transactions be", async () => {
    await withTable(async (store) => {
      await create(store);
      await store.put(
        versionPath(1),
        encodeVersion([txn('0', 5n), { txn: { appId: 'spark', version: 9n } }]),
      );
      await store.put(versionPath(2), encodeVersion([{ txn: { appId: 'spark', version: 1n } }]));
      expect((await DeltaLog.open(store))!.txns.get('spark')).toEqual({ version: 1n, committedIn: 2 });
      await store.put(versionPath(3), encodeVersion([txn('0', 4n)]));
      await expect(DeltaLog.open(store)).rejects.toMatchObject({
        code: 'LAKE_LOG_CORRUPT',
        where: { version: 3, lane: 'headrace/0' },
      });
    });
  });
});

describe('a commit', () => {
  it('is won by one of two engines; the other reads what won and goes on above it', async () => {
    await withTable(async (store) => {
      const a = await create(store);
      const b = (await DeltaLog.open(store))!;
      expect(await a.tryCommit(1, withInfo('a1', txn('0', 1n)))).toBe('committed');
      expect(await b.tryCommit(1, withInfo('b1', txn('1', 1n)))).toBe('conflict');
      expect(b.version).toBe(0);
      const seen: unknown[] = [];
      await b.refresh((version) => {
        seen.push(version);
      });
      expect(seen).toEqual([{ version: 1, actions: withInfo('a1', txn('0', 1n)) }]);
      expect(await b.tryCommit(2, withInfo('b2', txn('1', 1n)))).toBe('committed');
      expect(b.txns.get('headrace/1')).toEqual({ version: 1n, committedIn: 2 });
    });
  });

  it('of a version that was read already is a conflict, one above a gap a bug', async () => {
    await withTable(async (store) => {
      const log = await create(store);
      expect(await log.tryCommit(0, withInfo('x'))).toBe('conflict');
      await expect(log.tryCommit(2, withInfo('x'))).rejects.toMatchObject({ code: 'INVARIANT' });
    });
  });

  it('whose answer is lost is found by its attempt id', async () => {
    await withTable(async (store) => {
      const log = await create(store);
      store.lose = 'answer';
      expect(await log.tryCommit(1, withInfo('a'))).toBe('committed');
      expect(log.version).toBe(1);
    });
  });

  it("whose answer is lost to another's version is a conflict", async () => {
    await withTable(async (store) => {
      const log = await create(store);
      await store.put(versionPath(1), encodeVersion(withInfo('other')));
      store.lose = 'request';
      expect(await log.tryCommit(1, withInfo('a'))).toBe('conflict');
    });
  });

  it('that never arrived is unknown, and may be tried again', async () => {
    await withTable(async (store) => {
      const log = await create(store);
      store.lose = 'request';
      const actions = withInfo('a', txn('0', 1n));
      expect(await log.tryCommit(1, actions)).toBe('unknown');
      expect(log.version).toBe(0);
      expect(await log.tryCommit(1, actions)).toBe('committed');
    });
  });

  it('that landed while the store failed is ours when it is tried again', async () => {
    await withTable(async (store) => {
      const log = await create(store);
      store.lose = 'by-throwing';
      await expect(log.tryCommit(1, withInfo('a'))).rejects.toMatchObject({ code: 'LAKE_IO' });
      expect(await log.tryCommit(1, withInfo('a'))).toBe('committed');
      expect(log.version).toBe(1);
    });
  });

  it('that takes a lane backwards is not put', async () => {
    await withTable(async (store) => {
      const log = await create(store);
      await commit(log, 'a', [txn('0', 5n)]);
      await expect(log.tryCommit(2, withInfo('b', txn('0', 4n)))).rejects.toThrow(/backwards/);
      expect(await store.get(versionPath(2))).toBeNull();
    });
  });

  it('that takes a lane backwards is put when it says that an operator moved that very lane', async () => {
    await withTable(async (store) => {
      const log = await create(store);
      await commit(log, 'a', [txn('0', 5n), txn('1', 5n)]);
      const moving = (...lanes: string[]): Action => ({
        commitInfo: { timestamp: 1, operation: 'WRITE', headrace: { attempt: 'm', moved: lanes } },
      });
      const both = [txn('0', 4n), txn('1', 4n)];
      await expect(log.tryCommit(2, [moving('headrace/0'), ...both])).rejects.toThrow(/backwards/);
      expect(await log.tryCommit(2, [moving('headrace/0', 'headrace/1'), ...both])).toBe('committed');
      expect((await DeltaLog.open(store))!.txns.get('headrace/1')).toEqual({ version: 4n, committedIn: 2 });
    });
  });

  it('needs an attempt id', async () => {
    await withTable(async (store) => {
      const log = await create(store);
      await expect(log.tryCommit(1, [txn('0', 1n)])).rejects.toThrow(/attempt/);
    });
  });

  it('of version 0 is a conflict for whoever comes second', async () => {
    await withTable(async (store) => {
      await create(store, 'first');
      expect(await DeltaLog.create(store, { ...CREATE, commitInfo: commitInfo('second') })).toBe('conflict');
      expect((await DeltaLog.open(store))!.version).toBe(0);
    });
  });
});

describe('a refresh', () => {
  it('stops at a version that it refuses and stands on the one before', async () => {
    await withTable(async (store) => {
      const log = await create(store);
      await store.put(versionPath(1), encodeVersion(withInfo('x', txn('0', 3n))));
      await store.put(versionPath(2), encodeVersion(withInfo('y', txn('0', 2n))));
      await expect(log.refresh()).rejects.toMatchObject({ code: 'LAKE_LOG_CORRUPT' });
      expect(log.version).toBe(1);
      expect(log.txns.get('headrace/0')).toEqual({ version: 3n, committedIn: 1 });
    });
  });

  it('refuses a table whose protocol was raised while it was open', async () => {
    await withTable(async (store) => {
      const log = await create(store);
      const raised: Action = {
        protocol: { minReaderVersion: 3, minWriterVersion: 7, readerFeatures: ['v2Checkpoint'] },
      };
      await store.put(versionPath(1), encodeVersion([raised]));
      await expect(log.refresh()).rejects.toMatchObject({
        code: 'LAKE_NOT_OURS',
        where: { version: 1, features: 'v2Checkpoint' },
      });
    });
  });
});
