import type { Clock } from '../clock.js';
import { heartbeatIntervalMs } from '../config/heartbeat.js';
import { invariant } from '../invariant.js';
import { answeredWithin } from './answered-within.js';
import { byPartition } from './committed-offsets.js';
import { readStatistics, type Statistics } from './group-statistics.js';
import {
  clientConfig,
  closeWithin,
  connectClient,
  createConsumer,
  type Failure,
  failureOf,
  failureToError,
  type LibrdkafkaConfig,
  type NativeConsumer,
  redacted,
  type TopicPartition,
} from './librdkafka.js';

/**
 * One native consumer, from its creation to its close, as a member of the group that never reads.
 *
 * - The native client answers a rebalance whenever assign() or unassign() is called, from any later turn: its callback
 *   only enqueues. Between a rebalance event and its answer it keeps its heartbeats and may be polled.
 * - Every assigned partition starts at OFFSET_END and is paused at once. With an absolute offset a fetch escaped in
 *   nine of ten joins before the pause arrived; at OFFSET_END the offset must be looked up first, and one in dozens did.
 *   Nobody reads what it brings, and after the pause none follows.
 * - Assigning happens between two polls only, so that no poll can hand out what the pause is about to hold back.
 * - After close() nothing of it calls anybody.
 */
export interface GroupMember {
  /** One turn of the native client: serves its callbacks. Never rejects. */
  poll(): Promise<{ messages: number; failures: Failure[] }>;
  /** Rebalance events since the last call, in order; each wants one assign() or unassign(). */
  takeRebalances(): Rebalance[];
  assign(partitions: readonly number[]): void;
  unassign(partitions: readonly number[]): void;
  /** The group has given the partitions away without waiting for this member. */
  isLost(): boolean;
  /** null: the broker has it. */
  commit(offsets: readonly OffsetToCommit[]): Promise<Failure | null>;
  committed(partitions: readonly number[]): Promise<Map<number, CommittedOffset>>;
  /** Hands the native client on, for what must be refused once the group has moved on. Null: it is closed. */
  native(): NativeConsumer | null;
  /** Newest figures of the native client, or null before the first. */
  statistics(): Statistics | null;
  /** Leaves the group. Bounded in time. 'timed-out': the native client still holds a thread of libuv's pool. */
  close(timeoutMs: number): Promise<'closed' | 'timed-out'>;
}

export interface Rebalance {
  kind: 'assign' | 'revoke';
  partitions: number[];
  lost: boolean;
}

export interface OffsetToCommit {
  partition: number;
  offset: bigint;
  metadata?: string;
}

export interface CommittedOffset {
  offset: bigint;
  metadata: string;
}

export interface MemberOptions {
  brokers: string | readonly string[];
  topic: string;
  groupId: string;
  clientId: string;
  protocol: 'classic' | 'consumer';
  /** Classic protocol only; with `consumer` the broker decides. */
  sessionTimeoutMs: number;
  /** Static membership (group.instance.id). */
  instanceId?: string;
  /** librdkafka properties; they win over ours. */
  extra?: LibrdkafkaConfig;
  clock: Clock;
  /** The native client's own log lines, severity as in syslog. */
  onLog(severity: number, message: string): void;
  /** There is something to poll for. */
  onWork(): void;
}

const POLL_WAIT_MS = 5;
const COMMIT_TIMEOUT_MS = 10_000;
const COMMITTED_TIMEOUT_MS = 5_000;
const STATISTICS_INTERVAL_MS = 2_000;
const OFFSET_END = -1;
const ERR_ASSIGN_PARTITIONS = -175;
/** Background errors kept between two polls; librdkafka repeats what matters. */
const FAILURES_MAX = 100;

/** Offsets below 2⁵³ only go through the JavaScript numbers of the binding. */
function toNumber(offset: bigint): number {
  invariant(offset >= 0n && offset <= BigInt(Number.MAX_SAFE_INTEGER), 'offset beyond 2^53', { offset });
  return Number(offset);
}

export function memberConfig(options: MemberOptions): LibrdkafkaConfig {
  const { protocol, sessionTimeoutMs, instanceId } = options;
  const classic: LibrdkafkaConfig = {
    'partition.assignment.strategy': 'cooperative-sticky',
    'session.timeout.ms': sessionTimeoutMs,
    'heartbeat.interval.ms': heartbeatIntervalMs(sessionTimeoutMs),
  };
  return {
    ...clientConfig(options.brokers, options.clientId),
    'group.id': options.groupId,
    'group.protocol': protocol,
    ...(protocol === 'classic' ? classic : {}),
    ...(instanceId === undefined ? {} : { 'group.instance.id': instanceId }),
    'enable.auto.commit': false,
    'enable.auto.offset.store': false,
    'auto.offset.reset': 'latest',
    'allow.auto.create.topics': false,
    'statistics.interval.ms': STATISTICS_INTERVAL_MS,
    ...options.extra,
  };
}

interface PendingCommit {
  offsets: TopicPartition[];
  settle(failure: Failure | null): void;
}

/** Creates the native client and subscribes. Errors: CONFIG_INVALID; a broker that is down is none. */
export async function openGroupMember(options: MemberOptions): Promise<GroupMember> {
  const member = new NativeMember(options);
  await member.open();
  return member;
}

class NativeMember implements GroupMember {
  readonly #options: MemberOptions;
  readonly #config: LibrdkafkaConfig;
  readonly #consumer: NativeConsumer;
  #rebalances: Rebalance[] = [];
  #failures: Failure[] = [];
  #statistics: Statistics | null = null;
  #pendingCommit: PendingCommit | null = null;
  #commitQueue: Promise<unknown> = Promise.resolve();
  #state: 'open' | 'closing' | 'closed' = 'open';

  constructor(options: MemberOptions) {
    this.#options = options;
    this.#config = memberConfig(options);
    this.#consumer = createConsumer({
      ...this.#config,
      rebalance_cb: (error: { code: number }, partitions: TopicPartition[]) =>
        this.#onRebalance(error.code, partitions),
      offset_commit_cb: (error: unknown, offsets: TopicPartition[]) => this.#onCommitted(error, offsets),
    });
  }

  async open(): Promise<void> {
    const consumer = this.#consumer;
    consumer.on('event.error', (error) => this.#addFailure(error));
    consumer.on('event.log', ({ severity, fac, message }) => {
      if (this.#state !== 'closed') {
        this.#options.onLog(severity, redacted(this.#config, `${fac}: ${message}`));
      }
    });
    consumer.on('event.stats', ({ message }) => {
      this.#statistics = readStatistics(message) ?? this.#statistics;
    });
    await connectClient(consumer, this.#config);
    consumer.setDefaultConsumeTimeout(POLL_WAIT_MS);
    consumer.subscribe([this.#options.topic]);
  }

  poll(): Promise<{ messages: number; failures: Failure[] }> {
    invariant(this.#state === 'open', 'a closed group member was polled');
    return new Promise((resolve) => {
      this.#consumer.consume(1, (error, messages) => {
        if (error) this.#addFailure(error);
        const failures = this.#failures;
        this.#failures = [];
        resolve({ messages: messages?.length ?? 0, failures });
      });
    });
  }

  takeRebalances(): Rebalance[] {
    const events = this.#rebalances;
    this.#rebalances = [];
    return events;
  }

  assign(partitions: readonly number[]): void {
    const list = this.#named(partitions).map((partition) => ({ ...partition, offset: OFFSET_END }));
    this.#answer(() => {
      this.#consumer.incrementalAssign(list);
      this.#consumer.pause(list);
    });
  }

  unassign(partitions: readonly number[]): void {
    this.#answer(() => this.#consumer.incrementalUnassign(this.#named(partitions)));
  }

  isLost(): boolean {
    // The native call reads through a pointer that close() frees.
    return this.#state === 'open' && this.#consumer.assignmentLost();
  }

  native(): NativeConsumer | null {
    return this.#state === 'open' ? this.#consumer : null;
  }

  statistics(): Statistics | null {
    return this.#statistics;
  }

  /** One at a time: the native callback doesn't say which commit it answers, but which offsets. */
  commit(offsets: readonly OffsetToCommit[]): Promise<Failure | null> {
    const turn = this.#commitQueue.then(() => this.#commitNow(offsets));
    this.#commitQueue = turn;
    return turn;
  }

  async #commitNow(offsets: readonly OffsetToCommit[]): Promise<Failure | null> {
    if (this.#state !== 'open') return closedFailure();
    const list = offsets.map(({ partition, offset, metadata }) => ({
      topic: this.#options.topic,
      partition,
      offset: toNumber(offset),
      ...(metadata === undefined ? {} : { metadata }),
    }));
    const answered = new Promise<Failure | null>((settle) => {
      this.#pendingCommit = { offsets: list, settle };
    });
    try {
      // Not commitCb(): that answers when the request is queued, not when the broker has it.
      this.#consumer.commit(list);
      this.#options.onWork();
      return await answeredWithin(this.#options.clock, COMMIT_TIMEOUT_MS, answered, () => ({
        kind: 'unreachable',
        code: -185,
        text: 'the offset commit was not answered',
      }));
    } catch (error) {
      return failureOf(error);
    } finally {
      this.#pendingCommit = null;
    }
  }

  committed(partitions: readonly number[]): Promise<Map<number, CommittedOffset>> {
    const { topic, groupId } = this.#options;
    return new Promise((resolve, reject) => {
      this.#consumer.committed(this.#named(partitions), COMMITTED_TIMEOUT_MS, (error, list) => {
        // Partitions that failed stand in the list as bare errors.
        const failed = error ?? list.find((entry) => entry instanceof Error);
        if (failed) return reject(failureToError(failureOf(failed), { topic, group: groupId }));
        resolve(byPartition(list as TopicPartition[]));
      });
    });
  }

  async close(timeoutMs: number): Promise<'closed' | 'timed-out'> {
    this.#state = 'closing';
    this.#pendingCommit?.settle(closedFailure());
    for (const event of this.takeRebalances()) this.#answerWhileClosing(event);
    // Unsubscribing first looks tidier, but a close right behind it can overtake the LeaveGroup request: the others
    // then wait for the session time-out. The native close does both in order.
    const outcome = await closeWithin(
      (done) => this.#consumer.disconnect(done),
      timeoutMs,
      this.#options.clock,
    );
    if (outcome === 'closed') this.#state = 'closed';
    return outcome;
  }

  #onRebalance(code: number, list: TopicPartition[]): void {
    if (this.#state === 'closed') return;
    const kind = code === ERR_ASSIGN_PARTITIONS ? 'assign' : 'revoke';
    const partitions = list.map(({ partition }) => partition);
    const event: Rebalance = { kind, partitions, lost: kind === 'revoke' && this.isLost() };
    if (this.#state === 'closing') {
      this.#answerWhileClosing(event);
      return;
    }
    this.#rebalances.push(event);
    this.#options.onWork();
  }

  /**
   * The native close waits for an answer to every event. Once it has begun, it takes any assignment call for one, and
   * the binding lets only unassign() through; until then only the incremental calls count.
   */
  #answerWhileClosing({ kind, partitions }: Rebalance): void {
    const list = this.#named(partitions);
    try {
      if (kind === 'assign') this.#consumer.incrementalAssign(list);
      else this.#consumer.incrementalUnassign(list);
    } catch {
      this.#answer(() => this.#consumer.unassign());
    }
  }

  #onCommitted(error: unknown, offsets: TopicPartition[]): void {
    const pending = this.#pendingCommit;
    if (pending === null || !sameOffsets(pending.offsets, offsets)) return;
    pending.settle(error ? failureOf(error) : null);
  }

  /** A refused answer means that the group has moved on meanwhile; the next event tells where to. */
  #answer(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#addFailure(error);
    }
  }

  #addFailure(error: unknown): void {
    if (this.#state === 'closed' || this.#failures.length >= FAILURES_MAX) return;
    const failure = failureOf(error);
    this.#failures.push({ ...failure, text: redacted(this.#config, failure.text) });
  }

  #named(partitions: readonly number[]): TopicPartition[] {
    return partitions.map((partition) => ({ topic: this.#options.topic, partition }));
  }
}

function closedFailure(): Failure {
  return { kind: 'stale', code: -1, text: 'the group member was closed' };
}

function sameOffsets(a: readonly TopicPartition[], b: readonly TopicPartition[]): boolean {
  if (a.length !== b.length) return false;
  const byPartition = new Map(a.map(({ partition, offset }) => [partition, offset]));
  return b.every(({ partition, offset }) => byPartition.get(partition) === offset);
}
