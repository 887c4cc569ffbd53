import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encodeRows } from '#src/columnar/encode.js';
import { sessionDate } from '#src/columnar/session-date.js';
import { querySql } from '#src/embedded/chdb-query.js';
import type { Action } from '#src/lake/delta/actions.js';
import { DeltaLog } from '#src/lake/delta/log.js';
import { partitionFolder } from '#src/lake/delta/path.js';
import { ensureTable } from '#src/lake/delta/table.js';
import { LocalStore } from '#src/lake/store/local.js';
import type { Row } from '#src/model/types.js';
import { everyType, modelOf } from '../support/columnar-model.js';
import { everyTypeRow, expectedValue, SEAL } from '../support/columnar-rows.js';
import { readDeltaRs } from '../support/delta-rs.js';
import { addOf, commit, commitInfo, withFolder, writeRows } from '../support/lake-table.js';

/**
 * Our table, read by two engines that share no code with us: delta-rs and ClickHouse's reader (delta-kernel-rs and its
 * own Parquet). HEADRACE_SEED replays the rows.
 */

const SEED = Number(process.env.HEADRACE_SEED ?? 20260131);
const OWNER = { group: 'g', topic: 't' };
const LANE = 'headrace/g/t/AAAAAAAAAAAAAAAAAAAAAA/';

/** Rows with unique ids over three dates. */
function randomRows(count: number): Row[] {
  console.info(`HEADRACE_SEED=${SEED}`);
  return fc
    .sample(everyTypeRow, { numRuns: count, seed: SEED })
    .map((row, i) => row.with(0, `${i}:${row[0]}`).with(1, (row[1] as number) + (i % 3) * 86_400_000));
}

/** Rows by session_id, in the order of the model's columns, session_date last. */
function expectedRows(rows: readonly Row[]): Map<unknown, unknown[]> {
  const columns = everyType.columns.map(({ index }) => index);
  return new Map(
    rows.map((row) => {
      const values = columns.map((index) => expectedValue(row, index));
      return [values[0], [...values, sessionDate(row[1] as number)]];
    }),
  );
}

async function makeTable(folder: string, rows: readonly Row[]): Promise<DeltaLog> {
  const store = await LocalStore.open(folder);
  const { log } = await ensureTable(store, everyType, OWNER, { commitInfo: commitInfo('create') });
  const middle = rows.length >> 1;
  const txn = (version: bigint): Action => ({ txn: { appId: `${LANE}0`, version, lastUpdated: 1 } });
  await commit(log, 'first', [txn(7n), ...(await writeRows(store, everyType, rows.slice(0, middle), SEAL))]);
  const later = { ...SEAL, fileId: SEAL.fileId - 1n };
  const adds = await writeRows(store, everyType, rows.slice(middle), later);
  await commit(log, 'second', [txn(2n ** 53n + 1n), { txn: { appId: `${LANE}1`, version: 0n } }, ...adds]);
  await commit(log, 'nothing but a position', [txn(2n ** 53n + 1n)]);
  const empty = encodeRows(everyType, [], SEAL);
  const path = 'session_date=2026-01-31/empty.parquet';
  await store.put(path, empty.bytes);
  await commit(log, 'no rows', [addOf(path, { session_date: '2026-01-31' }, empty)]);
  await writeFile(join(folder, '_delta_log', '.tmp-1-left'), 'left over by a dead process');
  return log;
}

/** The seal of the second file is other than that of the first. */
function withoutFileId(values: readonly unknown[]): unknown[] {
  const at = everyType.columnIndex.file_id;
  return values.map((value, i) => (i === at ? null : value));
}

it('is read value by value as it was written, by delta-rs', async () => {
  await withFolder(async (folder) => {
    const rows = randomRows(400);
    await makeTable(folder, rows);
    const table = await readDeltaRs(folder, { appIds: [`${LANE}0`, `${LANE}1`, `${LANE}2`] });
    expect(table.version).toBe(4);
    expect(table.columns).toEqual([...everyType.columns.map(({ name }) => name), 'session_date']);
    expect(table.partitionColumns).toEqual(['session_date']);
    expect(table.txns).toEqual({ [`${LANE}0`]: 2 ** 53 + 1, [`${LANE}1`]: 0, [`${LANE}2`]: null });
    expect(table.history.map((entry) => (entry.headrace as { attempt: string }).attempt)).toEqual([
      'no rows',
      'nothing but a position',
      'second',
      'first',
      'create',
    ]);
    const expected = expectedRows(rows);
    expect(table.rows).toHaveLength(rows.length);
    for (const row of table.rows) {
      const values = table.columns.map((name) => {
        const type = everyType.columns.find((column) => column.name === name)?.type;
        const value = row[name];
        return type === 'time' && typeof value === 'number' ? BigInt(value) : value;
      });
      expect(withoutFileId(values)).toEqual(withoutFileId(expected.get(row.session_id)!));
    }
  });
});

it('is read value by value as it was written, by chDB', async () => {
  await withFolder(async (folder) => {
    const rows = randomRows(400);
    await makeTable(folder, rows);
    const select = everyType.columns.map(({ name, type }) => {
      if (type === 'time') return `toUnixTimestamp64Micro(${name}) AS ${name}`;
      if (type === 'float') return `reinterpretAsUInt64(${name}) AS ${name}`;
      return name;
    });
    const found = await querySql(folder, `SELECT ${select}, session_date FROM deltaLakeLocal('${folder}')`);
    expect(found).toHaveLength(rows.length);
    const expected = expectedRows(rows);
    for (const row of found) {
      const values = [
        ...everyType.columns.map(({ name, type }) => fromJson(row[name], type)),
        row.session_date,
      ];
      expect(withoutFileId(values)).toEqual(withoutFileId(expected.get(row.session_id)!));
    }
  });
});

it('lets readers skip files by its statistics without losing a row', async () => {
  await withFolder(async (folder) => {
    const rows = randomRows(300);
    await makeTable(folder, rows);
    const probes = rows.filter((_, i) => i % 60 === 0);
    for (const row of probes) {
      const id = Buffer.from(expectedValue(row, 0) as string).toString('hex');
      const sql = `SELECT count() AS n FROM deltaLakeLocal('${folder}') WHERE session_id = unhex('${id}')
        AND session_start = fromUnixTimestamp64Milli(${row[1]}) AND session_date = '${sessionDate(row[1] as number)}'`;
      expect(await querySql(folder, sql)).toEqual([{ n: '1' }]);
    }
  });
});

it('finds the files of partitions with odd names, in both readers', async () => {
  const model = modelOf('odd', [['n', 'uint32']]);
  const values = ['plain', 'a b', 'a%20b', 'ü/ö', 'k=v:w?x#y', '日本', '+&;@$,', "it's", '"[{^}]"', null];
  await withFolder(async (folder) => {
    const store = await LocalStore.open(folder);
    const fields = [
      { name: 'n', type: 'long', nullable: false, metadata: {} },
      { name: 'p q', type: 'string', nullable: true, metadata: {} },
    ];
    const log = (await DeltaLog.create(store, {
      id: '00000000-0000-4000-8000-000000000000',
      name: 'odd',
      description: '',
      schemaString: JSON.stringify({ type: 'struct', fields }),
      partitionColumns: ['p q'],
      configuration: {},
      createdTimeMs: 0,
      commitInfo: commitInfo('create'),
    })) as DeltaLog;
    for (const [i, value] of values.entries()) {
      const path = `${partitionFolder('p q', value)}/part ${i}.parquet`;
      const file = encodeRows(model, [[i]], SEAL);
      await store.put(path, file.bytes);
      await commit(log, `file ${i}`, [addOf(path, { 'p q': value }, file)]);
    }
    const expected = values.map((value, i) => [i, value]);
    const { rows } = await readDeltaRs(folder);
    expect(rows.map((row) => [Number(row.n), row['p q']]).sort(byNumber)).toEqual(expected);
    const found = await querySql(folder, `SELECT n, \`p q\` AS p FROM deltaLakeLocal('${folder}')`);
    expect(found.map((row) => [Number(row.n), row.p]).sort(byNumber)).toEqual(expected);
  });
});

function byNumber(a: unknown[], b: unknown[]): number {
  return (a[0] as number) - (b[0] as number);
}

function fromJson(value: unknown, type: string): unknown {
  if (value === null) return null;
  if (type === 'time' || type === 'uint32' || type === 'int64' || type === 'uint64') {
    return BigInt(value as string);
  }
  if (type !== 'float') return value;
  return new Float64Array(BigUint64Array.of(BigInt(value as string)).buffer)[0];
}
