import { Readable } from 'node:stream';
import type { ClickHouseClient } from '@clickhouse/client';
import { findProblems } from '#src/clickhouse/check.js';
import { insertSettings, insertStatement } from '#src/clickhouse/insert-settings.js';
import { planMigration, runMigration } from '#src/clickhouse/migrate.js';
import { type ClickHouseTarget, openClickHouse } from '#src/clickhouse/target.js';
import type { UnfitProblem } from '#src/clickhouse/unfit.js';
import { encodeRows } from '#src/columnar/encode.js';
import type { ClickHouseFront } from '#src/embedded/clickhouse-front.js';
import type { CompiledModel, Row } from '#src/model/types.js';
import { CLICKHOUSE_DEFAULTS } from './clickhouse-defaults.js';

/** A database of its own in a ClickHouse, with a model's tables to be: what tests of tables and inserts stand on. */

const LOAD = { workers: 2, cutIntervalMs: 1_000, sessionTimeoutMs: 10_000 };

export function targetAt(front: Pick<ClickHouseFront, 'url'>, database: string): ClickHouseTarget {
  return {
    url: front.url,
    database,
    table: 'session_metrics',
    ...CLICKHOUSE_DEFAULTS,
    requestTimeoutMs: 30_000,
    keptBytes: 0,
  };
}

export class ClickHouseRig {
  readonly client: ClickHouseClient;
  readonly target: ClickHouseTarget;
  readonly model: CompiledModel;
  /** `database`.`session_metrics` */
  readonly table: string;
  #files = 0;

  constructor(target: ClickHouseTarget, model: CompiledModel) {
    this.target = target;
    this.model = model;
    this.table = `${target.database}.${target.table}`;
    this.client = openClickHouse(target, { database: 'system' });
  }

  close(): Promise<void> {
    return this.client.close();
  }

  /** What was done, as `action where`. */
  async migrate(model = this.model): Promise<string[]> {
    const plan = await planMigration(this.client, this.target, model);
    const done: string[] = [];
    await runMigration(this.client, this.target, plan, ({ action, where }) =>
      done.push(`${action} ${where}`),
    );
    return done;
  }

  problems(load: Partial<typeof LOAD> = {}): Promise<UnfitProblem[]> {
    return findProblems(this.client, this.target, this.model, { ...LOAD, ...load });
  }

  async sql(query: string): Promise<void> {
    await this.client.command({ query });
  }

  async rows<T = Record<string, unknown>>(query: string): Promise<T[]> {
    const result = await this.client.query({
      query,
      format: 'JSONEachRow',
      clickhouse_settings: { output_format_json_quote_64bit_integers: 1 },
    });
    return await result.json<T>();
  }

  async count(query: string): Promise<number> {
    const [row] = await this.rows<{ n: string }>(`SELECT count() AS n FROM ${query}`);
    return Number(row?.n);
  }

  /** One file of rows of one date. Without a token, one of its own. */
  async insertRows(rows: readonly Row[], token?: string): Promise<void> {
    this.#files++;
    const seal = {
      createdAtMs: 1_767_225_600_000,
      batchId: BigInt(this.#files),
      fileId: BigInt(this.#files),
    };
    await this.insertBytes(encodeRows(this.model, rows, seal).bytes, token ?? `file-${this.#files}`);
  }

  async insertBytes(
    bytes: Uint8Array,
    token: string,
    settings: Record<string, string | number | boolean> = {},
  ): Promise<void> {
    const { stream } = await this.client.exec({
      query: insertStatement(this.target, this.model),
      values: Readable.from([Buffer.from(bytes)], { objectMode: false }),
      clickhouse_settings: { ...insertSettings(this.target, token), ...settings },
    });
    for await (const _ of stream);
  }
}
