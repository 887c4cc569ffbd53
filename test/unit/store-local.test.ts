import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { promises as fs } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { HeadraceError } from '#src/errors.js';
import { type LocalFs, LocalStore, TEMP_PREFIX } from '#src/lake/store/local.js';
import { withFolder } from '../support/lake-table.js';

const bytes = (text: string) => new TextEncoder().encode(text);

function failing(call: keyof LocalFs, code: string): LocalFs {
  const fail = () => Promise.reject(Object.assign(new Error(`${code}: made up`), { code }));
  return { ...fs, [call]: fail } as LocalFs;
}

async function failureOf(work: Promise<unknown>): Promise<HeadraceError> {
  const error = await work.then(
    () => new Error('nothing failed'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(HeadraceError);
  return error as HeadraceError;
}

async function temps(folder: string): Promise<string[]> {
  const names = await fs.readdir(folder, { recursive: true });
  return names.filter((name) => name.includes(TEMP_PREFIX));
}

describe('a name that leads out of the folder', () => {
  it.each([['../out'], ['a/../../out'], ['/etc/out'], ['..'], ['./out']])(
    '%s is refused by every call, and touches nothing',
    async (name) => {
      await withFolder(async (folder) => {
        await fs.writeFile(join(folder, 'out'), 'theirs');
        const store = new LocalStore(join(folder, 'table'));
        await store.put('a/b', bytes('ours'));
        const calls = [
          () => store.put(name, bytes('x')),
          () => store.putIfAbsent(name, bytes('x')),
          () => store.get(name),
          () => store.delete(name),
        ];
        for (const call of calls) await expect(call()).rejects.toThrow(HeadraceError);
        expect(await fs.readFile(join(folder, 'out'), 'utf8')).toBe('theirs');
        expect((await fs.readdir(folder)).sort()).toEqual(['out', 'table']);
      });
    },
  );
});

describe('put if absent', () => {
  it('creates an object once and leaves the first one alone', async () => {
    await withFolder(async (folder) => {
      const store = new LocalStore(folder);
      expect(await store.putIfAbsent('a/b/c', bytes('one'))).toBe('created');
      expect(await store.putIfAbsent('a/b/c', bytes('two'))).toBe('exists');
      expect(Buffer.from((await store.get('a/b/c'))!).toString()).toBe('one');
      expect(await temps(folder)).toEqual([]);
    });
  });

  it('is won by exactly one of a hundred in one process', async () => {
    await withFolder(async (folder) => {
      const store = new LocalStore(folder);
      const outcomes = await Promise.all(
        Array.from({ length: 100 }, (_, i) => store.putIfAbsent('x', bytes(`${i}`.repeat(500)))),
      );
      expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
      const winner = outcomes.indexOf('created');
      expect(Buffer.from((await store.get('x'))!).toString()).toBe(`${winner}`.repeat(500));
    });
  });

  it('is won by exactly one of several processes, and nobody sees a part of it', async () => {
    const racer = new URL('../fixtures/lake-racer.mjs', import.meta.url).pathname;
    const names = 100;
    await withFolder(async (folder) => {
      const racers = ['a', 'b', 'c'].map((name) =>
        fork(racer, [folder, name, String(names)], { execArgv: [] }),
      );
      await Promise.all(racers.map((child) => once(child, 'message')));
      const got = await Promise.all(racers.map(race));
      expect(got.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: names }, (_, i) => i));
      const store = new LocalStore(folder);
      for (const [i, rounds] of got.entries()) {
        for (const round of rounds) {
          const body = Buffer.from((await store.get(`_delta_log/${round}.json`))!).toString();
          expect(body).toBe('abc'[i]!.repeat(1000));
        }
      }
      expect(await temps(folder)).toEqual([]);
    });
  });

  it('makes a name durable that it found taken, since the caller builds on it', async () => {
    await withFolder(async (folder) => {
      const synced: string[] = [];
      const open = async (...args: Parameters<LocalFs['open']>) => {
        synced.push(`${args[0]}`);
        return await fs.open(...args);
      };
      const store = new LocalStore(folder, { fs: { ...fs, open: open as LocalFs['open'] } });
      await store.putIfAbsent('x', bytes('1'));
      synced.length = 0;
      expect(await store.putIfAbsent('x', bytes('2'))).toBe('exists');
      expect(synced.at(-1)).toBe(folder);
    });
  });

  it('says that the file system has no hard links', async () => {
    await withFolder(async (folder) => {
      for (const code of ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']) {
        const store = new LocalStore(folder, { fs: failing('link', code) });
        const error = await failureOf(store.putIfAbsent('x', bytes('1')));
        expect(error).toMatchObject({ code: 'LAKE_UNWRITABLE', where: { path: join(folder, 'x') } });
        expect(error.message).toContain('hard links');
        expect(await temps(folder)).toEqual([]);
      }
    });
  });
});

function race(child: ChildProcess): Promise<number[]> {
  const answer = once(child, 'message').then(([got]) => got as number[]);
  child.send('go');
  return answer;
}

describe('put', () => {
  it('replaces what was there', async () => {
    await withFolder(async (folder) => {
      const store = new LocalStore(folder);
      await store.put('d/x', bytes('one'));
      await store.put('d/x', bytes('2'));
      expect(Buffer.from((await store.get('d/x'))!).toString()).toBe('2');
    });
  });

  it('takes bytes that lie in shared memory', async () => {
    await withFolder(async (folder) => {
      const shared = new Uint8Array(new SharedArrayBuffer(5));
      shared.set(bytes('hello'));
      const store = new LocalStore(folder);
      await store.put('x', shared.subarray(1, 4));
      expect(Buffer.from((await store.get('x'))!).toString()).toBe('ell');
    });
  });

  it('makes a folder anew that was removed meanwhile', async () => {
    await withFolder(async (folder) => {
      const store = new LocalStore(folder);
      await store.put('d/e/x', bytes('1'));
      await fs.rm(join(folder, 'd'), { recursive: true });
      await store.put('d/e/x', bytes('2'));
      expect(await store.putIfAbsent('d/e/y', bytes('3'))).toBe('created');
    });
  });

  it('syncs the file, its folder and the parents of every new folder', async () => {
    await withFolder(async (folder) => {
      const synced: string[] = [];
      const open = async (...args: Parameters<LocalFs['open']>) => {
        const handle = await fs.open(...args);
        const sync = handle.sync.bind(handle);
        handle.sync = async () => {
          synced.push(`${args[0]}`.startsWith(join(folder, 'p/q', TEMP_PREFIX)) ? 'file' : `${args[0]}`);
          await sync();
        };
        return handle;
      };
      const store = new LocalStore(folder, { fs: { ...fs, open: open as LocalFs['open'] } });
      await store.put('p/q/x', bytes('1'));
      expect(synced).toEqual([folder, join(folder, 'p'), 'file', join(folder, 'p/q')]);
    });
  });

  it('leaves no temporary file behind when it fails', async () => {
    await withFolder(async (folder) => {
      await failureOf(new LocalStore(folder, { fs: failing('rename', 'EIO') }).put('x', bytes('1')));
      expect(await fs.readdir(folder)).toEqual([]);
    });
  });
});

describe('errors', () => {
  it('name the path, say in words what is wrong and what helps', async () => {
    await withFolder(async (folder) => {
      for (const [code, words] of [
        ['ENOSPC', 'no space'],
        ['EACCES', 'permission denied'],
        ['EROFS', 'read-only'],
      ] as const) {
        const error = await failureOf(
          new LocalStore(folder, { fs: failing('open', code) }).put('x', bytes('1')),
        );
        expect(error).toMatchObject({ code: 'LAKE_IO', where: { path: join(folder, 'x'), code } });
        expect(error.message).toContain(words);
        expect(error.remedy).toBeTruthy();
      }
    });
  });

  it('tell of a file where a folder should be', async () => {
    await withFolder(async (folder) => {
      await fs.writeFile(join(folder, 'file'), '');
      const error = await failureOf(LocalStore.open(join(folder, 'file')));
      expect(error.message).toContain('not a folder');
      expect((await failureOf(LocalStore.open(join(folder, 'file/below')))).message).toContain(
        'not a folder',
      );
    });
  });

  it('refuse every path that is not one of an object below the table', async () => {
    await withFolder(async (folder) => {
      const store = new LocalStore(join(folder, 'table'));
      for (const path of [
        '',
        '/etc/passwd',
        '../x',
        'a/../../x',
        'a/./b',
        'a//b',
        'a/',
        'a\0',
        '..',
        'a/.tmp-1',
      ]) {
        expect((await failureOf(store.get(path))).code, path).toBe('LAKE_IO');
        expect((await failureOf(store.put(path, bytes('')))).message, path).toContain('refused');
        expect((await failureOf(store.putIfAbsent(path, bytes('')))).message, path).toContain('refused');
        expect((await failureOf(store.delete(path))).message, path).toContain('refused');
      }
      expect(await fs.readdir(folder)).toEqual([]);
    });
  });
});

describe('reading', () => {
  it('answers null for what is not there, and deleting it is fine', async () => {
    await withFolder(async (folder) => {
      const store = new LocalStore(folder);
      expect(await store.get('no/such')).toBeNull();
      await store.delete('no/such');
      await store.put('x', bytes('1'));
      await store.delete('x');
      expect(await store.get('x')).toBeNull();
    });
  });

  it('lists objects in the order of their paths, below a prefix, after a name, without temporary files', async () => {
    await withFolder(async (folder) => {
      const store = new LocalStore(folder);
      for (const path of ['b/2', 'b/10', 'a', 'b.c', 'b/1', 'b/d/3']) await store.put(path, bytes(path));
      await fs.writeFile(join(folder, 'b', `${TEMP_PREFIX}1-x`), '');
      const paths = async (...args: Parameters<LocalStore['list']>) =>
        (await store.list(...args)).map(({ path }) => path);
      expect(await paths('')).toEqual(['a', 'b.c', 'b/1', 'b/10', 'b/2', 'b/d/3']);
      expect(await paths('b/')).toEqual(['b/1', 'b/10', 'b/2', 'b/d/3']);
      expect(await paths('b/', 'b/10')).toEqual(['b/2', 'b/d/3']);
      expect(await paths('nowhere/')).toEqual([]);
      expect((await store.list('b/d/'))[0]).toMatchObject({ sizeBytes: 5 });
    });
  });
});

describe('opening', () => {
  it('makes the folder with its parents', async () => {
    await withFolder(async (folder) => {
      const store = await LocalStore.open(join(folder, 'a/b'));
      expect(store.root).toBe(join(folder, 'a/b'));
      expect(store.url).toBe(`file://${join(folder, 'a/b')}`);
      expect((await fs.stat(store.root)).isDirectory()).toBe(true);
    });
  });

  it("clears away a table's old temporary files, not those that somebody writes now", async () => {
    await withFolder(async (folder) => {
      const log = join(folder, '_delta_log');
      await fs.mkdir(log);
      for (const name of ['old', 'new']) await fs.writeFile(join(log, TEMP_PREFIX + name), '');
      const now = (await fs.stat(join(log, `${TEMP_PREFIX}new`))).mtimeMs;
      await fs.utimes(join(log, `${TEMP_PREFIX}old`), now / 1000, (now - 3_600_001) / 1000);
      const clock = { nowMs: () => now, monotonicMs: () => 0, sleep: async () => undefined };
      await LocalStore.open(folder, { clock });
      expect(await temps(folder)).toEqual([join('_delta_log', `${TEMP_PREFIX}new`)]);
    });
  });

  it('touches nothing in a folder that is not a table', async () => {
    await withFolder(async (folder) => {
      await fs.writeFile(join(folder, `${TEMP_PREFIX}old`), '');
      await fs.utimes(join(folder, `${TEMP_PREFIX}old`), 0, 0);
      await LocalStore.open(folder);
      expect(await temps(folder)).toHaveLength(1);
    });
  });
});
