import type { Clock } from '../clock.js';
import { HeadraceError, messageOf } from '../errors.js';
import { systemRandom } from '../random.js';
import type { PlainLog } from '../telemetry/log.js';
import { Backoff } from './backoff.js';
import {
  type CommittedOffset,
  type GroupMember,
  type MemberOptions,
  type OffsetToCommit,
  openGroupMember,
} from './group-member.js';
import { GroupTrouble } from './group-trouble.js';
import { type Failure, failureToError } from './librdkafka.js';
import type { TransactionalProducer } from './transactional-producer.js';
import { WakeSignal } from './wake-signal.js';

export { librdkafkaOf } from './security/access.js';

/**
 * Membership of the consumer group: which partitions this engine owns. It reads nothing; the fetcher does.
 *
 * - A partition is owned from onAssigned until its revoke is answered, or until onLost.
 * - A revoke is answered when onRevoked has resolved, or after revokeTimeoutMs, whichever is first. The owner after us
 *   gets the partition only then. Meanwhile the member is polled on and keeps its heartbeats.
 * - onAssigned and onRevoked run one at a time, in the order in which the group decided; onLost runs at once.
 * - One loop does all polling and answering: no two calls into the native client race.
 * - Trouble with brokers, topic or credentials is told every few seconds and waited out. When the native client itself
 *   is spent (fatal error, fenced instance, poll interval exceeded) its partitions are lost and a new one joins.
 */
export interface GroupOptions extends Omit<MemberOptions, 'onLog' | 'onWork'> {
  log: PlainLog;
  /** How long onRevoked may hold an answer back. Keep it below max.poll.interval.ms (300 s). */
  revokeTimeoutMs?: number;
  pollIntervalMs?: number;
  onAssigned(partitions: number[]): Promise<void> | void;
  onRevoked(partitions: number[]): Promise<void>;
  /** Ownership is gone already: somebody else may be at work on them. */
  onLost(partitions: number[]): void;
  /** Replaced in tests. */
  openMember?: (options: MemberOptions) => Promise<GroupMember>;
}

const REVOKE_TIMEOUT_MS = 30_000;
const CLOSE_TIMEOUT_MS = 10_000;
const POLL_INTERVAL_MS = 100;
/** While a rebalance or a commit is under way. */
const POLL_INTERVAL_BUSY_MS = 20;
/** A rebalance has several rounds: the loop stays quick this long after the last event. */
const BUSY_AFTER_EVENT_MS = 3_000;
const REBUILD_BACKOFF_MS = { first: 1_000, max: 15_000 };

/** Lanes that onRevoked was asked to release. */
interface Release {
  partitions: number[];
  deadlineMs: number;
  done: boolean;
}

/** A revoke that the group waits for. */
interface HeldRevoke {
  partitions: number[];
  release: Release;
}

export class Group {
  readonly #options: GroupOptions;
  readonly #clock: Clock;
  readonly #log: PlainLog;
  readonly #where: { group: string; topic: string };
  readonly #trouble: GroupTrouble;
  readonly #wake: WakeSignal;
  /** By partition; the value tells one assignment of it from the next. */
  readonly #owned = new Map<number, symbol>();
  #member: GroupMember | null = null;
  #running: Promise<void> | null = null;
  #held: HeldRevoke | null = null;
  /** onAssigned and onRevoked, one after the other. */
  #callbacks: Promise<void> = Promise.resolve();
  #leaveWanted = false;
  /** All that we owned when we began to leave. */
  #farewell: Release | null = null;
  #lastEventMs: number;
  #commitsInFlight = 0;
  /** Calls that read from the native client. */
  #within: Promise<unknown> = Promise.resolve();
  #strayMessages = 0;

  constructor(options: GroupOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#where = { group: options.groupId, topic: options.topic };
    this.#trouble = new GroupTrouble(options);
    this.#wake = new WakeSignal(options.clock);
    this.#lastEventMs = options.clock.monotonicMs();
  }

  /** Resolves when the native client is there, before any broker has answered. Errors: CONFIG_INVALID. */
  async start(): Promise<void> {
    const member = await this.#open();
    this.#running = this.#run(member);
  }

  /**
   * Has all lanes released through onRevoked, commits being possible meanwhile, then leaves, so that the others get them
   * at once. Takes revokeTimeoutMs and ten seconds at most. Never rejects.
   */
  async leave(): Promise<void> {
    this.#leaveWanted = true;
    this.#wake.wake();
    await this.#running;
  }

  /** Partitions owned now, ascending. */
  assignment(): number[] {
    return [...this.#owned.keys()].sort((a, b) => a - b);
  }

  /** What librdkafka fetched although it must not: requests sent and messages that came. */
  get strayFetches(): { requests: number; messages: number } {
    const statistics = this.#member?.statistics();
    return {
      requests: statistics?.fetchRequests ?? 0,
      messages: Math.max(this.#strayMessages, statistics?.messagesReceived ?? 0),
    };
  }

  /**
   * 'stale': the group has moved on, or some of the partitions are not owned (those are left out: a broker would take
   * them from any live member). Errors: KAFKA_UNREACHABLE, KAFKA_AUTH, KAFKA_PROTOCOL.
   */
  async commit(offsets: readonly OffsetToCommit[]): Promise<'committed' | 'stale'> {
    const owned = offsets.filter(({ partition }) => this.#owned.has(partition));
    const member = this.#member;
    if (member === null || owned.length === 0) return offsets.length === 0 ? 'committed' : 'stale';
    this.#commitsInFlight += 1;
    try {
      const failure = await member.commit(owned);
      if (failure?.kind === 'stale') return 'stale';
      if (failure !== null) throw this.#error(failure);
      return owned.length === offsets.length ? 'committed' : 'stale';
    } finally {
      this.#commitsInFlight -= 1;
    }
  }

  /** Committed offsets of those partitions that have one. Errors: KAFKA_UNREACHABLE, KAFKA_AUTH, KAFKA_PROTOCOL. */
  async committed(partitions: readonly number[]): Promise<Map<number, CommittedOffset>> {
    const member = this.#member;
    if (member === null) throw this.#error({ kind: 'unreachable', code: -1, text: 'not in the group' });
    return member.committed(partitions);
  }

  /**
   * Makes offsets a part of a producer's transaction: refused when the group has moved on since this member was given its
   * lanes (KIP-447). Throws HeadraceError KAFKA_PROTOCOL, KAFKA_UNREACHABLE, KAFKA_AUTH.
   */
  async commitWithin(producer: TransactionalProducer, offsets: readonly OffsetToCommit[]): Promise<void> {
    const consumer = this.#member?.native() ?? null;
    const owned = offsets.filter(({ partition }) => this.#owned.has(partition));
    if (consumer === null || owned.length === 0) {
      throw this.#error({ kind: 'stale', code: -1, text: 'not a member that owns these partitions' });
    }
    const { topic } = this.#options;
    const sent = producer.sendOffsets(
      owned.map(({ offset, ...named }) => ({ ...named, topic, offset: Number(offset) })),
      consumer,
    );
    this.#within = Promise.allSettled([this.#within, sent]);
    await sent;
  }

  #open(): Promise<GroupMember> {
    const open = this.#options.openMember ?? openGroupMember;
    return open({
      ...this.#options,
      onLog: (severity, message) => this.#trouble.noteLog(severity, message),
      onWork: () => this.#wake.wake(),
    });
  }

  /** One native client after the other, until we leave. */
  async #run(first: GroupMember): Promise<void> {
    const backoff = new Backoff(systemRandom, REBUILD_BACKOFF_MS.first, REBUILD_BACKOFF_MS.max);
    let member: GroupMember | null = first;
    while (member !== null) {
      this.#member = member;
      const end = await this.#serve(member, backoff);
      this.#member = null;
      this.#lose(this.assignment());
      // The native close waits for the answer.
      if (this.#held !== null) member.unassign(this.#held.partitions);
      this.#held = null;
      await this.#within;
      if ((await member.close(CLOSE_TIMEOUT_MS)) === 'timed-out') {
        this.#log.warn(this.#where, 'the Kafka client did not close in time; going on without');
      }
      member = end === 'left' ? null : await this.#reopen(backoff);
    }
  }

  /** A new native client, or null when we leave meanwhile. */
  async #reopen(backoff: Backoff): Promise<GroupMember | null> {
    let untilMs = this.#clock.monotonicMs() + backoff.nextMs();
    for (;;) {
      if (this.#leaveWanted) return null;
      const waitMs = untilMs - this.#clock.monotonicMs();
      if (waitMs > 0) {
        await this.#wake.sleep(waitMs);
        continue;
      }
      try {
        return await this.#open();
      } catch (error) {
        this.#log.error({ ...this.#where, error: messageOf(error) }, 'no new Kafka client; retrying');
        untilMs = this.#clock.monotonicMs() + backoff.nextMs();
      }
    }
  }

  async #serve(member: GroupMember, backoff: Backoff): Promise<'left' | 'spent'> {
    for (;;) {
      const { messages, failures } = await member.poll();
      if (messages > 0) this.#noteStray(messages);
      for (const failure of failures) {
        this.#trouble.note(failure);
        if (failure.kind === 'fatal') return 'spent';
      }
      for (const { kind, partitions, lost } of member.takeRebalances()) {
        this.#lastEventMs = this.#clock.monotonicMs();
        if (kind === 'assign') this.#onAssign(member, partitions);
        else this.#onRevoke(member, partitions, lost);
        if (this.#owned.size > 0) backoff.reset();
      }
      this.#answerHeld(member);
      this.#trouble.check(member.statistics(), this.#owned.size);
      if (this.#leaveWanted && this.#readyToLeave()) return 'left';
      await this.#wake.sleep(this.#pauseMs());
    }
  }

  #onAssign(member: GroupMember, partitions: number[]): void {
    member.assign(partitions);
    // Who is about to leave answers, but tells nobody.
    if (this.#leaveWanted || partitions.length === 0) return;
    const assignment = Symbol('assignment');
    for (const partition of partitions) this.#owned.set(partition, assignment);
    this.#log.info({ ...this.#where, partitions, owned: this.#owned.size }, 'partitions assigned');
    void this.#inOrder('onAssigned', async () => {
      const still = partitions.filter((partition) => this.#owned.get(partition) === assignment);
      if (still.length > 0) await this.#options.onAssigned(still);
    });
  }

  #onRevoke(member: GroupMember, partitions: number[], lost: boolean): void {
    const owned = partitions.filter((partition) => this.#owned.has(partition));
    if (lost) this.#lose(owned);
    if (lost || owned.length === 0) {
      member.unassign(partitions);
      return;
    }
    this.#held = { partitions, release: this.#farewell ?? this.#release(owned) };
  }

  /** Asks for lanes. Who loses them before their turn comes is not asked: onLost has said so. */
  #release(partitions: number[]): Release {
    const timeoutMs = this.#options.revokeTimeoutMs ?? REVOKE_TIMEOUT_MS;
    const release: Release = { partitions, deadlineMs: this.#clock.monotonicMs() + timeoutMs, done: false };
    const asked = new Map(partitions.map((partition) => [partition, this.#owned.get(partition)]));
    const released = this.#inOrder('onRevoked', async () => {
      const still = partitions.filter((partition) => this.#owned.get(partition) === asked.get(partition));
      if (still.length > 0) await this.#options.onRevoked(still);
    });
    void released.then(() => {
      release.done = true;
      this.#wake.wake();
    });
    return release;
  }

  /** Answers the revoke when its lanes are released, gone already, or too late. */
  #answerHeld(member: GroupMember): void {
    const held = this.#held;
    if (held === null) return;
    const lost = member.isLost();
    if (!lost && !this.#isOver(held.release)) return;
    this.#held = null;
    this.#lastEventMs = this.#clock.monotonicMs();
    if (lost) this.#lose(held.partitions.filter((partition) => this.#owned.has(partition)));
    else this.#disown(held.partitions, held.release.done);
    member.unassign(held.partitions);
  }

  #isOver(release: Release): boolean {
    return release.done || this.#clock.monotonicMs() >= release.deadlineMs;
  }

  #disown(partitions: number[], released: boolean): void {
    const owned = partitions.filter((partition) => this.#owned.has(partition));
    if (owned.length === 0) return;
    if (released) {
      for (const partition of owned) this.#owned.delete(partition);
      this.#log.info({ ...this.#where, partitions: owned, owned: this.#owned.size }, 'partitions revoked');
      return;
    }
    this.#log.error(
      { ...this.#where, partitions: owned },
      'partitions were not released before they had to be given away',
    );
    this.#lose(owned);
  }

  /** True when everything is given back, or the time is up. */
  #readyToLeave(): boolean {
    const asked = this.#held?.release.partitions ?? [];
    this.#farewell ??= this.#release(this.assignment().filter((partition) => !asked.includes(partition)));
    if (this.#held !== null || !this.#isOver(this.#farewell)) return false;
    this.#disown(this.assignment(), this.#farewell.done);
    return true;
  }

  #lose(partitions: number[]): void {
    if (partitions.length === 0) return;
    for (const partition of partitions) this.#owned.delete(partition);
    this.#log.warn(
      { ...this.#where, partitions },
      'partitions lost: the group gave them to others, as after a silence longer than kafka.session_timeout; what is not committed is made again there',
    );
    this.#options.onLost(partitions);
  }

  /** Never rejects: a callback that fails is told; when it broke an invariant the process ends. */
  #inOrder(name: string, call: () => Promise<void>): Promise<void> {
    this.#callbacks = this.#callbacks.then(call).catch((error: unknown) => {
      this.#log.error({ ...this.#where, error: messageOf(error) }, `${name} failed`);
      if (error instanceof HeadraceError && error.disposition === 'exit') {
        queueMicrotask(() => {
          throw error;
        });
      }
    });
    return this.#callbacks;
  }

  #noteStray(messages: number): void {
    if (this.#strayMessages === 0) {
      this.#log.warn(
        { ...this.#where, messages },
        'the group member was handed messages it never asked for; they are not used, the fetcher reads by itself',
      );
    }
    this.#strayMessages += messages;
  }

  #pauseMs(): number {
    const quick =
      this.#leaveWanted ||
      this.#held !== null ||
      this.#commitsInFlight > 0 ||
      this.#clock.monotonicMs() - this.#lastEventMs < BUSY_AFTER_EVENT_MS;
    return quick ? POLL_INTERVAL_BUSY_MS : (this.#options.pollIntervalMs ?? POLL_INTERVAL_MS);
  }

  #error(failure: Failure): HeadraceError {
    return failureToError(failure, { ...this.#where, topic: this.#options.topic });
  }
}
