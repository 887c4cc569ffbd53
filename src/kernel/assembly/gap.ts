/**
 * Until when events hold their session open (src/reference/windows.ts has the meaning). Where all hold it for as long, its last
 * event says it; where a field says it, each session keeps the latest of its events behind its values.
 */
import { NULL_NUMBER_HIGH, VALUE_BYTES } from '../abi';
import { ENTRY_VALUE } from './intern';
import {
  KEY_SESSIONS,
  NODE_KEY,
  NODE_LATER,
  SESSION_BYTES,
  SESSION_LAST,
  SESSION_VALUE_BYTES,
} from './lane-layout';
import { eventEntries } from './log';
import { changeCount, gapDefaultMs, gapField, gapMs, gapPlace, gapUnitMs } from './model';

/** Where it lies in a session, and what a session takes. */
let heldAt: usize = 0;
export let sessionBytes: u32 = 0;

export function gapInit(): void {
  heldAt = SESSION_BYTES + changeCount * SESSION_VALUE_BYTES;
  sessionBytes = <u32>heldAt + (gapField < 0 ? 0 : 8);
}

/** Until when a session is held open. */
// @ts-ignore: decorator
@inline
export function heldOf(session: usize): i64 {
  return gapField < 0 ? load<i64>(session + SESSION_LAST) + gapMs : load<i64>(session + heldAt);
}

/** Until when an event holds its session open. */
// @ts-ignore: decorator
@inline
export function heldBy(timeMs: i64, values: usize): i64 {
  return timeMs + (gapField < 0 ? gapMs : saidBy(values));
}

function saidBy(values: usize): i64 {
  const at = values + gapField * VALUE_BYTES;
  return load<u32>(at + 4) == NULL_NUMBER_HIGH ? gapDefaultMs : bounded(load<f64>(at));
}

/** The same of an event in a log, by what it says there. */
// @ts-ignore: decorator
@inline
export function heldByEntry(timeMs: i64, entry: usize): i64 {
  if (gapField < 0) return timeMs + gapMs;
  return timeMs + (entry == 0 ? gapDefaultMs : bounded(load<f64>(entry + ENTRY_VALUE)));
}

function bounded(said: f64): i64 {
  return <i64>min<f64>(<f64>gapMs, max<f64>(0, floor<f64>(said * gapUnitMs)));
}

/** A session has its first event, whose entries lie in `eventEntries`. */
// @ts-ignore: decorator
@inline
export function holdFirst(session: usize, timeMs: i64): void {
  if (gapField >= 0) store<i64>(session + heldAt, heldByOwn(timeMs));
}

/** It has another one, whose entries lie there. */
// @ts-ignore: decorator
@inline
export function holdEntries(session: usize, timeMs: i64): void {
  if (gapField >= 0) holdUntil(session, heldByOwn(timeMs));
}

/** It has another one, of these values. */
// @ts-ignore: decorator
@inline
export function holdValues(session: usize, timeMs: i64, values: usize): void {
  if (gapField >= 0) holdUntil(session, timeMs + saidBy(values));
}

function heldByOwn(timeMs: i64): i64 {
  return heldByEntry(timeMs, load<u32>(eventEntries + (gapPlace << 2)));
}

function holdUntil(session: usize, heldMs: i64): void {
  if (heldMs > load<i64>(session + heldAt)) store<i64>(session + heldAt, heldMs);
}

/** Until when a session is to be known, or one before it: what follows from earlier events can't be told without later ones. */
// @ts-ignore: decorator
@inline
export function neededUntil(session: usize): i64 {
  return gapField < 0 ? heldOf(session) : neededInKey(session);
}

function neededInKey(session: usize): i64 {
  let needed = heldOf(session);
  let earlier: usize = load<u32>(<usize>load<u32>(session + NODE_KEY) + KEY_SESSIONS);
  for (; earlier != session; earlier = load<u32>(earlier + NODE_LATER)) needed = max<i64>(needed, heldOf(earlier));
  return needed;
}
