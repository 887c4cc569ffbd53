import type { Clock } from '../../clock.js';
import { memoryTerms } from '../../config/limits.js';
import type { EngineConfig } from '../../config/types.js';
import type { Fetcher, LaneStatus } from '../../kafka/fetcher.js';
import type { Lane } from '../../lanes/lane.js';
import type { LaneQualityFigure, QualityFigures } from '../../lanes/quality-figures.js';
import type { EngineFacts, LaneFacts, WorkerFacts } from '../../metrics/facts.js';
import type { WorkerPool } from '../../pool/pool.js';
import { type CounterValues, readCounters, sumCounters, sumHistogram } from '../../telemetry/counters.js';
import { HISTOGRAMS, type HistogramName } from '../../telemetry/histograms.js';
import type { CommitFigures } from './commit-figures.js';
import { cpuFigures } from './figures.js';
import type { Followers } from './followers.js';

/** What the facts are read from; nothing of it is changed. */
export interface FactSources {
  about: EngineFacts['about'];
  config: EngineConfig;
  pool: Pick<WorkerPool, 'rings' | 'counters'>;
  fetcher: Pick<Fetcher, 'laneStatus' | 'stats'>;
  lanes(): ReadonlyMap<number, Lane>;
  quality: Pick<QualityFigures, 'lastMinute'>;
  commits: Pick<CommitFigures, 'latest'>;
  followers: Pick<Followers, 'facts'>;
  /** Lanes whose newest offset Kafka has not confirmed. */
  offsetsPending(): number;
  tableVersion(): number;
  cutsInFlight(): number;
  isLakeInTrouble(): boolean;
  workerThreads(): readonly (number | null)[];
  isJoined(): boolean;
  isStopping(): boolean;
  startedMs(): number;
  clock: Clock;
}

/** Takes the facts of a running engine when somebody asks. */
export class FactTaker {
  readonly #sources: FactSources;
  readonly #memoryPlan: EngineFacts['memoryPlan'];
  #openedMost = 0;

  constructor(sources: FactSources) {
    this.#sources = sources;
    this.#memoryPlan = memoryTerms(sources.config).map(({ name, bytes }) => ({ part: name, bytes }));
  }

  take(): EngineFacts {
    const sources = this.#sources;
    const { clock, pool, commits, fetcher } = sources;
    const totals = sumCounters(pool.counters);
    const quality = sources.quality.lastMinute;
    // a session that is closed and not yet sealed is in neither: the count must not go back for that
    this.#openedMost = Math.max(this.#openedMost, totals.sessionsClosed + totals.openSessions);
    return {
      atMs: clock.nowMs(),
      uptimeSeconds: (clock.monotonicMs() - sources.startedMs()) / 1_000,
      about: sources.about,
      isJoined: sources.isJoined(),
      isStopping: sources.isStopping(),
      lanes: this.#lanes(quality),
      workers: this.#workers(),
      totals,
      sessionsOpened: this.#openedMost,
      histograms: histogramsOf(pool.counters),
      fetch: fetcher.stats(),
      tableVersion: sources.tableVersion(),
      cutsInFlight: sources.cutsInFlight(),
      isLakeInTrouble: sources.isLakeInTrouble(),
      commits: commits.latest,
      followers: [...sources.followers.facts(totals), offsetsFacts(sources.offsetsPending())],
      quality: scoreOf(quality),
      cpuSeconds: this.#cpuSeconds(),
      memoryPlan: this.#memoryPlan,
      memoryUsed: this.#memoryUsed(totals),
    };
  }

  #memoryUsed({ sessionBytes, rowBytes, heapBytes, bufferBytes }: CounterValues): EngineFacts['memoryUsed'] {
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return {
      sessions: sessionBytes,
      rows: rowBytes,
      rings: this.#sources.pool.rings.reduce((sum, ring) => sum + ring.usedBytes, 0),
      // those of the workers are of their last cut
      heaps: heapUsed + heapBytes,
      buffers: arrayBuffers + bufferBytes,
    };
  }

  #lanes(quality: readonly LaneQualityFigure[]): LaneFacts[] {
    const qualityOf = new Map(quality.map((figure) => [figure.partition, figure.quality]));
    return [...this.#sources.lanes().values()]
      .sort((a, b) => a.partition - b.partition)
      .map((lane) => this.#lane(lane, qualityOf.get(lane.partition) ?? null));
  }

  #lane(lane: Lane, quality: number | null): LaneFacts {
    const { fetcher, clock } = this.#sources;
    const found = fetcher.laneStatus(lane.partition);
    const status = found?.incarnation === lane.incarnation ? found : undefined;
    const position = Number(status?.position ?? lane.position);
    const committed = Number(lane.committedTo);
    const end = numberOrNull(status?.readableEnd);
    const { rest, halted, replay } = lane;
    return {
      partition: lane.partition,
      worker: lane.worker,
      state: lane.state,
      halted: halted === null ? null : { code: halted.code, reason: halted.message },
      position,
      committed,
      end,
      logStart: numberOrNull(status?.logStartOffset),
      lag: end === null ? null : Math.max(0, end - position),
      committedLag: end === null ? null : Math.max(0, end - committed),
      waitsFor: status === undefined ? 'records' : this.#waitsFor(status, lane.worker),
      watermarkMs: rest === null ? null : (rest.movedToMs ?? rest.watermarkMs),
      openSessions: rest === null ? null : rest.openSessions,
      replayingSeconds: replay === null ? null : (clock.monotonicMs() - replay.fromMs) / 1_000,
      quality,
    };
  }

  #waitsFor({ waitsFor }: LaneStatus, worker: number): LaneFacts['waitsFor'] {
    const ring = this.#sources.pool.rings[worker]!;
    if (waitsFor === 'room') return ring.isDataHeld ? 'cuts' : 'room';
    // others are before it in line for what room there is
    return waitsFor === null && ring.usedBytes > ring.capacityBytes / 2 ? 'room' : waitsFor;
  }

  #workers(): WorkerFacts[] {
    const { pool, config } = this.#sources;
    return pool.rings.map((ring, worker) => ({
      worker,
      counters: readCounters(pool.counters[worker]!),
      ringCapacityBytes: ring.capacityBytes,
      ringUsedBytes: ring.usedBytes,
      sessionLimitBytes: config.limits.sessionMemoryBytes,
    }));
  }

  #cpuSeconds(): Record<string, number> {
    const { main, workers, others } = cpuFigures(this.#sources.workerThreads());
    const byWorker = workers.map((seconds, worker) => [`worker-${worker}`, seconds] as const);
    return { main, ...Object.fromEntries(byWorker), others };
  }
}

function histogramsOf(counters: readonly SharedArrayBuffer[]): EngineFacts['histograms'] {
  const names = Object.keys(HISTOGRAMS) as HistogramName[];
  const values = names.map((name) => [name, sumHistogram(name, counters)]);
  return Object.fromEntries(values) as EngineFacts['histograms'];
}

function scoreOf(quality: readonly LaneQualityFigure[]): number | null {
  const events = quality.reduce((sum, lane) => sum + lane.events, 0);
  const letters = quality.reduce((sum, lane) => sum + lane.letters, 0);
  return events === 0 ? null : (events - letters) / events;
}

function offsetsFacts(pending: number): EngineFacts['followers'][number] {
  const unknown = { rows: null, lagMs: null, eventTimeLagMs: null };
  return { name: 'offsets', behind: pending, unit: 'lanes', isInTrouble: false, ...unknown };
}

function numberOrNull(value: bigint | null | undefined): number | null {
  return value === null || value === undefined ? null : Number(value);
}
