import { describe, expect, it } from 'vitest';
import { ENGINE_METRICS } from '#src/metrics/engine-metrics.js';
import { Exposition } from '#src/metrics/exposition.js';
import type { EngineFacts } from '#src/metrics/facts.js';
import { LANE_METRICS, LANES_MAX } from '#src/metrics/lane-metrics.js';
import { readinessOf } from '#src/metrics/readiness.js';
import { READY_METRICS } from '#src/metrics/ready-metrics.js';
import { engineFacts, laneFacts } from '../support/engine-facts.js';

const READY = {
  isReady: true,
  notReadySeconds: 7.5,
  recoveries: 2,
  lastRecovery: { seconds: 2.5, atSeconds: 1_799_999_000 },
};

async function lines(facts: EngineFacts | null = engineFacts()): Promise<string[]> {
  return (await new Exposition().text(facts, READY)).split('\n');
}

describe('/metrics', () => {
  it('says the facts in the units and names of Prometheus', async () => {
    const text = await lines();
    expect(text).toEqual(
      expect.arrayContaining([
        'headrace_events_total 12',
        'headrace_dead_letters_total{reason="missing_field"} 3',
        'headrace_fetch_throttled_seconds_total 0.5',
        'headrace_follower_lag_seconds{follower="clickhouse"} 1.5',
        'headrace_lane_event_time_lag_seconds{partition="1",worker="0"} 5',
        'headrace_close_lag_seconds_bucket{le="0.5"} 0',
        'headrace_close_lag_seconds_bucket{le="1"} 5',
        'headrace_close_lag_seconds_bucket{le="+Inf"} 5',
        'headrace_close_lag_seconds_sum 3.5',
        'headrace_close_lag_seconds_count 5',
        'headrace_ready 1',
        'headrace_not_ready_seconds_total 7.5',
        'headrace_recoveries_total 2',
        'headrace_last_recovery_seconds 2.5',
        'headrace_last_recovery_timestamp_seconds 1799999000',
        'headrace_follower_event_time_lag_seconds{follower="clickhouse"} 2',
        'headrace_stage_seconds_total{stage="fetch"} 0.25',
        'headrace_stage_seconds_total{stage="sessions"} 3',
        'headrace_waited_seconds_total{stage="fetch"} 2.5',
        'headrace_waited_seconds_total{stage="commit"} 0.75',
        'headrace_memory_used_bytes{part="rings"} 256',
      ]),
    );
  });

  it('has the names of kafka_exporter with its labels, of what is committed, and escapes what people write', async () => {
    expect(await lines()).toEqual(
      expect.arrayContaining([
        'kafka_consumergroup_lag{consumergroup="g\\"1\\n",topic="clicks",partition="0"} 20',
        'kafka_consumergroup_current_offset{consumergroup="g\\"1\\n",topic="clicks",partition="1"} 90',
        'kafka_consumergroup_lag_sum{consumergroup="g\\"1\\n",topic="clicks"} 40',
        'kafka_topic_partition_current_offset{topic="clicks",partition="0"} 110',
      ]),
    );
  });

  it('has what dashboards of Node processes show', async () => {
    const names = new Set((await lines()).map((line) => /^[a-z_]+/.exec(line)?.[0]));
    for (const name of [
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'process_start_time_seconds',
      'nodejs_eventloop_lag_seconds',
      'nodejs_heap_size_used_bytes',
      'nodejs_version_info',
    ]) {
      expect(names).toContain(name);
    }
  });

  it('leaves out what is not known, and says nothing of an engine that is not there yet', async () => {
    const unknown = { end: null, lag: null, committedLag: null, watermarkMs: null };
    const text = await lines(engineFacts({ lanes: [laneFacts(0, unknown)], quality: null }));
    expect(text.filter((line) => /^headrace_(lane_lag|lane_watermark|quality)/.test(line))).toEqual([]);
    const starting = { isReady: false, notReadySeconds: 3, recoveries: 0, lastRecovery: null };
    const early = (await new Exposition().text(null, starting)).split('\n');
    expect(early.filter((line) => /^(headrace|kafka)_/.test(line))).toEqual([
      'headrace_ready 0',
      'headrace_not_ready_seconds_total 3',
      'headrace_recoveries_total 0',
    ]);
  });

  it('has a bounded number of series, however many lanes there are', async () => {
    const lanes = (count: number) => Array.from({ length: count }, (_, partition) => laneFacts(partition));
    const [most, more] = [
      await lines(engineFacts({ lanes: lanes(LANES_MAX) })),
      await lines(engineFacts({ lanes: lanes(LANES_MAX + 500) })),
    ];
    const series = (text: string[]) => text.filter((line) => /^(headrace|kafka)_/.test(line)).length;
    expect(series(more)).toBe(series(most));
    expect(more).toContain('headrace_lanes_without_series 500');
    expect(more).toContain(`headrace_lag_events ${10 * (LANES_MAX + 500)}`);
  });

  it('names things as Prometheus wants them named', () => {
    for (const { name, type, help } of [...ENGINE_METRICS, ...LANE_METRICS, ...READY_METRICS]) {
      expect(name).toMatch(/^(headrace|kafka)_[a-z]+(_[a-z]+)*$/);
      if (name.startsWith('headrace_')) expect(name.endsWith('_total'), name).toBe(type === 'counter');
      expect(help.length, name).toBeGreaterThan(5);
    }
  });

  it('covers each group of figures by which such a pipeline is judged', async () => {
    const text = (await lines()).join('\n');
    const groups = {
      throughput: ['headrace_events_total', 'headrace_sessions_closed_total', 'headrace_parquet_bytes_total'],
      latency: [
        'headrace_close_lag_seconds',
        'headrace_cut_commit_seconds',
        'headrace_clickhouse_insert_seconds',
      ],
      resource: [
        'headrace_cpu_seconds_total',
        'process_resident_memory_bytes',
        'headrace_fetched_bytes_total',
        'headrace_memory_used_bytes',
        'headrace_stage_seconds_total',
      ],
      quality: [
        'headrace_dead_letters_total',
        'headrace_quality_ratio',
        'headrace_ready',
        'headrace_lane_replaying',
        'headrace_not_ready_seconds_total',
        'headrace_last_recovery_seconds',
      ],
    };
    for (const name of Object.values(groups).flat()) expect(text).toContain(name);
  });
});

describe('/ready', () => {
  it('says what is under way before there is an engine', () => {
    expect(readinessOf(null, 'waits for the brokers')).toEqual({
      ready: false,
      reasons: ['waits for the brokers'],
      warnings: [],
    });
  });

  it.each([
    ['the group was silent', { isJoined: false }, /group has not said/],
    ['it stops', { isStopping: true }, /stopping/],
    ['a lane starts', { lanes: [laneFacts(3, { state: 'starting' })] }, /partitions 3 wait for the ledger/],
    ['lanes replay', { lanes: [laneFacts(1, { state: 'recovering' })] }, /partitions 1 replay/],
    ['a first fetch is out', { lanes: [laneFacts(2, { end: null })] }, /partitions 2 have no answer/],
  ])('is not, where %s', (_, more, reason) => {
    const readiness = readinessOf(engineFacts(more as Partial<EngineFacts>), '');
    expect(readiness.ready).toBe(false);
    expect(readiness.reasons).toEqual([expect.stringMatching(reason)]);
  });

  it('is, with nothing assigned, and with a lane that stands still: that is a warning', () => {
    expect(readinessOf(engineFacts({ lanes: [] }), '').ready).toBe(true);
    const halted = laneFacts(4, {
      halted: { code: 'BATCH_CORRUPT', reason: 'a batch is broken' },
      end: null,
    });
    const clickhouse = { ...engineFacts().followers[0]!, isInTrouble: true };
    expect(readinessOf(engineFacts({ lanes: [halted], followers: [clickhouse] }), '')).toEqual({
      ready: true,
      reasons: [],
      warnings: ['partition 4: a batch is broken', 'clickhouse does not get on'],
    });
  });

  it('names few partitions and counts many', () => {
    const lanes = Array.from({ length: 40 }, (_, partition) => laneFacts(partition, { state: 'recovering' }));
    expect(readinessOf(engineFacts({ lanes }), '').reasons).toEqual([
      expect.stringMatching(/^40 partitions replay/),
    ]);
  });
});
