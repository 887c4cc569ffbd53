import type { EventType } from './journey.js';

/** Counts by event type. */
export type TypeCounts = Record<EventType, number>;

/** What the generator knows about one session of its making; only events already emitted are counted. */
export interface SessionFacts {
  userId: string;
  /** The events' own session_id, one UUID a session. */
  sourceSessionId: string;
  partition: number;
  /** Times of the earliest and latest event, ms since 1970. */
  startMs: number;
  endMs: number;
  events: number;
  /** Events with a page_url that is not null. */
  pages: number;
  byType: TypeCounts;
  /** geo.country, the same in all events of the session; null when they have none. */
  country: string | null;
}

/** Sums over all events emitted so far; sessions still open are in them as they stand. */
export interface Expected {
  events: number;
  sessions: number;
  byType: TypeCounts;
  /** Sessions by country; null: sessions without one. */
  sessionsByCountry: ReadonlyMap<string | null, number>;
  eventsByCountry: ReadonlyMap<string | null, number>;
  /** Events by page_url; null: events without one. */
  eventsByPage: ReadonlyMap<string | null, number>;
}

export function noTypes(): TypeCounts {
  return { page_view: 0, click: 0, add_to_cart: 0, purchase: 0, search: 0 };
}

/** Adds emitted events up, to their session and to the sums. Its size is that of the shop, not of the stream. */
export class Tally {
  #events = 0;
  #sessions = 0;
  readonly #byType = noTypes();
  readonly #sessionsByCountry = new Map<string | null, number>();
  readonly #eventsByCountry = new Map<string | null, number>();
  readonly #eventsByPage = new Map<string | null, number>();

  add(session: SessionFacts, timeMs: number, type: EventType, page: string | null): void {
    if (session.events === 0) {
      this.#sessions++;
      increment(this.#sessionsByCountry, session.country);
    }
    session.events++;
    session.startMs = Math.min(session.startMs, timeMs);
    session.endMs = Math.max(session.endMs, timeMs);
    session.byType[type]++;
    if (page !== null) session.pages++;
    this.#events++;
    this.#byType[type]++;
    increment(this.#eventsByCountry, session.country);
    increment(this.#eventsByPage, page);
  }

  expected(): Expected {
    return {
      events: this.#events,
      sessions: this.#sessions,
      byType: { ...this.#byType },
      sessionsByCountry: new Map(this.#sessionsByCountry),
      eventsByCountry: new Map(this.#eventsByCountry),
      eventsByPage: new Map(this.#eventsByPage),
    };
  }
}

function increment(counts: Map<string | null, number>, key: string | null): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
