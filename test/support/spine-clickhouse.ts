import { cp, rm } from 'node:fs/promises';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { planMigration, runMigration } from '#src/clickhouse/migrate.js';
import { openClickHouse, targetOf } from '#src/clickhouse/target.js';
import { type ClickHouseFront, startClickHouseFront } from '#src/embedded/clickhouse-front.js';
import { loadModel } from '#src/model/load.js';
import { CLICKHOUSE_DEFAULTS } from './clickhouse-defaults.js';
import type { TableRow } from './spine-table.js';

/** ClickHouse as a sink of the spine: a database a group, and its rows in the form in which delta-rs gives the table's. */

/** It runs one query at a time, and on a busy machine each takes long. */
const QUERY_MS_MAX = 300_000;

export class SpineClickHouse {
  readonly #folder: string;
  #front: ClickHouseFront;
  #client: ClickHouseClient;
  #isUp = true;

  private constructor(folder: string, front: ClickHouseFront) {
    this.#folder = folder;
    this.#front = front;
    this.#client = clientOf(front);
  }

  static async start(folder: string): Promise<SpineClickHouse> {
    return new SpineClickHouse(folder, await startClickHouseFront({ folder }));
  }

  get url(): string {
    return this.#front.url;
  }

  /** False between `kill` and the end of `restart`. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    this.#isUp = false;
    await this.#client.close();
    await this.#front.kill();
  }

  /** After `kill`: the same data at the same address. Merges that were stopped go on. */
  async restart(): Promise<void> {
    const port = Number(new URL(this.url).port);
    this.#front = await startClickHouseFront({ folder: this.#folder, port });
    this.#client = clientOf(this.#front);
    this.#isUp = true;
  }

  /** What it has now, kept aside, as a backup of its disk: it is stopped in order for it, and back afterwards. */
  async backup(): Promise<void> {
    await this.#stopped(async () => {
      await rm(this.#backupFolder, { recursive: true, force: true });
      await cp(this.#folder, this.#backupFolder, { recursive: true });
    });
  }

  /** What was kept, in the place of what it has. */
  async restore(): Promise<void> {
    await this.#stopped(async () => {
      await rm(this.#folder, { recursive: true });
      await cp(this.#backupFolder, this.#folder, { recursive: true });
    });
  }

  get #backupFolder(): string {
    return `${this.#folder}-backup`;
  }

  async #stopped(work: () => Promise<void>): Promise<void> {
    this.#isUp = false;
    await this.#client.close();
    await this.#front.stop();
    await work();
    await this.restart();
  }

  async close(): Promise<void> {
    await this.#client.close();
    await this.#front.stop();
  }

  /**
   * Makes the tables of a model and gives the engine's flags for them. Without merges every change row can be seen, and FINAL
   * folds them when they are read; but then no column can be altered either.
   */
  async flags(model: string, database: string, { merges = false } = {}): Promise<string[]> {
    const compiled = loadModel(model);
    const target = targetOf(clickHouseConfig(this.url, database), compiled);
    const client = openClickHouse(target, { database: 'system' });
    try {
      const plan = await planMigration(client, target, compiled);
      await runMigration(client, target, plan, () => {});
    } finally {
      await client.close();
    }
    if (!merges) await this.command(`SYSTEM STOP MERGES ${database}.session_metrics`);
    return ['--clickhouse', this.url, '--clickhouse-database', database];
  }

  /** Each change row of a database stays where it can be seen, over restarts of the server too, in as many parts as come. */
  async keepAllRows(database: string): Promise<void> {
    await this.command(
      `ALTER TABLE ${database}.session_metrics MODIFY SETTING max_bytes_to_merge_at_max_space_in_pool = 1,
       parts_to_delay_insert = 1000000, parts_to_throw_insert = 1000000, max_avg_part_size_for_too_many_parts = 1`,
    );
  }

  async command(sql: string): Promise<void> {
    await this.#client.command({ query: sql });
  }

  async query<Row>(sql: string): Promise<Row[]> {
    const answer = await this.#client.query({
      query: sql,
      format: 'JSONEachRow',
      clickhouse_settings: { output_format_json_quote_64bit_integers: 1 },
    });
    return answer.json<Row>();
  }

  /** All change rows, or with `final` those that stand, by every column of the model and session_date. */
  async rows(model: string, database: string, { final = false } = {}): Promise<TableRow[]> {
    const { columns } = loadModel(model);
    const big = columns.filter(({ type }) => type === 'uint64').map(({ name }) => name);
    const selected = columns.map(({ name, type }) =>
      type === 'time' ? `toFloat64(toUnixTimestamp64Milli(${name})) AS ${name}` : name,
    );
    const from = `${database}.session_metrics${final ? ' FINAL WHERE sign = 1' : ''}`;
    const rows = await this.query<TableRow>(
      `SELECT ${[...selected, 'toString(session_date) AS session_date'].join(', ')} FROM ${from}`,
    );
    for (const row of rows) for (const name of big) row[name] = BigInt(row[name] as string);
    return rows;
  }
}

function clientOf({ url }: ClickHouseFront): ClickHouseClient {
  // what goes wrong is thrown, too
  return createClient({ url, request_timeout: QUERY_MS_MAX, log: { level: ClickHouseLogLevel.OFF } });
}

/** As a configuration has it. */
export function clickHouseConfig(url: string, database: string) {
  return {
    url,
    database,
    table: 'session_metrics',
    ...CLICKHOUSE_DEFAULTS,
    requestTimeoutMs: 30_000,
    keptBytes: 2 ** 26,
  };
}
