import type { EngineFacts, LaneFacts } from './facts.js';
import { counter, gauge, known, type MetricInfo, type MetricValue, one } from './metric.js';

/**
 * What is told of each lane. Names that begin with kafka_ are those of kafka_exporter, with its labels, so that dashboards
 * and alerts made for it show this engine, too: an offset and a lag there are what is committed.
 */

/** Lanes with series of their own; of more than these only the sums are told. */
export const LANES_MAX = 1_000;
const LANE_STATES = ['starting', 'recovering', 'live', 'leaving', 'gone', 'halted'] as const;

export const LANE_METRICS: readonly MetricInfo[] = [
  gauge('kafka_consumergroup_current_offset', 'Offset that the group has committed', (facts) =>
    byLane(facts, ({ committed }) => committed, groupLabels),
  ),
  gauge('kafka_consumergroup_lag', 'Events of a partition that are not committed yet', (facts) =>
    byLane(facts, ({ committedLag }) => committedLag, groupLabels),
  ),
  gauge(
    'kafka_consumergroup_lag_sum',
    'Events of all partitions here that are not committed yet',
    (facts) => [
      {
        value: sumOf(facts, ({ committedLag }) => committedLag),
        labels: { consumergroup: facts.about.group, topic: facts.about.topic },
      },
    ],
  ),
  gauge('kafka_topic_partition_current_offset', 'Behind the last event that can be read', (facts) =>
    byLane(facts, ({ end }) => end, topicLabels),
  ),
  gauge('kafka_topic_partition_oldest_offset', 'The first offset that the partition still has', (facts) =>
    byLane(facts, ({ logStart }) => logStart, topicLabels),
  ),
  gauge('headrace_lane_position', 'Behind the last event that was handed to the worker', (facts) =>
    byLane(facts, ({ position }) => position),
  ),
  gauge('headrace_lane_lag_events', 'Events that were not read yet', (facts) =>
    byLane(facts, ({ lag }) => lag),
  ),
  gauge('headrace_lag_events', 'Events of all lanes that were not read yet', (facts) =>
    one(sumOf(facts, ({ lag }) => lag)),
  ),
  gauge('headrace_lane_watermark_seconds', 'Event time of the lane, seconds since 1970', (facts) =>
    byLane(facts, ({ watermarkMs }) => (watermarkMs === null ? null : watermarkMs / 1_000)),
  ),
  gauge('headrace_lane_event_time_lag_seconds', 'By how much event time is behind the clock', (facts) =>
    byLane(facts, ({ watermarkMs }) => (watermarkMs === null ? null : (facts.atMs - watermarkMs) / 1_000)),
  ),
  gauge('headrace_lane_open_sessions', 'Open sessions at the last cut', (facts) =>
    byLane(facts, ({ openSessions }) => openSessions),
  ),
  gauge(
    'headrace_lane_replaying_seconds',
    'For how long a lane has been replaying since its snapshot',
    (facts) => byLane(facts, ({ replayingSeconds }) => replayingSeconds),
  ),
  gauge('headrace_lane_quality_ratio', 'Accepted of all events, of the last whole minute with any', (facts) =>
    byLane(facts, ({ quality }) => quality),
  ),
  gauge('headrace_lane_halted', '1: it stands still, and the log says why', (facts) =>
    byLane(facts, ({ halted }) => (halted === null ? 0 : 1)),
  ),
  gauge('headrace_lanes', 'Lanes of this engine by state', ({ lanes }) =>
    LANE_STATES.map((state) => ({
      value: lanes.filter((lane) => stateOf(lane) === state).length,
      labels: { state },
    })),
  ),
  gauge('headrace_lanes_without_series', `Lanes beyond ${LANES_MAX}, which have no series`, ({ lanes }) =>
    one(Math.max(0, lanes.length - LANES_MAX)),
  ),
  gauge('headrace_quality_ratio', 'Accepted of all events, of the last whole minute', ({ quality }) =>
    known(quality, {}),
  ),
  counter('headrace_fetches_total', 'Answers to fetches', ({ fetch }) => one(fetch.fetches)),
  counter('headrace_fetched_bytes_total', 'Bytes of record batches that brokers sent', ({ fetch }) =>
    one(fetch.bytes),
  ),
  counter('headrace_fetch_errors_total', 'Partitions answered with an error', ({ fetch }) =>
    one(fetch.errors),
  ),
  counter('headrace_fetch_failures_total', 'Requests that brokers did not answer', ({ fetch }) =>
    one(fetch.failures),
  ),
  counter('headrace_fetch_throttled_seconds_total', 'Asked for by brokers (quotas)', ({ fetch }) =>
    one(fetch.throttledMs / 1_000),
  ),
];

/** A lane that stands still is in no other state for who looks from outside. */
export function stateOf({ state, halted }: LaneFacts): (typeof LANE_STATES)[number] {
  return halted === null ? state : 'halted';
}

type Labels = (facts: EngineFacts, lane: LaneFacts) => Record<string, string | number>;

const groupLabels: Labels = ({ about }, { partition }) => ({
  consumergroup: about.group,
  topic: about.topic,
  partition,
});
const topicLabels: Labels = ({ about }, { partition }) => ({ topic: about.topic, partition });
const laneLabels: Labels = (_, { partition, worker }) => ({ partition, worker });

function byLane(
  facts: EngineFacts,
  value: (lane: LaneFacts) => number | null,
  labels: Labels = laneLabels,
): MetricValue[] {
  return facts.lanes.slice(0, LANES_MAX).flatMap((lane) => known(value(lane), labels(facts, lane)));
}

function sumOf({ lanes }: EngineFacts, value: (lane: LaneFacts) => number | null): number {
  return lanes.reduce((sum, lane) => sum + (value(lane) ?? 0), 0);
}
