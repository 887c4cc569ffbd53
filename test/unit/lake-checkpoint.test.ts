import { describe, expect, it } from 'vitest';
import type { Action } from '#src/lake/delta/actions.js';
import { DeltaLog, type LogStart } from '#src/lake/delta/log.js';
import { versionPath } from '#src/lake/delta/path.js';
import { logRetentionMs } from '#src/lake/delta/retention.js';
import { writeCheckpoint } from '../support/checkpoint-writer.js';
import { createTable } from '../support/fake-ledger.js';
import { MemoryStore } from '../support/fake-store.js';
import { commitInfo } from '../support/lake-table.js';

const LANE = 'headrace/group/clicks/topic-id/0';

/** A table of so many versions, each with the lane's transaction at ten times its number. */
async function table(versions: number): Promise<{ store: MemoryStore; tick: () => void }> {
  let nowMs = 1;
  const store = new MemoryStore(() => nowMs);
  await createTable(store, { 'delta.logRetentionDuration': 'interval 4 hours' });
  const log = (await DeltaLog.open(store))!;
  for (let version = 1; version < versions; version++) {
    nowMs++;
    expect(await log.tryCommit(version, actionsOf(version))).toBe('committed');
  }
  return { store, tick: () => nowMs++ };
}

function actionsOf(version: number, offset = BigInt(version) * 10n): Action[] {
  return [
    { commitInfo: commitInfo(`attempt-${version}`, { engine: 'e', semantics: 'rules', cuts: [] }) },
    { txn: { appId: LANE, version: offset } },
  ];
}

async function allActions(store: MemoryStore, upTo: number): Promise<(readonly Action[])[]> {
  const log = (await DeltaLog.open(store))!;
  const versions = Array.from({ length: upTo + 1 }, (_, version) => log.readVersion(version));
  return (await Promise.all(versions)).map((each) => each!.actions);
}

function clean(store: MemoryStore, from: number, to: number): void {
  for (let version = from; version <= to; version++) store.objects.delete(versionPath(version));
}

async function open(store: MemoryStore): Promise<{ log: DeltaLog; start: LogStart | null; read: number[] }> {
  let start: LogStart | null = null;
  const read: number[] = [];
  const log = await DeltaLog.open(store, {
    onCheckpoint: (given) => {
      start = given;
    },
    onVersion: ({ version }) => void read.push(version),
  });
  return { log: log!, start, read };
}

describe('a log that was cleaned up behind a checkpoint', () => {
  it.each([1, 3])('is read from it (%i parts) and the versions behind it', async (parts) => {
    const { store } = await table(8);
    await writeCheckpoint(store, 5, await allActions(store, 5), parts);
    clean(store, 0, 3);
    const { log, start, read } = await open(store);
    expect([log.version, read]).toEqual([7, [6, 7]]);
    expect(log.txns.get(LANE)).toEqual({ version: 70n, committedIn: 7 });
    expect(log.metaData.configuration).toEqual({ 'delta.logRetentionDuration': 'interval 4 hours' });
    expect(start!.version).toBe(5);
    expect((await start!.readKept()).map(({ version }) => version)).toEqual([4, 5]);
    expect(await log.tryCommit(8, actionsOf(8))).toBe('committed');
  });

  it('keeps a transaction beyond what a number holds, to the last digit', async () => {
    const { store } = await table(2);
    const large = 2n ** 62n + 1n;
    await writeCheckpoint(store, 1, [...(await allActions(store, 0)), actionsOf(1, large)]);
    clean(store, 0, 1);
    expect((await open(store)).log.txns.get(LANE)!.version).toBe(large);
  });

  it('is read whole while all of it is there', async () => {
    const { store } = await table(4);
    await writeCheckpoint(store, 3, await allActions(store, 3));
    const { start, read } = await open(store);
    expect([start, read]).toEqual([null, [0, 1, 2, 3]]);
  });

  it('is read from the newest checkpoint whose parts are all there, and refused when there is none', async () => {
    const { store } = await table(8);
    const actions = await allActions(store, 6);
    await writeCheckpoint(store, 3, actions.slice(0, 4));
    await writeCheckpoint(store, 6, actions, 2);
    clean(store, 0, 1);
    store.objects.delete('_delta_log/00000000000000000006.checkpoint.0000000001.0000000002.parquet');
    expect((await open(store)).start!.version).toBe(3);
    store.objects.delete('_delta_log/00000000000000000003.checkpoint.parquet');
    await expect(open(store)).rejects.toThrow(/checkpoint \(version 6\) is not there whole/);
  });

  it('has nothing of a version that was put later than the ones behind it', async () => {
    const { store, tick } = await table(8);
    await writeCheckpoint(store, 6, await allActions(store, 6));
    clean(store, 0, 4);
    tick();
    await store.putIfAbsent(versionPath(4), Buffer.from('{"txn":{"appId":"x","version":1}}\n'));
    expect((await (await open(store)).start!.readKept()).map(({ version }) => version)).toEqual([5, 6]);
  });

  it('with a damaged checkpoint is refused, with the file', async () => {
    const { store } = await table(3);
    await writeCheckpoint(store, 2, await allActions(store, 2));
    clean(store, 0, 2);
    store.objects.set('_delta_log/00000000000000000002.checkpoint.parquet', new Uint8Array(40));
    await expect(open(store)).rejects.toMatchObject({
      code: 'LAKE_LOG_CORRUPT',
      message: expect.stringMatching(/checkpoint \(version 2\) that can't be read/) as string,
      where: { path: '_delta_log/00000000000000000002.checkpoint.parquet' },
    });
  });
});

describe('an engine that stood still while the log was cleaned up', () => {
  it('learns after its put that the number it won was a deleted version’s, and takes nothing of it in', async () => {
    const { store, tick } = await table(3);
    const frozen = (await DeltaLog.open(store))!;
    const others = (await DeltaLog.open(store))!;
    for (let version = 3; version < 8; version++) await others.tryCommit(version, actionsOf(version));
    await writeCheckpoint(store, 7, await allActions(store, 7));
    clean(store, 0, 5);
    tick();
    expect(await frozen.isCleanedBeyond()).toBe(true);
    expect(await frozen.tryCommit(3, actionsOf(3, 31n))).toBe('overtaken');
    expect(frozen.version).toBe(2);
    await frozen.reload({});
    expect([frozen.version, frozen.txns.get(LANE)!.version]).toEqual([7, 70n]);
    expect(await frozen.isCleanedBeyond()).toBe(false);
    expect(await frozen.tryCommit(8, actionsOf(8))).toBe('committed');
  });

  it('sees nothing amiss in a checkpoint of what it has read', async () => {
    const { store } = await table(4);
    const log = (await DeltaLog.open(store))!;
    await writeCheckpoint(store, 3, await allActions(store, 3));
    clean(store, 0, 2);
    expect(await log.isCleanedBeyond()).toBe(false);
    expect(await log.tryCommit(4, actionsOf(4))).toBe('committed');
  });
});

describe('the time for which a log is kept', () => {
  it.each([
    ['interval 30 days', 30 * 86_400_000],
    ['interval 1 week', 7 * 86_400_000],
    ['INTERVAL 1 day 12 hours', 36 * 3_600_000],
    ['90 minutes', 90 * 60_000],
    ['interval 8 seconds', 8_000],
    ['whatever', 30 * 86_400_000],
  ])('%s', (text, ms) => {
    expect(logRetentionMs({ 'delta.logRetentionDuration': text })).toBe(ms);
  });

  it('is thirty days where the table does not say', () => {
    expect(logRetentionMs({})).toBe(30 * 86_400_000);
  });
});
