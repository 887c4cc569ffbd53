import type { Clock } from '../../clock.js';
import type { EngineConfig } from '../../config/types.js';
import { cleanUpLog } from '../../lake/delta/clean-up.js';
import { Checkpoints, checkpointInThread } from '../../ledger/checkpoints.js';
import { neededFrom } from '../../ledger/horizon.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { Log } from '../../telemetry/log.js';
import { placesOfFollowers } from '../ledger/follower-horizon.js';
import type { PreparedLake } from './lake.js';

/**
 * The table's log in the long run, beside the commits: a checkpoint now and then, and behind it the removal of versions that are
 * older than the table keeps them and that no lane and no follower needs.
 */
export interface LogCareOptions {
  config: EngineConfig;
  lake: PreparedLake;
  ledger: Ledger;
  topicId: string;
  clock: Clock;
  log: Log;
}

/** A log that is kept for less than two of these is looked at twice in its time. */
const CLEAN_UP_EVERY_MS = 3_600_000;

export class LogCare {
  readonly #options: LogCareOptions;
  readonly #checkpoints: Checkpoints;
  readonly #stop = new AbortController();
  #cleaning: Promise<void> | null = null;
  #cleanedMs: number | null = null;

  constructor(options: LogCareOptions) {
    this.#options = options;
    const { lake, ledger, config, clock, log } = options;
    const source = { group: config.kafka.group, topic: config.kafka.topic };
    this.#checkpoints = new Checkpoints({
      newest: lake.checkpoint,
      interval: () => ledger.checkpointInterval,
      write: (unlessFrom) => {
        const task = { place: lake.place, source, unlessFrom, nowMs: clock.nowMs() };
        return checkpointInThread(task, log, this.#stop.signal);
      },
      onNewer: () => this.#cleanUp(),
      log,
    });
  }

  /** A version of ours was committed. */
  committed(version: number): void {
    if (!this.#stop.signal.aborted) this.#checkpoints.committed(version);
  }

  /** Nothing of it is under way any more: a checkpoint that is not published is given up. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#checkpoints.settled();
    await this.#cleaning;
  }

  #cleanUp(): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#cleaning !== null || this.#stop.signal.aborted) return;
    const everyMs = Math.min(CLEAN_UP_EVERY_MS, this.#options.ledger.logKeptMs / 2);
    if (this.#cleanedMs !== null && nowMs - this.#cleanedMs < everyMs) return;
    this.#cleanedMs = nowMs;
    this.#cleaning = this.#cleanUpNow()
      .catch((error: unknown) =>
        this.#options.log.warn({ error }, "could not clean up the table's log; it is tried again later"),
      )
      .finally(() => {
        this.#cleaning = null;
      });
  }

  async #cleanUpNow(): Promise<void> {
    const { config, lake, ledger, topicId, clock, log } = this.#options;
    const { history } = ledger;
    const source = { group: config.kafka.group, topic: config.kafka.topic };
    const opened = { store: lake.store, delta: lake.delta, history, owner: source };
    const { places, silent } = await placesOfFollowers({ config, opened, log });
    if (silent.length > 0) {
      log.info(
        { followers: silent.join('; ') },
        "the table's log is not cleaned up: followers can't be asked how far they are",
      );
      return;
    }
    const { paths, keepFrom } = await cleanUpLog(lake.store, {
      nowMs: clock.nowMs(),
      retentionMs: ledger.logKeptMs,
      neededFrom: neededFrom(history.lanes(topicId), places),
    });
    if (paths.length === 0) return;
    log.info({ files: paths.length, keep_from: keepFrom }, "old versions were taken out of the table's log");
  }
}
