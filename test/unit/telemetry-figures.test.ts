import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  osThreadId,
  parseThreadStat,
  peakRssBytes,
  processCpuSeconds,
  threadCpu,
} from '#src/telemetry/cpu.js';
import {
  coloursFor,
  formatBytes,
  formatCount,
  formatElapsed,
  formatRate,
  formatTable,
  formatWhole,
  progressLine,
} from '#src/telemetry/progress.js';

afterEach(() => vi.unstubAllEnvs());

describe('figures for people', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [999.4, '999'],
    [999.6, '1.00 k'],
    [1_234, '1.23 k'],
    [9_996, '10.0 k'],
    [34_567, '34.6 k'],
    [345_678, '346 k'],
    [999_600, '1.00 M'],
    [1_234_567, '1.23 M'],
    [-1_500, '-1.50 k'],
    [3e15, '3000 T'],
  ])('%d is %s', (value, text) => expect(formatCount(value)).toBe(text));

  it.each([
    [12, '12 B'],
    [1_536, '1.50 KiB'],
    [2 ** 26, '64.0 MiB'],
    [1_000 * 2 ** 20, '1000 MiB'],
    [2 ** 30 - 1, '1.00 GiB'],
  ])('%d bytes are %s', (value, text) => expect(formatBytes(value)).toBe(text));

  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [4_230, '4.2 s'],
    [59_940, '59.9 s'],
    [59_960, '1 min 00 s'],
    [187_000, '3 min 07 s'],
    [3_599_900, '1 h 00 min'],
    [7_500_000, '2 h 05 min'],
  ])('%d ms are %s', (value, text) => expect(formatElapsed(value)).toBe(text));

  it('a rate needs time', () => {
    expect(formatRate(2_500_000, 2_000)).toBe('1.25 M/s');
    expect(formatRate(5, 0)).toBe('–');
  });

  it('whole numbers have commas', () => {
    expect([0, 999, 1_000, 1_234_567].map(formatWhole)).toEqual(['0', '999', '1,000', '1,234,567']);
    expect(formatWhole(-12_345_678_901_234_567_890n)).toBe('-12,345,678,901,234,567,890');
  });

  it('progress is one line, and dead letters stand in it only when there are any', () => {
    const progress = {
      events: 500_000,
      elapsedMs: 1_000,
      eventsTotal: 12_300_000,
      lagEvents: null,
      openSessions: 48_200,
      rowsTotal: 610_000,
      deadLettersTotal: 0,
    };
    expect(progressLine(progress)).toBe(
      '500 k/s events · 12.3 M in all · lag unknown · 48.2 k open sessions · 610 k rows',
    );
    expect(progressLine({ ...progress, lagEvents: 7, deadLettersTotal: 3 })).toMatch(
      /· lag 7 ·.*· 3 dead letters$/,
    );
    expect(progressLine({ ...progress, openSessions: null })).toMatch(/· lag unknown · 610 k rows$/);
  });

  it('a table is aligned, numbers to the right', () => {
    const rows = [
      ['DE', 12, '1.2 s'],
      ['Österreich', 1_234, ''],
    ];
    expect(formatTable(['country', 'sessions', 'time'], rows).split('\n')).toEqual([
      'country     sessions   time',
      '──────────  ────────  ─────',
      'DE                12  1.2 s',
      'Österreich      1234',
    ]);
    expect(formatTable(['a', 'b'], [])).toBe('a  b\n─  ─');
  });

  it('colours are for terminals without NO_COLOR', () => {
    vi.stubEnv('NO_COLOR', '');
    expect(coloursFor({ isTTY: true }).red('x')).toBe('\u001b[31mx\u001b[39m');
    expect(coloursFor({ isTTY: false }).red('x')).toBe('x');
    vi.stubEnv('NO_COLOR', '1');
    expect(coloursFor({ isTTY: true }).red('x')).toBe('x');
  });
});

describe('CPU and memory', () => {
  const rest = '0 -1 4194304 1 2 3 4 250 75 0 0 20 0 11 0 5 6 7';

  it('a thread’s name may hold anything', () => {
    const stat = { osThreadId: 42, userSeconds: 2.5, systemSeconds: 0.75 };
    expect(parseThreadStat(`42 (node) R 1 2 3 ${rest}`)).toEqual({ ...stat, name: 'node' });
    expect(parseThreadStat(`42 (a) S (b) 1) R 1 2 3 ${rest}`)).toEqual({ ...stat, name: 'a) S (b) 1' });
  });

  it.each(['', '42', '42 (node)', '42 (node) R 1 2', 'x (node) R 1 2 3 0 -1'])('%j is no thread', (line) => {
    expect(parseThreadStat(line)).toBe(null);
  });

  it('this thread is among those of the process where there is /proc', () => {
    const threads = threadCpu();
    const own = osThreadId();
    expect(threads.map((thread) => thread.osThreadId)).toContain(own);
    const sum = threads.reduce(
      (total, { userSeconds, systemSeconds }) => total + userSeconds + systemSeconds,
      0,
    );
    expect(sum).toBeGreaterThan(0);
    // a clock tick a thread is what rounding may take; what has ended is in the process's figure only
    expect(sum).toBeLessThanOrEqual(processCpuSeconds() + 0.02 * threads.length);
  });

  it('the peak of memory is at least what is resident now', () => {
    expect(peakRssBytes()).toBeGreaterThanOrEqual(process.memoryUsage.rss() * 0.9);
  });
});
