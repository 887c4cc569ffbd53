import type { ClickHouseClient } from '@clickhouse/client';
import { type Clock, systemClock } from '../clock.js';
import { HeadraceError } from '../errors.js';
import { asClickHouseError, isHeldError } from './errors.js';
import { type ClickHouseTarget, openClickHouse } from './target.js';

/**
 * The hosts of `clickhouse.url`, one of which is talked to until it can't be reached; then the next one is. They are replicas of one
 * another: what one has the others have or get, tokens included (config/warehouse.ts asks for a kind of ClickHouse where that holds).
 * A request that failed is not repeated here: whoever sent it knows whether it may be in.
 */

/** A host that failed so lately is no way out. */
const FAILED_LATELY_MS = 60_000;

export class ClickHouseHosts {
  readonly #target: ClickHouseTarget;
  readonly #clock: Clock;
  readonly #clients = new Map<string, ClickHouseClient>();
  /** When each could not be reached last, monotonic ms. */
  readonly #failedMs = new Map<string, number>();
  #index: number;
  #changes = 0;

  constructor(target: ClickHouseTarget, clock: Clock = systemClock) {
    this.#target = target;
    this.#clock = clock;
    this.#index = Math.max(0, target.urls.indexOf(target.url));
  }

  /** The target as it stands now: its url is the host that is talked to. */
  get target(): ClickHouseTarget {
    return { ...this.#target, url: this.url };
  }

  /** The place of that host in `clickhouse.url`, from 0. */
  get index(): number {
    return this.#index;
  }

  /** How often one was left for the next. */
  get changes(): number {
    return this.#changes;
  }

  get url(): string {
    return this.#target.urls[this.#index] ?? this.#target.url;
  }

  get client(): ClickHouseClient {
    const { url } = this;
    const known = this.#clients.get(url);
    if (known !== undefined) return known;
    const client = openClickHouse(this.target);
    this.#clients.set(url, client);
    return client;
  }

  /**
   * What went wrong, in our words. Of a host that can't be reached it is the last that is asked of it for now; where the next one is a
   * way out, the error says so (`next_url`). `client`: the one that was asked, since others may have moved on meanwhile.
   */
  failed(error: unknown, client?: ClickHouseClient): HeadraceError {
    const { user, database } = this.#target;
    const asked = [...this.#clients].find(([, each]) => each === client)?.[0] ?? this.url;
    const known = asClickHouseError(error, { url: asked, user, database });
    if (known.code !== 'CLICKHOUSE_UNREACHABLE' || isHeldError(known)) return known;
    const failed = known.where.url ?? asked;
    const nowMs = this.#clock.monotonicMs();
    this.#failedMs.set(String(failed), nowMs);
    // several requests fail together: only the first of them moves on
    if (failed === this.url && this.#target.urls.length > 1) {
      this.#index = (this.#index + 1) % this.#target.urls.length;
      this.#changes++;
    }
    const { url } = this;
    const lastMs = this.#failedMs.get(url) ?? Number.NEGATIVE_INFINITY;
    if (url === failed || nowMs - lastMs < FAILED_LATELY_MS || known.where.next_url !== undefined)
      return known;
    return new HeadraceError(known.code, known.message, {
      where: { ...known.where, next_url: url },
      ...(known.remedy === undefined ? {} : { remedy: known.remedy }),
      cause: known.cause,
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#clients.values()].map((client) => client.close()));
    this.#clients.clear();
  }
}

/** Does `work` with the first host that can be reached. Throws what the last one threw. */
export async function withReachable<T>(
  target: ClickHouseTarget,
  work: (target: ClickHouseTarget) => Promise<T>,
): Promise<T> {
  const hosts = new ClickHouseHosts(target);
  for (let tried = 1; ; tried++) {
    const { target: at } = hosts;
    try {
      return await work(at);
    } catch (error) {
      const isLast = tried >= target.urls.length;
      if (isLast || !(error instanceof HeadraceError) || error.code !== 'CLICKHOUSE_UNREACHABLE') throw error;
      hosts.failed(error);
    }
  }
}
