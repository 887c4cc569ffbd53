import type { Clock } from '../../clock.js';
import { HeadraceError } from '../../errors.js';
import type { Random } from '../../random.js';
import { s3Error, s3Failure } from './s3-errors.js';
import type { StoreRetry } from './store-retries.js';

/**
 * One request made until it is answered, within bounds. The SDK makes each attempt once (`maxAttempts: 1`): what may have
 * been applied although it failed is for the caller to know.
 */
export interface S3AttemptsOptions {
  clock: Clock;
  random: Random;
  /** Ends all requests, and the waits between them. */
  signal?: AbortSignal | undefined;
  /** How long one answer may take. */
  answerMs: number;
  /** For messages; undefined: AWS. */
  endpoint: string | undefined;
  /** Told of each attempt that failed and is made again. */
  onRetry?: ((retry: StoreRetry) => void) | undefined;
}

export interface S3Request {
  /** For messages: `read`, `create` … */
  action: string;
  /** s3://bucket/key, for messages. */
  path: string;
  /** Bytes that travel to the store, for which there is time beside the answer's. */
  bodyBytes?: number;
}

const ATTEMPTS_MAX = 8;
const WAIT_MS_FIRST = 50;
/** A store that asks for fewer requests is not asked again at once. */
const THROTTLED_WAIT_MS_FIRST = 400;
const WAIT_MS_MAX = 3_000;
/** Attempts begin within this many times the time for one. */
const TIMES_OF_AN_ANSWER = 2;
/** Slower than this a body is taken for stuck. */
const BODY_BYTES_PER_MS_MIN = 1_024;

export class S3Attempts {
  readonly #options: S3AttemptsOptions;

  constructor(options: S3AttemptsOptions) {
    this.#options = options;
  }

  /** Throws HeadraceError LAKE_IO when it was refused, or not answered in all attempts. */
  async run<T>(request: S3Request, attempt: (time: RequestTime) => Promise<T>): Promise<T> {
    const { clock, random, signal, answerMs, endpoint, onRetry } = this.#options;
    const startedMs = clock.monotonicMs();
    for (let made = 1; ; made++) {
      const time = new RequestTime(answerMs + (request.bodyBytes ?? 0) / BODY_BYTES_PER_MS_MIN, signal);
      try {
        return await attempt(time);
      } catch (error) {
        if (error instanceof HeadraceError) throw error;
        const failure = s3Failure(error);
        const isLate = clock.monotonicMs() - startedMs >= answerMs * TIMES_OF_AN_ANSWER;
        if (!failure.passes || made === ATTEMPTS_MAX || isLate || signal?.aborted === true) {
          throw s3Error(request.action, failure, { path: request.path, endpoint });
        }
        onRetry?.({ failure, path: request.path });
        const firstMs = failure.isThrottled ? THROTTLED_WAIT_MS_FIRST : WAIT_MS_FIRST;
        const waitMs = Math.min(firstMs * 2 ** (made - 1), WAIT_MS_MAX);
        await clock.sleep(waitMs * (0.5 + random.float()), signal);
      } finally {
        time.end();
      }
    }
  }
}

/** How long an attempt may take; an answer whose bytes keep coming has the same time again from each of them on. */
export class RequestTime {
  readonly #controller = new AbortController();
  readonly signal: AbortSignal;
  readonly #ms: number;
  #timer: NodeJS.Timeout;

  constructor(ms: number, outer: AbortSignal | undefined) {
    this.#ms = ms;
    this.#timer = this.#start();
    this.signal =
      outer === undefined ? this.#controller.signal : AbortSignal.any([outer, this.#controller.signal]);
  }

  extend(): void {
    this.#timer.refresh();
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #start(): NodeJS.Timeout {
    return setTimeout(() => this.#controller.abort(), this.#ms);
  }
}
