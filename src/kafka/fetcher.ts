import type { Clock } from '../clock.js';
import type { Isolation } from '../config/types.js';
import { HeadraceError } from '../errors.js';
import { invariant } from '../invariant.js';
import type { Random } from '../random.js';
import { RecordType } from '../ring/layout.js';
import type { RingWriter } from '../ring/writer.js';
import type { PlainLog } from '../telemetry/log.js';
import { Backoff } from './backoff.js';
import type { Cluster } from './cluster.js';
import { FetchBudget } from './fetch-budget.js';
import { FetchLane } from './fetch-lane.js';
import { FetchLoop, type FetchLoopHost } from './fetch-loop.js';
import { FetchPlacement } from './fetch-placement.js';
import { FetchReactions } from './fetch-reactions.js';
import { FetchRing } from './fetch-ring.js';
import { type FetchStats, newFetchStats } from './fetch-stats.js';
import type { FetchEvent, FetchLimits, LaneStatus } from './fetch-types.js';
import type { Topic } from './topic.js';

export type { FetchEvent, FetchLimits, LaneStatus, LaneWait } from './fetch-types.js';

export interface FetcherOptions {
  cluster: Cluster;
  topic: Topic;
  /** The ring of the worker that has the lane; asked once, when the lane is added. */
  ringOf(partition: number): RingWriter;
  limits: FetchLimits;
  isolation: Isolation;
  /** Where we are, for reading from the nearest replica. */
  rack?: string;
  log: PlainLog;
  clock: Clock;
  random: Random;
  /** May a lane go on at `to`, although the log lacks the offsets from `from` up to it? Without it: never. */
  acceptsGap?(partition: number, from: bigint, to: bigint): boolean;
  /** Called synchronously; it may add, remove and seek lanes. */
  onEvent(event: FetchEvent): void;
}

const LANE_BACKOFF_FIRST_MS = 100;
const LANE_BACKOFF_MAX_MS = 5_000;
/** Of an answer that is no records: headers, and what describes a few hundred partitions. */
const ANSWER_OVERHEAD_BYTES = 64 * 1024;

/**
 * Reads the lanes of one topic by raw Fetch into the rings of their workers: whole record batches, untouched, each lane
 * in order, without holes.
 *
 * Invariants
 * - What lies in a ring for a lane continues where the record before it ended (`aux`), or at the last `seek`.
 * - A lane with no room in its ring is left out of requests; the others go on.
 * - Nothing that a broker sends is passed on without its headers having been walked; nonsense is fetched once more, then
 *   the lane halts. Errors of a broker never move an offset.
 */
export class Fetcher {
  readonly #options: FetcherOptions;
  readonly #lanes = new Map<number, FetchLane>();
  readonly #rings = new Map<RingWriter, FetchRing>();
  readonly #closing = new AbortController();
  readonly #stats = newFetchStats();
  readonly #placement: FetchPlacement;
  readonly #reactions: FetchReactions;
  readonly #stopListening: () => void;

  constructor(options: FetcherOptions) {
    const { cluster, topic, clock } = options;
    this.#options = options;
    this.#placement = new FetchPlacement(topic, clock, (nodeId) => new FetchLoop(nodeId, host));
    this.#reactions = new FetchReactions({
      ...options,
      stats: this.#stats,
      placement: this.#placement,
      closing: this.#closing.signal,
      isOurs: (lane) => this.#lanes.get(lane.partition) === lane,
      lanes: () => this.#lanes.values(),
      halt: (lane, error) => this.#halt(lane, error),
      acceptsGap: (...gap) => options.acceptsGap?.(...gap) ?? false,
      skip: (lane, from, to) => this.#skip(lane, from, to),
      reachedEnd: (lane) => this.#reachedEnd(lane),
    });
    const host = this.#makeHost(this.#reactions);
    this.#stopListening = cluster.listen((event) => {
      if (event.topic !== topic) return;
      if (event.type === 'topic-changed') this.#haltAll(event.topicId);
      else for (const lane of this.#lanes.values()) this.#reactions.assign(lane);
    });
  }

  addLane(start: { partition: number; incarnation: number; offset: bigint; endOffset?: bigint }): void {
    invariant(!this.#lanes.has(start.partition), 'the lane is there already', { partition: start.partition });
    const { limits, random, topic, clock } = this.#options;
    const ring = this.#ringOf(start.partition);
    const lane = new FetchLane(
      { ...start, endOffset: start.endOffset ?? null },
      ring,
      {
        fetchBytes: limits.partitionFetchBytes,
        fetchBytesMax: Math.min(ring.writer.payloadBytesMax, limits.responseBytesMax - ANSWER_OVERHEAD_BYTES),
      },
      new Backoff(random, LANE_BACKOFF_FIRST_MS, LANE_BACKOFF_MAX_MS),
    );
    this.#lanes.set(lane.partition, lane);
    if (topic.replacedBy !== null) {
      this.#halt(lane, this.#topicChanged(topic.replacedBy));
      return;
    }
    if (lane.updateAtEnd(clock.monotonicMs())) this.#reachedEnd(lane);
    this.#reactions.assign(lane);
  }

  /** What was asked for and comes after this is dropped. Unknown lanes and other incarnations are ignored. */
  removeLane(partition: number, incarnation: number): void {
    const lane = this.#find(partition, incarnation);
    if (lane === undefined) return;
    lane.voidInFlight();
    this.#lanes.delete(partition);
    this.#placement.withdraw(lane);
  }

  /** Puts a `seek` into the ring, behind all that was delivered, and fetches from `offset` on. A halted lane stays. */
  seekLane(partition: number, incarnation: number, offset: bigint): void {
    const lane = this.#find(partition, incarnation);
    if (lane !== undefined && lane.halted === null) this.#seek(lane, offset);
  }

  #skip(lane: FetchLane, from: bigint, to: bigint): void {
    if (lane.halted !== null || this.#lanes.get(lane.partition) !== lane) return;
    this.#seek(lane, to);
    const { partition, incarnation } = lane;
    this.#options.onEvent({ type: 'lane-skipped', partition, incarnation, from, to });
  }

  #seek(lane: FetchLane, offset: bigint): void {
    const { partition, incarnation } = lane;
    lane.seek(offset);
    lane.ring.writer.command(
      { type: RecordType.seek, partition, incarnation, offset, aux: 0n },
      new Uint8Array(0),
    );
    this.#reactions.assign(lane);
    this.#placement.wake(lane);
  }

  laneStatus(partition: number): LaneStatus | undefined {
    const lane = this.#lanes.get(partition);
    if (lane === undefined) return undefined;
    return {
      incarnation: lane.incarnation,
      position: lane.position,
      readableEnd: lane.readableEnd,
      logStartOffset: lane.logStartOffset,
      atEnd: lane.atEndSinceMs !== null,
      atEndSinceMonotonicMs: lane.atEndSinceMs,
      silence: lane.silence,
      leader: this.#options.topic.leader(partition)?.nodeId ?? null,
      blockedByRing: lane.blockedByRing,
      waitsFor: lane.waitsFor,
      halted: lane.halted,
    };
  }

  stats(): FetchStats {
    return { ...this.#stats };
  }

  /** Nothing is delivered after this. Connections are the cluster's. */
  async close(): Promise<void> {
    this.#stopListening();
    this.#closing.abort();
    this.#lanes.clear();
    await this.#placement.close();
  }

  #makeHost(reactions: FetchReactions): FetchLoopHost {
    const { cluster, topic, limits, isolation, rack, clock, random } = this.#options;
    return {
      clock,
      random,
      closing: this.#closing.signal,
      budget: new FetchBudget(limits.fetchBytesInFlight),
      topicName: topic.name,
      isolation,
      rack: rack ?? '',
      maxWaitMs: limits.maxWaitMs,
      minBytes: limits.minBytes,
      // an equal share each, so that no broker's long poll keeps the others waiting
      requestBytesMax: () =>
        Math.min(
          limits.responseBytesMax - ANSWER_OVERHEAD_BYTES,
          Math.floor(limits.fetchBytesInFlight / Math.max(1, this.#placement.brokers)),
        ),
      connect: (nodeId) => cluster.connection(nodeId, 'fetch'),
      leaderEpochOf: (partition) => topic.leader(partition)?.epoch ?? -1,
      reassign: (lanes) => {
        for (const lane of lanes) reactions.assign(lane);
      },
      onAnswer: (nodeId, part, answer) => reactions.onAnswer(nodeId, part, answer),
      onErrorCode: (nodeId, { lane }, errorCode) => reactions.onErrorCode(nodeId, lane, errorCode),
      onFailure: (nodeId, error) => reactions.onFailure(nodeId, error),
      onTooLarge: (_nodeId, { lane }, error) => reactions.onTooLarge(lane, error),
      onFetched: ({ throttleTimeMs }, { bytes, dropped, waitedMs, handledMs }) => {
        this.#stats.fetches += 1;
        this.#stats.bytes += bytes;
        this.#stats.dropped += dropped;
        this.#stats.throttledMs += Math.max(0, throttleTimeMs);
        this.#stats.waitedMs += waitedMs;
        this.#stats.handledMs += handledMs;
      },
      onEnd: (nodeId) => this.#placement.ended(nodeId),
    };
  }

  #halt(lane: FetchLane, error: HeadraceError): void {
    if (lane.halted !== null || this.#lanes.get(lane.partition) !== lane) return;
    lane.halted = error;
    lane.atEndSinceMs = null;
    this.#placement.withdraw(lane);
    this.#stats.halted += 1;

    const { partition, incarnation } = lane;
    this.#options.onEvent({ type: 'lane-halted', partition, incarnation, error });
  }

  #haltAll(newTopicId: string): void {
    const { topic, onEvent } = this.#options;
    onEvent({ type: 'topic-changed', topic: topic.name, topicId: topic.topicId, newTopicId });
    for (const lane of [...this.#lanes.values()]) this.#halt(lane, this.#topicChanged(newTopicId));
  }

  #topicChanged(newTopicId: string): HeadraceError {
    return topicChanged(this.#options.topic, newTopicId);
  }

  #reachedEnd({ partition, incarnation }: FetchLane): void {
    this.#options.onEvent({ type: 'lane-at-end', partition, incarnation });
  }

  #ringOf(partition: number): FetchRing {
    const writer = this.#options.ringOf(partition);
    const ring = this.#rings.get(writer) ?? new FetchRing(writer);
    this.#rings.set(writer, ring);
    return ring;
  }

  #find(partition: number, incarnation: number): FetchLane | undefined {
    const lane = this.#lanes.get(partition);
    return lane?.incarnation === incarnation ? lane : undefined;
  }
}

/** Another topic under the name of one that was read. */
export function topicChanged(
  { name, topicId }: Pick<Topic, 'name' | 'topicId'>,
  newTopicId: string,
): HeadraceError {
  const what = 'the topic was deleted and made again: it is another stream';
  return new HeadraceError('KAFKA_TOPIC_CHANGED', what, {
    where: { topic: name, topicId, newTopicId },
    remedy: `start with --accept-topic ${newTopicId} to go on with the new one from its first event, in the same table (sessions that were open stay unwritten), or with another group and a new table`,
  });
}
