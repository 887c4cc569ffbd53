import { HeadraceError } from '#src/errors.js';
import type { Kernel } from '#src/kernel/kernel.js';
import type { Marks } from '#src/model/marks.js';
import type { DeadLetter } from '#src/model/types.js';
import type { OpenBatch } from '#src/reference/batch-reader.js';
import type { Accepted, Emitted, LaneEngine } from './engine.js';
import type { KernelDecider } from './kernel-decider.js';
import { KernelEmitted } from './kernel-rows.js';
import { KernelState } from './kernel-state.js';

/** No time, and no log-append time. */
const NONE = -(2n ** 63n);
/** Head of a state's bytes: watermark f64, keys u32. */
const STATE_HEAD_BYTES = 12;
/** What of a snapshot is copied into the kernel at a time; more where one key takes more. */
const PORTION_BYTES = 1 << 18;

export class KernelLane implements LaneEngine {
  readonly #kernel: Kernel;
  readonly #decider: KernelDecider;
  readonly #lane: number;
  readonly #partition: number;
  #deadLetters: DeadLetter[] = [];
  #blanked = 0;
  /** Rows that had to leave the kernel before they were taken. */
  #moved: KernelEmitted | null = null;
  /** The newest snapshot. */
  #state: KernelState | null = null;

  constructor(kernel: Kernel, decider: KernelDecider, partition: number) {
    this.#partition = partition;
    this.#kernel = kernel;
    this.#decider = decider;
    this.#lane = kernel.exports.laneNew() >>> 0;
    if (this.#lane === 0) throw memoryFull('for another lane');
  }

  /** Where the lane is in the kernel. */
  get address(): number {
    return this.#lane;
  }

  get watermarkMs(): number | null {
    const ms = this.#kernel.exports.laneWatermark(this.#lane);
    return ms === NONE ? null : Number(ms);
  }

  get openSessions(): number {
    return this.#kernel.exports.laneOpenSessions(this.#lane);
  }

  get sessionBytes(): number {
    return Number(this.#kernel.exports.laneSessionBytes(this.#lane));
  }

  get clamped(): number {
    return Number(this.#kernel.exports.laneClamped(this.#lane));
  }

  get blanked(): number {
    return this.#blanked;
  }

  get filtered(): number {
    return Number(this.#kernel.exports.laneFiltered(this.#lane));
  }

  get deadLetters(): readonly DeadLetter[] {
    return this.#deadLetters;
  }

  accept(batch: OpenBatch, from: bigint, until: bigint): Accepted {
    if (batch.count === 0) return { events: 0, nextOffset: until, full: false };
    const { exports } = this.#kernel;
    const place = { partition: this.#partition, offset: batch.baseOffset };
    this.#decider.begin(this.#lane, place, batch.recordBytesMax, this.#deadLetters);
    const records = exports.run(
      this.#lane,
      batch.records.byteOffset,
      batch.records.byteLength,
      from - batch.baseOffset,
      until - batch.baseOffset,
      BigInt(batch.baseTimestampMs),
      batch.appendTimeMs === null ? NONE : BigInt(batch.appendTimeMs),
      batch.recordBytesMax,
      batch.baseOffset,
      this.#partition,
    );
    const events = records + this.#decider.moreEvents;
    this.#blanked += exports.runBlanked() + this.#decider.blanked;
    const full = exports.runWasFull() !== 0;
    return { events, nextOffset: full ? batch.baseOffset + BigInt(exports.runEndedAt()) : until, full };
  }

  applyMarks(marks: Marks): void {
    const { exports } = this.#kernel;
    exports.laneSettle(this.#lane);
    if (marks.idleWatermarkMs !== undefined) {
      exports.laneMoveWatermark(this.#lane, BigInt(marks.idleWatermarkMs));
      exports.laneSettle(this.#lane);
    }
    if (marks.evictBeforeMs !== undefined) exports.laneEvict(this.#lane, BigInt(marks.evictBeforeMs));
    if (marks.early) exports.laneEarly(this.#lane);
    if (marks.endOfInput) exports.laneEndOfInput(this.#lane);
  }

  take(): Emitted {
    this.#kernel.exports.laneSettle(this.#lane);
    const deadLetters = this.#deadLetters;
    this.#deadLetters = [];
    const before = this.#moved;
    this.#moved = null;
    return new KernelEmitted(this.#kernel, this.#lane, deadLetters, before);
  }

  /** Rows under way take much of the kernel's memory: this lane's leave it, whatever it is doing just now. */
  moveRows(): void {
    this.#moved = new KernelEmitted(this.#kernel, this.#lane, [], this.#moved);
    this.#moved.spill();
  }

  snapshot(): Uint8Array {
    const state = this.beginSnapshot();
    const parts: Uint8Array[] = [];
    for (let some = state.next(); some !== null; some = state.next()) parts.push(...some);
    return Buffer.concat(parts);
  }

  beginSnapshot(): KernelState {
    const { exports } = this.#kernel;
    this.#state?.finish();
    exports.laneSettle(this.#lane);
    const head = Buffer.alloc(STATE_HEAD_BYTES);
    head.writeDoubleLE(this.watermarkMs ?? Number.NaN, 0);
    head.writeUInt32LE(exports.laneKeys(this.#lane), 8);
    exports.snapshotBegin(this.#lane);
    this.#state = new KernelState(head, () => exports.snapshotNext(this.#lane));
    return this.#state;
  }

  /** The kernel gives keys of the snapshot under way. */
  kept(bytes: Uint8Array): void {
    this.#state!.add(bytes);
  }

  /**
   * Fills an empty lane, as long as all sessions together take no more than `sessionBytesMax`. Throws Error with what is
   * wrong, or HeadraceError SESSION_MEMORY_FULL; the lane has given its memory back then.
   */
  restore(content: Uint8Array, sessionBytesMax: number): void {
    try {
      for (const _ of this.#restoring(content, sessionBytesMax));
    } catch (error) {
      this.free();
      throw error;
    }
  }

  /** The same in turns with other lanes. */
  async restoreInTurns(
    content: Uint8Array,
    sessionBytesMax: number,
    turn: () => Promise<void>,
  ): Promise<void> {
    try {
      for (const _ of this.#restoring(content, sessionBytesMax)) await turn();
    } catch (error) {
      this.free();
      throw error;
    }
  }

  /** Between two portions others may use the kernel. */
  *#restoring(bytes: Uint8Array, sessionBytesMax: number): Generator<void> {
    const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (content.length < STATE_HEAD_BYTES) throw new Error('it is cut off');
    const watermarkMs = content.readDoubleLE(0);
    if (!Number.isNaN(watermarkMs) && !Number.isSafeInteger(watermarkMs)) {
      throw new Error('a watermark that is no time');
    }
    const { exports } = this.#kernel;
    exports.restoreBegin(this.#lane, Number.isNaN(watermarkMs) ? NONE : BigInt(watermarkMs));
    let keys = content.readUInt32LE(8);
    let at = STATE_HEAD_BYTES;
    let portionBytes = PORTION_BYTES;
    while (keys > 0) {
      if (exports.sessionBytes() > sessionBytesMax) throw memoryFull('for a snapshot');
      const taken = this.#restorePortion(content.subarray(at, at + portionBytes), keys);
      if (taken.bytes === 0) {
        // a key larger than the portion, or one that is cut off
        if (at + portionBytes >= content.length) throw new Error('it is cut off');
        portionBytes *= 2;
        continue;
      }
      at += taken.bytes;
      keys -= taken.keys;
      portionBytes = PORTION_BYTES;
      yield;
    }
    if (at !== content.length) throw new Error('bytes behind the last key');
    exports.restoreEnd(this.#lane);
  }

  #restorePortion(portion: Buffer, keysMax: number): { bytes: number; keys: number } {
    const { exports, bytes } = this.#kernel;
    const place = exports.alloc(portion.length + 64) >>> 0;
    if (place === 0) throw memoryFull('for a snapshot');
    bytes.set(portion, place);
    const taken = exports.restoreKeys(this.#lane, place, portion.length, keysMax);
    exports.free(place);
    if (taken < 0) throw new Error('sessions that can not be');
    return { bytes: taken, keys: exports.restoredKeys() };
  }

  free(): void {
    this.#kernel.exports.laneFree(this.#lane);
    this.#state?.abandon();
    this.#state = null;
    this.#deadLetters = [];
    this.#moved = null;
  }
}

function memoryFull(what: string): HeadraceError {
  return new HeadraceError('SESSION_MEMORY_FULL', `the kernel's memory has no room ${what}`, {
    remedy: 'raise limits.session_memory_bytes, or run more workers or engines',
  });
}
