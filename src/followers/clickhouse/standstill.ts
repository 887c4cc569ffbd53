import type { Clock } from '../../clock.js';

/**
 * Has this process stood still, as when its machine was suspended? What it asked before and reads only now is old news: another
 * engine may have been given its lanes meanwhile. An answer that was merely slow is not: while it was awaited, the beat went on.
 */
const BEAT_MS = 500;
/** Well below any session time-out, and more than a busy event loop needs. */
const STANDSTILL_MS = 3_000;

export class StandstillWatch {
  readonly #clock: Clock;
  readonly #closed = new AbortController();
  #beatMs: number;
  /** When the last standstill was over, monotonic ms. */
  #overMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#beatMs = clock.monotonicMs();
    void this.#run();
  }

  /** Has it stood still since then (monotonic ms)? */
  since(ms: number): boolean {
    this.#beat();
    return this.#overMs >= ms;
  }

  close(): void {
    this.#closed.abort();
  }

  async #run(): Promise<void> {
    while (!this.#closed.signal.aborted) {
      await this.#clock.sleep(BEAT_MS, this.#closed.signal);
      this.#beat();
    }
  }

  #beat(): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#beatMs >= STANDSTILL_MS) this.#overMs = nowMs;
    this.#beatMs = nowMs;
  }
}
