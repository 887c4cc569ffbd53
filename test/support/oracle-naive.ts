import { instantOf, type OracleSession, type RawRecord } from './oracle.js';

/**
 * The same sessions in the plainest JavaScript, for a few thousand events: what the SQL of the oracle is checked against.
 */

interface NaiveEvent {
  atMs: number;
  offset: number;
  // biome-ignore lint/suspicious/noExplicitAny: an event is whatever JSON says
  json: any;
}

const GAP_MS = 30 * 60 * 1000;

export function sessionsNaively(records: readonly RawRecord[]): OracleSession[] {
  const byUser = new Map<string, { partition: number; events: NaiveEvent[] }>();
  for (const record of records) {
    const json = JSON.parse(Buffer.from(record.value).toString());
    const event = { atMs: instantOf(json.timestamp), offset: record.offset, json };
    const key = `${record.partition} ${json.user_id}`;
    const user = byUser.get(key);
    if (user === undefined) byUser.set(key, { partition: record.partition, events: [event] });
    else user.events.push(event);
  }
  return [...byUser.values()].flatMap(({ partition, events }) =>
    cutAtGaps(events).map((session) => rowOf(partition, session)),
  );
}

function cutAtGaps(events: NaiveEvent[]): NaiveEvent[][] {
  const ordered = events.toSorted((a, b) => a.atMs - b.atMs || a.offset - b.offset);
  const sessions: NaiveEvent[][] = [];
  for (const event of ordered) {
    const current = sessions.at(-1);
    if (current === undefined || event.atMs - current.at(-1)!.atMs > GAP_MS) sessions.push([event]);
    else current.push(event);
  }
  return sessions;
}

function rowOf(partition: number, events: NaiveEvent[]): OracleSession {
  const start = events[0]!.atMs;
  const end = events.at(-1)!.atMs;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  const values = (get: (json: any) => unknown) =>
    events.map((event) => get(event.json) ?? null).filter((value) => value !== null) as never[];
  // biome-ignore lint/suspicious/noExplicitAny: as above
  const first = (get: (json: any) => unknown) => values(get)[0] ?? null;
  const count = (type: string) => events.filter((event) => event.json.event_type === type).length;
  const urls = values((e) => e.page_url);
  const userId = events[0]!.json.user_id;
  return {
    partition,
    session_id: `${userId}:${start}`,
    user_id: userId,
    session_start: start,
    session_end: end,
    session_duration_sec: Math.floor((end - start) / 1000),
    total_events: events.length,
    page_views: count('page_view'),
    clicks: count('click'),
    add_to_carts: count('add_to_cart'),
    purchases: count('purchase'),
    searches: count('search'),
    entry_page: urls[0] ?? null,
    exit_page: urls.at(-1) ?? null,
    unique_pages: new Set(urls).size,
    pages: urls.slice(0, 256),
    referrer: first((e) => e.referrer),
    user_agent: first((e) => e.user_agent),
    ip_address: first((e) => e.ip_address),
    country: first((e) => e.geo?.country),
    city: first((e) => e.geo?.city),
    latitude: first((e) => e.geo?.latitude),
    longitude: first((e) => e.geo?.longitude),
    device_type: first((e) => e.device?.type),
    os: first((e) => e.device?.os),
    browser: first((e) => e.device?.browser),
    source_session_ids: new Set(values((e) => e.session_id)).size,
    product_ids: [...new Set(values((e) => e.metadata?.product_id))].slice(0, 64),
    categories: [...new Set(values((e) => e.metadata?.category))].slice(0, 64),
    session_date: new Date(start).toISOString().slice(0, 10),
  };
}
