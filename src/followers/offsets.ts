import type { Clock } from '../clock.js';
import { crashPoint } from '../crash-points.js';
import { messageOf } from '../errors.js';
import { WakeSignal } from '../kafka/wake-signal.js';
import type { PlainLog } from '../telemetry/log.js';
import { RepeatLimitedLog } from '../telemetry/repeat-limited-log.js';

/**
 * Brings Kafka's committed offsets after the ledger, so that lag tools show where the engine stands. Nothing reads them
 * back: the ledger decides. So this follower may be late, may fail, and never holds anybody up.
 *
 * - Per lane only the newest offset counts; it never goes backwards while the lane is held.
 * - One commit is under way at a time, and one begins every intervalMs at most.
 * - A lane that was forgotten is not committed again until it is noted again. A commit that is under way is not called
 *   back: forget() resolves when none that names the lanes is left.
 */
export interface OffsetCommitter {
  commit(offsets: LaneOffset[]): Promise<'committed' | 'stale'>;
}

export interface LaneOffset {
  partition: number;
  /** The offset behind the last event of the lane's newest cut. */
  offset: bigint;
  metadata?: string;
}

export interface OffsetsFollowerOptions {
  committer: OffsetCommitter;
  clock: Clock;
  log: PlainLog;
  intervalMs?: number;
}

const INTERVAL_MS = 1_000;

export class OffsetsFollower {
  readonly #options: OffsetsFollowerOptions;
  readonly #intervalMs: number;
  readonly #log: RepeatLimitedLog;
  readonly #wake: WakeSignal;
  /** What the committer has not taken yet, newest per lane. */
  readonly #pending = new Map<number, LaneOffset>();
  /** The highest offset noted per lane since it was last forgotten. */
  readonly #noted = new Map<number, bigint>();
  #underWay: Promise<void> | null = null;
  #closed = false;
  #lastCommitMs = Number.NEGATIVE_INFINITY;
  readonly #running: Promise<void>;

  constructor(options: OffsetsFollowerOptions) {
    this.#options = options;
    this.#intervalMs = options.intervalMs ?? INTERVAL_MS;
    this.#log = new RepeatLimitedLog(options.log, options.clock);
    this.#wake = new WakeSignal(options.clock);
    this.#running = this.#run();
  }

  /** A cut is in the ledger. Returns at once. */
  note(offset: LaneOffset): void {
    const known = this.#noted.get(offset.partition);
    if (known !== undefined && known >= offset.offset) return;
    this.#noted.set(offset.partition, offset.offset);
    this.#pending.set(offset.partition, offset);
    this.#wake.wake();
  }

  /** Lanes whose newest offset Kafka has not confirmed. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Commits what is pending now. Never rejects: 'behind' when some of it did not get through in time. */
  async flush(timeoutMs: number): Promise<'flushed' | 'behind'> {
    const giveUp = new AbortController();
    const tooLate = this.#options.clock.sleep(timeoutMs, giveUp.signal);
    const attempt = async () => {
      // One under way may have begun before the newest was noted.
      await this.#underWay;
      await this.#commitPending();
    };
    await Promise.race([attempt(), tooLate]);
    giveUp.abort();
    return this.#pending.size === 0 ? 'flushed' : 'behind';
  }

  /** The lanes go to somebody else: nothing more is committed for them. Bounded by timeoutMs. */
  async forget(partitions: readonly number[], timeoutMs: number): Promise<void> {
    for (const partition of partitions) {
      this.#pending.delete(partition);
      this.#noted.delete(partition);
    }
    if (this.#underWay === null) return;
    const giveUp = new AbortController();
    await Promise.race([this.#underWay, this.#options.clock.sleep(timeoutMs, giveUp.signal)]);
    giveUp.abort();
  }

  /** Ends the loop; what is pending stays uncommitted unless flushed before. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wake.wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      const dueMs = this.#lastCommitMs + this.#intervalMs - this.#options.clock.monotonicMs();
      if (this.#pending.size > 0 && dueMs <= 0) {
        // Not awaited: a commit that hangs must not keep close() waiting.
        void this.#commitPending();
      }
      const waitMs = this.#pending.size > 0 && dueMs > 0 ? dueMs : this.#intervalMs;
      await this.#wake.sleep(waitMs);
    }
  }

  /** Begins a commit of everything pending, or joins the one under way. Never rejects. */
  #commitPending(): Promise<void> {
    if (this.#underWay !== null) return this.#underWay;
    if (this.#pending.size === 0) return Promise.resolve();
    this.#lastCommitMs = this.#options.clock.monotonicMs();
    const attempt = this.#commit([...this.#pending.values()]).finally(() => {
      this.#underWay = null;
    });
    this.#underWay = attempt;
    return attempt;
  }

  async #commit(offsets: LaneOffset[]): Promise<void> {
    crashPoint('offsets.before-commit');
    try {
      // 'stale' is expected around a rebalance; what is pending is tried again with the next interval.
      if ((await this.#options.committer.commit(offsets)) === 'stale') return;
    } catch (error) {
      this.#log.warn(
        'commit',
        { lanes: offsets.length, error: messageOf(error) },
        'offsets were not committed; trying again: only lag displays need them',
      );
      return;
    }
    crashPoint('offsets.after-commit');
    for (const { partition, offset } of offsets) {
      if (this.#pending.get(partition)?.offset === offset) this.#pending.delete(partition);
    }
  }
}
