import { describe, expect, test } from 'vitest';
import { loadModel } from '#src/model/load.js';
import { decodeBatches } from '#src/reference/record-batches.js';
import { runKernel } from '../../native-bench/kernel/command.js';
import { type LaneBatch, LaneBatches } from '../../native-bench/kernel/lane-batches.js';
import { EVENTS_PER_SESSION, UserStream } from '../../native-bench/kernel/user-stream.js';

const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2026, 0, 30);
const { gapMs, allowedDisorderMs } = loadModel('clickstream');
const streamOf = (openSessions: number) =>
  new UserStream({ openSessions, gapMs, allowedDisorderMs, startMs: START_MS });

describe('the stream of users', () => {
  test.each([50, 333])(
    'gives each of its users, about %d at once, one session of 20 events',
    (openSessions) => {
      const stream = streamOf(openSessions);
      const timesMs = new Map<number, number[]>();
      let newestMs = START_MS;
      let oldestMs = 0;
      while (stream.minute < 60) {
        const { user, timeMs } = stream.next();
        oldestMs = Math.max(oldestMs, newestMs - timeMs);
        newestMs = Math.max(newestMs, timeMs);
        timesMs.set(user, [...(timesMs.get(user) ?? []), timeMs]);
      }
      expect(oldestMs).toBeGreaterThan(0);
      expect(oldestMs).toBeLessThanOrEqual(5_000);
      expect([stream.events, stream.sessions]).toEqual([
        [...timesMs.values()].reduce((sum, times) => sum + times.length, 0),
        timesMs.size,
      ]);
      const { arrivals } = stream;
      for (const [user, times] of timesMs) {
        const born = Math.floor(user / arrivals);
        expect(times, `user ${user}`).toHaveLength(Math.min(EVENTS_PER_SESSION, 60 - born));
        const pauses = times.slice(1).map((timeMs, at) => Math.abs(timeMs - times[at]!));
        expect(Math.max(0, ...pauses)).toBeLessThanOrEqual(2 * MINUTE_MS + 5_000);
      }
      const closedBefore = newestMs - gapMs - allowedDisorderMs;
      const open = [...timesMs.values()].filter((times) => Math.max(...times) >= closedBefore);
      expect(open.length / openSessions).toBeCloseTo(1, 1);
    },
  );

  test('meets the users of a cohort in another order every minute', () => {
    const stream = streamOf(5_000);
    const orders = new Map<number, number[]>();
    while (stream.minute < 3) {
      const { minute } = stream;
      const { user } = stream.next();
      if (user < stream.arrivals) orders.set(minute, [...(orders.get(minute) ?? []), user]);
    }
    const [first, second] = [...orders.values()];
    expect(second).not.toEqual(first);
    expect(second!.toSorted((a, b) => a - b)).toEqual(first!.toSorted((a, b) => a - b));
  });
});

const LIMITS = { decompressedBatchBytesMax: 1e7, recordBytesMax: 1e6 };

describe('batches of lanes', () => {
  test.each([false, true])('hold the events of their users, compressed: %s', (compresses) => {
    const stream = streamOf(200);
    const batches = new LaneBatches('clickstream', 3, 50);
    batches.compresses = compresses;
    const laneOf = new Map<string, number>();
    let read = 0;
    const look = ({ lane, bytes, baseOffset }: LaneBatch) => {
      const done = decodeBatches(
        bytes,
        { fromOffset: baseOffset, limits: LIMITS },
        ({ key, value, timestampMs }) => {
          const event = JSON.parse(Buffer.from(value!).toString()) as Record<string, string>;
          const user = Buffer.from(key!).toString();
          expect(event.user_id).toBe(user);
          expect(user).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
          expect(Date.parse(event.timestamp!)).toBe(timestampMs);
          expect(event.ip_address).toMatch(/^198\.18\.\d{3}\.\d{3}$/);
          expect(laneOf.get(user) ?? lane).toBe(lane);
          laneOf.set(user, lane);
          read++;
        },
      );
      expect(done.batches).toBe(1);
    };
    while (stream.minute < 8) {
      const batch = batches.add(stream.next());
      expect(JSON.parse(batches.lastValue().toString())).toHaveProperty('event_id');
      if (batch !== null) look(batch);
    }
    for (const batch of batches.flush()) look(batch);
    expect(read).toBe(stream.events);
    expect(laneOf.size).toBe(stream.sessions);
  });
});

test('batches of web_clicks hold the events of their sessions, each with what its visit says of the reader', () => {
  const batches = new LaneBatches('web_clicks', 2, 20);
  const stream = streamOf(100);
  const brands = new Map<string, unknown>();
  while (stream.minute < 8) {
    const batch = batches.add(stream.next());
    const event = JSON.parse(batches.lastValue().toString()) as Record<string, unknown>;
    const session = event.session_id as string;
    expect(Number.isInteger(event.user_id)).toBe(true);
    expect(event.brand).toBe(brands.has(session) ? brands.get(session) : event.brand);
    brands.set(session, event.brand);
    if (batch === null) continue;
    decodeBatches(batch.bytes, { fromOffset: batch.baseOffset, limits: LIMITS }, ({ key, value }) => {
      expect(Buffer.from(value!).toString()).toContain(`"session_id":"${Buffer.from(key!)}"`);
    });
  }
  expect(brands.size).toBe(stream.sessions);
});

test.each([
  ['reference', 'clickstream'],
  ['kernel', 'clickstream'],
  ['kernel', 'web_clicks'],
])('the %s is measured with %s at two numbers of open sessions, its sessions proved', (name, model) => {
  const printed: string[] = [];
  const numbers = ['--open-sessions', '50,100', '--events', '300', '--rounds', '1', '--hours', '2'];
  const result = runKernel(
    ['--engine', name, '--model', model, ...numbers, '--records-per-batch', '10', '--lanes', '2', '--json'],
    {
      print: (text) => printed.push(text),
      progress: () => {},
    },
  );
  expect(JSON.parse(printed.at(-1)!)).toEqual(result);
  expect(result.figures).toHaveLength(2);
  for (const [at, figure] of result.figures.entries()) {
    expect(figure.openSessions / [50, 100][at]!).toBeCloseTo(1, 0);
    expect(figure.cpuUsPerEvent).toBeGreaterThan(0);
    expect(figure.ratioToJsonParse).toBeGreaterThan(0);
    expect(figure.undecided / figure.events).toBeLessThan(0.01);
  }
  expect(result.figures[0]!.memory.at(-1)!.hours).toBeGreaterThanOrEqual(2);
  expect(() => runKernel(['--engine', 'other'], { print: () => {}, progress: () => {} })).toThrow(/--engine/);
  expect(() => runKernel(['--model', 'other'], { print: () => {}, progress: () => {} })).toThrow(/--model/);
});
