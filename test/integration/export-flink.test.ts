import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { exportFlinkSql } from '#src/export/flink-sql.js';
import { loadModel } from '#src/model/load.js';
import type { CompiledModel } from '#src/model/types.js';
import { committedRecords } from '../support/committed-records.js';
import { HOLDS, NEIGHBOURS, windowsModel } from '../support/exported-models.js';
import {
  comparable,
  type ExportedRecord,
  exportedRecords,
  type NamedRow,
  referenceRows,
} from '../support/exported-sessions.js';
import { runFlinkScript } from '../support/flink-job.js';
import { type KafkaCluster, startKafkaCluster } from '../support/kafka-cluster.js';
import { CLICKSTREAM_FORM } from '../support/spine-clickstream.js';
import type { SpineForm } from '../support/spine-events.js';
import { SpineProducer } from '../support/spine-kafka.js';
import { PRODUCT_ANALYTICS_FORM } from '../support/spine-product-analytics.js';
import { WEB_CLICKS_FORM } from '../support/spine-web-clicks.js';

/** Exported jobs in a real Flink over a topic in a real Kafka: their sessions are those of the engine. */

const PARTITIONS = 6;
const CASES: { topic: string; form: SpineForm; model: CompiledModel; holds?: boolean }[] = [
  { topic: 'clickstream_events', form: CLICKSTREAM_FORM, model: loadModel('clickstream') },
  { topic: 'web_clicks', form: WEB_CLICKS_FORM, model: loadModel('web_clicks') },
  { topic: 'product_events', form: PRODUCT_ANALYTICS_FORM, model: loadModel('product_analytics') },
  {
    topic: 'windows',
    form: CLICKSTREAM_FORM,
    model: windowsModel({ ...NEIGHBOURS, deduplicate: 'session_id' }),
  },
  { topic: 'holds', form: CLICKSTREAM_FORM, model: windowsModel(HOLDS), holds: true },
];
const TEST_MS_MAX = 420_000;

let folder: string;
let cluster: KafkaCluster;
const records = new Map<string, ExportedRecord[]>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headrace-flink-'));
  cluster = await startKafkaCluster({ brokers: 1 });
  for (const { topic, form, holds } of CASES) {
    const made = exportedRecords(form, { seed: 21, events: 4_000, partitions: PARTITIONS }, holds);
    records.set(topic, made);
    await produce(topic, made);
    await cluster.createTopic({ name: `${topic}_sessions`, partitions: 1 });
  }
}, TEST_MS_MAX);

afterAll(async () => {
  await cluster?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function produce(topic: string, made: readonly ExportedRecord[]): Promise<void> {
  const config = { 'retention.ms': -1, 'message.timestamp.type': 'CreateTime' };
  await cluster.createTopic({ name: topic, partitions: PARTITIONS, config });
  const producer = new SpineProducer(cluster.bootstrap);
  await producer.connect();
  await producer.send(topic, made);
  await producer.flush();
  await producer.close();
}

/** The rows of the job's topic, times in ms. */
async function flinkRows(model: CompiledModel, topic: string): Promise<NamedRow[]> {
  const found = await committedRecords(cluster.bootstrap, topic, 1);
  const times = model.columns.filter(({ type }) => type === 'time').map(({ name }) => name);
  return found.map(({ value }) => {
    const row = JSON.parse(value!.toString()) as NamedRow;
    for (const name of times) {
      if (row[name] !== null) row[name] = Date.parse(row[name] as string);
    }
    return row;
  });
}

it(
  'of shipped models, of one with all windows and of one with gaps from a field, refused events and ended sessions among them',
  async () => {
    const place = { brokers: cluster.bootstrap, untilEnd: true };
    const jobs = CASES.map(({ topic, model }) => exportFlinkSql(model, { ...place, topic }).text);
    await runFlinkScript(join(folder, 'job'), jobs.join('\n'));
    for (const { topic, model } of CASES) {
      const expected = comparable(model, referenceRows(model, records.get(topic)!));
      expect(expected.length, topic).toBeGreaterThan(500);
      expect(comparable(model, await flinkRows(model, `${topic}_sessions`)), topic).toEqual(expected);
    }
  },
  TEST_MS_MAX,
);
