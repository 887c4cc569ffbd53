import { promises as fs } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { HeadraceError } from '#src/errors.js';
import { LocalStore } from '#src/lake/store/local.js';
import { probeWritable } from '#src/lake/store/probe.js';
import type { ObjectStore } from '#src/lake/store/store.js';
import { withFolder } from '../support/lake-table.js';

function broken(store: ObjectStore, over: Partial<ObjectStore>): ObjectStore {
  return {
    url: store.url,
    putIfAbsent: store.putIfAbsent.bind(store),
    put: store.put.bind(store),
    get: store.get.bind(store),
    list: store.list.bind(store),
    delete: store.delete.bind(store),
    ...over,
  };
}

describe('the probe of a place for the table', () => {
  it('passes in a local folder and leaves nothing behind', async () => {
    await withFolder(async (folder) => {
      const store = new LocalStore(folder);
      await probeWritable(store);
      expect(await store.list('')).toEqual([]);
    });
  });

  it('refuses a store that lets a second writer overwrite', async () => {
    await withFolder(async (folder) => {
      const store = new LocalStore(folder);
      const overwriting = broken(store, {
        putIfAbsent: async (path, bytes) => {
          await store.put(path, bytes);
          return 'created';
        },
      });
      await expect(probeWritable(overwriting)).rejects.toMatchObject({ code: 'LAKE_UNWRITABLE' });
      expect(await store.list('')).toEqual([]);
    });
  });

  it('refuses a store that gives back something else', async () => {
    await withFolder(async (folder) => {
      const lying = broken(new LocalStore(folder), { get: async () => new Uint8Array(3) });
      await expect(probeWritable(lying)).rejects.toThrow(/not what was written/);
    });
  });

  it('takes a full disk for what passes', async () => {
    await withFolder(async (folder) => {
      const noRoom = () => Promise.reject(Object.assign(new Error('made up'), { code: 'ENOSPC' }));
      const failure = { code: 'LAKE_IO', exitCode: 75, remedy: expect.stringContaining('free space') };
      const store = new LocalStore(folder, { fs: { ...fs, open: noRoom } });
      await expect(probeWritable(store)).rejects.toMatchObject(failure);
      const opening = LocalStore.open(`${folder}/new`, { fs: { ...fs, mkdir: noRoom } });
      await expect(opening).rejects.toMatchObject(failure);
    });
  });

  it('takes an input/output error for a place that cannot be written, with its remedy', async () => {
    await withFolder(async (folder) => {
      const full = broken(new LocalStore(folder), {
        putIfAbsent: async () => {
          throw new HeadraceError('LAKE_IO', 'no space', { where: { path: '/p' }, remedy: 'free space' });
        },
      });
      await expect(probeWritable(full)).rejects.toMatchObject({
        code: 'LAKE_UNWRITABLE',
        where: { path: '/p' },
        remedy: 'free space',
      });
    });
  });
});
