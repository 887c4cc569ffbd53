import type { Clock } from '../clock.js';
import type { CutLane, EvictionOrder, SealedLane, SealedReport } from '../ledger/types.js';
import type { Log } from '../telemetry/log.js';
import { RepeatLimitedLog } from '../telemetry/repeat-limited-log.js';
import { EVICT_ABOVE, evictionOrder } from './eviction.js';
import type { Lane } from './lane.js';

/** Watches how full the workers' session memories are: sends eviction orders along with cuts, and tells what came of them. */
export interface SessionMemoryOptions {
  topic: string;
  workers: number;
  /** limits.session_memory_bytes, of each worker. */
  limitBytes: number;
  gapMs: number;
  /** What the worker's sessions take by its shared counters: more recent than any report. */
  sessionBytes(worker: number): number;
  clock: Clock;
  log: Log;
}

export class SessionMemory {
  readonly #options: SessionMemoryOptions;
  readonly #log: RepeatLimitedLog;
  /** By partition, as of the lane's last report. */
  readonly #lanes = new Map<number, { sessionBytes: number; evicted: number }>();
  /** By worker: bytes of its sessions as of its last report. */
  readonly #reported = new Map<number, number>();

  constructor(options: SessionMemoryOptions) {
    this.#options = options;
    this.#log = new RepeatLimitedLog(options.log, options.clock);
  }

  /** For a worker's part of a cut. Lanes that stop at it ask for no more memory: their sessions stay whole. */
  orderFor(worker: number, cut: readonly CutLane[], lanes: ReadonlyMap<number, Lane>): EvictionOrder | null {
    const { limitBytes, gapMs, sessionBytes } = this.#options;
    const going = cut.filter(
      ({ partition, marks }) => lanes.get(partition)?.state === 'live' && marks.endOfInput !== true,
    );
    return evictionOrder({
      limitBytes,
      gapMs,
      sessionBytes: sessionBytes(worker),
      lanes: going.map(({ partition }) => ({
        partition,
        sessionBytes: this.#lanes.get(partition)?.sessionBytes ?? 0,
      })),
    });
  }

  /** Has a worker become so full since its last report that the next cut should not be waited for? */
  get isPressing(): boolean {
    const { workers, sessionBytes } = this.#options;
    const all = Array.from({ length: workers }, (_, worker) => worker);
    return all.some(
      (worker) => this.#isFull(sessionBytes(worker)) && !this.#isFull(this.#reported.get(worker) ?? 0),
    );
  }

  sealed(report: SealedReport): void {
    for (const lane of report.lanes) {
      const evicted = (this.#lanes.get(lane.partition)?.evicted ?? 0) + lane.evicted;
      this.#lanes.set(lane.partition, { sessionBytes: lane.sessionBytes, evicted });
      if (lane.evicted > 0) this.#alarm(report, lane, evicted);
    }
    this.#reported.set(report.worker, report.sessionBytes);
    if (this.#isFull(report.sessionBytes)) this.#alarmFull(report);
  }

  #isFull(sessionBytes: number): boolean {
    return sessionBytes > this.#options.limitBytes * EVICT_ABOVE;
  }

  #alarm(report: SealedReport, lane: SealedLane, evictedSoFar: number): void {
    const { partition, marks, evicted, to } = lane;
    this.#log.warn(
      `evicted/${partition}`,
      {
        topic: this.#options.topic,
        partition,
        worker: report.worker,
        offset: to,
        last_event_before: new Date(marks.evictBeforeMs!).toISOString(),
        sessions: evicted,
        sessions_so_far: evictedSoFar,
        bytes: report.sessionBytes,
        limit_bytes: this.#options.limitBytes,
      },
      `session memory nearly full: idle sessions were let out early with closed_by memory, and events of theirs that still come start new sessions; ${REMEDY}`,
    );
  }

  #alarmFull(report: SealedReport): void {
    this.#log.warn(
      `full/${report.worker}`,
      {
        topic: this.#options.topic,
        worker: report.worker,
        bytes: report.sessionBytes,
        limit_bytes: this.#options.limitBytes,
      },
      `session memory nearly full and no session idle enough to be let out; when it is full, lanes halt: ${REMEDY}`,
    );
  }
}

const REMEDY = 'raise limits.session_memory_bytes, or run more workers or engines';
