import type { Clock } from '../../clock.js';
import type { QualityFigures } from '../../lanes/quality-figures.js';
import { bytesPerOpenSession, snapshotFigures, sumCounters } from '../../telemetry/counters.js';
import type { Log } from '../../telemetry/log.js';

export const PROGRESS_MS = 5_000;

export interface ProgressOptions {
  counters: readonly SharedArrayBuffer[];
  quality: QualityFigures;
  /** Events that were not read yet. */
  lag(): number;
  /** Of the table. */
  version(): number;
  followers(): object;
  /** Says how far lanes are that replay. */
  tellRecovery(): void;
  startedMs: number;
  clock: Clock;
  log: Log;
}

/** A line every few seconds on how it goes. Never resolves: it ends with the engine. */
export async function progressLoop(options: ProgressOptions, stop: AbortSignal): Promise<never> {
  const { clock, log } = options;
  let before = { events: 0, atMs: options.startedMs };
  while (!stop.aborted) {
    await clock.sleep(PROGRESS_MS, stop);
    if (stop.aborted) break;
    options.tellRecovery();
    const totals = sumCounters(options.counters);
    const atMs = clock.monotonicMs();
    const eventsPerSecond = Math.round(((totals.events - before.events) / (atMs - before.atMs)) * 1_000);
    before = { events: totals.events, atMs };
    log.info(
      {
        events_per_second: eventsPerSecond,
        events: totals.events,
        rows: totals.rows,
        open_sessions: totals.openSessions,
        bytes_per_open_session: bytesPerOpenSession(totals),
        lag: options.lag(),
        version: options.version(),
        ...options.followers(),
      },
      'progress',
    );
    options.quality.tell(atMs);
    log.debug(snapshotFigures(totals), 'snapshots');
  }
  return await new Promise<never>(() => {});
}
