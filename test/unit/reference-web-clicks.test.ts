import { describe, expect, it } from 'vitest';
import { loadModel } from '#src/model/load.js';
import type { DeadLetter, Row } from '#src/model/types.js';
import { ReferenceLane } from '#src/reference/lane.js';
import { nameRow } from '../support/reference-lane.js';

/** Sessions of the shipped model web_clicks, by hand. */

const MODEL = loadModel('web_clicks');
const START_MS = Date.UTC(2026, 0, 1, 12);

type Event = Record<string, unknown> & { at?: number };

/** `at`: seconds after START_MS, one after the other where it is left out. */
function run(...events: Event[]) {
  const rows: Row[] = [];
  const letters: DeadLetter[] = [];
  let clamped = 0;
  const lane = new ReferenceLane(MODEL, {
    row: (row) => rows.push(row),
    deadLetter: (letter) => letters.push(letter),
  });
  const send = (offset: number, event: object) => {
    const value = Buffer.from(JSON.stringify(event));
    lane.accept({ offset: BigInt(offset), timestampMs: -1, key: null, value, tooLarge: false });
  };
  events.forEach(({ at, ...event }, offset) => {
    const timestamp = new Date(START_MS + (at ?? offset) * 1_000).toISOString();
    send(offset, { timestamp, session_id: 's1', user_id: 7, ...event });
  });
  send(events.length, { timestamp: '2026-02-01T00:00:00Z', session_id: 'z', user_id: 0, event_type: 'x' });
  clamped = lane.clamped;
  return { rows: rows.map((row) => nameRow(MODEL, row)), letters, clamped };
}

describe('a session of web_clicks', () => {
  it('has every column of its table', () => {
    const { rows, letters } = run(
      {
        event_type: 'article_view',
        brand: 'Morgenpost',
        country: 'DE',
        device_type: 'mobile',
        device_os: 'iOS',
        browser: null,
        subscription_tier: 'free',
        page_url: 'https://a.example/1',
        category: 'politics',
        article_id: 'a1',
        article_title: 'One',
      },
      { event_type: 'navigation', page_url: 'https://a.example/', browser: 'Safari', city: 'Köln' },
      { event_type: 'subscription_prompt', brand: 'another', user_segment: 'new' },
      { event_type: 'article_click', page_url: 'https://a.example/2', category: 'sport', article_id: 'a2' },
      { event_type: 'article_view', page_url: 'https://a.example/1', category: 'politics', article_id: 'a1' },
      { event_type: 'video_play', article_id: 'v9', article_title: 'not an article' },
      { event_type: 'newsletter_signup' },
      { event_type: 'ad_click' },
      { event_type: 'search', category: '' },
    );
    expect(letters).toEqual([]);
    const at = (second: number) => START_MS + second * 1_000;
    expect(rows).toEqual([
      {
        session_id: 's1',
        user_id: 7,
        brand: 'Morgenpost',
        country: 'DE',
        city: 'Köln',
        device_type: 'mobile',
        device_os: 'iOS',
        browser: 'Safari',
        subscription_tier: 'free',
        user_segment: 'new',
        session_start: at(0),
        session_end: at(8),
        session_duration_sec: 8,
        total_events: 9,
        article_views: 2,
        article_clicks: 1,
        video_plays: 1,
        newsletter_signups: 1,
        ad_clicks: 1,
        searches: 1,
        pages_visited_count: 4,
        unique_pages_count: 3,
        unique_categories_count: 3,
        categories_visited: '["politics","sport",""]',
        article_ids_visited: '["a1","a2"]',
        article_titles_visited: '["One",null]',
        page_events:
          `[{"t":${at(0)},"type":"article_view","url":"https://a.example/1"},` +
          `{"t":${at(1)},"type":"navigation","url":"https://a.example/"},` +
          `{"t":${at(3)},"type":"article_click","url":"https://a.example/2"},` +
          `{"t":${at(4)},"type":"article_view","url":"https://a.example/1"}]`,
        created_at: null,
        batch_id: null,
        file_id: null,
        closed_by: 'gap',
        revision: 0,
        sign: 1,
      },
    ]);
  });

  it('ends at a session_end, which is not counted; what follows under the same id is another', () => {
    const { rows } = run(
      { event_type: 'search', page_url: 'x' },
      { event_type: 'session_end', page_url: 'never seen', category: 'nor this' },
      { event_type: 'ad_click' },
    );
    expect(rows).toMatchObject([
      {
        session_id: 's1',
        session_start: START_MS,
        session_end: START_MS,
        total_events: 1,
        pages_visited_count: 1,
        categories_visited: '[]',
        closed_by: 'end_event',
      },
      { session_id: 's1', session_start: START_MS + 2_000, total_events: 1, ad_clicks: 1, closed_by: 'gap' },
    ]);
  });

  it('belongs to the first user that its events name', () => {
    const { rows } = run(
      { at: 1, event_type: 'search', user_id: 2 },
      { at: 0, event_type: 'search', user_id: 4_294_967_295 },
    );
    expect(rows).toMatchObject([{ user_id: 4_294_967_295, searches: 2 }]);
  });

  it('clamps its counts at 65,535 and says how many it clamped', () => {
    const events = Array.from({ length: 65_536 }, (_, i) => ({
      at: Math.floor(i / 100),
      event_type: 'article_view',
      page_url: `p${i}`,
      article_id: `a${i}`,
      category: 'c',
    }));
    const { rows, clamped } = run(...events);
    expect(clamped).toBe(4);
    expect(rows).toMatchObject([
      {
        total_events: 65_535,
        article_views: 65_535,
        pages_visited_count: 65_535,
        unique_pages_count: 65_535,
        unique_categories_count: 1,
        categories_visited: '["c"]',
      },
    ]);
    const { article_ids_visited: ids, article_titles_visited: titles, page_events: steps } = rows[0]!;
    expect(JSON.parse(ids as string)).toEqual(events.slice(0, 1_000).map(({ article_id }) => article_id));
    expect(JSON.parse(titles as string)).toEqual(Array(1_000).fill(null));
    expect(JSON.parse(steps as string)).toHaveLength(1_000);
  });

  it.each([
    ['text', 'seven', 'wrong_type'],
    ['a fraction', 7.5, 'wrong_type'],
    ['less than nothing', -1, 'wrong_type'],
    ['more than 32 bits', 4_294_967_296, 'wrong_type'],
    ['nothing', null, 'missing_field'],
  ])('has no event whose user_id is %s: that is a dead letter', (_name, user_id, reason) => {
    const { rows, letters } = run({ event_type: 'search', user_id });
    expect(rows).toEqual([]);
    expect(letters).toMatchObject([{ reason, offset: 0n }]);
  });
});
