import type { Clock } from '../clock.js';
import { messageOf } from '../errors.js';
import type { ObjectStore } from '../lake/store/store.js';
import type { Log } from '../telemetry/log.js';

/**
 * `headrace ledger snapshot` asks through the table's folder, since the engines of a table may run on several machines: a file that
 * every engine sees and answers with a snapshot of each of its lanes at the next cut. The command takes it away again.
 */
export const SNAPSHOT_REQUESTS = '_headrace/requests/';
export const LOOK_EVERY_MS = 2_000;

export class SnapshotRequests {
  readonly #options: {
    store: Pick<ObjectStore, 'list'>;
    clock: Clock;
    log: Log;
    onRequest(): void;
  };
  #lookedMs = Number.NEGATIVE_INFINITY;
  #looking = false;
  /** Those that were there at the last look. */
  #seen: ReadonlySet<string> = new Set();

  constructor(options: { store: Pick<ObjectStore, 'list'>; clock: Clock; log: Log; onRequest(): void }) {
    this.#options = options;
  }

  /** Looks now and then, behind the caller. */
  look(): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#looking || nowMs - this.#lookedMs < LOOK_EVERY_MS) return;
    this.#lookedMs = nowMs;
    this.#looking = true;
    void this.#look().finally(() => {
      this.#looking = false;
    });
  }

  async #look(): Promise<void> {
    const { store, log, onRequest } = this.#options;
    try {
      const paths = (await store.list(SNAPSHOT_REQUESTS)).map(({ path }) => path);
      const fresh = paths.filter((path) => !this.#seen.has(path));
      this.#seen = new Set(paths);
      if (fresh.length === 0) return;
      log.info(
        { request: fresh.join(',') },
        'a snapshot of every lane was asked for: it comes with the next cut',
      );
      onRequest();
    } catch (error) {
      log.debug({ error: messageOf(error) }, 'could not look for requests; looking again');
    }
  }
}
