import type { Clock } from '../clock.js';
import type { Log, LogFields, LogLevel } from './log.js';

/**
 * A log in which a message that repeats takes one line a window: the first at once, then `… 37 more in 5 s`. What
 * counts as a repeat is level and message, never the fields. Without timers: a count comes out with the next line of
 * any message, or by `flush`.
 */
export interface RateLimitedLog extends Log {
  /** Writes the counts that are still kept back; before an exit. */
  flush(): void;
  child(bindings: LogFields): RateLimitedLog;
}

interface Window {
  log: Log;
  level: LogLevel;
  message: string;
  startMs: number;
  /** Lines left out since the start, when the last of them came, and its fields. */
  held: number;
  lastMs: number;
  fields: LogFields;
}

/** Messages are constants, a few dozen a child; many more means that somebody puts values into them. */
const WINDOWS_MAX = 1_000;

export function rateLimited(log: Log, clock: Clock, everyMs: number): RateLimitedLog {
  return new Limited(log, { clock, everyMs, windows: new Map(), children: 0 });
}

/** What a log and its children have in common, so that one flush reaches all and a forgotten child leaves nothing. */
interface Family {
  clock: Clock;
  everyMs: number;
  windows: Map<string, Window>;
  children: number;
}

class Limited implements RateLimitedLog {
  readonly #log: Log;
  readonly #family: Family;
  readonly #id: number;

  constructor(log: Log, family: Family) {
    this.#log = log;
    this.#family = family;
    this.#id = family.children++;
  }

  trace(fields: LogFields, message: string): void {
    this.#write('trace', fields, message);
  }
  debug(fields: LogFields, message: string): void {
    this.#write('debug', fields, message);
  }
  info(fields: LogFields, message: string): void {
    this.#write('info', fields, message);
  }
  warn(fields: LogFields, message: string): void {
    this.#write('warn', fields, message);
  }
  error(fields: LogFields, message: string): void {
    this.#write('error', fields, message);
  }

  child(bindings: LogFields): RateLimitedLog {
    return new Limited(this.#log.child(bindings), this.#family);
  }

  flush(): void {
    const { windows } = this.#family;
    for (const window of windows.values()) release(window);
    windows.clear();
  }

  #write(level: LogLevel, fields: LogFields, message: string): void {
    const { clock, everyMs, windows } = this.#family;
    const nowMs = clock.monotonicMs();
    const key = `${this.#id} ${level} ${message}`;
    const own = windows.get(key);
    if (own !== undefined && nowMs - own.startMs < everyMs) {
      own.held++;
      own.lastMs = nowMs;
      own.fields = fields;
    } else {
      windows.delete(key);
      this.#log[level](fields, own === undefined ? message : withCount(own));
      windows.set(key, { log: this.#log, level, message, startMs: nowMs, held: 0, lastMs: nowMs, fields });
    }
    if (windows.size > WINDOWS_MAX) this.flush();
    for (const [other, window] of windows) {
      if (nowMs - window.startMs < everyMs) continue;
      windows.delete(other);
      release(window);
    }
  }
}

/** Writes what a window held back, with the fields of its last line. */
function release(window: Window): void {
  if (window.held > 0) window.log[window.level](window.fields, withCount(window));
}

function withCount({ message, held, startMs, lastMs }: Window): string {
  if (held === 0) return message;
  return `${message} … ${held} more in ${Math.max(1, Math.round((lastMs - startMs) / 1_000))} s`;
}
