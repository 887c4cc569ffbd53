import type { FetchStats } from '../kafka/fetch-stats.js';
import type { LaneWait } from '../kafka/fetcher.js';
import type { LaneState } from '../ledger/lane-states.js';
import type { CounterValues } from '../telemetry/counters.js';
import type { HistogramName, HistogramValues } from '../telemetry/histograms.js';

/**
 * How an engine stands, at one moment: what /metrics, /ready and the page are made of, so that they can't say different things.
 * Taken when somebody asks, from what is there anyway; plain values, no bigints.
 */
export interface EngineFacts {
  /** ms since 1970. */
  atMs: number;
  uptimeSeconds: number;
  about: EngineAbout;
  /** The group has said which partitions are ours, if any. */
  isJoined: boolean;
  /** It stops: what was read is sealed and committed. */
  isStopping: boolean;
  /** By partition. */
  lanes: LaneFacts[];
  workers: WorkerFacts[];
  /** Of all workers and the main thread. */
  totals: CounterValues;
  /** The most that closed and open sessions have been together: sessions that were begun or taken over. */
  sessionsOpened: number;
  histograms: Record<HistogramName, HistogramValues>;
  fetch: FetchStats;
  tableVersion: number;
  cutsInFlight: number;
  /** The table's place does not take files or versions, and is asked again and again. */
  isLakeInTrouble: boolean;
  /** The newest last. */
  commits: CommitFacts[];
  followers: FollowerFacts[];
  /** Of the events of the last whole minute, which part was accepted; null: there were none. */
  quality: number | null;
  /** CPU seconds by thread: main, worker-0 …, others. */
  cpuSeconds: Record<string, number>;
  /** What the settings allow each part to take at most. */
  memoryPlan: { part: string; bytes: number }[];
  /** What each part takes now; together less than the process, whose code and libraries are in none. */
  memoryUsed: Record<MemoryPart, number>;
}

/** Sessions, and rows and columns under way, of the kernel's memory; what lies in rings; objects and buffers of all threads. */
export type MemoryPart = 'sessions' | 'rows' | 'rings' | 'heaps' | 'buffers';

export interface EngineAbout {
  version: string;
  engineId: string;
  topic: string;
  group: string;
  model: string;
  table: string;
  sessionsBy: string;
}

export interface LaneFacts {
  partition: number;
  worker: number;
  state: LaneState;
  /** Why it stands still; null: it does not. */
  halted: { code: string; reason: string } | null;
  /** The offset behind the last event that was handed to the worker. */
  position: number;
  /** The offset behind the last event of its newest commit. */
  committed: number;
  /** Behind the last event that can be read; null: no broker has said so yet. */
  end: number | null;
  logStart: number | null;
  /** Not yet read, and not yet committed; null: not known. */
  lag: number | null;
  committedLag: number | null;
  /** What others must bring before it can read on; `cuts`: too many are under way, so data is held back. Null: it is to get on. */
  waitsFor: LaneWait | 'cuts' | null;
  /** Event time, ms since 1970, at its last cut; null: it has seen no event. */
  watermarkMs: number | null;
  openSessions: number | null;
  /** For how long it has been replaying; null: it is not. */
  replayingSeconds: number | null;
  /** Of the events of the last whole minute, which part was accepted; null: there were none. */
  quality: number | null;
}

export interface WorkerFacts {
  worker: number;
  counters: CounterValues;
  ringCapacityBytes: number;
  ringUsedBytes: number;
  sessionLimitBytes: number;
}

/** A version of the table that this engine committed. */
export interface CommitFacts {
  version: number;
  /** ms since 1970. */
  atMs: number;
  cuts: number;
  lanes: number;
  files: number;
  bytes: number;
  rows: number;
  deadLetters: number;
  snapshots: number;
  /** From its oldest cut to the commit. */
  tookMs: number;
}

export interface FollowerFacts {
  name: 'clickhouse' | 'output' | 'offsets';
  /** What it has yet to do, in its own unit: files and versions, versions, lanes. */
  behind: number;
  unit: 'files' | 'versions' | 'lanes';
  /** By this engine; null: it has no rows. */
  rows: number | null;
  /** Age of the oldest cut that it does not have whole; null: not known. */
  lagMs: number | null;
  /** Event time by which it is behind the ledger, of the lane that is farthest behind; null: not known. */
  eventTimeLagMs: number | null;
  isInTrouble: boolean;
}
