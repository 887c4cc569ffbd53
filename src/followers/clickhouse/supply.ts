import type { Clock } from '../../clock.js';
import { READY_MS_MAX } from './schedule.js';

/**
 * How many files are got ready for a worker ahead of their turn: as many as it has brought in lately in two thirds of the time for
 * which what is learnt of a file holds. The first ones go one by one.
 */
const LATELY_MS = (READY_MS_MAX * 2) / 3;
const AHEAD_MAX = 32;

export class Supply {
  readonly #clock: Clock;
  /** When each worker's last inserts ended, monotonic ms. */
  readonly #landedMs = new Map<number, number[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  landed(worker: number): void {
    const times = this.#lately(worker);
    times.push(this.#clock.monotonicMs());
    this.#landedMs.set(worker, times.slice(-AHEAD_MAX));
  }

  /** The first ones of each worker. */
  next<T>(all: readonly T[], workerOf: (each: T) => number | undefined): T[] {
    return this.#first(all, workerOf, (worker) => this.#wanted(worker));
  }

  /** The first ones of each worker, up to what it ought to have, if it has no more than half of it. `ready`: whose those that it has are. */
  refill<T>(
    all: readonly T[],
    workerOf: (each: T) => number | undefined,
    ready: readonly (number | undefined)[],
  ): T[] {
    const room = (worker: number) => {
      const has = ready.filter((each) => each === worker).length;
      const wanted = this.#wanted(worker);
      return has > wanted / 2 ? 0 : wanted - has;
    };
    return this.#first(all, workerOf, room);
  }

  #first<T>(
    all: readonly T[],
    workerOf: (each: T) => number | undefined,
    roomOf: (worker: number) => number,
  ): T[] {
    const left = new Map<number, number>();
    return all.filter((each) => {
      const worker = workerOf(each);
      if (worker === undefined) return false;
      const room = left.get(worker) ?? roomOf(worker);
      left.set(worker, room - 1);
      return room > 0;
    });
  }

  #wanted(worker: number): number {
    return this.#lately(worker).length;
  }

  #lately(worker: number): number[] {
    const sinceMs = this.#clock.monotonicMs() - LATELY_MS;
    return (this.#landedMs.get(worker) ?? []).filter((ms) => ms > sinceMs);
  }
}
