import type { Clock } from '../clock.js';
import type { HeadraceError } from '../errors.js';
import { Cluster } from '../kafka/cluster.js';
import { fetchMetadata, type NativeProducer, type PartitionMetadata } from '../kafka/librdkafka.js';
import { systemRandom } from '../random.js';
import { type TimeOutFacts, timeOutError } from './delivery-failure.js';

/** Records that time out together ask once. */
const ANSWER_MS_MAX = 2_000;
const ASK_TIMEOUT_MS = 3_000;
const ANSWER_BYTES_MAX = 1024 * 1024;

export interface TimeOutCauseOptions {
  client: NativeProducer;
  topic: string;
  brokers: readonly string[];
  timeoutMs: number;
  /** Settings are asked for over plain TCP only. */
  isPlain: boolean;
  clock: Clock;
}

/**
 * Why records time out. librdkafka says only that they did, not what it was refused with while it tried again, so the cluster is
 * asked how it is now.
 */
export class TimeOutCause {
  readonly #options: TimeOutCauseOptions;
  #asked: { atMs: number; partitions: Promise<readonly PartitionMetadata[] | null> } | undefined;
  #minInSync: Promise<number | null> | undefined;

  constructor(options: TimeOutCauseOptions) {
    this.#options = options;
  }

  async errorOf(partition: number): Promise<HeadraceError> {
    const { topic, brokers, timeoutMs } = this.#options;
    const partitions = await this.#partitions();
    const found = partitions?.find(({ id }) => id === partition);
    const facts: TimeOutFacts = {
      timeoutMs,
      partition:
        found === undefined
          ? null
          : { leader: found.leader, replicas: found.replicas.length, inSync: found.isrs.length },
      minInSync: found === undefined ? null : await this.#askedMinInSync(),
    };
    return timeOutError(facts, { topic, partition, brokers: brokers.join(',') });
  }

  #partitions(): Promise<readonly PartitionMetadata[] | null> {
    const { client, topic, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    if (this.#asked === undefined || nowMs - this.#asked.atMs > ANSWER_MS_MAX) {
      const partitions = fetchMetadata(client, ASK_TIMEOUT_MS, {}, topic).then(
        ({ topics }) => topics.find(({ name }) => name === topic)?.partitions ?? [],
        () => null,
      );
      this.#asked = { atMs: nowMs, partitions };
    }
    return this.#asked.partitions;
  }

  async #askedMinInSync(): Promise<number | null> {
    if (!this.#options.isPlain) return null;
    this.#minInSync ??= this.#readMinInSync();
    const read = await this.#minInSync;
    if (read === null) this.#minInSync = undefined;
    return read;
  }

  async #readMinInSync(): Promise<number | null> {
    const { brokers, topic, clock } = this.#options;
    try {
      const cluster = await Cluster.connect({
        bootstrap: brokers,
        clientId: 'headrace-producer',
        responseBytesMax: ANSWER_BYTES_MAX,
        requestTimeoutMs: ASK_TIMEOUT_MS,
        log: { debug() {}, info() {}, warn() {}, error() {} },
        clock,
        random: systemRandom,
        signal: AbortSignal.timeout(ASK_TIMEOUT_MS),
      });
      try {
        const value = Number(await cluster.setting(topic, 'min.insync.replicas'));
        return Number.isInteger(value) && value > 0 ? value : null;
      } finally {
        await cluster.close();
      }
    } catch {
      return null;
    }
  }
}
