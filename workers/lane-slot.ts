import { systemClock } from '#src/clock.js';
import type { QualityConfig } from '#src/config/types.js';
import { HeadraceError } from '#src/errors.js';
import { invariant } from '#src/invariant.js';
import type { LaneTally, RecordedCut } from '#src/ledger/types.js';
import type { Marks } from '#src/model/marks.js';
import type { AssignCommand, WorkerTask } from '#src/pool/messages.js';
import type { AbortedTransaction } from '#src/reference/aborted-transactions.js';
import { type OpenBatch, openBatches } from '#src/reference/batch-reader.js';
import type { Emitted, LaneEngine, SessionEngine, StateInTurns } from './engines/engine.js';
import { LaneQuality } from './lane-quality.js';
import { TimedCodecs } from './timed-codecs.js';

/**
 * One lane in its worker: where it stands, its sessions, and what it has emitted since the last cut.
 *
 *   loading ──state there──▶ replay ──met the ledger──▶ live
 *      any of them ──▶ halted (for good, until it is assigned again)
 *
 * In replay the output is off: rows are counted and summed, compared with what the ledger recorded of each cut, and
 * dropped; the marks of each cut are applied at its offset (rule 12).
 */
export type LaneMode = 'loading' | 'replay' | 'live' | 'halted';

export interface LaneSlotOptions {
  assign: AssignCommand;
  topic: string;
  engine: SessionEngine;
  limits: WorkerTask['limits'];
  /** When the lane stops for what its producer sends; without it never. */
  quality?: QualityConfig | null;
  onLive(): void;
  /** The sessions' memory is used up: lets idle sessions of live lanes go. False: there were none. */
  makeRoom(): boolean;
}

/** What a lane emitted up to a place where marks were applied, and how it stood there. */
export interface LanePart {
  to: bigint;
  watermarkMs: number | null;
  marks: Marks;
  /** Open sessions that were evicted. */
  evicted: number;
  openSessions: number;
  sessionBytes: number;
  emitted: Emitted;
}

/** Fetched data, in its place in the ring. */
export interface LaneData {
  /** Whole record batches, or none. */
  bytes: Uint8Array;
  /** The position they were fetched from. */
  from: bigint;
  /** The position behind them: events at or behind it are not the lane's (the end of a bounded run may lie in a batch). */
  until: bigint;
  /** Transactions that were aborted, whose records do not count. */
  aborted: readonly AbortedTransaction[];
}

/** How far an `accept` came; filled in also when it throws. */
export interface Taken {
  events: number;
  batches: number;
}

export class LaneSlot {
  readonly partition: number;
  readonly incarnation: number;
  readonly appId: string;
  mode: LaneMode = 'loading';
  /** After a corrupt batch: data is void until the main thread's `seek`. */
  waitsForSeek = false;
  /** The lane leaves or the engine stops: it stands where it is, and what still comes is void. */
  frozen = false;
  nextOffset: bigint;
  readonly #options: LaneSlotOptions;
  readonly #replay: readonly RecordedCut[];
  readonly #quality: LaneQuality;
  readonly #codecs: TimedCodecs;
  #sessionsMs = 0;
  #replayed = 0;
  #wasLive = false;
  #lane: LaneEngine | null = null;
  #parts: LanePart[] = [];

  constructor(options: LaneSlotOptions) {
    this.#options = options;
    this.partition = options.assign.partition;
    this.incarnation = options.assign.incarnation;
    this.appId = options.assign.appId;
    const { partition, replay } = options.assign;
    this.#quality = new LaneQuality({ topic: options.topic, partition }, options.quality ?? null);
    this.#codecs = new TimedCodecs(options.engine.codecs);
    this.#replay = replay;
    this.nextOffset = options.assign.snapshot?.offset ?? options.assign.startOffset;
  }

  get openSessions(): number {
    return this.#lane?.openSessions ?? 0;
  }

  get sessionBytes(): number {
    return this.#lane?.sessionBytes ?? 0;
  }

  get clamped(): number {
    return this.#lane?.clamped ?? 0;
  }

  get blanked(): number {
    return this.#lane?.blanked ?? 0;
  }

  get filtered(): number {
    return this.#lane?.filtered ?? 0;
  }

  get watermarkMs(): number | null {
    return this.#lane?.watermarkMs ?? null;
  }

  /** Does the lane take part in cuts? One that halted while live still has what lies before its halt to seal. */
  get sealable(): boolean {
    return this.mode === 'live' || (this.mode === 'halted' && this.#wasLive);
  }

  /** Its sessions are there: takes them over. Throws HeadraceError REPLAY_DIFFERS. */
  start(lane: LaneEngine): void {
    this.#lane = lane;
    this.mode = 'replay';
    this.#meetCuts(this.nextOffset);
  }

  /**
   * Takes data that was fetched from `nextOffset`. Throws HeadraceError BATCH_CORRUPT, BATCH_UNSUPPORTED, BATCH_TOO_LARGE,
   * SESSION_MEMORY_FULL, REPLAY_DIFFERS, QUALITY_LOW, with `nextOffset` behind all that was taken.
   */
  accept(data: LaneData, taken: Taken): void {
    const { partition } = this;
    const { topic, limits } = this.#options;
    invariant(data.from === this.nextOffset, 'data does not continue the lane', {
      partition,
      expected: this.nextOffset,
      offset: data.from,
    });
    const options = { fromOffset: data.from, limits, where: { topic, partition }, aborted: data.aborted };
    openBatches(data.bytes, options, this.#codecs, (batch) => {
      const beganMs = performance.now();
      try {
        if (this.mode === 'live') this.#keepRoom();
        taken.batches++;
        this.#acceptBatch(batch, data.until, taken);
      } finally {
        this.#sessionsMs += performance.now() - beganMs;
      }
    });
    this.nextOffset = data.until;
    this.#meetCuts(this.nextOffset);
  }

  /** Where the time of `accept` went since the last call. What is neither is looking whether batches are whole. */
  takeTimes(): { decompressMs: number; sessionsMs: number } {
    const times = { decompressMs: this.#codecs.takeMs(), sessionsMs: this.#sessionsMs };
    this.#sessionsMs = 0;
    return times;
  }

  /** Passes over offsets that the log lacks. Throws HeadraceError REPLAY_DIFFERS. */
  pass(offset: bigint): void {
    const { partition, nextOffset } = this;
    invariant(offset >= nextOffset, 'a lane was sent back', { partition, nextOffset, offset });
    this.nextOffset = offset;
    this.#meetCuts(offset);
  }

  /** Piece by piece from recorded cut to recorded cut in a replay, else in one. */
  #acceptBatch(batch: OpenBatch, until: bigint, taken: Taken): void {
    const lane = this.#laneOf('data came before the lane was ready');
    const behind = batch.lastOffset + 1n;
    const end = behind < until ? behind : until;
    while (this.nextOffset < end) {
      const letters = lane.deadLetters.length;
      const accepted = lane.accept(batch, this.nextOffset, this.#nextStop(end));
      taken.events += accepted.events;
      this.nextOffset = accepted.nextOffset;
      if (this.mode === 'live')
        this.#quality.note(systemClock.monotonicMs(), accepted.events, lane.deadLetters.slice(letters));
      if (accepted.full && !this.#options.makeRoom()) throw this.#memoryFull();
      this.#meetCuts(this.nextOffset);
    }
  }

  /**
   * The limit is looked at before each batch; an engine's own end lies behind it. A replay is held to that one only: its
   * lanes do again what fitted, but not side by side as then, and what made room for one may come later now.
   */
  #keepRoom(): void {
    const { engine, limits, makeRoom } = this.#options;
    while (engine.sessionBytes > limits.sessionMemoryBytes) if (!makeRoom()) throw this.#memoryFull();
  }

  /** Ends a part where the lane stands; its marks were applied. */
  endPart(marks: Marks, evicted: number): void {
    const { nextOffset: to, watermarkMs, openSessions, sessionBytes } = this;
    const emitted = this.#laneOf('a lane without sessions emits nothing').take();
    this.#parts.push({ to, watermarkMs, marks, evicted, openSessions, sessionBytes, emitted });
  }

  spillParts(): void {
    for (const { emitted } of this.#parts) emitted.spill();
  }

  /** All that was emitted since the last cut; the next one begins empty. The receiver frees it. */
  takeParts(): LanePart[] {
    const parts = this.#parts;
    this.#parts = [];
    return parts;
  }

  applyMarks(marks: Marks): void {
    this.#lane?.applyMarks(marks);
  }

  /** The open sessions as they are now, as a snapshot's content. */
  beginSnapshot(): StateInTurns {
    return this.#laneOf('a lane without state has no snapshot').beginSnapshot();
  }

  /** What a live lane took since the last call, or null. */
  takeTally(): LaneTally | null {
    return this.#quality.takeTally();
  }

  /**
   * The lane goes on no more; what lies before can still be sealed if it was live. `isVoid`: nothing of it since the last cut
   * is: whoever brings the lane back reads it again.
   */
  halt(isVoid = false): void {
    this.mode = 'halted';
    if (isVoid) this.#wasLive = false;
    if (!this.#wasLive) this.free();
  }

  /** Gives the memory of its sessions back. */
  free(): void {
    for (const { emitted } of this.takeParts()) emitted.free();
    this.#lane?.free();
    this.#lane = null;
  }

  #laneOf(message: string): LaneEngine {
    invariant(this.#lane !== null, message, { partition: this.partition });
    return this.#lane;
  }

  #memoryFull(): HeadraceError {
    const { engine, limits } = this.#options;
    return new HeadraceError(
      'SESSION_MEMORY_FULL',
      'the open sessions of this worker need more memory than they may have',
      {
        where: {
          partition: this.partition,
          offset: this.nextOffset,
          bytes: engine.sessionBytes,
          limit_bytes: limits.sessionMemoryBytes,
        },
        remedy: 'raise limits.session_memory_bytes, or run more workers or engines',
      },
    );
  }

  /** In a replay, not further than to the next recorded cut. */
  #nextStop(end: bigint): bigint {
    const cut = this.mode === 'replay' ? this.#replay[this.#replayed] : undefined;
    return cut !== undefined && cut.to < end ? cut.to : end;
  }

  /** Meets the recorded cuts that end at or before an offset: marks applied, result compared, output dropped. */
  #meetCuts(offset: bigint): void {
    while (this.mode === 'replay' && this.#replayed < this.#replay.length) {
      const cut = this.#replay[this.#replayed]!;
      if (cut.to > offset) return;
      this.applyMarks(cut.marks);
      const emitted = this.#laneOf('a lane without sessions replays nothing').take();
      const { rows, crc, deadLetters } = emitted;
      const letters = deadLetters.length;
      emitted.free();
      if (rows !== cut.rows || letters !== cut.deadLetters || crc !== cut.crc) {
        throw new HeadraceError(
          'REPLAY_DIFFERS',
          'the replay of a committed cut gave other rows than the ledger has',
          {
            where: {
              partition: this.partition,
              cut: cut.cutId,
              to: cut.to,
              rows: `${rows} instead of ${cut.rows}`,
              dead_letters: `${letters} instead of ${cut.deadLetters}`,
            },
            remedy:
              'nothing was written; the topic or the model changed since: compare them with the time of the cut',
          },
        );
      }
      this.#replayed++;
    }
    if (this.mode !== 'replay') return;
    this.mode = 'live';
    this.#wasLive = true;
    this.#options.onLive();
  }
}
