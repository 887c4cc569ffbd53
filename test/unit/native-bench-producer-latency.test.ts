import { describe, expect, test } from 'vitest';
import { producerReport } from '../../native-bench/producer/figures.js';
import { dueOf, putDue } from '../../native-bench/producer-latency/due-time.js';
import { type ProducerLatencyResult, rateFigures } from '../../native-bench/producer-latency/figures.js';
import { htmlReport } from '../../native-bench/producer-latency/html-report.js';
import { parseProducerLatencyOptions } from '../../native-bench/producer-latency/options.js';
import { reportText } from '../../native-bench/producer-latency/report.js';

const run = (ms: number) => ({ p50Ms: ms, p99Ms: 4 * ms, p999Ms: 9 * ms, maxMs: 20 * ms, behindMsMax: 1 });

const RESULT: ProducerLatencyResult = {
  benchmark: 'producer-latency',
  startedAt: '2026-01-31T12:00:00.000Z',
  machine: { node: 'v20', cpu: 'CPU', cores: 2, loadAverage: 0.5 },
  kafka: 'kafka-4.1.1',
  profile: 'latency',
  partitions: 30,
  seconds: 20,
  warmUpSeconds: 5,
  rounds: 3,
  rates: [1_000, 10_000].map((rate) =>
    rateFigures(
      rate,
      rate * 20,
      [1, 3, 2].map((ms) => ({ ours: run(2 * ms), java: run(ms) })),
    ),
  ),
  throughput: null,
};

describe('the benchmark producer-latency', () => {
  test('writes when an event was due where its id stands, to the microsecond', () => {
    const value = Buffer.from('{"event_id":"00000000-0000-4000-8000-000000000000","x":1}');
    const bytes = value.length;
    putDue(value, 1_769_860_800_123_456);
    expect(dueOf(value)).toBe(1_769_860_800_123_456);
    expect(value.length).toBe(bytes);
    expect(JSON.parse(value.toString())).toMatchObject({ x: 1 });
  });

  test('takes medians, and ratios within rounds', () => {
    const [first] = RESULT.rates;
    expect(first).toMatchObject({ rate: 1_000, p99Ratio: 2, ours: { p50Ms: 4 }, java: { p99Ms: 8 } });
    expect(reportText(RESULT)).toMatch(/10,000 +ClickstreamProducer +4\.00 ms +16 ms/);
  });

  test('draws plots that need nothing from elsewhere', () => {
    const html = htmlReport(RESULT);
    expect(html).toContain('var uPlot=');
    expect(html).not.toMatch(/<(script|link|img)[^>]*\b(src|href)=/);
    const data = /for \(const chart of (\[.*\])\) draw/.exec(html)![1]!;
    const charts = JSON.parse(data) as { title: string; series: { values: number[] }[] }[];
    expect(charts.map(({ title }) => title)).toEqual([
      'Producer to consumer, p50',
      'Producer to consumer, p99',
      'Producer to consumer, p99.9',
    ]);
    expect(charts[1]!.series.map(({ values }) => values)).toEqual([
      [16, 16],
      [8, 8],
      [25, 25],
    ]);
    const contenders = (['client, events', 'client, bytes', 'kafka-javascript alone', 'bulk'] as const)
      .concat(['kafka-producer-perf-test', "bulk's bytes alone"] as never[])
      .map((name, at) => ({
        name,
        eventsPerSecond: 1_000 * (at + 1),
        eventsPerSecondMax: 1_500 * (at + 1),
        cpuUsPerEvent: 6 - at,
        javaRatio: 1,
        latencyMsP50: 1,
        latencyMsP99: 2,
      }));
    const throughput = {
      benchmark: 'producer' as const,
      startedAt: RESULT.startedAt,
      machine: RESULT.machine,
      kafka: RESULT.kafka,
      profile: 'default',
      partitions: 30,
      events: 1_000,
      bulkEvents: 1_000,
      rounds: 1,
      bytesPerEvent: 600,
      javaStartCpuSeconds: 1,
      contenders,
    };
    const whole = htmlReport({ ...RESULT, throughput });
    const rows = (text: string) =>
      [...text.matchAll(/<tr><td>(.*?)<\/tr>/g)].map(([, row]) =>
        row!.split('</td>').slice(0, 3).join('|').replaceAll('<td>', ''),
      );
    const latencies = [
      'latency, p50|5 ms|4.0 ms at 10,000/s',
      'latency, p99|25 ms|16.0 ms at 10,000/s',
    ].concat('latency, p99.9|100 ms|36.0 ms at 10,000/s');
    expect(rows(whole)).toEqual([
      'events/s, at most|1,200,000|6,000 (bulk, its fastest round)',
      'events/s, sustained|1,000,000|4,000 (bulk, median over 1 × 1,000 events)',
      ...latencies,
    ]);
    expect(rows(html)).toEqual([
      'events/s, at most|1,200,000|–',
      'events/s, sustained|1,000,000|–',
      ...latencies,
    ]);
    expect(whole).toContain('"title":"Throughput"');
    expect(whole).toContain(producerReport(throughput).split('\n')[0]);
  });

  test('refuses rates that are none', () => {
    expect(parseProducerLatencyOptions(['--rates', '10,200']).rates).toEqual([10, 200]);
    expect(() => parseProducerLatencyOptions(['--rates', '10,'])).toThrow(/--rates takes a whole number/);
  });
});
