import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asClickHouseError, isUnknownOutcome } from '#src/clickhouse/errors.js';
import { encodeRows } from '#src/columnar/encode.js';
import { type ClickHouseFront, startClickHouseFront } from '#src/embedded/clickhouse-front.js';
import type { CompiledModel, Row } from '#src/model/types.js';
import { ClickHouseRig, targetAt } from '../support/clickhouse-rig.js';
import { everyType, modelOf } from '../support/columnar-model.js';
import { everyTypeRow, expectedValue, SEAL } from '../support/columnar-rows.js';
import { propertySettings } from '../support/property-seed.js';

/** What becomes of files in a real ClickHouse: one block each, each row once, rows that cancel each other, and values. */

let front: ClickHouseFront;
const rigs: ClickHouseRig[] = [];
beforeAll(async () => {
  front = await startClickHouseFront();
});
afterAll(async () => {
  for (const rig of rigs) await rig.close();
  await front.stop();
});

async function tablesOf(model: CompiledModel): Promise<ClickHouseRig> {
  const rig = new ClickHouseRig(targetAt(front, `rows${rigs.length}`), model);
  rigs.push(rig);
  await rig.migrate();
  return rig;
}

const small = modelOf('small', [
  ['session_id', 'string'],
  ['session_start', 'time'],
  ['total_events', 'uint32'],
  ['created_at', 'time', false, false, { op: 'created_at' }],
  ['batch_id', 'uint64', false, false, { op: 'batch_id' }],
  ['file_id', 'uint64', false, false, { op: 'file_id' }],
  ['closed_by', 'string', false, true],
  ['revision', 'uint32'],
  ['sign', 'int8'],
]);
const DAY_MS = Date.UTC(2026, 0, 31);

function change(id: string, startMs: number, events: number, revision: number, sign: 1 | -1): Row {
  return [id, DAY_MS + startMs, events, 0, 0n, 0n, 'gap', revision, sign];
}

/** A view that adds up what it is given, and a table that it fills. */
async function addSums(
  rig: ClickHouseRig,
  name: string,
  select = 'sum(sign) AS n, sum(sign * total_events) AS e',
) {
  const { database } = rig.target;
  await rig.sql(
    `CREATE TABLE ${database}.${name} (d Date, n Int64, e Int64) ENGINE = SummingMergeTree ORDER BY d`,
  );
  await rig.sql(
    `CREATE MATERIALIZED VIEW ${database}.${name}_view TO ${database}.${name} AS SELECT session_date AS d, ${select} FROM ${rig.table} GROUP BY d`,
  );
  await rig.migrate();
  return async () => {
    const [row] = await rig.rows<{ n: string; e: string }>(
      `SELECT sum(n) AS n, sum(e) AS e FROM ${database}.${name}`,
    );
    return [Number(row?.n), Number(row?.e)];
  };
}

const partsOf = (rig: ClickHouseRig, table: string) =>
  rig.count(`system.parts WHERE active AND database = '${rig.target.database}' AND table = '${table}'`);

describe('a file', () => {
  const rows = Array.from({ length: 150_000 }, (_, i) => change(`s${i}`, i % 86_400_000, 1, 0, 1));
  const { bytes } = encodeRows(small, rows, { createdAtMs: DAY_MS, batchId: 1n, fileId: 1n });

  it('is one block, in the table and behind its views', async () => {
    const rig = await tablesOf(small);
    await addSums(rig, 'sums');
    await rig.insertBytes(bytes, 'a');
    expect(await rig.count(rig.table)).toBe(150_000);
    expect([await partsOf(rig, 'session_metrics'), await partsOf(rig, 'sums')]).toEqual([1, 1]);
  });

  it('would be several without the settings of every insert', async () => {
    const rig = await tablesOf(small);
    await rig.insertBytes(bytes, 'a', {
      min_insert_block_size_rows: 1,
      min_insert_block_size_bytes: 1,
      input_format_parquet_max_block_size: 50_000,
    });
    expect(await partsOf(rig, 'session_metrics')).toBe(3);
  });

  it('sent again is not stored again, in the table and behind its views', async () => {
    const rig = await tablesOf(small);
    const sums = await addSums(rig, 'sums');
    const file = [change('a', 0, 3, 0, 1), change('b', 1, 4, 0, 1)];
    for (let i = 0; i < 3; i++) await rig.insertRows(file, 'one');
    // another file with the same rows is another one
    await rig.insertRows([change('c', 2, 5, 0, 1)], 'two');
    await rig.insertRows([change('d', 2, 5, 0, 1)], 'three');
    expect(await rig.count(rig.table)).toBe(4);
    expect(await sums()).toEqual([4, 17]);
  });

  it('is not stored again after other files, and after ClickHouse was killed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'headrace-killed-'));
    const first = await startClickHouseFront({ folder });
    const before = new ClickHouseRig(targetAt(first, 'killed'), small);
    await before.migrate();
    await addSums(before, 'sums');
    for (const token of ['one', 'two', 'three']) await before.insertRows([change(token, 0, 1, 0, 1)], token);
    await before.close();
    await first.kill();
    const second = await startClickHouseFront({ folder });
    const after = new ClickHouseRig(targetAt(second, 'killed'), small);
    try {
      for (const token of ['three', 'one', 'two']) await after.insertRows([change(token, 0, 1, 0, 1)], token);
      expect(await after.count(after.table)).toBe(3);
      expect(await after.rows('SELECT sum(n) AS n, sum(e) AS e FROM killed.sums')).toEqual([
        { n: '3', e: '3' },
      ]);
      expect(await after.problems()).toEqual([]);
    } finally {
      await after.close();
      await second.stop();
      await rm(folder, { recursive: true });
    }
  });

  it('that a view refuses is stored once, in the table and in every view, when the view is mended', async () => {
    const rig = await tablesOf(small);
    const before = await addSums(rig, 'before');
    const failing = await addSums(
      rig,
      'failing',
      "throwIf(max(total_events) = 7, 'seven') + sum(sign) AS n, 0 AS e",
    );
    const file = [change('a', 0, 7, 0, 1), change('b', 1, 1, 0, 1)];
    const refused = await rig.insertRows(file, 'one').catch((error: unknown) => error);
    expect(isUnknownOutcome(refused)).toBe(true);
    const { database } = rig.target;
    const told = asClickHouseError(refused, { path: 'one' }).toString();
    expect(told).toContain(`the materialized view ${database}.failing_view fails`);
    expect(told).toContain(`DROP VIEW ${database}.failing_view`);
    await rig.sql(
      `ALTER TABLE ${database}.failing_view MODIFY QUERY SELECT session_date AS d, sum(sign) AS n, 0 AS e FROM ${rig.table} GROUP BY d`,
    );
    for (let i = 0; i < 2; i++) await rig.insertRows(file, 'one');
    expect(await rig.count(rig.table)).toBe(2);
    expect(await before()).toEqual([2, 8]);
    expect(await failing()).toEqual([2, 0]);
  });

  it('that lacks a column of the table gets its default, and one that the table lacks is refused', async () => {
    const rig = await tablesOf(small);
    await rig.sql(`ALTER TABLE ${rig.table} ADD COLUMN mine UInt8 DEFAULT 9`);
    await rig.insertRows([change('a', 0, 1, 0, 1)]);
    expect(await rig.rows(`SELECT mine FROM ${rig.table}`)).toEqual([{ mine: 9 }]);
    await rig.sql(`ALTER TABLE ${rig.table} DROP COLUMN total_events`);
    const refused = await rig.insertRows([change('b', 0, 1, 0, 1)]).catch((error: unknown) => error);
    expect(isUnknownOutcome(refused)).toBe(false);
    expect(asClickHouseError(refused, { table: 't' }).toString()).toMatch(
      /the table t lacks a column: .*total_events/,
    );
    expect(await rig.count(rig.table)).toBe(1);
  });

  it('keeps a row and its opposite until they are merged, so that its rows can be counted', async () => {
    const rig = await tablesOf(small);
    await rig.insertRows([change('a', 0, 1, 0, 1), change('a', 0, 1, 0, -1), change('a', 0, 2, 1, 1)]);
    expect(await rig.count(rig.table)).toBe(3);
  });
});

describe('values', () => {
  it('come back as they went in, of every type, missing ones too', async () => {
    const rig = await tablesOf(everyType);
    let serial = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(everyTypeRow, { minLength: 1, maxLength: 20 }), async (rows) => {
        await rig.sql(`TRUNCATE TABLE ${rig.table}`);
        const { bytes } = encodeRows(everyType, rows, SEAL);
        await rig.insertBytes(bytes, `file-${serial++}`);
        const columns = everyType.columns.map(({ name, type }) =>
          type === 'time'
            ? `toUnixTimestamp64Micro(CAST(${name}, 'Nullable(DateTime64(6))')) AS ${name}_`
            : `${name} AS ${name}_`,
        );
        const found = await rig.rows<Record<string, unknown>>(
          // else infinity is null in ClickHouse's JSON
          `SELECT ${columns.join(', ')} FROM ${rig.table} SETTINGS output_format_json_quote_denormals = 1`,
        );
        const asText = (row: unknown[]) => JSON.stringify(row);
        const read = found.map((row) => asText(Object.values(row).map(plain)));
        const wanted = rows.map((row) =>
          asText(everyType.columns.map((_, i) => plain(expectedValue(row, i)))),
        );
        expect(read.sort()).toEqual(wanted.sort());
      }),
      propertySettings({ numRuns: 15 }),
    );
  });

  /** 64-bit numbers as text, as ClickHouse's JSON has them; floats to what both print. */
  function plain(value: unknown): unknown {
    if (typeof value === 'bigint') return value.toString();
    if (value === Number.POSITIVE_INFINITY) return 'inf';
    if (value === Number.NEGATIVE_INFINITY) return '-inf';
    return typeof value === 'number' ? String(value === 0 ? 0 : value) : value;
  }
});

describe('sessions', () => {
  it('with one id and different starts never cancel each other, merged or not', async () => {
    const rig = await tablesOf(small);
    await rig.insertRows([change('a', 0, 1, 0, 1), change('a', 1, 1, 0, -1), change('b', 0, 1, 0, 1)]);
    await rig.insertRows([change('a', 1, 1, 0, 1), change('a', 2, 5, 0, 1)]);
    const seen = () =>
      rig.rows(
        `SELECT session_id AS id, total_events AS n FROM ${rig.target.database}.sessions ORDER BY session_start, id`,
      );
    const all = [
      { id: 'a', n: 1 },
      { id: 'b', n: 1 },
      { id: 'a', n: 5 },
    ];
    expect(await seen()).toEqual(all);
    await rig.sql(`OPTIMIZE TABLE ${rig.table} FINAL`);
    expect(await seen()).toEqual(all);
    expect(await rig.count(rig.table)).toBe(3);
  });

  it('are shown as they are whatever the order and the files in which their changes come', async () => {
    const rig = await tablesOf(small);
    const { database } = rig.target;
    // the last revision of each, or none where it was taken back
    const lives = fc.array(
      fc.record({
        revisions: fc.integer({ min: 1, max: 4 }),
        takenBack: fc.boolean(),
        startMs: fc.integer({ min: 0, max: 3 }),
      }),
      { minLength: 1, maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(lives, fc.integer(), async (sessions, order) => {
        await rig.sql(`TRUNCATE TABLE ${rig.table}`);
        const changes: Row[] = [];
        const wanted: Record<string, unknown>[] = [];
        sessions.forEach(({ revisions, takenBack, startMs }, i) => {
          // ids are shared by sessions with different starts
          const id = `s${i % 2}`;
          const start = startMs + i * 10;
          for (let revision = 0; revision < revisions; revision++) {
            const last = revision === revisions - 1;
            changes.push(change(id, start, 10 + revision, revision, 1));
            if (!last || takenBack) changes.push(change(id, start, 10 + revision, revision, -1));
          }
          if (!takenBack) wanted.push({ id, start, n: 9 + revisions });
        });
        const shuffled = [...changes].sort((a, b) => mix(a, order) - mix(b, order));
        const middle = Math.floor(shuffled.length / 2);
        for (const part of [shuffled.slice(0, middle), shuffled.slice(middle)]) {
          if (part.length > 0) await rig.insertRows(part);
        }
        const seen = await rig.rows(
          `SELECT session_id AS id, toUInt32(toUnixTimestamp64Milli(session_start) - ${DAY_MS}) AS start, total_events AS n FROM ${database}.sessions ORDER BY start`,
        );
        expect(seen).toEqual(wanted);
        const [sum] = await rig.rows(`SELECT sum(sign) AS n FROM ${rig.table}`);
        expect(Number(sum?.n)).toBe(wanted.length);
      }),
      propertySettings({ numRuns: 20 }),
    );
  });

  /** A number that shuffles rows in another way for each order. */
  function mix(row: Row, order: number): number {
    const text = `${order}:${row.join()}`;
    let hash = 7;
    for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
    return hash;
  }
});
