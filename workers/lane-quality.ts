import type { QualityConfig } from '#src/config/types.js';
import { HeadraceError } from '#src/errors.js';
import type { LaneTally } from '#src/ledger/types.js';
import type { DeadLetter } from '#src/model/types.js';

/**
 * How many of a lane's events are usable, by the worker's monotonic clock: for the figures, and to stop a lane whose producer
 * is broken before a day of it has become dead letters. It decides no row: a lane that it stops has taken nothing since its
 * last cut, as far as the ledger is concerned.
 */
const BUCKETS = 12;

export class LaneQuality {
  readonly #where: { topic: string; partition: number };
  readonly #limits: QualityConfig | null;
  #buckets: Bucket[] = [];
  #tally: LaneTally | null = null;

  constructor(where: { topic: string; partition: number }, limits: QualityConfig | null) {
    this.#where = where;
    this.#limits = limits;
  }

  /** Notes events that a live lane took, those among them that became dead letters included. Throws HeadraceError QUALITY_LOW. */
  note(nowMs: number, events: number, letters: readonly DeadLetter[]): void {
    if (events === 0 && letters.length === 0) return;
    this.#tally ??= { partition: this.#where.partition, events: 0, reasons: {} };
    this.#tally.events += events;
    for (const { reason } of letters) this.#tally.reasons[reason] = (this.#tally.reasons[reason] ?? 0) + 1;
    if (this.#limits !== null) this.#judge(this.#limits, nowMs, events, letters);
  }

  /** What was noted since the last call, or null: nothing. */
  takeTally(): LaneTally | null {
    const tally = this.#tally;
    this.#tally = null;
    return tally;
  }

  #judge(limits: QualityConfig, nowMs: number, events: number, letters: readonly DeadLetter[]): void {
    const bucketMs = limits.overMs / BUCKETS;
    this.#buckets = this.#buckets.filter(({ fromMs }) => nowMs - fromMs < limits.overMs);
    const last = this.#buckets.at(-1);
    const bucket = last !== undefined && nowMs - last.fromMs < bucketMs ? last : new Bucket(nowMs);
    if (bucket !== last) this.#buckets.push(bucket);
    bucket.note(events, letters);
    const all = sum(this.#buckets.map((each) => each.events));
    const refused = sum(this.#buckets.map((each) => each.letters));
    if (all < limits.eventsMin || all - refused >= limits.min * all) return;
    throw this.#low(limits, all, refused);
  }

  #low({ min, overMs }: QualityConfig, all: number, refused: number): HeadraceError {
    const bad = this.#buckets.filter(({ letters }) => letters > 0);
    const reasons = new Map<string, number>();
    for (const { reasons: some } of bad)
      for (const [reason, count] of some) reasons.set(reason, (reasons.get(reason) ?? 0) + count);
    const worst = [...reasons].sort(([, a], [, b]) => b - a).slice(0, REASONS_SHOWN);
    const score = Math.floor(((all - refused) / all) * 10_000) / 10_000;
    return new HeadraceError(
      'QUALITY_LOW',
      `${refused} of the last ${all} events were refused: of 1 only ${score} is usable, quality.min asks for ${min}`,
      {
        where: {
          ...this.#where,
          offsets: `${bad[0]!.firstOffset}-${bad.at(-1)!.lastOffset}`,
          over_ms: overMs,
          ...Object.fromEntries(worst),
        },
        remedy:
          'nothing was written since the last commit of the partition; mend the producer and start again, or start with --quality-min off: they become dead letters then, and the partition goes on from the ledger',
      },
    );
  }
}

const REASONS_SHOWN = 3;

class Bucket {
  readonly fromMs: number;
  events = 0;
  letters = 0;
  readonly reasons = new Map<string, number>();
  firstOffset = 0n;
  lastOffset = 0n;

  constructor(fromMs: number) {
    this.fromMs = fromMs;
  }

  note(events: number, letters: readonly DeadLetter[]): void {
    this.events += events;
    if (letters.length === 0) return;
    if (this.letters === 0) this.firstOffset = letters[0]!.offset;
    this.lastOffset = letters.at(-1)!.offset;
    this.letters += letters.length;
    for (const { reason } of letters) this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1);
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
