import type { HeadraceError } from '../errors.js';
import type { Backoff } from './backoff.js';
import type { FetchRing } from './fetch-ring.js';
import type { LaneWait, Silence } from './fetch-types.js';

/** What a lane that has caught up asks for: something may come, a full answer will not. */
const IDLE_FETCH_BYTES = 64 * 1024;
/** Fruitless answers at one position, each a whole request, before the lane halts. */
const FRUITLESS_MAX = 5;

export interface LaneStart {
  partition: number;
  /** Distinguishes this owner of the lane from earlier ones. */
  incarnation: number;
  offset: bigint;
  /** Bounded run: nothing at or behind it is delivered; null: no end. */
  endOffset: bigint | null;
}

export interface LaneLimits {
  /** What a lane asks for while it is behind. */
  fetchBytes: number;
  /** What an answer and the ring can hold at the most. */
  fetchBytesMax: number;
}

/**
 * Where one lane stands. Plain state with the rules for changing it; asking and answering is the loop's.
 *
 * Invariants: an answer counts only if it was asked for in the same `generation`; the position moves by delivered
 * batches and by `seek` alone; a halted lane never moves again.
 */
export class FetchLane {
  readonly partition: number;
  readonly incarnation: number;
  readonly endOffset: bigint | null;
  readonly ring: FetchRing;
  readonly limits: LaneLimits;
  readonly backoff: Backoff;
  position: bigint;
  /** Grows when answers that are under way have become void. */
  generation = 0;
  inFlight = false;
  halted: HeadraceError | null = null;
  /** Something is being found out (a gap, a truncation) before it may be fetched on. */
  examined = false;
  blockedByRing = false;
  /** The last answer of its broker was an error, or there was none. */
  unanswered = false;
  notBeforeMs = 0;
  /** Whom to ask instead of the leader, and until when. */
  replica: { nodeId: number; untilMs: number } | null = null;
  /** The node whose loop has this lane, or null. */
  nodeId: number | null = null;
  /** Behind the last event that can be read now, as the broker said last. */
  readableEnd: bigint | null = null;
  logStartOffset: bigint | null = null;
  atEndSinceMs: number | null = null;
  /** Since when, and until when, the partition is known to bring nothing. */
  silence: Silence | null = null;
  /** The leader epoch of the last batch delivered, −1 when none was. */
  batchEpoch = -1;
  /** The newest leader epoch under which the position is known to be good. */
  checkedEpoch = -1;
  #fetchBytes: number;
  #suspectAt: bigint | null = null;
  #fruitless = 0;

  constructor(start: LaneStart, ring: FetchRing, limits: LaneLimits, backoff: Backoff) {
    this.partition = start.partition;
    this.incarnation = start.incarnation;
    this.position = start.offset;
    this.endOffset = start.endOffset;
    this.ring = ring;
    this.limits = limits;
    this.backoff = backoff;
    this.#fetchBytes = Math.min(limits.fetchBytes, limits.fetchBytesMax);
  }

  /** Bytes to ask for now. */
  get fetchBytes(): number {
    return this.atEndSinceMs === null ? this.#fetchBytes : Math.min(this.#fetchBytes, IDLE_FETCH_BYTES);
  }

  /** The bounded run is over for this lane. */
  get done(): boolean {
    return this.endOffset !== null && this.position >= this.endOffset;
  }

  /** Nothing but time, room or an answer stands between this lane and a request. */
  get wanted(): boolean {
    return this.halted === null && !this.done && !this.examined && !this.inFlight;
  }

  /** What the lane can't get on without, and others must bring; null: it is to get on. */
  get waitsFor(): LaneWait | null {
    if (this.readableEnd === null || this.atEndSinceMs !== null) return 'records';
    if (this.nodeId === null || this.unanswered || this.examined) return 'broker';
    return this.blockedByRing ? 'room' : null;
  }

  /** Answers that are under way don't count any more. */
  voidInFlight(): void {
    this.generation += 1;
    this.inFlight = false;
  }

  /** Voids what is under way and goes on at `offset`. */
  seek(offset: bigint): void {
    this.voidInFlight();
    this.position = offset;
    this.atEndSinceMs = null;
    this.silence = null;
    this.batchEpoch = -1;
    this.notBeforeMs = 0;
    this.#settle();
  }

  /** Batches up to `nextOffset` were handed over; the last was written under `batchEpoch`, the largest had `batchBytesMax`. */
  advance(nextOffset: bigint, batchEpoch: number, batchBytesMax: number): void {
    this.position = this.endOffset !== null && nextOffset > this.endOffset ? this.endOffset : nextOffset;
    this.batchEpoch = batchEpoch;
    // room for batches as they come here, so that the next answer finds as much reserved as it brings
    this.#fetchBytes = Math.min(Math.max(this.limits.fetchBytes, batchBytesMax), this.limits.fetchBytesMax);
    this.#settle();
  }

  /** An answer held no whole batch, or one that found no room: ask for at least `bytes` (null: twice as much). */
  raise(bytes: number | null): void {
    this.#fetchBytes = Math.min(
      Math.max(this.#fetchBytes, bytes ?? this.#fetchBytes * 2),
      this.limits.fetchBytesMax,
    );
  }

  /** Whether more can be asked for. */
  get raised(): boolean {
    return this.#fetchBytes >= this.limits.fetchBytesMax;
  }

  /** An answer at this position was nonsense. True: so was the one before. */
  suspect(): boolean {
    const again = this.#suspectAt === this.position;
    this.#suspectAt = this.position;
    return again;
  }

  /** An answer at this position brought bytes and no progress. True: too often. */
  fruitless(): boolean {
    this.#fruitless += 1;
    return this.#fruitless > FRUITLESS_MAX;
  }

  /**
   * Was an answer that came without an error, to a request that was made at `askedMs`, the partition's end? Not where a transaction is open
   * behind the position: its records are there already. Nor where the high watermark lies before the position: a new
   * leader does not know yet how far its log goes.
   */
  listen(recordsBytes: number, highWatermark: bigint, askedMs: number): void {
    if (recordsBytes > 0 || highWatermark !== this.position) this.silence = null;
    else this.silence = { fromMs: this.silence?.fromMs ?? askedMs, untilMs: askedMs };
  }

  /** Takes what an answer said of the partition. True: the lane has reached the end just now. */
  look(readableEnd: bigint, logStartOffset: bigint, nowMs: number): boolean {
    if (readableEnd >= 0n) this.readableEnd = readableEnd;
    if (logStartOffset >= 0n) this.logStartOffset = logStartOffset;
    return this.updateAtEnd(nowMs);
  }

  /** True: the lane has reached the end just now. */
  updateAtEnd(nowMs: number): boolean {
    const caughtUp = this.readableEnd !== null && this.position >= this.readableEnd;
    const before = this.atEndSinceMs;
    this.atEndSinceMs = caughtUp || this.done ? (before ?? nowMs) : null;
    return before === null && this.atEndSinceMs !== null;
  }

  #settle(): void {
    this.#suspectAt = null;
    this.#fruitless = 0;
    this.backoff.reset();
  }
}
