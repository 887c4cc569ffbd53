import type { CounterName } from '../telemetry/counters.js';
import { COUNTERS } from '../telemetry/counters.js';
import type { EngineFacts, WorkerFacts } from './facts.js';
import { histogram } from './histogram-metric.js';
import { counter, gauge, known, type MetricInfo, type MetricValue, one } from './metric.js';

/** What is told of the engine as a whole, its workers, its table and its followers. */

const NS_PER_SECOND = 1e9;
const DEAD_LETTERS = /^deadLetters(.+)$/;

export const ENGINE_METRICS: readonly MetricInfo[] = [
  gauge('headrace_info', 'What runs; always 1', ({ about }) => [{ value: 1, labels: { ...about } }]),
  gauge('headrace_uptime_seconds', 'Since the engine began', (facts) => one(facts.uptimeSeconds)),
  ofCounter('headrace_events_total', 'events'),
  ofCounter('headrace_event_bytes_total', 'bytes'),
  ofCounter('headrace_batches_total', 'batches'),
  ofCounter('headrace_undecided_events_total', 'undecided'),
  ofCounter('headrace_filtered_events_total', 'filtered'),
  ofCounter('headrace_clamped_values_total', 'clamped'),
  ofCounter('headrace_blanked_values_total', 'blanked'),
  counter('headrace_dead_letters_total', 'Events that could not be counted, by reason', deadLetters),
  ofGauge('headrace_open_sessions', 'openSessions'),
  counter('headrace_sessions_opened_total', 'Sessions begun here or taken over from snapshots', (facts) =>
    one(facts.sessionsOpened),
  ),
  ofCounter('headrace_sessions_closed_total', 'sessionsClosed'),
  ofCounter('headrace_sessions_corrected_total', 'rowsTakenBack'),
  ofCounter('headrace_sessions_evicted_total', 'evictedSessions'),
  ofCounter('headrace_rows_total', 'rows'),
  ofCounter('headrace_files_total', 'files'),
  ofCounter('headrace_parquet_bytes_total', 'parquetBytes'),
  ofCounter('headrace_cuts_total', 'cuts'),
  gauge('headrace_cuts_in_flight', 'Cuts under way', (facts) => one(facts.cutsInFlight)),
  ofCounter('headrace_commits_total', 'commits'),
  ofCounter('headrace_committed_rows_total', 'committedRows'),
  gauge('headrace_table_version', 'The newest version of the table that is known', (facts) =>
    one(facts.tableVersion),
  ),
  histogram('headrace_close_lag_seconds', 'closeLagMs'),
  histogram('headrace_cut_commit_seconds', 'cutCommitMs'),
  ofCounter('headrace_snapshots_total', 'snapshots'),
  ofCounter('headrace_snapshot_bytes_total', 'snapshotBytes'),
  inSeconds('headrace_snapshot_seconds_total', 'snapshotNs'),
  gauge('headrace_snapshot_stop_seconds_max', COUNTERS.snapshotStopNs.help, ({ totals }) =>
    one(totals.snapshotStopNs / NS_PER_SECOND),
  ),
  inSeconds('headrace_busy_seconds_total', 'busyNs'),
  inSeconds('headrace_seal_seconds_total', 'sealNs'),
  counter('headrace_stage_seconds_total', 'Time for which each stage held its thread', stageSeconds),
  counter(
    'headrace_waited_seconds_total',
    'Time until others had answered, which goes on beside the stages: brokers a fetch, the store a write, its log a commit',
    ({ fetch, totals }) => [
      { value: fetch.waitedMs / 1_000, labels: { stage: 'fetch' } },
      { value: totals.uploadNs / NS_PER_SECOND, labels: { stage: 'upload' } },
      { value: totals.commitNs / NS_PER_SECOND, labels: { stage: 'commit' } },
    ],
  ),
  counter('headrace_cpu_seconds_total', 'CPU time, user and system, by thread', ({ cpuSeconds }) =>
    Object.entries(cpuSeconds).map(([thread, value]) => ({ value, labels: { thread } })),
  ),
  counter('headrace_worker_events_total', 'Events read, by worker', (facts) =>
    byWorker(facts, ({ counters }) => counters.events),
  ),
  counter('headrace_worker_busy_seconds_total', 'Time spent on data, by worker', (facts) =>
    byWorker(facts, ({ counters }) => counters.busyNs / NS_PER_SECOND),
  ),
  gauge('headrace_ring_used_bytes', 'What lies in front of a worker', (facts) =>
    byWorker(facts, ({ ringUsedBytes }) => ringUsedBytes),
  ),
  gauge('headrace_ring_capacity_bytes', 'What may lie in front of a worker', (facts) =>
    byWorker(facts, ({ ringCapacityBytes }) => ringCapacityBytes),
  ),
  gauge('headrace_session_memory_bytes', 'Memory of open sessions', (facts) =>
    byWorker(facts, ({ counters }) => counters.sessionBytes),
  ),
  gauge('headrace_session_memory_limit_bytes', 'What open sessions may take', (facts) =>
    byWorker(facts, ({ sessionLimitBytes }) => sessionLimitBytes),
  ),
  gauge('headrace_memory_planned_bytes', 'What the settings allow each part to take at most', (facts) =>
    facts.memoryPlan.map(({ part, bytes }) => ({ value: bytes, labels: { part } })),
  ),
  gauge(
    'headrace_memory_used_bytes',
    'What each part takes, of all threads; workers are as of their last cut',
    ({ memoryUsed }) => Object.entries(memoryUsed).map(([part, value]) => ({ value, labels: { part } })),
  ),
  gauge('headrace_follower_behind', 'What a follower has yet to do, in its unit', ({ followers }) =>
    followers.map(({ name, unit, behind }) => ({ value: behind, labels: { follower: name, unit } })),
  ),
  gauge(
    'headrace_follower_lag_seconds',
    'Age of the oldest cut that it does not have whole',
    ({ followers }) =>
      followers.flatMap(({ name, lagMs }) =>
        known(lagMs === null ? null : lagMs / 1_000, { follower: name }),
      ),
  ),
  gauge(
    'headrace_follower_event_time_lag_seconds',
    'Event time by which it is behind the ledger, of the lane that is farthest behind',
    ({ followers }) =>
      followers.flatMap(({ name, eventTimeLagMs }) =>
        known(eventTimeLagMs === null ? null : eventTimeLagMs / 1_000, { follower: name }),
      ),
  ),
  gauge('headrace_follower_trouble', '1: it does not get on', ({ followers }) =>
    followers.map(({ name, isInTrouble }) => ({ value: isInTrouble ? 1 : 0, labels: { follower: name } })),
  ),
  counter('headrace_follower_rows_total', 'Change rows that it was brought', ({ followers }) =>
    followers.flatMap(({ name, rows }) => known(rows, { follower: name })),
  ),
  ofCounter('headrace_clickhouse_files_total', 'clickhouseFiles'),
  ofCounter('headrace_clickhouse_bytes_total', 'clickhouseBytes'),
  ofCounter('headrace_clickhouse_errors_total', 'clickhouseErrors'),
  ofCounter('headrace_clickhouse_host_changes_total', 'clickhouseHostChanges'),
  ofGauge('headrace_clickhouse_kept_bytes', 'clickhouseKeptBytes'),
  gauge('headrace_clickhouse_event_time_lag_seconds', COUNTERS.clickhouseEventLagMs.help, ({ totals }) =>
    one(totals.clickhouseEventLagMs / 1_000),
  ),
  histogram('headrace_clickhouse_insert_seconds', 'clickhouseInsertNs'),
  histogram('headrace_clickhouse_insert_bytes', 'clickhouseInsertBytes'),
  histogram('headrace_clickhouse_insert_rows', 'clickhouseInsertRows'),
];

function ofCounter(name: string, of: CounterName): MetricInfo {
  return counter(name, COUNTERS[of].help, ({ totals }) => one(totals[of]));
}

function ofGauge(name: string, of: CounterName): MetricInfo {
  return gauge(name, COUNTERS[of].help, ({ totals }) => one(totals[of]));
}

function inSeconds(name: string, of: CounterName): MetricInfo {
  return counter(name, COUNTERS[of].help, ({ totals }) => one(totals[of] / NS_PER_SECOND));
}

/** In the order of the data's way. */
const WORKER_STAGES = {
  decompress: 'decompressNs',
  check: 'checkNs',
  sessions: 'sessionsNs',
  cut: 'cutNs',
  columns: 'columnsNs',
  parquet: 'parquetNs',
  snapshot: 'snapshotNs',
} as const satisfies Record<string, CounterName>;

/** Of the main thread what it does with answers to fetches, of all workers together the others. */
function stageSeconds({ fetch, totals }: EngineFacts): MetricValue[] {
  const ofWorkers = Object.entries(WORKER_STAGES).map(([stage, of]) => {
    return { value: totals[of] / NS_PER_SECOND, labels: { stage } };
  });
  return [{ value: fetch.handledMs / 1_000, labels: { stage: 'fetch' } }, ...ofWorkers];
}

function byWorker({ workers }: EngineFacts, value: (worker: WorkerFacts) => number): MetricValue[] {
  return workers.map((each) => ({ value: value(each), labels: { worker: each.worker } }));
}

/** The reasons as dead letters name them: deadLettersMissingField → missing_field. */
export function deadLettersByReason({ totals }: EngineFacts): { reason: string; letters: number }[] {
  return Object.entries(totals).flatMap(([name, letters]) => {
    const pascal = DEAD_LETTERS.exec(name)?.[1];
    if (pascal === undefined) return [];
    const reason = pascal.replace(/(?!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
    return [{ reason, letters }];
  });
}

function deadLetters(facts: EngineFacts): MetricValue[] {
  return deadLettersByReason(facts).map(({ reason, letters }) => ({ value: letters, labels: { reason } }));
}
