import type { ClickHouseClient } from '@clickhouse/client';
import { checkClickHouse } from '#src/clickhouse/check.js';
import { ClickHouseHosts } from '#src/clickhouse/hosts.js';
import { FileInsert } from '#src/clickhouse/insert.js';
import { DEDUPLICATION_WINDOW } from '#src/clickhouse/layout.js';
import { planMigration, runMigration } from '#src/clickhouse/migrate.js';
import { analyticsOf } from '#src/clickhouse/schema.js';
import { readState } from '#src/clickhouse/state.js';
import { type ClickHouseTarget, openClickHouse } from '#src/clickhouse/target.js';
import { auditView } from '#src/clickhouse/views/audit.js';
import { refillAll } from '#src/clickhouse/views/compare-views.js';
import { systemClock } from '#src/clock.js';
import {
  type ClickHouseFront,
  type ClickHouseFrontOptions,
  startClickHouseFront,
} from '#src/embedded/clickhouse-front.js';
import { tellingHosts } from '#src/followers/clickhouse/failover.js';
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
import { type HttpFaultProxy, type ProxyTls, startHttpFaultProxy } from './http-fault-proxy.js';
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
const LOAD = { workers: WORKERS, cutIntervalMs: 1_000, sessionTimeoutMs: 10_000 };

/** A user of the ClickHouse, and how the engine comes in as that user. */
export interface RigAccess {
  front: Pick<ClickHouseFrontOptions, 'user' | 'password'>;
  target: Partial<ClickHouseTarget>;
}

export class FollowerRig {
  readonly store: ObjectStore;
  readonly story: SessionStory;
  readonly proxy: HttpFaultProxy;
  readonly folder: string;
  /** Of the table. */
  readonly lake: string;
  front: ClickHouseFront;
  /** How one comes in, beside where. */
  readonly #access: RigAccess;
  readonly #engines: RigEngine[] = [];
  readonly #proxies: HttpFaultProxy[];

  private constructor(
    folder: string,
    lake: string,
    front: ClickHouseFront,
    proxy: HttpFaultProxy,
    story: SessionStory,
    access: RigAccess,
  ) {
    this.#access = access;
    this.#proxies = [proxy];
    this.folder = folder;
    this.lake = lake;
    this.front = front;
    this.proxy = proxy;
    this.store = story.store;
    this.story = story;
  }

  static async with(
    seed: number,
    work: (rig: FollowerRig) => Promise<void>,
    access: RigAccess = { front: {}, target: {} },
  ): Promise<void> {
    await withFolder(async (lake) => {
      await withFolder(async (folder) => {
        const front = await startClickHouseFront({ ...access.front, folder });
        const proxy = await startHttpFaultProxy(front.url);
        const store = new LocalStore(lake);
        await createTable(store, OWNER);
        const story = await SessionStory.begin(store, model, { seed, lanes: LANES, workers: WORKERS });
        const rig = new FollowerRig(folder, lake, front, proxy, story, access);
        try {
          await rig.migrate('followed');
          await work(rig);
        } finally {
          for (const engine of rig.#engines) await engine.close();
          for (const each of rig.#proxies) await each.close();
          await rig.front.kill();
        }
      });
    });
  }

  target(database: string, url = this.front.url): ClickHouseTarget {
    const warehouse = { ...CLICKHOUSE_DEFAULTS.warehouse, views: VIEWS };
    const common = { table: 'session_metrics', ...CLICKHOUSE_DEFAULTS, warehouse };
    const more = { requestTimeoutMs: 10_000, keptBytes: 2 ** 20, ...this.#access.target };
    return { url, database, ...common, ...more };
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

  /** One more way to the same ClickHouse, as to a replica that has all that the others have. */
  async anotherHost(tls: ProxyTls | null = null): Promise<HttpFaultProxy> {
    const proxy = await startHttpFaultProxy(this.front.url, tls);
    this.#proxies.push(proxy);
    return proxy;
  }

  /** An engine that holds these lanes; its way to ClickHouse leads through the proxy. */
  async engine(
    name: string,
    lanes: readonly number[],
    { window = DEDUPLICATION_WINDOW, checks = true, ...change }: Partial<ClickHouseTarget> & EngineKind = {},
  ): Promise<RigEngine> {
    const delta = await DeltaLog.open(this.store);
    const target = { ...this.target('followed', this.proxy.url), ...change };
    const engine = new RigEngine({ name, rig: this, delta: delta!, target, window, checks });
    this.#engines.push(engine);
    engine.follower.acquired(lanes);
    return engine;
  }

  /** SIGKILL, and up again over the same data at another port. */
  async restartFront(): Promise<void> {
    await this.front.kill();
    this.front = await startClickHouseFront({ ...this.#access.front, folder: this.folder });
    for (const proxy of this.#proxies) proxy.setUpstream(this.front.url);
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

interface EngineKind {
  /** Inserts for which ClickHouse tells a repetition, as the engine believes. */
  window?: number;
  /** False: it does not mind how the tables are. */
  checks?: boolean;
}

interface RigEngineOptions extends Required<EngineKind> {
  name: string;
  rig: FollowerRig;
  delta: DeltaLog;
  target: ClickHouseTarget;
}

export class RigEngine {
  readonly log = new FakeLog();
  readonly follower: ClickHouseFollower;
  readonly #rig: FollowerRig;
  readonly #delta: DeltaLog;
  readonly #inserters: Inserter[] = [];
  readonly #hosts: ClickHouseHosts;

  constructor({ name, rig, delta, target, window, checks }: RigEngineOptions) {
    this.#rig = rig;
    this.#delta = delta;
    const hosts = new ClickHouseHosts(target);
    this.#hosts = hosts;
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
        client: () => hosts.client,
        target,
        engineId: name,
        asError: (error, client) => hosts.failed(error, client),
      }),
      inserter: tellingHosts(inserts, hosts),
      check: async () => {
        if (!checks) return;
        try {
          await checkClickHouse(hosts.target, model, LOAD);
        } catch (error) {
          throw hosts.failed(error);
        }
      },
      readVersion: async (version) => (await delta.readVersion(version))?.actions ?? null,
      newestVersion: () => delta.version,
      appId: (partition) => `headrace/group/clicks/topic-id/${partition}`,
      workerOf: (partition) => partition % WORKERS,
      window,
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
    await this.#hosts.close();
  }
}
