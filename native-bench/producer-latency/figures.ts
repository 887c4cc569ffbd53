import type { Machine } from '../machine.js';
import { median } from '../measure.js';
import type { ProducerBenchResult } from '../producer/figures.js';

/** From runs to what is printed and drawn: medians over the rounds. */

export const SIDES = ['ours', 'java'] as const;
export type Side = (typeof SIDES)[number];

export interface LatencyRun {
  p50Ms: number;
  p99Ms: number;
  p999Ms: number;
  maxMs: number;
  /** How late an event was sent at most. */
  behindMsMax: number;
}

export interface RateFigures {
  rate: number;
  /** Events that were measured in a round. */
  measured: number;
  ours: LatencyRun;
  java: LatencyRun;
  /** p99 of ours in those of Java's, within each round. */
  p99Ratio: number;
}

export interface ProducerLatencyResult {
  benchmark: 'producer-latency';
  startedAt: string;
  machine: Machine;
  kafka: string;
  profile: string;
  partitions: number;
  seconds: number;
  warmUpSeconds: number;
  rounds: number;
  rates: RateFigures[];
  /** Null: bench -- producer was left out. */
  throughput: ProducerBenchResult | null;
}

export function rateFigures(
  rate: number,
  measured: number,
  rounds: readonly Readonly<Record<Side, LatencyRun>>[],
): RateFigures {
  const of = (side: Side): LatencyRun => {
    const middle = (what: keyof LatencyRun) => median(rounds.map((round) => round[side][what]));
    return {
      p50Ms: middle('p50Ms'),
      p99Ms: middle('p99Ms'),
      p999Ms: middle('p999Ms'),
      maxMs: middle('maxMs'),
      behindMsMax: middle('behindMsMax'),
    };
  };
  const p99Ratio = median(rounds.map(({ ours, java }) => ours.p99Ms / java.p99Ms));
  return { rate, measured, ours: of('ours'), java: of('java'), p99Ratio };
}

/** What the description of such a pipeline promises, of three c5.2xlarge. */
export const DOCUMENT = {
  machine: 'three c5.2xlarge (8 cores each)',
  eventsPerSecondMax: 1_200_000,
  eventsPerSecondSustained: 1_000_000,
  latencyMs: { p50Ms: 5, p99Ms: 25, p999Ms: 100 },
} as const;
