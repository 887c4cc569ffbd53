import type { ClickHouseClient } from '@clickhouse/client';
import { HeadraceError } from '../errors.js';
import { asClickHouseError } from './errors.js';
import { type ClickHouseTarget, openClickHouse } from './target.js';

/**
 * The hosts of `clickhouse.url`, one of which is talked to until it can't be reached; then the next one is. They are replicas of one
 * another: what one has the others have or get, tokens included (config/warehouse.ts asks for a kind of ClickHouse where that holds).
 * A request that failed is not repeated here: whoever sent it knows whether it may be in.
 */
export class ClickHouseHosts {
  readonly #target: ClickHouseTarget;
  readonly #clients = new Map<string, ClickHouseClient>();
  #index: number;

  constructor(target: ClickHouseTarget) {
    this.#target = target;
    this.#index = Math.max(0, target.urls.indexOf(target.url));
  }

  /** The target as it stands now: its url is the host that is talked to. */
  get target(): ClickHouseTarget {
    return { ...this.#target, url: this.url };
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

  /** What went wrong, in our words. Of a host that can't be reached it is the last that is asked of it for now. */
  failed(error: unknown): HeadraceError {
    const { user, database } = this.#target;
    const known = asClickHouseError(error, { url: this.url, user, database });
    // several requests fail together: only the first of them moves on
    const isThis = known.where.url === undefined || known.where.url === this.url;
    if (known.code === 'CLICKHOUSE_UNREACHABLE' && isThis) {
      this.#index = (this.#index + 1) % Math.max(1, this.#target.urls.length);
    }
    return known;
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
