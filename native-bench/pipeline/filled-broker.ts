import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { formatCount, formatElapsed, formatRate } from '#src/telemetry/progress.js';
import { everySecond } from '../every-second.js';
import { type KafkaCluster, startKafkaCluster } from '../kafka-cluster/cluster.js';
import { fillTopic, type TopicFacts } from './fill.js';
import { TOPICS, type TopicOptions } from './topic-options.js';

/**
 * A real broker with the filled topic. Its data is kept in a cache, so that only the first run fills it:
 * `<cache>/topic-<key>/` holds `data/` (the broker's folder) and `facts.json`. An entry appears by a rename, whole or not
 * at all; it may be deleted at any time. The broker works on a copy.
 */

export interface FilledBroker {
  cluster: KafkaCluster;
  facts: TopicFacts;
}

export interface FilledBrokerOptions {
  topic: TopicOptions;
  /** Folder of Kafka's jars; its name has the version. */
  jarsFolder: string;
  /** Null: fill it anew and keep nothing. */
  cacheFolder: string | null;
  /** The topic's first events: another generator gives another topic. */
  sample: readonly Buffer[];
  onProgress: (text: string) => void;
}

/** What Kafka's own start script gives a broker. */
export const JAVA_OPTIONS = [
  '-server',
  '-Xms1g',
  '-Xmx1g',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
  '-Xshare:auto',
];

/** Whoever calls it stops the cluster. */
export async function startFilledBroker(options: FilledBrokerOptions): Promise<FilledBroker> {
  const { jarsFolder, cacheFolder, onProgress } = options;
  const entry = cacheFolder === null ? null : join(cacheFolder, `topic-${cacheKey(options)}`);
  const common = { brokers: 1, jarsFolder, javaOptions: JAVA_OPTIONS } as const;
  if (entry !== null && existsSync(entry)) {
    onProgress('starting a broker with the topic from the cache');
    const facts = JSON.parse(readFileSync(join(entry, 'facts.json'), 'utf8')) as TopicFacts;
    const cluster = await startKafkaCluster({ ...common, data: join(entry, 'data') });
    return { cluster, facts };
  }
  onProgress('starting a broker');
  const cluster = await startKafkaCluster(common);
  try {
    const began = performance.now();
    const facts = await fill(cluster, options);
    onProgress(`filled: ${formatElapsed(performance.now() - began)}`);
    if (entry !== null) {
      onProgress('keeping the topic for the next time');
      await keep(cluster, entry, facts);
    }
    return { cluster, facts };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

function cacheKey({ topic, jarsFolder, sample }: FilledBrokerOptions): string {
  const hash = createHash('sha256');
  for (const value of sample) hash.update(value);
  const what = JSON.stringify([topic, basename(jarsFolder), hash.digest('hex')]);
  return createHash('sha256').update(what).digest('hex').slice(0, 16);
}

async function fill(cluster: KafkaCluster, { topic, onProgress }: FilledBrokerOptions) {
  onProgress('filling the topic');
  await cluster.createTopic({
    name: TOPICS[topic.model].name,
    partitions: topic.partitions,
    // old events meet retention, so they are kept for ever
    config: {
      'retention.ms': -1,
      'message.timestamp.type': 'CreateTime',
      'compression.type': 'producer',
    },
  });
  const onEvents = everySecond((events, elapsedMs) =>
    onProgress(`filling: ${formatCount(events)} events, ${formatRate(events, elapsedMs)}`),
  );
  return fillTopic(cluster.brokers[0]!, topic, onEvents);
}

async function keep(cluster: KafkaCluster, entry: string, facts: TopicFacts): Promise<void> {
  mkdirSync(dirname(entry), { recursive: true });
  const folder = mkdtempSync(join(dirname(entry), '.filling-'));
  try {
    await cluster.keepData(join(folder, 'data'));
    writeFileSync(join(folder, 'facts.json'), JSON.stringify(facts));
    // another run may have kept the same meanwhile
    if (!existsSync(entry)) renameSync(folder, entry);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
