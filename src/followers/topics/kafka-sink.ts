import type { Clock } from '../../clock.js';
import { HeadraceError } from '../../errors.js';
import { invariant } from '../../invariant.js';
import type { Cluster } from '../../kafka/cluster.js';
import { CompactedReader } from '../../kafka/compacted-reader.js';
import type { OffsetToCommit } from '../../kafka/group-member.js';
import type { LibrdkafkaConfig } from '../../kafka/librdkafka.js';
import { TransactionalProducer } from '../../kafka/transactional-producer.js';
import { KafkaErrorCode, nameOfError } from '../../kafka/wire/error-codes.js';
import type { TopicInfo } from '../../kafka/wire/metadata.js';
import type { PlainLog } from '../../telemetry/log.js';
import { decodePosition, encodePosition, type LanePosition } from './positions.js';
import type { SentRecord, TopicSink } from './sink.js';

/**
 * The topics, over one transactional producer after the other, all with the engine's one transactional id.
 *
 * Who may send is held by two things together. Positions are read up to the *end* of their topic (not only up to what is
 * committed), so that a transaction of the lane's owner before is waited for. And a transaction commits an offset of the source
 * group as its last act before the commit, behind all its records: an engine that was frozen, and whose lanes went, is
 * refused there by the broker (KIP-447); had it come through, its records would lie before the end that the next owner reads to.
 */
export interface KafkaSinkOptions {
  brokers: readonly string[];
  clientId: string;
  transactionalId: string;
  engineId: string;
  topics: { output: string; deadLetters: string; positions: string };
  /** Of the source topic: what the output topic is best made with. */
  partitions: number;
  cluster: Pick<Cluster, 'describe' | 'setting'>;
  group: { commitWithin(producer: TransactionalProducer, offsets: readonly OffsetToCommit[]): Promise<void> };
  /** What the group's committed offset of a lane is to be: that of the slowest follower (rule 21). */
  groupOffset(partition: number): Promise<bigint>;
  /** What stands beside it. */
  groupNote(): string;
  /** librdkafka properties; they win over ours. */
  extra?: LibrdkafkaConfig;
  clock: Clock;
  log: PlainLog;
}

export const TRANSACTION_TIMEOUT_MS = 15_000;
/** The broker gives up a transaction some ten seconds behind its time-out. */
const POSITIONS_TIMEOUT_MS = 2 * TRANSACTION_TIMEOUT_MS;
const QUEUE_RECORDS_MAX = 50_000;
const ROOM_BELOW = QUEUE_RECORDS_MAX / 2;

export class KafkaTopicSink implements TopicSink {
  readonly #options: KafkaSinkOptions;
  readonly #reader: CompactedReader;
  #producer: TransactionalProducer | null = null;
  #positionsTopic: TopicInfo | null = null;
  /** Earlier ones that the library did not come back from. */
  readonly #held = new Set<TransactionalProducer>();

  constructor(options: KafkaSinkOptions) {
    this.#options = options;
    const { brokers, clientId, topics, clock, extra = {} } = options;
    this.#reader = new CompactedReader({ brokers, clientId, topic: topics.positions, clock, extra });
  }

  async open(): Promise<void> {
    await this.close();
    await this.#checkTopics();
    const producer = this.#newProducer();
    await producer.connect();
    this.#producer = producer;
    await producer.init();
    for (const held of this.#held) void this.#release(held);
  }

  #newProducer(): TransactionalProducer {
    const { brokers, clientId, transactionalId, clock, log, extra = {} } = this.#options;
    return new TransactionalProducer({
      brokers,
      clientId,
      transactionalId,
      transactionTimeoutMs: TRANSACTION_TIMEOUT_MS,
      queueMessagesMax: QUEUE_RECORDS_MAX,
      lingerMs: 5,
      clock,
      // records of a transaction that is given up are not delivered: the follower says what happened
      log: quiet(log),
      extra,
    });
  }

  async positions(appIds: readonly string[]): Promise<Map<string, LanePosition | null>> {
    const topic = this.#positionsTopic;
    invariant(topic !== null, 'positions of a sink that is not open');
    const partitions = topic.partitions.map(({ partition }) => partition);
    const values = await this.#reader.read(topic.topicId, partitions, POSITIONS_TIMEOUT_MS);
    return new Map(appIds.map((appId) => [appId, decodePosition(values.get(appId) ?? null)]));
  }

  async begin(): Promise<void> {
    await this.#open().begin();
  }

  send(kind: 'rows' | 'letters', record: SentRecord): Promise<void> | null {
    const { topics } = this.#options;
    return this.#produce(kind === 'rows' ? topics.output : topics.deadLetters, record);
  }

  async prepare(
    lanes: readonly { partition: number; appId: string; position: LanePosition }[],
  ): Promise<void> {
    const { topics, engineId, group, groupOffset, groupNote } = this.#options;
    const metadata = groupNote();
    const producer = this.#open();
    for (const { appId, position } of lanes) {
      const value = encodePosition(position, engineId);
      await this.#produce(topics.positions, { key: Buffer.from(appId), value, headers: null });
    }
    const offsets: OffsetToCommit[] = [];
    for (const { partition } of lanes)
      offsets.push({ partition, offset: await groupOffset(partition), metadata });
    await producer.allDelivered();
    await group.commitWithin(producer, offsets);
  }

  async commit(): Promise<void> {
    await this.#open().commit();
  }

  async abort(): Promise<void> {
    await this.#open().abort();
  }

  async close(): Promise<void> {
    const producer = this.#producer;
    this.#producer = null;
    if (producer?.isHeld === true) this.#held.add(producer);
    // what it could not send is void
    else await producer?.close(0).catch(() => undefined);
  }

  async end(): Promise<void> {
    await this.close();
    if (this.#held.size === 0) return;
    const successor = this.#newProducer();
    try {
      await successor.connect();
      await successor.init();
      await Promise.all([...this.#held].map((held) => this.#release(held)));
    } catch {
      // without brokers nobody is refused anything: the process ends without waiting for its threads
    } finally {
      if (!successor.isHeld) await successor.close(0).catch(() => undefined);
    }
  }

  /** A new producer has taken its place. */
  async #release(held: TransactionalProducer): Promise<void> {
    const { topics, transactionalId, log } = this.#options;
    this.#held.delete(held);
    const where = { topic: topics.output, transactional_id: transactionalId };
    if (await held.release(topics.output)) {
      log.info(where, 'the Kafka library came back from a call that had been given up');
      return;
    }
    this.#held.add(held);
    log.warn(
      where,
      'a call of the Kafka library does not come back, and keeps a thread of those that read and write files; tried again',
    );
  }

  #open(): TransactionalProducer {
    invariant(this.#producer !== null, 'a transaction of a sink that is not open');
    return this.#producer;
  }

  #produce(topic: string, { key, value, headers }: SentRecord): Promise<void> | null {
    const { clock } = this.#options;
    const producer = this.#open();
    const named =
      headers === null ? undefined : Object.entries(headers).map(([name, text]) => ({ [name]: text }));
    const tryOnce = () => producer.produce(topic, null, key, value, clock.nowMs(), named);
    if (tryOnce() === 'queued') return null;
    return (async () => {
      do await Promise.race([producer.untilBelow(ROOM_BELOW), clock.sleep(ROOM_WAIT_MS)]);
      while (this.#open() === producer && tryOnce() === 'full');
    })();
  }

  /** The broker may make a topic that is only named, with settings that lose positions: asked for without naming them to it. */
  async #checkTopics(): Promise<void> {
    const { topics, cluster } = this.#options;
    const wanted = [topics.output, topics.deadLetters, topics.positions];
    const found = new Map((await cluster.describe(wanted)).map((info) => [info.name, info]));
    const missing = wanted.filter((name) => !exists(found.get(name)));
    for (const name of missing) {
      const code = found.get(name)?.errorCode;
      if (
        code !== undefined &&
        code !== KafkaErrorCode.UNKNOWN_TOPIC_OR_PARTITION &&
        code !== KafkaErrorCode.NONE
      ) {
        const denied = code === KafkaErrorCode.TOPIC_AUTHORIZATION_FAILED;
        throw new HeadraceError(denied ? 'KAFKA_AUTH' : 'KAFKA_PROTOCOL', nameOfError(code), {
          where: { topic: name },
        });
      }
    }
    if (missing.length > 0) {
      throw new HeadraceError('KAFKA_TOPIC_MISSING', 'a topic to write to does not exist', {
        where: { topic: missing.join(',') },
        remedy: missing.map((name) => this.#command(name)).join(' && '),
      });
    }
    this.#positionsTopic = found.get(topics.positions)!;
    await this.#checkPolicy();
  }

  /** Positions that are deleted for their age halt the follower. Who may not ask is trusted. */
  async #checkPolicy(): Promise<void> {
    const { topics, cluster, brokers } = this.#options;
    const policy = await cluster.setting(topics.positions, 'cleanup.policy');
    if (policy === undefined || policy === null || policy === 'compact') return;
    throw new HeadraceError('OUTPUT_UNFIT', 'the positions would be deleted after a while', {
      where: { topic: topics.positions, 'cleanup.policy': policy },
      remedy: `kafka-configs.sh --bootstrap-server ${brokers[0]} --alter --entity-type topics --entity-name ${topics.positions} --add-config cleanup.policy=compact`,
    });
  }

  /** One partition of positions keeps their order as simple as it can be; small segments, so that old ones go soon. */
  #command(topic: string): string {
    const { brokers, topics, partitions } = this.#options;
    const settings =
      topic === topics.positions
        ? '--partitions 1 --config cleanup.policy=compact --config segment.ms=3600000 --config segment.bytes=16777216'
        : `--partitions ${partitions}`;
    return `kafka-topics.sh --bootstrap-server ${brokers[0]} --create --topic ${topic} ${settings}`;
  }
}

const ROOM_WAIT_MS = 1_000;

function exists(info: TopicInfo | undefined): boolean {
  return info !== undefined && info.partitions.length > 0;
}

/** Errors are for whoever looks closer. */
function quiet(log: PlainLog): PlainLog {
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.debug(fields, message),
  };
}
