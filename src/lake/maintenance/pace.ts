import type { Clock } from '../../clock.js';

/** Keeps what is read and written below so many bytes a second: who spent more waits for the time that it stands for. */
export class IoPace {
  readonly #bytesPerSecond: number | null;
  readonly #clock: Clock;
  #freeAtMs: number;
  spentBytes = 0;

  constructor(bytesPerSecond: number | null, clock: Clock) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#clock = clock;
    this.#freeAtMs = clock.monotonicMs();
  }

  async spend(bytes: number, signal?: AbortSignal): Promise<void> {
    this.spentBytes += bytes;
    if (this.#bytesPerSecond === null) return;
    const nowMs = this.#clock.monotonicMs();
    const waitMs = this.#freeAtMs - nowMs;
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs) + (bytes / this.#bytesPerSecond) * 1_000;
    if (waitMs > 0) await this.#clock.sleep(waitMs, signal);
  }
}
