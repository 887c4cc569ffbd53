import { HeadraceError } from '../../errors.js';
import { formatWhole } from '../../telemetry/progress.js';
import type { DirtShares } from './dirt.js';
import type { LoadModel } from './event-layout.js';
import type { Films, SessionKind } from './films.js';

/**
 * How many users live how fast, so that a rate comes out: events a second of event time = users · events a visit / (visit +
 * break). What is not asked for follows from the rest: first the break, as long as event time may pass as time does; then how
 * much faster it passes.
 */

/** What both senders make a load from; it survives a MessagePort. */
export interface LoadSpec {
  model: LoadModel;
  sessions: SessionKind;
  seed: number;
  users: number;
  partitions: number;
  eventsPerSessionMean: number;
  startMs: number;
  awayMsMin: number;
  breakMsMean: number;
  dirt: DirtShares;
  /** All records, the partitions' shares of which are as equal as can be. */
  records: number;
}

export interface LoadWish {
  users: number | null;
  /** Records a second; null: as fast as it goes. */
  rate: number | null;
  records: number;
  /** How much faster event time passes than time; null: as fast as the rate needs. */
  speed: number | null;
  /** Event time of the first records; null: so that the last ones are of now. */
  startMs: number | null;
  sessions: SessionKind;
  dirt: DirtShares;
}

export interface LoadPlan {
  users: number;
  speed: number | null;
  startMs: number;
  awayMsMin: number;
  breakMsMean: number;
}

/** The models' gap, a minute more: a user's next visit is another session. */
const AWAY_MS_MIN = 31 * 60_000;
const BREAK_MS_MEAN = 60 * 60_000;
const USERS = 10_000;
export const USERS_MAX = 20_000_000;
/** Brokers delete what is older than the retention; with more users the same events take less time. */
const SPAN_MS = 24 * 3_600_000;
/** How far a partition may be ahead of the others in the end. */
const AHEAD_MS = 20 * 60_000;
/** A break that ends within a slot of the crowd waits for the next one. */
const ROUNDING_MS = 50;

/** Throws HeadraceError USAGE when the users asked for can't make the events. */
export function planLoad(
  wish: LoadWish,
  { eventsMean, durationMsMean }: Pick<Films, 'eventsMean' | 'durationMsMean'>,
  nowMs: number,
): LoadPlan {
  const { rate, speed, records } = wish;
  const eventsPerRecord = 1 - extraShare(wish.dirt);
  const awayMsMin = wish.sessions === 'one-event' ? 0 : AWAY_MS_MIN;
  const cycleMs = durationMsMean + awayMsMin + BREAK_MS_MEAN;
  const events = records * eventsPerRecord;
  const usersWithinSpan = Math.min(USERS_MAX, Math.ceil((events * cycleMs) / (eventsMean * SPAN_MS)));
  const users = wish.users ?? Math.max(USERS, usersWithinSpan);
  /** By event time, how long a user's round may take for events to come at this rate. */
  const cycleFor = (eventsPerSecond: number) => (users * eventsMean * 1_000) / eventsPerSecond;
  const breakFor = (speedup: number) =>
    cycleFor((rate! * eventsPerRecord) / speedup) - durationMsMean - awayMsMin - ROUNDING_MS;
  if (rate === null) {
    const spanMs = (events * cycleMs) / (users * eventsMean);
    // some partitions run ahead of the mean: none is to end in the future
    const startMs = wish.startMs ?? Math.floor(nowMs - 1.1 * spanMs - AHEAD_MS);
    return { users, speed: null, startMs, awayMsMin, breakMsMean: BREAK_MS_MEAN };
  }
  if (speed !== null && breakFor(speed) < 0) {
    const most = (users * eventsMean * 1_000 * speed) / (durationMsMean + awayMsMin) / eventsPerRecord;
    throw new HeadraceError(
      'USAGE',
      `${formatWhole(users)} users make ${most.toPrecision(3)} events a second at speed ${speed} at most, not ${rate}`,
      {
        remedy: `take --users ${formatWhole(Math.ceil((users * rate) / most / 100) * 100).replaceAll(',', '')} or more, a higher --speed, or none: then event time passes as fast as it needs`,
      },
    );
  }
  const fits = speed ?? (breakFor(1) >= 0 ? 1 : cycleMs / cycleFor(rate * eventsPerRecord));
  const spanMs = (records / rate) * 1_000 * fits;
  const startMs = wish.startMs ?? (fits === 1 ? nowMs : Math.floor(nowMs - spanMs));
  return { users, speed: fits, startMs, awayMsMin, breakMsMean: Math.max(0, breakFor(fits)) };
}

function extraShare({ late, duplicated, malformed, future }: DirtShares): number {
  return late + duplicated + malformed + future;
}
