import type { Clock } from '../clock.js';
import { lakeAt } from '../config/lake-place.js';
import type { VersionActions } from '../lake/delta/actions.js';
import { DeltaLog } from '../lake/delta/log.js';
import { openStore } from '../lake/store/open-store.js';
import type { LedgerEntry } from '../ledger/types.js';
import type { Backlog } from './demo-backlog.js';

/**
 * What the demo knows of the engine: nothing but the table's Delta log, as any other reader would. Each commit carries
 * one `txn` a lane, `headrace/<group>/<topic>/<topic id>/<partition>`, with the offset up to which it is done.
 */

const POLL_MS = 20;

export class DemoLedger {
  readonly #tableFolder: string;
  readonly #backlog: Backlog;
  readonly #clock: Clock;
  #log: DeltaLog | null = null;
  #rows = 0;
  #deadLetters = 0;

  constructor(tableFolder: string, backlog: Backlog, clock: Clock) {
    this.#tableFolder = tableFolder;
    this.#backlog = backlog;
    this.#clock = clock;
  }

  /** Versions of the table so far. */
  get commits(): number {
    return this.#log === null ? 0 : this.#log.version + 1;
  }

  /** Rows in the files of all versions; while nothing is revised, one a finished session. */
  get rows(): number {
    return this.#rows;
  }

  /** Events that the engine could not count, by what it recorded with its cuts. */
  get deadLetters(): number {
    return this.#deadLetters;
  }

  /** Lanes that the ledger knows. */
  get lanes(): number {
    return this.#log?.txns.size ?? 0;
  }

  /**
   * Follows the log until `done`, or the signal. 'stalled': no version came for `stallMs` though there was something to
   * commit (at the start there always is: where each lane begins).
   */
  async follow(done: () => boolean, signal: AbortSignal, stallMs: number): Promise<'done' | 'stalled'> {
    let advancedMs = this.#clock.monotonicMs();
    while (!signal.aborted && !done()) {
      const before = this.commits;
      await this.refresh();
      const idle = this.lanes > 0 && this.#backlog.committedRecords === this.#backlog.records;
      if (this.commits > before || idle) advancedMs = this.#clock.monotonicMs();
      if (this.#clock.monotonicMs() - advancedMs > stallMs) return 'stalled';
      await this.#clock.sleep(POLL_MS, signal);
    }
    return 'done';
  }

  /** Reads the versions that came since. */
  async refresh(): Promise<void> {
    const onVersion = (version: VersionActions) => this.#take(version);
    if (this.#log !== null) return await this.#log.refresh(onVersion);
    this.#log = await DeltaLog.open(await openStore(lakeAt(this.#tableFolder)), { onVersion });
  }

  #take({ actions }: VersionActions): void {
    for (const action of actions) {
      if ('txn' in action) {
        const partition = Number(action.txn.appId.split('/').at(-1));
        this.#backlog.committed(partition, Number(action.txn.version));
      } else if ('add' in action) {
        const stats = JSON.parse(action.add.stats ?? '{}') as { numRecords?: number };
        this.#rows += stats.numRecords ?? 0;
      } else if ('commitInfo' in action) {
        this.#countDeadLetters(action.commitInfo.headrace as LedgerEntry | undefined);
      }
    }
  }

  #countDeadLetters(entry: LedgerEntry | undefined): void {
    for (const cut of entry?.cuts ?? []) {
      for (const { deadLetters } of cut.lanes) this.#deadLetters += deadLetters;
    }
  }
}
