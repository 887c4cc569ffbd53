import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deltaRsPython } from '../../config/setup/delta-rs.mjs';
import { readDeltaRs } from '../support/delta-rs.js';

/** A table with a value of each type that our own tables have, and the ones that JSON can't carry as they are. */
const WRITER = `
import sys, datetime, decimal
import pyarrow as pa
from deltalake import write_deltalake, CommitProperties, Transaction
when = datetime.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=datetime.timezone.utc)
schema = pa.schema([
  ('big', pa.int64()), ('small', pa.int32()), ('at', pa.timestamp('us', tz='UTC')), ('day', pa.date32()),
  ('share', pa.float64()), ('name', pa.string()), ('price', pa.decimal128(12, 2)), ('pages', pa.list_(pa.string())),
  ('counts', pa.list_(pa.int64())), ('inner', pa.struct([('n', pa.int64()), ('at', pa.timestamp('us', tz='UTC'))])),
  ('ok', pa.bool_()), ('raw', pa.binary()),
])
full = [2**63 - 1, -7, when, when.date(), float('inf'), 'ü', decimal.Decimal('12.50'), ['a', ''], [2**60, None],
        {'n': 2**61, 'at': when}, True, b'\\x00\\xff']
rows = [full, [None] * len(full)]
table = pa.table({f.name: pa.array([r[i] for r in rows], f.type) for i, f in enumerate(schema)}, schema=schema)
write_deltalake(sys.argv[1], table, commit_properties=CommitProperties(app_transactions=[Transaction('lane-0', 41)]))
write_deltalake(sys.argv[1], table.slice(1), mode='append',
  commit_properties=CommitProperties(app_transactions=[Transaction('lane-0', 42)]))
`;
const AT_MICROS = Date.UTC(2026, 0, 2, 3, 4, 5) * 1000 + 678_901;

let folder: string;
let path: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'headrace-delta-rs-'));
  path = join(folder, 'table');
  execFileSync(deltaRsPython(), ['-c', WRITER, path]);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('values of every type arrive exactly', async () => {
  const { rows, columns } = await readDeltaRs(path, { version: 0 });

  expect(rows[0]).toEqual({
    big: 2n ** 63n - 1n,
    small: -7,
    at: AT_MICROS,
    day: '2026-01-02',
    share: Number.POSITIVE_INFINITY,
    name: 'ü',
    price: '12.50',
    pages: ['a', ''],
    counts: [2n ** 60n, null],
    inner: { n: 2n ** 61n, at: AT_MICROS },
    ok: true,
    raw: 'AP8=',
  });
  expect(rows[1]).toEqual(Object.fromEntries(columns.map((name) => [name, null])));
  expect(rows).toHaveLength(2);
});

test('the newest version is read unless one is named, with its transactions and its history', async () => {
  const newest = await readDeltaRs(path, { appIds: ['lane-0', 'lane-1'] });

  expect(newest.version).toBe(1);
  expect(newest.rows).toHaveLength(3);
  expect(newest.txns).toEqual({ 'lane-0': 42, 'lane-1': null });
  expect(newest.history.map((entry) => entry.version)).toEqual([1, 0]);
  expect(newest.files).toHaveLength(2);
  expect((await readDeltaRs(path, { version: 0, appIds: ['lane-0'] })).txns).toEqual({ 'lane-0': 41 });
});

test('a folder that is no table is refused with the reason of delta-rs', async () => {
  await expect(readDeltaRs(folder)).rejects.toThrow(
    /delta-rs could not read .*: [\s\S]*(No files|not.*table|TableNotFound)/i,
  );
});
