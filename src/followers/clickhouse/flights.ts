import type { Clock } from '../../clock.js';
import type { LedgerFile } from '../ledger-files.js';
import { withinMs } from '../within-ms.js';

interface Flight {
  file: LedgerFile;
  abort: AbortController;
  landed: Promise<void>;
}

/** The inserts that are under way, at most one a worker. */
export class Flights {
  readonly #byWorker = new Map<number, Flight>();

  get size(): number {
    return this.#byWorker.size;
  }

  /** Those that have something under way. */
  get workers(): Iterable<number> {
    return this.#byWorker.keys();
  }

  has(worker: number): boolean {
    return this.#byWorker.has(worker);
  }

  /** `land` resolves when it is told of in the end, and never rejects. */
  start(worker: number, file: LedgerFile, land: (signal: AbortSignal) => Promise<void>): void {
    const abort = new AbortController();
    this.#byWorker.set(worker, { file, abort, landed: land(abort.signal) });
  }

  over(worker: number): void {
    this.#byWorker.delete(worker);
  }

  /** Those of these lanes are waited for, and after the time given up. */
  async finish(
    partitions: readonly number[],
    clock: Clock,
    timeoutMs: number,
    abortMs: number,
  ): Promise<void> {
    const landed = Promise.all(this.#of(partitions).map((flight) => flight.landed));
    await withinMs(clock, timeoutMs, landed);
    for (const { abort } of this.#of(partitions)) abort.abort();
    await withinMs(clock, abortMs, landed);
  }

  /** Gives those of these lanes up that are nobody's of ours. */
  abandon(partitions: readonly number[], isOurs: (lane: number) => boolean): void {
    for (const { file, abort } of this.#of(partitions)) if (!file.lanes.some(isOurs)) abort.abort();
  }

  /** Gives all up, and resolves when each has been told of. */
  async abortAll(): Promise<void> {
    const flights = [...this.#byWorker.values()];
    for (const { abort } of flights) abort.abort();
    await Promise.all(flights.map(({ landed }) => landed));
  }

  #of(partitions: readonly number[]): Flight[] {
    const lanes = new Set(partitions);
    return [...this.#byWorker.values()].filter(({ file }) => file.lanes.some((lane) => lanes.has(lane)));
  }
}
