import type { CompiledModel, Row, RowValue } from '#src/model/types.js';
import type { Random } from '#src/random.js';

/** Sessions of the model web_clicks as rows, few enough different values that views have groups of several. */

export interface Visit {
  id: string;
  startMs: number;
  userId: number;
  brand: string | null;
  country: string | null;
  tier: string;
  pages: readonly { type: string; url: string }[];
  seconds: number;
  events: number;
}

const DAY_MS = 86_400_000;
const FIRST_DAY_MS = Date.UTC(2026, 0, 30);
/** Over the end of a month, so that there are two partitions. */
const DAYS = 4;

export function newVisit(random: Random, serial: number): Visit {
  const startMs = FIRST_DAY_MS + random.below(DAYS) * DAY_MS + random.below(DAY_MS);
  return { id: `s${serial}`, startMs, userId: 1 + random.below(6), ...contents(random) };
}

/** The same session as a later event makes it: everything may be another, brand and first page included, but who and when it is. */
export function revised(visit: Visit, random: Random): Visit {
  return { ...visit, userId: 1 + random.below(6), ...contents(random) };
}

function contents(random: Random): Omit<Visit, 'id' | 'startMs' | 'userId'> {
  const one = <T>(values: readonly T[]): T => values[random.below(values.length)]!;
  const pages = Array.from({ length: random.below(5) }, () => ({
    type: one(['article_view', 'article_click', 'ad_click', 'navigation']),
    url: one(['/a', '/b', '/c']),
  }));
  return {
    brand: one(['bild', 'welt', 'upday', null]),
    country: one(['DE', 'AT', null]),
    tier: one(['free', 'premium']),
    pages,
    seconds: random.below(500),
    events: Math.max(1, pages.length + random.below(3)),
  };
}

export function rowOf(model: CompiledModel, visit: Visit, revision: number, sign: 1 | -1): Row {
  const count = (type: string) => visit.pages.filter((page) => page.type === type).length;
  const known: Record<string, RowValue> = {
    session_id: visit.id,
    user_id: visit.userId,
    brand: visit.brand,
    country: visit.country,
    device_type: 'mobile',
    subscription_tier: visit.tier,
    session_start: visit.startMs,
    session_end: visit.startMs + visit.seconds * 1_000,
    session_duration_sec: visit.seconds,
    total_events: visit.events,
    article_views: count('article_view'),
    article_clicks: count('article_click'),
    ad_clicks: count('ad_click'),
    pages_visited_count: visit.pages.length,
    unique_pages_count: new Set(visit.pages.map(({ url }) => url)).size,
    page_events: JSON.stringify(visit.pages.map((page, i) => ({ t: visit.startMs + i, ...page }))),
    closed_by: 'gap',
    revision,
    sign,
  };
  return model.columns.map((column): RowValue => {
    const value = known[column.name];
    if (value !== undefined) return value;
    if (column.nullable) return null;
    if (column.type === 'string') return '[]';
    return column.type === 'uint64' || column.type === 'int64' ? 0n : 0;
  });
}

/** UTC date of a session's start. */
export function dayOf({ startMs }: Visit): string {
  return new Date(startMs).toISOString().slice(0, 10);
}
