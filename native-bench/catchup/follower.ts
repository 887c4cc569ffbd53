import { checkClickHouse } from '#src/clickhouse/check.js';
import { ClickHouseHosts } from '#src/clickhouse/hosts.js';
import { DEDUPLICATION_WINDOW } from '#src/clickhouse/layout.js';
import type { ClickHouseTarget } from '#src/clickhouse/target.js';
import { systemClock } from '#src/clock.js';
import { tellingHosts } from '#src/followers/clickhouse/failover.js';
import { ClickHouseFollower } from '#src/followers/clickhouse/follower.js';
import { ClickHouseTables } from '#src/followers/clickhouse/tables.js';
import { DeltaLog } from '#src/lake/delta/log.js';
import type { ObjectStore } from '#src/lake/store/store.js';
import type { Ledger } from '#src/ledger/ledger.js';
import type { CompiledModel } from '#src/model/types.js';
import type { WorkerMessage } from '#src/pool/messages.js';
import { WorkerInserts } from '#src/pool/worker-inserts.js';
import { systemRandom } from '#src/random.js';
import { countersBytes, WorkerCounters } from '#src/telemetry/counters.js';
import { createLog } from '#src/telemetry/log.js';
import { Inserter } from '../../workers/inserter.js';
import { Statements } from './statements.js';

const CLOSE_MS = 5_000;

/** A real follower with real inserters, one a worker, all in this process: they wait for sockets, and no worker is busy beside them. */
export class BenchFollower {
  readonly follower: ClickHouseFollower;
  readonly counters: readonly SharedArrayBuffer[];
  readonly statements = new Statements();
  readonly #inserters: readonly Inserter[];
  readonly #hosts: ClickHouseHosts;

  private constructor(options: FollowerParts, delta: DeltaLog) {
    const { target, model, store, ledger, workers } = options;
    const hosts = new ClickHouseHosts(target);
    this.#hosts = hosts;
    const inserts = new WorkerInserts((worker, message) => {
      const inserter = this.#inserters[worker]!;
      if (message.type === 'insert') void inserter.insert(message.id, message.file);
      else if (message.type === 'probe') void inserter.probe(message.id, message.file);
      else if (message.type === 'insert-cancel') inserter.cancel(message.id);
      else if (message.type === 'insert-forget') inserter.forget(message.paths);
    });
    const post = (message: WorkerMessage) => {
      if (message.type === 'inserted' || message.type === 'probed') inserts.answered(message);
    };
    this.counters = Array.from({ length: workers }, () => new SharedArrayBuffer(countersBytes()));
    this.#inserters = this.counters.map(
      (buffer) => new Inserter({ target, model, store, counters: new WorkerCounters(buffer), post }),
    );
    const load = { workers, cutIntervalMs: 1_000, sessionTimeoutMs: 45_000 };
    this.follower = new ClickHouseFollower({
      tables: new ClickHouseTables({
        client: () => this.statements.counting(hosts.client),
        target,
        engineId: 'bench',
        asError: (error, client) => hosts.failed(error, client),
      }),
      inserter: tellingHosts(inserts, hosts),
      check: () => checkClickHouse(hosts.target, model, load),
      readVersion: async (version) => (await delta.readVersion(version))?.actions ?? null,
      newestVersion: () => ledger.version,
      appId: (partition) => ledger.appId(partition),
      workerOf: (partition) => partition % workers,
      window: DEDUPLICATION_WINDOW,
      clock: systemClock,
      random: systemRandom,
      log: createLog({ level: 'warn', format: 'auto' }),
    });
  }

  static async open(options: FollowerParts): Promise<BenchFollower> {
    const delta = await DeltaLog.open(options.store);
    if (delta === null) throw new Error('there is no table');
    return new BenchFollower(options, delta);
  }

  keep(worker: number, path: string, bytes: Uint8Array): void {
    this.#inserters[worker]!.keep(path, bytes);
  }

  async close(): Promise<void> {
    await this.follower.close(CLOSE_MS);
    for (const inserter of this.#inserters) await inserter.close();
    await this.#hosts.close();
  }
}

export interface FollowerParts {
  target: ClickHouseTarget;
  model: CompiledModel;
  store: ObjectStore;
  ledger: Ledger;
  workers: number;
}
