/**
 * Who does something when, at a constant number of open sessions, without any state: a stream that is as long as one
 * wants takes no memory.
 *
 * In each minute of event time `arrivals` users arrive, and each of the 20 youngest cohorts does one thing, every user of
 * it once, in an order of its own. So a session has 20 events, up to two minutes apart, and is open for some 50
 * minutes: 19 with events, the gap, and the disorder that is waited for. No two users are the same.
 *
 * The order within a cohort is another one in each minute: neighbours in time are no neighbours in the session table.
 */

export const EVENTS_PER_SESSION = 20;
const MINUTE_MS = 60_000;
/** A fifth of the events is this much older at most than the newest before them. */
const DISORDER_MS_MAX = 5_000;

export interface UserStreamOptions {
  /** Sessions that are open once event time has gone on for an hour; about as many. */
  openSessions: number;
  /** The model's. */
  gapMs: number;
  allowedDisorderMs: number;
  startMs: number;
}

/** An event to come; the same object each time. */
export interface UserEvent {
  user: number;
  timeMs: number;
}

export class UserStream {
  /** Users a minute. */
  readonly arrivals: number;
  readonly #startMs: number;
  readonly #event: UserEvent = { user: 0, timeMs: 0 };
  #minute = 0;
  /** Within the minute: turns of all cohorts, and the cohort whose turn it is. */
  #turn = 0;
  #cohort = 0;
  #events = 0;
  #sessions = 0;

  constructor({ openSessions, gapMs, allowedDisorderMs, startMs }: UserStreamOptions) {
    // from its first event to its close, on average
    const openMinutes = EVENTS_PER_SESSION - 1 + (gapMs + allowedDisorderMs) / MINUTE_MS;
    this.arrivals = Math.max(1, Math.round(openSessions / openMinutes));
    this.#startMs = startMs;
  }

  /** Events so far. */
  get events(): number {
    return this.#events;
  }

  /** Users so far, each with one session. */
  get sessions(): number {
    return this.#sessions;
  }

  /** Whole minutes of event time. */
  get minute(): number {
    return this.#minute;
  }

  /** The next event; it is valid until the next call. */
  next(): UserEvent {
    const { arrivals } = this;
    const born = this.#minute - this.#cohort;
    const event = this.#event;
    event.user = born * arrivals + placeIn(arrivals, this.#seed(), this.#turn);
    const timeMs = this.#startMs + this.#minute * MINUTE_MS + Math.floor((this.#turn * MINUTE_MS) / arrivals);
    const chance = mix(this.#events);
    event.timeMs = chance % 5 === 0 ? timeMs - (mix(chance) % DISORDER_MS_MAX) : timeMs;
    this.#events++;
    if (this.#cohort === 0) this.#sessions++;
    this.#advance();
    return event;
  }

  #seed(): number {
    return mix(this.#minute * EVENTS_PER_SESSION + this.#cohort);
  }

  #advance(): void {
    // in the first minutes the older cohorts do not exist
    if (++this.#cohort < EVENTS_PER_SESSION && this.#cohort <= this.#minute) return;
    this.#cohort = 0;
    if (++this.#turn < this.arrivals) return;
    this.#turn = 0;
    this.#minute++;
  }
}

/** Where `turn` goes in the order of 0 … size − 1 that belongs to `seed`; a bijection of the next power of two, walked on. */
function placeIn(size: number, seed: number, turn: number): number {
  const bits = 32 - Math.clz32(size - 1);
  const mask = bits === 32 ? -1 : (1 << bits) - 1;
  const half = (bits >> 1) + 1;
  let place = turn;
  do {
    place = (Math.imul(place ^ (seed & mask), 0x9e3779b1) & mask) >>> 0;
    place ^= place >>> half;
    place = ((Math.imul(place, 0x85ebca6b) + (seed >>> 7)) & mask) >>> 0;
    place ^= place >>> half;
  } while (place >= size);
  return place;
}

/** A bijection of 32 bits that looks like chance (murmur3's last steps). */
export function mix(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
