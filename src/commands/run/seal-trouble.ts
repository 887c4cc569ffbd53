import type { Clock } from '../../clock.js';
import { HeadraceError, type PlainError } from '../../errors.js';
import type { Log } from '../../telemetry/log.js';
import { RepeatLimitedLog } from '../../telemetry/repeat-limited-log.js';

/** Workers that can't write the files of a cut, as on a full disk: a line that says so now and then, and one when it is over. */
export class SealTrouble {
  readonly #log: Log;
  readonly #repeats: RepeatLimitedLog;
  readonly #clock: Clock;
  /** By worker: since when, monotonic ms. */
  readonly #since = new Map<number, number>();

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#repeats = new RepeatLimitedLog(log, clock);
    this.#clock = clock;
  }

  get isMet(): boolean {
    return this.#since.size > 0;
  }

  met(worker: number, plain: PlainError): void {
    if (!this.#since.has(worker)) this.#since.set(worker, this.#clock.monotonicMs());
    const error = HeadraceError.fromPlain(plain);
    this.#repeats.warn(
      `${worker}`,
      { error, worker },
      'could not write a file of a cut; trying again, its rows wait',
    );
  }

  /** All files of a cut are written. */
  over(worker: number): void {
    const sinceMs = this.#since.get(worker);
    if (sinceMs === undefined) return;
    this.#since.delete(worker);
    const afterMs = Math.round(this.#clock.monotonicMs() - sinceMs);
    this.#log.info({ worker, after_ms: afterMs }, 'the files of cuts are written again');
  }
}
