import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { exportFlinkSql } from '#src/export/flink-sql.js';
import { loadModel } from '#src/model/load.js';
import type { CompiledModel } from '#src/model/types.js';
import { committedRecords } from '../support/committed-records.js';
import {
  comparable,
  type ExportedRecord,
  exportedRecords,
  type NamedRow,
  referenceRows,
} from '../support/exported-sessions.js';
import { runFlinkScript } from '../support/flink-job.js';
import { type KafkaCluster, startKafkaCluster } from '../support/kafka-cluster.js';
import type { OracleRow } from '../support/oracle.js';
import { SpineProducer } from '../support/spine-kafka.js';
import { CLICKSTREAM, type SpineModel, WEB_CLICKS } from '../support/spine-model.js';

/** Exported jobs in a real Flink over a topic in a real Kafka: their sessions are those of the engine. */

const PARTITIONS = 6;
const MODELS: SpineModel<OracleRow>[] = [CLICKSTREAM, WEB_CLICKS];
const TEST_MS_MAX = 420_000;

let folder: string;
let cluster: KafkaCluster;
const records = new Map<string, ExportedRecord[]>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headrace-flink-'));
  cluster = await startKafkaCluster({ brokers: 1 });
  for (const spine of MODELS) {
    const made = exportedRecords(spine, { seed: 21, events: 6_000, partitions: PARTITIONS });
    records.set(spine.name, made);
    await produce(spine, made);
    await cluster.createTopic({ name: `${spine.topic}_sessions`, partitions: 1 });
  }
}, TEST_MS_MAX);

afterAll(async () => {
  await cluster?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function produce(spine: SpineModel<OracleRow>, made: readonly ExportedRecord[]): Promise<void> {
  const config = { 'retention.ms': -1, 'message.timestamp.type': 'CreateTime' };
  await cluster.createTopic({ name: spine.topic, partitions: PARTITIONS, config });
  const producer = new SpineProducer(cluster.bootstrap, { 'compression.codec': spine.compression });
  await producer.connect();
  await producer.send(spine.topic, made);
  await producer.flush();
  await producer.close();
}

/** The rows of the job's topic, times in ms. */
async function flinkRows(model: CompiledModel, topic: string): Promise<NamedRow[]> {
  const found = await committedRecords(cluster.bootstrap, topic, 1);
  const times = model.columns.filter(({ type }) => type === 'time').map(({ name }) => name);
  return found.map(({ value }) => {
    const row = JSON.parse(value!.toString()) as NamedRow;
    for (const name of times) row[name] = Date.parse(row[name] as string);
    return row;
  });
}

it(
  'of clickstream and of web_clicks, refused events and ended sessions among them',
  async () => {
    const place = { brokers: cluster.bootstrap, untilEnd: true };
    const jobs = MODELS.map(({ name, topic }) => exportFlinkSql(loadModel(name), { ...place, topic }).text);
    await runFlinkScript(join(folder, 'job'), jobs.join('\n'));
    for (const { name, topic } of MODELS) {
      const model = loadModel(name);
      const expected = comparable(model, referenceRows(model, records.get(name)!));
      expect(expected.length, name).toBeGreaterThan(500);
      expect(comparable(model, await flinkRows(model, `${topic}_sessions`)), name).toEqual(expected);
    }
  },
  TEST_MS_MAX,
);
