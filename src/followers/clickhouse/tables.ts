import type { ClickHouseClient } from '@clickhouse/client';
import type { RowProbe } from '../../clickhouse/file.js';
import { storedName } from '../../clickhouse/layout.js';
import { FILES_TABLE, POSITIONS_TABLE } from '../../clickhouse/schema.js';
import { quoteName, quoteTable, quoteText } from '../../clickhouse/sql.js';
import type { ClickHouseTarget } from '../../clickhouse/target.js';
import { isOurs } from '../../clickhouse/views/view-sql.js';
import { crashPoint } from '../../crash-points.js';
import type { LedgerFile } from '../ledger-files.js';
import type { ServerFacts } from './doubt.js';

/** A position as ClickHouse has it. */
export interface StoredPosition {
  version: number;
  /** Grows with every writing, so that a row that was set back is recognised. */
  seq: bigint;
}

export interface PositionRow extends StoredPosition {
  appId: string;
}

export interface FileState {
  done: boolean;
  /** When the row was written, ms of the server's clock. */
  atMs: number;
  /** Of the token that it was begun with; absent: 0. */
  attempt?: number;
}

export interface FedView {
  /** With its database. */
  name: string;
  /** One that `headrace clickhouse migrate` has made. */
  isOurs: boolean;
}

/** What the follower reads and writes in ClickHouse beside the files. Every call may throw a HeadraceError CLICKHOUSE_…. */
export interface FollowerTables {
  /**
   * Does ClickHouse keep a token if and only if it keeps the rows? Replicated tables do, in their keeper; a single server that is
   * killed may keep the token alone. Absent: no.
   */
  readonly keepsTokens?: boolean;
  serverNowMs(): Promise<number>;
  facts(intentAtMs: number): Promise<ServerFacts>;
  /** By app id; lanes that have none are left out. */
  positions(appIds: readonly string[]): Promise<Map<string, StoredPosition>>;
  writePositions(rows: readonly PositionRow[], atMs: number): Promise<void>;
  /** By path; files without a row are left out. */
  states(paths: readonly string[]): Promise<Map<string, FileState>>;
  writeStates(
    state: 'intent' | 'done',
    files: readonly (LedgerFile & { attempt?: number })[],
    atMs: number,
  ): Promise<void>;
  /**
   * Turns the files' rows into done rows, and resolves to the paths that have one now. A file whose intent row is gone gets none:
   * ClickHouse was set back since it was begun, and its rows may be gone as well.
   */
  recordDone(files: readonly LedgerFile[], atMs: number): Promise<ReadonlySet<string>>;
  /** Which of the files have rows in the table of sessions, by file id. */
  present(files: readonly Pick<LedgerFile, 'fileId' | 'date'>[]): Promise<Set<string>>;
  /** Σ sign of one revision of a session. */
  signOf(probe: RowProbe, date: string): Promise<number>;
  /** Materialized views that are fed by inserts into the table of sessions. */
  views(): Promise<FedView[]>;
}

/** A row that is written twice says the same, and must not be taken for one that was written before. */
const ROW_SETTINGS = { async_insert: 0, insert_deduplicate: 0, wait_end_of_query: 1 } as const;

export class ClickHouseTables implements FollowerTables {
  readonly keepsTokens: boolean;
  readonly #client: () => ClickHouseClient;
  readonly #target: ClickHouseTarget;
  readonly #engineId: string;
  readonly #asError: (error: unknown, client: ClickHouseClient) => Error;

  constructor(options: {
    /** The one of the host that is talked to now. */
    client: () => ClickHouseClient;
    target: ClickHouseTarget;
    engineId: string;
    asError(error: unknown, client: ClickHouseClient): Error;
  }) {
    this.#client = options.client;
    this.keepsTokens = options.target.warehouse.kind !== 'single';
    this.#target = options.target;
    this.#engineId = options.engineId;
    this.#asError = options.asError;
  }

  async serverNowMs(): Promise<number> {
    const [row] = await this.#query<{ now: string }>(
      'SELECT toString(toUnixTimestamp64Milli(now64(3))) AS now',
    );
    return Number(row!.now);
  }

  async facts(intentAtMs: number): Promise<ServerFacts> {
    const [row] = await this.#query<{ now: string; uptime: string; inserts: string }>(
      `SELECT toString(toUnixTimestamp64Milli(now64(3))) AS now, toString(uptime()) AS uptime, toString(count()) AS inserts
       FROM ${this.#files} FINAL WHERE at >= fromUnixTimestamp64Milli(${whole(intentAtMs)}, 'UTC')`,
    );
    return {
      nowMs: Number(row!.now),
      // of hosts that share their tokens, none of which forgets them when it is started anew
      uptimeSeconds: this.keepsTokens ? Number.MAX_SAFE_INTEGER / 1_000 : Number(row!.uptime),
      insertsSince: Number(row!.inserts),
    };
  }

  async positions(appIds: readonly string[]): Promise<Map<string, StoredPosition>> {
    if (appIds.length === 0) return new Map();
    const rows = await this.#query<{ app_id: string; version: string; seq: string }>(
      `SELECT app_id, toString(version) AS version, toString(seq) AS seq
       FROM ${this.#table(POSITIONS_TABLE)} FINAL WHERE app_id IN (${appIds.map(quoteText).join(', ')})`,
    );
    return new Map(rows.map((row) => [row.app_id, { version: Number(row.version), seq: BigInt(row.seq) }]));
  }

  async writePositions(rows: readonly PositionRow[], atMs: number): Promise<void> {
    await this.#insert(
      POSITIONS_TABLE,
      rows.map(({ appId, version, seq }) => ({
        app_id: appId,
        version,
        engine: this.#engineId,
        at: timeText(atMs),
        seq: seq.toString(),
      })),
    );
  }

  async states(paths: readonly string[]): Promise<Map<string, FileState>> {
    if (paths.length === 0) return new Map();
    const rows = await this.#query<{ path: string; done: number; at: string; attempt: number }>(
      `SELECT path, toUInt8(state = 'done') AS done, toString(toUnixTimestamp64Milli(at)) AS at, attempt
       FROM ${this.#files} FINAL WHERE path IN (${paths.map(quoteText).join(', ')})`,
    );
    return new Map(
      rows.map(({ path, done, at, attempt }) => [path, { done: done === 1, atMs: Number(at), attempt }]),
    );
  }

  async writeStates(
    state: 'intent' | 'done',
    files: readonly (LedgerFile & { attempt?: number })[],
    atMs: number,
  ): Promise<void> {
    await this.#insert(
      FILES_TABLE,
      files.map(({ path, attempt = 0, fileId, version, rows, lanes }) => ({
        path,
        attempt,
        file_id: fileId,
        state,
        version,
        rows,
        lanes,
        engine: this.#engineId,
        at: timeText(atMs),
      })),
    );
    if (files.length > 0) crashPoint(`clickhouse.after-${state}`);
  }

  async recordDone(files: readonly LedgerFile[], atMs: number): Promise<ReadonlySet<string>> {
    if (files.length === 0) return new Set();
    const paths = files.map(({ path }) => path);
    const client = this.#client();
    try {
      // one statement: nothing can be set back between the look and the writing
      await client.command({
        query: `INSERT INTO ${this.#files} (path, attempt, file_id, state, version, rows, lanes, engine, at)
          SELECT path, attempt, file_id, 'done', version, rows, lanes, ${quoteText(this.#engineId)},
            fromUnixTimestamp64Milli(${whole(atMs)}, 'UTC')
          FROM ${this.#files} FINAL WHERE path IN (${paths.map(quoteText).join(', ')})`,
        clickhouse_settings: ROW_SETTINGS,
      });
    } catch (error) {
      throw this.#asError(error, client);
    }
    crashPoint('clickhouse.after-done');
    const states = await this.states(paths);
    return new Set(paths.filter((path) => states.get(path)?.done === true));
  }

  async present(files: readonly Pick<LedgerFile, 'fileId' | 'date'>[]): Promise<Set<string>> {
    if (files.length === 0) return new Set();
    const dates = [...new Set(files.map(({ date }) => `toDate(${quoteText(date)})`))].join(', ');
    const ids = files.map(({ fileId }) => whole(BigInt(fileId))).join(', ');
    const rows = await this.#query<{ id: string }>(
      `SELECT DISTINCT toString(file_id) AS id FROM ${this.#sessions}
       WHERE session_date IN (${dates}) AND file_id IN (${ids})`,
    );
    return new Set(rows.map(({ id }) => id));
  }

  async signOf(probe: RowProbe, date: string): Promise<number> {
    const [row] = await this.#query<{ sum: string }>(
      `SELECT toString(sum(sign)) AS sum FROM ${this.#sessions}
       WHERE session_date = toDate(${quoteText(date)}) AND session_id = ${quoteText(probe.sessionId)}
         AND toUnixTimestamp64Milli(session_start) = ${whole(probe.sessionStartMs)} AND revision = ${whole(probe.revision)}`,
    );
    return Number(row!.sum);
  }

  async views(): Promise<FedView[]> {
    const { database, table } = this.#target;
    // an alias wins over a column of the same name, also behind WHERE
    const rows = await this.#query<{ view: string; comment: string }>(
      `SELECT concat(database, '.', name) AS view, comment FROM system.tables WHERE engine = 'MaterializedView' AND (database, name) IN (
         SELECT d, t FROM system.tables ARRAY JOIN dependencies_database AS d, dependencies_table AS t
         WHERE database = ${quoteText(database)} AND name = ${quoteText(storedName(this.#target.warehouse, table))}) ORDER BY view`,
    );
    return rows.map(({ view, comment }) => ({ name: view, isOurs: isOurs(comment) }));
  }

  get #sessions(): string {
    return this.#table(this.#target.table);
  }

  get #files(): string {
    return this.#table(FILES_TABLE);
  }

  #table(name: string): string {
    return quoteTable(this.#target.database, name);
  }

  async #query<Row>(query: string): Promise<Row[]> {
    const client = this.#client();
    try {
      const result = await client.query({ query, format: 'JSONEachRow' });
      return await result.json<Row>();
    } catch (error) {
      throw this.#asError(error, client);
    }
  }

  async #insert(table: string, values: Record<string, unknown>[]): Promise<void> {
    if (values.length === 0) return;
    const columns = Object.keys(values[0]!).map(quoteName).join(', ');
    const client = this.#client();
    try {
      await client.insert({
        table: `${this.#table(table)} (${columns})`,
        values,
        format: 'JSONEachRow',
        clickhouse_settings: ROW_SETTINGS,
      });
    } catch (error) {
      throw this.#asError(error, client);
    }
  }
}

function whole(value: number | bigint): string {
  return BigInt(value).toString();
}

/** YYYY-MM-DD hh:mm:ss.mmm, in UTC. */
function timeText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 23).replace('T', ' ');
}
