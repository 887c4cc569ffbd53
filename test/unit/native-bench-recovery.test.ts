import { describe, expect, test } from 'vitest';
import { readEngineLog } from '../../native-bench/recovery/engine-log.js';
import { type Kill, protocolFigures, waitFigures } from '../../native-bench/recovery/figures.js';
import { parseRecoveryOptions } from '../../native-bench/recovery/options.js';

describe('figures of recovery', () => {
  test('are of all lanes of all kills, from the kill and from the assignment', () => {
    const kill = (assignedAfterMs: number, lanesMs: number[]): Kill => ({
      killedMs: 1_000,
      assignedMs: 1_000 + assignedAfterMs,
      lanesMs,
      replayedEvents: assignedAfterMs,
    });
    const figures = protocolFigures([kill(100, [150, 400]), kill(200, [250, 260])])!;
    expect(figures).toMatchObject({ kills: 2, lanes: 4, replayedEventsMean: 150 });
    expect(figures.killToAssignedMs).toEqual({ p50: 100, p95: 200, max: 200 });
    expect(figures.assignedToCommitMs).toEqual({ p50: 50, p95: 300, max: 300 });
    expect(figures.assignedToAllMs).toEqual({ p50: 60, p95: 300, max: 300 });
    expect(figures.killToCommitMs).toEqual({ p50: 250, p95: 400, max: 400 });
    expect(protocolFigures([])).toBeNull();
  });

  test('p95 is a value that was measured', () => {
    const values = Array.from({ length: 60 }, (_, index) => 60 - index);
    expect(waitFigures(values)).toEqual({ p50: 30, p95: 57, max: 60 });
  });

  test('come from the log of an engine, whose last line may be half', () => {
    const line = (time: string, message: string, fields: object) =>
      JSON.stringify({ time, message, ...fields });
    const text = [
      line('2026-01-31T12:00:00.000Z', 'lanes assigned', { partitions: 3, total: 3 }),
      line('2026-01-31T12:00:01.000Z', 'replaying a lane up to the ledger', { partition: 1, offsets: 70 }),
      line('2026-01-31T12:00:02.000Z', 'snapshots', { longest_stop_ms: 1.5 }),
      line('2026-01-31T12:00:03.000Z', 'snapshots', { longest_stop_ms: 2.25 }),
      'a line of librdkafka',
      '{"time":"2026-01-31T12:00:04.0',
    ].join('\n');
    const atMs = Date.UTC(2026, 0, 31, 12);
    expect(readEngineLog(text)).toEqual({
      assignedMs: [atMs],
      replayed: [{ atMs: atMs + 1_000, offsets: 70 }],
      snapshotStopMs: 2.25,
    });
  });
});

describe('options of recovery', () => {
  test('have the numbers of the issue by default', () => {
    expect(parseRecoveryOptions([])).toMatchObject({
      openSessions: 500_000,
      partitions: 24,
      repetitions: 5,
      kip848Repetitions: 1,
    });
  });

  test.each([['--repetitions', '0'], ['--partitions', '1'], ['--nothing']])('refuse %s %s', (...args) => {
    expect(() => parseRecoveryOptions(args)).toThrow();
  });
});
