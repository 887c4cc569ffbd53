import type { Clock } from '../clock.js';
import type { Isolation } from '../config/types.js';
import { HeadraceError } from '../errors.js';
import type { PlainLog } from '../telemetry/log.js';
import { RepeatLimitedLog } from '../telemetry/repeat-limited-log.js';
import { type Cluster, isRefusal, principalOf } from './cluster.js';
import { type Delivery, deliver } from './fetch-answer.js';
import { actionOf } from './fetch-errors.js';
import { examineGap, examineTruncation } from './fetch-examine.js';
import type { FetchLane } from './fetch-lane.js';
import type { FetchPlacement } from './fetch-placement.js';
import type { FetchPart } from './fetch-plan.js';
import type { FetchStats } from './fetch-stats.js';
import type { Topic } from './topic.js';
import { KafkaErrorCode, nameOfError } from './wire/error-codes.js';
import type { FetchedPartition } from './wire/fetch.js';

/** What the reactions need of the fetcher they belong to. */
export interface FetchReactionsHost {
  readonly cluster: Cluster;
  readonly topic: Topic;
  readonly isolation: Isolation;
  readonly clock: Clock;
  readonly log: PlainLog;
  readonly stats: FetchStats;
  readonly placement: FetchPlacement;
  readonly closing: AbortSignal;
  /** False: the lane was removed meanwhile. */
  isOurs(lane: FetchLane): boolean;
  lanes(): Iterable<FetchLane>;
  halt(lane: FetchLane, error: HeadraceError): void;
  /** May the lane go on at `to`, although the log lacks what lies from `from` up to it? */
  acceptsGap(partition: number, from: bigint, to: bigint): boolean;
  skip(lane: FetchLane, from: bigint, to: bigint): void;
  reachedEnd(lane: FetchLane): void;
}

const DENIED_RETRY_MS = 10_000;

/** What brokers' answers do to lanes: deliver, back off, look closer, halt. */
export class FetchReactions {
  readonly #host: FetchReactionsHost;
  readonly #log: RepeatLimitedLog;

  constructor(host: FetchReactionsHost) {
    this.#host = host;
    this.#log = new RepeatLimitedLog(host.log, host.clock);
  }

  /** Gives the lane to the broker that serves it; a new leader must confirm what was read before. */
  assign(lane: FetchLane): void {
    this.#host.placement.assign(lane);
    if (lane.nodeId !== null && !lane.examined && this.#needsCheck(lane)) void this.#checkTruncation(lane);
  }

  /** True: the lane keeps its turn, since it got nothing of what there is. */
  onAnswer(nodeId: number, { lane, leaderEpoch, plannedMs }: FetchPart, answer: FetchedPartition): boolean {
    const { cluster, topic, isolation, clock, placement, halt, reachedEnd } = this.#host;
    if (answer.errorCode !== KafkaErrorCode.NONE) {
      this.onErrorCode(nodeId, lane, answer.errorCode);
      return false;
    }
    lane.unanswered = false;
    if (this.#prefersReplica(nodeId, lane, answer.preferredReadReplica)) return false;
    lane.listen(answer.records.length, answer.highWatermark, plannedMs);
    const delivery = deliver(lane, answer, { topic: topic.name, broker: cluster.nameOf(nodeId) });
    if (delivery.kind === 'suspect') {
      this.#suspect(lane, delivery.error);
      return false;
    }
    if (delivery.kind === 'halt') {
      halt(lane, delivery.error);
      return false;
    }
    if (delivery.kind === 'delivered') lane.checkedEpoch = Math.max(lane.checkedEpoch, leaderEpoch);
    this.#count(delivery);
    const readableEnd = isolation === 'read_committed' ? answer.lastStableOffset : answer.highWatermark;
    if (lane.look(readableEnd, answer.logStartOffset, clock.monotonicMs())) reachedEnd(lane);
    if (lane.done) placement.withdraw(lane);
    if (delivery.kind !== 'nothing') return delivery.kind !== 'delivered';
    lane.backoff.reset();
    return lane.atEndSinceMs === null;
  }

  onErrorCode(nodeId: number, lane: FetchLane, errorCode: number): void {
    const { cluster, topic, placement, stats } = this.#host;
    const broker = cluster.nameOf(nodeId);
    const where = { topic: topic.name, partition: lane.partition, offset: lane.position, broker };
    const fields = { ...where, error: nameOfError(errorCode) };
    const key = `lane ${lane.partition} ${errorCode}`;
    const atReplica = lane.replica !== null;
    stats.errors += 1;
    lane.unanswered = true;
    placement.leaveReplica(lane);
    this.#pause(lane, lane.backoff.nextMs());
    switch (actionOf(errorCode)) {
      case 'refresh':
        this.#log.warn(key, fields, 'the partition is not served there now; new metadata, then again');
        cluster.requestRefresh();
        break;
      case 'retry':
        this.#log.warn(key, fields, 'the partition is not served there yet; trying again');
        break;
      case 'out-of-range':
        // a follower may be behind: the leader decides
        if (!atReplica) void this.#findGap(lane, broker);
        break;
      case 'corrupt':
        this.#suspect(lane, new HeadraceError('BATCH_CORRUPT', 'the broker can’t read its log', { where }));
        break;
      case 'denied': {
        const denied = { ...fields, principal: principalOf(cluster.security) };
        this.#log.error(
          key,
          denied,
          'not allowed to read the partition: grant this principal Read on the topic; trying on slowly',
        );
        this.#pause(lane, DENIED_RETRY_MS);
        break;
      }
      case 'unknown':
        this.#log.error(key, fields, 'unexpected answer to a fetch; new metadata, then again');
        cluster.requestRefresh();
        break;
    }
  }

  /** The broker could not be asked, or its answer could not be read. */
  onFailure(nodeId: number, error: HeadraceError): void {
    const { cluster, stats, lanes, placement } = this.#host;
    stats.failures += 1;
    const fields = { broker: cluster.nameOf(nodeId), error };
    if (isRefusal(error)) {
      const denied = { ...fields, principal: principalOf(cluster.security) };
      this.#log.error(`login ${nodeId}`, denied, 'no login at this broker; trying on slowly');
    } else {
      this.#log.warn(`broker ${nodeId}`, fields, 'no answer to a fetch; trying again');
    }
    for (const lane of lanes()) {
      if (lane.nodeId === nodeId) lane.unanswered = true;
      if (lane.replica?.nodeId === nodeId) placement.leaveReplica(lane);
    }
    cluster.requestRefresh();
  }

  /** An answer for this lane alone is above the cap. */
  onTooLarge(lane: FetchLane, cause: HeadraceError): void {
    const { partition, position } = lane;
    const where = { ...cause.where, topic: this.#host.topic.name, partition, offset: position };
    const remedy = 'raise fetch.response_bytes_max';
    this.#suspect(lane, new HeadraceError('BATCH_TOO_LARGE', cause.message, { where, remedy }));
  }

  #count(delivery: Delivery): void {
    const { stats } = this.#host;
    if (delivery.kind === 'no-room') stats.dropped += 1;
    if (delivery.kind !== 'delivered') return;
    stats.deliveredBytes += delivery.bytes;
    stats.batches += delivery.batches;
  }

  /** Nonsense once is fetched again, since it may have been made on the way; the second time the lane halts. */
  #suspect(lane: FetchLane, error: HeadraceError): void {
    const { placement, stats, halt } = this.#host;
    if (lane.suspect()) {
      halt(lane, error);
      return;
    }
    stats.refetches += 1;
    placement.leaveReplica(lane);
    this.#log.warn(
      `suspect ${lane.partition}`,
      { error },
      'a fetch brought what can’t be; fetching once more',
    );
    this.#pause(lane, lane.backoff.nextMs());
  }

  #pause(lane: FetchLane, ms: number): void {
    lane.notBeforeMs = this.#host.clock.monotonicMs() + ms;
  }

  #prefersReplica(nodeId: number, lane: FetchLane, replica: number): boolean {
    const { cluster, placement } = this.#host;
    if (replica < 0 || replica === nodeId || lane.replica !== null) return false;
    if (cluster.hasBroker(replica)) {
      placement.useReplica(lane, replica);
    } else {
      cluster.requestRefresh();
      this.#pause(lane, lane.backoff.nextMs());
    }
    return true;
  }

  async #findGap(lane: FetchLane, broker: string): Promise<void> {
    const { cluster, topic, placement, halt, skip, acceptsGap } = this.#host;
    const { generation } = lane;
    lane.examined = true;
    try {
      const found = await examineGap(cluster, topic, lane, broker);
      if (found === null || lane.generation !== generation) {
        // it is there after all, or the lane has moved on
      } else if (found instanceof HeadraceError) halt(lane, found);
      else if (acceptsGap(lane.partition, found.from, found.to)) skip(lane, found.from, found.to);
      else halt(lane, found.error);
    } catch (error) {
      // closed, or the topic was replaced: the lanes have been told
      if (!(error instanceof HeadraceError) || error.domain === 'internal') throw error;
    } finally {
      lane.examined = false;
    }
    placement.wake(lane);
  }

  #needsCheck(lane: FetchLane): boolean {
    const leader = this.#host.topic.leader(lane.partition);
    return leader !== undefined && lane.batchEpoch >= 0 && leader.epoch > lane.checkedEpoch;
  }

  /** Nothing is fetched of the lane until the new leader has confirmed what was read. */
  async #checkTruncation(lane: FetchLane): Promise<void> {
    const { cluster, topic, clock, closing, placement, halt, isOurs } = this.#host;
    lane.voidInFlight();
    lane.examined = true;
    try {
      while (!closing.aborted && isOurs(lane) && lane.halted === null && this.#needsCheck(lane)) {
        const { generation } = lane;
        const result = await examineTruncation(cluster, topic, lane);
        if (lane.generation !== generation) continue;
        if (result instanceof HeadraceError) {
          halt(lane, result);
        } else if (result !== null) {
          const fields = { topic: topic.name, partition: lane.partition, error: result.unanswered };
          this.#log.warn(
            `epoch ${lane.partition}`,
            fields,
            'the new leader does not confirm its log yet; trying again',
          );
          cluster.requestRefresh();
          await clock.sleep(lane.backoff.nextMs(), closing);
        }
      }
    } finally {
      lane.examined = false;
    }
    placement.wake(lane);
  }
}
