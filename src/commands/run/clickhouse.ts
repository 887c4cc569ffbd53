import { checkClickHouse } from '../../clickhouse/check.js';
import { ClickHouseHosts, withReachable } from '../../clickhouse/hosts.js';
import { DEDUPLICATION_WINDOW } from '../../clickhouse/layout.js';
import { type ClickHouseTarget, targetOf } from '../../clickhouse/target.js';
import type { Clock } from '../../clock.js';
import type { EngineConfig } from '../../config/types.js';
import { HeadraceError } from '../../errors.js';
import { tellingHosts } from '../../followers/clickhouse/failover.js';
import { ClickHouseFollower } from '../../followers/clickhouse/follower.js';
import { ClickHouseTables } from '../../followers/clickhouse/tables.js';
import { LagWatch } from '../../followers/lag.js';
import { tellingNotMirrored } from '../../followers/not-mirrored.js';
import { rewrittenInserter } from '../../followers/rewritten-files.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { CompiledModel } from '../../model/types.js';
import type { WorkerPool } from '../../pool/pool.js';
import { WorkerInserts } from '../../pool/worker-inserts.js';
import type { Random } from '../../random.js';
import { sumHistogram } from '../../telemetry/counters.js';
import { quantileBound } from '../../telemetry/histograms.js';
import type { Log } from '../../telemetry/log.js';
import type { PreparedLake } from './lake.js';

/** Where this engine's ClickHouse is, or null: none follows. */
export function clickHouseTarget(config: EngineConfig, model: CompiledModel): ClickHouseTarget | null {
  return config.clickhouse === null ? null : targetOf(config.clickhouse, model);
}

/**
 * At boot, before Kafka is asked anything. Throws CLICKHOUSE_UNFIT with the statements that mend it; a ClickHouse that can't
 * be asked is told of, and holds nothing up.
 */
export async function checkAtBoot(config: EngineConfig, model: CompiledModel, log: Log): Promise<void> {
  const target = clickHouseTarget(config, model);
  if (target === null) return;
  try {
    await withReachable(target, (at) => checkClickHouse(at, model, loadOf(config)));
  } catch (error) {
    if (!(error instanceof HeadraceError) || error.disposition === 'exit') throw error;
    log.warn({ error }, 'ClickHouse can not be asked now: starting all the same, its files wait in the lake');
  }
}

export interface FollowingOptions {
  config: EngineConfig;
  model: CompiledModel;
  lake: PreparedLake;
  ledger: Ledger;
  pool: WorkerPool;
  engineId: string;
  workerOf(partition: number): number | undefined;
  onReached(partition: number, version: number, offset: bigint): void;
  clock: Clock;
  random: Random;
  log: Log;
}

/** What follows the table into ClickHouse. */
export class ClickHouseFollowing {
  readonly follower: ClickHouseFollower;
  /** Is told what the workers answer. */
  readonly inserts: WorkerInserts;
  readonly #options: FollowingOptions;
  readonly #hosts: ClickHouseHosts;
  readonly #lag = new LagWatch();
  readonly #closed = new AbortController();

  constructor(target: ClickHouseTarget, options: FollowingOptions) {
    const { config, model, lake, ledger, pool, engineId } = options;
    const hosts = new ClickHouseHosts(target);
    this.#hosts = hosts;
    this.#options = options;
    this.inserts = new WorkerInserts((worker, message) => pool.post(worker, message));
    this.follower = new ClickHouseFollower({
      ...options,
      tables: new ClickHouseTables({
        client: () => hosts.client,
        target,
        engineId,
        asError: (error, client) => hosts.failed(error, client),
      }),
      inserter: tellingHosts(
        rewrittenInserter(this.inserts, (path) => ledger.rewriteOf(path)),
        hosts,
      ),
      check: async () => {
        try {
          await checkClickHouse(hosts.target, model, loadOf(config));
        } catch (error) {
          throw hosts.failed(error);
        }
      },
      readVersion: tellingNotMirrored(
        async (version) => {
          const actions = (await lake.delta.readVersion(version))?.actions ?? null;
          if (actions !== null) this.#lag.read(version, actions);
          return actions;
        },
        { log: options.log, meaning: NOT_MIRRORED },
      ),
      newestVersion: () => ledger.version,
      appId: (partition) => ledger.appId(partition),
      window: DEDUPLICATION_WINDOW,
    });
    void this.#publish();
  }

  /** Fields of the line that tells of progress. */
  progress() {
    const { files, versions } = this.follower.behind;
    const { eventTimeMs } = this.#lagNow();
    const took = sumHistogram('clickhouseInsertNs', this.#options.pool.counters);
    return {
      clickhouse_rows: this.follower.figures.rows,
      clickhouse_files_behind: files + versions,
      clickhouse_event_lag_ms: eventTimeMs,
      clickhouse_insert_p95_ms: quantileBound(took, 0.95) / 1e6,
    };
  }

  #lagNow() {
    const { ledger, clock } = this.#options;
    const watermarkOf = (partition: number) => ledger.lane(partition)?.watermarkMs ?? null;
    return this.#lag.now(this.follower.health.positions, watermarkOf, clock.nowMs());
  }

  /** Gauges, as often as somebody may look at them. */
  async #publish(): Promise<void> {
    const { clock, pool } = this.#options;
    const { ownCounters: counters } = pool;
    while (!this.#closed.signal.aborted) {
      const { files, versions } = this.follower.behind;
      const { waitingMs, eventTimeMs } = this.#lagNow();
      counters.set('clickhouseFilesBehind', files);
      counters.set('clickhouseVersionsBehind', versions);
      counters.set('clickhouseLagMs', Math.max(0, Math.round(waitingMs)));
      counters.set('clickhouseEventLagMs', Math.max(0, eventTimeMs));
      counters.set('clickhouseTrouble', this.follower.health.isInTrouble ? 1 : 0);
      counters.set('clickhouseHost', this.#hosts.index);
      counters.set('clickhouseHostChanges', this.#hosts.changes);
      await clock.sleep(PUBLISH_MS, this.#closed.signal);
    }
  }

  /** Finishes what it can within the time. Resolves to the number of files that are left for the next start. */
  async close(timeoutMs: number): Promise<number> {
    const behind = await this.follower.close(timeoutMs);
    this.#closed.abort();
    await this.#hosts.close();
    return behind;
  }

  async abandon(): Promise<void> {
    this.#closed.abort();
    this.follower.abandon();
    await this.#hosts.close();
  }
}

const PUBLISH_MS = 1_000;
const NOT_MIRRORED =
  'ClickHouse keeps what it has and goes on with what is committed; headrace clickhouse rebuild brings it to the state of the table';

function loadOf({ workers, cutIntervalMs, kafka }: EngineConfig) {
  return { workers, cutIntervalMs, sessionTimeoutMs: kafka.sessionTimeoutMs };
}
