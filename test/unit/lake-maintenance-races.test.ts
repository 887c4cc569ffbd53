import { describe, expect, it, vi } from 'vitest';
import { commitInfoOf } from '#src/lake/delta/actions.js';
import { sealPath } from '#src/lake/delta/checkpoint-seal.js';
import { DeltaLog } from '#src/lake/delta/log.js';
import { versionPath } from '#src/lake/delta/path.js';
import { archive } from '#src/lake/maintenance/archive.js';
import { compact } from '#src/lake/maintenance/compact.js';
import { expire } from '#src/lake/maintenance/expire.js';
import { fold } from '#src/lake/maintenance/fold.js';
import { maintenanceRound } from '#src/lake/maintenance/round.js';
import { vacuumTable } from '#src/lake/maintenance/vacuum-table.js';
import { checkpointLedger } from '#src/ledger/checkpoint-job.js';
import type { Row } from '#src/model/types.js';
import { seededRandom } from '#src/random.js';
import { clickstreamLike, clickstreamRow } from '../support/columnar-model.js';
import { SOURCE } from '../support/fake-ledger.js';
import { MemoryStore } from '../support/fake-store.js';
import { MaintainedTable, SMALL, sumsOf } from '../support/maintenance-rig.js';

/** Maintenance beside others who write the table, step by step. */
vi.setConfig({ testTimeout: 120_000 });

const { sign, revision, session_start: start } = clickstreamLike.columnIndex;
const DAY_MS = 86_400_000;
const random = seededRandom(5);
let serial = 0;

function rows(count: number): Row[] {
  return Array.from({ length: count }, () =>
    clickstreamRow(random, serial++).with(revision, 0).with(sign, 1),
  );
}

const changed = (row: Row) => [row.with(sign, -1), row.with(revision, (row[revision] as number) + 1)];

async function tableOf(...files: Row[][]): Promise<MaintainedTable> {
  const table = await MaintainedTable.create(clickstreamLike);
  for (const file of files) await table.append(file);
  return table;
}

const noFollowers = async () => ({ places: [], silent: [] });

describe('a compaction', () => {
  it('puts its version behind one that an engine put meanwhile', async () => {
    const table = await tableOf(rows(3), rows(4));
    const run = await table.run();
    const read = run.read.bind(run);
    let raced = false;
    run.read = async (...args) => {
      if (!raced) await table.append(rows(2));
      raced = true;
      return await read(...args);
    };
    const before = sumsOf(await table.rows());
    const report = await compact(run, { all: false });
    expect(report).toMatchObject({
      versions: [4],
      givenUp: 0,
      before: { files: 2 },
      after: { files: 1 },
      rows: 7,
    });
    expect((await table.sums()).size).toBe(before.size + 2);
    expect(await table.files()).toHaveLength(2);
  });

  it('gives up when one of its files was taken out, and leaves nothing of it', async () => {
    const table = await tableOf(rows(3), rows(4));
    const slow = await table.run();
    const quick = await table.run();
    const read = slow.read.bind(slow);
    slow.read = async (...args) => {
      await compact(quick, { all: false });
      return await read(...args);
    };
    const before = await table.sums();
    const report = await compact(slow, { all: false, giveWay: true });
    expect(report).toMatchObject({ versions: [], givenUp: 1 });
    expect(await table.sums()).toEqual(before);
    // both originals, and what the quick one made of them
    expect([...table.store.objects.keys()].filter((path) => path.endsWith('.parquet'))).toHaveLength(3);
  });

  it('changes no row and says so; rows are in the order that was asked for', async () => {
    const table = await tableOf(rows(30), rows(40), rows(20));
    const before = await table.sums();
    const run = await table.run({ settings: { ...SMALL, clusterBy: ['user_id', 'session_start'] } });
    const { versions } = await compact(run, { all: false });
    expect(await table.sums()).toEqual(before);
    const users = (await table.rows()).map(({ user_id }) => String(user_id));
    expect(users).toEqual([...users].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    const log = await DeltaLog.open(table.store);
    const { actions } = (await log!.readVersion(versions[0]!))!;
    const changes = actions.flatMap((action) =>
      'add' in action ? [action.add.dataChange] : 'remove' in action ? [action.remove.dataChange] : [],
    );
    expect(changes).toEqual([false, false, false, false]);
    expect(commitInfoOf(actions)).toMatchObject({
      operation: 'OPTIMIZE',
      isBlindAppend: false,
      headrace: { cuts: [], maintenance: { kind: 'compact' } },
    });
  });

  it('leaves a file alone whose columns are not the model’s', async () => {
    const table = await tableOf(rows(3), rows(4), rows(5));
    const [broken] = await table.files();
    const length = table.store.objects.get(broken!)!.byteLength;
    await table.store.put(broken!, new Uint8Array(length));
    const report = await compact(await table.run(), { all: false });
    expect([...report.foreign.keys()]).toEqual([broken]);
    expect(report.versions).toEqual([]);
  });
});

describe('a fold', () => {
  it('takes a pair out of two files in one version, whose adds followers of changes don’t see', async () => {
    const old = rows(3);
    const table = await tableOf(old, rows(2), changed(old[1]!));
    const before = await table.sums();
    const report = await fold(await table.run());
    expect(report).toMatchObject({ rows: 2, unmatched: 0, before: { files: 2 }, versions: [4] });
    expect(await table.sums()).toEqual(before);
    expect((await table.rows()).every((row) => row.sign === 1)).toBe(true);
    const log = await DeltaLog.open(table.store);
    const { actions } = (await log!.readVersion(4))!;
    expect(actions.flatMap((action) => ('add' in action ? [action.add.dataChange] : []))).toEqual([false]);
    expect(actions.flatMap((action) => ('remove' in action ? [action.remove.dataChange] : []))).toEqual([
      true,
      true,
    ]);
  });

  it('keeps −rows whose row is not there, and says how many', async () => {
    const [row] = rows(1);
    const table = await tableOf(changed(row!), rows(2));
    const before = await table.sums();
    expect(await fold(await table.run())).toMatchObject({ rows: 0, unmatched: 1, versions: [] });
    expect(await table.sums()).toEqual(before);
  });

  it('is planned anew when a file of it was compacted meanwhile', async () => {
    const old = rows(3);
    const table = await tableOf(old, rows(2), changed(old[1]!));
    const run = await table.run();
    const commit = run.options.commit;
    let raced = false;
    run.options.commit = async (draft) => {
      if (!raced) {
        raced = true;
        await compact(await table.run(), { all: false });
      }
      return await commit(draft);
    };
    const before = await table.sums();
    expect(await fold(run)).toMatchObject({ rows: 2, givenUp: 1, versions: [5] });
    expect(await table.sums()).toEqual(before);
  });
});

describe('a vacuum', () => {
  it('leaves the originals of a compaction to a follower that is behind, until it has passed', async () => {
    const table = await tableOf(rows(3), rows(4));
    const originals = await table.files();
    await compact(await table.run(), { all: false });
    table.clock.advance(8 * DAY_MS);
    const places = (version: number) => [{ follower: 'ClickHouse', partition: 0, version }];
    const vacuum = async (version: number) =>
      await vacuumTable(await table.run(), {
        retentionMs: 7 * DAY_MS,
        dryRun: false,
        followers: async () => ({ places: places(version), silent: [] }),
      });
    expect(await vacuum(0)).toMatchObject({
      deleted: { files: 0 },
      held: originals.map((path) => ({ path })),
    });
    expect((await vacuum(1)).deleted.paths).toEqual([originals[0]]);
    expect((await vacuum(2)).deleted.paths).toEqual([originals[1]]);
    expect(await table.rows()).toHaveLength(7);
  });

  /** A compacted table whose log begins with our checkpoint of version 3, and who asks for it, how often. */
  async function checkpointed() {
    const table = await tableOf(rows(3), rows(4));
    const originals = await table.files();
    await compact(await table.run(), { all: false });
    const request = { source: SOURCE, unlessFrom: 3, nowMs: table.clock.nowMs() };
    const damaged = (error: Error) => expect.unreachable(error.message);
    expect(await checkpointLedger(table.store, request, damaged)).toMatchObject({ version: 3 });
    for (let version = 0; version <= 3; version++) await table.store.delete(versionPath(version));
    table.clock.advance(8 * DAY_MS);
    const asked: number[] = [];
    const vacuum = async (version: number) =>
      await vacuumTable(await table.run(), {
        retentionMs: 7 * DAY_MS,
        dryRun: false,
        followers: async () => {
          asked.push(version);
          return { places: [{ follower: 'ClickHouse', partition: 0, version }], silent: [] };
        },
      });
    return { table, originals, vacuum, asked };
  }

  it('knows behind a checkpoint of ours, too, who needs them, and asks followers once', async () => {
    const { table, originals, vacuum, asked } = await checkpointed();
    expect((await vacuum(1)).deleted.paths).toEqual([originals[0]]);
    expect(await vacuum(1)).toMatchObject({
      deleted: { files: 0 },
      held: [{ path: originals[1], version: 2 }],
    });
    expect(asked).toHaveLength(2);
    expect((await vacuum(2)).deleted.paths).toEqual([originals[1]]);
    expect(await table.rows()).toHaveLength(7);
  });

  it('waits for followers to come beyond a checkpoint whose seal, as it was before, says nothing of files', async () => {
    const { table, originals, vacuum, asked } = await checkpointed();
    const seal = JSON.parse(Buffer.from((await table.store.get(sealPath(3)))!).toString());
    delete seal.note.fileVersions;
    await table.store.put(sealPath(3), Buffer.from(JSON.stringify(seal)));
    expect(await vacuum(2)).toMatchObject({
      deleted: { files: 0 },
      held: originals.map((path) => ({ path, version: 3 })),
    });
    expect(asked).toEqual([2, 2, 2, 2]);
    expect((await vacuum(3)).deleted.paths).toEqual(originals);
  });

  it('leaves them for the retention, and all while a follower can’t be asked', async () => {
    const table = await tableOf(rows(3), rows(4));
    await compact(await table.run(), { all: false });
    const vacuum = async (silent: string[]) =>
      await vacuumTable(await table.run(), {
        retentionMs: 7 * DAY_MS,
        dryRun: false,
        followers: async () => ({ places: [], silent }),
      });
    expect(await vacuum([])).toMatchObject({ deleted: { files: 0 }, young: { files: 2 } });
    table.clock.advance(7 * DAY_MS);
    const held = await vacuum(['ClickHouse: no answer']);
    expect([held.deleted.files, held.held.length]).toEqual([0, 2]);
  });
});

describe('old partitions', () => {
  const aged = (count: number, days: number) =>
    rows(count).map((row) => row.with(start, (row[start] as number) - days * DAY_MS));

  it('leave the table in one version', async () => {
    const table = await tableOf(aged(3, 100), aged(2, 91), rows(4));
    const run = await table.run();
    expect(await expire(run, { ageMs: 90 * DAY_MS, dryRun: true })).toMatchObject({ version: null, rows: 5 });
    const report = await expire(run, { ageMs: 90 * DAY_MS, dryRun: false });
    expect(report).toMatchObject({ version: 4, files: 2, rows: 5 });
    expect(await table.rows()).toHaveLength(4);
  });

  it('go to an archive once, also when the call before was ended in between', async () => {
    const table = await tableOf(aged(3, 100), aged(2, 91), rows(4));
    const before = await table.sums();
    const to = new MemoryStore();
    Object.defineProperty(to, 'url', { value: 'memory://archive' });
    const run = await table.run({ keepStats: true });
    const put = to.putIfAbsent.bind(to);
    to.putIfAbsent = async () => {
      throw new Error('the process ends here');
    };
    await expect(archive(run, { to, ageMs: 90 * DAY_MS, dryRun: false })).rejects.toThrow('ends here');
    expect(await table.rows()).toHaveLength(4);
    to.putIfAbsent = put;
    for (const added of [1, 0]) {
      const again = await table.run({ keepStats: true });
      const report = await archive(again, { to, ageMs: 90 * DAY_MS, dryRun: false });
      expect([report.files, report.archiveVersions.length]).toEqual([0, added]);
    }
    const log = await DeltaLog.open(to, { keepFiles: true });
    const { rowsOf } = await import('../support/maintenance-rig.js');
    const archived = [...log!.activeFiles.keys()].flatMap((path) => rowsOf(to.objects.get(path)!, path));
    expect(sumsOf([...archived, ...(await table.rows())])).toEqual(before);
  });
});

describe('of two engines', () => {
  it('one does a round, and the other leaves it to it', async () => {
    const old = rows(3);
    const table = await tableOf(old, rows(2), changed(old[1]!), rows(3), rows(3));
    const wishes = {
      foldIntervalMs: 3_600_000,
      compactIntervalMs: 3_600_000,
      expireAfterMs: null,
      archive: null,
      vacuum: { retentionMs: DAY_MS, followers: noFollowers },
    };
    const first = await maintenanceRound(await table.run(), wishes);
    expect([first.gaveWay, first.fold?.rows, first.compact?.versions.length]).toEqual([false, 2, 1]);
    await table.append(rows(2));
    const second = await maintenanceRound(await table.run(), wishes);
    expect([second.gaveWay, second.fold, second.compact]).toEqual([true, null, null]);
    table.clock.advance(3_600_000);
    const later = await maintenanceRound(await table.run(), wishes);
    expect([later.gaveWay, later.compact?.versions.length]).toEqual([false, 1]);
  });
});
