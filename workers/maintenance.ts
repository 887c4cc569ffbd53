import { setImmediate } from 'node:timers/promises';
import { systemClock } from '#src/clock.js';
import { HeadraceError } from '#src/errors.js';
import { rewriteSettings } from '#src/lake/maintenance/cluster-columns.js';
import { maintenanceRound } from '#src/lake/maintenance/round.js';
import { MaintenanceRun } from '#src/lake/maintenance/run.js';
import { openStore } from '#src/lake/store/open-store.js';
import type { StoreRetry } from '#src/lake/store/store-retries.js';
import type {
  MaintenanceAnswer,
  MaintenanceNews,
  MaintenanceQuestion,
  MaintenanceResult,
  MaintenanceTask,
} from '#src/pool/maintenance-messages.js';
import { systemRandom } from '#src/random.js';

/**
 * A round of maintenance in a thread of its own, which ends with it and gives its memory back. It knows no Kafka client and commits
 * nothing: versions and followers' places are the main thread's.
 */
export default async function runMaintenance(task: MaintenanceTask): Promise<MaintenanceResult> {
  const { place, model, config, isVacuumDue } = task;
  const main = new MainThread(task);
  task.port.postMessage({ begun: true } satisfies MaintenanceNews);
  const onRetry = (retry: StoreRetry) => task.port.postMessage({ retry } satisfies MaintenanceNews);
  try {
    const run = await MaintenanceRun.open({
      store: await openStore(place, { onRetry }),
      model,
      settings: rewriteSettings(config, model),
      clock: systemClock,
      random: systemRandom,
      commit: async (draft) => {
        const answer = await main.ask({ ask: 'commit', draft });
        return 'version' in answer ? answer.version : null;
      },
      tell: () => {},
      pause: () => setImmediate(),
      signal: main.stopped,
      keepStats: config.archiveTo !== null,
    });
    const { archiveAfterMs, archiveTo } = config;
    const report = await maintenanceRound(run, {
      foldIntervalMs: config.foldIntervalMs,
      compactIntervalMs: config.compactIntervalMs,
      expireAfterMs: config.expireAfterMs,
      archive:
        archiveAfterMs === null || archiveTo === null
          ? null
          : {
              to: await openStore({ ...place, path: archiveTo }, { prepares: true, onRetry }),
              ageMs: archiveAfterMs,
            },
      vacuum: isVacuumDue
        ? {
            retentionMs: config.vacuumRetentionMs,
            followers: async () => {
              const answer = await main.ask({ ask: 'followers' });
              return 'places' in answer ? answer : { places: [], silent: ['the engine stops'] };
            },
          }
        : null,
    });
    return { ...report, ioBytes: run.pace.spentBytes };
  } finally {
    task.port.close();
  }
}

class MainThread {
  readonly #port: MaintenanceTask['port'];
  readonly #stop = new AbortController();
  #answered: ((answer: MaintenanceAnswer) => void) | null = null;

  constructor({ port }: MaintenanceTask) {
    this.#port = port;
    port.on('message', (answer: MaintenanceAnswer) => {
      if ('stop' in answer) this.#stop.abort();
      else this.#answered?.(answer);
    });
  }

  get stopped(): AbortSignal {
    return this.#stop.signal;
  }

  async ask(question: MaintenanceQuestion): Promise<MaintenanceAnswer> {
    const answer = await new Promise<MaintenanceAnswer>((resolve) => {
      this.#answered = resolve;
      this.#port.postMessage(question);
    });
    if ('failed' in answer) throw new HeadraceError('LAKE_IO', answer.failed);
    return answer;
  }
}
