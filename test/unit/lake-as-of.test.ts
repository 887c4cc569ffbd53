import { describe, expect, it } from 'vitest';
import { versionPath } from '#src/lake/delta/path.js';
import { parseAsOf, versionAt } from '#src/lake/reading/as-of.js';
import { basesOf, readableLog, readableLogOf } from '#src/lake/reading/readable-log.js';
import { readTableAt } from '#src/lake/reading/table-at.js';
import { LocalStore } from '#src/lake/store/local.js';
import { commitInfo, withFolder } from '../support/lake-table.js';

const NOW_MS = Date.UTC(2026, 0, 31, 12);

describe('a time as a person names it', () => {
  it.each([
    ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31t12:00:00z', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31T12:00:00.5+02:30', '2026-01-31T09:30:00.500Z'],
    ['2026-01-31T00:30:00-11:00', '2026-01-31T11:30:00.000Z'],
    ['2026-01-31 12:00', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31', '2026-01-31T00:00:00.000Z'],
    ['2h ago', '2026-01-31T10:00:00.000Z'],
    ['90m ago', '2026-01-31T10:30:00.000Z'],
    ['7d  ago', '2026-01-24T12:00:00.000Z'],
  ])('%j is %s', (text, expected) => {
    expect(new Date(parseAsOf(text, NOW_MS)).toISOString()).toBe(expected);
  });

  it.each([
    ['2026-02-31', /--as-of must be a time/],
    ['2026-13-01', /--as-of must be a time/],
    ['2026-01-31T25:00:00Z', /--as-of must be a time/],
    ['yesterday', /2h ago, not "yesterday"/],
    ['2 ago', /has no unit: write 2s/],
    ['2hours ago', /write 2h/],
  ])('%j is refused with what to write', (text, says) => {
    expect(() => parseAsOf(text, NOW_MS)).toThrow(says);
  });
});

const json = (version: number, modifiedMs = version) => ({
  path: versionPath(version),
  sizeBytes: 1,
  modifiedMs,
});
const checkpoint = (version: number, part = '') => ({
  path: versionPath(version).replace('.json', `.checkpoint${part}.parquet`),
  sizeBytes: 1,
  modifiedMs: version,
});

describe('what of a log can be read', () => {
  it('a whole one, from version 0 on, from the nearest checkpoint where there is one', () => {
    const log = readableLogOf([json(0), json(1), json(2), json(3), checkpoint(2)], 't')!;
    expect(log).toMatchObject({ first: 0, last: 3, newest: 3, oldest: 0 });
    expect(basesOf(log, 3).map((base) => base?.version ?? 0)).toEqual([2, 0]);
    expect(basesOf(log, 1)).toEqual([null]);
  });

  it('one that was cleaned up, from its oldest checkpoint on that the files join', () => {
    const log = readableLogOf([checkpoint(4), json(5), json(6), checkpoint(6), json(7)], 't')!;
    expect(log).toMatchObject({ first: 5, last: 7, newest: 7, oldest: 4 });
    expect(basesOf(log, 5).map((base) => base?.version)).toEqual([4]);
    expect(basesOf(log, 7).map((base) => base?.version)).toEqual([6, 4]);
  });

  it('files before a gap, and those that were put later than the ones behind them, count for nothing', () => {
    const log = readableLogOf([json(0), json(1), json(5, 99), json(6), checkpoint(6), json(7)], 't')!;
    expect(log).toMatchObject({ first: 6, last: 7, oldest: 6 });
  });

  it('a checkpoint alone', () => {
    expect(readableLogOf([checkpoint(9)], 't')).toMatchObject({ newest: 9, oldest: 9, first: 10 });
  });

  it('a checkpoint in parts only when all are there', () => {
    const parts = [1, 2].map((part) => checkpoint(3, `.000000000${part}.0000000002`));
    expect(readableLogOf([...parts, json(4)], 't')).toMatchObject({ newest: 4, oldest: 3 });
    expect(() => readableLogOf([parts[0]!, json(4)], 't')).toThrow(
      /checkpoint \(version 3\) is not there whole/,
    );
  });

  it.each([
    [[json(0), json(1), json(3)], /version 2 is missing .* goes on with version 3/],
    [[json(3), json(4)], /no version 0: it starts at version 3/],
    [[checkpoint(1), json(2), json(4)], /version 3 is missing/],
  ])('a gap is named', (listed, says) => {
    expect(() => readableLogOf(listed, 't')).toThrow(says);
  });

  it('nothing is no log', () => {
    expect(readableLogOf([], 't')).toBeNull();
  });
});

describe('a table at a time', () => {
  const metaData = {
    id: 'x',
    format: { provider: 'parquet', options: {} },
    schemaString: '{"type":"struct","fields":[]}',
    partitionColumns: [],
    configuration: {},
  };

  it('is the newest version that was written by then, by what it says itself', async () => {
    await withFolder(async (folder) => {
      const store = new LocalStore(folder);
      const times = [1_000, 2_000, 2_000, 5_000, 4_000];
      for (const [version, timestamp] of times.entries()) {
        const first =
          version === 0 ? [{ protocol: { minReaderVersion: 1, minWriterVersion: 2 } }, { metaData }] : [];
        const lines = [{ commitInfo: { ...commitInfo(`${version}`), timestamp } }, ...first];
        await store.put(
          versionPath(version),
          Buffer.from(lines.map((line) => JSON.stringify(line)).join('\n')),
        );
      }
      const log = (await readableLog(store))!;
      const at = (timeMs: number) => versionAt(store, log, { timeMs });
      expect([await at(1_000), await at(1_999), await at(2_000), await at(4_999), await at(9_000)]).toEqual([
        0, 0, 2, 4, 4,
      ]);
      await expect(at(999)).rejects.toThrow(/oldest that can be read is of 1970-01-01T00:00:01.000Z/);
      expect(await readTableAt(store, log, 3)).toMatchObject({ version: 3, timeMs: 5_000 });
      await expect(readTableAt(store, log, 5)).rejects.toThrow(/no version 5 of the table: the newest is 4/);
    });
  });
});
