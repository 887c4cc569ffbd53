import { join } from 'node:path';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { analyticsOf } from '../clickhouse/schema.js';
import { quoteText } from '../clickhouse/sql.js';
import { targetOf } from '../clickhouse/target.js';
import { queriesOf } from '../clickhouse/views/queries.js';
import type { Clock } from '../clock.js';
import { resolveClickHouseConfig } from '../config/load-clickhouse.js';
import type { ChdbSession } from '../embedded/chdb-query.js';
import { type ClickHouseFront, startClickHouseFront } from '../embedded/clickhouse-front.js';
import { HeadraceError, messageOf } from '../errors.js';
import { invariant } from '../invariant.js';
import { loadModel } from '../model/load.js';
import type { Cleanups } from './demo-cleanups.js';
import { type AnswerRow, type Sink, sqlOver } from './demo-report.js';

/** The demo's two places of sessions: ClickHouse, which it reaches as anybody would, and Delta tables read by chDB. */

const TABLE = 'session_metrics';
const QUERY_TIMEOUT_MS = 120_000;
/** Event time passes fast, but not so fast. */
export const QUERY_DAYS = 365;
/** Answers are compared to their last row. */
const ROWS_ALL = 1_000_000;
const POLL_MS = 100;

export class DemoClickHouse {
  /** Rejects with DEMO_FAILED when its process ends by itself. */
  readonly died: Promise<never>;
  readonly #front: ClickHouseFront;
  readonly #client: ClickHouseClient;
  #stopping = false;

  private constructor(front: ClickHouseFront, client: ClickHouseClient) {
    this.#front = front;
    this.#client = client;
    this.died = front.ended.then((how) => {
      if (this.#stopping) return new Promise<never>(() => {});
      throw new HeadraceError('DEMO_FAILED', `ClickHouse ended by itself: ${how}`);
    });
    // whoever waits for it learns of it
    this.died.catch(() => undefined);
  }

  /** In a process of its own, its data below the demo's folder. Throws CHDB_UNAVAILABLE. */
  static async start(folder: string, cleanups: Cleanups): Promise<DemoClickHouse> {
    const front = await startClickHouseFront({ folder: join(folder, 'clickhouse') });
    const client = createClient({
      url: front.url,
      application: 'headrace-demo',
      request_timeout: QUERY_TIMEOUT_MS,
      log: { level: ClickHouseLogLevel.OFF },
    });
    const clickhouse = new DemoClickHouse(front, client);
    cleanups.add(() => clickhouse.#stop());
    return clickhouse;
  }

  get url(): string {
    return this.#front.url;
  }

  /** What can be asked about a model's sessions; the tables are in a database of the model's name. */
  sink(model: string): Sink {
    const flags = { model, clickhouse: this.url };
    const { clickhouse } = resolveClickHouseConfig(undefined, flags, process.cwd());
    const compiled = loadModel(model);
    const documented = queriesOf(analyticsOf(targetOf(clickhouse, compiled), compiled));
    return {
      rows: `${model}.${TABLE}`,
      sqlOf: ({ query }) => {
        const found = documented.find(({ name }) => name === query);
        invariant(found !== undefined, 'the demo asks a query that its model has');
        return found.sql(QUERY_DAYS, ROWS_ALL);
      },
      query: (sql) => this.#query(sql),
    };
  }

  /** Rows of changes that are in, null where it did not say. */
  async rows(model: string): Promise<number | null> {
    try {
      const [answer] = await this.#query(`SELECT count() AS rows FROM ${model}.${TABLE}`);
      return Number(answer!.rows);
    } catch {
      return null;
    }
  }

  /** Waits until so many rows are in; gives up when none came for `stallMs`. */
  async caughtUp(
    model: string,
    rows: number,
    stallMs: number,
    clock: Clock,
    signal: AbortSignal,
  ): Promise<void> {
    let advancedMs = clock.monotonicMs();
    let last = -1;
    while (!signal.aborted && clock.monotonicMs() - advancedMs < stallMs) {
      const now = (await this.rows(model)) ?? last;
      if (now >= rows) return;
      if (now > last) advancedMs = clock.monotonicMs();
      last = Math.max(last, now);
      await clock.sleep(POLL_MS, signal);
    }
  }

  async #stop(): Promise<void> {
    this.#stopping = true;
    await this.#client.close();
    await this.#front.stop();
  }

  async #query(sql: string): Promise<AnswerRow[]> {
    try {
      const result = await this.#client.query({ query: sql, format: 'JSONEachRow' });
      return await result.json<AnswerRow>();
    } catch (error) {
      throw new HeadraceError('DEMO_FAILED', `ClickHouse did not answer: ${messageOf(error)}`, {
        where: { url: this.url, sql },
      });
    }
  }
}

/** A Delta table below the folder of a chDB session. */
export function deltaSink(chdb: ChdbSession, tableFolder: string): Sink {
  const rows = `deltaLakeLocal(${quoteText(tableFolder)})`;
  const revision = 'session_id, session_start, revision';
  return {
    rows,
    // a row that a later one took back is not a session any more
    sqlOf: sqlOver(
      rows,
      `(SELECT * EXCEPT (sign) FROM ${rows} WHERE sign = 1
      AND (${revision}) NOT IN (SELECT ${revision} FROM ${rows} WHERE sign = -1))`,
    ),
    query: (sql) => chdb.query<AnswerRow>(sql),
  };
}
