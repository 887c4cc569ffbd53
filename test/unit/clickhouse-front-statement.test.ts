import { describe, expect, test } from 'vitest';
import { scanStatement } from '#src/embedded/clickhouse-front-statement.js';

/** The statement with a place for the file, its data, and its format. */
function split(text: string): [string, string, string | null] {
  const { insert, format } = scanStatement(text);
  if (insert === null) throw new Error(`no INSERT with data: ${text}`);
  return [`${text.slice(0, insert.clauseAt)}@ ${insert.tail}`, text.slice(insert.dataAt), format];
}

describe('an INSERT with its data behind it', () => {
  test.each([
    ['INSERT INTO t FORMAT Parquet', 'INSERT INTO t @ FORMAT Parquet', '', 'Parquet'],
    ['insert into d.t format CSV\n1,2\n', 'insert into d.t @ format CSV', '1,2\n', 'CSV'],
    ['INSERT INTO t FORMAT CSV;\r\n1', 'INSERT INTO t @ FORMAT CSV', '1', 'CSV'],
    ['INSERT INTO t FORMAT TSV \n\n1', 'INSERT INTO t @ FORMAT TSV', '\n1', 'TSV'],
    [
      "INSERT INTO t (a, `FORMAT`) SETTINGS x = 'FORMAT', y = 1 FORMAT JSONEachRow {}",
      "INSERT INTO t (a, `FORMAT`) @ SETTINGS x = 'FORMAT', y = 1 FORMAT JSONEachRow",
      '{}',
      'JSONEachRow',
    ],
    ['INSERT INTO settings FORMAT CSV\n1', 'INSERT INTO settings @ FORMAT CSV', '1', 'CSV'],
    [
      'INSERT INTO TABLE `a b`."select" FORMAT CSV',
      'INSERT INTO TABLE `a b`."select" @ FORMAT CSV',
      '',
      'CSV',
    ],
    [
      "INSERT INTO FUNCTION null('a UInt8') FORMAT CSV\n1",
      "INSERT INTO FUNCTION null('a UInt8') @ FORMAT CSV",
      '1',
      'CSV',
    ],
    [
      '/* SELECT ; */ -- FORMAT a\n  INSERT INTO t # FORMAT b\n FORMAT CSV\n1',
      '/* SELECT ; */ -- FORMAT a\n  INSERT INTO t # FORMAT b\n @ FORMAT CSV',
      '1',
      'CSV',
    ],
    ['INSERT INTO t VALUES (1),(2)', 'INSERT INTO t @ FORMAT Values', ' (1),(2)', 'Values'],
    ['INSERT INTO t SETTINGS a=1 VALUES (1)', 'INSERT INTO t @ SETTINGS a=1 FORMAT Values', ' (1)', 'Values'],
  ])('%j', (text, statement, data, format) => {
    expect(split(text)).toEqual([statement, data, format]);
  });

  test('bytes of a binary format are left alone', () => {
    const data = Buffer.from([0, 0x0a, 0xff, 0x27, 0x3b, 0x22]).toString('latin1');
    expect(split(`INSERT INTO t FORMAT RowBinary\n${data}`)[1]).toBe(data);
    expect(scanStatement(`INSERT INTO t FORMAT RowBinary\n${data}`).isSeveral).toBe(false);
  });
});

describe('a statement without data behind it', () => {
  test.each([
    ['SELECT 1', null, false],
    ['SELECT 1 FORMAT JSON', 'JSON', false],
    ['SELECT 1 FORMAT JSON ; ', 'JSON', false],
    ['SELECT 1\nFORMAT JSONEachRow SETTINGS a = 1', 'JSONEachRow', false],
    ["SELECT format('FORMAT x'), `FORMAT y` FROM (SELECT 1 FORMAT z)", null, false],
    ["SELECT 'it''s \\'; FORMAT x'", null, false],
    ['SELECT $tag$ ; FORMAT x $tag$', null, false],
    ['INSERT INTO t SELECT 1', null, false],
    ['INSERT INTO t (a) WITH 1 AS x SELECT x FORMAT CSV', 'CSV', false],
    ["INSERT INTO t FROM INFILE 'x' FORMAT CSV", 'CSV', false],
    ['SELECT 1; SELECT 2', null, true],
    ['', null, false],
    ["SELECT 'unclosed", null, false],
  ])('%j', (text, format, isSeveral) => {
    expect(scanStatement(text)).toEqual({ insert: null, format, isSeveral });
  });
});

test('values that are expressions stay in the statement', () => {
  expect(scanStatement('INSERT INTO t VALUES ({x:UInt8})').insert?.isValues).toBe(true);
  expect(scanStatement('INSERT INTO t FORMAT Values (1)').insert?.isValues).toBe(false);
});

test('a literal of megabytes is one token', () => {
  const text = `SELECT '${"it''s \\\\ ".repeat(1_000_000)}' FORMAT JSON`;
  expect(scanStatement(text).format).toBe('JSON');
});
