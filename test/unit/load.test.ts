import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { DIRT_KINDS, type DirtShares, EXTRA_KINDS, NO_DIRT } from '#src/generator/load/dirt.js';
import { filmsFor, makeLoad } from '#src/generator/load/load.js';
import { type LoadSpec, planLoad } from '#src/generator/load/load-plan.js';
import { sumOf } from '#src/generator/load/partition-load.js';
import { LastWordHash, partitionOf } from '#src/generator/murmur2.js';
import { WEB_EVENT_SHARES } from '#src/generator/reading.js';
import { loadModel } from '#src/model/load.js';
import type { DeadLetterReason } from '#src/model/types.js';
import { ReferenceLane } from '#src/reference/lane.js';
import { batchedRecords, plainRecords, SPEC } from '../support/load-records.js';

const DIRTY: DirtShares = { disordered: 0.2, late: 0.03, duplicated: 0.02, malformed: 0.02, future: 0.01 };
const MINUTE_MS = 60_000;
/** Of the description of web_clicks, in percent. */
const NEWS_MIX = {
  article_view: 60,
  article_click: 15,
  video_play: 5,
  newsletter_signup: 2,
  subscription_prompt: 3,
  ad_click: 5,
  search: 5,
  navigation: 5,
};
const SPECS: [string, Partial<LoadSpec>][] = [
  ['journeys of clickstream', {}],
  ['journeys of web_clicks', { model: 'web_clicks' }],
  ['single events of clickstream', { sessions: 'one-event', awayMsMin: 0 }],
  ['single events of web_clicks', { model: 'web_clicks', sessions: 'one-event', awayMsMin: 0 }],
];

function sha256(
  records: ReadonlyMap<number, readonly { key: string; value: Buffer; timestampMs: number }[]>,
) {
  const hash = createHash('sha256');
  for (const [partition, own] of [...records].sort(([a], [b]) => a - b)) {
    hash.update(`${partition}`);
    for (const { key, value, timestampMs } of own) hash.update(key).update(value).update(`${timestampMs}`);
  }
  return hash.digest('hex');
}

describe('a load', () => {
  it.each(SPECS)('is the same as plain text and in compressed batches: %s', (_, more) => {
    const spec = { ...SPEC, ...more, dirt: DIRTY };
    const plain = plainRecords(spec).records;
    for (const recordsMax of [7, Number.POSITIVE_INFINITY]) {
      const batched = batchedRecords(spec, recordsMax);
      expect(sha256(batched.records)).toBe(sha256(plain));
      if (recordsMax > 7) {
        const bytes = [...plain.values()].flat().reduce((sum, { value }) => sum + value.length, 0);
        expect(bytes / batched.bytes).toBeGreaterThan(1.5);
      }
    }
  });

  it.each(SPECS)('has as many records as were asked for, each where its key belongs: %s', (_, more) => {
    const { records } = plainRecords({ ...SPEC, ...more, records: 4_003, dirt: DIRTY });
    expect([...records.values()].map(({ length }) => length)).toEqual([1_001, 1_001, 1_001, 1_000]);
    for (const [partition, own] of records) {
      expect(own.every(({ key }) => partitionOf(key, 4) === partition)).toBe(true);
    }
  });

  it.each(SPECS)('is decided by its seed, whoever makes which partition: %s', (_, more) => {
    const spec = { ...SPEC, ...more, dirt: DIRTY };
    const whole = sha256(plainRecords(spec).records);
    const halves = [0, 1].map((half) => plainRecords(spec, (partition) => partition % 2 === half).records);
    expect(sha256(new Map(halves.flatMap((half) => [...half])))).toBe(whole);
    expect(sha256(plainRecords({ ...spec, seed: 2 }).records)).not.toBe(whole);
  });

  it('of web_clicks has the event types in their shares', () => {
    const { records } = plainRecords({ ...SPEC, model: 'web_clicks', records: 20_000 });
    const types = new Map<string, number>();
    for (const { value } of [...records.values()].flat()) {
      const { event_type: type } = JSON.parse(value.toString()) as { event_type: string };
      if (type !== 'session_end') types.set(type, (types.get(type) ?? 0) + 1);
    }
    const all = [...types.values()].reduce((sum, count) => sum + count, 0);
    expect(WEB_EVENT_SHARES).toEqual(NEWS_MIX);
    for (const [type, percent] of Object.entries(NEWS_MIX)) {
      expect(Math.abs((100 * types.get(type)!) / all - percent), type).toBeLessThan(2);
    }
    expect(types.size).toBe(8);
  });

  it('of single events draws each value for itself, and no session twice', () => {
    const { records } = plainRecords({ ...SPEC, sessions: 'one-event', awayMsMin: 0 });
    const events = [...records.values()]
      .flat()
      .map(({ value }) => JSON.parse(value.toString()) as { event_type: string; session_id: string });
    expect(new Set(events.map(({ session_id: id }) => id)).size).toBe(events.length);
    for (const type of ['page_view', 'click', 'add_to_cart', 'purchase', 'search']) {
      const share = events.filter(({ event_type: own }) => own === type).length / events.length;
      expect(Math.abs(share - 0.2), type).toBeLessThan(0.03);
    }
  });

  it('of single events has the values of the description’s own load loop', () => {
    const { records } = plainRecords({ ...SPEC, sessions: 'one-event', awayMsMin: 0 });
    const values = (path: string) => {
      const of = ({ value }: { value: Buffer }) =>
        path
          .split('.')
          .reduce(
            (each, name) => (each as Record<string, unknown>)[name],
            JSON.parse(value.toString()) as unknown,
          );
      return [...new Set([...records.values()].flat().map(of))] as (string | number)[];
    };
    const known: Record<string, string[]> = {
      event_type: ['page_view', 'click', 'add_to_cart', 'purchase', 'search'],
      page_url: ['/', '/products', '/products/12345', '/cart', '/checkout', '/search'].concat([
        '/category/electronics',
        '/category/fashion',
      ]),
      referrer: ['https://google.com', 'https://facebook.com', 'https://twitter.com', 'direct'].concat([
        'https://instagram.com',
      ]),
      'geo.country': ['US', 'UK', 'CA', 'DE', 'FR', 'JP', 'AU', 'IN'],
      'device.type': ['desktop', 'mobile', 'tablet'],
      'device.os': ['iOS', 'Android', 'Windows', 'macOS', 'Linux'],
      'device.browser': ['Chrome', 'Safari', 'Firefox', 'Edge'],
    };
    for (const [path, all] of Object.entries(known)) expect(values(path).sort(), path).toEqual(all.sort());
    const shaped: Record<string, RegExp> = {
      user_id: /^user-\d+$/,
      user_agent: /^Mozilla\/5\.0 \((iOS|Android|Windows|macOS|Linux)\) (Chrome|Safari|Firefox|Edge)$/,
      ip_address: /^(\d{1,3}\.){3}\d{1,3}$/,
      'geo.city': /^City-\d{1,2}$/,
      'metadata.product_id': /^\d{1,4}$/,
      'metadata.category': /^category-1?\d$/,
    };
    for (const [path, shape] of Object.entries(shaped)) {
      expect(
        values(path).filter((each) => !shape.test(String(each))),
        path,
      ).toEqual([]);
    }
    for (const [path, most] of [
      ['geo.latitude', 90],
      ['geo.longitude', 180],
    ] as const) {
      const places = values(path) as number[];
      expect(Math.max(...places.map(Math.abs)), path).toBeLessThanOrEqual(most);
      expect(Math.max(...places) - Math.min(...places), path).toBeGreaterThan(1.9 * most);
    }
  });

  it.each(['clickstream', 'web_clicks'] as const)(
    'soils %s in set shares, as the engine finds it',
    (name) => {
      const spec = { ...SPEC, model: name, records: 20_000, dirt: DIRTY };
      const { records, loads } = plainRecords(spec);
      const counts = sumOf(loads.map((load) => load.counts));
      for (const kind of DIRT_KINDS) {
        expect(Math.abs(counts[kind] / spec.records - DIRTY[kind]), kind).toBeLessThan(0.006);
      }
      const letters = new Map<DeadLetterReason, number>();
      for (const own of records.values()) {
        const lane = new ReferenceLane(loadModel(name), {
          row: () => undefined,
          deadLetter: ({ reason }) => void letters.set(reason, (letters.get(reason) ?? 0) + 1),
        });
        for (const [offset, { key, value, timestampMs }] of own.entries()) {
          lane.accept({ offset: BigInt(offset), timestampMs, key: Buffer.from(key), value, tooLarge: false });
        }
      }
      const { late, malformed, future } = counts;
      expect(Object.fromEntries(letters)).toEqual({ late, malformed, future });
    },
  );

  it('without dirt has none', () => {
    const { loads } = plainRecords(SPEC);
    const counts = sumOf(loads.map((load) => load.counts));
    expect(counts).toEqual({
      records: SPEC.records,
      disordered: 0,
      late: 0,
      duplicated: 0,
      malformed: 0,
      future: 0,
    });
  });
});

describe('a plan', () => {
  const wish = { users: null, rate: 100, records: 6_000, speed: null, startMs: null, dirt: NO_DIRT } as const;
  const nowMs = Date.UTC(2026, 0, 31);

  it.each([
    ['journeys', 60_000],
    ['one-event', 10_000],
  ] as const)('of %s has its rate from the first minute on, in real time', (sessions, users) => {
    const seen = { model: 'clickstream', seed: 5, users, sessions, eventsPerSessionMean: 8 } as const;
    const plan = planLoad({ ...wish, sessions, users, speed: 1, records: 1e9 }, filmsFor(seen).films, nowMs);
    expect(plan).toMatchObject({ users, speed: 1, startMs: nowMs });
    const { partitions } = makeLoad({ ...SPEC, ...seen, ...plan, records: 1e9 }, () => true);
    for (const minute of [1, 2, 3]) {
      const before = sumOf(partitions.map(({ counts }) => counts)).records;
      for (const load of partitions) while (load.hasNext(nowMs + minute * MINUTE_MS)) load.take();
      const rate = (sumOf(partitions.map(({ counts }) => counts)).records - before) / 60;
      expect(rate, `minute ${minute}`).toBeGreaterThan(80);
      expect(rate, `minute ${minute}`).toBeLessThan(120);
    }
  });

  it('lets event time pass faster where the users are too few, and ends now', () => {
    const { films } = filmsFor({ ...SPEC });
    const plan = planLoad({ ...wish, sessions: 'journeys', rate: 10_000, records: 600_000 }, films, nowMs);
    expect(plan.users).toBe(10_000);
    expect(plan.speed).toBeGreaterThan(100);
    expect(nowMs - plan.startMs).toBeCloseTo(60_000 * plan.speed!, -1);
  });

  it('refuses users that can’t make the rate in the time they have, and says how many could', () => {
    const { films } = filmsFor({ ...SPEC });
    const asked = () => planLoad({ ...wish, sessions: 'journeys', users: 1_000, speed: 1 }, films, nowMs);
    expect(asked).toThrow(/1,000 users make \S+ events a second at speed 1 at most, not 100/);
  });

  it('has shares for all of the dirt', () => {
    expect(EXTRA_KINDS.every((kind) => DIRT_KINDS.includes(kind))).toBe(true);
  });
});

describe('a hash of the last word', () => {
  it('is the whole one', () => {
    for (let last = 0; last < 500; last++) {
      const key = `0f8fad5b-d9cb-469f-a165-708677${String(last).padStart(6, '0')}`;
      const bytes = Buffer.from(key);
      const hash = new LastWordHash(Buffer.from(`${key.slice(0, 32)}zzzz`));
      expect(hash.partition(bytes, 20)).toBe(partitionOf(key, 20));
    }
  });
});
