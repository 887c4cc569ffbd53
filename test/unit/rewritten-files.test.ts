import { expect, it } from 'vitest';
import type { InsertFile } from '#src/clickhouse/file.js';
import type { FileInserter } from '#src/followers/clickhouse/file-inserter.js';
import { rewrittenInserter, rewrittenRequest } from '#src/followers/rewritten-files.js';
import type { RewrittenFile } from '#src/ledger/rewrites.js';

/** What followers are given of files that an erasure touched while they waited. */
const LEFT: RewrittenFile = { now: { path: 'a2', sizeBytes: 5 }, gone: [1] };
const NONE: RewrittenFile = { now: null, gone: [0] };
const rewrites = new Map([
  ['a', LEFT],
  ['b', NONE],
]);
const rewriteOf = (path: string) => rewrites.get(path);

it('ClickHouse is sent what is left, under the file’s own name, and nothing of a file that is gone', async () => {
  const sent: InsertFile[] = [];
  const probed: InsertFile[] = [];
  const inner: FileInserter = {
    insert: async (_, file) => {
      sent.push(file);
      return { error: null, unknown: false };
    },
    probe: async (_, file) => {
      probed.push(file);
      return { sessionId: 's', sessionStartMs: 1, revision: 0, sign: 1 };
    },
    forget: () => {},
  };
  const inserter = rewrittenInserter(inner, rewriteOf);
  const { signal } = new AbortController();
  const file = (path: string) => ({ path, attempt: 2, sizeBytes: 9, rows: 3 });
  for (const path of ['a', 'b', 'c'])
    expect(await inserter.insert(0, file(path), signal)).toEqual({ error: null, unknown: false });
  expect(sent).toEqual([{ ...file('a'), rows: 2, now: LEFT.now }, file('c')]);
  // of a file that is gone nothing has to be asked: it is as good as in
  expect(await inserter.probe(0, file('b'))).toBeNull();
  expect(await inserter.probe(0, file('a'))).not.toBeNull();
  expect(probed).toEqual([{ ...file('a'), rows: 2, now: LEFT.now }]);
});

it('a file of rows is read as it is now, one of dead letters as it always was', () => {
  const skip = [{ partition: 0, records: 1 }];
  const rows = { path: 'a', sizeBytes: 9, laneRows: [{ partition: 0, rows: 3 }], skip };
  expect(rewrittenRequest(rows, rewriteOf)).toEqual({ ...rows, rewrite: LEFT });
  expect(rewrittenRequest({ ...rows, path: 'c' }, rewriteOf)).toEqual({ ...rows, path: 'c' });
  const letters = { ...rows, laneRows: null };
  expect(rewrittenRequest(letters, rewriteOf)).toBe(letters);
});
