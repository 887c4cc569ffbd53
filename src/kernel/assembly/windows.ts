/**
 * When sessions begin and end, beside what lane.ts sees at once: the lengths of days, and what events say. As
 * src/reference/windows.ts; events of one millisecond (a moment) are never torn apart.
 */
import {
  CLOSED_BY_END_EVENT,
  CLOSED_BY_GAP,
  CLOSED_BY_MAX_DURATION,
  CLOSED_BY_SPLIT,
  EVENT_ENDS,
  EVENT_STARTS,
  NULL_NUMBER_HIGH,
  P_ZONE,
  VALUE_BYTES,
  ZONE_ENTRIES,
  ZONE_ENTRY_BYTES,
} from '../abi';
import { heldOf } from './gap';
import { ENTRY_VALUE } from './intern';
import {
  FLAG_ENDED,
  FLAG_SPLIT,
  FLAG_STARTS,
  NODE_FLAGS,
  NONE,
  REST_END,
  SESSION_FIRST,
  SESSION_REST,
  SESSION_VALUE_BYTES,
  SESSION_VALUES,
} from './lane-layout';
import { changeCount, changePlace, flagsField, maxDurationMs, program } from './model';
import { entrySaid, eventEntries, saysOther } from './log';

const DAY_MS: i64 = 86400000;

/** Where the zone's offsets lie, and how many; 0: no midnights. */
let zone: usize = 0;
let zoneCount: u32 = 0;
/** All times in [dayFrom, dayUntil) have the same midnight behind them. */
let dayFrom: i64 = 0;
let dayUntil: i64 = 0;

export function windowsInit(): void {
  const at = load<u32>(program + P_ZONE);
  zone = at == 0 ? 0 : program + at + ZONE_ENTRIES;
  zoneCount = at == 0 ? 0 : load<u32>(program + at);
}

/** The first time after another that has another local date; i64.MAX_VALUE in a model without midnights. */
// @ts-ignore: decorator
@inline
export function midnightAfter(timeMs: i64): i64 {
  if (zone == 0) return i64.MAX_VALUE;
  return timeMs >= dayFrom && timeMs < dayUntil ? dayUntil : lookUpMidnight(timeMs);
}

function lookUpMidnight(timeMs: i64): i64 {
  let low: u32 = 0;
  let high = zoneCount;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (load<i64>(zone + middle * ZONE_ENTRY_BYTES) <= timeMs) low = middle;
    else high = middle;
  }
  const day = floorDay(timeMs + offsetAt(low));
  let found: i64 = 0;
  while (true) {
    const midnight = (day + 1) * DAY_MS - offsetAt(low);
    const next = low + 1 < zoneCount ? load<i64>(zone + (low + 1) * ZONE_ENTRY_BYTES) : i64.MAX_VALUE;
    if (midnight < next) {
      found = midnight;
      break;
    }
    low++;
    if (floorDay(next + offsetAt(low)) != day) {
      found = next;
      break;
    }
  }
  if (found != dayUntil || timeMs < dayFrom) dayFrom = timeMs;
  dayUntil = found;
  return found;
}

// @ts-ignore: decorator
@inline
function offsetAt(index: u32): i64 {
  return load<i64>(zone + index * ZONE_ENTRY_BYTES + 8);
}

function floorDay(timeMs: i64): i64 {
  return timeMs >= 0 ? timeMs / DAY_MS : -((DAY_MS - 1 - timeMs) / DAY_MS);
}

/** The time by which a session ends at the latest, or NONE. */
// @ts-ignore: decorator
@inline
export function endOf(session: usize): i64 {
  const rest: usize = load<u32>(session + SESSION_REST);
  return rest == 0 ? NONE : load<i64>(rest + REST_END);
}

/** The last time at which an event could belong to a session, or end it, if nothing else lay in between. */
// @ts-ignore: decorator
@inline
export function openUntil(session: usize): i64 {
  const first = load<i64>(session + SESSION_FIRST);
  const limit = min<i64>(heldOf(session), first + maxDurationMs);
  return zone == 0 ? limit : min<i64>(limit, midnightAfter(first) - 1);
}

/** When the watermark passes this, no event that is in time can join the session. */
// @ts-ignore: decorator
@inline
export function closesAfter(session: usize): i64 {
  const end = endOf(session);
  if (end == NONE) return openUntil(session);
  return (load<u32>(session + NODE_FLAGS) & FLAG_SPLIT) == 0 ? end : min<i64>(end, openUntil(session));
}

/** By what it ends then. */
export function closedByOf(session: usize): u32 {
  const end = endOf(session);
  if (end != NONE && (load<u32>(session + NODE_FLAGS) & FLAG_SPLIT) == 0) return CLOSED_BY_END_EVENT;
  const first = load<i64>(session + SESSION_FIRST);
  let closing = heldOf(session);
  let by: u32 = CLOSED_BY_GAP;
  if (first + maxDurationMs < closing) {
    closing = first + maxDurationMs;
    by = CLOSED_BY_MAX_DURATION;
  }
  if (midnightAfter(first) - 1 < closing) {
    closing = midnightAfter(first) - 1;
    by = CLOSED_BY_SPLIT;
  }
  return end != NONE && end < closing ? CLOSED_BY_SPLIT : by;
}

/** EVENT_… of an event's values. */
// @ts-ignore: decorator
@inline
export function flagsOf(values: usize): u32 {
  if (flagsField < 0) return 0;
  const at = values + flagsField * VALUE_BYTES;
  return load<u32>(at + 4) == NULL_NUMBER_HIGH ? 0 : <u32>load<f64>(at);
}

/** The same of an entry in a log. */
// @ts-ignore: decorator
@inline
export function flagsOfEntry(entry: usize): u32 {
  return entry == 0 ? 0 : <u32>load<f64>(entry + ENTRY_VALUE);
}

/** Does what an event says begin a new session behind this one? */
export function isSplitBy(session: usize, values: usize): bool {
  if ((flagsOf(values) & EVENT_STARTS) != 0) return true;
  for (let index: u32 = 0; index < changeCount; index++) {
    const last: usize = load<u32>(session + SESSION_VALUES + index * SESSION_VALUE_BYTES);
    if (last != 0 && saysOther(changePlace(index), values, last)) return true;
  }
  return false;
}

/** Does what the first moment of the next session says begin it? */
export function isSplitFrom(session: usize, next: usize): bool {
  if ((load<u32>(next + NODE_FLAGS) & FLAG_STARTS) != 0) return true;
  for (let index: u32 = 0; index < changeCount; index++) {
    const last = load<u32>(session + SESSION_VALUES + index * SESSION_VALUE_BYTES);
    const first = load<u32>(next + SESSION_VALUES + index * SESSION_VALUE_BYTES + 4);
    if (last != 0 && first != 0 && last != first) return true;
  }
  return false;
}

/** What a session is known to say, after its first event, whose entries lie in `eventEntries`; `flags`: that event's. */
export function sayFirst(session: usize, flags: u32): void {
  setSaid(session, flags & EVENT_ENDS, flags & EVENT_STARTS);
  for (let index: u32 = 0; index < changeCount; index++) {
    const entry = load<u32>(eventEntries + (changePlace(index) << 2));
    const at = session + SESSION_VALUES + index * SESSION_VALUE_BYTES;
    store<u32>(at, entry);
    store<u32>(at + 4, entry);
  }
}

/** After an event behind all others was added. */
export function sayLast(session: usize, values: usize): void {
  const flags = load<u32>(session + NODE_FLAGS);
  setSaid(session, flagsOf(values) & EVENT_ENDS, flags & FLAG_STARTS);
  for (let index: u32 = 0; index < changeCount; index++) {
    const entry = entrySaid(changePlace(index), values);
    if (entry != 0) store<u32>(session + SESSION_VALUES + index * SESSION_VALUE_BYTES, entry);
  }
}

export function setSaid(session: usize, ends: u32, starts: u32): void {
  const flags = load<u32>(session + NODE_FLAGS) & ~(FLAG_ENDED | FLAG_STARTS);
  store<u32>(session + NODE_FLAGS, flags | (ends != 0 ? FLAG_ENDED : 0) | (starts != 0 ? FLAG_STARTS : 0));
}
