import type { Clock } from '../clock.js';
import type { Isolation } from '../config/types.js';
import { HeadraceError } from '../errors.js';
import type { Random } from '../random.js';
import type { PlainLog } from '../telemetry/log.js';
import { RepeatLimitedLog } from '../telemetry/repeat-limited-log.js';
import { Backoff } from './backoff.js';
import type { BrokerConnection, SecurityOptions } from './broker-connection.js';
import { Connections, type Purpose } from './connections.js';
import { listOffsets, type OffsetSpec } from './list-offsets.js';
import { Topic } from './topic.js';
import { WakeSignal } from './wake-signal.js';
import type { Api } from './wire/api.js';
import { describeConfigsApi } from './wire/describe-configs.js';
import { KafkaErrorCode, nameOfError } from './wire/error-codes.js';
import { type BrokerInfo, type MetadataResponse, metadataApi, type TopicInfo } from './wire/metadata.js';
import { type ReplicasResponse, replicasApi } from './wire/replicas.js';

export interface ClusterOptions {
  /** `host:port` each; tried in turn, for ever. */
  bootstrap: readonly string[];
  clientId: string;
  /** TLS and SASL, passed through to the connections. */
  connectionOptions?: SecurityOptions;
  /** A fetch's answer announced as larger closes the connection. */
  responseBytesMax: number;
  connectTimeoutMs?: number;
  requestTimeoutMs?: number;
  /** Metadata is asked for again after this at the latest. */
  metadataMaxAgeMs?: number;
  log: PlainLog;
  clock: Clock;
  random: Random;
  /** Connecting ends with KAFKA_AUTH or KAFKA_TLS where a broker refuses us and no other takes us; otherwise it is tried on. */
  throwsRefusals?: boolean;
  /** Gives up connecting and closes the cluster. */
  signal?: AbortSignal;
}

export type ClusterEvent =
  | { type: 'leaders-moved'; topic: Topic }
  /** The topic was deleted and made again: another stream. */
  | { type: 'topic-changed'; topic: Topic; topicId: string };

const BACKOFF_FIRST_MS = 100;
const BACKOFF_MAX_MS = 5_000;
/** Refused credentials don't get better by asking often, and may lock an account. */
const AUTH_RETRY_MS = 10_000;
/** Refreshes asked for because of errors are this far apart. */
const REFRESH_INTERVAL_MIN_MS = 100;
/** Refreshes while a topic is missing or a partition has no leader. */
const REFRESH_INCOMPLETE_MS = 500;

/**
 * The brokers and the topics that we read: who leads what, by connections that are made again for ever.
 *
 * Invariants: one refresh at a time; within a topic id a leader is only replaced by one with an epoch as high; what
 * can't be reached or isn't there is said every few seconds, never thrown after `connect`.
 */
export class Cluster {
  readonly #options: ClusterOptions;
  readonly #log: RepeatLimitedLog;
  readonly #connections: Connections;
  readonly #brokers = new Map<number, BrokerInfo>();
  /** By name; null: asked for, not seen yet. */
  readonly #topics = new Map<string, Topic | null>();
  readonly #listeners = new Set<(event: ClusterEvent) => void>();
  readonly #wake: WakeSignal;
  readonly #closing = new AbortController();
  #waiting: (() => void)[] = [];
  #refreshWanted = false;
  #running: Promise<void> = Promise.resolve();

  private constructor(options: ClusterOptions) {
    this.#options = options;
    this.#log = new RepeatLimitedLog(options.log, options.clock);
    this.#wake = new WakeSignal(options.clock);
    const requestTimeoutMs = options.requestTimeoutMs ?? 30_000;
    this.#connections = new Connections({
      clientId: options.clientId,
      security: options.connectionOptions ?? {},
      responseBytesMax: options.responseBytesMax,
      connectTimeoutMs: options.connectTimeoutMs ?? 5_000,
      requestTimeoutMs,
    });
  }

  /**
   * Resolves when a broker has answered; tries for ever. Throws KAFKA_TOO_OLD, (`throwsRefusals`) KAFKA_AUTH and KAFKA_TLS, CONFIG_INVALID for an address that is
   * none, or KAFKA_UNREACHABLE when the signal gave up.
   */
  static async connect(options: ClusterOptions): Promise<Cluster> {
    options.bootstrap.forEach(parseAddress);
    const cluster = new Cluster(options);
    const abort = () => void cluster.close();
    if (options.signal?.aborted) abort();
    options.signal?.addEventListener('abort', abort, { once: true });
    try {
      await cluster.#refresh(true);
    } catch (error) {
      await cluster.close();
      throw error;
    }
    cluster.#throwIfClosed();
    cluster.#running = cluster.#keepFresh();
    return cluster;
  }

  /** Resolves when the topic exists, however long that takes. Throws KAFKA_UNREACHABLE when the cluster is closed. */
  async topic(name: string): Promise<Topic> {
    if (!this.#topics.has(name)) this.#topics.set(name, null);
    for (;;) {
      const topic = this.#topics.get(name);
      if (topic) return topic;
      await this.refresh();
      if (!this.#topics.get(name)) await this.#options.clock.sleep(REFRESH_INCOMPLETE_MS, this.closing);
    }
  }

  /** What the first broker that answers says of topics, which are not watched for it. Throws KAFKA_UNREACHABLE. */
  async describe(topics: readonly string[]): Promise<TopicInfo[]> {
    return (await this.#ask(metadataApi, { topics })).topics;
  }

  /** Who holds what of some topics, or (null) of all. Throws KAFKA_UNREACHABLE. */
  replicas(topics: readonly string[] | null): Promise<ReplicasResponse> {
    return this.#ask(replicasApi, { topics });
  }

  /** A topic's setting; undefined: we are not told. Throws KAFKA_UNREACHABLE. */
  async setting(topic: string, name: string): Promise<string | null | undefined> {
    const { errorCode, settings } = await this.#ask(describeConfigsApi, { topic, settings: [name] });
    return errorCode === KafkaErrorCode.NONE ? settings.get(name) : undefined;
  }

  /** Whether the first broker that answers knows a call in that version, retried for ever. Throws KAFKA_UNREACHABLE once closed. */
  async speaks(api: Pick<Api<never, never>, 'key' | 'version'>): Promise<boolean> {
    for (;;) {
      try {
        return await this.#withAny(async (connection) => connection.speaks(api));
      } catch {
        await this.refresh();
      }
    }
  }

  #ask<Request, Response>(api: Api<Request, Response>, request: Request): Promise<Response> {
    return this.#withAny((connection) => connection.send(api, request));
  }

  /** One round over the brokers. */
  async #withAny<T>(work: (connection: BrokerConnection) => Promise<T>): Promise<T> {
    let failure: unknown = new HeadraceError('KAFKA_UNREACHABLE', 'no broker is known');
    for (const address of this.#addresses()) {
      this.#throwIfClosed();
      try {
        return await work(await this.#connections.get(address, 'control'));
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  /** Offsets by leader, retried for ever. See `OffsetSpec`; a partition that doesn't exist is waited for. */
  listOffsets(
    topic: Topic,
    partitions: readonly number[],
    spec: OffsetSpec,
    isolation: Isolation = 'read_uncommitted',
  ): Promise<Map<number, bigint>> {
    return listOffsets(this, this.#options, this.#log, topic, partitions, spec, isolation);
  }

  /** Throws KAFKA_UNREACHABLE, KAFKA_AUTH, KAFKA_TOO_OLD; waiting before the next attempt is the caller's. */
  async connection(nodeId: number, purpose: Purpose): Promise<BrokerConnection> {
    this.#throwIfClosed();
    const broker = this.#brokers.get(nodeId);
    if (broker === undefined) {
      throw new HeadraceError('KAFKA_UNREACHABLE', 'the broker is not in the metadata', {
        where: { broker: nodeId },
      });
    }
    return this.#connections.get(broker, purpose);
  }

  hasBroker(nodeId: number): boolean {
    return this.#brokers.has(nodeId);
  }

  /** TLS and SASL as given; for the principal in messages. */
  get security(): SecurityOptions | undefined {
    return this.#options.connectionOptions;
  }

  /** `host:port (id n)`, for messages. */
  nameOf(nodeId: number): string {
    const broker = this.#brokers.get(nodeId);
    return broker === undefined ? `id ${nodeId}` : `${broker.host}:${broker.port} (id ${nodeId})`;
  }

  /** Asks for new metadata soon; many calls are one request. */
  requestRefresh(): void {
    this.#refreshWanted = true;
    this.#wake.wake();
  }

  /** Resolves when a refresh that began after this call has ended. Throws KAFKA_UNREACHABLE once closed. */
  async refresh(): Promise<void> {
    this.#throwIfClosed();
    const done = new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.requestRefresh();
    await done;
    this.#throwIfClosed();
  }

  /** Returns how to stop listening. */
  listen(listener: (event: ClusterEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Aborted when the cluster closes. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake.wake();
    this.#connections.close();
    await this.#running;
    this.#releaseWaiting(this.#waiting);
  }

  async #keepFresh(): Promise<void> {
    const { clock, metadataMaxAgeMs = 60_000 } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const startedMs = clock.monotonicMs();
      const untilMs = startedMs + (this.#incomplete ? REFRESH_INCOMPLETE_MS : metadataMaxAgeMs);
      while (!this.#refreshWanted && !signal.aborted && clock.monotonicMs() < untilMs) {
        await this.#wake.sleep(untilMs - clock.monotonicMs());
      }
      const restMs = REFRESH_INTERVAL_MIN_MS - (clock.monotonicMs() - startedMs);
      if (restMs > 0) await clock.sleep(restMs, signal);
      this.#refreshWanted = false;
      const waiting = this.#waiting;
      this.#waiting = [];
      await this.#refresh(false);
      this.#releaseWaiting(waiting);
    }
  }

  get #incomplete(): boolean {
    return [...this.#topics.values()].some((topic) => topic === null || topic.leaderless);
  }

  /** Asks one broker after the other, round after round, until one answers or the cluster closes. */
  async #refresh(first: boolean): Promise<void> {
    const { clock, random } = this.#options;
    const backoff = new Backoff(random, BACKOFF_FIRST_MS, BACKOFF_MAX_MS);
    const { signal } = this.#closing;
    while (!signal.aborted) {
      let waitMs = backoff.nextMs();
      let refusal: HeadraceError | null = null;
      for (const address of this.#addresses()) {
        try {
          const connection = await this.#connections.get(address, 'control');
          this.#apply(await connection.send(metadataApi, { topics: [...this.#topics.keys()] }));
          return;
        } catch (error) {
          if (signal.aborted) return;
          if (first && error instanceof HeadraceError && error.code === 'KAFKA_TOO_OLD') throw error;
          const broker = `${address.host}:${address.port}`;
          if (isRefusal(error)) {
            refusal = error;
            waitMs = AUTH_RETRY_MS;
            const fields = { broker, principal: principalOf(this.#options.connectionOptions), error };
            this.#log.error(`login ${broker}`, fields, 'no login at this broker; trying on slowly');
          } else {
            this.#log.warn(`reach ${broker}`, { broker, error }, 'no metadata from this broker; trying on');
          }
        }
      }
      if (first && refusal !== null && this.#options.throwsRefusals === true) throw refusal;
      await clock.sleep(waitMs, signal);
    }
  }

  /** Known brokers from a random one on, then the bootstrap list in its order. */
  #addresses(): { host: string; port: number }[] {
    const known = [...this.#brokers.values()];
    const first = this.#options.random.below(Math.max(1, known.length));
    const all = [
      ...known.slice(first),
      ...known.slice(0, first),
      ...this.#options.bootstrap.map(parseAddress),
    ];
    return [...new Map(all.map((address) => [`${address.host}:${address.port}`, address])).values()];
  }

  #apply(response: MetadataResponse): void {
    if (response.brokers.length > 0) {
      this.#brokers.clear();
      for (const broker of response.brokers) this.#brokers.set(broker.nodeId, broker);
      this.#connections.keepOnly(this.#brokers.values());
    }
    for (const info of response.topics) {
      if (info.name !== null && this.#topics.has(info.name)) this.#applyTopic(info.name, info);
    }
  }

  #applyTopic(name: string, info: TopicInfo): void {
    const known = this.#topics.get(name);
    const usable =
      info.errorCode === KafkaErrorCode.NONE || info.errorCode === KafkaErrorCode.LEADER_NOT_AVAILABLE;
    if (!usable || info.partitions.length === 0) {
      this.#complain(name, info.errorCode);
      return;
    }
    if (!known) {
      this.#topics.set(name, new Topic(name, info));
      return;
    }
    const update = known.update(info);
    if (update === 'leaders-moved') this.#emit({ type: 'leaders-moved', topic: known });
    if (update === 'another-topic') {
      this.#emit({ type: 'topic-changed', topic: known, topicId: info.topicId });
    }
  }

  #complain(topic: string, errorCode: number): void {
    const denied = errorCode === KafkaErrorCode.TOPIC_AUTHORIZATION_FAILED;
    if (denied) {
      const principal = principalOf(this.#options.connectionOptions);
      const fields = { topic, principal, error: nameOfError(errorCode) };
      this.#log.error(
        `denied ${topic}`,
        fields,
        'not allowed to see the topic: grant this principal Read on it; asking again',
      );
      return;
    }
    const missing =
      errorCode === KafkaErrorCode.UNKNOWN_TOPIC_OR_PARTITION || errorCode === KafkaErrorCode.NONE;
    const error = new HeadraceError(
      'KAFKA_TOPIC_MISSING',
      missing ? 'the topic does not exist' : `the topic can't be described: ${nameOfError(errorCode)}`,
      { where: { topic }, remedy: 'create it, or check the name' },
    );
    this.#log.warn(`topic ${topic}`, { topic, error }, 'the topic is not there; asking again until it is');
  }

  #emit(event: ClusterEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #releaseWaiting(waiting: (() => void)[]): void {
    for (const resolve of waiting) resolve();
  }

  #throwIfClosed(): void {
    if (this.#closing.signal.aborted) throw new HeadraceError('KAFKA_UNREACHABLE', 'the client is closed');
  }
}

/** Refused credentials, certificates that are not believed: not to be had by asking again soon. */
export function isRefusal(error: unknown): error is HeadraceError {
  return error instanceof HeadraceError && (error.code === 'KAFKA_AUTH' || error.code === 'KAFKA_TLS');
}

/** Who the brokers take us for; never anything secret. */
export function principalOf(security: SecurityOptions | undefined): string {
  const username = security?.sasl?.username;
  if (typeof username === 'string') return username;
  if (security?.sasl !== undefined) return 'by token';
  return security?.tls?.cert === undefined ? 'anonymous' : 'by certificate';
}

/** `host:port` or `[v6]:port`. */
function parseAddress(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, Math.max(0, colon)).replace(/^\[(.*)\]$/, '$1');
  const port = Number(address.slice(colon + 1));
  if (host !== '' && Number.isInteger(port) && port > 0 && port < 65_536) return { host, port };
  throw new HeadraceError('CONFIG_INVALID', `not the address of a broker: ${address}`, {
    remedy: 'write host:port',
  });
}
