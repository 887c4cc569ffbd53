import type { GroupBase } from '@platformatic/kafka';
import type { Clock } from '../../clock.js';
import type { BrokerAccess } from '../../config/types.js';
import { messageOf } from '../../errors.js';
import type { Cluster } from '../../kafka/cluster.js';
import { CorrectedAdmin } from '../../kafka/corrected-admin.js';
import { accessOf } from '../../kafka/security/access.js';
import { KafkaErrorCode } from '../../kafka/wire/error-codes.js';
import { EARLIEST_TIMESTAMP, LATEST_TIMESTAMP, listOffsetsApi } from '../../kafka/wire/list-offsets.js';
import type { ReplicasResponse } from '../../kafka/wire/replicas.js';
import { askAgent } from './agent.js';
import type { BrokerLook, GroupLook, Look, PartitionLook, TopicLook } from './figures.js';
import type { MonitorOptions } from './monitor.js';
import { readProducers } from './producers.js';

/** Looks at a cluster: what brokers answer everybody, and what their agents say. */

const NOBODY = -1;
const CONNECT_MS_MAX = 5_000;
const ANSWER_MS_MAX = 10_000;

export class ClusterEye {
  readonly #admin: CorrectedAdmin;
  readonly #cluster: Cluster;
  readonly #metrics: readonly string[];
  readonly #producers: readonly string[];
  readonly #clock: Clock;

  /** `metrics`: `host:port` of agents, or a port that each broker has its agent at. The cluster stays the caller's. */
  constructor(
    cluster: Cluster,
    { brokers, security }: BrokerAccess,
    { metrics, producers }: Pick<MonitorOptions, 'metrics' | 'producers'>,
    clock: Clock,
  ) {
    this.#cluster = cluster;
    this.#producers = producers;
    this.#metrics = metrics;
    this.#clock = clock;
    this.#admin = new CorrectedAdmin({
      clientId: 'headrace-monitor',
      bootstrapBrokers: [...brokers],
      ...accessOf(security).connection,
      connectTimeout: CONNECT_MS_MAX,
      requestTimeout: ANSWER_MS_MAX,
      timeout: ANSWER_MS_MAX,
      retries: 1,
    });
  }

  /** Throws HeadraceError KAFKA_UNREACHABLE when no broker says what there is; what else fails is among the troubles. */
  async look(): Promise<Look> {
    const troubles: string[] = [];
    const attempt = async <T>(what: string, ask: () => Promise<T>, otherwise: T): Promise<T> => {
      try {
        return await ask();
      } catch (error) {
        troubles.push(`${what}: ${messageOf(error)}`);
        return otherwise;
      }
    };
    const metadata = await this.#cluster.replicas(null);
    const topics = topicsOf(metadata);
    const [starts, ends, sizes, groups, agents, told] = await Promise.all([
      attempt('first offsets', () => this.#offsets(topics, EARLIEST_TIMESTAMP), new Map<string, bigint>()),
      attempt('last offsets', () => this.#offsets(topics, LATEST_TIMESTAMP), new Map<string, bigint>()),
      attempt('sizes of logs', () => this.#sizes(topics), null),
      attempt('groups', () => this.#groups(), []),
      this.#agents(metadata, troubles),
      readProducers(this.#producers, this.#clock.nowMs()),
    ]);
    troubles.push(...told.troubles);
    const atMs = this.#clock.monotonicMs();
    for (const { name, partitions } of topics) {
      for (const each of partitions) {
        const place = placeOf(name, each.partition);
        each.start = starts.get(place) ?? null;
        each.end = ends.get(place) ?? null;
        each.bytes = sizes?.get(`${each.leader} ${place}`) ?? null;
      }
    }
    const brokers = metadata.brokers.map(({ nodeId: id, host, port }): BrokerLook => {
      const own = sizes === null ? null : [...sizes].filter(([place]) => place.startsWith(`${id} `));
      const logBytes = own === null ? null : own.reduce((sum, [, bytes]) => sum + bytes, 0);
      return { id, address: `${host}:${port}`, logBytes, agent: agents.get(id) ?? null };
    });
    return {
      atMs,
      brokers: brokers.sort((a, b) => a.id - b.id),
      topics,
      groups,
      producers: told.producers,
      troubles,
    };
  }

  async close(): Promise<void> {
    await this.#admin.close();
  }

  async #offsets(topics: readonly TopicLook[], timestamp: bigint): Promise<Map<string, bigint>> {
    const found = new Map<string, bigint>();
    const leaders = new Set(topics.flatMap(({ partitions }) => partitions.map(({ leader }) => leader)));
    leaders.delete(NOBODY);
    const ask = async (leader: number, { name, partitions }: TopicLook) => {
      const own = partitions.filter((each) => each.leader === leader);
      if (own.length === 0) return;
      const connection = await this.#cluster.connection(leader, 'control');
      const answer = await connection.send(listOffsetsApi, {
        topic: name,
        isolation: 'read_uncommitted',
        partitions: own.map(({ partition }) => ({ partition, currentLeaderEpoch: -1, timestamp })),
      });
      for (const { partition, errorCode, offset } of answer.topics.flatMap((topic) => topic.partitions)) {
        if (errorCode === KafkaErrorCode.NONE) found.set(placeOf(name, partition), offset);
      }
    };
    // by our own requests: the library's listOffsets fails on internal topics
    await Promise.all([...leaders].flatMap((leader) => topics.map((topic) => ask(leader, topic))));
    return found;
  }

  /** By broker and place. */
  async #sizes(topics: readonly TopicLook[]): Promise<Map<string, number>> {
    const asked = topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partition }) => partition),
    }));
    const sizes = new Map<string, number>();
    if (asked.length === 0) return sizes;
    for (const { broker, results } of await this.#admin.describeLogDirs({ topics: asked })) {
      for (const { name, partitions } of results.flatMap((result) => result.topics)) {
        for (const { partitionIndex, partitionSize } of partitions) {
          sizes.set(`${broker} ${placeOf(name, partitionIndex)}`, Number(partitionSize));
        }
      }
    }
    return sizes;
  }

  async #groups(): Promise<GroupLook[]> {
    const all: GroupBase[] = [...(await this.#admin.listGroups()).values()];
    const groups = all.filter(({ groupType }) => groupType !== 'share');
    if (groups.length === 0) return [];
    const offsets = await this.#admin.listConsumerGroupOffsets({ groups: groups.map(({ id }) => id) });
    return groups
      .map(({ id, state }) => ({
        id,
        state: String(state),
        committed: (offsets.find(({ groupId }) => groupId === id)?.topics ?? []).flatMap(
          ({ name, partitions }) =>
            partitions
              .filter(({ committedOffset }) => committedOffset >= 0n)
              .map(({ partitionIndex, committedOffset }) => {
                return { topic: name, partition: partitionIndex, offset: committedOffset };
              }),
        ),
      }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  async #agents(
    { brokers }: ReplicasResponse,
    troubles: string[],
  ): Promise<Map<number, BrokerLook['agent']>> {
    const found = new Map<number, BrokerLook['agent']>();
    const byId = [...brokers].sort((a, b) => a.nodeId - b.nodeId);
    const asked = byId.map(({ nodeId, host }, index) => agentOf(this.#metrics, { nodeId, host, index }));
    const ids = new Set(byId.map(({ nodeId }) => String(nodeId)));
    const nobodys = this.#metrics.filter((each) => each.includes('=') && !ids.has(each.split('=')[0]!));
    troubles.push(...nobodys.map((each) => `--metrics ${each}: there is no broker of this id`));
    const ask = async (endpoint: string | undefined, id: number) => {
      if (endpoint === undefined) return;
      try {
        found.set(id, await askAgent(endpoint));
      } catch (error) {
        troubles.push(messageOf(error));
      }
    };
    await Promise.all(byId.map(({ nodeId }, index) => ask(asked[index], nodeId)));
    return found;
  }
}

/** A port that all have, `id=host:port`, or addresses in the order of the brokers' ids: an agent does not say whose it is. */
export function agentOf(
  metrics: readonly string[],
  { nodeId, host, index }: { nodeId: number; host: string; index: number },
): string | undefined {
  const [first] = metrics;
  if (first === undefined) return undefined;
  if (first.includes('=')) {
    return metrics.find((each) => each.startsWith(`${nodeId}=`))?.slice(`${nodeId}=`.length);
  }
  return metrics.length === 1 && !first.includes(':') ? `${host}:${first}` : metrics[index];
}

function topicsOf({ topics }: ReplicasResponse): TopicLook[] {
  return topics
    .map(({ name, partitions }) => ({
      name,
      partitions: partitions.map((each): PartitionLook => ({ ...each, start: null, end: null, bytes: null })),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function placeOf(topic: string, partition: number): string {
  return `${topic} ${partition}`;
}
