import type { Clock } from '../../clock.js';
import type { EngineConfig } from '../../config/types.js';
import { rewriteSettings } from '../../lake/maintenance/cluster-columns.js';
import type { MaintenanceDraft } from '../../lake/maintenance/run.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { Removals } from '../../ledger/removals.js';
import type { CompiledModel } from '../../model/types.js';
import type {
  MaintenanceAnswer,
  MaintenanceQuestion,
  MaintenanceResult,
} from '../../pool/maintenance-messages.js';
import { MaintenanceThread } from '../../pool/maintenance-thread.js';
import type { Random } from '../../random.js';
import type { Log } from '../../telemetry/log.js';
import type { PreparedLake } from './lake.js';

export interface BackgroundMaintenanceOptions {
  config: EngineConfig;
  model: CompiledModel;
  lake: PreparedLake;
  ledger: Ledger;
  clock: Clock;
  random: Random;
  log: Log;
}

/** How long a round may take to end what it is at, when the engine stops. */
const STOP_MS = 2_000;

/**
 * Keeps the table's files while the engine runs: a round each interval, at a time of its own, in a thread that ends with it. Failures are
 * told and left to the next round: nothing of the engine waits for it.
 */
export class BackgroundMaintenance {
  readonly #options: BackgroundMaintenanceOptions;
  #thread: MaintenanceThread | null = null;
  #vacuumedMs: number;

  constructor(options: BackgroundMaintenanceOptions) {
    this.#options = options;
    // columns that are not there are told now, not in an hour
    rewriteSettings(options.config.maintenance, options.model);
    this.#vacuumedMs = options.clock.monotonicMs();
  }

  /** Until the signal. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { config, clock, random } = this.#options;
    const intervalMs = roundInterval(config);
    if (intervalMs === null) return;
    // engines that start together begin apart; what a crash loop would do all the time is left out
    for (
      let waitMs = intervalMs * (0.25 + random.float() / 2);
      ;
      waitMs = intervalMs * (0.9 + random.float() / 5)
    ) {
      await clock.sleep(waitMs, signal);
      if (signal.aborted) return;
      await this.#round(signal);
    }
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { config, model, lake, ledger, clock, log } = this.#options;
    const { vacuumIntervalMs } = config.maintenance;
    const isVacuumDue =
      vacuumIntervalMs !== null && clock.monotonicMs() - this.#vacuumedMs >= vacuumIntervalMs;
    const startedMs = clock.monotonicMs();
    // before the thread reads the table: what is taken out of it from here on is known
    const removals = ledger.watchRemovals();
    const task = { place: lake.place, model, config: config.maintenance, isVacuumDue };
    const thread = new MaintenanceThread({
      task,
      answer: (question) => this.#answer(question, removals),
      onRetry: (retry) => lake.retries.tell(retry),
    });
    this.#thread = thread;
    const stop = () => thread.stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      const result = await thread.result;
      if (isVacuumDue) this.#vacuumedMs = startedMs;
      tellRound(log, result, clock.monotonicMs() - startedMs);
    } catch (error) {
      if (!signal.aborted)
        log.warn(
          { error },
          'the table could not be maintained; the next round tries again, nothing else waits for it',
        );
    } finally {
      signal.removeEventListener('abort', stop);
      removals.close();
      this.#thread = null;
    }
  }

  /** The engine stops: what is being written is ended, or left to a vacuum. */
  async close(): Promise<void> {
    const thread = this.#thread;
    if (thread === null) return;
    thread.stop();
    const ended = thread.result.then(
      () => undefined,
      () => undefined,
    );
    await Promise.race([ended, this.#options.clock.sleep(STOP_MS)]);
    await thread.destroy();
  }

  async #answer(question: MaintenanceQuestion, removals: Removals): Promise<MaintenanceAnswer> {
    if (question.ask === 'commit') return { version: await this.#commit(question.draft, removals) };
    const { config, lake, ledger, log } = this.#options;
    const { placesOfFollowers } = await import('../ledger/follower-horizon.js');
    const { group, topic } = config.kafka;
    const owner = { group, topic, model: this.#options.model.name };
    const opened = { store: lake.store, delta: lake.delta, history: ledger.history, owner };
    return await placesOfFollowers({ config, opened, log });
  }

  async #commit(draft: MaintenanceDraft, removals: Removals): Promise<number | null> {
    return await this.#options.ledger.commitMaintenance(
      draft,
      { kind: draft.kind, ...draft.detail },
      removals,
    );
  }
}

/** The shortest of what is to be done; null: nothing is. */
function roundInterval({ maintenance }: EngineConfig): number | null {
  const { foldIntervalMs, compactIntervalMs, vacuumIntervalMs, expireAfterMs, archiveAfterMs } = maintenance;
  const hasAges = expireAfterMs !== null || archiveAfterMs !== null;
  const all = [foldIntervalMs, compactIntervalMs, vacuumIntervalMs, hasAges ? DAY_MS : null];
  const wanted = all.filter((each) => each !== null);
  return wanted.length === 0 ? null : Math.min(...wanted);
}

const DAY_MS = 86_400_000;

function tellRound(
  log: Log,
  { fold, compact, expire, archive, vacuum, gaveWay, ioBytes }: MaintenanceResult,
  ms: number,
) {
  const versions = [
    ...(fold?.versions ?? []),
    ...(compact?.versions ?? []),
    ...[expire?.version, archive?.version].filter((version) => version != null),
  ];
  const fields = {
    folded_rows: fold?.rows ?? 0,
    compacted_files: compact?.before.files ?? 0,
    into_files: compact?.after.files ?? 0,
    expired_files: expire?.files ?? 0,
    archived_files: archive?.files ?? 0,
    deleted_files: vacuum?.deleted.files ?? 0,
    io_bytes: ioBytes,
    seconds: Math.round(ms / 1_000),
    gave_way: gaveWay,
  };
  const isQuiet = versions.length === 0 && fields.deleted_files === 0;
  if (isQuiet) log.debug(fields, 'the table needed no maintenance');
  else log.info(fields, 'the table was maintained');
  const held = vacuum?.held.length ?? 0;
  if (held > 0)
    log.info(
      { files: held, silent: vacuum?.silent.join('; ') },
      'files that left the table wait for followers that have yet to read them',
    );
  for (const [path, why] of [...(fold?.foreign ?? []), ...(compact?.foreign ?? [])].slice(0, 3))
    log.warn({ path, why }, 'a file of another tool is left as it is: it can’t be written again here');
}
