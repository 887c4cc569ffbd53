/**
 * A deterministic stream of clickstream events: users who live through sessions, many at a time.
 *
 * Invariants, for all seeds
 * - Two events in a row of one session lie at most `PAUSE_MS_MAX` (20 min) apart, two sessions of a user more than
 *   `gapMs` + 1 min: so the generator knows its sessions exactly, and what it knows are the sessions of the log.
 * - No event is produced after one that is more than `disorderMsMax` newer: nowhere, hence in no partition either.
 *   Keep it below the model's allowed_disorder and no event is ever late.
 * - A user's events all go to the partition that Kafka's murmur2 gives the user id.
 * - Memory is bounded by the users (one number for each, about 2 KB for those in a session) and the shop.
 * Measured: 4–6 µs CPU an event (40,000 users), where JSON.parse of one takes 3.5–4.
 *
 * How to use it in a test, e.g. 300,000 events of about 40,000 users with disorder:
 * ```
 * const sessions: SessionFacts[] = [];
 * const generator = new ClickstreamGenerator({
 *   seed: 7, users: 40_000, partitions: 24, startMs: Date.UTC(2026, 0, 30, 22), disorderMsMax: 8_000,
 *   onSession: (facts) => sessions.push(facts),
 * });
 * while (generator.emitted < 300_000) produce(generator.next(1000));
 * generator.finish();                     // no new sessions; the open ones go on to their end
 * for (let last = generator.next(1000); last.length > 0; last = generator.next(1000)) produce(last);
 * generator.expected()                    // sums; `sessions` now holds every session
 * ```
 * Event times pass by themselves (see `eventsPerSecondMean`), starting at `startMs`: choose it so far in the past that
 * they stay behind the wall clock. `timeMs` is meant as the record's timestamp too: brokers refuse timestamps more than
 * an hour ahead, and delete old ones by retention unless the topic keeps its data for ever.
 */
import { invariant } from '../invariant.js';
import { type Random, seededRandom } from '../random.js';
import { REFERRERS } from './catalog.js';
import { EventWriter } from './event-writer.js';
import { type EventType, Journey } from './journey.js';
import { partitionOf } from './murmur2.js';
import { profileOf } from './profile.js';
import type { Page } from './shop.js';
import { Slab } from './slab.js';
import { type Expected, noTypes, type SessionFacts, Tally } from './tally.js';
import { TimeHeap } from './time-heap.js';
import { Weighted } from './weighted.js';

export const PAUSE_MS_MAX = 20 * 60_000;
const MINUTE_MS = 60_000;
/** A visit of this length ends with its next event: far below any maximum length of a session. */
const VISIT_MS_MAX = 6 * 60 * MINUTE_MS;
const EVENTS_PER_SESSION_MAX = 120;

export interface ClickstreamOptions {
  seed: number;
  /** Users who come and go. */
  users: number;
  /** Partitions of the topic. */
  partitions: number;
  /** Event time at which the first users arrive, ms since 1970. */
  startMs: number;
  /** How much older than the newest event an event may be when it is produced. 0: in order. Default 5,000. */
  disorderMsMax?: number;
  /** Share of the events that are held back by up to `disorderMsMax`. Default 0.2. */
  disorderShare?: number;
  /** Default 8; a session has 1 to 120. */
  eventsPerSessionMean?: number;
  /** The model's gap; users stay away for longer than that. Default 30 min. */
  gapMs?: number;
  /** How long users stay away on average, on top of the gap. Default 60 min. */
  breakMsMean?: number;
  /** Called when the last event of a session has been emitted. */
  onSession?: (facts: SessionFacts) => void;
}

export interface GeneratedEvent {
  /** The record's key: the user id. */
  key: string;
  /** UTF-8 JSON, about 570 bytes. */
  value: Buffer;
  /** Event time, ms since 1970. */
  timeMs: number;
  partition: number;
}

/** A session in the making. */
interface Visit {
  facts: SessionFacts;
  journey: Journey;
  writer: EventWriter;
  /** Where the visitor was before; null at the entry. */
  from: Page | null;
  /** Events still to be made, and made but held back. */
  left: number;
  heldBack: number;
  beganMs: number;
}

interface HeldBack {
  user: number;
  event: GeneratedEvent;
  type: EventType;
  page: string | null;
}

type Pause = 'none' | 'quick' | 'read' | 'away';
const PAUSES = new Weighted<Pause>([
  [62, 'read'],
  [33, 'quick'],
  [4, 'away'],
  [1, 'none'],
]);

export class ClickstreamGenerator {
  readonly #options: Required<Omit<ClickstreamOptions, 'onSession'>>;
  readonly #onSession: ((facts: SessionFacts) => void) | undefined;
  readonly #random: Random;
  /** When each user does the next thing. */
  readonly #users = new TimeHeap<number>();
  /** Events held back, by the time at which they come out. */
  readonly #heldBack = new TimeHeap<HeldBack>();
  readonly #visits = new Map<number, Visit>();
  readonly #tally = new Tally();
  readonly #slab = new Slab();
  #finishing = false;
  #emitted = 0;
  #nowMs: number;

  constructor(options: ClickstreamOptions) {
    this.#options = {
      disorderMsMax: 5_000,
      disorderShare: 0.2,
      eventsPerSessionMean: 8,
      gapMs: 30 * MINUTE_MS,
      breakMsMean: 60 * MINUTE_MS,
      ...options,
    };
    invariant(this.#options.gapMs > PAUSE_MS_MAX, 'the gap must be longer than the longest pause');
    this.#onSession = options.onSession;
    this.#random = seededRandom(options.seed);
    this.#nowMs = options.startMs;
    const cycleMs = this.#cycleMs();
    for (let user = 0; user < options.users; user++) {
      this.#users.push(options.startMs + this.#random.below(cycleMs), user);
    }
  }

  /** Events handed out so far. */
  get emitted(): number {
    return this.#emitted;
  }

  /** Where event time stands, ms since 1970. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events per second of event time, once the first users have arrived. */
  get eventsPerSecondMean(): number {
    return (this.#options.users * this.#options.eventsPerSessionMean * 1000) / this.#cycleMs();
  }

  /** The next `count` events in the order of production; fewer only after `finish`, none at the end. */
  next(count: number): GeneratedEvent[] {
    const events: GeneratedEvent[] = [];
    while (events.length < count) {
      const usersMs = this.#users.topMs;
      const heldBackMs = this.#heldBack.topMs;
      if (heldBackMs <= usersMs) {
        const held = this.#heldBack.pop();
        if (held === undefined) break;
        this.#visits.get(held.user)!.heldBack--;
        events.push(this.#emit(held));
        continue;
      }
      const event = this.#act(usersMs);
      if (event !== null) events.push(event);
    }
    return events;
  }

  /** From now on no session begins; `next` brings those that are open to their end. */
  finish(): void {
    this.#finishing = true;
  }

  /** Sums over what was emitted so far. */
  expected(): Expected {
    return this.#tally.expected();
  }

  /** Sessions whose last event is still to come, as they stand. */
  openSessions(): SessionFacts[] {
    const open = [...this.#visits.values()].filter(({ facts }) => facts.events > 0);
    return open.map(({ facts }) => ({ ...facts, byType: { ...facts.byType } }));
  }

  /** The user whose turn it is does the next thing. Null: nothing came of it, or not yet. */
  #act(timeMs: number): GeneratedEvent | null {
    const user = this.#users.peek()!;
    let visit = this.#visits.get(user);
    if (visit === undefined) {
      if (this.#finishing) {
        this.#users.pop();
        return null;
      }
      visit = this.#arrive(user, timeMs);
    }
    this.#nowMs = timeMs;
    const made = this.#make(user, visit, timeMs);
    this.#users.moveTop(timeMs + (visit.left === 0 ? this.#breakMs() : this.#pauseMs()));
    const { disorderMsMax, disorderShare } = this.#options;
    if (disorderMsMax === 0 || this.#random.float() >= disorderShare) return this.#emit(made);
    visit.heldBack++;
    this.#heldBack.push(timeMs + 1 + this.#random.below(disorderMsMax), made);
    return null;
  }

  #arrive(user: number, timeMs: number): Visit {
    const random = this.#random;
    const profile = profileOf(this.#options.seed, user);
    const sourceSessionId = this.#uuid();
    const writer = new EventWriter(profile, sourceSessionId, REFERRERS.draw(random), random);
    const visit: Visit = {
      facts: {
        userId: profile.userId,
        sourceSessionId,
        partition: partitionOf(profile.userId, this.#options.partitions),
        startMs: Number.POSITIVE_INFINITY,
        endMs: Number.NEGATIVE_INFINITY,
        events: 0,
        pages: 0,
        byType: noTypes(),
        country: writer.country,
      },
      journey: new Journey(),
      writer,
      from: null,
      left: this.#eventsOfVisit(),
      heldBack: 0,
      beganMs: timeMs,
    };
    this.#visits.set(user, visit);
    return visit;
  }

  #make(user: number, visit: Visit, timeMs: number): HeldBack {
    const random = this.#random;
    const step = visit.journey.next(random);
    visit.left = timeMs - visit.beganMs > VISIT_MS_MAX ? 0 : visit.left - 1;
    // a few producers lose the page on clicks
    const knowsPage = step.type !== 'click' || random.below(25) > 0;
    const value = visit.writer.write(this.#slab, random, timeMs, step, knowsPage, visit.from);
    visit.from = step.page;
    const { userId, partition } = visit.facts;
    return {
      user,
      event: { key: userId, value, timeMs, partition },
      type: step.type,
      page: knowsPage ? step.page.path : null,
    };
  }

  #emit({ user, event, type, page }: HeldBack): GeneratedEvent {
    const visit = this.#visits.get(user)!;
    this.#tally.add(visit.facts, event.timeMs, type, page);
    this.#emitted++;
    if (visit.left === 0 && visit.heldBack === 0) {
      this.#visits.delete(user);
      this.#onSession?.(visit.facts);
    }
    return event;
  }

  #uuid(): string {
    const word = () => this.#random.below(2 ** 32);
    this.#slab.begin();
    this.#slab.putUuid(word(), word(), word(), word());
    return this.#slab.end().toString('latin1');
  }

  /** Geometric, so that most visits are short and some are long; one in five leaves at once. */
  #eventsOfVisit(): number {
    const random = this.#random;
    if (random.below(5) === 0) return 1;
    // the four in five that stay bring the mean to what was asked for
    const stayMean = Math.max(1, (this.#options.eventsPerSessionMean - 0.2) / 0.8);
    const events = 1 + Math.floor(-Math.log(1 - random.float()) * (stayMean - 0.5));
    return Math.min(events, EVENTS_PER_SESSION_MAX);
  }

  #pauseMs(): number {
    const random = this.#random;
    const kind = PAUSES.draw(random);
    if (kind === 'none') return 0;
    if (kind === 'quick') return 200 + random.below(4_800);
    if (kind === 'read') return 5_000 + random.below(85_000);
    return 90_000 + random.below(PAUSE_MS_MAX - 90_000);
  }

  #breakMs(): number {
    const { gapMs, breakMsMean } = this.#options;
    const extraMs = Math.floor(-Math.log(1 - this.#random.float()) * breakMsMean);
    return gapMs + MINUTE_MS + 1 + Math.min(extraMs, 20 * breakMsMean);
  }

  /** How long it takes a user on average to come back: visit and break. */
  #cycleMs(): number {
    const { eventsPerSessionMean, gapMs, breakMsMean } = this.#options;
    return eventsPerSessionMean * MINUTE_MS + gapMs + MINUTE_MS + breakMsMean;
  }
}
