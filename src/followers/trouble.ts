import type { Clock } from '../clock.js';
import { HeadraceError, messageOf } from '../errors.js';
import { Backoff } from '../kafka/backoff.js';
import type { Random } from '../random.js';
import type { PlainLog } from '../telemetry/log.js';
import { RepeatLimitedLog } from '../telemetry/repeat-limited-log.js';

/**
 * What goes wrong between a follower and what it brings up to date (here ClickHouse): how long it waits, and one line that says so, and one when it is
 * over. What concerns all files (nobody there, no entrance, tables unfit) holds all of them up; a refused file only itself.
 */
const FIRST_WAIT_MS = 250;
const WAIT_MS_MAX = 30_000;
/** Tables don't mend themselves. */
const UNFIT_WAIT_MS = 60_000;
/** Longer than a request of a worker takes to fail. */
const MOVE_TOLD_MS = 60_000;
/** Files that have failed and are remembered for it. */
const FILES_MAX = 10_000;

export interface TroubleOptions {
  /** Who follows, as messages call it, and what it counts its backlog in. */
  name?: string;
  behind?: 'files_behind' | 'versions_behind';
  clock: Clock;
  random: Random;
  log: PlainLog;
}

export class FollowerTrouble {
  readonly #options: TroubleOptions;
  readonly #log: RepeatLimitedLog;
  readonly #waits: Backoff;
  readonly #files = new Map<string, Backoff>();
  #untilMs = 0;
  #sinceMs: number | null = null;
  #halted: HeadraceError | null = null;
  /** The host that was gone on with, and when that was told. */
  #moved: { to: unknown; atMs: number } | null = null;

  constructor(options: TroubleOptions) {
    this.#options = options;
    this.#log = new RepeatLimitedLog(options.log, options.clock);
    this.#waits = new Backoff(options.random, FIRST_WAIT_MS, WAIT_MS_MAX);
  }

  get #name(): string {
    return this.#options.name ?? 'ClickHouse';
  }

  get #behind(): string {
    return this.#options.behind ?? 'files_behind';
  }

  /** Nothing is done before, monotonic ms. */
  get untilMs(): number {
    return this.#untilMs;
  }

  /** Why nothing is done any more until the engine is started again, or null. */
  get halted(): HeadraceError | null {
    return this.#halted;
  }

  /** Is there trouble that concerns all files? */
  get isOn(): boolean {
    return this.#sinceMs !== null;
  }

  /** Something that concerns all files. */
  met(error: unknown, filesBehind: number): void {
    const nowMs = this.#options.clock.monotonicMs();
    const failure = asHeadrace(error);
    const isTold = this.#isTold(failure, nowMs);
    if (!isTold) this.#sinceMs ??= nowMs;
    if (failure.disposition === 'halt') {
      this.#halted = failure;
      this.#untilMs = Number.POSITIVE_INFINITY;
      this.#options.log.error(
        { error: failure.toString() },
        `${this.#name} is not followed any more; the lake goes on`,
      );
      return;
    }
    // several inserts fail together
    if (nowMs < this.#untilMs) return;
    const waitMs = isPassing(failure) ? this.#waits.nextMs() : UNFIT_WAIT_MS;
    this.#untilMs = Math.max(this.#untilMs, nowMs + waitMs);
    // what the engine does at such an error elsewhere is not what it does for a follower's sake
    const told = isPassing(failure) ? failure : failure.toString();
    const fields = { error: told, [this.#behind]: filesBehind, next_try_ms: Math.round(waitMs) };
    if (isTold) return;
    const nextHost = failure.where.next_url;
    if (nextHost !== undefined) this.#moved = { to: nextHost, atMs: nowMs };
    this.#log.error(
      `${failure.code} ${nextHost}`,
      fields,
      nextHost === undefined
        ? `${this.#name} does not get on; its files wait in the lake, the lake goes on`
        : `${this.#name} can not be reached at one host: going on with the next one, ${nextHost}`,
    );
  }

  /** Each worker has requests of its own that were under way to a host that was left: what they met is no news. */
  #isTold({ where }: HeadraceError, nowMs: number): boolean {
    return (
      where.next_url !== undefined &&
      where.next_url === this.#moved?.to &&
      nowMs - this.#moved.atMs < MOVE_TOLD_MS
    );
  }

  /** One file did not get on: when it may be tried again, monotonic ms. `unknown`: it may be in all the same. */
  file(path: string, failure: HeadraceError, unknown: boolean): number {
    const backoff = this.#files.get(path) ?? new Backoff(this.#options.random, FIRST_WAIT_MS, WAIT_MS_MAX);
    this.#files.set(path, backoff);
    if (this.#files.size > FILES_MAX) this.#files.delete(this.#files.keys().next().value!);
    const waitMs = backoff.nextMs();
    const fields = {
      path,
      error: failure,
      outcome: unknown ? 'unknown' : 'refused',
      next_try_ms: Math.round(waitMs),
    };
    this.#log.error(
      `${failure.code} ${path}`,
      fields,
      'ClickHouse did not take a file; it is sent again, the files behind it wait in the lake',
    );
    return this.#options.clock.monotonicMs() + waitMs;
  }

  /** ClickHouse took a file. */
  took(path: string): void {
    this.#files.delete(path);
  }

  /** ClickHouse does what it is told. */
  over(filesBehind: number): void {
    if (this.#sinceMs === null) return;
    const ms = Math.round(this.#options.clock.monotonicMs() - this.#sinceMs);
    this.#sinceMs = null;
    this.#untilMs = 0;
    this.#waits.reset();
    this.#options.log.info(
      { [this.#behind]: filesBehind, after_ms: ms },
      `${this.#name} is back: catching up from the lake`,
    );
  }
}

/** Does it concern one file only? */
export function concernsFile({ code }: HeadraceError): boolean {
  return code === 'CLICKHOUSE_REFUSED' || code === 'LAKE_IO';
}

/** Is it worth trying again soon? */
function isPassing({ disposition }: HeadraceError): boolean {
  return disposition === 'retry';
}

function asHeadrace(error: unknown): HeadraceError {
  if (error instanceof HeadraceError) return error;
  return new HeadraceError('INVARIANT', messageOf(error), { cause: error });
}
