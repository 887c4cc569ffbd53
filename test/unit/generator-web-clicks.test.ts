import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClickstreamGenerator } from '#src/generator/clickstream.js';
import type { GeneratedEvent } from '#src/generator/event-generator.js';
import { partitionOf } from '#src/generator/murmur2.js';
import { WEB_EVENT_SHARES, WEB_EVENT_TYPES, type WebEventType } from '#src/generator/reading.js';
import type { Expected, SessionFacts } from '#src/generator/tally.js';
import { type WebClicksFacts, WebClicksGenerator, type WebClicksOptions } from '#src/generator/web-clicks.js';
import { loadModel } from '#src/model/load.js';
import type { RowValue } from '#src/model/types.js';
import { ReferenceLane } from '#src/reference/lane.js';
import { propertySettings } from '../support/property-seed.js';

const MODEL = loadModel('web_clicks');
const HOUR_MS = 3_600_000;
const BASE: WebClicksOptions = {
  seed: 3,
  users: 60,
  partitions: 4,
  startMs: Date.UTC(2026, 0, 30, 22),
  disorderMsMax: 8_000,
};

interface WebClick {
  event_id: string;
  timestamp: string;
  session_id: string;
  user_id: number;
  event_type: WebEventType | 'session_end';
  [field: string]: unknown;
}

const parse = (event: GeneratedEvent) => JSON.parse(event.value.toString('utf8')) as WebClick;

/** A whole stream: `count` events, then all visits to their end. */
function stream(options: WebClicksOptions, count: number) {
  const sessions: WebClicksFacts[] = [];
  const generator = new WebClicksGenerator({ ...options, onSession: (facts) => sessions.push(facts) });
  const events = generator.next(count);
  generator.finish();
  for (let last = generator.next(100); last.length > 0; last = generator.next(100)) events.push(...last);
  return { generator, events, sessions };
}

type NamedRow = Record<string, RowValue>;

/** The rows that the reference makes of the events, one lane a partition, everything closed at the end. */
function rowsOfReference(events: readonly GeneratedEvent[]): NamedRow[] {
  const rows: NamedRow[] = [];
  const lanes = new Map<number, ReferenceLane>();
  const sink = {
    row: (row: RowValue[]) => {
      rows.push(Object.fromEntries(MODEL.columns.map(({ name }, index) => [name, row[index]!])));
    },
    deadLetter: ({ reason, detail }: { reason: string; detail: string }) => {
      throw new Error(`a dead letter: ${reason}, ${detail}`);
    },
  };
  for (const [offset, { key, value, timeMs, partition }] of events.entries()) {
    const lane = lanes.get(partition) ?? new ReferenceLane(MODEL, sink);
    lanes.set(partition, lane);
    const record = { offset: BigInt(offset), timestampMs: timeMs, key: Buffer.from(key), value };
    lane.accept({ ...record, tooLarge: false });
  }
  const newestMs = events.reduce((newest, { timeMs }) => Math.max(newest, timeMs), 0);
  for (const lane of lanes.values()) lane.applyMarks({ idleWatermarkMs: newestMs + 3 * HOUR_MS });
  return rows;
}

const rowOf = (facts: WebClicksFacts) => ({
  session_id: facts.sourceSessionId,
  user_id: Number(facts.userId),
  brand: facts.brand,
  country: facts.country,
  session_start: facts.startMs,
  session_end: facts.endMs,
  total_events: facts.events,
  article_views: facts.byType.article_view,
  article_clicks: facts.byType.article_click,
  video_plays: facts.byType.video_play,
  newsletter_signups: facts.byType.newsletter_signup,
  ad_clicks: facts.byType.ad_click,
  searches: facts.byType.search,
  pages_visited_count: facts.pages,
  closed_by: facts.ended ? 'end_event' : 'gap',
  revision: 0,
  sign: 1,
});

const bySession = (a: { session_id?: RowValue }, b: { session_id?: RowValue }) =>
  String(a.session_id) < String(b.session_id) ? -1 : 1;

describe('WebClicksGenerator', () => {
  it('knows exactly the sessions that the reference makes of its events', () => {
    const options = fc.record({
      seed: fc.integer(),
      users: fc.integer({ min: 1, max: 60 }),
      disorderMsMax: fc.constantFrom(0, 1, 3_000, 9_999),
      eventsPerSessionMean: fc.constantFrom(1, 8, 30),
      breakMsMean: fc.constantFrom(1, HOUR_MS),
    });
    fc.assert(
      fc.property(options, fc.integer({ min: 0, max: 800 }), (chosen, count) => {
        const { generator, events, sessions } = stream({ ...BASE, ...chosen }, count);
        const rows = rowsOfReference(events).sort(bySession);
        const known = sessions.map(rowOf).sort(bySession);
        const columns = Object.keys(rowOf({ byType: {} } as WebClicksFacts));
        const found = rows.map((row) => Object.fromEntries(columns.map((column) => [column, row[column]])));
        expect(found).toEqual(known);
        expect(generator.openSessions()).toEqual([]);
        expect(generator.emitted).toBe(events.length);
      }),
      propertySettings({ numRuns: 30 }),
    );
  });

  it('makes event types in the shares of the document, and ends about half of the sessions with an event', () => {
    const { generator } = stream({ ...BASE, users: 2_000 }, 30_000);
    const { events, endEvents, sessions, byType } = generator.expected();
    for (const type of WEB_EVENT_TYPES) {
      const percent = (100 * byType[type]) / events;
      expect(percent, type).toBeGreaterThan(WEB_EVENT_SHARES[type] * 0.85);
      expect(percent, type).toBeLessThan(WEB_EVENT_SHARES[type] * 1.15);
    }
    expect(events + endEvents).toBe(generator.emitted);
    expect(endEvents / sessions).toBeGreaterThan(0.4);
    expect(endEvents / sessions).toBeLessThan(0.5);
  });

  it('adds up what it has emitted by page and by brand, also in the middle', () => {
    const generator = new WebClicksGenerator(BASE);
    const clicks = generator.next(3_000).map(parse);
    const counted = clicks.filter(({ event_type }) => event_type !== 'session_end');
    const count = (values: unknown[]) => {
      const counts = new Map<unknown, number>();
      for (const value of values) counts.set(value ?? null, (counts.get(value ?? null) ?? 0) + 1);
      return counts;
    };
    const expected = generator.expected();
    expect(expected.eventsByPage).toEqual(count(counted.map(({ page_url }) => page_url)));
    expect(expected.eventsByCountry).toEqual(count(counted.map(({ country }) => country)));
    const views = counted.filter(({ event_type }) => event_type === 'article_view');
    expect(expected.articleViewsByBrand).toEqual(count(views.map(({ brand }) => brand)));
    const brands = new Map(counted.map(({ session_id, brand }) => [session_id, brand]));
    expect(expected.sessionsByBrand).toEqual(count([...brands.values()]));
    expect(generator.openSessions().length).toBeGreaterThan(0);
  });

  it('gives the same bytes for the same seed however they are asked for, others for another seed', () => {
    const hash = (seed: number, chunk: number) => {
      const generator = new WebClicksGenerator({ ...BASE, seed });
      const sha = createHash('sha256');
      while (generator.emitted < 2_000) for (const { value } of generator.next(chunk)) sha.update(value);
      return sha.digest('hex');
    };
    expect(hash(5, 2_000)).toBe(hash(5, 50));
    expect(hash(5, 2_000)).not.toBe(hash(6, 2_000));
  });

  it("keys events by session and puts them where Kafka's murmur2 would", () => {
    const { events } = stream(BASE, 2_000);
    for (const event of events) {
      const click = parse(event);
      expect(event.key).toBe(click.session_id);
      expect(event.partition).toBe(partitionOf(click.session_id, BASE.partitions));
      expect(event.timeMs).toBe(Date.parse(click.timestamp));
    }
    expect(new Set(events.map(({ partition }) => partition)).size).toBe(BASE.partitions);
  });

  it('writes events of the documented shape, with fields missing, null, escaped and not ASCII', () => {
    const { events } = stream({ ...BASE, users: 2_000 }, 8_000);
    const clicks = events.map(parse);
    expect(new Set(clicks.map(({ event_id }) => event_id)).size).toBe(clicks.length);
    for (const field of ['brand', 'country', 'subscription_tier', 'page_url', 'category', 'article_title']) {
      const some = (of: (click: WebClick) => boolean) => clicks.some(of);
      expect(some((click) => typeof click[field] === 'string' && click[field] !== '')).toBe(true);
      expect(
        some((click) => click[field] === null),
        `${field} is null`,
      ).toBe(true);
      expect(
        some((click) => !(field in click)),
        `${field} is missing`,
      ).toBe(true);
    }
    const texts = events.map(({ value }) => value.toString('utf8'));
    expect(texts.some((text) => text.includes('Süd-Echo'))).toBe(true);
    expect(texts.some((text) => text.includes('S\\u00fcd-Echo'))).toBe(true);
    const titleless = ({ event_type, article_id, article_title }: WebClick) =>
      event_type === 'article_view' && typeof article_id === 'string' && typeof article_title !== 'string';
    expect(clicks.some(titleless)).toBe(true);
  });
});

/** Sums by what is known of the sessions one by one. */
function sumsOf<Type extends string>(sessions: readonly SessionFacts<Type>[]) {
  const hours = new Map<number, number>();
  const bounces = new Map<string | null, number>();
  for (const { startMs, events, country } of sessions) {
    const hourMs = startMs - (startMs % HOUR_MS);
    hours.set(hourMs, (hours.get(hourMs) ?? 0) + 1);
    if (events === 1) bounces.set(country, (bounces.get(country) ?? 0) + 1);
  }
  const withType = (type: Type) => sessions.filter(({ byType }) => byType[type] > 0).length;
  return { hours, bounces, withType };
}

describe('the sums of both generators', () => {
  it('are those of their sessions: by hour of the start, of one event, with an event of a type', () => {
    const agree = <Type extends string>(
      sessions: readonly SessionFacts<Type>[],
      expected: Expected<Type>,
    ) => {
      const { hours, bounces, withType } = sumsOf(sessions);
      expect(expected.sessions).toBe(sessions.length);
      expect(expected.sessionsByHour).toEqual(hours);
      expect(expected.bouncesByCountry).toEqual(bounces);
      for (const type of Object.keys(expected.byType) as Type[]) {
        expect(expected.sessionsWithType[type], type).toBe(withType(type));
      }
    };
    const shop: SessionFacts<'page_view' | 'click' | 'add_to_cart' | 'purchase' | 'search'>[] = [];
    const clickstream = new ClickstreamGenerator({
      ...{ seed: 3, users: 400, partitions: 4, startMs: BASE.startMs },
      onSession: (facts) => shop.push(facts),
    });
    clickstream.next(6_000);
    agree([...shop, ...clickstream.openSessions()], clickstream.expected());

    const web: WebClicksFacts[] = [];
    const clicks = new WebClicksGenerator({ ...BASE, users: 400, onSession: (facts) => web.push(facts) });
    clicks.next(6_000);
    agree([...web, ...clicks.openSessions()], clicks.expected());
  });
});
