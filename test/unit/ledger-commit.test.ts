import { describe, expect, it } from 'vitest';
import { HeadraceError } from '#src/errors.js';
import { versionPath } from '#src/lake/delta/path.js';
import type { CommitDraft, Ledger } from '#src/ledger/ledger.js';
import { seededRandom } from '#src/random.js';
import { createTable, laneEntry, openLedger, storedVersions } from '../support/fake-ledger.js';
import { FakeLog } from '../support/fake-log.js';
import { FaultyStore, MemoryStore, PUT_FAULTS, type PutFault } from '../support/fake-store.js';
import { HurriedClock, until } from '../support/fake-time.js';

/** A draft that takes a lane from the ledger's offset to `to`, with one file. */
function draftOf(ledger: Ledger, partition: number, to: number, path: string): CommitDraft {
  const lane = ledger.lane(partition);
  const entry = laneEntry(partition, Number(lane?.committedTo ?? 0n), to, lane?.version ?? -1);
  return {
    files: [{ path, partitionValues: {}, sizeBytes: 1, rows: 1, stats: '{}', lanes: [partition] }],
    lanes: [{ partition, to: BigInt(to) }],
    cuts: [{ id: `${to}`, createdAtMs: 0, lanes: [entry], deadLetterFiles: [] }],
  };
}

async function twoEngines(faults: { put?: PutFault[]; get?: number } = {}) {
  const memory = new MemoryStore();
  await createTable(memory);
  const clock = new HurriedClock();
  const log = new FakeLog();
  const puts: string[] = [];
  const onPut = (path: string) => {
    puts.push(path);
    return faults.put?.shift() ?? 'none';
  };
  let failingReads = 0;
  const onGet = () => failingReads > 0 && failingReads-- > 0;
  const store = new FaultyStore(memory, { onPut, onGet });
  const foreign: [number, number[]][] = [];
  const ours = await openLedger(store, {
    engineId: 'ours',
    clock,
    random: seededRandom(1),
    log,
    onForeign: (version, partitions) => foreign.push([version, partitions]),
  });
  const theirs = await openLedger(memory, { engineId: 'theirs', clock, random: seededRandom(2) });
  const failReads = (count: number) => {
    failingReads = count;
  };
  return { memory, store, ours, theirs, foreign, log, puts, failReads };
}

describe('a commit', () => {
  it('writes one version with the lane’s txn, the file and the cut', async () => {
    const { ours, memory } = await twoEngines();
    const committed = await ours.commit(() => draftOf(ours, 4, 30, 'a.parquet'));
    expect(committed?.version).toBe(1);
    expect(storedVersions(memory)[1]).toMatchObject({ engine: 'ours', paths: ['a.parquet'] });
    expect(ours.lane(4)).toMatchObject({ committedTo: 30n, version: 1 });
  });

  it('ends without a put when there is nothing to write any more', async () => {
    const { ours, memory } = await twoEngines();
    expect(await ours.commit(() => null)).toBeNull();
    expect(storedVersions(memory)).toHaveLength(1);
  });

  it.each(PUT_FAULTS)('lands exactly once when the first put is “%s”', async (fault) => {
    const { ours, memory, store } = await twoEngines({ put: [fault] });
    const committed = await ours.commit(() => draftOf(ours, 0, 10, 'a.parquet'));
    await store.landed();
    expect(committed?.version).toBe(1);
    expect(storedVersions(memory).flatMap(({ paths }) => paths)).toEqual(['a.parquet']);
    expect(ours.lane(0)).toMatchObject({ committedTo: 10n, version: 1 });
  });

  it('keeps trying the same attempt while the store fails, and says so', async () => {
    const { ours, memory, log } = await twoEngines({ put: ['fails', 'fails', 'unanswered', 'fails'] });
    expect(await ours.commit(() => draftOf(ours, 0, 10, 'a.parquet'))).toMatchObject({ version: 1 });
    expect(storedVersions(memory)).toHaveLength(2);
    // a line now and then, not one a try
    expect(log.with('could not write the ledger')).toHaveLength(1);
    expect(log.with('the ledger is written again')).toHaveLength(1);
    expect(log.with('the answer to a commit was lost')).toHaveLength(1);
  });

  it('asks for a new draft after a lost race, and tells of the other’s version before the next put', async () => {
    const { ours, theirs, memory, foreign } = await twoEngines();
    await theirs.commit(() => draftOf(theirs, 7, 70, 'theirs.parquet'));
    const seen: unknown[] = [];
    const committed = await ours.commit(() => {
      seen.push([ours.version, [...foreign]]);
      return draftOf(ours, 0, 10, 'ours.parquet');
    });
    expect(committed?.version).toBe(2);
    expect(seen).toEqual([
      [0, []],
      [1, [[1, [7]]]],
    ]);
    expect(storedVersions(memory).map(({ paths }) => paths)).toEqual([
      [],
      ['theirs.parquet'],
      ['ours.parquet'],
    ]);
  });

  it('gives up when the race was lost over its own lane', async () => {
    const { ours, theirs, memory } = await twoEngines();
    await theirs.commit(() => draftOf(theirs, 0, 5, 'theirs.parquet'));
    const committed = await ours.commit(() =>
      ours.lane(0) === undefined ? draftOf(ours, 0, 10, 'ours.parquet') : null,
    );
    expect(committed).toBeNull();
    expect(storedVersions(memory).flatMap(({ paths }) => paths)).toEqual(['theirs.parquet']);
  });

  it('does not take another’s version for its own after an answer that was lost', async () => {
    const { ours, theirs, memory, foreign } = await twoEngines({ put: ['unanswered'] });
    await theirs.commit(() => draftOf(theirs, 7, 70, 'theirs.parquet'));
    const committed = await ours.commit(() => draftOf(ours, 0, 10, 'ours.parquet'));
    expect(committed?.version).toBe(2);
    expect(foreign).toEqual([[1, [7]]]);
    expect(storedVersions(memory)).toHaveLength(3);
  });

  it('waits out reads that fail while it looks who won', async () => {
    const { ours, theirs, failReads, log } = await twoEngines();
    await theirs.commit(() => draftOf(theirs, 7, 70, 'theirs.parquet'));
    failReads(3);
    expect(await ours.commit(() => draftOf(ours, 0, 10, 'ours.parquet'))).toMatchObject({ version: 2 });
    expect(log.with('trying again').length).toBeGreaterThan(0);
  });

  it('is in trouble while its store fails, and no longer than that', async () => {
    const { ours, failReads } = await twoEngines({ put: new Array<PutFault>(20).fill('fails') });
    expect(ours.isInTrouble).toBe(false);
    const committed = ours.commit(() => draftOf(ours, 0, 10, 'a.parquet'));
    await until('writing fails', () => ours.isInTrouble);
    expect(await committed).toMatchObject({ version: 1 });
    expect(ours.isInTrouble).toBe(false);
    failReads(20);
    const read = ours.refresh();
    await until('reading fails', () => ours.isInTrouble);
    await read;
    expect(ours.isInTrouble).toBe(false);
  });

  it('never has two attempts under way, whoever asks', async () => {
    const { ours, memory, puts } = await twoEngines();
    await Promise.all([
      ours.commit(() => draftOf(ours, 0, 10, 'a')),
      ours.refresh(),
      ours.commit(() => draftOf(ours, 0, 20, 'b')),
      ours.commit(() => draftOf(ours, 1, 5, 'c')),
    ]);
    expect(storedVersions(memory).flatMap(({ paths }) => paths)).toEqual(['a', 'b', 'c']);
    expect(puts).toEqual([1, 2, 3].map(versionPath));
  });

  it('is not stopped by a draft that threw before it', async () => {
    const { ours } = await twoEngines();
    const broken = ours.commit(() => {
      throw new Error('planned badly');
    });
    await expect(broken).rejects.toThrow('planned badly');
    expect(await ours.commit(() => draftOf(ours, 0, 10, 'a'))).toMatchObject({ version: 1 });
  });
});

describe('reading the ledger', () => {
  it('refuses a table whose newest cuts were made by other rules', async () => {
    const { theirs, memory } = await twoEngines();
    await theirs.commit(() => draftOf(theirs, 0, 10, 'a'));
    const clock = new HurriedClock();
    const opening = openLedger(memory, {
      engineId: 'new',
      clock,
      random: seededRandom(1),
      semantics: 'others',
    });
    await expect(opening).rejects.toMatchObject({ code: 'LAKE_NOT_OURS' });
  });

  it('ends when another engine with other rules writes while it runs', async () => {
    const { memory, ours } = await twoEngines();
    const clock = new HurriedClock();
    const other = await openLedger(memory, {
      engineId: 'b',
      clock,
      random: seededRandom(3),
      semantics: 'others',
    });
    await other.commit(() => draftOf(other, 0, 10, 'a'));
    await expect(ours.refresh()).rejects.toMatchObject({ code: 'LAKE_NOT_OURS' });
  });

  it('waits out a store that can not be read', async () => {
    const { ours, theirs, failReads } = await twoEngines();
    await theirs.commit(() => draftOf(theirs, 0, 10, 'a'));
    failReads(4);
    await ours.refresh();
    expect(ours.version).toBe(1);
  });

  it('does not try again what is damaged', async () => {
    const { ours, memory } = await twoEngines();
    memory.objects.set(versionPath(1), Buffer.from('{"add":'));
    const refreshing = ours.refresh();
    await expect(refreshing).rejects.toThrow(HeadraceError);
    await expect(refreshing).rejects.toMatchObject({ code: 'LAKE_LOG_CORRUPT' });
  });
});
