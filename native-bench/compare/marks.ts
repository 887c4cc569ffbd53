/**
 * Progress marks: how many events a process had read, and what it had used until then. Between two of them lies its steady state,
 * without what starting and warming up cost.
 */
export interface Mark {
  events: number;
  /** User and system, of all threads that ever were. */
  cpuSeconds: number;
  /** Since the process was started. */
  seconds: number;
}

export interface Steady {
  fromEvents: number;
  toEvents: number;
  cpuUsPerEvent: number;
  eventsPerSecond: number;
}

/** Until so much of the events is read, a process warms up. */
export const WARM_UP_SHARE = 1 / 3;
/** /proc counts in hundredths of a second: below this, that is too coarse. */
const CPU_SECONDS_MIN = 0.2;

/** From the first mark behind the warm-up to the first with all events, or the last; null: the run was too short for it. */
export function steadyOf(marks: readonly Mark[], eventsTotal: number): Steady | null {
  const from = marks.find(({ events }) => events >= eventsTotal * WARM_UP_SHARE);
  const to = marks.find(({ events }) => events >= eventsTotal) ?? marks.at(-1);
  if (from === undefined || to === undefined || to.events <= from.events) return null;
  const cpuSeconds = to.cpuSeconds - from.cpuSeconds;
  if (cpuSeconds < CPU_SECONDS_MIN) return null;
  const events = to.events - from.events;
  return {
    fromEvents: from.events,
    toEvents: to.events,
    cpuUsPerEvent: (cpuSeconds * 1e6) / events,
    eventsPerSecond: events / (to.seconds - from.seconds),
  };
}
