import { instantOf, type RawRecord } from './oracle.js';
import type { WebClickSession } from './oracle-web-clicks.js';

/** Sessions of web_clicks in the plainest JavaScript, for a few thousand events: what the SQL is checked against. */

interface NaiveEvent {
  atMs: number;
  offset: number;
  // biome-ignore lint/suspicious/noExplicitAny: an event is whatever JSON says
  json: any;
}

const GAP_MS = 30 * 60 * 1000;

export function webClickSessionsNaively(records: readonly RawRecord[]): WebClickSession[] {
  const byKey = new Map<string, { partition: number; events: NaiveEvent[] }>();
  for (const record of records) {
    const json = JSON.parse(Buffer.from(record.value).toString());
    const event = { atMs: instantOf(json.timestamp), offset: record.offset, json };
    const key = `${record.partition} ${json.session_id}`;
    const visitor = byKey.get(key);
    if (visitor === undefined) byKey.set(key, { partition: record.partition, events: [event] });
    else visitor.events.push(event);
  }
  return [...byKey.values()].flatMap(({ partition, events }) =>
    sessionsOf(events).map((session) => rowOf(partition, session)),
  );
}

const isEnd = ({ json }: NaiveEvent) => json.event_type === 'session_end';

/** Of one key. Two events are of one session when no further apart than the gap, without an end from the one to the other. */
function sessionsOf(events: NaiveEvent[]): NaiveEvent[][] {
  const ends = events.filter(isEnd).map(({ atMs }) => atMs);
  const counted = events
    .filter((event) => !isEnd(event))
    .toSorted((a, b) => a.atMs - b.atMs || a.offset - b.offset);
  const sessions: NaiveEvent[][] = [];
  for (const event of counted) {
    const last = sessions.at(-1)?.at(-1);
    const together =
      last !== undefined &&
      event.atMs - last.atMs <= GAP_MS &&
      !ends.some((endMs) => last.atMs <= endMs && endMs < event.atMs);
    if (together) sessions.at(-1)!.push(event);
    else sessions.push([event]);
  }
  return sessions;
}

function rowOf(partition: number, events: NaiveEvent[]): WebClickSession {
  const start = events[0]!.atMs;
  const end = events.at(-1)!.atMs;
  const values = (name: string) =>
    events.map(({ json }) => json[name] ?? null).filter((value) => value !== null);
  const first = (name: string) => values(name)[0] ?? null;
  const count = (type: string) => events.filter(({ json }) => json.event_type === type).length;
  const list = (items: unknown[]) => JSON.stringify(items.slice(0, 1000));
  const articles = new Map<string, string | null>();
  for (const { json } of events) {
    const reads = json.event_type === 'article_view' || json.event_type === 'article_click';
    const id = json.article_id ?? null;
    if (reads && id !== null && !articles.has(id)) articles.set(id, json.article_title ?? null);
  }
  return {
    partition,
    session_id: events[0]!.json.session_id,
    user_id: first('user_id'),
    brand: first('brand'),
    country: first('country'),
    city: first('city'),
    device_type: first('device_type'),
    device_os: first('device_os'),
    browser: first('browser'),
    subscription_tier: first('subscription_tier'),
    user_segment: first('user_segment'),
    session_start: start,
    session_end: end,
    session_duration_sec: Math.floor((end - start) / 1000),
    total_events: events.length,
    article_views: count('article_view'),
    article_clicks: count('article_click'),
    video_plays: count('video_play'),
    newsletter_signups: count('newsletter_signup'),
    ad_clicks: count('ad_click'),
    searches: count('search'),
    pages_visited_count: values('page_url').length,
    unique_pages_count: new Set(values('page_url')).size,
    unique_categories_count: new Set(values('category')).size,
    categories_visited: list([...new Set(values('category'))]),
    article_ids_visited: list([...articles.keys()]),
    article_titles_visited: list([...articles.values()]),
    page_events: list(
      events
        .filter(({ json }) => (json.page_url ?? null) !== null)
        .map(({ atMs, json }) => ({ t: atMs, type: json.event_type, url: json.page_url })),
    ),
    session_date: new Date(start).toISOString().slice(0, 10),
  };
}
