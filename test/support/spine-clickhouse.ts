import { type ClickHouseClient, createClient } from '@clickhouse/client';
import { planMigration, runMigration } from '#src/clickhouse/migrate.js';
import { openClickHouse, targetOf } from '#src/clickhouse/target.js';
import { type ClickHouseFront, startClickHouseFront } from '#src/embedded/clickhouse-front.js';
import { loadModel } from '#src/model/load.js';
import type { TableRow } from './spine-table.js';

/** ClickHouse as a sink of the spine: a database a group, and its rows in the form in which delta-rs gives the table's. */

export class SpineClickHouse {
  readonly #folder: string;
  #front: ClickHouseFront;
  #client: ClickHouseClient;
  #isUp = true;

  private constructor(folder: string, front: ClickHouseFront) {
    this.#folder = folder;
    this.#front = front;
    this.#client = createClient({ url: front.url });
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
    this.#client = createClient({ url: this.#front.url });
    this.#isUp = true;
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

function clickHouseConfig(url: string, database: string) {
  return {
    url,
    database,
    table: 'session_metrics',
    user: 'default',
    passwordFile: null,
    requestTimeoutMs: 30_000,
    keptBytes: 2 ** 26,
    settings: {},
  };
}

const SHOWN_MAX = 5;

/** What one side has and the other lacks, every column of every row, as sentences: none when they are equal. */
export function rowDifferences(delta: readonly TableRow[], clickhouse: readonly TableRow[]): string[] {
  // by name, so that neither side's order matters; all rows of a side have the same columns
  const names = [delta, clickhouse].map(([first = {}]) => Object.keys(first).sort());
  const counts = new Map<string, number>();
  for (const row of delta) count(counts, textOf(row, names[0]!), 1);
  for (const row of clickhouse) count(counts, textOf(row, names[1]!), -1);
  const found = [...counts];
  const shown = found.slice(0, SHOWN_MAX).map(([text, times]) => {
    const where = times > 0 ? 'only in the table' : 'only in ClickHouse';
    return `${Math.abs(times)} × ${where}: ${text}`;
  });
  if (String(names[0]) !== String(names[1]))
    shown.unshift(`columns ${names[0]} in the table, ${names[1]} in ClickHouse`);
  return found.length <= SHOWN_MAX ? shown : [...shown, `… and ${found.length - SHOWN_MAX} more`];
}

/** Texts with a count of 0 are not there. */
function count(counts: Map<string, number>, text: string, by: number): void {
  const times = (counts.get(text) ?? 0) + by;
  if (times === 0) counts.delete(text);
  else counts.set(text, times);
}

function textOf(row: TableRow, names: readonly string[]): string {
  const values = names.map((name) => {
    const value = row[name];
    return typeof value === 'bigint' ? `${value}` : value;
  });
  return JSON.stringify(values);
}
