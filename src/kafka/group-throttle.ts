import type { Clock } from '../clock.js';

/**
 * Lets one line a subject and interval through and says how many it held back, so that trouble that lasts neither
 * floods the log nor goes quiet.
 */
export class Throttle {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #subjects = new Map<string, { lastMs: number; heldBack: number }>();

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
  }

  /** Calls `line` when the subject's last line is old enough. `heldBack`: lines not let through since then. */
  offer(subject: string, line: (heldBack: number) => void): void {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#subjects.get(subject);
    if (known !== undefined && nowMs - known.lastMs < this.#intervalMs) {
      known.heldBack += 1;
      return;
    }
    this.#subjects.set(subject, { lastMs: nowMs, heldBack: 0 });
    line(known?.heldBack ?? 0);
  }

  /** The trouble is over: its next line, if it comes back, passes at once. True when a line had been let through. */
  clear(subject: string): boolean {
    return this.#subjects.delete(subject);
  }
}
