import type { Machine } from '../machine.js';
import type { CutTimes } from './cut-times.js';
import type { Sent } from './send.js';
import type { ClosedSession, Stream } from './stream.js';

/** From sessions and moments to the figures that are printed. */

/** A row of session_metrics, as far as it is looked at. */
export interface SessionRow {
  session_id: string;
  sign: number;
  total_events: number;
  closed_by: string;
  /** file_id and batch_id, in decimal. */
  file: string;
  cut: string;
}

/** What one session waited for, ms, one after the other. */
export interface Wait {
  /** From the broker's answer for the events that close it to the next cut. */
  toCut: number;
  /** From the cut to the commit of the table's version. */
  toCommit: number;
  /** From the commit to the row in ClickHouse. */
  toVisible: number;
  total: number;
}

export interface Spread {
  p50: number;
  p90: number;
  p99: number;
  max: number;
}

export interface LatencyResult {
  benchmark: 'latency';
  startedAt: string;
  machine: Machine;
  workload: {
    seed: number;
    kafka: string;
    partitions: number;
    events: number;
    sessions: number;
    valueBytes: number;
    batchBytes: number;
    sha256: string;
  };
  flags: string[];
  seconds: number;
  warmUpSeconds: number;
  eventsPerSecondAsked: number;
  /** While it counted: events ÷ time from the first request to the last answer. */
  eventsPerSecond: number;
  /** Sessions that closed while it counted. */
  sessionsMeasured: number;
  closeToVisibleMsP50: number;
  closeToVisibleMsP90: number;
  closeToVisibleMsP99: number;
  closeToVisibleMsMax: number;
  /** The same in its three parts. */
  stages: { closeToCutMs: Spread; cutToCommitMs: Spread; commitToVisibleMs: Spread };
  histogram: { fromMs: number; sessions: number }[];
  /** The watch itself: how often it asked, how long an answer took, and the share of the time in which one was under way. */
  poll: { everyMs: number; answers: number; msMean: number; share: number };
  engineCpuUsPerEvent: number;
  clickhouseCpuUsPerEvent: number;
  brokerCpuUsPerEvent: number;
  /** Share of the machine's time that its host gave to others. */
  steal: number;
}

export interface Moments {
  sent: Sent;
  cuts: ReadonlyMap<string, CutTimes>;
  /** By file_id, in decimal. */
  seenMs: ReadonlyMap<string, number>;
}

/**
 * Throws Error unless the rows are exactly the sessions that the stream closes: each once, with all its events, and no
 * other one.
 */
export function proveRows(rows: readonly SessionRow[], closed: readonly ClosedSession[]): void {
  const missing = new Map(closed.map((session) => [session.sessionId, session]));
  const wrong: string[] = [];
  for (const { session_id, sign, total_events, closed_by } of rows) {
    const session = missing.get(session_id);
    missing.delete(session_id);
    if (session?.events === total_events && sign === 1 && closed_by === 'gap') continue;
    const should = session === undefined ? 'there' : session.events;
    wrong.push(`${session_id}: sign ${sign}, ${total_events} events, not ${should}, closed by ${closed_by}`);
  }
  for (const { sessionId } of missing.values()) wrong.push(`${sessionId} is missing`);
  if (wrong.length === 0) return;
  throw new Error(
    `the run is wrong: ${wrong.length} of ${closed.length} sessions: ${wrong.slice(0, 5).join('; ')}`,
  );
}

/** Of the sessions whose closing tick is `fromTick` or later. */
export function waitsOf(
  rows: readonly SessionRow[],
  { closed }: Stream,
  fromTick: number,
  { sent, cuts, seenMs }: Moments,
): Wait[] {
  const tickOf = new Map(closed.map(({ sessionId, tick }) => [sessionId, tick]));
  return rows.flatMap(({ session_id, file, cut }) => {
    const tick = tickOf.get(session_id)!;
    if (tick < fromTick) return [];
    const closedMs = sent.ackedMs[tick]!;
    const { cutMs, committedMs } = cuts.get(cut)!;
    const visibleMs = seenMs.get(file)!;
    return {
      toCut: cutMs - closedMs,
      toCommit: committedMs - cutMs,
      toVisible: visibleMs - committedMs,
      total: visibleMs - closedMs,
    };
  });
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}

/** Sessions by 100 ms, or by as much more as keeps it below `barsMax` lines. */
export function histogramOf(values: readonly number[], barsMax = 30): LatencyResult['histogram'] {
  const most = values.reduce((max, value) => Math.max(max, value), 0);
  const stepMs = 100 * Math.max(1, Math.ceil(most / 100 / barsMax));
  const bars = Array.from({ length: Math.floor(most / stepMs) + 1 }, (_, at) => ({
    fromMs: at * stepMs,
    sessions: 0,
  }));
  // an answer of the broker that we read late may come after the row
  for (const value of values) bars[Math.max(0, Math.floor(value / stepMs))]!.sessions++;
  return bars;
}
