import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalStore } from '#src/lake/store/local.js';
import { probeWritable } from '#src/lake/store/probe.js';
import type { ObjectStore } from '#src/lake/store/store.js';
import { withFolder } from '../support/lake-table.js';
import { S3Rig } from '../support/s3-rig.js';

/** What a table asks of a store, of the local one and of the one over S3 alike. */
let rig: S3Rig;

beforeAll(async () => {
  rig = await S3Rig.start();
});
afterAll(() => rig?.close());

type Use = (store: ObjectStore) => Promise<void>;
const PLACES: [string, (use: Use) => Promise<void>][] = [
  ['a local folder', (use) => withFolder((folder) => use(new LocalStore(`${folder}/table`)))],
  ['a bucket', (use) => use(rig.stores().direct)],
];

const bytes = (text: string) => Buffer.from(text);
const textOf = (read: Uint8Array | null) => (read === null ? null : Buffer.from(read).toString());

describe.each(PLACES)('%s', (_, within) => {
  it('gives back what was put, and null for what is not there', () =>
    within(async (store) => {
      expect(await store.get('a/b')).toBeNull();
      await store.put('a/b', bytes('one'));
      expect(textOf(await store.get('a/b'))).toBe('one');
      await store.put('a/b', bytes('two'));
      expect(textOf(await store.get('a/b'))).toBe('two');
      await store.put('empty', bytes(''));
      expect(textOf(await store.get('empty'))).toBe('');
    }));

  it('refuses a second object under one name', () =>
    within(async (store) => {
      expect(await store.putIfAbsent('x', bytes('one'))).toBe('created');
      expect(await store.putIfAbsent('x', bytes('two'))).toBe('exists');
      expect(textOf(await store.get('x'))).toBe('one');
      await store.delete('x');
      expect(await store.putIfAbsent('x', bytes('two'))).toBe('created');
    }));

  it('lets exactly one of twenty win', () =>
    within(async (store) => {
      const bodies = Array.from({ length: 20 }, (_, i) => `${i}`.repeat(500));
      const outcomes = await Promise.all(bodies.map((body) => store.putIfAbsent('x', bytes(body))));
      expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
      expect(outcomes.filter((outcome) => outcome === 'exists')).toHaveLength(19);
      expect(textOf(await store.get('x'))).toBe(bodies[outcomes.indexOf('created')]);
    }));

  it('lists in the order of paths, with sizes and times, from a path on', () =>
    within(async (store) => {
      const paths = ['_delta_log/00.json', '_delta_log/01.json', '_delta_log/02.json', 'p=1/x', 'p=10/y'];
      for (const path of [...paths].reverse()) await store.put(path, bytes(path));
      const listed = await store.list('');
      expect(listed.map(({ path }) => path)).toEqual(paths);
      expect(listed.map(({ sizeBytes }) => sizeBytes)).toEqual(paths.map((path) => path.length));
      for (const { modifiedMs } of listed) expect(Math.abs(modifiedMs - Date.now())).toBeLessThan(60_000);
      const below = async (...args: Parameters<ObjectStore['list']>) =>
        (await store.list(...args)).map(({ path }) => path);
      expect(await below('_delta_log/')).toEqual(paths.slice(0, 3));
      expect(await below('_delta_log/', '_delta_log/00.json')).toEqual(paths.slice(1, 3));
      expect(await below('p=1/')).toEqual(['p=1/x']);
      expect(await below('nothing/')).toEqual([]);
    }));

  it('deletes, also what is not there', () =>
    within(async (store) => {
      await store.put('a/b', bytes('one'));
      await store.delete('a/b');
      await store.delete('a/b');
      expect(await store.get('a/b')).toBeNull();
      expect(await store.list('')).toEqual([]);
    }));

  it('keeps odd characters in names as they are', () =>
    within(async (store) => {
      const paths = [
        'session_date=a%20b/part +&=?#.parquet',
        'session_date=%2F%25/ü–漢字 "quoted".parquet',
        "session_date=__HIVE_DEFAULT_PARTITION__/it's(1)!*~.parquet",
      ];
      for (const path of paths) {
        expect(await store.putIfAbsent(path, bytes(path))).toBe('created');
        expect(textOf(await store.get(path))).toBe(path);
      }
      expect((await store.list('')).map(({ path }) => path).sort()).toEqual([...paths].sort());
      for (const path of paths) await store.delete(path);
      expect(await store.list('')).toEqual([]);
    }));

  it.each(['', '/x', 'a//b', 'a/../b', './a', '..', 'a/', 'a\0b'])('refuses the path %j', (path) =>
    within(async (store) => {
      const refused = { code: 'LAKE_IO', message: expect.stringContaining('refused') };
      await expect(store.put(path, bytes('1'))).rejects.toMatchObject(refused);
      await expect(store.get(path)).rejects.toMatchObject(refused);
      await expect(store.delete(path)).rejects.toMatchObject(refused);
    }),
  );

  it('takes large objects, and bytes that other threads share', () =>
    within(async (store) => {
      const large = Buffer.alloc(17 * 2 ** 20 + 1, '0123456789abcdef');
      await store.put('large', large);
      expect(Buffer.compare((await store.get('large'))!, large)).toBe(0);
      const shared = new Uint8Array(new SharedArrayBuffer(1_000)).fill(7);
      await store.put('shared', shared.subarray(10, 500));
      expect(Buffer.compare((await store.get('shared'))!, Buffer.alloc(490, 7))).toBe(0);
    }));

  it('passes the probe and has nothing of it afterwards', () =>
    within(async (store) => {
      await probeWritable(store);
      expect(await store.list('')).toEqual([]);
    }));
});

it('a bucket lists more than one answer holds', { timeout: 240_000 }, async () => {
  const { direct } = rig.stores();
  const paths = Array.from({ length: 1_050 }, (_, i) => `a/${String(i).padStart(5, '0')}`);
  const left = [...paths];
  const put = async () => {
    for (let path = left.pop(); path !== undefined; path = left.pop()) await direct.put(path, bytes('1'));
  };
  await Promise.all(Array.from({ length: 16 }, put));
  expect((await direct.list('a/')).map(({ path }) => path)).toEqual(paths);
  expect(await direct.list('a/', 'a/01040')).toHaveLength(9);
});
