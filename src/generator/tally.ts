/** Counts by event type. */
export type TypeCounts<Type extends string> = Record<Type, number>;

/** What the generator knows about one session of its making; only events already emitted are counted. */
export interface SessionFacts<Type extends string> {
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
  byType: TypeCounts<Type>;
  /** The same in all events of the session; null when they have none. */
  country: string | null;
}

type Counts<Key> = ReadonlyMap<Key, number>;

/** Sums over all events emitted so far; sessions still open are in them as they stand. */
export interface Expected<Type extends string> {
  /** Those that count in a session; an event that only ends one is not among them. */
  events: number;
  endEvents: number;
  sessions: number;
  byType: TypeCounts<Type>;
  /** Sessions that have an event of the type. */
  sessionsWithType: TypeCounts<Type>;
  /** Sessions by country; null: sessions without one. */
  sessionsByCountry: Counts<string | null>;
  eventsByCountry: Counts<string | null>;
  /** Sessions of one event. */
  bouncesByCountry: Counts<string | null>;
  /** Events by page_url; null: events without one. */
  eventsByPage: Counts<string | null>;
  /** Sessions by the hour in which they start, ms since 1970. */
  sessionsByHour: Counts<number>;
}

const HOUR_MS = 3_600_000;

/** A session of which nothing has been emitted. */
export function freshFacts<Type extends string>(
  types: readonly Type[],
  who: Pick<SessionFacts<Type>, 'userId' | 'sourceSessionId' | 'partition' | 'country'>,
): SessionFacts<Type> {
  return {
    ...who,
    startMs: Number.POSITIVE_INFINITY,
    endMs: Number.NEGATIVE_INFINITY,
    events: 0,
    pages: 0,
    byType: noTypes(types),
  };
}

/** Adds emitted events up, to their session and to the sums. Its size is that of the site, not of the stream. */
export class Tally<Type extends string, Facts extends SessionFacts<Type>> {
  #events = 0;
  #endEvents = 0;
  #sessions = 0;
  readonly #byType: TypeCounts<Type>;
  readonly #sessionsWithType: TypeCounts<Type>;
  readonly #sessionsByCountry = new Map<string | null, number>();
  readonly #eventsByCountry = new Map<string | null, number>();
  readonly #bouncesByCountry = new Map<string | null, number>();
  readonly #eventsByPage = new Map<string | null, number>();
  readonly #sessionsByHour = new Map<number, number>();

  constructor(types: readonly Type[]) {
    this.#byType = noTypes(types);
    this.#sessionsWithType = noTypes(types);
  }

  add(session: Facts, timeMs: number, type: Type, page: string | null): void {
    this.#placeInTime(session, timeMs);
    if (session.events === 0) {
      this.#sessions++;
      count(this.#sessionsByCountry, session.country);
    }
    if (session.events < 2) count(this.#bouncesByCountry, session.country, session.events === 0 ? 1 : -1);
    if (session.byType[type] === 0) this.#sessionsWithType[type]++;
    session.events++;
    session.byType[type]++;
    if (page !== null) session.pages++;
    this.#events++;
    this.#byType[type]++;
    count(this.#eventsByCountry, session.country);
    count(this.#eventsByPage, page);
  }

  /** An event that only says that its session is over. */
  addEnd(): void {
    this.#endEvents++;
  }

  expected(): Expected<Type> {
    return {
      events: this.#events,
      endEvents: this.#endEvents,
      sessions: this.#sessions,
      byType: { ...this.#byType },
      sessionsWithType: { ...this.#sessionsWithType },
      sessionsByCountry: new Map(this.#sessionsByCountry),
      eventsByCountry: new Map(this.#eventsByCountry),
      bouncesByCountry: new Map(this.#bouncesByCountry),
      eventsByPage: new Map(this.#eventsByPage),
      sessionsByHour: new Map(this.#sessionsByHour),
    };
  }

  /** An event that comes out of order may put the start into the hour before. */
  #placeInTime(session: Facts, timeMs: number): void {
    if (timeMs < session.startMs) {
      const hourMs = hourOf(timeMs);
      const hourBeforeMs = hourOf(session.startMs);
      if (hourMs !== hourBeforeMs) {
        count(this.#sessionsByHour, hourMs);
        if (session.events > 0) count(this.#sessionsByHour, hourBeforeMs, -1);
      }
      session.startMs = timeMs;
    }
    session.endMs = Math.max(session.endMs, timeMs);
  }
}

function noTypes<Type extends string>(types: readonly Type[]): TypeCounts<Type> {
  return Object.fromEntries(types.map((type) => [type, 0])) as TypeCounts<Type>;
}

function hourOf(timeMs: number): number {
  return Math.floor(timeMs / HOUR_MS) * HOUR_MS;
}

/** A key whose count is 0 is not there. */
export function count<Key>(counts: Map<Key, number>, key: Key, by = 1): void {
  const now = (counts.get(key) ?? 0) + by;
  if (now === 0) counts.delete(key);
  else counts.set(key, now);
}
