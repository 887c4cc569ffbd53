import { crc32 } from '@node-rs/crc32';
import { EVENT_TYPES } from '#src/generator/journey.js';

/**
 * Sums over all sessions that an engine found. Two engines whose sums are the same found the same sessions: squares of counts
 * change when an event moves from one session to another.
 */
export interface SessionSums {
  sessions: number;
  events: number;
  /** From the first to the last event. */
  durationMs: number;
  /** Different pages of each session. */
  pages: number;
  /** CRC-32 of each session's first country and first device type: `FR|mobile`. */
  firsts: number;
  /** Events of each type, in the order of EVENT_TYPES. */
  byType: number[];
  /** Σ of the squares of the sessions' counts. */
  squaresByType: number[];
}

/** What is added up of a session. */
export interface SessionCounts {
  durationMs: number;
  events: number;
  pages: number;
  country: string | null;
  device: string | null;
  byType: readonly number[];
}

export function noSessions(): SessionSums {
  return {
    sessions: 0,
    events: 0,
    durationMs: 0,
    pages: 0,
    firsts: 0,
    byType: EVENT_TYPES.map(() => 0),
    squaresByType: EVENT_TYPES.map(() => 0),
  };
}

/** `sign`: −1 takes the session out again. */
export function addSession(sums: SessionSums, session: SessionCounts, sign = 1): void {
  sums.sessions += sign;
  sums.events += sign * session.events;
  sums.durationMs += sign * session.durationMs;
  sums.pages += sign * session.pages;
  sums.firsts += sign * crc32(`${session.country ?? ''}|${session.device ?? ''}`);
  session.byType.forEach((count, type) => {
    sums.byType[type]! += sign * count;
    sums.squaresByType[type]! += sign * count * count;
  });
}

/** What differs, one line each; [] when both found the same. */
export function differences(found: SessionSums, expected: SessionSums): string[] {
  return (Object.keys(expected) as (keyof SessionSums)[]).flatMap((what) => {
    const [one, other] = [String(found[what]), String(expected[what])];
    return one === other ? [] : [`${what}: ${one}, not ${other}`];
  });
}
