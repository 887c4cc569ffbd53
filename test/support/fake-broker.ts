import { createServer, type Server, type Socket } from 'node:net';
import { ByteSlices } from '#src/kafka/wire/byte-slices.js';
import type { FetchPartitionRequest, FetchRequest } from '#src/kafka/wire/fetch.js';
import type { OffsetForLeaderEpochRequest } from '#src/kafka/wire/offset-for-leader-epoch.js';
import {
  decodeEpochRequest,
  decodeFetchRequest,
  decodeListOffsetsRequest,
  decodeMetadataRequest,
  decodeSaslPlain,
  encodeApiVersions,
  encodeBatch,
  encodeEpochEnds,
  encodeFetch,
  encodeListOffsets,
  encodeMetadata,
  encodeSaslAuthenticate,
  encodeSaslHandshake,
  type FakeBatch,
  type FakeFetchedPartition,
} from './fake-broker-codec.js';

/**
 * A small Kafka cluster on loopback sockets, answering as scripted: honest unless a hook says otherwise. One topic.
 */

export const API = {
  fetch: 1,
  listOffsets: 2,
  metadata: 3,
  saslHandshake: 17,
  apiVersions: 18,
  epochs: 23,
  saslAuthenticate: 36,
} as const;
const FLEXIBLE: readonly number[] = [API.metadata, API.saslAuthenticate];

/** What goes over the wire instead of an honest answer. `raw`: these very bytes, length included. */
export type Reply = { body: Buffer } | { raw: Buffer } | { raw: Buffer; close: true } | 'silence' | 'close';

export interface Exchange {
  nodeId: number;
  apiKey: number;
  correlationId: number;
  /** The honest answer, without length and correlation id. */
  body: Buffer;
}

interface StoredBatch {
  baseOffset: bigint;
  nextOffset: bigint;
  bytes: Buffer;
}

export class FakePartition {
  leader: number;
  epoch = 0;
  logStart = 0n;
  /** Where the first open transaction begins; null: none is open. */
  stableOffset: bigint | null = null;
  /** Where each epoch ends, as OffsetForLeaderEpoch tells; others end at the high watermark. */
  readonly epochEnds = new Map<number, bigint>();
  readonly batches: StoredBatch[] = [];

  constructor(leader: number) {
    this.leader = leader;
  }

  get highWatermark(): bigint {
    return this.batches.at(-1)?.nextOffset ?? this.logStart;
  }

  /** The last stable offset. */
  get stableEnd(): bigint {
    return this.stableOffset ?? this.highWatermark;
  }

  /** Appends batches of `records` records each. */
  append(count: number, records = 10, options: Partial<FakeBatch> = {}): void {
    for (let i = 0; i < count; i++) {
      const batch = {
        baseOffset: this.highWatermark,
        lastOffsetDelta: records - 1,
        leaderEpoch: this.epoch,
        ...options,
      };
      const nextOffset = batch.baseOffset + BigInt(batch.lastOffsetDelta) + 1n;
      this.batches.push({ baseOffset: batch.baseOffset, nextOffset, bytes: encodeBatch(batch) });
    }
  }

  /** Everything below is gone. */
  deleteBelow(offset: bigint): void {
    this.logStart = offset;
    while (this.batches[0] !== undefined && this.batches[0].nextOffset <= offset) this.batches.shift();
  }

  /** As brokers do: from the batch that holds the offset on, cut off at `bytesMax`, the first batch always whole. */
  read(offset: bigint, bytesMax: number, until = this.highWatermark): Buffer {
    const batches = this.batches
      .filter(({ baseOffset, nextOffset }) => nextOffset > offset && baseOffset < until)
      .map(({ bytes }) => bytes);
    const all = Buffer.concat(batches);
    return all.subarray(0, Math.max(bytesMax, batches[0]?.length ?? 0));
  }
}

export class FakeCluster {
  readonly topic = 'clicks';
  topicId = 'a'.repeat(32);
  /** Null: the topic does not exist. */
  topicError = 0;
  readonly partitions: FakePartition[] = [];
  readonly fetches: { nodeId: number; request: FetchRequest }[] = [];
  readonly epochRequests: { nodeId: number; request: OffsetForLeaderEpochRequest }[] = [];
  /** Highest version announced, by API, be it one that is answered or not; all others are the ones that are asked for. */
  readonly versionsMax = new Map<number, number>();
  throttleTimeMs = 0;
  /** Not null: SASL PLAIN is asked for, and nothing is answered before it. */
  credentials: { username: string; password: string } | null = null;
  /** Changes an honest answer for one partition of a fetch. */
  onPartition: (
    asked: FetchPartitionRequest,
    nodeId: number,
    honest: FakeFetchedPartition,
  ) => Partial<FakeFetchedPartition> = () => ({});
  /** Changes one partition's answer to ListOffsets. */
  onOffsets: (partition: number) => number = () => 0;
  /** Replaces an answer; undefined: the honest one. */
  onReply: (exchange: Exchange) => Reply | undefined = () => undefined;
  readonly #brokers = new Map<number, FakeBroker>();

  static async start(options: { brokers: number; partitions: number }): Promise<FakeCluster> {
    const cluster = new FakeCluster();
    for (let nodeId = 1; nodeId <= options.brokers; nodeId++) {
      const broker = new FakeBroker(cluster, nodeId);
      await broker.start();
      cluster.#brokers.set(nodeId, broker);
    }
    for (let i = 0; i < options.partitions; i++) {
      cluster.partitions.push(new FakePartition((i % options.brokers) + 1));
    }
    return cluster;
  }

  get bootstrap(): string[] {
    return [...this.#brokers.values()].map(({ port }) => `127.0.0.1:${port}`);
  }

  broker(nodeId: number): FakeBroker {
    return this.#brokers.get(nodeId)!;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#brokers.values()].map((broker) => broker.stop()));
  }

  metadata(): Buffer {
    return encodeMetadata({
      throttleTimeMs: 0,
      clusterId: 'fake',
      brokers: [...this.#brokers].map(([nodeId, { port }]) => ({
        nodeId,
        host: '127.0.0.1',
        port,
        rack: null,
      })),
      topics: [
        {
          errorCode: this.topicError,
          name: this.topic,
          topicId: this.topicId,
          partitions:
            this.topicError !== 0
              ? []
              : this.partitions.map(({ leader, epoch }, partition) => ({
                  errorCode: 0,
                  partition,
                  leaderId: leader,
                  leaderEpoch: epoch,
                })),
        },
      ],
    });
  }

  fetch(nodeId: number, request: FetchRequest): { body: Buffer; empty: boolean } {
    let left = request.bytesMax;
    const partitions = request.partitions.map((asked) => {
      const { fetchOffset, partition } = asked;
      const stored = this.partitions[partition]!;
      const until = request.isolation === 'read_committed' ? stored.stableEnd : stored.highWatermark;
      const bytesMax = Math.min(asked.partitionBytesMax, left);
      const records = left > 0 ? stored.read(fetchOffset, bytesMax, until) : Buffer.alloc(0);
      const outOfRange = fetchOffset < stored.logStart || fetchOffset > stored.highWatermark;
      const errorCode = stored.leader !== nodeId ? 6 : outOfRange ? 1 : 0;
      const honest = {
        partition,
        errorCode,
        highWatermark: stored.highWatermark,
        lastStableOffset: stored.stableEnd,
        logStartOffset: stored.logStart,
        abortedTransactions: [],
        preferredReadReplica: -1,
        records: errorCode === 0 ? records : null,
      };
      const answer = { ...honest, ...this.onPartition(asked, nodeId, honest) };
      left -= answer.records?.length ?? 0;
      return answer;
    });
    const empty = partitions.every(({ errorCode, records }) => errorCode === 0 && !records?.length);
    const topics = [{ topic: request.topic, partitions }];
    return { body: encodeFetch({ throttleTimeMs: this.throttleTimeMs, errorCode: 0, topics }), empty };
  }
}

export class FakeBroker {
  readonly #cluster: FakeCluster;
  readonly #nodeId: number;
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  port = 0;
  /** Connections taken so far. */
  connections = 0;

  constructor(cluster: FakeCluster, nodeId: number) {
    this.#cluster = cluster;
    this.#nodeId = nodeId;
  }

  /** On the same port as before, if it was started before. */
  async start(): Promise<void> {
    const server = createServer((socket) => this.#serve(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, '127.0.0.1', resolve);
    });
    this.port = (server.address() as { port: number }).port;
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    for (const socket of this.#sockets) socket.destroy();
    if (server !== null) await new Promise((resolve) => server.close(resolve));
  }

  #serve(socket: Socket): void {
    this.connections += 1;
    this.#sockets.add(socket);
    let received = Buffer.alloc(0);
    let turn = Promise.resolve();
    const session = { open: this.#cluster.credentials === null };
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
        const frame = Buffer.from(received.subarray(4, 4 + received.readInt32BE(0)));
        received = received.subarray(4 + frame.length);
        turn = turn.then(() => this.#answer(socket, frame, session));
      }
    });
  }

  async #answer(socket: Socket, frame: Buffer, session: { open: boolean }): Promise<void> {
    const reader = ByteSlices.of(frame).reader('request');
    const apiKey = reader.int16();
    reader.int16();
    const correlationId = reader.int32();
    reader.nullableString();
    if (FLEXIBLE.includes(apiKey)) reader.skipTags();
    const nodeId = this.#nodeId;
    const login = this.#tryLogin(apiKey, reader, session);
    if (login === null && !session.open) {
      socket.destroy();
      return;
    }
    const body = login ?? (await this.#body(apiKey, reader));
    const reply = this.#cluster.onReply({ nodeId, apiKey, correlationId, body }) ?? { body };
    if (reply === 'silence') return;
    if (reply === 'close') socket.destroy();
    else if ('body' in reply) socket.write(frameOf(correlationId, reply.body));
    else if ('close' in reply) socket.end(reply.raw);
    else socket.write(reply.raw);
  }

  /** Null: not a part of logging in. */
  #tryLogin(apiKey: number, reader: ReturnType<ByteSlices['reader']>, session: { open: boolean }) {
    const { credentials } = this.#cluster;
    if (apiKey === API.saslHandshake) {
      const right = reader.string() === 'PLAIN';
      return encodeSaslHandshake(right ? 0 : 33, ['PLAIN']);
    }
    if (apiKey !== API.saslAuthenticate) return null;
    const { username, password } = decodeSaslPlain(reader);
    session.open = username === credentials?.username && password === credentials.password;
    return encodeSaslAuthenticate(session.open ? 0 : 58);
  }

  async #body(apiKey: number, reader: ReturnType<ByteSlices['reader']>): Promise<Buffer> {
    const cluster = this.#cluster;
    switch (apiKey) {
      case API.apiVersions:
        return encodeApiVersions({
          errorCode: 0,
          ranges: [[1, 11], [2, 5], [3, 10], [18, 2], [23, 2], ...cluster.versionsMax].map(
            ([key, version]) => ({
              key: key!,
              versionMin: 0,
              versionMax: cluster.versionsMax.get(key!) ?? version!,
            }),
          ),
        });
      case API.metadata:
        decodeMetadataRequest(reader);
        return cluster.metadata();
      case API.listOffsets: {
        const { topic, isolation, partitions } = decodeListOffsetsRequest(reader);
        return encodeListOffsets({
          throttleTimeMs: 0,
          topics: [
            {
              topic,
              partitions: partitions.map(({ partition, timestamp }) => {
                const { logStart, stableEnd, highWatermark, epoch } = cluster.partitions[partition]!;
                const end = isolation === 'read_committed' ? stableEnd : highWatermark;
                const offset = timestamp === -2n ? logStart : timestamp === -1n ? end : -1n;
                return { partition, errorCode: cluster.onOffsets(partition), offset, leaderEpoch: epoch };
              }),
            },
          ],
        });
      }
      case API.epochs: {
        const request = decodeEpochRequest(reader);
        cluster.epochRequests.push({ nodeId: this.#nodeId, request });
        const { epochEnds, highWatermark } = cluster.partitions[request.partition]!;
        const { topic, partition, leaderEpoch } = request;
        const endOffset = epochEnds.get(leaderEpoch) ?? highWatermark;
        return encodeEpochEnds({
          throttleTimeMs: 0,
          topics: [{ topic, partitions: [{ errorCode: 0, partition, leaderEpoch, endOffset }] }],
        });
      }
      case API.fetch: {
        const request = decodeFetchRequest(reader);
        cluster.fetches.push({ nodeId: this.#nodeId, request });
        const first = cluster.fetch(this.#nodeId, request);
        if (!first.empty) return first.body;
        await new Promise((resolve) => setTimeout(resolve, request.maxWaitMs));
        return cluster.fetch(this.#nodeId, request).body;
      }
      default:
        throw reader.error(`API ${apiKey} is not faked`);
    }
  }
}

/** A response as it goes over the wire. */
export function frameOf(correlationId: number, body: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeInt32BE(4 + body.length, 0);
  head.writeInt32BE(correlationId, 4);
  return Buffer.concat([head, body]);
}
