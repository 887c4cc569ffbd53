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
 *
 * Older means a lower offset. At one offset the ids of cuts say nothing: they are of several engines' clocks, and the snapshot of a
 * cut that is yet to be committed may lie there. So of these only those go that this janitor saw replaced in the ledger.
 */
export class SnapshotJanitor {
  readonly #store: ObjectStore;
  readonly #modelHash: string;
  readonly #appId: (partition: number) => string;
  readonly #log: Log;
  #tail: Promise<void> = Promise.resolve();
  /** By partition: paths of the two newest, and of those that were so before. */
  readonly #pairs = new Map<number, { now: string[]; replaced: Set<string> }>();

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
    // as it is now: what is replaced by the time that it is this one's turn may be the newest of one that waits behind it
    const replaced = new Set(this.#replacedBy(partition, [kept.path, newest.path]));
    this.#tail = this.#tail
      .then(() => this.#clean(partition, kept, newest, replaced))
      .catch((error: unknown) => {
        this.#log.warn(
          { partition, error: messageOf(error) },
          'could not clean up old snapshots; the next one tries again',
        );
      });
  }

  #replacedBy(partition: number, now: string[]): Set<string> {
    const before = this.#pairs.get(partition);
    const replaced = before?.replaced ?? new Set();
    for (const path of before?.now ?? []) if (!now.includes(path)) replaced.add(path);
    this.#pairs.set(partition, { now, replaced });
    return replaced;
  }

  async settled(): Promise<void> {
    await this.#tail;
  }

  async #clean(
    partition: number,
    kept: LaneHistory['snapshots'][number],
    newest: LaneHistory['snapshots'][number],
    replaced: ReadonlySet<string>,
  ): Promise<void> {
    // it took long, or stood still: a later one waits behind this
    if (this.#pairs.get(partition)?.now.includes(newest.path) === false) return;
    const folder = newest.path.slice(0, newest.path.lastIndexOf('/') + 1);
    const bytes = await this.#store.get(newest.path);
    if (bytes === null) {
      const there = await this.#store.list(folder);
      // the lane's next owner has gone on, and has cleaned up
      if (there.some(({ path }) => offsetPart(path) > offsetPart(newest.path))) return;
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
    const keptOffset = offsetPart(kept.path);
    for (const { path } of await this.#store.list(folder)) {
      if (path === newest.path || path === kept.path) continue;
      if (offsetPart(path) >= keptOffset && !replaced.has(path)) continue;
      crashPoint('snapshot.before-delete');
      await this.#store.delete(path);
      this.#pairs.get(partition)?.replaced.delete(path);
      crashPoint('snapshot.after-delete');
    }
  }
}

/** Of `…/<offset>-<cut>.snap`; offsets have the same number of digits. */
function offsetPart(path: string): string {
  return path.slice(0, path.lastIndexOf('-'));
}
