import type { LaneTally } from '../ledger/types.js';
import type { PlainLog } from '../telemetry/log.js';

/**
 * The data-quality score, once a minute: of the events that lanes took how many were accepted (1: all), for the topic and for
 * the worst partition. Replayed events are not in it.
 */
export class QualityFigures {
  readonly #topic: string;
  readonly #log: PlainLog;
  #lanes = new Map<number, LaneTally>();
  #sinceMs: number;
  #lastMinute: readonly LaneQualityFigure[] = [];

  /** `nowMs`: monotonic, as in tell(). */
  constructor(topic: string, log: PlainLog, nowMs: number) {
    this.#topic = topic;
    this.#log = log;
    this.#sinceMs = nowMs;
  }

  /** Of each lane with events in the last whole minute. */
  get lastMinute(): readonly LaneQualityFigure[] {
    return this.#lastMinute;
  }

  add(tallies: readonly LaneTally[]): void {
    for (const { partition, events, reasons } of tallies) {
      const known = this.#lanes.get(partition) ?? { partition, events: 0, reasons: {} };
      this.#lanes.set(partition, known);
      known.events += events;
      for (const [reason, letters] of Object.entries(reasons))
        known.reasons[reason] = (known.reasons[reason] ?? 0) + letters;
    }
  }

  /** Says it when a minute has passed and there were events. */
  tell(nowMs: number): void {
    if (nowMs - this.#sinceMs < MINUTE_MS) return;
    this.#sinceMs = nowMs;
    const lanes = [...this.#lanes.values()];
    this.#lanes = new Map();
    this.#lastMinute = lanes.map(figureOf);
    if (lanes.length === 0) return;
    const [events, letters] = [sum(lanes.map((lane) => lane.events)), sum(lanes.map(lettersOf))];
    const worst = this.#lastMinute.reduce((a, b) => (b.quality < a.quality ? b : a));
    this.#log.info(
      {
        topic: this.#topic,
        quality: qualityOf(events, letters),
        events,
        dead_letters: letters,
        ...(letters === 0
          ? {}
          : { worst_partition: worst.partition, worst_quality: worst.quality, ...reasonsOf(lanes) }),
      },
      'data quality',
    );
  }
}

export interface LaneQualityFigure {
  partition: number;
  events: number;
  letters: number;
  /** Accepted of all, 0 to 1. */
  quality: number;
}

const MINUTE_MS = 60_000;

function figureOf(lane: LaneTally): LaneQualityFigure {
  const { partition, events } = lane;
  const letters = lettersOf(lane);
  return { partition, events, letters, quality: qualityOf(events, letters) };
}

/** Rounded down: 1 is said only of what is whole. */
function qualityOf(events: number, letters: number): number {
  return events === 0 ? 1 : Math.floor(((events - letters) / events) * 10_000) / 10_000;
}

function lettersOf({ reasons }: LaneTally): number {
  return sum(Object.values(reasons));
}

function reasonsOf(lanes: readonly LaneTally[]): Record<string, number> {
  const all: Record<string, number> = {};
  for (const { reasons } of lanes)
    for (const [reason, letters] of Object.entries(reasons)) all[reason] = (all[reason] ?? 0) + letters;
  return all;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
