import { crashPoint } from '../crash-points.js';
import { messageOf } from '../errors.js';
import type { ObjectStore } from '../lake/store/store.js';
import type { LaneHistory } from '../ledger/history.js';
import { checkSnapshot } from '../reference/snapshot.js';
import type { Log } from '../telemetry/log.js';

/**
 * Removes snapshots that no recovery needs any more. The two newest committed ones of a lane stay; older ones go only
 * after the newest was read back whole (ledger rule 13). Snapshots of cuts that never committed lie among the older ones
 * sooner or later and go with them.
 */
export class SnapshotJanitor {
  readonly #store: ObjectStore;
  readonly #modelHash: string;
  readonly #appId: (partition: number) => string;
  readonly #log: Log;
  #tail: Promise<void> = Promise.resolve();

  constructor(options: {
    store: ObjectStore;
    modelHash: string;
    appId(partition: number): string;
    log: Log;
  }) {
    this.#store = options.store;
    this.#modelHash = options.modelHash;
    this.#appId = options.appId;
    this.#log = options.log;
  }

  /** A snapshot of the lane was committed. The work is done behind the caller, one lane after the other. */
  committed(lane: LaneHistory): void {
    const [kept, newest] = lane.snapshots.slice(-2);
    if (kept === undefined || newest === undefined) return;
    const partition = lane.partition;
    this.#tail = this.#tail
      .then(() => this.#clean(partition, kept, newest))
      .catch((error: unknown) => {
        this.#log.warn(
          { partition, error: messageOf(error) },
          'could not clean up old snapshots; the next one tries again',
        );
      });
  }

  async settled(): Promise<void> {
    await this.#tail;
  }

  async #clean(
    partition: number,
    kept: LaneHistory['snapshots'][number],
    newest: LaneHistory['snapshots'][number],
  ): Promise<void> {
    const bytes = await this.#store.get(newest.path);
    if (bytes === null) {
      this.#log.error(
        { partition, path: newest.path },
        'a committed snapshot is not there; older ones are kept',
      );
      return;
    }
    checkSnapshot(bytes, {
      modelHash: this.#modelHash,
      appId: this.#appId(partition),
      partition,
      offset: newest.offset,
      cutId: newest.cutId,
    });
    const folder = newest.path.slice(0, newest.path.lastIndexOf('/') + 1);
    for (const { path } of await this.#store.list(folder)) {
      if (path >= kept.path || path === newest.path) continue;
      crashPoint('snapshot.before-delete');
      await this.#store.delete(path);
      crashPoint('snapshot.after-delete');
    }
  }
}
