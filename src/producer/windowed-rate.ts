/** Whole seconds, the last 30 of them; Java's window is two samples of 30 s, of which the newer is filling up. */
const WINDOW_SECONDS = 30;

/** How many a second, over the last 30 s or since the start, whichever is shorter. */
export class WindowedRate {
  readonly #counts = new Float64Array(WINDOW_SECONDS);
  readonly #startedMs: number;
  #second = 0;

  /** All times are of one monotonic clock. */
  constructor(startedMs: number) {
    this.#startedMs = startedMs;
  }

  add(nowMs: number): void {
    this.#advance(nowMs);
    this.#counts[this.#second % WINDOW_SECONDS]!++;
  }

  perSecond(nowMs: number): number {
    const elapsed = this.#advance(nowMs);
    const total = this.#counts.reduce((sum, count) => sum + count, 0);
    // nothing is made up of a first, short second; the oldest second is whole, the newest goes on
    return total / Math.max(1, Math.min(elapsed, WINDOW_SECONDS - 1 + (elapsed % 1)));
  }

  /** Empties the seconds that have passed; returns how many have, with their fraction. */
  #advance(nowMs: number): number {
    const elapsed = (nowMs - this.#startedMs) / 1_000;
    const second = Math.floor(elapsed);
    if (second === this.#second) return elapsed;
    const from = Math.max(this.#second + 1, second - WINDOW_SECONDS + 1);
    for (let each = from; each <= second; each++) this.#counts[each % WINDOW_SECONDS] = 0;
    this.#second = second;
    return elapsed;
  }
}
