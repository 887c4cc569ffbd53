import { describe, expect, test } from 'vitest';
import { CONTENDERS, contenderFigures, libraryParts } from '../../native-bench/producer/figures.js';
import { parseProducerOptions } from '../../native-bench/producer/options.js';
import { parsePerfTest, perfTestArguments } from '../../native-bench/producer/perf-test.js';

describe('the benchmark producer', () => {
  test("gives Java's perf test the settings of the profile", () => {
    const task = { brokers: 'b:1', topic: 't', events: 9, file: 'f' };
    const args = perfTestArguments({ ...task, profile: 'throughput' });
    expect(args.slice(args.indexOf('--producer-props') + 1)).toEqual([
      'bootstrap.servers=b:1',
      'buffer.memory=134217728',
      'acks=all',
      'enable.idempotence=true',
      'linger.ms=100',
      'batch.size=65536',
      'compression.type=lz4',
      'max.in.flight.requests.per.connection=5',
      'delivery.timeout.ms=120000',
      'request.timeout.ms=30000',
    ]);
  });

  test('reads its last line, not one in between', () => {
    const between =
      '5 records sent, 1.0 records/sec (0.00 MB/sec), 2.0 ms avg latency, 3.0 ms max latency.\n';
    const last =
      '90 records sent, 45.5 records/sec (0.03 MB/sec), 7.25 ms avg latency, 99.00 ms max latency, 6 ms 50th, 8 ms 95th, 9 ms 99th, 99 ms 99.9th.\n';
    expect(parsePerfTest(between + last)).toEqual({
      records: 90,
      perSecond: 45.5,
      latencyMs: { average: 7.25, p50: 6, p99: 9 },
    });
    expect(() => parsePerfTest(between)).toThrow(/did not say how it went/);
  });

  test('takes ratios within rounds, and medians after it', () => {
    const round = (perSecond: number, cpuSeconds: number) => ({
      perSecond,
      cpuSeconds,
      latencyMs: { average: 1, p50: 1, p99: 2 },
    });
    const rounds = [1, 2, 10].map((slow) => ({
      'client, events': round(100 / slow, 0.003 * slow),
      'client, bytes': round(200 / slow, 0.002 * slow),
      'kafka-javascript alone': round(300 / slow, 0.0015 * slow),
      'kafka-producer-perf-test': round(400 / slow, 0.001 * slow),
      bulk: round(1_000 / slow, 0.004 * slow),
      "bulk's bytes alone": round(2_000 / slow, 0.002 * slow),
    }));
    const figures = contenderFigures(rounds, (name) => (name.startsWith('bulk') ? 10_000 : 1_000));
    expect(figures.map(({ name }) => name)).toEqual(CONTENDERS);
    expect(figures.map(({ eventsPerSecond }) => eventsPerSecond)).toEqual([50, 100, 150, 200, 500, 1_000]);
    expect(figures.map(({ eventsPerSecondMax }) => eventsPerSecondMax)).toEqual([
      100, 200, 300, 400, 1_000, 2_000,
    ]);
    expect(figures.map(({ cpuUsPerEvent }) => Number(cpuUsPerEvent.toFixed(1)))).toEqual([
      6, 4, 3, 2, 0.8, 0.4,
    ]);
    expect(figures.map(({ javaRatio }) => Number(javaRatio.toFixed(1)))).toEqual([3, 2, 1.5, 1, 0.4, 0.2]);
    expect(libraryParts(figures).map(({ cpuUs }) => Math.round(cpuUs))).toEqual([3, 1, 2]);
  });

  test('refuses flags that it can not mean', () => {
    expect(parseProducerOptions(['--profile', 'throughput', '--events', '500'])).toMatchObject({
      profile: 'throughput',
      events: 500,
      rounds: 3,
    });
    expect(() => parseProducerOptions(['--profile', 'fast'])).toThrow(/no profile "fast"/);
    expect(() => parseProducerOptions(['--events', '1'])).toThrow(/--events takes a whole number/);
  });
});
