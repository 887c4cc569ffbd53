import { systemClock } from '../../clock.js';
import type { EngineConfig } from '../../config/types.js';
import { HeadraceError } from '../../errors.js';
import type { Cluster } from '../../kafka/cluster.js';
import { CompactedReader } from '../../kafka/compacted-reader.js';
import { librdkafkaOf } from '../../kafka/security/access.js';
import type { Letter } from './letters.js';

/**
 * What was replayed: a compacted topic with a record a letter, keyed by the letter's coordinates, written in the transaction that
 * carries the letter's event. Whoever has taken the transactional id and then read the topic to its end knows all that went.
 */
export class ReplayNotes {
  readonly #config: EngineConfig;
  readonly #cluster: Cluster;
  readonly topic: string;

  constructor(config: EngineConfig, cluster: Cluster) {
    this.#config = config;
    this.#cluster = cluster;
    this.topic = `${config.kafka.topic}_dlq_replays`;
  }

  /**
   * Keys of all letters that went; null: the topic does not exist. Records of a transaction that is open are waited for.
   * Throws HeadraceError OUTPUT_UNFIT for a topic that would forget them, KAFKA_UNREACHABLE, KAFKA_AUTH, KAFKA_PROTOCOL.
   */
  async read(): Promise<ReadonlySet<string> | null> {
    const { brokers, clientId } = this.#config.kafka;
    const extra = librdkafkaOf(this.#config.kafka);
    const [info] = await this.#cluster.describe([this.topic]);
    if (info === undefined || info.partitions.length === 0) return null;
    await this.#checkPolicy();
    const reader = new CompactedReader({
      brokers,
      clientId,
      topic: this.topic,
      clock: systemClock,
      extra,
    });
    const partitions = info.partitions.map(({ partition }) => partition);
    const values = await reader.read(info.topicId, partitions, READ_MS_MAX);
    return new Set([...values].filter(([, value]) => value !== null).map(([key]) => key));
  }

  /** The command that makes the topic. */
  get command(): string {
    return `kafka-topics.sh --bootstrap-server ${this.#config.kafka.brokers[0]} --create --topic ${this.topic} --partitions 1 --config cleanup.policy=compact`;
  }

  missing(): HeadraceError {
    return new HeadraceError('KAFKA_TOPIC_MISSING', 'the topic that notes what was replayed does not exist', {
      where: { topic: this.topic },
      remedy: this.command,
    });
  }

  /** Who may not ask is trusted. */
  async #checkPolicy(): Promise<void> {
    const policy = await this.#cluster.setting(this.topic, 'cleanup.policy');
    if (policy === undefined || policy === null || policy === 'compact') return;
    throw new HeadraceError(
      'OUTPUT_UNFIT',
      'what was replayed would be forgotten after a while, and could go twice',
      {
        where: { topic: this.topic, 'cleanup.policy': policy },
        remedy: `kafka-configs.sh --bootstrap-server ${this.#config.kafka.brokers[0]} --alter --entity-type topics --entity-name ${this.topic} --add-config cleanup.policy=compact`,
      },
    );
  }
}

/** Longer than a broker takes to end what a killed replay left open. */
const READ_MS_MAX = 45_000;

export function noteKeyOf({ topicId, partition, offset, item }: Letter): string {
  return [topicId, partition, offset, ...(item === undefined ? [] : [item])].join('/');
}
