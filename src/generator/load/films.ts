import { seededRandom } from '../../random.js';
import { ClickstreamGenerator } from '../clickstream.js';
import type { GeneratedEvent } from '../event-generator.js';
import { WebClicksGenerator } from '../web-clicks.js';
import type { EventLayout } from './event-layout.js';
import { loopEventTails } from './load-loop.js';
import { PieceTable } from './piece-table.js';

/**
 * Whole visits, filmed once and played again and again by other users at other times: the journeys of the real generators,
 * without drawing each value again. A film belongs to a profile (place, device, habits); a user always plays films of one.
 */

/** One event of a film. */
export interface Scene {
  /** The fields behind the ids, one after the other: three pieces each: the whole field, its name, its value. */
  fields: Int32Array;
  tailBytes: number;
  /** Until the next event of the film, ms; of the last one 0. */
  pauseMs: number;
}

export interface Film {
  scenes: readonly Scene[];
  durationMs: number;
}

export interface Profile {
  films: readonly Film[];
  durationMsMean: number;
  durationMsMax: number;
}

export interface Films {
  pieces: PieceTable;
  profiles: readonly Profile[];
  eventsMean: number;
  durationMsMean: number;
}

export type SessionKind = 'journeys' | 'one-event';

export interface FilmOptions {
  layout: EventLayout;
  seed: number;
  sessions: SessionKind;
  eventsPerSessionMean: number;
}

const PROFILES = 96;
const FILMS_PER_PROFILE_MEAN = 6;
const FILMS_PER_USER_MIN = 3;
const LOOP_EVENTS = 8_192;
/** Of what is filmed; only pauses are kept. */
const START_MS = Date.UTC(2026, 0, 30);
/** event_id, timestamp, user_id and session_id: written for each event. */
const HEAD_FIELDS = 4;

export function makeFilms({ layout, seed, sessions, eventsPerSessionMean }: FilmOptions): Films {
  const pieces = new PieceTable();
  if (layout.model === 'clickstream' && sessions === 'one-event') {
    const tails = loopEventTails(seededRandom(seed), LOOP_EVENTS);
    return filmsOf(pieces, [tails.map((tail) => filmOf(pieces, [{ tail, timeMs: 0 }]))]);
  }
  const visits = filmed(layout, seed, eventsPerSessionMean);
  const profiles = visits.map((ofUser) =>
    ofUser.map((visit) => filmOf(pieces, sessions === 'one-event' ? visit.slice(0, 1) : visit)),
  );
  return filmsOf(pieces, profiles);
}

interface Shot {
  tail: string;
  timeMs: number;
}

/** Visits that ended, by user, some of each. */
function filmed({ model }: EventLayout, seed: number, eventsPerSessionMean: number): Shot[][][] {
  const open = new Map<string, Shot[]>();
  const byUser = new Map<unknown, Shot[][]>();
  const ended = new Set<string>();
  const onSession = ({ sourceSessionId }: { sourceSessionId: string }) => void ended.add(sourceSessionId);
  const crowd = { seed, users: PROFILES, partitions: 1, startMs: START_MS, eventsPerSessionMean };
  const options = { ...crowd, disorderMsMax: 0, onSession };
  const generator =
    model === 'clickstream' ? new ClickstreamGenerator(options) : new WebClicksGenerator(options);
  const take = ({ value, timeMs }: GeneratedEvent) => {
    const text = value.toString();
    const { session_id: id, user_id: user } = JSON.parse(text) as { session_id: string; user_id: unknown };
    const visit = open.get(id) ?? [];
    visit.push({ tail: tailOf(text), timeMs });
    open.set(id, visit);
    if (!ended.delete(id)) return;
    open.delete(id);
    const visits = byUser.get(user) ?? [];
    visits.push(visit);
    byUser.set(user, visits);
  };
  const isEnough = () =>
    byUser.size === PROFILES && [...byUser.values()].every(({ length }) => length >= FILMS_PER_USER_MIN);
  const eventsMin = PROFILES * FILMS_PER_PROFILE_MEAN * eventsPerSessionMean;
  while (generator.emitted < eventsMin || !isEnough()) generator.next(PROFILES).forEach(take);
  return [...byUser.values()];
}

/** The fields behind the head, as they stand, without the closing brace. */
function tailOf(event: string): string {
  return event.slice(placesOfFields(event)[HEAD_FIELDS], -1);
}

function filmOf(pieces: PieceTable, shots: readonly Shot[]): Film {
  const scenes = shots.map(({ tail, timeMs }, index) => ({
    fields: Int32Array.from(
      fieldsOf(tail).flatMap((field) => {
        const nameEnd = field.indexOf('":') + 2;
        return [field, field.slice(0, nameEnd), field.slice(nameEnd)].map((text) => pieces.idOf(text));
      }),
    ),
    tailBytes: Buffer.byteLength(tail),
    pauseMs: (shots[index + 1]?.timeMs ?? timeMs) - timeMs,
  }));
  return { scenes, durationMs: shots.at(-1)!.timeMs - shots[0]!.timeMs };
}

function filmsOf(pieces: PieceTable, byProfile: readonly (readonly Film[])[]): Films {
  const profiles = byProfile.map((films) => ({
    films,
    durationMsMean: mean(films.map(({ durationMs }) => durationMs)),
    durationMsMax: Math.max(...films.map(({ durationMs }) => durationMs)),
  }));
  return {
    pieces,
    profiles,
    // each profile is as frequent as any other, whatever number of films it has
    eventsMean: mean(profiles.map(({ films }) => mean(films.map(({ scenes }) => scenes.length)))),
    durationMsMean: mean(profiles.map(({ durationMsMean }) => durationMsMean)),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** `,"a":1,"b":{"c":2}` → `,"a":1` and `,"b":{"c":2}`. */
function fieldsOf(tail: string): string[] {
  const places = [...placesOfFields(tail), tail.length];
  return places.slice(0, -1).map((from, index) => tail.slice(from, places[index + 1]));
}

/** Where fields of the outermost object begin, with the comma before them; the first one of an object has its brace there. */
function placesOfFields(text: string): number[] {
  const places: number[] = text.startsWith('{') ? [0] : [];
  let depth = 0;
  let inText = false;
  const outermost = text.startsWith('{') ? 1 : 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (inText) {
      if (char === '\\') at++;
      else if (char === '"') inText = false;
    } else if (char === '"') inText = true;
    else if (char === '{' || char === '[') depth++;
    else if (char === '}' || char === ']') depth--;
    else if (char === ',' && depth === outermost) places.push(at);
  }
  return places;
}
