import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ChdbSession, openChdb } from '#src/embedded/chdb-query.js';
import { clickHouseRecordsTable, exportClickHouseSql } from '#src/export/clickhouse-sql.js';
import { loadModel } from '#src/model/load.js';
import type { CompiledModel } from '#src/model/types.js';
import { HOLDS, keysModel, NEIGHBOURS, windowsModel } from '../support/exported-models.js';
import {
  comparable,
  type ExportedRecord,
  exportedRecords,
  type NamedRow,
  referenceRows,
} from '../support/exported-sessions.js';
import { CLICKSTREAM_FORM } from '../support/spine-clickstream.js';
import { PRODUCT_ANALYTICS_FORM } from '../support/spine-product-analytics.js';
import { WEB_CLICKS_FORM } from '../support/spine-web-clicks.js';

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

/** The query's rows, times in ms, 64-bit numbers as numbers. */
async function chdbRows(model: CompiledModel, text: string): Promise<NamedRow[]> {
  const rows = (await chdb.query(text)) as NamedRow[];
  return rows.map((row) => {
    for (const { name, type } of model.columns) {
      const value = row[name];
      if (type === 'time' && value !== null)
        row[name] = Date.parse(`${(value as string).replace(' ', 'T')}Z`);
      if (type === 'uint64') row[name] = Number(value);
    }
    return row;
  });
}

it.each([
  ['clickstream', CLICKSTREAM_FORM, () => loadModel('clickstream')],
  ['web_clicks', WEB_CLICKS_FORM, () => loadModel('web_clicks')],
  ['product_analytics', PRODUCT_ANALYTICS_FORM, () => loadModel('product_analytics')],
  ['keys of two fields', CLICKSTREAM_FORM, keysModel],
  [
    'every window at once',
    CLICKSTREAM_FORM,
    () => windowsModel({ ...NEIGHBOURS, deduplicate: 'session_id' }),
  ],
  ['a longest duration', CLICKSTREAM_FORM, () => windowsModel({ max_duration: '25m' })],
  [
    'all that cuts, by values that are forgotten',
    CLICKSTREAM_FORM,
    () =>
      windowsModel({
        max_duration: '40m',
        end_event: { field: 'event_type', in: ['purchase'] },
        split: { on_change: ['device.browser', 'geo.country'] },
      }),
  ],
  ['gaps from a field', CLICKSTREAM_FORM, () => windowsModel({ ...HOLDS, max_duration: '90m' })],
  [
    'gaps from a field and all that cuts',
    CLICKSTREAM_FORM,
    () => windowsModel({ ...NEIGHBOURS, ...HOLDS, max_duration: '40m' }),
  ],
  [
    'gaps from a field and end events that belong to none',
    CLICKSTREAM_FORM,
    () => windowsModel({ ...HOLDS, end_event: { field: 'event_type', in: ['purchase'] } }),
  ],
] as const)('of %s, refused events and ended sessions among them', async (name, form, makeModel) => {
  const records = exportedRecords(form, { seed: 33, events: 6_000, partitions: 5 }, name.startsWith('gaps'));
  const topic = name.replaceAll(/[^a-z]+/g, '_');
  await fillTable(topic, records);
  const model = makeModel();
  const place = { brokers: 'localhost:9092', topic, untilEnd: true };
  const rows = await chdbRows(model, exportClickHouseSql(model, place).text);
  const expected = comparable(model, referenceRows(model, records));
  expect(expected.length).toBeGreaterThan(500);
  expect(comparable(model, rows)).toEqual(expected);
});
