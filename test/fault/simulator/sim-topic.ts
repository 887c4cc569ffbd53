import type { Random } from '#src/random.js';
import { WALL_MS } from './sim-process.js';
import { FUTURE_MS, type ToyEvent } from './toy-sessions.js';

/** What Kafka holds: events a lane, each there from some time on. */
export class SimTopic {
  /** By partition and offset. */
  readonly lanes: readonly (readonly ToyEvent[])[];
  /** When each event came, ms since the world began. */
  readonly #arrivals: readonly (readonly number[])[];

  constructor(random: Random, lanes: number, durationMs: number) {
    const made = Array.from({ length: lanes }, () => makeLane(random, durationMs));
    this.lanes = made.map(({ events }) => events);
    this.#arrivals = made.map(({ arrivals }) => arrivals);
  }

  /** For how long nothing came between the event before an offset and the one at it. */
  silenceAt(partition: number, offset: number): number {
    const arrivals = this.#arrivals[partition]!;
    return (arrivals[offset] ?? Number.POSITIVE_INFINITY) - (arrivals[offset - 1] ?? 0);
  }

  /** The offset behind the last event that can be read now. */
  end(partition: number, nowMs: number): number {
    const arrivals = this.#arrivals[partition]!;
    const behind = arrivals.findIndex((ms) => ms > nowMs);
    return behind < 0 ? arrivals.length : behind;
  }
}

/** A few keys with pauses, disorder, late ones and some far ahead; the last event closes all sessions before it. */
function makeLane(random: Random, durationMs: number) {
  const events: ToyEvent[] = [];
  const arrivals: number[] = [];
  const paceMs = 200 + random.below(1_200);
  for (let atMs = random.below(1_000); atMs < durationMs; atMs += random.below(2 * paceMs)) {
    const behindMs = random.below(10) === 0 ? random.below(14_000) : random.below(1_300);
    const aheadMs = random.below(40) === 0 ? FUTURE_MS + 1 + random.below(60_000) : 0;
    const timestampMs = WALL_MS + atMs;
    events.push({ key: random.below(4), timeMs: timestampMs + (aheadMs || -behindMs), timestampMs });
    arrivals.push(atMs);
    if (random.below(20) === 0) atMs += random.below(8_000);
  }
  const endMs = WALL_MS + durationMs + 60_000;
  events.push({ key: 9, timeMs: endMs, timestampMs: endMs });
  arrivals.push(durationMs);
  return { events, arrivals };
}
