import { checkClickHouse } from '../../clickhouse/check.js';
import { withReachable } from '../../clickhouse/hosts.js';
import type { EngineConfig } from '../../config/types.js';
import { HeadraceError, messageOf } from '../../errors.js';
import type { Cluster } from '../../kafka/cluster.js';
import { checkGroupProtocol } from '../../kafka/group-protocol.js';
import { tablePlace } from '../../lake/delta/table-place.js';
import { openStore } from '../../lake/store/open-store.js';
import { probeWritable } from '../../lake/store/probe.js';
import { loadModel } from '../../model/load.js';
import type { CompiledModel } from '../../model/types.js';
import type { PlainLog } from '../../telemetry/log.js';
import { connectUntil, inReach, noBrokers } from '../connect-brokers.js';
import { clickHouseTarget } from '../run/clickhouse.js';

/** What an engine needs, tried one after the other as the engine would; what one finds, the next may use. */

export interface CheckLine {
  what: string;
  /** What was found; of a failure, what is wrong and where. */
  text: string;
  ok: boolean;
  /** Null: nothing has to be done, or nobody knows. */
  remedy: string | null;
  /** The error's, or null. */
  code: string | null;
  exitCode: number;
}

export async function checkServices(config: EngineConfig, log: PlainLog): Promise<CheckLine[]> {
  const lines: CheckLine[] = [];
  const attempt = async <T>(
    what: string,
    work: () => Promise<{ found: T; text: string }>,
  ): Promise<T | null> => {
    try {
      const { found, text } = await work();
      lines.push({ what, text, ok: true, remedy: null, code: null, exitCode: 0 });
      return found;
    } catch (error) {
      lines.push(failed(what, error));
      return null;
    }
  };
  const model = await attempt('model', async () => {
    const found = loadModel(config.model);
    return { found, text: `${found.name}, ${found.columns.length} columns` };
  });
  await checkKafka(config, log, attempt);
  await attempt('table', () => tableTried(config));
  if (model !== null && config.clickhouse !== null)
    await attempt('clickhouse', () => clickHouseTried(config, model));
  return lines;
}

type Attempt = <T>(what: string, work: () => Promise<{ found: T; text: string }>) => Promise<T | null>;

async function checkKafka(config: EngineConfig, log: PlainLog, attempt: Attempt): Promise<void> {
  const { kafka, output } = config;
  const brokers = kafka.brokers.join(',');
  const cluster = await attempt('brokers', async () => {
    const found = await inReach(
      (signal) =>
        connectUntil(
          { brokers: kafka.brokers, security: kafka.security, clientId: kafka.clientId, log },
          signal,
        ),
      (what) => noBrokers(what, { brokers }),
    );
    return { found, text: `${brokers} answer` };
  });
  if (cluster === null) return;
  try {
    if (kafka.groupProtocol === 'consumer') {
      await attempt('group protocol', async () => {
        await checkGroupProtocol(config, cluster);
        return { found: null, text: 'the brokers speak consumer (KIP-848)' };
      });
    }
    const partitions = await attempt('topic', () => topicTried(cluster, kafka.topic));
    if (partitions !== null) await attempt('reading', () => readingTried(cluster, config));
    const followed = output === null ? [] : [output.topic, output.deadLetters, output.positions];
    for (const topic of followed) await attempt('output topic', () => topicTried(cluster, topic));
  } finally {
    await cluster.close();
  }
}

async function topicTried(cluster: Cluster, name: string): Promise<{ found: number; text: string }> {
  const topic = (await cluster.describe([name])).find((each) => each.name === name);
  const found = topic?.partitions.length ?? 0;
  if (found > 0) return { found, text: `${name} has ${found} partitions` };
  throw new HeadraceError('KAFKA_TOPIC_MISSING', 'there is no such topic, or it may not be seen', {
    where: { topic: name },
    remedy: 'create it (headrace topics create makes those of the shipped models), or allow Describe',
  });
}

async function readingTried(
  cluster: Cluster,
  { kafka }: EngineConfig,
): Promise<{ found: null; text: string }> {
  return await inReach(
    async () => {
      const topic = await cluster.topic(kafka.topic);
      const ends = await cluster.listOffsets(topic, topic.partitions, 'latest', kafka.isolation);
      const starts = await cluster.listOffsets(topic, topic.partitions, 'earliest', kafka.isolation);
      let events = 0n;
      for (const [partition, end] of ends) events += end - (starts.get(partition) ?? end);
      return { found: null, text: `${kafka.topic} holds about ${events} events` };
    },
    (what) => noBrokers(what, { brokers: kafka.brokers.join(','), topic: kafka.topic }),
  );
}

async function tableTried(config: EngineConfig): Promise<{ found: null; text: string }> {
  const store = await openStore(await tablePlace(config.lake));
  await probeWritable(store);
  return { found: null, text: `${store.url} refuses a second write under one name, as the ledger needs` };
}

async function clickHouseTried(
  config: EngineConfig,
  model: CompiledModel,
): Promise<{ found: null; text: string }> {
  const target = clickHouseTarget(config, model)!;
  const load = {
    workers: config.workers,
    cutIntervalMs: config.cutIntervalMs,
    sessionTimeoutMs: config.kafka.sessionTimeoutMs,
  };
  await withReachable(target, (at) => checkClickHouse(at, model, load));
  return {
    found: null,
    text: `${target.url}, database ${target.database}: tables and settings are as needed`,
  };
}

function failed(what: string, error: unknown): CheckLine {
  if (!(error instanceof HeadraceError)) {
    return { what, text: messageOf(error), ok: false, remedy: null, code: null, exitCode: 70 };
  }
  const { code, exitCode } = error;
  const remedy = error.remedy ?? null;
  const bare = new HeadraceError(code, error.message, { where: error.where });
  return { what, text: bare.toString(), ok: false, remedy, code, exitCode };
}
