import { rename, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { lakeCheck } from '#src/commands/lake/check.js';
import { lakeDiff } from '#src/commands/lake/diff.js';
import { lakeHistory } from '#src/commands/lake/history.js';
import { lakeRead } from '#src/commands/lake/read.js';
import { lakeRestore } from '#src/commands/lake/restore.js';
import { lakeShow } from '#src/commands/lake/show.js';
import type { Add } from '#src/lake/delta/actions.js';
import { DeltaLog } from '#src/lake/delta/log.js';
import { versionPath } from '#src/lake/delta/path.js';
import { LocalStore } from '#src/lake/store/local.js';
import { erasureActions } from '#src/ledger/erasure.js';
import { seededRandom } from '#src/random.js';
import { writeCheckpoint } from '../support/checkpoint-writer.js';
import { info, LANE, LakeStory, printed, readLines, sessionRow } from '../support/lake-story.js';
import { withFolder } from '../support/lake-table.js';

/** A correction, a second day, and one more session: versions 1 to 3. */
async function story(work: (story: LakeStory) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const told = await LakeStory.begin(join(folder, 'lake'));
    await told.cut([sessionRow('a', 0, 0, 3), sessionRow('b', 0, 0, 1)]);
    await told.cut([sessionRow('a', 0, 0, 3, -1), sessionRow('a', 0, 1, 4), sessionRow('c', 1, 0, 7)]);
    await told.cut([sessionRow('d', 0, 0, 2)]);
    await work(told);
  });
}

const sessions = async (lake: string, version?: string) =>
  (await readLines(lake, version === undefined ? {} : { version }))
    .map((row) => `${row.session_id} ${row.u32}`)
    .sort();

async function history(lake: string, limit: number | null = null) {
  const { said, ...out } = printed();
  expect(await lakeHistory({ lake, limit, json: true, ...out })).toBe(0);
  return { versions: JSON.parse(said.stdout) as Record<string, unknown>[], stderr: said.stderr };
}

async function check(lake: string, full = true): Promise<{ code: number; lines: string[] }> {
  const { said, ...out } = printed();
  const code = await lakeCheck({ lake, full, json: false, random: seededRandom(1), ...out });
  return { code, lines: said.stdout.trimEnd().split('\n').slice(1, -2) };
}

async function restore(lake: string, version: number, yes: boolean): Promise<Record<string, unknown>> {
  const { said, ...out } = printed();
  expect(await lakeRestore({ lake, version: String(version), yes, json: true, ...out })).toBe(0);
  return JSON.parse(said.stdout) as Record<string, unknown>;
}

describe('lake read', () => {
  it('gives each session once, at every version and time', async () => {
    await story(async ({ folder }) => {
      expect(await sessions(folder, '0')).toEqual([]);
      expect(await sessions(folder, '1')).toEqual(['a 3', 'b 1']);
      expect(await sessions(folder, '2')).toEqual(['a 4', 'b 1', 'c 7']);
      expect(await sessions(folder)).toEqual(['a 4', 'b 1', 'c 7', 'd 2']);
      const then = await readLines(folder, { asOf: '2026-01-31T14:02:30+02:00' });
      expect(then.map(({ session_id }) => session_id).sort()).toEqual(['a', 'b', 'c']);
      expect(then[0]).not.toHaveProperty('sign');
      expect(await readLines(folder, { changes: true, columns: 'sign,session_date,u32', limit: 2 })).toEqual([
        { sign: 1, session_date: '2026-01-31', u32: 3 },
        { sign: 1, session_date: '2026-01-31', u32: 1 },
      ]);
    });
  });

  it('leaves out a row that takes back one that a restore took out, and says so', async () => {
    await story(async (told) => {
      await restore(told.folder, 1, true);
      await told.cut([sessionRow('d', 0, 0, 2, -1), sessionRow('d', 0, 1, 5)]);
      const { said, ...out } = printed();
      const how = {
        format: 'csv' as const,
        where: [],
        limit: null,
        changes: false,
        columns: 'session_id,u32',
      };
      await lakeRead({ lake: told.folder, ...how, ...out });
      expect(said.stdout.split('\r\n').sort()).toEqual(['', 'a,3', 'b,1', 'd,5', 'session_id,u32']);
      expect(said.stderr).toMatch(/^1 rows take back rows that are not in the table/);
      expect((await check(told.folder)).lines).toEqual([
        'session_date=2026-01-31: session "d" of 2026-01-31T10:00:00.000Z, revision 0: its signs add up to -1',
      ]);
    });
  });

  it('passes over a checkpoint that can’t be read, which check names', async () => {
    await story(async ({ folder, store }) => {
      const path = '_delta_log/00000000000000000002.checkpoint.parquet';
      await store.put(path, Buffer.alloc(1_000, 7));
      expect(await sessions(folder)).toEqual(['a 4', 'b 1', 'c 7', 'd 2']);
      expect((await check(folder)).lines).toEqual([expect.stringContaining(`${path}: `)]);
      await store.delete(versionPath(0));
      await expect(sessions(folder)).rejects.toMatchObject({ code: 'LAKE_LOG_CORRUPT' });
    });
  });

  it('names a file that is gone, and one of another size', async () => {
    await story(async ({ folder }) => {
      const path = join(folder, 'session_date=2026-01-31', 'part-3.parquet');
      await truncate(path, 10);
      await expect(readLines(folder)).rejects.toThrow(/has 10 bytes, the log says \d+/);
      await rename(path, `${path}.away`);
      await expect(readLines(folder)).rejects.toMatchObject({
        code: 'LAKE_FILE_BROKEN',
        where: { path: 'session_date=2026-01-31/part-3.parquet' },
      });
      expect(await sessions(folder, '2')).toEqual(['a 4', 'b 1', 'c 7']);
    });
  });
});

describe('lake history and show', () => {
  it('say what each version did, and how the table stood', async () => {
    await story(async ({ folder }) => {
      const { versions, stderr } = await history(folder);
      expect(stderr).toBe('');
      expect(versions[2]).toMatchObject({
        version: 2,
        time: '2026-01-31T12:02:00.000Z',
        operation: 'STREAMING UPDATE',
        filesAdded: 2,
        filesRemoved: 0,
        rowsAdded: 3,
        rowsRemoved: 0,
        lanes: [{ appId: LANE, offset: '20' }],
        readable: true,
      });
      expect((await history(folder, 2)).versions.map(({ version }) => version)).toEqual([2, 3]);
      const { said, ...out } = printed();
      await lakeShow({ lake: folder, version: '2', files: true, json: true, ...out });
      const shown = JSON.parse(said.stdout);
      expect(shown).toMatchObject({
        version: 2,
        newest: 3,
        oldest: 0,
        files: 3,
        rows: 5,
        lanes: [{ appId: LANE, offset: '20' }],
        partitions: [
          { values: { session_date: '2026-01-31' }, files: 2, rows: 4 },
          { values: { session_date: '2026-02-01' }, files: 1, rows: 1 },
        ],
      });
      expect(shown.columns.at(-1)).toEqual({
        name: 'session_date',
        type: 'date',
        nullable: false,
        partition: true,
      });
      expect(shown.fileList).toHaveLength(3);
    });
  });

  it('begin with what a clean-up left, and say so', async () => {
    await story(async ({ folder, store, log }) => {
      const versions = [];
      for (let version = 0; version <= 2; version++) versions.push((await log.readVersion(version))!.actions);
      await writeCheckpoint(store, 2, versions);
      for (const version of [0, 1]) await store.delete(versionPath(version));
      const left = await history(folder);
      expect(left.versions.map(({ version }) => version)).toEqual([2, 3]);
      expect(left.stderr).toMatch(/begins with version 2: .* The oldest state that can be read is version 2/);
      await expect(readLines(folder, { version: '1' })).rejects.toThrow(/the oldest that can be read is 2/);
    });
  });
});

describe('lake diff', () => {
  async function diff(lake: string, from: number, to: number, where: string[] = []) {
    const { said, ...out } = printed();
    const asked = { lake, from: `${from}`, to: `${to}`, where, limit: null, check: true };
    const code = await lakeDiff({ ...asked, json: true, ...out });
    const text = printed();
    await lakeDiff({ ...asked, json: false, stdout: text.stdout });
    return { code, report: JSON.parse(said.stdout), text: text.said.stdout };
  }

  it('tells added, changed and removed sessions apart, in both directions', async () => {
    await story(async ({ folder }) => {
      const forward = await diff(folder, 1, 3);
      expect(forward.code).toBe(1);
      expect(forward.report).toMatchObject({ added: 2, changed: 1, removed: 0, filesRead: 3 });
      expect(forward.report.partitions).toEqual([
        { values: { session_date: '2026-01-31' }, added: 1, changed: 1, removed: 0 },
        { values: { session_date: '2026-02-01' }, added: 1, changed: 0, removed: 0 },
      ]);
      const start = '2026-01-31T10:00:00.000Z';
      expect(forward.report.sessions[0]).toEqual({
        kind: 'changed',
        old: { session_id: 'a', session_start: start, u32: 3, revision: 0 },
        new: { session_id: 'a', session_start: start, u32: 4, revision: 1 },
      });
      expect(forward.text).toMatch(/~ a {2}u32 3 → 4, revision 0 → 1/);
      const back = await diff(folder, 3, 1);
      expect(back.report).toMatchObject({ added: 0, changed: 1, removed: 2 });
      expect((await diff(folder, 1, 3, ['session_date=2026-02-01'])).report).toMatchObject({
        added: 1,
        changed: 0,
      });
      expect((await diff(folder, 2, 2)).code).toBe(0);
    });
  });

  it('finds no difference where files were written anew with the same sessions', async () => {
    await story(async (told) => {
      const { folder, log } = told;
      const gone = [
        ...(await DeltaLog.open(new LocalStore(folder), { keepFiles: true }))!.activeFiles.values(),
      ];
      const plain = [
        sessionRow('a', 0, 1, 4),
        sessionRow('b', 0, 0, 1),
        sessionRow('d', 0, 0, 2),
        sessionRow('c', 1, 0, 7),
      ];
      await told.put([
        { commitInfo: { ...info('fold', []), operation: 'OPTIMIZE' } },
        ...gone.map(({ path }) => ({ remove: { path, dataChange: false } })),
        ...(await told.write(plain)),
      ]);
      expect((await diff(folder, 3, log.version)).code).toBe(0);
      expect((await history(folder)).versions.at(-1)).toMatchObject({
        filesRemoved: 4,
        rowsRemoved: 6,
        rowsAdded: 4,
      });
    });
  });
});

describe('lake restore', () => {
  it('is only shown without --yes; then it is a version, and the lane stays where it is', async () => {
    await story(async ({ folder, log }) => {
      expect(await restore(folder, 1, false)).toMatchObject({
        to: 1,
        removed: { files: 3, rows: 4 },
        added: { files: 0 },
        done: false,
      });
      await log.refresh();
      expect(log.version).toBe(3);
      expect(await restore(folder, 1, true)).toMatchObject({ done: true, version: 4 });
      expect(await sessions(folder)).toEqual(['a 3', 'b 1']);
      await log.refresh();
      expect(log.txns.get(LANE)).toEqual({ version: 30n, committedIn: 3 });
      expect(await restore(folder, 3, true)).toMatchObject({ added: { files: 3, rows: 4 }, version: 5 });
      expect(await sessions(folder)).toEqual(await sessions(folder, '3'));
      expect(await restore(folder, 3, true)).toMatchObject({ done: false, version: null });
      expect((await check(folder)).code).toBe(0);
      expect((await history(folder)).versions[4]).toMatchObject({
        operation: 'RESTORE',
        filesRemoved: 3,
        lanes: [],
      });
    });
  });

  it('says what it means', async () => {
    await story(async ({ folder }) => {
      const { said, stdout } = printed();
      await lakeRestore({ lake: folder, version: '1', yes: false, json: false, stdout });
      expect(said.stdout).toMatch(/Would take out: 3 files, 4 rows/);
      expect(said.stdout).toMatch(/Nothing was changed\. --yes does it\./);
      expect(said.stdout).toMatch(/headrace clickhouse rebuild/);
    });
  });

  it('gives way to whoever commits meanwhile, and then leaves the table as it was', async () => {
    await story(async (told) => {
      const { folder, log } = told;
      let isOver = false;
      const cuts = (async () => {
        let count = 0;
        for (; !isOver; count++) {
          await told.cut([sessionRow(`new ${count}`, count % 3, 0, 1)]);
          // an engine's cuts leave time between them, on a slow machine too
          await sleep(20);
        }
        return count;
      })();
      const races: { version: number; removed: { files: number } }[] = [];
      for (const to of [1, 2, 3, 1]) races.push((await restore(folder, to, true)) as never);
      isOver = true;
      const count = await cuts;
      expect(count).toBeGreaterThan(0);
      for (const [at, to] of [1, 2, 3, 1].entries()) {
        const { version } = races[at]!;
        expect(await sessions(folder, `${version}`)).toEqual(await sessions(folder, `${to}`));
      }
      await log.refresh();
      expect(log.txns.get(LANE)!.version).toBe(BigInt(30 + 10 * count));
      const { versions } = await history(folder);
      expect(versions.filter(({ operation }) => operation === 'RESTORE')).toHaveLength(4);
      expect(versions).toHaveLength(4 + 4 + count);
      expect(await check(folder)).toEqual({ code: 0, lines: [] });
    });
  });

  it('is refused when a file is gone, or would bring back rows that were erased', async () => {
    await story(async (told) => {
      const { folder } = told;
      await restore(folder, 1, true);
      const gone = join(folder, 'session_date=2026-01-31', 'part-3.parquet');
      await rename(gone, `${gone}.away`);
      await expect(restore(folder, 3, true)).rejects.toMatchObject({ code: 'LAKE_FILE_BROKEN' });
      expect(await restore(folder, 2, false)).toMatchObject({ added: { files: 2 } });
      const [add] = (await told.write([sessionRow('b', 0, 0, 1)])) as [{ add: Add }];
      const { path, size, stats, partitionValues } = add.add;
      const from = { path: 'session_date=2026-01-31/part-1.parquet', size: 1, partitionValues };
      const part = { from, gone: [0], to: { path, sizeBytes: size, rows: 1, stats: stats! } };
      const erasure = { id: 'x', parts: [part], semantics: 's', version: '0' };
      await told.put(erasureActions(erasure, 'erase', 0));
      await expect(restore(folder, 1, true)).rejects.toThrow(/erased since would come back/);
      expect(await sessions(folder)).toEqual(['b 1']);
    });
  });
});

describe('lake check', () => {
  it('finds nothing in a sound table, sampled or whole', async () => {
    await story(async ({ folder }) => {
      expect(await check(folder)).toEqual({ code: 0, lines: [] });
      expect(await check(folder, false)).toEqual({ code: 0, lines: [] });
    });
  });

  it('names files that are missing, of another size, or damaged', async () => {
    await story(async ({ folder }) => {
      const day = join(folder, 'session_date=2026-01-31');
      await rename(join(day, 'part-1.parquet'), join(day, 'away'));
      await truncate(join(day, 'part-2.parquet'), 20);
      const { size } = await stat(join(day, 'part-3.parquet'));
      await writeFile(join(day, 'part-3.parquet'), Buffer.alloc(size, 7));
      const { code, lines } = await check(folder);
      expect(code).toBe(1);
      expect(lines).toHaveLength(3);
      expect(lines[0]).toBe('session_date=2026-01-31/part-1.parquet: it is not there');
      expect(lines[1]).toMatch(/part-2\.parquet: it has 20 bytes, the log says \d+$/);
      expect(lines[2]).toMatch(/part-3\.parquet: a file of the table can't be read: .*footer/);
    });
  });

  it('names statistics that are false', async () => {
    await story(async (told) => {
      const [{ add }] = (await told.write([sessionRow('e', 0, 0, 5)])) as [{ add: Add }];
      const stats = JSON.parse(add.stats!);
      const wrong = {
        ...stats,
        numRecords: 2,
        minValues: { ...stats.minValues, u32: 6 },
        nullCount: { ...stats.nullCount, s: 0 },
      };
      await told.put([{ commitInfo: info('false', []) }, { add: { ...add, stats: JSON.stringify(wrong) } }]);
      expect(
        (await check(told.folder)).lines.map((line) => line.replace(/^.*part-4\.parquet: /, '')),
      ).toEqual([
        'it has 1 rows, its statistics say 2',
        'column u32 has 5 outside its bounds, in 1 rows',
        'column s has 1 nulls, its statistics say 0',
      ]);
    });
  });

  it('names a lane whose cuts do not join', async () => {
    await story(async (told) => {
      await told.cut([], { from: 35, to: 40, parent: 1 });
      const { lines } = await check(told.folder);
      const where = '_delta_log/00000000000000000004.json: ';
      expect(lines).toEqual([
        `${where}partition 0 goes on from offset 35, and was committed to 30`,
        `${where}partition 0 follows version 1, its last is 3`,
      ]);
    });
  });

  it('names a checkpoint that is not what the versions add up to', async () => {
    await story(async ({ folder, store, log }) => {
      const versions = [];
      for (let version = 0; version <= 2; version++) versions.push((await log.readVersion(version))!.actions);
      await writeCheckpoint(store, 2, versions.slice(0, 2));
      const { code, lines } = await check(folder);
      expect(code).toBe(1);
      expect(lines).toContain(
        `_delta_log/00000000000000000002.checkpoint.parquet: it has ${LANE} at 10, not at 20`,
      );
      expect(lines.filter((line) => line.includes('it lacks session_date='))).toHaveLength(3);
    });
  });

  it('names sessions whose signs do not add up', async () => {
    await story(async (told) => {
      await told.cut([sessionRow('b', 0, 1, 9), sessionRow('z', 1, 0, 9, -1)]);
      const lines = (await check(told.folder)).lines.sort();
      expect(lines).toEqual([
        'session_date=2026-01-31: session "b" of 2026-01-31T10:00:00.000Z: its signs add up to 2',
        'session_date=2026-02-01: session "z" of 2026-02-01T10:00:00.000Z, revision 0: its signs add up to -1',
      ]);
    });
  });
});
