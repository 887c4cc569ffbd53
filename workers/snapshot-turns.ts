import { setImmediate } from 'node:timers/promises';
import type { Turns } from '#src/reference/turns.js';
import type { WorkerCounters } from '#src/telemetry/counters.js';

/** For so long a snapshot may hold the worker at a stretch; the lane that is restored waits for it. */
const TURN_MS = { taking: 2, restoring: 4 };

/** The turns that snapshots have in a worker, and how long each held it. */
export class SnapshotTurns implements Turns {
  readonly #counters: WorkerCounters;
  readonly #turnMs: number;
  #sinceMs = 0;

  constructor(counters: WorkerCounters, work: keyof typeof TURN_MS) {
    this.#counters = counters;
    this.#turnMs = TURN_MS[work];
  }

  begin(): void {
    this.#sinceMs = performance.now();
  }

  end(): void {
    const ns = Math.round((performance.now() - this.#sinceMs) * 1e6);
    this.#counters.add('snapshotNs', ns);
    this.#counters.atLeast('snapshotStopNs', ns);
  }

  /** The lanes' turn, when this one was long enough. */
  async turn(): Promise<void> {
    if (performance.now() - this.#sinceMs >= this.#turnMs) await this.aside(setImmediate());
  }

  async aside<T>(work: Promise<T>): Promise<T> {
    this.end();
    const done = await work;
    this.begin();
    return done;
  }
}
