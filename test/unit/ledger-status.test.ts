import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readLedger } from '#src/commands/ledger/read-ledger.js';
import { ledgerStatus } from '#src/commands/ledger/status.js';
import { statusText } from '#src/commands/ledger/status-text.js';
import { lakeAt } from '#src/config/lake-place.js';
import { LocalStore } from '#src/lake/store/local.js';
import { seededRandom } from '#src/random.js';
import { createTable, laneEntry, openLedger, SOURCE } from '../support/fake-ledger.js';
import { HurriedClock } from '../support/fake-time.js';
import { withFolder } from '../support/lake-table.js';

const SNAPSHOT = '_headrace/snapshots/t/3/00000000000000000030-77.snap';

/** A table with lane 3 committed to 30 with a snapshot, and lane 5 only started. */
async function writeTable(folder: string): Promise<void> {
  const store = new LocalStore(folder);
  await createTable(store, {
    'headrace.group': SOURCE.group,
    'headrace.topic': SOURCE.topic,
    'headrace.model': 'clickstream',
  });
  const clock = new HurriedClock();
  const ledger = await openLedger(store, { engineId: 'e', clock, random: seededRandom(1) });
  await ledger.commit(() => ({
    files: [],
    lanes: [
      { partition: 3, to: 10n },
      { partition: 5, to: 0n },
    ],
    cuts: [
      {
        id: '76',
        createdAtMs: 0,
        lanes: [
          { ...laneEntry(3, 10, 10, -1), start: true, rows: 0 },
          { ...laneEntry(5, 0, 0, -1), start: true, rows: 0 },
        ],
        deadLetterFiles: [],
      },
    ],
  }));
  await store.put(SNAPSHOT, new Uint8Array(2048));
  const entry = {
    ...laneEntry(3, 10, 30, 1),
    watermarkMs: 1_767_225_600_000,
    snapshot: { path: SNAPSHOT, sizeBytes: 2048 },
  };
  await ledger.commit(() => ({
    files: [],
    lanes: [{ partition: 3, to: 30n }],
    cuts: [{ id: '77', createdAtMs: 0, lanes: [entry], deadLetterFiles: [] }],
  }));
}

describe('headrace ledger status', () => {
  it('says per lane where it started, how far it is committed, and which snapshot there is', async () => {
    await withFolder(async (folder) => {
      await writeTable(folder);
      const report = await readLedger(lakeAt(folder));
      expect(report).toMatchObject({ table: folder, version: 2, topics: [{ lanes: [{}, {}] }] });
      const [third, fifth] = report.topics[0]!.lanes;
      expect(third).toMatchObject({
        partition: 3,
        startOffset: 10n,
        committedTo: 30n,
        version: 2,
        watermarkMs: 1_767_225_600_000,
        snapshots: [{ path: SNAPSHOT, offset: 30n, sizeBytes: 2048, isThere: true }],
      });
      expect(fifth).toMatchObject({ partition: 5, committedTo: 0n, version: 1, snapshots: [] });
      const text = statusText(report, report.writtenMs + 5_000);
      expect(text).toContain('2026-01-01 00:00:00');
      expect(text).toMatch(/^ +3 +10 +30 +2 +5\.0 s ago .* 30 +5\.0 s ago +2\.00 KiB +– +–$/m);
    });
  });

  it('says when the file of a snapshot is gone', async () => {
    await withFolder(async (folder) => {
      await writeTable(folder);
      await new LocalStore(folder).delete(SNAPSHOT);
      const report = await readLedger(lakeAt(folder));
      expect(report.topics[0]!.lanes[0]!.snapshots).toMatchObject([{ isThere: false }]);
      expect(statusText(report, report.writtenMs)).toContain('missing');
    });
  });

  it('prints one JSON object whose offsets are texts', async () => {
    await withFolder(async (folder) => {
      await writeTable(folder);
      let printed = '';
      const stdout = (text: string) => {
        printed += text;
      };
      expect(await ledgerStatus({ lake: lakeAt(folder), config: null, json: true, stdout })).toBe(0);
      expect(JSON.parse(printed).topics[0].lanes[0]).toMatchObject({ partition: 3, committedTo: '30' });
    });
  });

  it('writes nothing', async () => {
    await withFolder(async (folder) => {
      await writeTable(folder);
      const log = join(folder, '_delta_log', '00000000000000000002.json');
      const before = await readFile(log, 'utf8');
      await readLedger(lakeAt(folder));
      expect(await readFile(log, 'utf8')).toBe(before);
      expect(await new LocalStore(folder).list('_delta_log/')).toHaveLength(3);
    });
  });

  it('refuses a folder without a table, by name', async () => {
    await withFolder(async (folder) => {
      await expect(readLedger(lakeAt(folder))).rejects.toThrow(/there is no Delta table/);
      await new LocalStore(folder).put('something.txt', new Uint8Array(1));
      await expect(readLedger(lakeAt(folder))).rejects.toMatchObject({
        code: 'LAKE_NOT_OURS',
        remedy: 'name a table that headrace writes, or the folder or prefix that holds it',
      });
    });
  });
});
