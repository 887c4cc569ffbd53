import { describe, expect, test } from 'vitest';
import { loadModel } from '#src/model/load.js';
import { decodeBatches } from '#src/reference/record-batches.js';
import {
  histogramOf,
  type Moments,
  proveRows,
  type SessionRow,
  spreadOf,
  waitsOf,
} from '../../native-bench/latency/figures.js';
import { parseLatencyOptions } from '../../native-bench/latency/options.js';
import { type ClosedSession, makeStream, type Stream, TICK_MS } from '../../native-bench/latency/stream.js';
import { LIMITS } from '../../native-bench/stages/events.js';

const MODEL = loadModel('clickstream');

interface SentEvent {
  tick: number;
  partition: number;
  user: string;
  atMs: number;
}

/** The events of a stream in the order of their partitions, out of the bytes that are sent. */
function eventsOf({ ticks }: Stream): SentEvent[] {
  const events: SentEvent[] = [];
  for (const [tick, { batches }] of ticks.entries()) {
    for (const { partition, bytes } of batches) {
      decodeBatches(bytes, { fromOffset: 0n, limits: LIMITS }, ({ value }) => {
        const { user_id: user, timestamp } = JSON.parse(Buffer.from(value!).toString());
        events.push({ tick, partition, user, atMs: Date.parse(timestamp) });
      });
    }
  }
  return events;
}

/** Sessions and the tick that closes them, by going through all events for each user. */
function closedNaively(events: readonly SentEvent[]): ClosedSession[] {
  const found: ClosedSession[] = [];
  for (const user of new Set(events.map((event) => event.user))) {
    const own = events.filter((event) => event.user === user).sort((a, b) => a.atMs - b.atMs);
    let from = 0;
    own.forEach(({ atMs, partition }, index) => {
      const next = own[index + 1];
      if (next !== undefined && next.atMs - atMs <= MODEL.gapMs) return;
      const tick = events.find(
        (event) => event.partition === partition && event.atMs - MODEL.allowedDisorderMs > atMs + MODEL.gapMs,
      )?.tick;
      const session = { sessionId: `${user}:${own[from]!.atMs}`, events: index + 1 - from };
      if (tick !== undefined) found.push({ ...session, tick });
      from = index + 1;
    });
  }
  return found;
}

const byId = (sessions: readonly ClosedSession[]) =>
  sessions.toSorted((a, b) => (a.sessionId < b.sessionId ? -1 : 1));

test('a stream has the same events every tick, and knows which tick closes which session', () => {
  const stream = makeStream({ model: MODEL, eventsPerSecond: 400, seconds: 8, partitions: 2 });
  expect(stream.ticks).toHaveLength(8_000 / TICK_MS);
  expect(new Set(stream.ticks.map(({ events }) => events))).toEqual(new Set([20]));
  const events = eventsOf(stream);
  expect(events).toHaveLength(stream.events);
  expect(stream.closed.length).toBeGreaterThan(20);
  expect(byId(stream.closed)).toEqual(byId(closedNaively(events)));
});

const closed: ClosedSession[] = [
  { sessionId: 'a:1', events: 3, tick: 0 },
  { sessionId: 'b:2', events: 4, tick: 1 },
];
const row = (session_id: string, total_events: number, file: string): SessionRow => {
  return { session_id, sign: 1, total_events, closed_by: 'gap', file, cut: '7' };
};
const rows = [row('a:1', 3, 'f1'), row('b:2', 4, 'f2')];

describe('a run is right', () => {
  test('when its rows are the sessions that the stream closes', () => {
    expect(() => proveRows(rows, closed)).not.toThrow();
  });

  test.each<[string, SessionRow[]]>([
    ['b:2 is missing', [rows[0]!]],
    ['a:1: sign 1, 3 events, not there', [...rows, rows[0]!]],
    ['a:1: sign 1, 9 events, not 3', [row('a:1', 9, 'f1'), rows[1]!]],
    ['a:1: sign -1', [{ ...rows[0]!, sign: -1 }, rows[1]!]],
    ['c:3: sign 1, 1 events, not there', [...rows, row('c:3', 1, 'f1')]],
    ['closed by end_of_input', [{ ...rows[0]!, closed_by: 'end_of_input' }, rows[1]!]],
  ])('and otherwise says what is wrong: %s', (says, wrong) => {
    expect(() => proveRows(wrong, closed)).toThrow(says);
  });
});

test('a session waits from the answer for its last tick over cut and commit to its file in ClickHouse', () => {
  const stream = { closed } as unknown as Stream;
  const moments: Moments = {
    sent: { sentMs: [90, 190], ackedMs: [100, 200] },
    cuts: new Map([['7', { cutMs: 250, committedMs: 400 }]]),
    seenMs: new Map([
      ['f1', 500],
      ['f2', 530],
    ]),
  };
  expect(waitsOf(rows, stream, 0, moments)).toEqual([
    { toCut: 150, toCommit: 150, toVisible: 100, total: 400 },
    { toCut: 50, toCommit: 150, toVisible: 130, total: 330 },
  ]);
  expect(waitsOf(rows, stream, 1, moments)).toHaveLength(1);
});

test('waits are summed up as percentiles and bars', () => {
  const values = Array.from({ length: 200 }, (_, at) => 200 - at);
  expect(spreadOf(values)).toEqual({ p50: 100, p90: 180, p99: 198, max: 200 });
  expect(histogramOf(values)).toEqual([
    { fromMs: 0, sessions: 99 },
    { fromMs: 100, sessions: 100 },
    { fromMs: 200, sessions: 1 },
  ]);
  expect(histogramOf([10, 10_000], 10).map(({ fromMs }) => fromMs)).toContain(2_000);
  expect(histogramOf([-5])).toEqual([{ fromMs: 0, sessions: 1 }]);
});

test('options have the numbers of the issue by default, and unknown ones are refused', () => {
  expect(parseLatencyOptions([])).toMatchObject({ eventsPerSecond: 50_000, seconds: 30, engineFlags: [] });
  expect(parseLatencyOptions(['--flag=--workers=2']).engineFlags).toEqual(['--workers=2']);
  expect(() => parseLatencyOptions(['--second', '3'])).toThrow('--second');
  expect(() => parseLatencyOptions(['--events-per-second', '3'])).toThrow('from 100');
});
