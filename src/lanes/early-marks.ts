import type { Clock } from '../clock.js';
import type { Marks } from '../model/marks.js';
import type { Lane } from './lane.js';

/**
 * Which lanes let their open sessions out early at a cut, as rows that a later one takes back. A standing decision: every so
 * often, each lane that took events since it last did.
 */
export interface EarlyMarksOptions {
  clock: Clock;
  /** Null or left out: never. */
  earlyEveryMs?: number | null;
}

const NONE: ReadonlyMap<number, Marks> = new Map();

export class EarlyMarks {
  readonly #options: EarlyMarksOptions;
  /** Where each lane stood when it last did. */
  readonly #stood = new WeakMap<Lane, { incarnation: number; position: bigint }>();
  /** Monotonic. */
  #nextMs: number;

  constructor(options: EarlyMarksOptions) {
    this.#options = options;
    this.#nextMs = options.clock.monotonicMs() + (options.earlyEveryMs ?? Number.POSITIVE_INFINITY);
  }

  /** The marks of a cut that is made now, by partition. They count as made. */
  take(live: readonly Lane[], positionOf: (lane: Lane) => bigint): ReadonlyMap<number, Marks> {
    const { clock, earlyEveryMs } = this.#options;
    const nowMs = clock.monotonicMs();
    if (nowMs < this.#nextMs) return NONE;
    this.#nextMs = nowMs + (earlyEveryMs ?? Number.POSITIVE_INFINITY);
    const marks = new Map<number, Marks>();
    for (const lane of live) {
      const { incarnation, partition, halted } = lane;
      const position = positionOf(lane);
      const stood = this.#stood.get(lane);
      if (halted !== null || (stood?.incarnation === incarnation && stood.position === position)) continue;
      this.#stood.set(lane, { incarnation, position });
      lane.marked = true;
      marks.set(partition, { early: true });
    }
    return marks;
  }
}
