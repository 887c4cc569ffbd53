import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type ClickHouseClient, createClient } from '@clickhouse/client';
import { type ClickHouseFront, startClickHouseFront } from '#src/embedded/clickhouse-front.js';
import type { TableSums } from './pipeline/table-check.js';

/** ClickHouse as the benchmarks need it: the embedded one in its own process, a database a run, its CPU and what is in it. */

const SETTLED_POLL_MS = 20;
const SETTLED_MS_MAX = 30_000;

export class ClickHouseSide {
  readonly #front: ClickHouseFront;
  readonly #client: ClickHouseClient;

  private constructor(front: ClickHouseFront) {
    this.#front = front;
    this.#client = createClient({ url: front.url });
  }

  /** `folder`: for its data. Throws HeadraceError CHDB_UNAVAILABLE where chdb is not installed. */
  static async start(folder: string): Promise<ClickHouseSide> {
    return new ClickHouseSide(await startClickHouseFront({ folder }));
  }

  get url(): string {
    return this.#front.url;
  }

  get pid(): number {
    return this.#front.pid;
  }

  /** User and system seconds of its process so far. */
  cpuSeconds(): number {
    return this.#front.cpuSeconds();
  }

  /** What the engine's command line needs to follow into this database. */
  flags(database: string): string[] {
    return ['--clickhouse', this.url, '--clickhouse-database', database];
  }

  /** Makes the model's tables as an operator does: by the built engine's own command. */
  async migrate(engine: string, model: string, database: string): Promise<void> {
    const args = [engine, 'clickhouse', 'migrate', '--model', model, ...this.flags(database)];
    await promisify(execFile)(process.execPath, args);
  }

  async query<Row>(sql: string): Promise<Row[]> {
    const answer = await this.#client.query({ query: sql, format: 'JSONEachRow' });
    return answer.json<Row>();
  }

  /** What has no answer. */
  async command(sql: string): Promise<void> {
    await this.#client.command({ query: sql });
  }

  /** Adds up the sessions of a database. */
  async sums(database: string): Promise<TableSums> {
    const [sums] = await this.query<TableSums>(
      `SELECT toFloat64(sum(sign)) AS sessions, toFloat64(sum(sign * total_events)) AS events, toFloat64(count()) AS rows
       FROM ${database}.session_metrics`,
    );
    return sums!;
  }

  /** Waits until no merge is under way: what the inserts cost is spent then. */
  async untilSettled(): Promise<void> {
    const deadline = performance.now() + SETTLED_MS_MAX;
    while (performance.now() < deadline) {
      const [merges] = await this.query<{ count: number }>(
        'SELECT toFloat64(count()) AS count FROM system.merges',
      );
      if (merges!.count === 0) return;
      await sleep(SETTLED_POLL_MS);
    }
  }

  async drop(database: string): Promise<void> {
    await this.command(`DROP DATABASE IF EXISTS ${database}`);
  }

  async stop(): Promise<void> {
    await this.#client.close();
    await this.#front.stop();
  }
}
