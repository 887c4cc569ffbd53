import type { Machine } from '../machine.js';

/** From waits to the figures that are printed: plain data. */

export interface WaitFigures {
  p50: number;
  p99: number;
  max: number;
}

/** A log of some length, and what it takes to add to it. */
export interface LengthFigures {
  /** Versions that the log had before. */
  versions: number;
  /** Until all of it was read. */
  openMs: number;
  /** Where reading began. */
  openedFrom: 'checkpoint' | 'versions';
  /** One add, a transaction a lane: until the ledger says that it is done. */
  commitMs: WaitFigures;
  /** The store's own write, if absent, of as many bytes, in turns with the commits. */
  putMs: WaitFigures;
}

export interface PlaceFigures {
  place: 'local' | 'minio';
  short: LengthFigures;
  long: LengthFigures;
  /** The long log's median commit by the short one's. */
  growth: number;
}

export interface LakeResult {
  benchmark: 'lake';
  startedAt: string;
  machine: Machine;
  workload: { commits: number; lanes: number; commitBytes: number; sha256: string };
  places: PlaceFigures[];
}

/** Values that were measured. */
export function waitFigures(values: readonly number[]): WaitFigures {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
