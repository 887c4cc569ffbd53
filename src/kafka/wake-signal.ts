import type { Clock } from '../clock.js';

/** Said to every sleeper: without a reason, each abort() makes an error with its stack. */
const AWAKE = 'awake';

/** A sleep that others can end. A wake that comes while nobody sleeps ends the next sleep at once. */
export class WakeSignal {
  readonly #clock: Clock;
  #sleeper: AbortController | null = null;
  #woken = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wake(): void {
    this.#woken = true;
    this.#sleeper?.abort(AWAKE);
  }

  /** Resolves after `ms`, at the next wake, or when one of the other promises resolves. One sleeper at a time. */
  async sleep(ms: number, ...others: Promise<unknown>[]): Promise<void> {
    if (!this.#woken) {
      const sleeper = new AbortController();
      this.#sleeper = sleeper;
      await Promise.race([this.#clock.sleep(ms, sleeper.signal), ...others]);
      sleeper.abort(AWAKE); // ends the timer when another promise was first
      this.#sleeper = null;
    }
    this.#woken = false;
  }
}
