import { describe, expect, it } from 'vitest';
import type { Action } from '#src/lake/delta/actions.js';
import { decodeVersion } from '#src/lake/delta/decode.js';
import { encodeVersion } from '#src/lake/delta/encode.js';
import { decodePath, encodePath, partitionFolder, versionOf, versionPath } from '#src/lake/delta/path.js';
import { commitInfo } from '../support/lake-table.js';

const decode = (...lines: unknown[]) =>
  decodeVersion(
    3,
    new TextEncoder().encode(
      lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'),
    ),
  );

const ADD = {
  path: 'p=1/x.parquet',
  partitionValues: { p: '1' },
  size: 1,
  modificationTime: 2,
  dataChange: true,
};

describe('names', () => {
  it('of versions are twenty digits', () => {
    expect(versionPath(7)).toBe('_delta_log/00000000000000000007.json');
    expect(versionOf(versionPath(123))).toBe(123);
    for (const other of [
      '7.json',
      '00000000000000000007.crc',
      '.tmp-00000000000000000007.json',
      'x/00000000000000000007.json',
    ]) {
      expect(versionOf(`_delta_log/${other}`), other).toBeNull();
    }
  });

  it('of partitions are escaped as Hive does, and once more in the log', () => {
    expect(partitionFolder('session_date', '2026-01-31')).toBe('session_date=2026-01-31');
    expect(encodePath('session_date=2026-01-31/part-1.parquet')).toBe(
      'session_date=2026-01-31/part-1.parquet',
    );
    expect(partitionFolder('p', 'y z')).toBe('p=y%20z');
    expect(encodePath('p=y%20z/f')).toBe('p=y%2520z/f');
    expect(partitionFolder('p', 'a/b:c=d?e#f%')).toBe('p=a%2Fb%3Ac%3Dd%3Fe%23f%25');
    expect(partitionFolder('p', null)).toBe('p=__HIVE_DEFAULT_PARTITION__');
    expect(partitionFolder('p', '')).toBe('p=__HIVE_DEFAULT_PARTITION__');
  });

  it('come back from the log as they were', () => {
    for (const path of ['a b/ü', 'x%20y', '日本=+&/#?', "it's"])
      expect(decodePath(encodePath(path))).toBe(path);
  });
});

describe('a version file', () => {
  it('has one action a line, commitInfo first, and decodes to what was encoded', () => {
    const actions: Action[] = [
      { txn: { appId: 'headrace/"version":9/x', version: 2n ** 63n - 1n, lastUpdated: 5 } },
      { txn: { appId: 'other', version: -3n } },
      { commitInfo: commitInfo('a1', { lanes: [1, 2] }) },
      { add: { ...ADD, path: 'p=a%20b/ü.parquet', partitionValues: { p: null }, stats: '{"numRecords":1}' } },
      { remove: { path: 'p=a%20b/old.parquet', dataChange: false, deletionTimestamp: 1 } },
      { unknown: { name: 'domainMetadata', value: { domain: 'x' } } },
    ];
    const bytes = encodeVersion(actions);
    const text = new TextDecoder().decode(bytes);
    expect(text.endsWith('\n')).toBe(true);
    expect(text.split('\n')[0]).toMatch(/^\{"commitInfo":/);
    expect(text).toContain('"version":9223372036854775807,');
    const [first, ...rest] = decodeVersion(0, bytes);
    expect(first).toEqual(actions[2]);
    expect(rest).toEqual([actions[0], actions[1], ...actions.slice(3)]);
  });

  it('keeps fields and actions that it does not know', () => {
    const actions = decode({ add: { ...ADD, tags: { a: 'b' } } }, { sidecar: { path: 'x' } });
    expect(actions[0]).toMatchObject({ add: { tags: { a: 'b' } } });
    expect(actions[1]).toEqual({ unknown: { name: 'sidecar', value: { path: 'x' } } });
  });

  it('may give null for what may be left out', () => {
    const [action] = decode({ remove: { path: 'x', dataChange: true, size: null, partitionValues: null } });
    expect((action as { remove: { size?: number } }).remove.size).toBeUndefined();
  });

  it('is corrupt when a line is not one action of the right shape; the message says where', () => {
    const cases: [unknown, RegExp][] = [
      ['{"add":', /not JSON/],
      ['[]', /not one action/],
      ['null', /not one action/],
      ['{}', /not one action/],
      [{ add: ADD, remove: {} }, /not one action/],
      [{ add: { ...ADD, size: undefined } }, /add\.size/],
      [{ add: { ...ADD, size: 1.5 } }, /add\.size/],
      [{ add: { ...ADD, partitionValues: { p: 1 } } }, /add\.partitionValues\.p/],
      [{ add: { ...ADD, path: 'x%zz' } }, /URL-encoded/],
      [{ txn: { appId: 1, version: 1 } }, /txn\.appId/],
      [{ txn: { appId: 'a', version: 1.5 } }, /txn\.version/],
      ['{"txn":{"appId":"a","version":99999999999999999999}}', /64-bit/],
      ['{"txn":{"appId":"a","version":1e30}}', /64-bit/],
      [{ protocol: { minReaderVersion: 1 } }, /protocol\.minWriterVersion/],
    ];
    for (const [line, message] of cases) {
      const text = JSON.stringify(line);
      expect(() => decode({ commitInfo: {} }, line), text).toThrow(message);
      try {
        decode({ commitInfo: {} }, line);
      } catch (error) {
        expect(error, text).toMatchObject({ code: 'LAKE_LOG_CORRUPT' });
      }
    }
    expect(() => decode('')).toThrow(/empty/);
    expect(() => decodeVersion(0, Uint8Array.of(0xff))).toThrow(/UTF-8/);
  });

  it('is refused at every place where it is cut off, unless the cut is between two lines', () => {
    const bytes = encodeVersion([{ commitInfo: commitInfo('a') }, { add: ADD }]);
    const lineEnd = bytes.indexOf(10);
    for (let length = 0; length < bytes.length - 1; length++) {
      if (length === lineEnd || length === lineEnd + 1) continue;
      expect(() => decodeVersion(0, bytes.subarray(0, length)), String(length)).toThrow(
        /log file|line of the log/,
      );
    }
  });

  it('of a protocol beyond ours is refused, naming it and what to do', () => {
    for (const protocol of [
      { minReaderVersion: 2, minWriterVersion: 5 },
      { minReaderVersion: 1, minWriterVersion: 3 },
      {
        minReaderVersion: 3,
        minWriterVersion: 7,
        readerFeatures: ['deletionVectors'],
        writerFeatures: ['deletionVectors'],
      },
    ]) {
      const { minReaderVersion: reader, minWriterVersion: writer } = protocol;
      expect(() => decode({ protocol })).toThrow(new RegExp(`protocol ${reader}/${writer}`));
    }
    expect(() => decode({ protocol: { minReaderVersion: 1, minWriterVersion: 2 } })).not.toThrow();
  });
});
