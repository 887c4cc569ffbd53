import { execFile } from 'node:child_process';
import type { Clock } from '../../clock.js';
import type { EngineFacts, LaneFacts } from '../../metrics/facts.js';
import { LaneJudge } from '../../metrics/lane-judge.js';
import { ProgressJudge } from '../../metrics/progress-judge.js';
import type { Readiness } from '../../metrics/readiness.js';
import type { Log } from '../../telemetry/log.js';

/**
 * What systemd is told (sd_notify(3)): that the engine is ready when it is, what it waits for until then, and, while every worker
 * and every lane gets on, that it lives. Node has no such sockets, so systemd-notify sends it; the unit says NotifyAccess=all for that.
 */

const NOTIFY_TIMEOUT_MS = 10_000;
const LOOK_MS = 1_000;
const US_PER_MS = 1_000;
/** More lanes than these are counted, not named. */
const NAMED_MAX = 8;

export interface SupervisorOptions {
  /** Null: nobody supervises, and nothing is done. */
  socket: string | null;
  /** How often it must hear of us; null: it does not ask. */
  watchdogMs: number | null;
  readiness(): Readiness;
  facts(): EngineFacts | null;
  clock: Clock;
  log: Log;
}

/** As systemd sets them; a watchdog that is meant for another process is not ours. */
export function supervision(
  env: NodeJS.ProcessEnv,
  pid: number,
): Pick<SupervisorOptions, 'socket' | 'watchdogMs'> {
  const socket = env.NOTIFY_SOCKET || null;
  const us = Number(env.WATCHDOG_USEC);
  const isOurs = env.WATCHDOG_PID === undefined || Number(env.WATCHDOG_PID) === pid;
  return { socket, watchdogMs: socket !== null && isOurs && us > 0 ? us / US_PER_MS : null };
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #workers: ProgressJudge;
  readonly #lanes: LaneJudge;
  #sending: Promise<void> = Promise.resolve();
  #said = '';
  #isReady = false;
  #isStopping = false;
  #fedMs = Number.NEGATIVE_INFINITY;
  #isStarving = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#workers = new ProgressJudge((options.watchdogMs ?? 0) / 2);
    this.#lanes = new LaneJudge((options.watchdogMs ?? 0) / 2);
    if (options.socket !== null) void this.#run();
  }

  /** An orderly stop begins. What is still to be told before it does not hold it up: the process may be gone by then. */
  stopping(): void {
    this.#isStopping = true;
    void this.#send(['STOPPING=1', 'STATUS=stopping: what was read is sealed and committed']);
  }

  /** What can change is read again, and was. */
  reloaded(): void {
    this.#tell(['RELOADING=1']);
    this.#tell(['READY=1']);
  }

  /** It ends with the process; an orderly stop is watched, too. */
  async #run(): Promise<never> {
    const { clock } = this.#options;
    for (;;) {
      if (!this.#isStopping) this.#tellState();
      this.#feed();
      await clock.sleep(LOOK_MS);
    }
  }

  #tellState(): void {
    const { ready, reasons, warnings } = this.#options.readiness();
    const status = [ready ? 'ready' : 'not ready', ...reasons, ...warnings].join('; ').replace(/\s+/g, ' ');
    const lines = [...(ready && !this.#isReady ? ['READY=1'] : []), `STATUS=${status}`];
    this.#isReady ||= ready;
    if (status === this.#said) return;
    this.#said = status;
    this.#tell(lines);
  }

  /** Before the time is half over; not at all while a worker or a lane stands still. */
  #feed(): void {
    const { watchdogMs, clock, facts } = this.#options;
    if (watchdogMs === null) return;
    const nowMs = clock.monotonicMs();
    const now = facts();
    if (now !== null && this.#hasStopped(now, nowMs)) return;
    if (nowMs - this.#fedMs < watchdogMs / 3) return;
    this.#fedMs = nowMs;
    this.#tell(['WATCHDOG=1']);
  }

  /** Says it once: systemd waits for the rest of its time, and then starts the engine anew. */
  #hasStopped(now: EngineFacts, nowMs: number): boolean {
    const [workers, lanes] = [this.#workers.stopped(now, nowMs), this.#lanes.stopped(now, nowMs)];
    const before = this.#isStarving;
    this.#isStarving = workers.length + lanes.length > 0;
    if (before || !this.#isStarving) return this.#isStarving;
    const { log } = this.#options;
    if (workers.length > 0) {
      log.error(
        { workers: workers.join(',') },
        'workers take nothing any more: the watchdog is not fed, so that systemd starts the engine anew',
      );
    } else {
      log.error(
        { topic: now.about.topic, ...namesOf(lanes) },
        'lanes have records to read and get no further: the watchdog is not fed, so that systemd starts the engine anew; nothing is lost, the next start goes on from the ledger',
      );
    }
    return true;
  }

  /** In order, one at a time. A supervisor that does not listen is told of once a try, and stops nothing. */
  #tell(lines: readonly string[]): void {
    this.#sending = this.#sending.then(() => this.#send(lines));
  }

  #send(lines: readonly string[]): Promise<void> {
    if (this.#options.socket === null) return Promise.resolve();
    return new Promise((resolve) => {
      execFile('systemd-notify', [...lines], { timeout: NOTIFY_TIMEOUT_MS }, (error) => {
        if (error !== null)
          this.#options.log.warn(
            { error },
            'systemd could not be told how it is; the next time is tried: is systemd-notify there?',
          );
        resolve();
      });
    });
  }
}

/** Where lanes stand; of very many the first. */
function namesOf(lanes: readonly LaneFacts[]): Record<string, string | number> {
  const named = lanes.slice(0, NAMED_MAX);
  const list = (of: (lane: LaneFacts) => number | null) => named.map(of).join(',');
  return {
    partition: list(({ partition }) => partition),
    offset: list(({ position }) => position),
    lag: list(({ lag }) => lag),
    ...(lanes.length > named.length ? { more: lanes.length - named.length } : {}),
  };
}
