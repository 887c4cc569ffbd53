import { describe, expect, it } from 'vitest';
import type { Action } from '#src/lake/delta/actions.js';
import { FileNeeds } from '#src/lake/maintenance/file-needs.js';
import { decodeNeeds, encodeNeeds } from '#src/lake/maintenance/file-needs-note.js';
import type { CutEntry } from '#src/ledger/types.js';
import { commitInfo } from '../support/lake-table.js';

const add = (path: string): Action => ({
  add: { path, partitionValues: {}, size: 1, modificationTime: 1, dataChange: true },
});
const remove = (path: string): Action => ({ remove: { path, deletionTimestamp: 1, dataChange: true } });

function cutOf(...paths: string[]): Action[] {
  const files = paths.map((path) => ({ path, rows: 1, lanes: [2] }));
  const cut: CutEntry = { id: '1', createdAtMs: 1, lanes: [], deadLetterFiles: [], files };
  return [{ commitInfo: commitInfo('a', { cuts: [cut] }) }, ...paths.map(add)];
}

function compactionOf(path: string): Action[] {
  return [{ commitInfo: commitInfo('b', { cuts: [], maintenance: { kind: 'compact' } }) }, add(path)];
}

describe('the versions of files', () => {
  it('go through the seal of a checkpoint and back, in as many runs as there are', () => {
    const needs = [
      { version: 3, atMost: true as const },
      { version: 3 },
      { version: 3 },
      { version: 4 },
      { version: null },
    ];
    const note = encodeNeeds(needs);
    expect(note).toEqual({
      fileVersions: [
        [3, 1, 1],
        [3, 2],
        [4, 1],
        [-1, 1],
      ],
    });
    expect(decodeNeeds(JSON.parse(JSON.stringify({ format: 1, ...note })), 5)).toEqual(needs);
  });

  it('are not believed when they are of another number of files, or are none', () => {
    const note = encodeNeeds([{ version: 3 }, { version: 3 }]);
    expect([decodeNeeds(note, 1), decodeNeeds(note, 3)]).toEqual([null, null]);
    expect([decodeNeeds(null, 0), decodeNeeds({ format: 1 }, 0)]).toEqual([null, null]);
    expect(decodeNeeds({ fileVersions: [[3, 1_000_000_000]] }, 2)).toBeNull();
    expect(decodeNeeds({ fileVersions: [[3, 0]] }, 0)).toBeNull();
  });
});

describe('who needs a file', () => {
  it('is known behind a checkpoint as before it, but for the lanes, and so behind the next one', () => {
    const whole = new FileNeeds();
    whole.take({ version: 1, actions: cutOf('a', 'b') });
    whole.take({ version: 2, actions: compactionOf('c') });
    expect(whole.of('a')).toEqual({ path: 'a', version: 1, lanes: [2] });
    let note: unknown = whole.note(['b', 'a', 'c']);
    const first = new FileNeeds();
    first.begin(2, [remove('b'), add('a'), add('c')], note);
    expect(first.of('a')).toEqual({ path: 'a', version: 1, lanes: null });
    expect(first.of('c')).toEqual({ path: 'c', version: null, lanes: null });
    first.take({ version: 3, actions: cutOf('d') });
    first.take({ version: 4, actions: compactionOf('e') });
    expect(first.of('e').version).toBeNull();
    note = first.note(['b', 'a', 'd', 'e']);
    const second = new FileNeeds();
    second.begin(4, [remove('b'), add('a'), add('d'), add('e')], note);
    expect(['a', 'b', 'd', 'e'].map((path) => second.of(path).version)).toEqual([1, 1, 3, null]);
    expect(second.of('d').atMost).toBeUndefined();
  });

  it('is known as far as a checkpoint’s own version where its seal does not say more, and stays so', () => {
    const old = new FileNeeds();
    old.begin(7, [add('a')], { format: 1, lanes: [] });
    expect(old.of('a')).toEqual({ path: 'a', version: 7, lanes: null, atMost: true });
    old.take({ version: 8, actions: cutOf('b') });
    const next = new FileNeeds();
    next.begin(8, [add('a'), add('b')], old.note(['a', 'b']));
    expect(next.of('a')).toEqual({ path: 'a', version: 7, lanes: null, atMost: true });
    expect(next.of('b')).toEqual({ path: 'b', version: 8, lanes: null });
    expect(next.of('never named')).toEqual({ path: 'never named', version: 8, lanes: null, atMost: true });
  });
});
