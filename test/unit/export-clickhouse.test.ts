import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ChdbSession, openChdb } from '#src/embedded/chdb-query.js';
import { clickHouseRecordsTable, exportClickHouseSql } from '#src/export/clickhouse-sql.js';
import { loadModel } from '#src/model/load.js';
import type { CompiledModel } from '#src/model/types.js';
import {
  comparable,
  type ExportedRecord,
  exportedRecords,
  type NamedRow,
  referenceRows,
} from '../support/exported-sessions.js';
import { CLICKSTREAM, WEB_CLICKS } from '../support/spine-model.js';

/** Exported queries in chDB over the records of a topic: their sessions are those of the engine. */

let folder: string;
let chdb: ChdbSession;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'headrace-export-')));
  chdb = await openChdb(folder);
});

afterAll(async () => {
  await chdb?.close();
  await rm(folder, { recursive: true, force: true });
});

async function fillTable(topic: string, records: readonly ExportedRecord[]): Promise<void> {
  const lines = records.map(({ partition, offset, timestampMs, value }) =>
    JSON.stringify({ partition, offset, timestamp: timestampMs, value }),
  );
  await writeFile(join(folder, `${topic}.jsonl`), lines.join('\n'));
  await chdb.query(clickHouseRecordsTable({ topic }));
  await chdb.query(`INSERT INTO ${topic} SELECT partition, offset, fromUnixTimestamp64Milli(timestamp, 'UTC'), value FROM
    file('${topic}.jsonl', 'JSONEachRow', 'partition UInt64, offset UInt64, timestamp Int64, value String')`);
}

/** The query's rows, times in ms. */
async function chdbRows(model: CompiledModel, text: string): Promise<NamedRow[]> {
  const rows = (await chdb.query(text)) as NamedRow[];
  return rows.map((row) => {
    for (const { name, type } of model.columns)
      if (type === 'time') row[name] = Date.parse(`${(row[name] as string).replace(' ', 'T')}Z`);
    return row;
  });
}

it.each([CLICKSTREAM, WEB_CLICKS])(
  'of $name, refused events and ended sessions among them',
  async (spine) => {
    const records = exportedRecords(spine, { seed: 33, events: 6_000, partitions: 5 });
    await fillTable(spine.topic, records);
    const model = loadModel(spine.name);
    const place = { brokers: 'localhost:9092', topic: spine.topic, untilEnd: true };
    const rows = await chdbRows(model, exportClickHouseSql(model, place).text);
    const expected = comparable(model, referenceRows(model, records));
    expect(expected.length).toBeGreaterThan(500);
    expect(comparable(model, rows)).toEqual(expected);
  },
);
