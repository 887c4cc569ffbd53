import { describe, expect, it } from 'vitest';
import { ownMemory } from '#src/columnar/chunk-memory.js';
import { encodeRows } from '#src/columnar/encode.js';
import { deltaSchema } from '#src/columnar/schema.js';
import { groupByDate, sessionDate } from '#src/columnar/session-date.js';
import { loadModel } from '#src/model/load.js';
import type { Row } from '#src/model/types.js';
import { seededRandom } from '#src/random.js';
import { clickstreamLike, clickstreamRow, everyType, modelOf } from '../support/columnar-model.js';
import { readColumns, readFooter } from '../support/columnar-read.js';
import { SEAL } from '../support/columnar-rows.js';

const ROW: Row = [
  'id',
  1_769_817_600_000,
  1,
  2,
  3,
  4n,
  0.5,
  5,
  's',
  'low',
  ['x'],
  -1,
  -2,
  -3n,
  4,
  true,
  false,
  0,
  0n,
  0n,
  'gap',
  0,
  1,
];

function stats(rows: Row[]) {
  return JSON.parse(encodeRows(everyType, rows, SEAL).stats);
}

describe('the schema of the table', () => {
  it('widens every type to the next signed one and puts the partition column last', () => {
    const types = Object.fromEntries(deltaSchema(everyType).fields.map(({ name, type }) => [name, type]));
    expect(types).toMatchObject({
      i8: 'byte',
      u8: 'short',
      i16: 'short',
      i32: 'integer',
      i64: 'long',
      truth: 'boolean',
      sign: 'integer',
      u16: 'integer',
      u32: 'long',
      u64: 'long',
      f64: 'double',
      t: 'timestamp',
      s: 'string',
      list: { type: 'array', elementType: 'string', containsNull: false },
    });
    expect(deltaSchema(everyType).fields.at(-1)).toMatchObject({ name: 'session_date', type: 'date' });
  });

  it('never lets a list be null', () => {
    const model = modelOf('m', [
      ['l', 'list<string>', true],
      ['sign', 'int8'],
      ['revision', 'uint32'],
    ]);
    expect(deltaSchema(model).fields[0]!.nullable).toBe(false);
    const rows = [
      [null, 1, 0],
      [['a'], 1, 0],
    ];
    expect(readColumns(encodeRows(model, rows, SEAL).bytes).l).toEqual([[], ['a']]);
  });
});

describe('a data file', () => {
  const compiled = loadModel('clickstream');

  it('says who made it, is one row group, and has no partition column', () => {
    const rows = Array.from({ length: 3000 }, (_, i) => clickstreamRow(seededRandom(i), i));
    const footer = readFooter(encodeRows(clickstreamLike, rows, SEAL).bytes);
    expect(footer.created_by).toBe('headrace version 1');
    expect(footer.row_groups).toHaveLength(1);
    expect(Number(footer.num_rows)).toBe(3000);
    const names = footer.row_groups[0]!.columns.map(({ meta_data }) => meta_data!.path_in_schema.join('.'));
    expect(names).toContain('pages.list.element');
    expect(names).not.toContain('session_date');
  });

  it('has the physical types that Delta wants', () => {
    const elements = readFooter(encodeRows(everyType, [ROW], SEAL).bytes).schema;
    const type = (name: string) => elements.find((element) => element.name === name)!;
    expect(type('i8')).toMatchObject({ type: 'INT32' });
    expect(type('u16')).toMatchObject({ type: 'INT32' });
    expect(type('u32')).toMatchObject({ type: 'INT64' });
    expect(type('u64')).toMatchObject({ type: 'INT64' });
    expect(type('u64').logical_type).toBeUndefined();
    expect(type('i16')).toMatchObject({ type: 'INT32', converted_type: 'INT_16' });
    expect(type('i64')).toMatchObject({ type: 'INT64' });
    expect(type('truth')).toMatchObject({ type: 'BOOLEAN' });
    expect(type('f64')).toMatchObject({ type: 'DOUBLE' });
    expect(type('s').logical_type).toMatchObject({ type: 'STRING' });
    expect(type('t').logical_type).toMatchObject({
      type: 'TIMESTAMP',
      isAdjustedToUTC: true,
      unit: 'MICROS',
    });
    expect(type('element')).toMatchObject({ repetition_type: 'REQUIRED' });
  });

  it('has dictionaries for texts that repeat, differences for whole numbers, and the rest plain, all with snappy', () => {
    const rows = Array.from({ length: 200 }, (_, i) => clickstreamRow(seededRandom(i), i));
    const columns = readFooter(encodeRows(compiled, rows, SEAL).bytes).row_groups[0]!.columns;
    const kindOf = (name: string) => {
      const meta = columns.find(({ meta_data }) => meta_data!.path_in_schema[0] === name)!.meta_data!;
      const encoding = meta.encodings.find((name) => name !== 'RLE' && name !== 'PLAIN') ?? 'PLAIN';
      return `${meta.codec} ${encoding}`;
    };
    for (const name of ['country', 'user_agent', 'pages', 'closed_by']) {
      expect(kindOf(name), name).toBe('SNAPPY RLE_DICTIONARY');
    }
    for (const name of ['session_start', 'total_events', 'unique_pages', 'batch_id', 'revision', 'sign']) {
      expect(kindOf(name), name).toBe('SNAPPY DELTA_BINARY_PACKED');
    }
    for (const name of ['session_id', 'user_id', 'latitude']) {
      expect(kindOf(name), name).toBe('SNAPPY PLAIN');
    }
  });

  it('takes created_at, batch_id and file_id from the seal', () => {
    const columns = readColumns(encodeRows(everyType, [ROW, ROW], SEAL).bytes);
    expect(columns.created_at).toEqual(Array(2).fill(BigInt(SEAL.createdAtMs) * 1000n));
    expect(columns.batch_id).toEqual(Array(2).fill(SEAL.batchId));
    expect(columns.file_id).toEqual(Array(2).fill(SEAL.fileId));
  });

  it('replaces lone surrogates, also where two of them meet at the seam of two values', () => {
    const rows = [ROW.with(8, 'a\ud83d'), ROW.with(8, '\ude00b'), ROW.with(8, 'plain')];
    expect(readColumns(encodeRows(everyType, rows, SEAL).bytes).s).toEqual(['a\ufffd', '\ufffdb', 'plain']);
  });

  it('refuses ids that no Delta long can hold', () => {
    expect(() => encodeRows(everyType, [ROW], { ...SEAL, fileId: 2n ** 63n })).toThrow(/file_id/);
    expect(() => encodeRows(everyType, [ROW], { ...SEAL, batchId: -1n })).toThrow(/batch_id/);
  });
});

describe('the stats of a file', () => {
  it('write integers beyond 2⁵³ digit by digit', () => {
    const json = encodeRows(
      everyType,
      [ROW.with(5, 2n ** 53n + 1n), ROW.with(5, 2n ** 63n - 1n)],
      SEAL,
    ).stats;
    expect(json).toContain('"u64":9007199254740993');
    expect(json).toContain('"u64":9223372036854775807');
  });

  it('write times as ISO strings in UTC', () => {
    const { minValues, maxValues } = stats([ROW.with(7, 0), ROW.with(7, Date.UTC(2261, 0, 1, 1, 2, 3, 4))]);
    expect(minValues.t).toBe('1970-01-01T00:00:00.000Z');
    expect(maxValues.t).toBe('2261-01-01T01:02:03.004Z');
  });

  it('count nulls and give no bounds where there is nothing else', () => {
    const { minValues, maxValues, nullCount } = stats([ROW.with(8, null), ROW.with(8, null)]);
    expect(nullCount.s).toBe(2);
    expect(minValues).not.toHaveProperty('s');
    expect(maxValues).not.toHaveProperty('s');
  });

  it('have no bounds of a column that holds what JSON has no number for', () => {
    const { minValues, maxValues } = stats([ROW, ROW.with(6, Infinity)]);
    expect(minValues).not.toHaveProperty('f64');
    expect(maxValues).not.toHaveProperty('f64');
  });

  it('cut long strings outwards', () => {
    const { minValues, maxValues } = stats([ROW.with(8, 'm'.repeat(100))]);
    expect(minValues.s).toBe('m'.repeat(32));
    expect(maxValues.s).toBe(`${'m'.repeat(31)}n`);
  });

  it('are there for a file without rows', () => {
    expect(stats([])).toMatchObject({ numRecords: 0, minValues: {}, maxValues: {} });
  });
});

it('gives the memory of every file back', () => {
  const rows = Array.from({ length: 50 }, (_, i) => clickstreamRow(seededRandom(i), i));
  const write = (files: number) => {
    for (let i = 0; i < files; i++) encodeRows(clickstreamLike, rows, SEAL);
  };
  const size = () => ownMemory().memory.buffer.byteLength;
  write(50);
  const before = size();
  write(300);
  expect(size()).toBe(before);
});

describe('the date of a session', () => {
  it('is the UTC date of its start', () => {
    expect(sessionDate(0)).toBe('1970-01-01');
    expect(sessionDate(86_399_999)).toBe('1970-01-01');
    expect(sessionDate(86_400_000)).toBe('1970-01-02');
    expect(sessionDate(Date.UTC(2024, 1, 29, 23, 59, 59, 999))).toBe('2024-02-29');
  });

  it('groups rows, dates ascending, rows in the order they came', () => {
    const at = (ms: number, id: string) => ROW.with(0, id).with(1, ms);
    const rows = [at(86_400_000, 'a'), at(5, 'b'), at(86_400_001, 'c'), at(0, 'd')];
    const groups = [...groupByDate(everyType, rows)].map(([date, group]) => [
      date,
      group.map((row) => row[0]),
    ]);
    expect(groups).toEqual([
      ['1970-01-01', ['b', 'd']],
      ['1970-01-02', ['a', 'c']],
    ]);
  });
});
