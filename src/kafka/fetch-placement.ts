import type { Clock } from '../clock.js';
import type { FetchLane } from './fetch-lane.js';
import type { FetchLoop } from './fetch-loop.js';
import type { Topic } from './topic.js';

/** How long a preferred replica is used before the leader is asked again (Java: metadata.max.age). */
const REPLICA_MS = 300_000;

/**
 * Which broker's loop has which lane. A loop starts with its first lane and ends by itself when it has none.
 *
 * Invariant: a lane is in the loop of `lane.nodeId` and in no other; what is under way for it elsewhere is void.
 */
export class FetchPlacement {
  readonly #topic: Topic;
  readonly #clock: Clock;
  readonly #makeLoop: (nodeId: number) => FetchLoop;
  readonly #loops = new Map<number, FetchLoop>();
  readonly #running = new Set<Promise<void>>();
  #closed = false;

  constructor(topic: Topic, clock: Clock, makeLoop: (nodeId: number) => FetchLoop) {
    this.#topic = topic;
    this.#clock = clock;
    this.#makeLoop = makeLoop;
  }

  get brokers(): number {
    return this.#loops.size;
  }

  /** Gives the lane to the broker that serves it now: its replica, its leader, or none. */
  assign(lane: FetchLane): void {
    if (lane.replica !== null && this.#clock.monotonicMs() >= lane.replica.untilMs) lane.replica = null;
    const idle = lane.halted !== null || lane.done;
    const serving = lane.replica?.nodeId ?? this.#topic.leader(lane.partition)?.nodeId ?? null;
    this.#place(lane, idle ? null : serving);
  }

  useReplica(lane: FetchLane, nodeId: number): void {
    lane.replica = { nodeId, untilMs: this.#clock.monotonicMs() + REPLICA_MS };
    this.assign(lane);
  }

  leaveReplica(lane: FetchLane): void {
    if (lane.replica === null) return;
    lane.replica = null;
    this.assign(lane);
  }

  withdraw(lane: FetchLane): void {
    this.#place(lane, null);
  }

  /** The lane can be fetched now, which its loop does not know. */
  wake(lane: FetchLane): void {
    if (lane.nodeId !== null) this.#loops.get(lane.nodeId)?.wake();
  }

  ended(nodeId: number): void {
    this.#loops.delete(nodeId);
  }

  /** Resolves when all loops have ended; the caller has told them to. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const loop of this.#loops.values()) loop.wake();
    await Promise.all(this.#running);
  }

  #place(lane: FetchLane, nodeId: number | null): void {
    if (lane.nodeId === nodeId) return;
    if (lane.nodeId !== null) this.#loops.get(lane.nodeId)?.lanes.delete(lane);
    lane.voidInFlight();
    lane.nodeId = nodeId;
    if (nodeId === null || this.#closed) return;
    const existing = this.#loops.get(nodeId);
    const loop = existing ?? this.#makeLoop(nodeId);
    loop.lanes.add(lane);
    if (existing !== undefined) {
      loop.wake();
      return;
    }
    this.#loops.set(nodeId, loop);
    // a failure in there is a bug of ours: it stays unhandled, so that the process ends
    const running = loop.run().finally(() => this.#running.delete(running));
    this.#running.add(running);
  }
}
