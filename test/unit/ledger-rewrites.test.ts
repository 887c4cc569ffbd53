import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LedgerHistory } from '#src/ledger/history.js';
import { allGone, Rewrites } from '#src/ledger/rewrites.js';
import type { ErasureEntry } from '#src/ledger/types.js';
import { propertySettings } from '../support/property-seed.js';

/** What erasures make of files, as followers look it up: by the path of the cut, in rows of the file as it was. */
const erasure = (files: ErasureEntry['files']): ErasureEntry => ({ id: 'e', files });

it('a file that was rewritten twice is still known by its first path, and its rows by their first places', () => {
  const rewrites = new Rewrites();
  rewrites.take(erasure([{ path: 'a', gone: [1, 3], to: { path: 'a2', sizeBytes: 8 } }]));
  rewrites.take(erasure([{ path: 'a2', gone: [0, 1], to: { path: 'a3', sizeBytes: 5 } }]));
  expect(rewrites.of('a')).toEqual({ now: { path: 'a3', sizeBytes: 5 }, gone: [0, 1, 2, 3] });
  expect(rewrites.of('a2')).toBeUndefined();
  expect(rewrites.originOf('a3')).toBe('a');
  rewrites.take(erasure([{ path: 'a3', gone: [0], to: null }]));
  expect(rewrites.of('a')).toEqual({ now: null, gone: [0, 1, 2, 3, 4] });
  expect(rewrites.of('b')).toBeUndefined();
});

it('rows that go one after the other are those that go at once', () => {
  const rows = fc.uniqueArray(fc.nat(30), { maxLength: 12 });
  fc.assert(
    fc.property(rows, rows, (first, second) => {
      const before = [...first].sort((a, b) => a - b);
      const left = Array.from({ length: 60 }, (_, row) => row).filter((row) => !before.includes(row));
      const then = [...second].sort((a, b) => a - b);
      const wanted = [...before, ...then.map((place) => left[place]!)].sort((a, b) => a - b);
      expect(allGone(before, then)).toEqual(wanted);
    }),
    propertySettings({}),
  );
});

it('the history takes erasures in: a version without cuts and without lanes', () => {
  const history = new LedgerHistory({ group: 'g', topic: 't' });
  const entry = { format: 1 as const, attempt: 'x', engine: 'operator-e', semantics: 's', cuts: [] };
  const files = [{ path: 'a', gone: [0], to: null }];
  history.apply({ version: 3, entry: { ...entry, erasure: erasure(files) }, txns: [] });
  expect(history.rewrites.of('a')).toEqual({ now: null, gone: [0] });
  // it says nothing of lanes, and nothing of whose rules their rows were made by
  expect(history.lastSemantics).toBeNull();
});
