import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { EVENT_TYPES } from '#src/generator/journey.js';
import { frameworksFor } from '../../config/setup/rival-jars.mjs';
import {
  type CompareResult,
  type Contender,
  contenderFigures,
  runFigure,
} from '../../native-bench/compare/figures.js';
import { htmlReport } from '../../native-bench/compare/html-report.js';
import { readPerfTestLine } from '../../native-bench/compare/java-consumer.js';
import { MapSessions } from '../../native-bench/compare/map-sessions.js';
import { type Mark, steadyOf } from '../../native-bench/compare/marks.js';
import { parseCompareOptions } from '../../native-bench/compare/options.js';
import { reportText } from '../../native-bench/compare/report.js';
import { readRivalLine } from '../../native-bench/compare/rival-lines.js';
import { RIVALS } from '../../native-bench/compare/rivals.js';
import {
  addSession,
  differences,
  noSessions,
  type SessionSums,
} from '../../native-bench/compare/session-sums.js';
import { type TopicOptions, topicGenerator } from '../../native-bench/pipeline/topic-options.js';

describe('command line', () => {
  test('all rivals by default, some by name and in their own order', () => {
    expect(parseCompareOptions([]).rivals).toEqual(RIVALS);
    const { rivals, topic } = parseCompareOptions(['--rivals', 'spark, java-consumer', '--events=500000']);
    expect(rivals.map(({ name }) => name)).toEqual(['java-consumer', 'spark']);
    expect(topic).toMatchObject({ model: 'clickstream', events: 500_000, partitions: 24 });
  });

  test('a rival that nobody is: those that there are', () => {
    expect(() => parseCompareOptions(['--rivals', 'flink'])).toThrow(
      /nobody is named flink; there are: java-consumer, .*flink-window,/,
    );
  });

  test('the set-up builds what the rivals asked for need, and no more', () => {
    expect(frameworksFor([])).toEqual(['flink', 'streams', 'spark']);
    expect(frameworksFor(['--rivals', 'java-consumer,clickhouse'])).toEqual([]);
    expect(frameworksFor(['--events', '9', '--rivals=flink-tuned-rocksdb,spark'])).toEqual([
      'flink',
      'spark',
    ]);
    expect(frameworksFor(['--help'])).toEqual([]);
    // whoever runs a job of ours has its framework built
    const withJob = RIVALS.filter(({ name }) => /^(flink|streams|spark)/.test(name));
    for (const { name } of withJob) {
      expect(frameworksFor(['--rivals', name]), name).toEqual([name.split('-')[0]]);
    }
  });
});

describe('what rivals say', () => {
  test('progress and result', () => {
    expect(readRivalLine('PROGRESS 1200')).toEqual({ kind: 'progress', events: 1_200 });
    const sums: SessionSums = { ...noSessions(), sessions: 2, events: 40 };
    expect(readRivalLine(`RESULT ${JSON.stringify(sums)}`)).toEqual({ kind: 'result', events: 40, sums });
    expect(readRivalLine('SLF4J: no providers were found')).toBeNull();
  });

  test("kafka-consumer-perf-test's lines, and the count among its metrics", () => {
    const line =
      '2026-01-30 06:00:00:123, 0, 286.1023, 2861.0229, 500000, 5000000.0000, 120, 80, 3576.2787, 6250000.0000';
    expect(readPerfTestLine(line)).toEqual({ kind: 'progress', events: 500_000 });
    const metric =
      'consumer-fetch-manager-metrics:records-consumed-total:{client-id=consumer-compare-1}                  : 3000000.000';
    expect(readPerfTestLine(metric)).toEqual({ kind: 'result', events: 3_000_000, sums: null });
    const ofTopic = metric.replace('}', ', topic=clickstream_events}');
    expect(readPerfTestLine(ofTopic)).toBeNull();
    expect(readPerfTestLine('time, threadId, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg')).toBeNull();
  });
});

describe('steady state', () => {
  const mark = (events: number, cpuSeconds: number, seconds: number): Mark => ({
    events,
    cpuSeconds,
    seconds,
  });

  test('from the first mark behind the warm-up to the first with all events', () => {
    const marks = [
      mark(100, 2, 3),
      mark(400, 3, 4),
      mark(700, 3.5, 5),
      mark(1_000, 3.9, 7),
      mark(1_000, 9, 20),
    ];
    const steady = steadyOf(marks, 1_000)!;
    expect(steady).toMatchObject({ fromEvents: 400, toEvents: 1_000, eventsPerSecond: 200 });
    expect(steady.cpuUsPerEvent).toBeCloseTo(1_500, 9);
  });

  test('to the last mark where none has all', () => {
    const marks = [mark(400, 3, 4), mark(900, 4, 6)];
    expect(steadyOf(marks, 1_000)).toMatchObject({ fromEvents: 400, toEvents: 900, eventsPerSecond: 250 });
  });

  test('none where marks lie too close, or there are no two', () => {
    expect(steadyOf([], 1_000)).toBeNull();
    expect(steadyOf([mark(1_000, 3, 4)], 1_000)).toBeNull();
    expect(steadyOf([mark(400, 3, 4), mark(1_000, 3.1, 5)], 1_000)).toBeNull();
  });
});

describe('sessions', () => {
  const OPTIONS: TopicOptions = {
    model: 'clickstream',
    events: 20_000,
    partitions: 4,
    users: 400,
    eventsPerSessionMean: 8,
    recordsPerBatch: 200,
  };

  test('the Map finds those that the generator made', () => {
    const generator = topicGenerator(OPTIONS);
    const sessions = new MapSessions();
    const byType = EVENT_TYPES.map(() => 0);
    while (generator.emitted < OPTIONS.events) {
      for (const { partition, value } of generator.next(1_000)) {
        sessions.add(partition, value);
        const { event_type: type } = JSON.parse(value.toString()) as {
          event_type: (typeof EVENT_TYPES)[number];
        };
        byType[EVENT_TYPES.indexOf(type)]!++;
      }
    }
    sessions.finish();
    const { sessions: made, events } = generator.expected();
    expect(sessions.sums).toMatchObject({ sessions: made, events, byType });
    expect(made).toBeGreaterThan(1_000);
  });

  test('an event that moves to another session is seen, though all counts are the same', () => {
    const session = { durationMs: 1_000, pages: 1, country: 'FR', device: null };
    const sumsOf = (counts: readonly number[]) => {
      const sums = noSessions();
      for (const count of counts) {
        addSession(sums, { ...session, events: count, byType: [count, 0, 0, 0, 0] });
      }
      return sums;
    };
    expect(differences(sumsOf([5, 2]), sumsOf([2, 5]))).toEqual([]);
    expect(differences(sumsOf([5, 2]), sumsOf([4, 3]))).toEqual([
      'squaresByType: 29,0,0,0,0, not 25,0,0,0,0',
    ]);
    expect(sumsOf([5]).firsts).toBe(crc32('FR|'));
  });

  test('a session that is taken back leaves nothing', () => {
    const session = {
      durationMs: 7,
      events: 3,
      pages: 2,
      country: 'IN',
      device: 'tablet',
      byType: [1, 2, 0, 0, 0],
    };
    const sums = noSessions();
    addSession(sums, session);
    addSession(sums, session, -1);
    expect(differences(sums, noSessions())).toEqual([]);
  });
});

const EVENTS = 1_000_000;

/** `cpuUs`: of all events. */
function contender(name: string, cpuUs: readonly number[], more: Partial<Contender> = {}): Contender {
  const runs = cpuUs.map((us, at) =>
    runFigure(
      {
        seconds: 10,
        cpuSeconds: us,
        peakRssBytes: 1e9,
        marks: [
          { events: EVENTS / 2, cpuSeconds: us * 0.6, seconds: 6 },
          { events: EVENTS, cpuSeconds: us, seconds: 10 },
        ],
        events: EVENTS,
        sums: null,
      },
      EVENTS,
      { round: at + 1, jsonParseUs: 2.5, steal: 0, brokerCpuSeconds: 0.2 },
    ),
  );
  return { name, title: `The ${name}`, notes: [], makesSessions: true, runs, ...more };
}

const FIGURES = contenderFigures(
  [
    contender('headrace', [1, 2]),
    contender('java-consumer', [2, 4], { makesSessions: false, notes: ['no sessions'] }),
    contender('flink', [20, 20]),
    contender('broken', []),
  ],
  EVENTS,
  'java-consumer',
);

const RESULT: CompareResult = {
  benchmark: 'compare',
  startedAt: '2026-01-31T12:00:00.000Z',
  machine: { node: 'v20', cpu: 'CPU', cores: 2, loadAverage: 0.5 },
  workload: {
    model: 'clickstream',
    events: EVENTS,
    partitions: 24,
    users: 30_000,
    eventsPerSessionMean: 23,
    recordsPerBatch: 200,
    sessions: 50_000,
    countedEvents: EVENTS,
    batches: 5_000,
    valueBytes: 590_000_000,
    sha256: 'ab'.repeat(32),
    compressionRatio: 4.25,
    batchBytes: 140_000_000,
    ends: [],
    seed: 1,
    kafka: 'kafka-4.1.1',
  },
  threads: 2,
  flags: [],
  javaFlags: [],
  sinks: 'Delta table and ClickHouse',
  found: { ...noSessions(), sessions: 50_000, events: EVENTS },
  jsonParseUs: 2.5,
  clickhouseCpuUsPerEvent: 0.3,
  contenders: FIGURES,
  failures: [{ name: 'broken', title: 'The broken', message: 'it ended with 1' }],
};

describe('figures', () => {
  test('medians, and ratios within each round', () => {
    const [ours, java, flink] = FIGURES;
    expect(FIGURES.map(({ name }) => name)).toEqual(['headrace', 'java-consumer', 'flink']);
    expect(ours).toMatchObject({
      cpuUsPerEvent: 1.5,
      ratioToOurs: 1,
      ratioToJava: 0.5,
      eventsPerSecond: 1e5,
    });
    expect(java).toMatchObject({ ratioToOurs: 2, ratioToJava: 1 });
    // 20 ÷ 1 and 20 ÷ 2, not 20 ÷ 1.5
    expect(flink).toMatchObject({ ratioToOurs: 15, steadyRatioToOurs: 15, ratioToJava: 7.5, jsonParses: 8 });
    expect(flink!.steady!.cpuUsPerEvent).toBeCloseTo(16, 9);
    expect(flink!.steady!.eventsPerSecond).toBeCloseTo(125_000, 6);
  });

  test('nothing is compared with a Java consumer that did not run', () => {
    const [ours] = contenderFigures([contender('headrace', [1])], EVENTS, 'java-consumer');
    expect(ours).toMatchObject({ ratioToJava: null, steadyRatioToJava: null });
  });

  test('the report has all contenders, what they leave out, and who failed', () => {
    const text = reportText(RESULT, null);
    expect(text).toMatch(
      /The flink +20\.00 µs +16\.00 µs +100 k +125 k +954 MiB +15\.0 +15\.0 +7\.50 +7\.50 +8\.00/,
    );
    expect(text).toContain('  java-consumer: no sessions');
    expect(text).toContain('found by all who make them (2): 50,000 of 1,000,000 events');
    expect(text).toContain('FAILED    The broken: it ended with 1');
    expect(reportText(RESULT, RESULT)).toContain('whole, the last');
  });

  test('the page needs no network and has a bar a contender', () => {
    const html = htmlReport(RESULT);
    expect(html).not.toMatch(/<(script|link|img)[^>]*\b(src|href)=/);
    const charts = JSON.parse(/for \(const chart of (\[.*\])\) draw/.exec(html)![1]!) as {
      labels: string[];
      series: { values: number[] }[];
    }[];
    expect(charts[0]!.labels).toEqual(['headrace', 'java-consumer', 'flink']);
    expect(charts[0]!.series[0]!.values).toEqual([1.5, 3, 20]);
  });
});
