import type { Clock } from '../clock.js';
import type { LogFields, PlainLog } from './log.js';

/** Lines that tell the same, by key, are this far apart at least. */
const REPEAT_INTERVAL_MS = 5_000;
/** Keys come from brokers and partitions; more of them than this are forgotten, oldest first. */
const KEYS_MAX = 1_000;

/** Lets one line through per key and interval, with the number of those it held back. */
export class RepeatLimitedLog {
  readonly #log: PlainLog;
  readonly #clock: Clock;
  readonly #seen = new Map<string, { atMs: number; heldBack: number }>();

  constructor(log: PlainLog, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  warn(key: string, fields: LogFields, message: string): void {
    this.#write('warn', key, fields, message);
  }

  error(key: string, fields: LogFields, message: string): void {
    this.#write('error', key, fields, message);
  }

  #write(level: 'warn' | 'error', key: string, fields: LogFields, message: string): void {
    const now = this.#clock.monotonicMs();
    const seen = this.#seen.get(key);
    if (seen !== undefined && now - seen.atMs < REPEAT_INTERVAL_MS) {
      seen.heldBack += 1;
      return;
    }
    this.#seen.delete(key);
    this.#seen.set(key, { atMs: now, heldBack: 0 });
    if (this.#seen.size > KEYS_MAX) this.#seen.delete(this.#seen.keys().next().value!);
    const repeats = seen?.heldBack ?? 0;
    this.#log[level](repeats > 0 ? { ...fields, repeats } : fields, message);
  }
}
