import type { Action } from '#src/lake/delta/actions.js';
import { decodeVersion } from '#src/lake/delta/decode.js';
import { versionOf, versionPath } from '#src/lake/delta/path.js';
import { appIdOf } from '#src/ledger/history.js';
import { writeCheckpoint } from '../../support/checkpoint-writer.js';
import { foldedHistory, SOURCE, TOPIC_ID } from '../../support/fake-ledger.js';
import type { MemoryStore } from '../../support/fake-store.js';
import type { SimBroker } from './sim-broker.js';
import type { SimClickHouse } from './sim-clickhouse.js';
import { type SimLake, truthOf } from './sim-store.js';

/** What the table says of its log: so much is kept. */
export const LOG_KEPT_MS = 4_000;

export interface SimCleanerOptions {
  lake: SimLake;
  clickhouse: SimClickHouse;
  broker: SimBroker;
  lanes: number;
  /** Does it spare what lanes and followers still need (rule 14)? */
  keepsHorizon: boolean;
  tell(what: string): void;
}

/** Another tool at the table: writes a checkpoint, and deletes the log behind it that is old enough, whoever stands still. */
export class SimCleaner {
  readonly #options: SimCleanerOptions;

  constructor(options: SimCleanerOptions) {
    this.#options = options;
  }

  async clean(nowMs: number): Promise<void> {
    const { lake, keepsHorizon, tell } = this.#options;
    const truth = truthOf(lake);
    const versions = versionsIn(truth);
    const newest = versions.length - 1;
    await writeCheckpoint(lake.objects, newest, actionsOf(truth, versions), 1 + (newest % 2));
    const horizon = keepsHorizon ? this.#horizon(truth) : newest;
    let cleaned = -1;
    for (const version of versions) {
      const path = versionPath(version);
      const bytes = lake.objects.objects.get(path);
      const isOld = nowMs - lake.objects.modifiedMs(path) > LOG_KEPT_MS;
      if (version >= newest || version >= horizon || !isOld) break;
      if (bytes !== undefined && !lake.archive.has(path)) {
        lake.archive.set(path, bytes);
      }
      lake.objects.objects.delete(path);
      cleaned = version;
    }
    tell(`another tool writes a checkpoint at version ${newest} and cleans the log up to version ${cleaned}`);
  }

  /** The first version that is still needed. */
  #horizon(truth: MemoryStore): number {
    const { clickhouse, broker, lanes } = this.#options;
    const history = foldedHistory(truth);
    let horizon = Number.POSITIVE_INFINITY;
    for (let partition = 0; partition < lanes; partition++) {
      const appId = appIdOf(SOURCE, TOPIC_ID, partition);
      const lane = history.lane(TOPIC_ID, partition);
      const inClickHouse = clickhouse.positions([appId]).get(appId)?.version ?? -1;
      const inTopics = broker.positions.get(appId)?.version ?? -1;
      const snapshot = lane?.snapshots.at(-1)?.version ?? 0;
      horizon = Math.min(horizon, inClickHouse, inTopics, snapshot);
    }
    return horizon;
  }
}

function versionsIn(store: MemoryStore): number[] {
  return [...store.objects.keys()].flatMap((path) => versionOf(path) ?? []).sort((a, b) => a - b);
}

function actionsOf(store: MemoryStore, versions: readonly number[]): (readonly Action[])[] {
  return versions.map((version) => decodeVersion(version, store.objects.get(versionPath(version))!));
}
