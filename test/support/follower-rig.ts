import type { ClickHouseClient } from '@clickhouse/client';
import { checkClickHouse } from '#src/clickhouse/check.js';
import { asClickHouseError } from '#src/clickhouse/errors.js';
import { FileInsert } from '#src/clickhouse/insert.js';
import { DEDUPLICATION_WINDOW } from '#src/clickhouse/layout.js';
import { planMigration, runMigration } from '#src/clickhouse/migrate.js';
import { analyticsOf } from '#src/clickhouse/schema.js';
import { readState } from '#src/clickhouse/state.js';
import { type ClickHouseTarget, openClickHouse } from '#src/clickhouse/target.js';
import { auditView } from '#src/clickhouse/views/audit.js';
import { refillAll } from '#src/clickhouse/views/compare-views.js';
import { systemClock } from '#src/clock.js';
import { type ClickHouseFront, startClickHouseFront } from '#src/embedded/clickhouse-front.js';
import { ClickHouseFollower } from '#src/followers/clickhouse/follower.js';
import { ClickHouseTables } from '#src/followers/clickhouse/tables.js';
import { DeltaLog } from '#src/lake/delta/log.js';
import { LocalStore } from '#src/lake/store/local.js';
import type { ObjectStore } from '#src/lake/store/store.js';
import type { WorkerMessage } from '#src/pool/messages.js';
import { WorkerInserts } from '#src/pool/worker-inserts.js';
import { systemRandom } from '#src/random.js';
import { countersBytes, WorkerCounters } from '#src/telemetry/counters.js';
import { Inserter } from '../../workers/inserter.js';
import { CLICKHOUSE_DEFAULTS } from './clickhouse-defaults.js';
import { clickstreamLike } from './columnar-model.js';
import { createTable } from './fake-ledger.js';
import { FakeLog } from './fake-log.js';
import { eventually } from './fake-time.js';
import { type HttpFaultProxy, startHttpFaultProxy } from './http-fault-proxy.js';
import { withFolder } from './lake-table.js';
import { SessionStory } from './session-story.js';

/**
 * Real followers with real inserters, in this process, between a real table in a folder and the embedded ClickHouse, to which
 * they come through a proxy that goes wrong on demand.
 */
export const model = clickstreamLike;

const TABLES = ['session_metrics', 'headrace_files', 'headrace_positions'];
/** As the lanes' ids have it. */
const OWNER = { 'headrace.group': 'group', 'headrace.topic': 'clicks', 'headrace.model': model.name };
/** Views of both kinds, so that what is said of rows is said of what is made of them. */
const VIEWS = ['session_summary', 'page_analytics'];
const LANES = 4;
const WORKERS = 2;

export class FollowerRig {
  readonly store: ObjectStore;
  readonly story: SessionStory;
  readonly proxy: HttpFaultProxy;
  readonly folder: string;
  /** Of the table. */
  readonly lake: string;
  front: ClickHouseFront;
  readonly #engines: RigEngine[] = [];

  private constructor(
    folder: string,
    lake: string,
    front: ClickHouseFront,
    proxy: HttpFaultProxy,
    story: SessionStory,
  ) {
    this.folder = folder;
    this.lake = lake;
    this.front = front;
    this.proxy = proxy;
    this.store = story.store;
    this.story = story;
  }

  static async with(seed: number, work: (rig: FollowerRig) => Promise<void>): Promise<void> {
    await withFolder(async (lake) => {
      await withFolder(async (folder) => {
        const front = await startClickHouseFront({ folder });
        const proxy = await startHttpFaultProxy(front.url);
        const store = new LocalStore(lake);
        await createTable(store, OWNER);
        const story = await SessionStory.begin(store, model, { seed, lanes: LANES, workers: WORKERS });
        const rig = new FollowerRig(folder, lake, front, proxy, story);
        try {
          await rig.migrate('followed');
          await work(rig);
        } finally {
          for (const engine of rig.#engines) await engine.close();
          await proxy.close();
          await rig.front.kill();
        }
      });
    });
  }

  target(database: string, url = this.front.url): ClickHouseTarget {
    const warehouse = { ...CLICKHOUSE_DEFAULTS.warehouse, views: VIEWS };
    const common = { table: 'session_metrics', ...CLICKHOUSE_DEFAULTS, warehouse };
    return { url, database, ...common, requestTimeoutMs: 10_000, keptBytes: 2 ** 20 };
  }

  /** The tables as `headrace clickhouse migrate` makes them; nothing in them is ever merged, so that each row can be counted. */
  async migrate(database: string): Promise<void> {
    const target = this.target(database);
    await this.sql(async (client) => {
      await runMigration(client, target, await planMigration(client, target, model), () => {});
      await client.command({
        query: `ALTER TABLE ${database}.session_metrics MODIFY SETTING max_bytes_to_merge_at_max_space_in_pool = 1, max_bytes_to_merge_at_min_space_in_pool = 1`,
      });
    });
  }

  async sql<T>(work: (client: ClickHouseClient) => Promise<T>): Promise<T> {
    const client = openClickHouse(this.target('followed'), { database: 'system' });
    try {
      return await work(client);
    } finally {
      await client.close();
    }
  }

  /** An engine that holds these lanes; its way to ClickHouse leads through the proxy. */
  async engine(name: string, lanes: readonly number[]): Promise<RigEngine> {
    const delta = await DeltaLog.open(this.store);
    const engine = new RigEngine(name, this, delta!);
    this.#engines.push(engine);
    engine.follower.acquired(lanes);
    return engine;
  }

  /** SIGKILL, and up again over the same data at another port. */
  async restartFront(): Promise<void> {
    await this.front.kill();
    this.front = await startClickHouseFront({ folder: this.folder });
    this.proxy.setUpstream(this.front.url);
  }

  /** All rows, sorted, one a line; file_id and what else a seal gives included. */
  async rows(database: string): Promise<string[]> {
    return await this.sql(async (client) => {
      const query = `SELECT * FROM ${database}.session_metrics ORDER BY ALL`;
      const result = await client.query({ query, format: 'JSONCompactEachRow' });
      return (await result.text()).split('\n');
    });
  }

  /** The model: each file of the table inserted once, in the ledger's order, over a line without faults. */
  async singleInserts(): Promise<string[]> {
    await this.migrate('single');
    const insert = new FileInsert(this.target('single'), model);
    for (const path of this.story.files) {
      await insert.insert({ path }, (await this.store.get(path))!, new AbortController().signal);
    }
    await insert.close();
    return await this.rows('single');
  }

  /** What the views say that their rows do not: nothing, unless an insert ended in the middle and its file was only asked for. */
  async viewDifferences(): Promise<unknown[]> {
    const target = this.target('followed');
    return await this.sql(async (client) => {
      const found: unknown[] = [];
      for (const wanted of analyticsOf(target, model)) {
        found.push(...(await auditView(client, wanted, systemClock)).differences);
      }
      return found;
    });
  }

  /** The sums behind the views anew, as `headrace clickhouse rebuild --views` does it. */
  async rebuildViews(): Promise<void> {
    const target = this.target('followed');
    await this.sql(async (client) => {
      const steps = refillAll(analyticsOf(target, model), await readState(client, target));
      await runMigration(client, target, { steps, refused: [] }, () => {});
    });
  }

  /** Keeps what the follower's tables hold now; `restore` brings it back, as a backup would. */
  async backup(): Promise<void> {
    await this.sql(async (client) => {
      await client.command({ query: 'CREATE DATABASE backup' });
      for (const table of TABLES) {
        const query = `CREATE TABLE backup.${table} ENGINE = Memory AS SELECT * FROM followed.${table}`;
        await client.command({ query });
      }
    });
  }

  async restore(): Promise<void> {
    await this.sql(async (client) => {
      for (const table of TABLES) {
        await client.command({ query: `TRUNCATE TABLE followed.${table}` });
        const query = `INSERT INTO followed.${table} SELECT * FROM backup.${table}`;
        await client.command({ query, clickhouse_settings: { optimize_on_insert: 0 } });
      }
    });
  }

  /** How many files the follower's own table has in each state. */
  async fileStates(): Promise<Record<string, number>> {
    return await this.sql(async (client) => {
      const query =
        'SELECT state, toUInt32(count()) AS files FROM followed.headrace_files FINAL GROUP BY state';
      const rows = await (await client.query({ query, format: 'JSONEachRow' })).json<{
        state: string;
        files: number;
      }>();
      return Object.fromEntries(rows.map(({ state, files }) => [state, files]));
    });
  }
}

export class RigEngine {
  readonly log = new FakeLog();
  readonly follower: ClickHouseFollower;
  readonly #rig: FollowerRig;
  readonly #delta: DeltaLog;
  readonly #inserters: Inserter[] = [];
  readonly #client: ClickHouseClient;

  constructor(name: string, rig: FollowerRig, delta: DeltaLog) {
    this.#rig = rig;
    this.#delta = delta;
    const target = rig.target('followed', rig.proxy.url);
    this.#client = openClickHouse(target);
    const inserts = new WorkerInserts((worker, message) => {
      const inserter = this.#inserters[worker]!;
      if (message.type === 'insert') void inserter.insert(message.id, message.file);
      else if (message.type === 'probe') void inserter.probe(message.id, message.file);
      else if (message.type === 'insert-cancel') inserter.cancel(message.id);
      else if (message.type === 'insert-forget') inserter.forget(message.paths);
    });
    for (let worker = 0; worker < WORKERS; worker++) {
      const counters = new WorkerCounters(new SharedArrayBuffer(countersBytes()));
      const post = (message: WorkerMessage) => {
        if (message.type === 'inserted' || message.type === 'probed') inserts.answered(message);
      };
      this.#inserters.push(new Inserter({ target, model, store: rig.store, counters, post }));
    }
    this.follower = new ClickHouseFollower({
      tables: new ClickHouseTables({
        client: () => this.#client,
        target,
        engineId: name,
        asError: asClickHouseError,
      }),
      inserter: inserts,
      check: () =>
        checkClickHouse(target, model, { workers: WORKERS, cutIntervalMs: 1_000, sessionTimeoutMs: 10_000 }),
      readVersion: async (version) => (await delta.readVersion(version))?.actions ?? null,
      newestVersion: () => delta.version,
      appId: (partition) => `headrace/group/clicks/topic-id/${partition}`,
      workerOf: (partition) => partition % WORKERS,
      window: DEDUPLICATION_WINDOW,
      clock: systemClock,
      random: systemRandom,
      log: this.log,
    });
  }

  /** A new version of the story; the workers that wrote its files keep their bytes. */
  async tell(cuts = 1): Promise<void> {
    for (let cut = 0; cut < cuts; cut++) {
      for (const { path, bytes, worker } of await this.#rig.story.cut())
        this.#inserters[worker]!.keep(path, bytes);
      await this.read();
    }
  }

  /** Sees what others wrote. */
  async read(): Promise<void> {
    await this.#delta.refresh();
    this.follower.committed(this.#delta.version, []);
  }

  async caughtUp(): Promise<void> {
    await this.read();
    if (!(await this.follower.caughtUp(30_000))) {
      throw new Error(
        `never caught up: ${JSON.stringify(this.log.lines.map(({ fields, message }) => [message, String(fields.error)]))}`,
      );
    }
  }

  async inserted(files: number): Promise<void> {
    await eventually(`${files} files are inserted`, () => this.follower.figures.files >= files);
  }

  async close(): Promise<void> {
    this.follower.abandon();
    for (const inserter of this.#inserters) await inserter.close();
    await this.#client.close();
  }
}
