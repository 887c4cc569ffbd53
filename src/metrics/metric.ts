import type { EngineFacts } from './facts.js';

/** A metric as Prometheus knows it, and how its values are read from the facts. */
export interface MetricInfo {
  name: string;
  help: string;
  type: 'counter' | 'gauge' | 'histogram';
  read(facts: EngineFacts): MetricValue[];
}

export interface MetricValue {
  value: number;
  labels?: Readonly<Record<string, string | number>>;
  /** Where it is not the metric's own: _bucket, _sum, _count of a histogram. */
  metricName?: string;
}

export function counter(name: string, help: string, read: MetricInfo['read']): MetricInfo {
  return { name, help, type: 'counter', read };
}

export function gauge(name: string, help: string, read: MetricInfo['read']): MetricInfo {
  return { name, help, type: 'gauge', read };
}

/** One value without labels. */
export function one(value: number): MetricValue[] {
  return [{ value }];
}

/** One value, or none where it is not known: a gap in a graph says so, a zero would not. */
export function known(
  value: number | null,
  labels: Readonly<Record<string, string | number>>,
): MetricValue[] {
  return value === null ? [] : [{ value, labels }];
}
