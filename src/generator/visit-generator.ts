import { invariant } from '../invariant.js';
import { type Random, seededRandom } from '../random.js';
import type { EventGenerator, GeneratedEvent } from './event-generator.js';
import { Slab } from './slab.js';
import type { SessionFacts, Tally } from './tally.js';
import { TimeHeap } from './time-heap.js';
import { Weighted } from './weighted.js';

/**
 * What the generators of all models have in common: users who come, stay for a visit and go, many at a time. A model adds
 * who the visitor is and what the events say.
 *
 * Invariants, for all seeds
 * - Two events in a row of one visit lie at most `PAUSE_MS_MAX` (20 min) apart, two visits of a user more than
 *   `gapMs` + 1 min: so the generator knows its sessions exactly, and what it knows are the sessions of the log.
 * - No event is produced after one that is more than `disorderMsMax` newer: nowhere, hence in no partition either.
 *   Keep it below the model's allowed_disorder and no event is ever late.
 * - Memory is bounded by the users (one number for each, about 2 KB for those in a visit) and the pages.
 *
 * Event times pass by themselves (see `eventsPerSecondMean`), starting at `startMs`: choose it so far in the past that
 * they stay behind the wall clock. `timeMs` is meant as the record's timestamp too: brokers refuse timestamps more than
 * an hour ahead, and delete old ones by retention unless the topic keeps its data for ever.
 */

export const PAUSE_MS_MAX = 20 * 60_000;
const MINUTE_MS = 60_000;
/** A visit of this length ends with its next event: far below any maximum length of a session. */
const VISIT_MS_MAX = 6 * 60 * MINUTE_MS;
const EVENTS_PER_SESSION_MAX = 120;

export interface VisitOptions<Facts> {
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
  onSession?: (facts: Facts) => void;
}

/** A visit as its model sees it. */
export interface Visit<Facts> {
  facts: Facts;
  /** Its last event only says that it is over, and comes on top of the others. */
  saysGoodbye: boolean;
}

/** One event of a visit. */
export interface Made<Type extends string> {
  event: GeneratedEvent;
  /** Null: it ends the session and is not counted in it. */
  type: Type | null;
  /** As in page_url, null where the event has none. */
  page: string | null;
}

interface Stay<V> {
  visit: V;
  /** Events still to be made, and made but held back. */
  left: number;
  heldBack: number;
  beganMs: number;
}

interface HeldBack<Type extends string> {
  user: number;
  made: Made<Type>;
}

type Pause = 'none' | 'quick' | 'read' | 'away';
const PAUSES = new Weighted<Pause>([
  [62, 'read'],
  [33, 'quick'],
  [4, 'away'],
  [1, 'none'],
]);

export abstract class VisitGenerator<
  Type extends string,
  Facts extends SessionFacts<Type>,
  V extends Visit<Facts>,
> implements EventGenerator
{
  protected readonly options: Required<Omit<VisitOptions<Facts>, 'onSession'>>;
  protected readonly random: Random;
  protected readonly slab = new Slab();
  protected abstract readonly tally: Tally<Type, Facts>;
  readonly #onSession: ((facts: Facts) => void) | undefined;
  /** When each user does the next thing. */
  readonly #users = new TimeHeap<number>();
  /** Events held back, by the time at which they come out. */
  readonly #heldBack = new TimeHeap<HeldBack<Type>>();
  readonly #stays = new Map<number, Stay<V>>();
  #finishing = false;
  #emitted = 0;
  #nowMs: number;

  constructor(options: VisitOptions<Facts>) {
    this.options = {
      disorderMsMax: 5_000,
      disorderShare: 0.2,
      eventsPerSessionMean: 8,
      gapMs: 30 * MINUTE_MS,
      breakMsMean: 60 * MINUTE_MS,
      ...options,
    };
    invariant(this.options.gapMs > PAUSE_MS_MAX, 'the gap must be longer than the longest pause');
    this.#onSession = options.onSession;
    this.random = seededRandom(options.seed);
    this.#nowMs = options.startMs;
    const cycleMs = this.#cycleMs();
    for (let user = 0; user < options.users; user++) {
      this.#users.push(options.startMs + this.random.below(cycleMs), user);
    }
  }

  /** A user begins a visit. */
  protected abstract arrive(user: number): V;

  /** The next event of a visit. */
  protected abstract make(visit: V, timeMs: number, isLast: boolean): Made<Type>;

  get emitted(): number {
    return this.#emitted;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events per second of event time, once the first users have arrived. */
  get eventsPerSecondMean(): number {
    return (this.options.users * this.options.eventsPerSessionMean * 1000) / this.#cycleMs();
  }

  next(count: number): GeneratedEvent[] {
    const events: GeneratedEvent[] = [];
    while (events.length < count) {
      const usersMs = this.#users.topMs;
      const heldBackMs = this.#heldBack.topMs;
      if (heldBackMs <= usersMs) {
        const held = this.#heldBack.pop();
        if (held === undefined) break;
        this.#stays.get(held.user)!.heldBack--;
        events.push(this.#emit(held.user, held.made));
        continue;
      }
      const event = this.#act(usersMs);
      if (event !== null) events.push(event);
    }
    return events;
  }

  finish(): void {
    this.#finishing = true;
  }

  /** Sessions whose last event is still to come, as they stand. */
  openSessions(): Facts[] {
    const open = [...this.#stays.values()].filter(({ visit }) => visit.facts.events > 0);
    return open.map(({ visit: { facts } }) => ({ ...facts, byType: { ...facts.byType } }));
  }

  /** A UUID that the seed decides. */
  protected uuid(): string {
    const word = () => this.random.below(2 ** 32);
    this.slab.begin();
    this.slab.putUuid(word(), word(), word(), word());
    return this.slab.end().toString('latin1');
  }

  /** The user whose turn it is does the next thing. Null: nothing came of it, or not yet. */
  #act(timeMs: number): GeneratedEvent | null {
    const user = this.#users.peek()!;
    let stay = this.#stays.get(user);
    if (stay === undefined) {
      if (this.#finishing) {
        this.#users.pop();
        return null;
      }
      stay = this.#begin(user, timeMs);
    }
    this.#nowMs = timeMs;
    stay.left = timeMs - stay.beganMs > VISIT_MS_MAX ? 0 : stay.left - 1;
    const made = this.make(stay.visit, timeMs, stay.left === 0);
    this.#users.moveTop(timeMs + (stay.left === 0 ? this.#breakMs() : this.#pauseMs()));
    const { disorderMsMax, disorderShare } = this.options;
    if (disorderMsMax === 0 || this.random.float() >= disorderShare) return this.#emit(user, made);
    stay.heldBack++;
    this.#heldBack.push(timeMs + 1 + this.random.below(disorderMsMax), { user, made });
    return null;
  }

  #begin(user: number, timeMs: number): Stay<V> {
    const visit = this.arrive(user);
    const left = this.#eventsOfVisit() + (visit.saysGoodbye ? 1 : 0);
    const stay = { visit, left, heldBack: 0, beganMs: timeMs };
    this.#stays.set(user, stay);
    return stay;
  }

  #emit(user: number, { event, type, page }: Made<Type>): GeneratedEvent {
    const stay = this.#stays.get(user)!;
    const { facts } = stay.visit;
    if (type === null) this.tally.addEnd();
    else this.tally.add(facts, event.timeMs, type, page);
    this.#emitted++;
    if (stay.left === 0 && stay.heldBack === 0) {
      this.#stays.delete(user);
      this.#onSession?.(facts);
    }
    return event;
  }

  /** Geometric, so that most visits are short and some are long; one in five leaves at once. */
  #eventsOfVisit(): number {
    const { random } = this;
    if (random.below(5) === 0) return 1;
    // the four in five that stay bring the mean to what was asked for
    const stayMean = Math.max(1, (this.options.eventsPerSessionMean - 0.2) / 0.8);
    const events = 1 + Math.floor(-Math.log(1 - random.float()) * (stayMean - 0.5));
    return Math.min(events, EVENTS_PER_SESSION_MAX);
  }

  #pauseMs(): number {
    const { random } = this;
    const kind = PAUSES.draw(random);
    if (kind === 'none') return 0;
    if (kind === 'quick') return 200 + random.below(4_800);
    if (kind === 'read') return 5_000 + random.below(85_000);
    return 90_000 + random.below(PAUSE_MS_MAX - 90_000);
  }

  #breakMs(): number {
    const { gapMs, breakMsMean } = this.options;
    const extraMs = Math.floor(-Math.log(1 - this.random.float()) * breakMsMean);
    return gapMs + MINUTE_MS + 1 + Math.min(extraMs, 20 * breakMsMean);
  }

  /** How long it takes a user on average to come back: visit and break. */
  #cycleMs(): number {
    const { eventsPerSessionMean, gapMs, breakMsMean } = this.options;
    return eventsPerSessionMean * MINUTE_MS + gapMs + MINUTE_MS + breakMsMean;
  }
}
