import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { lakeCheck } from '#src/commands/lake/check.js';
import { lakeRead } from '#src/commands/lake/read.js';
import { querySql } from '#src/embedded/chdb-query.js';
import { ensureTable } from '#src/lake/delta/table.js';
import { columnsOf } from '#src/lake/reading/cell.js';
import { readFileBlocks } from '#src/lake/reading/file-blocks.js';
import { readableLog } from '#src/lake/reading/readable-log.js';
import { readTableAt } from '#src/lake/reading/table-at.js';
import { LocalStore } from '#src/lake/store/local.js';
import type { Row } from '#src/model/types.js';
import { deltaRsPython } from '../../config/setup/delta-rs.mjs';
import { everyType } from '../support/columnar-model.js';
import { everyTypeRow, SEAL } from '../support/columnar-rows.js';
import { readDeltaRs } from '../support/delta-rs.js';
import { printed, readLines } from '../support/lake-story.js';
import { commit, commitInfo, withFolder, writeRows } from '../support/lake-table.js';

/**
 * `lake read` beside readers that share no code with it: what it writes is read by ClickHouse's engine and by pyarrow, and tables that
 * delta-rs wrote are read by both alike. HEADRACE_SEED replays the rows.
 */
vi.setConfig({ testTimeout: 180_000 });
const ENGINE = fileURLToPath(new URL('../../dist/engine.js', import.meta.url));
const SEED = Number(process.env.HEADRACE_SEED ?? 20260131);
const DAY_MS = 86_400_000;

function randomRows(count: number): Row[] {
  console.info(`HEADRACE_SEED=${SEED}`);
  return fc
    .sample(everyTypeRow, { numRuns: count, seed: SEED })
    .map((row, i) => row.with(0, `${i}:${row[0]}`).with(1, (row[1] as number) + (i % 3) * DAY_MS));
}

async function ourTable(folder: string, rows: readonly Row[]): Promise<void> {
  const store = await LocalStore.open(folder);
  const { log } = await ensureTable(
    store,
    everyType,
    { group: 'g', topic: 't' },
    { commitInfo: commitInfo('create') },
  );
  for (const [at, part] of [rows.slice(0, 150), rows.slice(150)].entries()) {
    const fileId = BigInt(at);
    await commit(log, `${at}`, await writeRows(store, everyType, part, { ...SEAL, fileId }));
  }
}

/** As texts that are equal where values are: a float by its bits. */
const SELECT = [
  'hex(session_id) AS id',
  'toUnixTimestamp64Micro(session_start) AS start',
  'i8',
  'u16',
  'toString(u32) AS u32',
  'toString(u64) AS u64',
  'reinterpretAsUInt64(f64) AS f64',
  'toUnixTimestamp64Micro(t) AS t',
  'hex(s) AS s',
  'low',
  'arrayMap(x -> hex(x), list) AS list',
  'toString(i64) AS i64',
  'u8',
  'truth',
  'certain',
  'toString(batch_id) AS batch_id',
  'toString(file_id) AS file_id',
  'sign',
  'toString(session_date) AS session_date',
];

/** The types of the table, for formats that don't say. */
const STRUCTURE = [
  'session_id String',
  "session_start DateTime64(6, 'UTC')",
  'i8 Nullable(Int16)',
  'u16 Nullable(Int32)',
  'u32 Nullable(Int64)',
  'u64 Nullable(Int64)',
  'f64 Nullable(Float64)',
  "t Nullable(DateTime64(6, 'UTC'))",
  's Nullable(String)',
  'low Nullable(String)',
  'list Array(String)',
  'i16 Nullable(Int16)',
  'i32 Nullable(Int32)',
  'i64 Nullable(Int64)',
  'u8 Nullable(Int16)',
  'truth Nullable(Bool)',
  'certain Bool',
  "created_at DateTime64(6, 'UTC')",
  'batch_id Int64',
  'file_id Int64',
  'closed_by String',
  'revision Int64',
  'sign Int32',
  'session_date Date',
].join(', ');
const SETTINGS = `SETTINGS date_time_input_format = 'best_effort', input_format_csv_empty_as_default = 0,
  format_csv_null_representation = '', input_format_csv_allow_whitespace_or_tab_as_delimiter = 0,
  input_format_json_read_numbers_as_strings = 1`;

it.each([
  ['jsonl', 'JSONEachRow', 'list'],
  ['csv', 'CSVWithNames', "JSONExtract(list, 'Array(String)')"],
  ['parquet', 'Parquet', 'list'],
] as const)('rows as %s are, for ClickHouse, the table’s', async (format, clickHouseFormat, list) => {
  await withFolder(async (folder) => {
    const lake = join(folder, 'lake');
    await ourTable(lake, randomRows(300));
    const output = join(folder, 'rows.out');
    const { stdout, stderr } = printed();
    const how = { format, output, where: [], limit: null, changes: true, stdout, stderr };
    expect(await lakeRead({ lake, ...how })).toBe(0);
    const order = 'ORDER BY id, start';
    const expected = await querySql(folder, `SELECT ${SELECT} FROM deltaLakeLocal('${lake}') ${order}`);
    const structure = format === 'csv' ? STRUCTURE.replace('list Array(String)', 'list String') : STRUCTURE;
    const from =
      format === 'parquet'
        ? `file('${output}', ${clickHouseFormat})`
        : `file('${output}', '${clickHouseFormat}', '${structure.replaceAll("'", "\\'")}')`;
    const source = `(SELECT * REPLACE (${list} AS list) FROM ${from})`;
    const found = await querySql(folder, `SELECT ${SELECT} FROM ${source} ${order} ${SETTINGS}`);
    expect(found).toHaveLength(300);
    expect(found).toEqual(expected);
  });
});

it('the Parquet that it writes has for pyarrow the schema of the table, and its rows', async () => {
  await withFolder(async (folder) => {
    const lake = join(folder, 'lake');
    await ourTable(lake, randomRows(200));
    const output = join(folder, 'rows.parquet');
    const { stdout, stderr } = printed();
    const how = { format: 'parquet' as const, output, where: [], limit: null, changes: true, stdout, stderr };
    await lakeRead({ lake, ...how });
    const script = `
import sys
import pyarrow.parquet as pq
from deltalake import DeltaTable
ours = pq.read_table(sys.argv[1])
theirs = DeltaTable(sys.argv[2]).to_pyarrow_table()
order = [("session_id", "ascending")]
assert ours.column_names == theirs.column_names, (ours.column_names, theirs.column_names)
theirs = theirs.cast(ours.schema)
assert ours.num_rows == 200
for name in ours.column_names:
    left, right = (t.sort_by(order).column(name).to_pylist() for t in (ours, theirs))
    assert left == right, name
print(pq.ParquetFile(sys.argv[1]).schema_arrow.field("session_start").type)
`;
    const said = execFileSync(deltaRsPython(), ['-c', script, output, lake], { encoding: 'utf8' });
    expect(said.trim()).toBe('timestamp[us, tz=UTC]');
  });
});

/** All types, odd partition values, times in other zones, a later column, a delete, a checkpoint and a clean-up of the table's own. */
const WRITE = `
import sys, datetime as dt, decimal
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
path = sys.argv[1]
utc, plus = dt.timezone.utc, dt.timezone(dt.timedelta(hours=5, minutes=45))
moment = dt.datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=utc)
odd = ["a b", "a%20b", "ü/ö", "k=v:w?x#y", "日本", "+&;@$,", "it's", '"[{^}]"', "..", None]
n = len(odd)
def nulled(values):
    return [None if i % 4 == 3 else values[i % len(values)] for i in range(n)]
table = pa.table({
    "n": pa.array(range(n), pa.int64()),
    "i": pa.array(nulled([2**31 - 1, -2**31]), pa.int32()),
    "sh": pa.array(nulled([-32768, 32767]), pa.int16()),
    "by": pa.array(nulled([-128, 127]), pa.int8()),
    "f": pa.array(nulled([1.5, float("nan"), -0.0]), pa.float32()),
    "d": pa.array(nulled([0.1, float("inf"), float("-inf")]), pa.float64()),
    "s": pa.array(nulled(["", "\\ufeffbom", "😀\\n\\"x\\"", "a" * 100]), pa.string()),
    "b": pa.array(nulled([True, False]), pa.bool_()),
    "bin": pa.array(nulled([b"", b"\\xff\\x00"]), pa.binary()),
    "date": pa.array(nulled([dt.date(1960, 2, 29), dt.date(2262, 1, 1)]), pa.date32()),
    "ts": pa.array(nulled([moment, dt.datetime(1965, 1, 1, tzinfo=plus)]), pa.timestamp("us", "UTC")),
    "dec": pa.array(nulled([decimal.Decimal("12345678.90"), decimal.Decimal("-0.01")]), pa.decimal128(10, 2)),
    "l": pa.array(nulled([["x", None], [], [""]]), pa.list_(pa.string())),
    "st": pa.array(nulled([{"a": 1, "b": ["y"]}, {"a": None, "b": None}]), pa.struct([("a", pa.int64()), ("b", pa.list_(pa.string()))])),
    "p q": pa.array(odd, pa.string()),
    "pd": pa.array([dt.date(2026, 1, 30 + i % 2) for i in range(n)], pa.date32()),
    "pt": pa.array([moment if i % 2 else None for i in range(n)], pa.timestamp("us", "UTC")),
})
by = ["p q", "pd", "pt"]
write_deltalake(path, table, partition_by=by)
later = table.append_column("later", pa.array(["new"] * n)).append_column("map", pa.array([[("k", 1)]] * n, pa.map_(pa.string(), pa.int64())))
write_deltalake(path, later.slice(0, 4), mode="append", schema_mode="merge")
DeltaTable(path).delete("n >= 2 AND n <= 5")
DeltaTable(path).create_checkpoint()
write_deltalake(path, later.slice(6, 2), mode="append", schema_mode="merge")
DeltaTable(path).optimize.compact()
DeltaTable(path).create_checkpoint()
write_deltalake(path, later.slice(0, 1), mode="append", schema_mode="merge")
print(DeltaTable(path).version())
`;

/** A value as delta-rs gives it → as our JSON has it. */
function asJson(name: string, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (name === 'ts' || name === 'pt') {
    const micros = BigInt(value as number);
    const rest = ((micros % 1000n) + 1000n) % 1000n;
    const text = new Date(Number((micros - rest) / 1000n)).toISOString();
    return rest === 0n ? text : text.replace('Z', `${String(rest).padStart(3, '0')}Z`);
  }
  if (name === 'dec') return Number(value);
  if (name === 'map') return Object.fromEntries(value as [string, unknown][]);
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return JSON.parse(JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? Number(each) : each)));
}

it('tables that delta-rs wrote are read alike, at each version, with checkpoints and after a clean-up', async () => {
  await withFolder(async (folder) => {
    const lake = join(folder, 'lake');
    const said = execFileSync(deltaRsPython(), ['-c', WRITE, lake], { encoding: 'utf8' });
    const newest = Number(said);
    expect(newest).toBe(5);
    const same = async (version: number) => {
      const theirs = await readDeltaRs(lake, { version });
      const expected = theirs.rows.map((row) =>
        JSON.stringify(theirs.columns.map((name) => [name, asJson(name, row[name])]).sort()),
      );
      const ours = (await readLines(lake, { version: String(version) })).map((row) =>
        JSON.stringify(Object.entries(row).sort()),
      );
      expect(ours.sort(), `version ${version}`).toEqual(expected.sort());
      return ours.length;
    };
    const counts: number[] = [];
    for (let version = 0; version <= newest; version++) counts.push(await same(version));
    expect(counts).toEqual([10, 14, 8, 10, 10, 11]);
    const { said: told, stdout } = printed();
    expect(await lakeCheck({ lake, full: true, json: false, stdout }), told.stdout).toBe(0);
    expect(told.stdout).toMatch(/6 versions, 2 checkpoints/);
    // what lies before the checkpoint is gone
    const store = await LocalStore.open(lake);
    for (const { path } of await store.list('_delta_log/')) {
      if (/0000000[01]\.json$/.test(path)) await store.delete(path);
    }
    await same(2);
    await same(newest);
    await expect(same(1)).rejects.toThrow();
    await expect(readLines(lake, { version: '1' })).rejects.toThrow(
      /cleaned up: the oldest that can be read is 2/,
    );
    // of n 0, 1, 6 to 9, and 0 and 1 once more with the later column
    const where: [string, number][] = [
      ['"p q" = a%20b', 2],
      ['"p q" = ..', 1],
      ['"p q" is null', 1],
      ['pd = 2026-01-30', 4],
      ['pt is null', 4],
      ['pt = 2026-01-31T17:45:00.123456+05:45', 4],
      ['n >= 7', 3],
      ['later = new', 2],
      ['later is null', 6],
      ['ts < 1970-01-01', 3],
    ];
    for (const [text, count] of where) {
      expect(await readLines(lake, { version: '2', where: [text] }), text).toHaveLength(count);
    }
  });
});

it('files of many rows, in one row group or in several, are read block by block and whole', async () => {
  await withFolder(async (folder) => {
    const lake = join(folder, 'lake');
    const script = `
import sys
import pyarrow as pa
from deltalake import WriterProperties, write_deltalake
def rows(start, n):
    numbers = range(start, start + n)
    return pa.table({"n": pa.array(numbers, pa.int64()), "s": pa.array([None if i % 5 == 0 else f"row {i}" for i in numbers]), "l": pa.array([[str(i)] * (i % 3) for i in numbers])})
write_deltalake(sys.argv[1], rows(0, 300_001))
write_deltalake(sys.argv[1], rows(300_001, 100_000), mode="append", writer_properties=WriterProperties(max_row_group_size=30_000))
`;
    execFileSync(deltaRsPython(), ['-c', script, lake]);
    const store = new LocalStore(lake);
    const table = await readTableAt(store, (await readableLog(store))!, 1);
    const seen = new Set<number>();
    let blocks = 0;
    for (const file of table.files.values()) {
      let next = 0;
      for await (const { from, rows, cells } of readFileBlocks(store, file, columnsOf(table.metaData))) {
        expect(from).toBe(next);
        next += rows;
        blocks++;
        const [number, text, list] = cells.map((read) => read);
        for (let row = 0; row < rows; row++) {
          const n = Number(number!(row));
          seen.add(n);
          const isRight =
            text!(row) === (n % 5 === 0 ? null : `row ${n}`) &&
            (list!(row) as string[]).join() ===
              Array(n % 3)
                .fill(n)
                .join();
          if (!isRight) throw new Error(`row ${n} is ${text!(row)}, ${list!(row)}`);
        }
      }
    }
    expect(seen.size).toBe(400_001);
    expect(blocks).toBeGreaterThan(5);
    // a reader who has seen enough is no error
    const shell = `"${process.execPath}" "${ENGINE}" lake read --lake "${lake}" --format jsonl | head -1; echo \${PIPESTATUS[0]}`;
    const lines = execFileSync('bash', ['-c', shell], { encoding: 'utf8' }).split('\n');
    expect(lines[0]).toMatch(/^\{"n":\d+,"s":/);
    expect(lines[1]).toBe('0');
  });
});
