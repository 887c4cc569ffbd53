import { type Random, seededRandom } from '#src/random.js';
import { eventJson, type PlainEvent } from './spine-event-json.js';

/**
 * Clickstream events made to be awkward, in order of arrival, the same for the same seed.
 *
 * - Arrival is event time plus 0…10,000 ms: an event is never behind the watermark of its partition, and some lie
 *   exactly on it.
 * - Steps inside a session are often 0 ms (the offset decides the order) or exactly 30:00.000 (still one session); steps
 *   between sessions are often exactly 30:00.001.
 * - Some users have hundreds of pages and more than 64 products in one session.
 * - Around `halfAtMs`, where a run may be ended in the middle, users have sessions that this end cuts in two awkward
 *   ways: an earlier start arrives after it, or an event that bridges two sessions.
 */
export interface SpineEvent {
  userId: string;
  atMs: number;
  arrivalMs: number;
  value: string;
}

export interface SpineEvents {
  /** In order of arrival. */
  events: SpineEvent[];
  /** The index of the first event that arrives in the second half. */
  half: number;
}

export interface SpineProfile {
  seed: number;
  users: number;
  /** Exactly so many events are made (the users must suffice, see below: about 8 each). */
  events: number;
  /** Event time from its start to its end. */
  spanMs: number;
}

/** The eve of a leap day: the table gets two partitions. */
const START_MS = Date.parse('2024-02-28T18:00:00Z');
export const DISORDER_MS_MAX = 10_000;
const GAP_MS = 30 * 60_000;
const AWKWARD_USERS = 24;
const CROWD_EVERY = 1000;

const USER_FORMS = [
  (n: number) => `user-${n}`,
  (n: number) => `u${n}:x`,
  (n: number) => `пользователь ${n}`,
  (n: number) => `👩‍🚀${n}`,
  (n: number) => `${n}`,
];

export function makeSpineEvents(profile: SpineProfile): SpineEvents {
  const random = seededRandom(profile.seed);
  const halfAtMs = START_MS + Math.floor(profile.spanMs / 2);
  const events: SpineEvent[] = [];
  for (let user = 0; user < profile.users; user += 1) {
    const userId = USER_FORMS[random.below(USER_FORMS.length)]!(user);
    for (const at of timesOf(user, profile, halfAtMs, random)) {
      const { atMs, arrivalMs = atMs + random.below(DISORDER_MS_MAX + 1) } = at;
      events.push({ userId, atMs, arrivalMs, value: eventJson(eventOf(userId, atMs, random), random) });
    }
  }
  if (events.length < profile.events) throw new Error(`only ${events.length} events came of these users`);
  events.sort((a, b) => a.arrivalMs - b.arrivalMs);
  events.length = profile.events;
  return { events, half: events.findIndex((event) => event.arrivalMs >= halfAtMs) };
}

interface Moment {
  atMs: number;
  /** Where it is not left to chance. */
  arrivalMs?: number;
}

function timesOf(user: number, profile: SpineProfile, halfAtMs: number, random: Random): Moment[] {
  if (user < AWKWARD_USERS) return earlierStartAfter(halfAtMs, random);
  if (user < 2 * AWKWARD_USERS) return bridgeAfter(halfAtMs, random);
  if (user % CROWD_EVERY === CROWD_EVERY / 2)
    return steps(START_MS + random.below(profile.spanMs / 4), 400 + random.below(200), () =>
      random.below(12_000),
    );
  const startMs = START_MS + random.below(profile.spanMs);
  const endMs = START_MS + profile.spanMs;
  return steps(startMs, 1 + random.below(15), () => usualStepMs(random)).filter(({ atMs }) => atMs < endMs);
}

/** Two events, of which the later one arrives before the half and the earlier one after it. */
function earlierStartAfter(halfAtMs: number, random: Random): Moment[] {
  const laterMs = halfAtMs - 1500 - random.below(1000);
  return [
    { atMs: laterMs, arrivalMs: halfAtMs - 1 - random.below(1000) },
    { atMs: laterMs - 1 - random.below(3000), arrivalMs: halfAtMs + random.below(1000) },
  ];
}

/** Two events further apart than the gap arrive before the half; one between them, near to both, after it. */
function bridgeAfter(halfAtMs: number, random: Random): Moment[] {
  const secondMs = halfAtMs - 1500 - random.below(1000);
  const bridgeMs = secondMs - 2000;
  return [
    { atMs: bridgeMs - GAP_MS + random.below(1000) },
    { atMs: secondMs, arrivalMs: halfAtMs - 1 - random.below(1000) },
    { atMs: bridgeMs, arrivalMs: halfAtMs + random.below(1000) },
  ];
}

function steps(startMs: number, count: number, stepMs: () => number): Moment[] {
  const moments = [{ atMs: startMs }];
  while (moments.length < count) moments.push({ atMs: moments.at(-1)!.atMs + stepMs() });
  return moments;
}

function usualStepMs(random: Random): number {
  const kind = random.below(100);
  if (kind < 10) return 0;
  if (kind < 13) return GAP_MS;
  if (kind < 16) return GAP_MS + 1;
  if (kind < 17) return GAP_MS - 1;
  if (kind < 22) return GAP_MS + 1 + random.below(3 * GAP_MS);
  if (kind < 50) return random.below(5000);
  return random.below(180_000);
}

const TYPES = ['page_view', 'page_view', 'page_view', 'click', 'click', 'add_to_cart', 'purchase', 'search'];
const PATHS = ['/', '/shop/', '/shop/ärmel/', '/検索?q=', '/p/', '/a"b\\c/', '/tab\tnew\nline/', '/🛒/'];
const CITIES = ['Berlin', 'São Paulo', '東京', "L'Aquila", ''];
const BROWSERS = ['Firefox', 'Chrome', 'Safari', 'Ελληνικά'];
const LONG_AGENT = `Mozilla/5.0 (${'x'.repeat(700)})`;

/** A value, null, or nothing at all. */
function maybe<Value>(random: Random, value: () => Value): Value | null | undefined {
  const kind = random.below(10);
  if (kind === 0) return null;
  return kind === 1 ? undefined : value();
}

function pick<Value>(random: Random, values: readonly Value[]): Value {
  return values[random.below(values.length)]!;
}

function eventOf(userId: string, atMs: number, random: Random): PlainEvent {
  return {
    event_id: maybe(random, () => random.id63().toString(16)),
    atMs,
    user_id: userId,
    session_id: maybe(random, () => `s-${random.below(4)}`),
    event_type: random.below(30) === 0 ? pick(random, ['scroll', 'Page_View', '']) : pick(random, TYPES),
    page_url: maybe(random, () => `https://shop.example${pick(random, PATHS)}${random.below(50)}`),
    referrer: maybe(random, () => pick(random, ['https://search.example/?q=ü', 'https://news.example/', ''])),
    user_agent: maybe(random, () => (random.below(50) === 0 ? LONG_AGENT : `agent/${random.below(90)}.0`)),
    ip_address: maybe(random, () => `10.${random.below(256)}.${random.below(256)}.${random.below(256)}`),
    geo: maybe(random, () => ({
      country: maybe(random, () => pick(random, ['DE', 'BR', 'JP', 'IT', 'US'])),
      city: maybe(random, () => pick(random, CITIES)),
      latitude: maybe(random, () => coordinate(random, 90)),
      longitude: maybe(random, () => coordinate(random, 180)),
    })),
    device: maybe(random, () => ({
      type: maybe(random, () => pick(random, ['mobile', 'desktop', 'tablet'])),
      os: maybe(random, () => pick(random, ['Linux', 'iOS', 'Android'])),
      browser: maybe(random, () => pick(random, BROWSERS)),
    })),
    metadata: maybe(random, () => ({
      product_id: maybe(random, () => `p-${random.below(500)}`),
      category: maybe(random, () => `category ${random.below(120)}`),
      campaign: maybe(random, () => 'spring "24"'),
    })),
  };
}

/** Degrees of all kinds of text: whole, many digits, with an exponent. */
function coordinate(random: Random, bound: number): number {
  const value = (random.float() * 2 - 1) * bound;
  const kind = random.below(4);
  if (kind === 0) return Math.round(value);
  if (kind === 1) return value * 1e-9;
  return kind === 2 ? value : Number(value.toFixed(4));
}
