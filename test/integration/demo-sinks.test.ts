import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AnswerRow, readSink, type SinkFigures } from '#src/commands/demo-report.js';
import { type ChdbSession, openChdb } from '#src/embedded/chdb-query.js';
import { tinyModel } from '../support/reference-lane.js';

/** The demo compares the rows of two sinks whose types differ: what it must see as equal, and what it must not. */

const MODEL = tinyModel();
const TIMEOUT_MS = 60_000;
const NULLABLE = new Set(['entry', 'exit', 'last_price']);

/** As ClickHouse has them, and as a Delta reader does: all nullable, signed, times in µs. */
const TYPES = {
  clickhouse: { int8: 'Int8', uint16: 'UInt16', uint32: 'UInt32', uint64: 'UInt64', time: 'DateTime64(3)' },
  delta: {
    int8: 'Nullable(Int32)',
    uint16: 'Nullable(Int32)',
    uint32: 'Nullable(Int64)',
    uint64: 'Nullable(Int64)',
    time: "Nullable(DateTime64(6, 'UTC'))",
  },
};

const ROW: Record<string, string> = {
  session_id: "'a:1'",
  user: "'a'",
  session_start: "'2026-01-30 23:59:59.123'",
  session_end: "'2026-01-31 00:10:00.5'",
  duration: '600',
  events: '3',
  buys: '0',
  entry: "'/\\\\ü'",
  exit: 'NULL',
  last_price: '0.1',
  unique: '2',
  pages: "['/', 'it''s']",
  distinct: '[]',
  created_at: "'2026-02-01 00:00:00'",
  batch_id: '9223372036854775807',
  file_id: '7',
  closed_by: "'gap'",
  revision: '0',
  sign: '1',
};

let folder: string;
let chdb: ChdbSession;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headrace-test-sinks-'));
  chdb = await openChdb(folder);
}, TIMEOUT_MS);

afterAll(async () => {
  await chdb.close();
  await rm(folder, { recursive: true });
});

async function figuresOf(
  kind: keyof typeof TYPES,
  changed: Record<string, string> = {},
): Promise<SinkFigures> {
  const columns = MODEL.columns.map(({ name, type }) => {
    const text = kind === 'delta' || NULLABLE.has(name) ? 'Nullable(String)' : 'LowCardinality(String)';
    const list = kind === 'delta' ? 'Array(Nullable(String))' : 'Array(String)';
    const float = kind === 'delta' || NULLABLE.has(name) ? 'Nullable(Float64)' : 'Float64';
    const own = { string: text, 'list<string>': list, float, ...TYPES[kind] };
    return `${name} ${own[type as keyof typeof own]}`;
  });
  const values = MODEL.columns.map(({ name }) => changed[name] ?? ROW[name]);
  await chdb.text(`CREATE OR REPLACE TABLE ${kind} (${columns.join(', ')}) ENGINE Memory`, 'Null');
  await chdb.text(`INSERT INTO ${kind} VALUES (${values.join(', ')})`, 'Null');
  const query = (sql: string) => chdb.query<AnswerRow>(sql);
  return await readSink({ rows: kind, sqlOf: ({ sql }) => sql, query }, [], ['events'], MODEL);
}

test(
  'a row has the same hash in both sinks, and another as soon as any column says something else',
  async () => {
    const delta = await figuresOf('delta');
    expect(delta).toMatchObject({ rows: 1, sessions: 1, unbalanced: 0, totals: { events: 3 } });
    expect([...delta.days.keys()]).toEqual(['2026-01-30']);
    expect((await figuresOf('clickhouse')).days).toEqual(delta.days);

    const others: Record<string, string> = {
      ...Object.fromEntries(Object.keys(ROW).map((name) => [name, '1'])),
      ...{ session_id: "'a:2'", user: "'b'", closed_by: "'end_event'", entry: "'/'", exit: "''" },
      ...{ session_start: "'2026-01-30 23:59:59.124'", session_end: "'2026-01-31 00:10:00.501'" },
      ...{ created_at: "'2026-02-01 00:00:00.001'", pages: "['it''s', '/']", distinct: "['']" },
      ...{ batch_id: '9223372036854775806', revision: '2', sign: '-1' },
    };
    for (const name of Object.keys(ROW)) {
      const { days } = await figuresOf('clickhouse', { [name]: others[name]! });
      expect(days, name).not.toEqual(delta.days);
    }
  },
  TIMEOUT_MS,
);
