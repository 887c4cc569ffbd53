import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ClickstreamFacts,
  ClickstreamGenerator,
  type ClickstreamOptions,
  type GeneratedEvent,
} from '#src/generator/clickstream.js';
import { EVENT_TYPES } from '#src/generator/journey.js';
import { partitionOf } from '#src/generator/murmur2.js';

const GAP_MS = 30 * 60_000;
const START_MS = Date.UTC(2026, 0, 30, 22);
const BASE: ClickstreamOptions = {
  seed: 1,
  users: 60,
  partitions: 6,
  startMs: START_MS,
  disorderMsMax: 8_000,
};

interface ClickEvent {
  event_id: string;
  timestamp: string;
  user_id: string;
  session_id: string;
  event_type: (typeof EVENT_TYPES)[number];
  page_url: string | null;
  geo?: { country: string } | null;
  [field: string]: unknown;
}

function parse(event: GeneratedEvent): ClickEvent {
  return JSON.parse(event.value.toString('utf8')) as ClickEvent;
}

/** A whole stream: `count` events, then all open journeys to their end. */
function stream(options: ClickstreamOptions, count: number) {
  const sessions: ClickstreamFacts[] = [];
  const generator = new ClickstreamGenerator({ ...options, onSession: (facts) => sessions.push(facts) });
  const events = generator.next(count);
  generator.finish();
  for (let last = generator.next(100); last.length > 0; last = generator.next(100)) events.push(...last);
  return { generator, events, sessions };
}

/** Sessions as a reader of the log finds them: by user, in the order of time, apart by more than the gap. */
function sessionsOfLog(events: GeneratedEvent[]): Omit<ClickstreamFacts, 'sourceSessionId'>[] {
  const sessions: Omit<ClickstreamFacts, 'sourceSessionId'>[] = [];
  const last = new Map<string, { facts: Omit<ClickstreamFacts, 'sourceSessionId'>; source: string }>();
  for (const event of [...events].sort((a, b) => a.timeMs - b.timeMs)) {
    const click = parse(event);
    const timeMs = Date.parse(click.timestamp);
    let open = last.get(click.user_id);
    if (open === undefined || timeMs - open.facts.endMs > GAP_MS) {
      const byType = Object.fromEntries(EVENT_TYPES.map((type) => [type, 0])) as ClickstreamFacts['byType'];
      const { partition } = event;
      const country = click.geo?.country ?? null;
      open = {
        facts: {
          userId: click.user_id,
          partition,
          startMs: timeMs,
          endMs: timeMs,
          events: 0,
          pages: 0,
          byType,
          country,
        },
        source: click.session_id,
      };
      last.set(click.user_id, open);
      sessions.push(open.facts);
    }
    expect(click.session_id).toBe(open.source);
    open.facts.endMs = timeMs;
    open.facts.events++;
    open.facts.byType[click.event_type]++;
    if (click.page_url !== null) open.facts.pages++;
  }
  return sessions;
}

const bySession = (a: { userId: string; startMs: number }, b: { userId: string; startMs: number }) =>
  a.userId < b.userId ? -1 : a.userId > b.userId ? 1 : a.startMs - b.startMs;

describe('ClickstreamGenerator', () => {
  it('knows exactly the sessions that a reader of its events finds', () => {
    const options = fc.record({
      seed: fc.integer(),
      users: fc.integer({ min: 1, max: 80 }),
      partitions: fc.integer({ min: 1, max: 24 }),
      disorderMsMax: fc.constantFrom(0, 1, 3_000, 9_999),
      eventsPerSessionMean: fc.constantFrom(1, 8, 30),
      breakMsMean: fc.constantFrom(1, 3_600_000),
    });
    fc.assert(
      fc.property(options, fc.integer({ min: 0, max: 1500 }), (chosen, count) => {
        const { generator, events, sessions } = stream({ ...BASE, ...chosen }, count);
        const found = sessionsOfLog(events).sort(bySession);
        const known = sessions.map(({ sourceSessionId: _, ...facts }) => facts).sort(bySession);
        expect(known).toEqual(found);
        expect(generator.openSessions()).toEqual([]);
        const expected = generator.expected();
        expect([expected.events, expected.sessions]).toEqual([events.length, found.length]);
        expect(generator.emitted).toBe(events.length);
      }),
      { numRuns: 40 },
    );
  });

  it('adds up pages, types and countries of what it has emitted, also in the middle', () => {
    const generator = new ClickstreamGenerator(BASE);
    const clicks = generator.next(3000).map(parse);
    const count = (values: (string | null)[]) => {
      const counts = new Map<string | null, number>();
      for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
      return counts;
    };
    const expected = generator.expected();
    expect(expected.eventsByPage).toEqual(count(clicks.map((click) => click.page_url)));
    expect(expected.eventsByCountry).toEqual(count(clicks.map((click) => click.geo?.country ?? null)));
    expect(new Map(Object.entries(expected.byType))).toEqual(count(clicks.map((click) => click.event_type)));
    const sources = new Map(clicks.map((click) => [click.session_id, click.geo?.country ?? null]));
    expect(expected.sessionsByCountry).toEqual(count([...sources.values()]));
    expect(expected.sessions).toBe(sources.size);
    expect(generator.openSessions().length).toBeGreaterThan(0);
  });

  it('gives the same bytes for the same seed however they are asked for, others for another seed', () => {
    const hash = (seed: number, chunk: number) => {
      const generator = new ClickstreamGenerator({ ...BASE, seed });
      const sha = createHash('sha256');
      while (generator.emitted < 2000) for (const { value } of generator.next(chunk)) sha.update(value);
      return sha.digest('hex');
    };
    expect(hash(5, 2000)).toBe(hash(5, 50));
    expect(hash(5, 2000)).not.toBe(hash(6, 2000));
  });

  it('is out of order in a partition, and never by more than it was told', () => {
    const { events } = stream({ ...BASE, users: 3000, disorderMsMax: 2_500 }, 20_000);
    const newestMs = new Map<number, number>();
    let worstMs = 0;
    for (const { partition, timeMs } of events) {
      const newest = Math.max(newestMs.get(partition) ?? timeMs, timeMs);
      newestMs.set(partition, newest);
      worstMs = Math.max(worstMs, newest - timeMs);
    }
    expect(worstMs).toBeGreaterThan(2_000);
    expect(worstMs).toBeLessThanOrEqual(2_500);
  });

  it('keeps the order of time when no disorder is asked for', () => {
    const { events } = stream({ ...BASE, disorderMsMax: 0 }, 5000);
    for (let i = 1; i < events.length; i++)
      expect(events[i]!.timeMs).toBeGreaterThanOrEqual(events[i - 1]!.timeMs);
  });

  it("keys events by user and puts them where Kafka's murmur2 would", () => {
    const { events } = stream(BASE, 2000);
    for (const event of events) {
      const click = parse(event);
      expect(event.key).toBe(click.user_id);
      expect(event.partition).toBe(partitionOf(click.user_id, BASE.partitions));
      expect(event.timeMs).toBe(Date.parse(click.timestamp));
    }
    expect(new Set(events.map((event) => event.partition)).size).toBe(BASE.partitions);
  });

  it('passes event time at about the rate it states', () => {
    const generator = new ClickstreamGenerator({ ...BASE, users: 2000 });
    generator.next(40_000);
    const stated = generator.eventsPerSecondMean;
    const measured = 40_000 / ((generator.nowMs - START_MS) / 1000);
    expect(measured / stated).toBeGreaterThan(0.8);
    expect(measured / stated).toBeLessThan(1.2);
  });

  it('writes events of the documented shape and size, with fields missing, null, escaped and not ASCII', () => {
    const { events } = stream({ ...BASE, users: 2000 }, 8_000);
    const clicks = events.map(parse);
    const uuidV4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    for (const click of clicks) {
      expect(click.event_id).toMatch(uuidV4);
      expect(click.session_id).toMatch(uuidV4);
      expect(click.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(EVENT_TYPES).toContain(click.event_type);
    }
    expect(new Set(clicks.map((click) => click.event_id)).size).toBe(clicks.length);
    const meanBytes = events.reduce((sum, { value }) => sum + value.length, 0) / events.length;
    expect(meanBytes).toBeGreaterThan(520);
    expect(meanBytes).toBeLessThan(640);
    for (const field of ['referrer', 'geo', 'device', 'metadata', 'user_agent']) {
      expect(
        clicks.some((click) => click[field] === null),
        `${field} is null`,
      ).toBe(true);
      expect(
        clicks.some((click) => !(field in click)),
        `${field} is missing`,
      ).toBe(true);
    }
    const texts = events.map(({ value }) => value.toString('utf8'));
    expect(texts.some((text) => text.includes('東京'))).toBe(true);
    expect(texts.some((text) => text.includes('M\\u00fcnchen'))).toBe(true);
    expect(texts.some((text) => text.includes('🎁'))).toBe(true);
  });
});
