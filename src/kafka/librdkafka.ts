import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import type { Clock } from '../clock.js';
import { type ErrorCode, HeadraceError, type Where } from '../errors.js';
import { invariant } from '../invariant.js';
import { calledWithin } from './held-threads.js';

/**
 * The thin bridge to librdkafka through the callback API of @confluentinc/kafka-javascript: loading, configuration,
 * connecting, and failures as values.
 *
 * - The native module loads in one thread of a process only: the main thread. It loads on first use.
 * - Connecting touches no network: librdkafka dials by itself, for ever, and a broker that is down is not an error here.
 * - What a failure says never holds a secret of the configuration.
 */

export type LibrdkafkaConfig = Record<string, unknown>;

export interface TopicPartition {
  topic: string;
  partition: number;
  offset?: number;
  metadata?: string;
}

export interface Metadata {
  brokers: { id: number; host: string; port: number }[];
  topics: { name: string; partitions: PartitionMetadata[] }[];
}

export interface PartitionMetadata {
  id: number;
  /** −1: none now. */
  leader: number;
  replicas: number[];
  isrs: number[];
}

export interface NativeError {
  message: string;
  code: number;
}

export interface NativeMessage {
  topic: string;
  partition: number;
  offset: number;
  key: Buffer | string | null;
  value: Buffer | null;
  /** The record's, ms since 1970; −1: it has none. */
  timestamp?: number;
}

export interface DeliveryReport {
  topic: string;
  partition: number;
  offset: number;
  key: Buffer | null;
  /** Of the value, bytes. */
  size: number;
  /** The record's, ms since 1970; the broker's where the topic says so. */
  timestamp?: number;
}

type Callback<T> = (error: NativeError | null | undefined, value: T) => void;

/** What consumers and producers share. Events: 'event.error', 'event.log', 'event.stats', 'event.throttle'. */
export interface NativeClient extends EventEmitter {
  connect(options: { timeout?: number }, done: Callback<unknown>): unknown;
  getMetadata(
    options: { topic?: string; allTopics?: boolean; timeout?: number },
    done: Callback<Metadata>,
  ): void;
  isConnected(): boolean;
}

/** The package's own types leave out half of these. */
export interface NativeConsumer extends NativeClient {
  setDefaultConsumeTimeout(timeoutMs: number): void;
  subscribe(topics: string[]): void;
  consume(count: number, done: Callback<NativeMessage[]>): void;
  assign(partitions: TopicPartition[]): void;
  incrementalAssign(partitions: TopicPartition[]): void;
  incrementalUnassign(partitions: TopicPartition[]): void;
  unassign(): void;
  assignmentLost(): boolean;
  pause(partitions: TopicPartition[]): void;
  commit(offsets: TopicPartition[]): void;
  committed(
    partitions: TopicPartition[],
    timeoutMs: number,
    done: Callback<(TopicPartition | Error)[]>,
  ): void;
  queryWatermarkOffsets(
    topic: string,
    partition: number,
    timeoutMs: number,
    done: Callback<{ lowOffset: number; highOffset: number }>,
  ): void;
  disconnect(done: (error?: unknown) => void): void;
}

export interface NativeProducer extends NativeClient {
  produce(
    topic: string,
    partition: number | null,
    value: Uint8Array | null,
    key: Uint8Array | string | null,
    timestampMs: number | null,
    opaque?: undefined,
    headers?: Record<string, string | Buffer>[],
  ): unknown;
  setPollInterval(intervalMs: number): void;
  setPollInBackground(on: boolean): void;
  initTransactions(timeoutMs: number, done: Callback<unknown>): void;
  beginTransaction(done: Callback<unknown>): void;
  commitTransaction(timeoutMs: number, done: Callback<unknown>): void;
  abortTransaction(timeoutMs: number, done: Callback<unknown>): void;
  sendOffsetsToTransaction(
    offsets: TopicPartition[],
    consumer: NativeConsumer,
    timeoutMs: number,
    done: Callback<unknown>,
  ): void;
  disconnect(flushTimeoutMs: number, done: (error?: unknown) => void): void;
}

export interface NativeAdmin {
  deleteRecords(
    below: { topic: string; partition: number; offset: number }[],
    options: { timeout: number; operationTimeout: number },
    done: Callback<readonly { error?: unknown }[]>,
  ): void;
  disconnect(): void;
}

interface Library {
  AdminClient: { create(config: LibrdkafkaConfig, listeners: { error(): void }): NativeAdmin };
  KafkaConsumer: new (config: LibrdkafkaConfig) => NativeConsumer;
  Producer: new (config: LibrdkafkaConfig) => NativeProducer;
  librdkafkaVersion: string;
  CODES: { ERRORS: Record<string, number> };
}

let library: Library | undefined;

/** Loads the native module, once. Errors: CONFIG_INVALID when it was never built for this machine. */
export function loadLibrdkafka(): Library {
  invariant(isMainThread, 'librdkafka was asked for in a worker thread');
  if (library !== undefined) return library;
  try {
    library = createRequire(import.meta.url)('@confluentinc/kafka-javascript') as Library;
  } catch (cause) {
    throw new HeadraceError(
      'CONFIG_INVALID',
      'the native part of @confluentinc/kafka-javascript does not load',
      {
        cause,
        remedy:
          'in a checkout `npm run setup` builds it for this machine, beside an installed package `npm rebuild @confluentinc/kafka-javascript`',
      },
    );
  }
  return library;
}

/*
 * Topic properties (partitioner, auto.offset.reset, acks) stand in the one configuration. The second, for topics, is not
 * passed, for it would replace all of those, an empty one too.
 */
export function createConsumer(config: LibrdkafkaConfig): NativeConsumer {
  return configured(config, () => new (loadLibrdkafka().KafkaConsumer)(config));
}

export function createProducer(config: LibrdkafkaConfig): NativeProducer {
  return configured(config, () => new (loadLibrdkafka().Producer)(config));
}

function configured<T extends NativeClient>(config: LibrdkafkaConfig, create: () => T): T {
  try {
    const client = create();
    // a token that could not be had: the binding says so twice, and ends the process when nobody listens here
    client.on('error', () => undefined);
    return client;
  } catch (error) {
    if (error instanceof HeadraceError) throw error;
    throw configError(config, error);
  }
}

function configError(config: LibrdkafkaConfig, error: unknown): HeadraceError {
  const text = redacted(config, error instanceof Error ? error.message : String(error));
  return new HeadraceError('CONFIG_INVALID', `librdkafka refuses its configuration: ${text}`, {
    remedy: 'correct the Kafka client property it names',
  });
}

const SECRET_PROPERTY = /password|secret|token|key\.pem|sasl\.oauthbearer\.config|jaas/i;

/** `text` without the values of the configuration's secrets. */
export function redacted(config: LibrdkafkaConfig, text: string): string {
  let clean = text;
  for (const [property, value] of Object.entries(config)) {
    if (!SECRET_PROPERTY.test(property) || typeof value !== 'string' || value === '') continue;
    clean = clean.replaceAll(value, '***');
  }
  return clean;
}

/** Properties of every client. `extra` wins: it is the operator's word (security, DNS, buffers). */
export function clientConfig(
  brokers: string | readonly string[],
  clientId: string,
  extra: LibrdkafkaConfig = {},
): LibrdkafkaConfig {
  return {
    'metadata.broker.list': typeof brokers === 'string' ? brokers : brokers.join(','),
    'client.id': clientId,
    'socket.keepalive.enable': true,
    // Ten seconds at most between two dials, so that a broker that came back is found soon.
    'reconnect.backoff.max.ms': 10_000,
    ...extra,
  };
}

/**
 * Starts a client without waiting for a broker. The package's connect() asks for metadata: that would hold a thread of
 * libuv's pool for its whole time-out and throw the client away when no broker answers, while librdkafka itself would
 * have gone on dialling.
 */
export async function connectClient(client: NativeClient, config: LibrdkafkaConfig): Promise<void> {
  const getMetadata = client.getMetadata;
  client.getMetadata = (_options, done) => done(null, { brokers: [], topics: [] });
  try {
    await new Promise<void>((resolve, reject) => {
      client.connect({}, (error) => (error ? reject(error) : resolve()));
    });
  } catch (error) {
    throw configError(config, error);
  } finally {
    client.getMetadata = getMetadata;
  }
}

/**
 * Metadata of one topic, or of the cluster and all its topics. Errors: KAFKA_UNREACHABLE and its kin. Holds a thread of
 * libuv's pool while it waits.
 */
export function fetchMetadata(
  client: NativeClient,
  timeoutMs: number,
  where: Where = {},
  topic?: string,
): Promise<Metadata> {
  const which = topic === undefined ? { allTopics: true } : { topic, allTopics: false };
  return new Promise((resolve, reject) => {
    client.getMetadata({ ...which, timeout: timeoutMs }, (error, metadata) =>
      error ? reject(failureToError(failureOf(error), where)) : resolve(metadata),
    );
  });
}

/** 'closed', or 'timed-out' when the native side has not answered yet (it will end in its own time). */
export async function closeWithin(
  close: (done: () => void) => void,
  timeoutMs: number,
  clock: Clock,
): Promise<'closed' | 'timed-out'> {
  const closed = new Promise<'closed' | 'timed-out'>((resolve) => close(() => resolve('closed')));
  return await calledWithin(clock, timeoutMs, 'disconnect', closed, () => 'timed-out');
}

/**
 * - unreachable: a broker or coordinator does not answer; librdkafka retries by itself
 * - stale: the group has moved on (rebalance, other generation); expected
 * - fatal: this native client is of no more use; a new one may be
 */
export type FailureKind = 'unreachable' | 'auth' | 'topic' | 'stale' | 'fatal' | 'other';

export interface Failure {
  kind: FailureKind;
  /** librdkafka's code; −1 when it came as text only. */
  code: number;
  text: string;
}

const KIND_BY_CODE = new Map<number, FailureKind>([
  // ERR__TRANSPORT, __RESOLVE, __ALL_BROKERS_DOWN, __TIMED_OUT, __WAIT_COORD, __TIMED_OUT_QUEUE
  ...[-195, -193, -187, -185, -180, -166].map((code) => [code, 'unreachable'] as const),
  // REQUEST_TIMED_OUT, COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR
  ...[7, 14, 15, 16].map((code) => [code, 'unreachable'] as const),
  // ERR__SSL, __AUTHENTICATION, {TOPIC,GROUP,CLUSTER}_AUTHORIZATION_FAILED, SASL_AUTHENTICATION_FAILED
  ...[-181, -169, 29, 30, 31, 58].map((code) => [code, 'auth'] as const),
  // ERR__UNKNOWN_PARTITION, __UNKNOWN_TOPIC, UNKNOWN_TOPIC_OR_PART, UNKNOWN_TOPIC_ID
  ...[-190, -188, 3, 100].map((code) => [code, 'topic'] as const),
  // ERR__ASSIGNMENT_LOST, ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, REBALANCE_IN_PROGRESS, FENCED_/STALE_MEMBER_EPOCH
  ...[-142, 22, 25, 27, 110, 113].map((code) => [code, 'stale'] as const),
  // ERR__FATAL, __MAX_POLL_EXCEEDED, __FENCED, FENCED_INSTANCE_ID, UNRELEASED_INSTANCE_ID
  ...[-150, -147, -144, 82, 111].map((code) => [code, 'fatal'] as const),
]);

/** Background errors come without a code, as the text after `Local: ` or `Broker: ` in lower case. */
const KIND_BY_TEXT: readonly (readonly [RegExp, FailureKind])[] = [
  [
    /broker transport failure|host resolution failure|all broker connections are down|timed out/,
    'unreachable',
  ],
  [/authentication fail|authorization failed|ssl error/, 'auth'],
  [/unknown topic/, 'topic'],
  [/fatal error|max\.poll\.interval\.ms|fenced/, 'fatal'],
];

export function failureOf(error: unknown): Failure {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  const text = typeof message === 'string' ? message.replace(/\s*\n\s*/g, ' ') : String(error);
  const number = typeof code === 'number' ? code : -1;
  const byText = () => KIND_BY_TEXT.find(([pattern]) => pattern.test(text.toLowerCase()))?.[1];
  return { kind: KIND_BY_CODE.get(number) ?? byText() ?? 'other', code: number, text };
}

const CODE_BY_KIND: Record<FailureKind, ErrorCode> = {
  unreachable: 'KAFKA_UNREACHABLE',
  auth: 'KAFKA_AUTH',
  topic: 'KAFKA_TOPIC_MISSING',
  stale: 'KAFKA_PROTOCOL',
  fatal: 'KAFKA_PROTOCOL',
  other: 'KAFKA_PROTOCOL',
};

export function failureToError(failure: Failure, where: Where): HeadraceError {
  return new HeadraceError(CODE_BY_KIND[failure.kind], failure.text, {
    where: { ...where, ...(failure.code === -1 ? {} : { librdkafka: failure.code }) },
  });
}
