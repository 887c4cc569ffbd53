import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decodeBatches } from '#src/reference/record-batches.js';
import { measure } from '../../native-bench/measure.js';
import { type BenchResult, stageResults } from '../../native-bench/result.js';
import { checkStages, contender, type Stage } from '../../native-bench/stage.js';
import { allStages } from '../../native-bench/stages/all.js';
import { encodeAll, proveFiles, rowCrcStage } from '../../native-bench/stages/rows.js';
import { closedRows } from '../../native-bench/stages/sessions.js';
import { runStages } from '../../native-bench/stages-command.js';
import { headText, tableText } from '../../native-bench/table.js';
import { buildWorkload, type Workload } from '../../native-bench/workload.js';

const STAGES = [
  'ring',
  'crc-32c',
  'lz4',
  'snappy',
  'walk',
  'batch to objects',
  'extraction',
  'scan',
  'scan, one producer',
  'scan, any order',
  'sessions',
  'batches to rows',
  'row crc',
  'arrow columns',
  'parquet',
  'whole worker',
  'snapshot',
  'snapshot load',
];

const smallWorkload = () => buildWorkload({ events: 200, recordsPerBatch: 64 });

describe('stages --smoke', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'headrace-bench-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const run = (...args: string[]) => {
    const printed: string[] = [];
    runStages(['--smoke', ...args], { print: (text) => printed.push(text), progress: () => {} });
    return printed.join('\n').split('\n');
  };

  test('runs every stage, proves it, and ends with its result as one line of JSON', () => {
    const lines = run('--json', '--out', folder);
    const result = JSON.parse(lines.at(-1)!) as BenchResult;
    expect(result.stages.map(({ name }) => name)).toEqual(STAGES);
    for (const { name, units, figures } of result.stages) {
      expect(units, name).toBeGreaterThan(0);
      expect(figures[0]!.role).toBe('stage');
      for (const figure of figures) expect(figure.nsPerUnit, figure.name).toBeGreaterThanOrEqual(0);
      expect(lines.some((line) => line.startsWith(`${name} `))).toBe(true);
    }
    expect(result.workload.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(result.workload.lz4Ratio).toBeGreaterThan(2);
    const files = readdirSync(folder);
    expect(files).toHaveLength(1);
    expect(JSON.parse(readFileSync(join(folder, files[0]!), 'utf8'))).toEqual(result);
  });

  test('shows the result before it, over the same bytes, beside its own', () => {
    const hasLast = (lines: string[]) =>
      lines.some((line) => line.startsWith('stage ') && line.includes('÷ last'));
    expect(hasLast(run('--out', folder))).toBe(false);
    expect(hasLast(run('--out', folder))).toBe(true);
    expect(hasLast(run('--out', folder, '--events', '300'))).toBe(false);
  });

  test.each([
    ['--round', '3'],
    ['--rounds', '0'],
    ['--events', 'many'],
  ])('refuses %s %s', (...args) => {
    expect(() => run(...args)).toThrow(args[0]!.slice(0, 7));
  });
});

describe('the workload', () => {
  test('is the same bytes every time', () => {
    expect(smallWorkload().sha256).toBe(smallWorkload().sha256);
  });

  test('holds its events in batches that the reference reads', () => {
    const workload = smallWorkload();
    const limits = { decompressedBatchBytesMax: 1e6, recordBytesMax: 1e6 };
    const read: unknown[] = [];
    const done = decodeBatches(
      workload.fetched,
      { fromOffset: 0n, limits },
      ({ offset, timestampMs, key, value }) =>
        read.push([offset, timestampMs, Buffer.from(key!).toString(), Buffer.from(value!).toString()]),
    );
    expect(done.batches).toBeGreaterThan(1);
    expect(read).toEqual(
      workload.events.map(({ key, value, timeMs }, index) => [BigInt(index), timeMs, key, value.toString()]),
    );
  });
});

describe('a wrong result is never timed', () => {
  const firstType = (workload: Workload) => ({ ...workload.expected.byType, page_view: 1 });
  const withOtherKey = ({ events }: Workload) => [{ ...events[0]!, key: 'somebody' }, ...events.slice(1)];
  const withOtherValue = ({ events }: Workload) => [
    { ...events[0]!, value: Buffer.from('{}') },
    ...events.slice(1),
  ];
  const flipped = (bytes: Uint8Array, at: number) => {
    bytes[at]! ^= 1;
    return bytes;
  };

  /** Each row: a stage, and a workload in which what it works on is not what it should be. */
  const wrong: [string, (workload: Workload) => Workload][] = [
    ['crc-32c', (w) => ({ ...w, fetched: flipped(w.fetched, 17) })],
    ['lz4', (w) => ({ ...w, batches: w.batches.map((b) => ({ ...b, records: flipped(b.records, 9) })) })],
    ['walk', (w) => ({ ...w, events: withOtherValue(w) })],
    ['batch to objects', (w) => ({ ...w, expected: { ...w.expected, byType: firstType(w) } })],
    ['extraction', (w) => ({ ...w, events: withOtherKey(w) })],
    ['sessions', (w) => ({ ...w, expected: { ...w.expected, sessions: w.expected.sessions + 1 } })],
    ['sessions', (w) => ({ ...w, expected: { ...w.expected, sessionsByCountry: new Map() } })],
    ['batches to rows', (w) => ({ ...w, expected: { ...w.expected, sessions: 1 } })],
    ['whole worker', (w) => ({ ...w, expected: { ...w.expected, events: w.expected.events + 1 } })],
  ];

  test.each(wrong)('in %s', (name, damage) => {
    const { stages } = allStages(damage(smallWorkload()));
    const stage = stages.filter((candidate) => candidate.name === name);
    expect(() => checkStages(stage)).toThrow(new RegExp(`^${name}: .* gives a wrong result$`));
  });

  test('in the rows of closed sessions and in their files', () => {
    const workload = smallWorkload();
    const rows = closedRows(workload);
    const crcStage = rowCrcStage(workload, rows);
    checkStages([crcStage]);
    const files = encodeAll(workload.model, rows);
    proveFiles(workload.model, rows, files);
    rows[0]![workload.model.columns.findIndex(({ name }) => name === 'total_events')] = 1_000_000;
    expect(() => checkStages([crcStage])).toThrow('row crc: rowCrc gives a wrong result');
    expect(() => proveFiles(workload.model, rows, files)).toThrow();
  });
});

describe('measuring', () => {
  /** A contender that takes what is written down for it: first a warm-up, then round after round, in ms of CPU. */
  const cpu = { ms: 0 };
  const taking = (role: 'stage' | 'floor', name: string, ...costsMs: number[]) => {
    const left = [...costsMs];
    const run = () => {
      cpu.ms += left.shift() ?? Number.NaN;
    };
    return contender(role, name, run, () => {});
  };
  const stageOf = (contenders: Stage['contenders'], events: number | null = 10): Stage => ({
    name: 'a stage',
    unit: 'batch',
    units: 2,
    events,
    contenders,
  });
  const measured = (stages: Stage[], rounds: number) =>
    measure(stages, { rounds, turnCpuMsMin: 0, collectsGarbage: false, cpuMs: () => cpu.ms });

  test('gives one figure a round, and none of the warm-up', () => {
    const stage = taking('stage', 'a', 100, 1, 2, 3);
    const floor = taking('floor', 'b', 50, 4, 5, 6);
    const samples = measured([stageOf([stage, floor])], 3);
    expect(samples.get(stage)!.map(Math.round)).toEqual([1e6, 2e6, 3e6]);
    expect(samples.get(floor)!.map(Math.round)).toEqual([4e6, 5e6, 6e6]);
  });

  test('gives a contender of two stages one turn a round', () => {
    const floor = taking('floor', 'both', 9, 4, 5);
    const stages = [taking('stage', 'a', 9, 1, 1), taking('stage', 'b', 9, 2, 2)];
    const samples = measured(
      stages.map((stage) => stageOf([stage, floor])),
      2,
    );
    expect(samples.get(floor)!.map(Math.round)).toEqual([4e6, 5e6]);
  });

  test("collects one contender's garbage before the next one's turn", () => {
    const heap = { leftBytes: 0, foundBytes: 0 };
    const litter = () => {
      const lists = Array.from({ length: 400 }, () => new Array(10_000).fill(0.5));
      heap.leftBytes = process.memoryUsage().heapUsed;
      return lists.length;
    };
    const look = () => {
      heap.foundBytes = process.memoryUsage().heapUsed;
    };
    const stage = stageOf([
      contender('stage', 'a', litter, () => {}),
      contender('floor', 'b', look, () => {}),
    ]);
    measure([stage], { rounds: 1, turnCpuMsMin: 0, collectsGarbage: true });
    expect(heap.leftBytes - heap.foundBytes).toBeGreaterThan(400 * 10_000 * 4);
  });

  test('takes ratios within each round, then the median', () => {
    // the machine is three times slower in the last round
    const parse = taking('floor', 'JSON.parse', 9, 1, 1, 3);
    const stage = taking('stage', 'a', 9, 4, 5, 12);
    const stages = [stageOf([stage, parse])];
    const [result] = stageResults(stages, measured(stages, 3), { contender: parse, events: 10 });
    const [a, floor] = result!.figures;
    expect(a!.nsPerUnit).toBeCloseTo(2_500_000, 0);
    expect(a!.nsPerEvent).toBeCloseTo(500_000, 0);
    expect(a!.jsonParses).toBeCloseTo(4, 5);
    expect(floor!.stageRatio).toBeCloseTo(4, 5);
    expect(floor!.jsonParses).toBeCloseTo(1, 5);
  });

  test('has no cost per event where the cost does not grow with events', () => {
    const parse = taking('floor', 'JSON.parse', 1, 1);
    const stages = [stageOf([taking('stage', 'a', 1, 2), parse], null)];
    const [result] = stageResults(stages, measured(stages, 1), { contender: parse, events: 10 });
    expect(result!.figures[0]).toMatchObject({ nsPerEvent: null, jsonParses: null });
  });
});

describe('the table', () => {
  const figure = { spread: 0.021, jsonParses: 0.5, stageRatio: 1, nsPerUnit: 1 };
  const result: BenchResult = {
    benchmark: 'stages',
    startedAt: '2026-01-31T12:00:00.000Z',
    machine: { node: 'v20.20.2', cpu: 'a processor', cores: 2, loadAverage: 0.5 },
    workload: {
      seed: 7,
      events: 1_000,
      sessions: 80,
      valueBytes: 570_000,
      sha256: 'ab'.repeat(32),
      lz4Ratio: 4.04,
    },
    rounds: 9,
    jsonParseNs: 2_600,
    stages: [
      {
        name: 'crc',
        unit: 'batch',
        units: 2,
        figures: [
          { ...figure, role: 'stage', name: 'a', nsPerEvent: 2_800, nsPerUnit: 1_400_000 },
          { ...figure, role: 'floor', name: 'b', nsPerEvent: 1_400, stageRatio: 2 },
        ],
      },
      {
        name: 'snapshot',
        unit: 'session',
        units: 1,
        figures: [{ ...figure, role: 'stage', name: 'c', nsPerEvent: null, jsonParses: null }],
      },
    ],
  };

  test('has bars as long as the costs', () => {
    expect(tableText(result, null)).toBe(
      [
        'stage     by  ns/event  CPU an event                  JSON.parses    ±  stage ÷ it           per unit',
        '────────  ──  ────────  ────────────────────────────  ───────────  ───  ──────────  ─────────────────',
        'crc       a      2,800  ████████████████████████████        0.500  2 %           –  1,400,000 a batch',
        '  floor   b      1,400  ░░░░░░░░░░░░░░                      0.500  2 %        2.00        1.0 a batch',
        'snapshot  c          –                                          –  2 %           –      1.0 a session',
      ].join('\n'),
    );
  });

  test('compares with the last run in JSON.parses', () => {
    const last = structuredClone(result);
    last.stages[0]!.figures[0]!.jsonParses = 0.25;
    last.stages[0]!.figures.pop();
    const ratios = tableText(result, last)
      .split('\n')
      .slice(2)
      .map((line) => line.split(/\s+/).at(-1));
    expect(ratios).toEqual(['2.00', '–', '1.00']);
  });

  test('is headed by what was measured on what', () => {
    const head = headText(result);
    for (const part of [
      '1,000 in 80 sessions',
      '570 bytes',
      'seed 7',
      'abababababababab',
      '4.04 : 1',
      '2 × a processor',
    ]) {
      expect(head).toContain(part);
    }
  });
});
