/**
 * Two models of the lane that are nothing but the definitions, for tests.
 *
 * `naiveSessions`: sort everything, cut it by the rules. `DefinitionLane`: does that again from scratch at each event, with
 * what is closed, late, revised and forgotten read straight from the rules. Times are plain numbers.
 */
export interface NaiveEvent {
  user: string;
  at: number;
  offset: number;
  end: boolean;
  /** Begins a session. */
  start?: boolean;
  /** Another one than the session's last begins a session; null: says nothing. */
  tag?: string | null;
  /** How long it holds its session open; without it the rules' gap. */
  hold?: number | undefined;
}

export interface NaiveSession {
  user: string;
  events: NaiveEvent[];
  /** When an end event ends it, if one does. */
  endedAt: number | null;
  /** When a start event or another tag cuts it off. */
  splitAt: number | null;
  /** Why it does not belong to the one before. */
  cut: Cut;
}

type Cut = 'none' | 'end' | 'day' | 'split' | 'max';

export interface NaiveRules {
  /** Of events that say none of their own. */
  gap: number;
  max: number;
  /** End events belong to the session that they end. */
  counted: boolean;
  /** When each day ends, ascending. */
  midnights: readonly number[];
}

export function naiveSessions(events: readonly NaiveEvent[], rules: NaiveRules): NaiveSession[] {
  const users = [...new Set(events.map(({ user }) => user))].sort();
  return users.flatMap((user) => {
    const own = events.filter((event) => event.user === user).sort((a, b) => a.offset - b.offset);
    const isMarker = (event: NaiveEvent) => event.end && !rules.counted;
    const markers = own.filter(isMarker).map(({ at }) => at);
    return sessionsOfOne(
      user,
      own.filter((event) => !isMarker(event)),
      markers.sort((a, b) => a - b),
      rules,
    );
  });
}

function sessionsOfOne(
  user: string,
  events: readonly NaiveEvent[],
  markers: readonly number[],
  rules: NaiveRules,
): NaiveSession[] {
  const sessions: NaiveSession[] = [];
  for (const at of [...new Set(events.map((event) => event.at))].sort((a, b) => a - b)) {
    const moment = events.filter((event) => event.at === at);
    const current = sessions.at(-1);
    const cut = current === undefined ? 'none' : cutOf(current.events, moment, markers, rules);
    if (current !== undefined && cut === null) current.events.push(...moment);
    else sessions.push({ user, events: moment, endedAt: null, splitAt: null, cut: cut ?? 'none' });
  }
  for (const [index, session] of sessions.entries()) {
    const next = sessions[index + 1];
    const begin = next === undefined ? Number.POSITIVE_INFINITY : next.events[0]!.at;
    const last = lastOf(session);
    const isCounted = rules.counted && session.events.some((event) => event.at === last && event.end);
    const before = Math.min(limitOf(session, rules) + 1, begin);
    session.endedAt = isCounted
      ? last
      : (markers.find((marker) => marker >= last && marker < before) ?? null);
    if (next?.cut === 'split') session.splitAt = begin;
  }
  return sessions;
}

/** Null: the moment belongs to the events before. */
function cutOf(
  before: readonly NaiveEvent[],
  moment: readonly NaiveEvent[],
  markers: readonly number[],
  rules: NaiveRules,
): Cut | null {
  const [first, last, at] = [before[0]!.at, before.at(-1)!.at, moment[0]!.at];
  if (at > heldUntil(before, rules)) return 'none';
  if (markers.some((marker) => marker >= last && marker < at)) return 'end';
  if (rules.counted && before.some((event) => event.end)) return 'end';
  if (rules.midnights.some((midnight) => first < midnight && midnight <= at)) return 'day';
  const said = (list: readonly NaiveEvent[]) =>
    list.map(({ tag }) => tag ?? null).filter((tag) => tag !== null);
  const [was, is] = [said(before).at(-1), said(moment)[0]];
  const isOther = was !== undefined && is !== undefined && was !== is;
  if (isOther || moment.some((event) => event.start)) return 'split';
  return at - first > rules.max ? 'max' : null;
}

/** Events hold their session open until then. */
function heldUntil(events: readonly NaiveEvent[], { gap }: NaiveRules): number {
  return Math.max(...events.map((event) => event.at + (event.hold ?? gap)));
}

function lastOf(session: NaiveSession): number {
  return session.events.at(-1)!.at;
}

/** The last time at which an event could belong to it by gap, length and day. */
function limitOf({ events }: NaiveSession, rules: NaiveRules): number {
  const first = events[0]!.at;
  const midnight = rules.midnights.find((each) => each > first) ?? Number.POSITIVE_INFINITY;
  return Math.min(heldUntil(events, rules), first + rules.max, midnight - 1);
}

/** Nothing that is in time belongs to it when the watermark is greater than this. */
function closesAfter(session: NaiveSession, rules: NaiveRules): number {
  return Math.min(limitOf(session, rules), session.endedAt ?? Infinity, (session.splitAt ?? Infinity) - 1);
}

export function closedBy(session: NaiveSession, rules: NaiveRules): string {
  const at = closesAfter(session, rules);
  if (session.endedAt === at) return 'end_event';
  if (heldUntil(session.events, rules) === at) return 'gap';
  return session.events[0]!.at + rules.max === at ? 'max_duration' : 'split';
}

/** A row in words. */
export function rowOf(sign: '+' | '-', session: NaiveSession, by: string): string {
  const { user, events } = session;
  return `${sign} ${user} ${events[0]!.at}..${events.at(-1)!.at} ${events.length} ${by}`;
}

export class DefinitionLane {
  /** All rows so far. */
  readonly rows: string[] = [];
  readonly late: NaiveEvent[] = [];
  readonly #rules: NaiveRules & { disorder: number; lateness: number };
  #known: NaiveEvent[] = [];
  /** Rows that stand, by the event that their session is known by. */
  #standing: { known: NaiveEvent; row: string }[] = [];
  /** Sessions that are closed and have their row, as they were then. */
  #closed = new Set<string>();
  #watermark = Number.NEGATIVE_INFINITY;

  constructor(rules: NaiveRules & { disorder: number; lateness: number }) {
    this.#rules = rules;
  }

  accept(event: NaiveEvent): void {
    if (this.#isLate(event)) {
      this.late.push(event);
      return;
    }
    this.#known.push(event);
    this.#watermark = Math.max(this.#watermark, event.at - this.#rules.disorder);
    this.#close();
    this.#forget();
  }

  #isLate(event: NaiveEvent): boolean {
    const now = naiveSessions(this.#known, this.#rules);
    const wouldBe = naiveSessions([...this.#known, event], this.#rules);
    const isEnd = event.end && !this.#rules.counted;
    const others = wouldBe.filter(({ user }) => user === event.user);
    for (const session of now.filter(({ user }) => user === event.user)) {
      const [first, last] = [session.events[0]!, lastOf(session)];
      const torn = others.filter(({ events: [begin] }) => begin!.at > first.at && begin!.at <= last);
      const isClosed = this.#closed.has(contentOf(session));
      const isTooLong = torn.some(({ cut }) => cut === 'max') && event.at < this.#watermark;
      if ((torn.length > 0 && isClosed) || isTooLong) return true;
      const after = others.find(({ events }) => events.includes(first))!;
      if (isEnd && isClosed && after.endedAt !== session.endedAt) return true;
    }
    if (isEnd && others.some(({ endedAt }) => endedAt === event.at)) return false;
    const own = others.find((session) => session.events.includes(event));
    return this.#isOver(own === undefined ? [event] : own.events);
  }

  #isOver(events: readonly NaiveEvent[]): boolean {
    return heldUntil(events, this.#rules) + this.#rules.lateness < this.#watermark;
  }

  /** −old for each row that stands, +new. */
  #close(): void {
    for (const session of naiveSessions(this.#known, this.#rules)) {
      const content = contentOf(session);
      if (closesAfter(session, this.#rules) >= this.#watermark || this.#closed.has(content)) continue;
      this.#closed.add(content);
      const old = this.#standing.filter(({ known }) => session.events.includes(known));
      const row = rowOf('+', session, closedBy(session, this.#rules));
      this.rows.push(...old.map((standing) => standing.row.replace('+', '-')), row);
      const [oldest] = old.toSorted((a, b) => a.known.at - b.known.at);
      this.#standing = this.#standing.filter((standing) => !old.includes(standing));
      this.#standing.push({ known: oldest?.known ?? session.events[0]!, row });
    }
  }

  #forget(): void {
    const sessions = naiveSessions(this.#known, this.#rules);
    // none is forgotten before one that it follows
    const kept = sessions.filter(({ user, events: [first] }) =>
      sessions.some(
        (each) => each.user === user && each.events[0]!.at <= first!.at && !this.#isOver(each.events),
      ),
    );
    const events = new Set(kept.flatMap((session) => session.events));
    this.#known = this.#known.filter((event) => {
      if (!event.end || this.#rules.counted) return events.has(event);
      return (
        event.at >= this.#watermark ||
        kept.some((session) => session.user === event.user && session.endedAt === event.at)
      );
    });
  }
}

function contentOf({ user, events }: NaiveSession): string {
  return `${user}/${events.map(({ offset }) => offset).join()}`;
}
