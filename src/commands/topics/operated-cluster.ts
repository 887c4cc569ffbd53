import type { BrokerAccess } from '../../config/types.js';
import { KafkaAdmin } from '../../kafka/admin.js';
import type { Cluster } from '../../kafka/cluster.js';
import type { BrokerInfo } from '../../kafka/wire/metadata.js';
import type { TopicReplicas } from '../../kafka/wire/replicas.js';
import type { PlainLog } from '../../telemetry/log.js';
import { connectBrokers } from '../connect-brokers.js';
import type { TopicState } from './compare-topic.js';

/** A cluster for those who keep it: what it is made of, and the means to change it. */
export class OperatedCluster {
  readonly brokers: readonly string[];
  readonly admin: KafkaAdmin;
  readonly #cluster: Cluster;

  private constructor(access: BrokerAccess, cluster: Cluster) {
    this.brokers = access.brokers;
    this.#cluster = cluster;
    this.admin = new KafkaAdmin(access);
  }

  /** Throws HeadraceError KAFKA_UNREACHABLE (exit 75) when none answers in time, KAFKA_AUTH, KAFKA_TLS, KAFKA_TOO_OLD. */
  static async open({ brokers, security }: BrokerAccess): Promise<OperatedCluster> {
    const cluster = await connectBrokers({
      brokers,
      security,
      clientId: 'headrace-admin',
      responseBytesMax: RESPONSE_BYTES_MAX,
      log: SILENT,
    });
    return new OperatedCluster({ brokers, security }, cluster);
  }

  /** Who answers, and who holds what: of some topics, or (null) of all. A topic that does not exist is left out. */
  async look(names: readonly string[] | null): Promise<{ brokers: BrokerInfo[]; topics: TopicReplicas[] }> {
    const { brokers, topics } = await this.#cluster.replicas(names);
    return {
      brokers: brokers.toSorted((a, b) => a.nodeId - b.nodeId),
      topics: topics.filter(({ partitions }) => partitions.length > 0),
    };
  }

  /** Topics with their settings, by name; one that does not exist is left out. */
  async topics(
    names: readonly string[],
  ): Promise<{ brokers: BrokerInfo[]; topics: Map<string, TopicState> }> {
    const { brokers, topics } = await this.look(names);
    const settings = await this.admin.topicSettings(topics.map(({ name }) => name));
    const states = topics.map(({ name, partitions }): [string, TopicState] => [
      name,
      { partitions, settings: settings.get(name) ?? new Map() },
    ]);
    return { brokers, topics: new Map(states) };
  }

  async close(): Promise<void> {
    await Promise.all([this.admin.close(), this.#cluster.close()]);
  }
}

/** Opens, works, closes. */
export async function withCluster(
  access: BrokerAccess,
  work: (cluster: OperatedCluster) => Promise<number>,
): Promise<number> {
  const cluster = await OperatedCluster.open(access);
  try {
    return await work(cluster);
  } finally {
    await cluster.close();
  }
}

/** Far above what a cluster with a million replicas answers. */
const RESPONSE_BYTES_MAX = 128 * 2 ** 20;

/** What goes wrong comes back as an error. */
const SILENT: PlainLog = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
