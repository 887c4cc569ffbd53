/**
 * Two models of the lane that are nothing but the definitions, for tests.
 *
 * `naiveSessions`: sort everything, cut by gap and end event. `DefinitionLane`: does that again from scratch at each event,
 * with what is closed, late and forgotten read straight from the rules. Times are plain numbers.
 */
export interface NaiveEvent {
  user: string;
  at: number;
  offset: number;
  end: boolean;
}

export interface NaiveSession {
  user: string;
  events: NaiveEvent[];
  /** The end event's time, if one ended it. */
  endedAt: number | null;
}

/** Ended by the first end event at or after its last event, at most a gap behind it. */
export function naiveSessions(events: readonly NaiveEvent[], gap: number): NaiveSession[] {
  const sorted = [...events].sort(
    (a, b) => order(a.user, b.user) || a.at - b.at || Number(a.end) - Number(b.end) || a.offset - b.offset,
  );
  const sessions: NaiveSession[] = [];
  for (const event of sorted) {
    const last = sessions.at(-1);
    const follows =
      last?.user === event.user && last.endedAt === null && event.at - last.events.at(-1)!.at <= gap;
    if (event.end && follows) last.endedAt = event.at;
    else if (!event.end && follows) last.events.push(event);
    else if (!event.end) sessions.push({ user: event.user, events: [event], endedAt: null });
  }
  return sessions;
}

export class DefinitionLane {
  readonly closed: NaiveSession[] = [];
  readonly late: NaiveEvent[] = [];
  readonly #gap: number;
  readonly #disorder: number;
  readonly #lateness: number;
  #known: NaiveEvent[] = [];
  #closedKeys = new Set<string>();
  #watermark = Number.NEGATIVE_INFINITY;

  constructor(options: { gap: number; disorder: number; lateness: number }) {
    this.#gap = options.gap;
    this.#disorder = options.disorder;
    this.#lateness = options.lateness;
  }

  accept(event: NaiveEvent): void {
    if (this.#isLate(event)) {
      this.late.push(event);
      return;
    }
    this.#known.push(event);
    this.#watermark = Math.max(this.#watermark, event.at - this.#disorder);
    this.#closeAndForget();
  }

  /** Would a closed session be another, or is what the event would belong to long over? */
  #isLate(event: NaiveEvent): boolean {
    const wouldBe = naiveSessions([...this.#known, event], this.#gap);
    const contents = new Set(wouldBe.map(contentOf));
    if (this.#closedSessions().some((session) => !contents.has(contentOf(session)))) return true;
    const own = wouldBe.find((session) => session.events.includes(event));
    const ends = wouldBe.some((session) => session.user === event.user && session.endedAt === event.at);
    if (event.end && ends) return false;
    const last = own === undefined ? event.at : own.events.at(-1)!.at;
    return last + this.#gap + this.#lateness < this.#watermark;
  }

  #closedSessions(): NaiveSession[] {
    return naiveSessions(this.#known, this.#gap).filter((session) => this.#closedKeys.has(keyOf(session)));
  }

  #closeAndForget(): void {
    const sessions = naiveSessions(this.#known, this.#gap);
    for (const session of sessions) {
      const closesAt = session.endedAt ?? session.events.at(-1)!.at + this.#gap;
      if (closesAt >= this.#watermark || this.#closedKeys.has(keyOf(session))) continue;
      this.#closedKeys.add(keyOf(session));
      this.closed.push(session);
    }
    const over = (session: NaiveSession) =>
      session.events.at(-1)!.at + this.#gap + this.#lateness < this.#watermark;
    const kept = sessions.filter((session) => !over(session));
    const events = new Set(kept.flatMap((session) => session.events));
    this.#known = this.#known.filter((event) => {
      if (!event.end) return events.has(event);
      return (
        event.at >= this.#watermark ||
        kept.some((session) => session.user === event.user && session.endedAt === event.at)
      );
    });
  }
}

function order(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** No two sessions of a user begin with the same event. */
function keyOf(session: NaiveSession): string {
  return `${session.user}/${session.events[0]!.offset}`;
}

function contentOf(session: NaiveSession): string {
  const offsets = session.events.map((event) => event.offset);
  return `${session.user}/${offsets.join()}/${session.endedAt}`;
}
