import { setImmediate } from 'node:timers/promises';
import type { Turns } from '#src/reference/snapshot-writer.js';
import type { WorkerCounters } from '#src/telemetry/counters.js';

/** For so long a snapshot may hold the worker at a stretch. */
const TURN_MS = 2;

/** The turns that snapshots have in a worker, and how long each held it. */
export class SnapshotTurns implements Turns {
  readonly #counters: WorkerCounters;
  #sinceMs = 0;

  constructor(counters: WorkerCounters) {
    this.#counters = counters;
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
    if (performance.now() - this.#sinceMs >= TURN_MS) await this.aside(setImmediate());
  }

  async aside<T>(work: Promise<T>): Promise<T> {
    this.end();
    const done = await work;
    this.begin();
    return done;
  }
}
