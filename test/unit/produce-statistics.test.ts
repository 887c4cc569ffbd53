import { describe, expect, it } from 'vitest';
import {
  headline,
  progressLine,
  resultJson,
  resultText,
  type Statistics,
} from '#src/commands/produce/statistics.js';
import { SPEC } from '../support/load-records.js';

/** What `headrace produce` says while it runs and in the end. */

const COUNTS = { records: 600, disordered: 0, late: 0, duplicated: 0, malformed: 0, future: 0 };
const BASE: Statistics = {
  sender: 'client',
  topic: 'clickstream_events',
  rate: 100,
  spec: { ...SPEC, records: 600, users: 50, seed: 7, startMs: Date.UTC(2026, 0, 31) },
  speed: 2,
  standing: {
    beganMs: 0,
    beganCpuUs: 0,
    counts: COUNTS,
    sent: 600,
    failed: 0,
    bytes: null,
    nowMs: Date.UTC(2026, 0, 31, 0, 0, 12),
    latencyMs: [1, 2, 3, 10],
  },
  elapsedMs: 6_000,
  cpuMs: 3,
  setUpCpuMs: 200,
  isWhole: true,
};
const at = (standing: Partial<Statistics['standing']>, more: Partial<Statistics> = {}): Statistics => {
  return { ...BASE, ...more, standing: { ...BASE.standing, ...standing } };
};

describe('a load says', () => {
  it('where it goes, by whom, and how fast, before the first event', () => {
    expect(headline(['a:1', 'b:2'], BASE)).toBe(
      'Starting data generator: 600 events of clickstream (journeys) by 50 users ' +
        'into clickstream_events (4 partitions) at a:1,b:2, sender client, 100/s for 6.0 s, event time 2 × time',
    );
    expect(headline(['a:1'], { ...BASE, rate: null, speed: null })).toMatch(
      /sender client, as fast as it goes$/,
    );
  });

  it.each([
    [0, '░░░░░░░░░░░░░░░░░░░░░░░░ 0 %'],
    [300, '████████████░░░░░░░░░░░░ 50 %'],
    [599, '███████████████████████░ 99 %'],
    [600, '████████████████████████ 100 %'],
  ])('with %i of 600 events acknowledged how far it is, and its rate since the last line', (sent, bar) => {
    const shown = sent === 0 ? '0' : String(sent);
    expect(progressLine(at({ sent }), 150, 1_500)).toBe(
      `${bar} · 100/s events · ${shown} of 600 · event time 2026-01-31T00:00:12Z`,
    );
  });

  it('what failed while it runs', () => {
    expect(progressLine(at({ sent: 300, failed: 7 }), 0, 1_000)).toMatch(/ · 7 FAILED$/);
  });

  it('in the end what it sent, in which time, how fast, at which cost and latency', () => {
    expect(resultText(BASE)).toBe(`Data generation complete:
  Total events: 600 into clickstream_events (seed 7)
  Total time: 6.0 s
  Actual rate: 100/s, asked for 100/s
  CPU: 5.00 µs an event, generation included; 0.2 s before the first
  Event time: 2026-01-31T00:00:00.000Z to 2026-01-31T00:00:12.000Z
  Latency of records: 4 ms on average, p50 3, p99 10, at most 10
`);
    const bulk = at({ bytes: 2_048 }, { sender: 'bulk', rate: null, speed: null });
    expect(resultText(bulk)).toMatch(
      /Actual rate: 100\/s\n[\s\S]*In the log: 2\.00 KiB\n[\s\S]*Latency of requests:/,
    );
  });

  it('dirt and failures where there are some', () => {
    const dirty = at({ counts: { ...COUNTS, late: 5, malformed: 1_200 }, sent: 590, failed: 10 });
    expect(resultText(dirty)).toMatch(/Among them: 5 late, 1,200 malformed\n {2}FAILED: 10\n/);
    expect(resultJson(dirty)).toMatchObject({ complete: false, sent: 590, failed: 10, made: { late: 5 } });
  });

  it('that it was interrupted, also before the first event', () => {
    const nothing = at(
      { beganMs: null, sent: 0, counts: { ...COUNTS, records: 0 }, latencyMs: [], nowMs: BASE.spec.startMs },
      { isWhole: false, elapsedMs: 0 },
    );
    expect(resultText(nothing)).toMatch(
      /^Interrupted; [\s\S]*Total events: 0 [\s\S]*Actual rate: –, asked for 100\/s/,
    );
    expect(resultJson(nothing)).toMatchObject({
      complete: false,
      rate: 100,
      recordsPerSecond: 0,
      cpuMicrosPerRecord: null,
      latencyMs: null,
    });
  });
});
