import type { ReadyFigures } from './ready-times.js';

/** What is told of the process, whether it has an engine yet or not. */
export interface ReadyState extends ReadyFigures {
  isReady: boolean;
}

export interface ReadyMetric {
  name: string;
  help: string;
  type: 'counter' | 'gauge';
  /** Null: there is nothing to tell. */
  value(state: ReadyState): number | null;
}

export const READY_METRICS: readonly ReadyMetric[] = [
  {
    name: 'headrace_ready',
    help: '1: at work, as /ready says',
    type: 'gauge',
    value: ({ isReady }) => (isReady ? 1 : 0),
  },
  {
    name: 'headrace_not_ready_seconds_total',
    help: 'For how long it was not ready in all since it started, looked at once a second',
    type: 'counter',
    value: ({ notReadySeconds }) => notReadySeconds,
  },
  {
    name: 'headrace_recoveries_total',
    help: 'How often it became ready, the start included',
    type: 'counter',
    value: ({ recoveries }) => recoveries,
  },
  {
    name: 'headrace_last_recovery_seconds',
    help: 'How long it took to become ready the last time, from the start or from when it was not any more',
    type: 'gauge',
    value: ({ lastRecovery }) => lastRecovery?.seconds ?? null,
  },
  {
    name: 'headrace_last_recovery_timestamp_seconds',
    help: 'When it became ready the last time, seconds since 1970',
    type: 'gauge',
    value: ({ lastRecovery }) => lastRecovery?.atSeconds ?? null,
  },
];
