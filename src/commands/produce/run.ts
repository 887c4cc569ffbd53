import type { LoadCounts } from '../../generator/load/partition-load.js';

/** A load under way, by whichever sender. */
export interface LoadRun {
  /** Until all is acknowledged, or the signal aborts; then what was made is. */
  run(): Promise<void>;
  close(): Promise<void>;
  standing(): Standing;
}

export interface Standing {
  /** When the first event was due, by the monotonic clock; null: not yet. */
  beganMs: number | null;
  /** CPU of the process up to then, µs: films, users, threads. */
  beganCpuUs: number;
  /** Made so far. */
  counts: LoadCounts;
  /** Acknowledged, and given up. */
  sent: number;
  failed: number;
  /** Acknowledged bytes as they lie in the log; null: the sender does not tell. */
  bytes: number | null;
  /** Where event time stands. */
  nowMs: number;
  /** Of requests, or of records: from the hand-over to the answer. */
  latencyMs: readonly number[];
}

/** How far event time may go: as fast as it goes, or so many times faster than time. */
export function pace(speed: number | null, startMs: number, elapsedMs: number): number {
  return speed === null ? Number.POSITIVE_INFINITY : startMs + elapsedMs * speed;
}

/** Of the process and all its threads since it began. */
export function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
