import type { Random } from '../random.js';

/** Growing waits between attempts, with jitter so that many clients don't return in step. */
export class Backoff {
  readonly #random: Random;
  readonly #firstMs: number;
  readonly #maxMs: number;
  #attempts = 0;

  constructor(random: Random, firstMs: number, maxMs: number) {
    this.#random = random;
    this.#firstMs = firstMs;
    this.#maxMs = maxMs;
  }

  /** The next wait: doubled each time up to the maximum, then 75–100 % of it. */
  nextMs(): number {
    const full = Math.min(this.#maxMs, this.#firstMs * 2 ** Math.min(this.#attempts, 30));
    this.#attempts += 1;
    return full * (0.75 + 0.25 * this.#random.float());
  }

  reset(): void {
    this.#attempts = 0;
  }
}
