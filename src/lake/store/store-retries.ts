import type { Clock } from '../../clock.js';
import type { PlainLog } from '../../telemetry/log.js';
import { RepeatLimitedLog } from '../../telemetry/repeat-limited-log.js';
import type { S3Failure } from './s3-errors.js';

/** A request that an object store did not do, and that is made again. Plain: it comes from other threads too. */
export interface StoreRetry {
  failure: S3Failure;
  /** s3://bucket/key */
  path: string;
}

/** One line for each kind of failure and a few seconds, whichever thread met it: an object store that stumbles fails many requests. */
export class StoreRetries {
  readonly #repeats: RepeatLimitedLog;

  constructor(log: PlainLog, clock: Clock) {
    this.#repeats = new RepeatLimitedLog(log, clock);
  }

  tell({ failure: { code, status, requestId, what, remedy }, path }: StoreRetry): void {
    this.#repeats.warn(
      code,
      { path, code, status, request: requestId },
      `${what}: the request is made again${remedy === undefined ? '' : `; if it stays: ${remedy}`}`,
    );
  }
}
