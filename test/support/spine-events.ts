import { type Random, seededRandom } from '#src/random.js';
import { eventJson } from './spine-event-json.js';

/**
 * Events made to be awkward, in order of arrival, the same for the same seed. What they say is the form's.
 *
 * - Arrival is event time plus 0…10,000 ms: an event is never behind the watermark of its partition, and some lie
 *   exactly on it.
 * - Steps inside a session are often 0 ms (the offset decides the order) or exactly 30:00.000 (still one session); steps
 *   between sessions are often exactly 30:00.001.
 * - Some users have a crowd of events in one session: more than its columns list.
 * - Around `halfAtMs`, where a run may be ended in the middle, users have sessions that this end cuts in two awkward
 *   ways: an earlier start arrives after it, or an event that bridges two sessions.
 */
export interface SpineEvent {
  /** Kafka's key: whose event it is. */
  key: string;
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

/** What is said in the events of a model. */
export interface SpineForm {
  /** The key of user n. */
  keyOf(user: number, random: Random): string;
  /** An event before it is text: undefined leaves a key out, null is written as null. `crowded`: one of a crowd. */
  eventOf(key: string, atMs: number, random: Random, crowded: boolean): { atMs: number };
  /** Events of a crowd, at least. */
  crowdEventsMin: number;
}

/** The eve of a leap day: the table gets two partitions. */
const START_MS = Date.parse('2024-02-28T18:00:00Z');
export const DISORDER_MS_MAX = 10_000;
const GAP_MS = 30 * 60_000;
const AWKWARD_USERS = 24;
const CROWD_EVERY = 1000;

export function makeSpineEvents(profile: SpineProfile, form: SpineForm): SpineEvents {
  const random = seededRandom(profile.seed);
  const halfAtMs = START_MS + Math.floor(profile.spanMs / 2);
  const events: SpineEvent[] = [];
  for (let user = 0; user < profile.users; user += 1) {
    const key = form.keyOf(user, random);
    const crowded = isCrowded(user);
    const moments = crowded
      ? crowd(profile, form.crowdEventsMin, random)
      : momentsOf(user, profile, halfAtMs, random);
    for (const at of moments) {
      const { atMs, arrivalMs = atMs + random.below(DISORDER_MS_MAX + 1) } = at;
      events.push({
        key,
        atMs,
        arrivalMs,
        value: eventJson(form.eventOf(key, atMs, random, crowded), random),
      });
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

function isCrowded(user: number): boolean {
  return user % CROWD_EVERY === CROWD_EVERY / 2;
}

function crowd({ spanMs }: SpineProfile, eventsMin: number, random: Random): Moment[] {
  const startMs = START_MS + random.below(spanMs / 4);
  return steps(startMs, eventsMin + random.below(eventsMin / 2), () => random.below(12_000));
}

function momentsOf(user: number, profile: SpineProfile, halfAtMs: number, random: Random): Moment[] {
  if (user < AWKWARD_USERS) return earlierStartAfter(halfAtMs, random);
  if (user < 2 * AWKWARD_USERS) return bridgeAfter(halfAtMs, random);
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
