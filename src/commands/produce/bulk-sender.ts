import type { Clock } from '../../clock.js';
import { HeadraceError, messageOf } from '../../errors.js';
import type { ChunkBatch } from '../../generator/load/chunk-writer.js';
import type { ProducerIdentity } from '../../generator/load/record-batch.js';
import type { Cluster } from '../../kafka/cluster.js';
import type { Topic } from '../../kafka/topic.js';
import { KafkaErrorCode, nameOfError } from '../../kafka/wire/error-codes.js';
import { initProducerIdApi } from '../../kafka/wire/init-producer-id.js';
import { produceApi } from '../../kafka/wire/produce.js';
import type { PlainLog } from '../../telemetry/log.js';

/**
 * Sends record batches as they are, acknowledged by all in-sync replicas and each taken once: batches carry a producer id and
 * a sequence, and a broker that has one already says so.
 *
 * Order within a partition: what is sent while an earlier batch fails is refused for its sequence. So after a failure nothing
 * new goes out until all that was under way is answered and what failed has been sent again, in its order.
 */

export interface BulkSenderOptions {
  cluster: Cluster;
  topic: Topic;
  log: PlainLog;
  clock: Clock;
  signal: AbortSignal;
}

interface Batch {
  partition: number;
  bytes: Uint8Array;
  records: number;
  /** Grows with each batch. */
  order: number;
  /** Why it was not taken. */
  reason: string;
}

const DELIVERY_MS_MAX = 120_000;
const RETRY_MS = 200;
const SAY_MS = 5_000;
const PASSING = new Set<number>([
  KafkaErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  KafkaErrorCode.LEADER_NOT_AVAILABLE,
  KafkaErrorCode.NOT_LEADER_OR_FOLLOWER,
  KafkaErrorCode.REQUEST_TIMED_OUT,
  KafkaErrorCode.NOT_ENOUGH_REPLICAS,
  KafkaErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
  KafkaErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
  KafkaErrorCode.KAFKA_STORAGE_ERROR,
  KafkaErrorCode.FENCED_LEADER_EPOCH,
]);
const STARTING = new Set<number>([
  KafkaErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  KafkaErrorCode.COORDINATOR_NOT_AVAILABLE,
]);
const REMEDIES = new Map<number, string>([
  [KafkaErrorCode.MESSAGE_TOO_LARGE, 'raise max.message.bytes of the topic to 1 MiB or more'],
  [KafkaErrorCode.TOPIC_AUTHORIZATION_FAILED, 'give the user the right to write to the topic'],
  [
    KafkaErrorCode.INVALID_TIMESTAMP,
    "event time lies too far from the broker's clock: name another --start, or raise message.timestamp.before.max.ms of the topic",
  ],
]);

/** Any broker gives one. A cluster that has just started takes some seconds. Throws HeadraceError KAFKA_PROTOCOL, KAFKA_UNREACHABLE. */
export async function producerIdentity({
  cluster,
  topic,
  clock,
  signal,
}: BulkSenderOptions): Promise<ProducerIdentity> {
  const deadlineMs = clock.monotonicMs() + DELIVERY_MS_MAX;
  for (;;) {
    const leader = topic.leader(topic.partitions[0]!)?.nodeId ?? -1;
    const connection = await cluster.connection(leader, 'control');
    const answer = await connection.send(initProducerIdApi, { transactionTimeoutMs: DELIVERY_MS_MAX });
    if (answer.errorCode === KafkaErrorCode.NONE)
      return { id: answer.producerId, epoch: answer.producerEpoch };
    const passes = STARTING.has(answer.errorCode) && clock.monotonicMs() < deadlineMs && !signal.aborted;
    if (!passes) {
      throw new HeadraceError('KAFKA_PROTOCOL', `no producer id: ${nameOfError(answer.errorCode)}`, {
        where: { broker: cluster.nameOf(leader) },
        remedy: 'the user needs the right IdempotentWrite, or to write to the topic',
      });
    }
    await clock.sleep(RETRY_MS, signal);
  }
}

export class BulkSender {
  readonly #options: BulkSenderOptions;
  readonly #underWay = new Set<Promise<unknown>>();
  #failed: Batch[] = [];
  #recovery: Promise<void> | null = null;
  #order = 0;
  #saidMs = Number.NEGATIVE_INFINITY;
  /** Acknowledged. */
  records = 0;
  bytes = 0;
  /** Batches that were sent more than once. */
  retries = 0;
  readonly requestMs: number[] = [];

  constructor(options: BulkSenderOptions) {
    this.#options = options;
  }

  /** Resolves when all are acknowledged. Throws HeadraceError KAFKA_PROTOCOL, KAFKA_UNREACHABLE. */
  async send(chunk: ArrayBuffer, batches: readonly ChunkBatch[]): Promise<void> {
    while (this.#recovery !== null) await this.#recovery;
    const attempt = this.#attempt(
      batches.map(({ partition, from, to, records }) => ({
        partition,
        bytes: new Uint8Array(chunk, from, to - from),
        records,
        order: this.#order++,
        reason: '',
      })),
    );
    this.#underWay.add(attempt);
    const failed = await attempt.finally(() => this.#underWay.delete(attempt));
    if (failed.length === 0) return;
    this.#failed.push(...failed);
    this.#recovery ??= this.#recover().finally(() => {
      this.#recovery = null;
    });
    await this.#recovery;
  }

  async #recover(): Promise<void> {
    const { cluster, clock, signal } = this.#options;
    const deadlineMs = clock.monotonicMs() + DELIVERY_MS_MAX;
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
    // those that were answered last have yet to say that they failed
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#failed.length > 0) {
      this.#say(this.#failed[0]!);
      signal.throwIfAborted();
      if (clock.monotonicMs() > deadlineMs) throw this.#lost();
      await clock.sleep(RETRY_MS, signal);
      await cluster.refresh();
      const waiting = this.#failed.sort((a, b) => a.order - b.order);
      const first = new Map<number, Batch>();
      for (const batch of waiting) if (!first.has(batch.partition)) first.set(batch.partition, batch);
      const again = [...first.values()];
      this.retries += again.length;
      const failed = await this.#attempt(again);
      this.#failed = [...waiting.filter((batch) => !again.includes(batch)), ...failed];
    }
  }

  #lost(): HeadraceError {
    const { partition, reason } = this.#failed[0]!;
    return new HeadraceError(
      'KAFKA_UNREACHABLE',
      `not taken within ${DELIVERY_MS_MAX / 1_000} s: ${reason}`,
      {
        where: { topic: this.#options.topic.name, partition, batches: this.#failed.length },
        remedy: 'see that the brokers run and that enough replicas are in sync, then start again',
      },
    );
  }

  #say({ partition, reason }: Batch): void {
    const { clock, log, topic } = this.#options;
    if (clock.monotonicMs() - this.#saidMs < SAY_MS) return;
    this.#saidMs = clock.monotonicMs();
    log.warn(
      { topic: topic.name, partition, reason },
      'a batch was not taken; sending it again, nothing else goes meanwhile',
    );
  }

  /** Returns those that were not taken and may be another time. */
  async #attempt(batches: readonly Batch[]): Promise<Batch[]> {
    const { topic } = this.#options;
    const failed: Batch[] = [];
    const byLeader = new Map<number, Batch[]>();
    for (const batch of batches) {
      const leader = topic.leader(batch.partition)?.nodeId ?? -1;
      if (leader < 0) failed.push({ ...batch, reason: 'the partition has no leader' });
      else byLeader.set(leader, [...(byLeader.get(leader) ?? []), batch]);
    }
    const requests = [...byLeader].map(([leader, own]) => this.#request(leader, own));
    return [...failed, ...(await Promise.all(requests)).flat()];
  }

  async #request(leader: number, batches: readonly Batch[]): Promise<Batch[]> {
    const { cluster, topic, clock } = this.#options;
    const request = { topic: topic.name, timeoutMs: DELIVERY_MS_MAX, batches };
    const beganMs = clock.monotonicMs();
    try {
      const connection = await cluster.connection(leader, 'fetch');
      const produced = await connection.send(produceApi, request);
      this.requestMs.push(clock.monotonicMs() - beganMs);
      const codes = new Map(produced.map(({ partition, errorCode }) => [partition, errorCode]));
      return batches.filter((batch) => !this.#isTaken(batch, codes.get(batch.partition)));
    } catch (error) {
      if (error instanceof HeadraceError && error.code !== 'KAFKA_UNREACHABLE') throw error;
      return batches.map((batch) => ({ ...batch, reason: messageOf(error) }));
    }
  }

  #isTaken(batch: Batch, code: number | undefined): boolean {
    if (code === KafkaErrorCode.NONE || code === KafkaErrorCode.DUPLICATE_SEQUENCE_NUMBER) {
      this.records += batch.records;
      this.bytes += batch.bytes.length;
      return true;
    }
    batch.reason = code === undefined ? 'the broker left it out of its answer' : nameOfError(code);
    if (code === undefined || PASSING.has(code)) return false;
    const remedy = REMEDIES.get(code);
    throw new HeadraceError('KAFKA_PROTOCOL', `a batch was refused: ${nameOfError(code)}`, {
      where: { topic: this.#options.topic.name, partition: batch.partition },
      ...(remedy === undefined ? {} : { remedy }),
    });
  }
}
