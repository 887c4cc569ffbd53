import { describe, expect, it } from 'vitest';
import { notMirrored, tellingNotMirrored } from '#src/followers/not-mirrored.js';
import type { Action } from '#src/lake/delta/actions.js';
import { restoreActions } from '#src/ledger/restore.js';
import { FakeLog } from '../support/fake-log.js';
import { commitInfo } from '../support/lake-table.js';

const add = (dataChange: boolean): Action => ({
  add: { path: 'p', partitionValues: {}, size: 1, modificationTime: 0, dataChange },
});
const restored = restoreActions(
  { to: 7, add: [], remove: [] },
  { attempt: 'a', semantics: 's', version: '0', nowMs: 0 },
);
const theirs: Action = { commitInfo: { timestamp: 0, operation: 'WRITE', engineInfo: 'delta-rs:1' } };

describe('what followers don’t mirror', () => {
  it.each<[string, Action[], string | null]>([
    ['a cut', [{ commitInfo: commitInfo('a', { cuts: [{}] }) }, add(true)], null],
    [
      'a fold',
      [{ commitInfo: commitInfo('a', { cuts: [], maintenance: { kind: 'fold' } }) }, add(true)],
      null,
    ],
    [
      'an expiry',
      [{ commitInfo: commitInfo('a', { cuts: [], maintenance: { kind: 'expire' } }) }],
      'rows expired',
    ],
    ['a restore', restored, 'the table was restored to version 7'],
    ['others’ rows', [theirs, add(true)], 'delta-rs:1 changed rows (WRITE)'],
    ['others’ compaction', [theirs, add(false)], null],
    ['others’ properties', [theirs], null],
    ['a version that says nothing', [add(true)], 'another writer changed rows (it does not say how)'],
  ])('%s', (_, actions, says) => {
    expect(notMirrored(actions)).toBe(says);
  });

  it('is told of once', async () => {
    const log = new FakeLog();
    const read = tellingNotMirrored(async (version) => (version < 3 ? restored : null), {
      log,
      meaning: 'so what',
    });
    for (const version of [0, 1, 2, 3]) await read(version);
    const message = 'the table was restored to version 7: so what; further versions like it are not told of';
    expect(log.lines).toEqual([{ level: 'warn', fields: { version: 0 }, message }]);
  });
});
