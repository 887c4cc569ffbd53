import { setImmediate, setTimeout } from 'node:timers/promises';
import type { Clock } from '#src/clock.js';

/** Who sleeps wakes in the next turn of the event loop, and the time is then what it would be. */
export class HurriedClock implements Clock {
  #ms: number;

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#ms = startMs;
  }

  nowMs(): number {
    return Math.floor(this.#ms);
  }

  monotonicMs(): number {
    return this.#ms;
  }

  advance(ms: number): void {
    this.#ms += ms;
  }

  async sleep(ms: number): Promise<void> {
    const untilMs = this.#ms + ms;
    await setImmediate();
    this.#ms = Math.max(this.#ms, untilMs);
  }
}

/** Lets the event loop turn until a condition holds; says what never came. */
export async function until(what: string, holds: () => boolean, turnsMax = 20_000): Promise<void> {
  for (let turn = 0; !holds(); turn++) {
    if (turn >= turnsMax) throw new Error(`never: ${what}`);
    await setImmediate();
  }
}

/** Waits for something that real I/O brings; says what never came. */
export async function eventually(what: string, holds: () => boolean, timeoutMs = 20_000): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!holds()) {
    if (performance.now() > deadlineMs) throw new Error(`never: ${what}`);
    await setTimeout(1);
  }
}
