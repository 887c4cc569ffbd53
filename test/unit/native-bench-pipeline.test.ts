import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { ByteSlices } from '#src/kafka/wire/byte-slices.js';
import { produceApi } from '#src/kafka/wire/produce.js';
import { WireWriter } from '#src/kafka/wire/writer.js';
import type { ThreadCpu } from '#src/telemetry/cpu.js';
import type { EngineRun } from '../../native-bench/pipeline/engine-run.js';
import {
  type PipelineResult,
  pipelineResult,
  proveRun,
  runFigure,
} from '../../native-bench/pipeline/figures.js';
import type { TopicFacts } from '../../native-bench/pipeline/fill.js';
import { parsePipelineOptions } from '../../native-bench/pipeline/options.js';
import {
  endedChildrenSeconds,
  machineTicks,
  processSeconds,
  stealShare,
  trySampleProcess,
} from '../../native-bench/pipeline/proc.js';
import { reportText } from '../../native-bench/pipeline/report.js';

const thread = (osThreadId: number, name: string, userSeconds: number): ThreadCpu => ({
  osThreadId,
  name,
  userSeconds,
  systemSeconds: 0,
});

const facts: TopicFacts = {
  model: 'clickstream',
  events: 1_000_000,
  partitions: 2,
  users: 30_000,
  eventsPerSessionMean: 23,
  recordsPerBatch: 200,
  sessions: 50_000,
  countedEvents: 1_000_000,
  batches: 5_000,
  valueBytes: 590_000_000,
  sha256: 'ab'.repeat(32),
  compressionRatio: 4.25,
  batchBytes: 140_000_000,
  ends: [500_000, 500_000],
};

/** A run of 10 s of CPU: main 2, the worker 5, librdkafka 1, V8 1.5, and half a second that nobody saw. */
const run: EngineRun = {
  seconds: 14,
  windowSeconds: 8,
  engineCpuSeconds: 10,
  brokerCpuSeconds: 0.5,
  clickhouseCpuSeconds: 0.25,
  peakRssBytes: 3e8,
  steal: 0.01,
  figures: {
    events: 1_000_000,
    deadLetters: 0,
    haltedLanes: 0,
    openSessions: 0,
    cpuSeconds: { workerThreadIds: [30] },
    peakRssBytes: 3e8,
  },
  threads: {
    begin: [thread(10, 'node', 1), thread(20, 'node', 0.5)],
    end: [
      thread(10, 'node', 1.75),
      thread(20, 'node', 1.5),
      thread(30, 'node', 4.5),
      thread(40, 'rdk:main', 0.5),
    ],
    last: [thread(10, 'node', 2), thread(20, 'node', 1.5), thread(30, 'node', 5), thread(40, 'rdk:main', 1)],
  },
  committed: { events: 1_000_000, rows: 50_002, deadLetters: 0 },
  table: { rows: 50_002, sessions: 50_000, events: 1_000_000 },
  followed: { rows: 50_001, sessions: 50_000, events: 1_000_000 },
};

describe('the figures of a run', () => {
  const figure = runFigure(run, facts.events, 4);

  test('share all CPU of the process among its threads, in the window and as a whole', () => {
    const shares = figure.threads.map(({ name, threads, cpuUsPerEvent, windowCpuUsPerEvent }) => [
      name,
      threads,
      cpuUsPerEvent,
      windowCpuUsPerEvent,
    ]);
    expect(shares).toEqual([
      ['main', 1, 2, 0.75],
      ['worker 0', 1, 5, 4.5],
      ['librdkafka', 1, 1, 0.5],
      ['libuv', 0, 0, 0],
      ['V8 and Node', 1, 1.5, 1],
      ['not seen', 0, 0.5, 0],
    ]);
    expect(figure).toMatchObject({
      eventsPerSecond: 125_000,
      engineCpuUsPerEvent: 10,
      windowCpuUsPerEvent: 6.75,
      ratioToJsonParse: 2.5,
      brokerCpuUsPerEvent: 0.5,
      clickhouseCpuUsPerEvent: 0.25,
      bytesPerOpenSession: null,
    });
  });

  test('become medians, and a table with bars', () => {
    const slow = { ...figure, ratioToJsonParse: 9, engineCpuUsPerEvent: 30, bytesPerOpenSession: 440 };
    const fast = { ...figure, ratioToJsonParse: 1, engineCpuUsPerEvent: 5 };
    const about: Parameters<typeof pipelineResult>[0] = {
      startedAt: '2026-01-31T12:00:00.000Z',
      machine: { node: 'v20.20.2', cpu: 'a processor', cores: 2, loadAverage: 0.5 },
      workload: { ...facts, seed: 7, kafka: 'kafka-4.1.1' },
      flags: ['--engine', 'reference'],
    };
    const alone = { ...fast, clickhouseCpuUsPerEvent: null };
    const rare = [slow, fast, fast].map((run) => ({
      ...run,
      engineCpuUsPerEvent: run.engineCpuUsPerEvent * 0.8,
    }));
    const result: PipelineResult = pipelineResult(about, [slow, figure, fast], [alone], rare);
    expect(result).toMatchObject({
      ratioToJsonParse: 2.5,
      engineCpuUsPerEvent: 10,
      clickhouseCpuUsPerEvent: 0.25,
      lakeAlone: { eventsPerSecond: 125_000, engineCpuUsPerEvent: 5, ratioToJsonParse: 1 },
      exactlyOnce: { engineCpuUsPerEvent: 4, ratio: 1.25 },
      bytesPerOpenSession: 440,
      events: 1_000_000,
      sessions: 50_000,
    });
    const lines = reportText(result, null).split('\n');
    const line = (start: string) => lines.find((each) => each.startsWith(start)) ?? '';
    expect(line('worker 0')).toMatch(/5\.000 µs +4\.500 µs +50 % +█{36}░{4}$/);
    expect(line('main')).toMatch(/2\.000 µs +0\.750 µs +20 % +█{6}░{10}$/);
    expect(line('engine ÷')).toMatch(/ 2\.500$/);
    expect(line('engine ')).toContain('--engine reference');
    expect(line('model ')).toMatch(/clickstream, sinks: lake and ClickHouse$/);
    expect(line('CPU of ClickHouse')).toMatch(/ 0\.250 µs$/);
    expect(lines.join('\n')).toContain('it costs 25.0 % more CPU');
    expect(line('lake alone')).toMatch(/125 k +5\.000 µs +1\.000$/);
    expect(reportText(pipelineResult(about, [alone]), null)).not.toContain('lake alone');
    const last = { ...result, ratioToJsonParse: 3.125, bytesPerOpenSession: null };
    const compared = reportText(result, last).split('\n');
    expect(compared.find((each) => each.startsWith('engine ÷'))).toMatch(/2\.500 +3\.125$/);
    expect(compared.find((each) => each.startsWith('bytes per'))).toMatch(/440 +–$/);
  });

  const damaged: [string, EngineRun][] = [
    ['sessions in the table: 49999', { ...run, table: { ...run.table, sessions: 49_999 } }],
    ['events in the sessions: 7', { ...run, table: { ...run.table, events: 7 } }],
    ['rows in the table: 1, not 50002', { ...run, table: { ...run.table, rows: 1 } }],
    ['events committed: 9', { ...run, committed: { ...run.committed, events: 9 } }],
    ['dead letters: 2', { ...run, committed: { ...run.committed, deadLetters: 2 } }],
    ['sessions in ClickHouse: 49999', { ...run, followed: { ...run.followed!, sessions: 49_999 } }],
    ["events in ClickHouse's sessions: 8", { ...run, followed: { ...run.followed!, events: 8 } }],
    ['halted lanes: 1', { ...run, figures: { ...run.figures, haltedLanes: 1 } }],
  ];

  test.each(damaged)('are none when it is wrong: %s', (says, wrong) => {
    expect(() => proveRun(run, facts)).not.toThrow();
    expect(() => proveRun({ ...run, followed: null }, facts)).not.toThrow();
    expect(() => proveRun(wrong, facts)).toThrow(says);
  });
});

test('Produce v7 is laid out as Kafka reads it, and its answer is read', () => {
  const writer = new WireWriter();
  const batches = [{ partition: 5, bytes: Buffer.from('batch') }];
  produceApi.encode(writer, { topic: 'a', timeoutMs: 9, batches });
  expect(writer.toBuffer().toString('hex')).toBe(
    ['ffff', 'ffff', '00000009', '00000001', '000161', '00000001', '00000005', '00000005', '6261746368'].join(
      '',
    ),
  );
  const answer = [
    '00000001',
    '000161',
    '00000001',
    '00000005',
    '0003',
    '0000000000000007',
    'ff'.repeat(16),
    '00000000',
  ];
  const bytes = Buffer.from(answer.join(''), 'hex');
  const reader = new ByteSlices([bytes], bytes.length).reader('Produce response');
  expect(produceApi.decode(reader)).toEqual([{ partition: 5, errorCode: 3, baseOffset: 7n }]);
  expect(reader.remaining).toBe(0);
});

describe('what Linux counts', () => {
  test('of a process: its threads, the main one first, its peak memory, its CPU', () => {
    const sample = trySampleProcess(process.pid)!;
    expect(sample.threads[0]!.osThreadId).toBe(process.pid);
    expect(sample.threads.length).toBeGreaterThan(1);
    expect(sample.peakRssBytes).toBeGreaterThan(10e6);
    const { user, system } = process.cpuUsage();
    expect(processSeconds(process.pid)).toBeCloseTo((user + system) / 1e6, 0);
    expect(trySampleProcess(0)).toBeNull();
  });

  test('of children that have ended: all their CPU', () => {
    const before = endedChildrenSeconds();
    const spin = 'const { user } = process.cpuUsage(); while (process.cpuUsage().user - user < 300_000);';
    execFileSync(process.execPath, ['-e', spin]);
    expect(endedChildrenSeconds() - before).toBeGreaterThanOrEqual(0.29);
  });

  test('of the machine: the share of its time that went to others', () => {
    expect(machineTicks().total).toBeGreaterThan(machineTicks().stolen);
    expect(stealShare({ total: 100, stolen: 10 }, { total: 300, stolen: 60 })).toBe(0.25);
    expect(stealShare({ total: 100, stolen: 10 }, { total: 100, stolen: 10 })).toBe(0);
  });
});

describe('options of the pipeline', () => {
  test('have the numbers of the issue by default', () => {
    expect(parsePipelineOptions([])).toMatchObject({
      topic: {
        model: 'clickstream',
        events: 6_000_000,
        partitions: 24,
        users: 100_000,
        recordsPerBatch: 200,
      },
      runs: 5,
      warmUps: 1,
      clickhouse: true,
      lakeToo: false,
      costOfExactlyOnce: false,
      engineFlags: [],
    });
    const args = ['--engine', 'reference', '--flag=--workers=1', '--events', '300'];
    expect(parsePipelineOptions(args)).toMatchObject({
      topic: { events: 300, users: 10 },
      engineFlags: ['--engine', 'reference', '--workers=1'],
    });
    expect(parsePipelineOptions(['--model', 'web_clicks', '--lake-too'])).toMatchObject({
      topic: { model: 'web_clicks', partitions: 20 },
      lakeToo: true,
    });
    expect(parsePipelineOptions(['--no-clickhouse']).clickhouse).toBe(false);
  });

  test.each([
    ['--runs', '0'],
    ['--event', '3'],
    ['--partitions', 'x'],
    ['--model', 'shop'],
    ['--no-clickhouse', '--lake-too'],
  ])('refuse %s %s', (...args) => {
    expect(() => parsePipelineOptions(args)).toThrow(
      args.at(-1)!.startsWith('--') ? args.at(-1)! : args[0]!.slice(0, 7),
    );
  });
});
