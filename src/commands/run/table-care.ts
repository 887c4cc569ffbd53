import { LogCare, type LogCareOptions } from './log-care.js';
import { BackgroundMaintenance, type BackgroundMaintenanceOptions } from './maintenance.js';

/** The table in the long run, beside the commits: its log (checkpoints, clean-up) and its files (fold, compaction, vacuum …). */
export class TableCare {
  readonly #log: LogCare;
  readonly #files: BackgroundMaintenance;

  constructor(options: LogCareOptions & BackgroundMaintenanceOptions) {
    this.#log = new LogCare(options);
    this.#files = new BackgroundMaintenance(options);
  }

  /** A version of ours was committed. */
  committed(version: number): void {
    this.#log.committed(version);
  }

  /** Looks after the files until the signal. Never rejects. */
  run(signal: AbortSignal): Promise<void> {
    return this.#files.run(signal);
  }

  /** Nothing of it is under way any more. */
  async close(): Promise<void> {
    await Promise.all([this.#log.close(), this.#files.close()]);
  }
}
