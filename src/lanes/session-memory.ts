import type { Clock } from '../clock.js';
import type { EvictionOrder, SealedLane, SealedReport } from '../ledger/types.js';
import type { Log } from '../telemetry/log.js';
import { RepeatLimitedLog } from '../telemetry/repeat-limited-log.js';
import { evictionOrder } from './eviction.js';

/** How full the workers' session memories are: the order by which they make room, and the alarms about what came of it. */
export interface SessionMemoryOptions {
  topic: string;
  /** limits.session_memory_bytes, of each worker. */
  limitBytes: number;
  gapMs: number;
  usualGapMs?: number;
  clock: Clock;
  log: Log;
}

export class SessionMemory {
  /** Goes with every lane and every cut behind which lanes go on. */
  readonly order: EvictionOrder;
  readonly #options: SessionMemoryOptions;
  readonly #log: RepeatLimitedLog;
  /** By partition. */
  readonly #evicted = new Map<number, number>();

  constructor(options: SessionMemoryOptions) {
    this.order = evictionOrder(options);
    this.#options = options;
    this.#log = new RepeatLimitedLog(options.log, options.clock);
  }

  /** A worker's report: tells who had to give up sessions, and when that was not enough. */
  sealed(report: SealedReport): void {
    for (const lane of report.lanes.filter(({ evicted }) => evicted > 0)) {
      const evictedSoFar = (this.#evicted.get(lane.partition) ?? 0) + lane.evicted;
      this.#evicted.set(lane.partition, evictedSoFar);
      this.#alarm(report, lane, evictedSoFar);
    }
    if (report.sessionBytes > this.order.aboveBytes) this.#alarmFull(report);
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
