import type { Clock } from '../clock.js';
import type { Isolation } from '../config/types.js';
import { HeadraceError } from '../errors.js';
import type { Random } from '../random.js';
import { Backoff } from './backoff.js';
import type { BrokerConnection } from './broker-connection.js';
import type { FetchBudget } from './fetch-budget.js';
import type { FetchLane } from './fetch-lane.js';
import { type FetchPart, type FetchPlan, isCurrent, planFetch } from './fetch-plan.js';
import { WakeSignal } from './wake-signal.js';
import { KafkaErrorCode } from './wire/error-codes.js';
import { type FetchedPartition, type FetchResponse, fetchApi } from './wire/fetch.js';

/** What a loop needs of the fetcher it belongs to. */
export interface FetchLoopHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly closing: AbortSignal;
  readonly budget: FetchBudget;
  readonly topicName: string;
  readonly isolation: Isolation;
  readonly rack: string;
  readonly maxWaitMs: number;
  readonly minBytes: number;
  /** The most one request may ask for, lanes that ask for more alone excepted. */
  requestBytesMax(): number;
  connect(nodeId: number): Promise<BrokerConnection>;
  /** −1: not known. */
  leaderEpochOf(partition: number): number;
  /** Moves lanes away whose time at a replica is over. Called before each plan. */
  reassign(lanes: readonly FetchLane[]): void;
  /** One lane's part, not yet void. True: the lane keeps its place at the front. */
  onAnswer(nodeId: number, part: FetchPart, answer: FetchedPartition): boolean;
  /** An error for the whole of an answer, or a lane that was left out of one. */
  onErrorCode(nodeId: number, part: FetchPart, errorCode: number): void;
  /** The broker could not be asked. */
  onFailure(nodeId: number, error: HeadraceError): void;
  /** An answer for this lane alone is above the cap. */
  onTooLarge(nodeId: number, part: FetchPart, error: HeadraceError): void;
  onFetched(response: FetchResponse, counts: FetchCounts): void;
  /** The loop has no lanes left and ends now. */
  onEnd(nodeId: number): void;
}

export interface FetchCounts {
  bytes: number;
  dropped: number;
  /** From the request to its answer. */
  waitedMs: number;
  /** What was done with the answer. */
  handledMs: number;
}

const BACKOFF_FIRST_MS = 100;
const BACKOFF_MAX_MS = 2_000;
const AUTH_RETRY_MS = 10_000;
/** A request that leaves lanes out waits this long at the broker, so that they get their turn. */
const SHORT_WAIT_MS = 10;
/** Looking again at full rings, should a wake-up get lost. */
const SPACE_WAIT_MS = 50;
const IDLE_WAIT_MS = 1_000;
const LANES_MAX = 1_000;
/** Brokers throttle by windows of seconds; a longer time is nonsense. */
const THROTTLE_MS_MAX = 60_000;

/**
 * Fetches from one broker: one request at a time, lanes in turn. Lanes know whether they are under way (`inFlight`), so
 * several loops on one broker would share them.
 *
 * Invariants: what a plan reserved is released exactly once, whatever happens to the request; a lane that was asked for
 * goes to the back, so that the first ones can't starve the rest; a broker that fails is asked again after a back-off,
 * for ever, and holds no other one up.
 */
export class FetchLoop {
  readonly nodeId: number;
  /** In turn. */
  readonly lanes = new Set<FetchLane>();
  readonly #host: FetchLoopHost;
  readonly #wake: WakeSignal;
  readonly #backoff: Backoff;
  /** So many requests carry one lane only, to find the one whose answers are too large. */
  #solo = 0;
  /** What the last answer told us to wait. */
  #throttleMs = 0;

  constructor(nodeId: number, host: FetchLoopHost) {
    this.nodeId = nodeId;
    this.#host = host;
    this.#wake = new WakeSignal(host.clock);
    this.#backoff = new Backoff(host.random, BACKOFF_FIRST_MS, BACKOFF_MAX_MS);
  }

  /** Something changed: lanes, room, time. */
  wake(): void {
    this.#wake.wake();
  }

  async run(): Promise<void> {
    const { closing, clock } = this.#host;
    while (!closing.aborted) {
      this.#host.reassign([...this.lanes]);
      if (this.lanes.size === 0) {
        this.#host.onEnd(this.nodeId);
        return;
      }
      try {
        const connection = await this.#host.connect(this.nodeId);
        if (closing.aborted) return;
        const plan = this.#plan();
        if (plan.parts.length === 0) await this.#idle(plan);
        else await this.#request(connection, plan);
        if (this.#throttleMs > 0) await clock.sleep(this.#throttleMs, closing);
        this.#throttleMs = 0;
      } catch (error) {
        if (closing.aborted) return;
        if (!(error instanceof HeadraceError) || error.domain === 'internal') throw error;
        this.#host.onFailure(this.nodeId, error);
        await clock.sleep(error.code === 'KAFKA_AUTH' ? AUTH_RETRY_MS : this.#backoff.nextMs(), closing);
      }
    }
  }

  #plan(): FetchPlan {
    const limits = { bytesMax: this.#host.requestBytesMax(), lanesMax: this.#solo > 0 ? 1 : LANES_MAX };
    return planFetch(this.lanes, limits, this.#host.clock.monotonicMs());
  }

  #idle({ full, readyAtMs }: FetchPlan): Promise<void> {
    const ms = Math.min(full.size > 0 ? SPACE_WAIT_MS : IDLE_WAIT_MS, this.#untilMs(readyAtMs));
    return this.#wake.sleep(ms, ...[...full].map((ring) => ring.waitForRoom(SPACE_WAIT_MS)));
  }

  #untilMs(atMs: number): number {
    return Math.max(1, atMs - this.#host.clock.monotonicMs());
  }

  async #request(connection: BrokerConnection, plan: FetchPlan): Promise<void> {
    const { budget, closing, clock } = this.#host;
    for (const { lane } of plan.parts) lane.inFlight = true;
    const acquired = budget.acquire(plan.bytes);
    let holds = false;
    try {
      holds = await untilAborted(
        acquired.then(() => true),
        closing,
        false,
      );
      if (!holds) return;
      const parts = plan.parts.filter(isCurrent);
      const sentMs = clock.monotonicMs();
      const response = parts.length === 0 ? null : await this.#send(connection, plan, parts);
      if (response !== null) this.#take(response, plan.parts, clock.monotonicMs() - sentMs);
    } finally {
      for (const part of plan.parts) {
        part.lane.ring.release(part.bytes);
        if (part.lane.generation === part.generation) part.lane.inFlight = false;
      }
      if (holds) budget.release(plan.bytes);
      else void acquired.then(() => budget.release(plan.bytes));
    }
  }

  /** Null: closing, or the answer was too large and its lane has been told. */
  async #send(
    connection: BrokerConnection,
    plan: FetchPlan,
    parts: readonly FetchPart[],
  ): Promise<FetchResponse | null> {
    const { topicName, isolation, rack, maxWaitMs, minBytes, closing } = this.#host;
    for (const part of parts) part.leaderEpoch = this.#host.leaderEpochOf(part.lane.partition);
    const waitMs = plan.leftOut ? SHORT_WAIT_MS : Math.ceil(this.#untilMs(plan.readyAtMs));
    const sent = connection.send(fetchApi, {
      maxWaitMs: Math.min(maxWaitMs, waitMs),
      minBytes,
      bytesMax: plan.bytes,
      isolation,
      topic: topicName,
      rack,
      partitions: parts.map(({ lane, position, bytes, leaderEpoch }) => ({
        partition: lane.partition,
        currentLeaderEpoch: leaderEpoch,
        fetchOffset: position,
        partitionBytesMax: bytes,
      })),
    });
    try {
      const response = await untilAborted(sent, closing, null);
      this.#backoff.reset();
      if (this.#solo > 0) this.#solo -= 1;
      return response;
    } catch (error) {
      if (error instanceof HeadraceError && error.code === 'KAFKA_RESPONSE_TOO_LARGE') {
        this.#isolate(parts, error);
      }
      throw error;
    }
  }

  /** Which lane's answer was too large? Asked one by one, the others go on. */
  #isolate(parts: readonly FetchPart[], error: HeadraceError): void {
    if (parts.length > 1) {
      this.#solo = parts.length;
      return;
    }
    const part = parts[0]!;
    this.#toBack(part.lane);
    if (isCurrent(part)) this.#host.onTooLarge(this.nodeId, part, error);
  }

  #take(response: FetchResponse, parts: readonly FetchPart[], waitedMs: number): void {
    const { topicName, clock } = this.#host;
    const beganMs = clock.monotonicMs();
    const answers = new Map<number, FetchedPartition>();
    for (const { topic, partitions } of response.topics) {
      if (topic === topicName) for (const each of partitions) answers.set(each.partition, each);
    }
    let bytes = 0;
    let dropped = 0;
    for (const part of parts) {
      const answer = answers.get(part.lane.partition);
      bytes += answer?.records.length ?? 0;
      if (!isCurrent(part)) {
        if (answer !== undefined) dropped += 1;
        continue;
      }
      part.lane.inFlight = false;
      if (response.errorCode !== 0 || answer === undefined) {
        const errorCode = response.errorCode === 0 ? KafkaErrorCode.UNKNOWN_SERVER_ERROR : response.errorCode;
        this.#host.onErrorCode(this.nodeId, part, errorCode);
        this.#toBack(part.lane);
      } else if (!this.#host.onAnswer(this.nodeId, part, answer)) {
        this.#toBack(part.lane);
      }
    }
    this.#host.onFetched(response, { bytes, dropped, waitedMs, handledMs: clock.monotonicMs() - beganMs });
    this.#throttleMs = Math.min(Math.max(0, response.throttleTimeMs), THROTTLE_MS_MAX);
  }

  #toBack(lane: FetchLane): void {
    if (this.lanes.delete(lane)) this.lanes.add(lane);
  }
}

/** The promise's value, or `otherwise` as soon as the signal aborts; what the promise does later is then ignored. */
async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal, otherwise: T): Promise<T> {
  if (signal.aborted) {
    promise.catch(() => undefined);
    return otherwise;
  }
  return new Promise<T>((resolve, reject) => {
    const abort = () => resolve(otherwise);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
