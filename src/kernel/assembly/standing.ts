/**
 * Rows of a session that stand in the sinks and may have to be taken back. What a session said when it had its first n
 * events follows from its log, which only grows at its end: such a row is *virtual*, kept as n and the reason it was let out
 * for, and built again when it is wanted. Before the log changes in another way it is made real: a block of its own.
 */
import { P_SIGN_COLUMN } from '../abi';
import { columnAt, MS_PER_DAY, newRow, releaseRow } from './emitted';
import {
  FLAG_CLOSED,
  FLAG_SPLIT,
  NODE_FLAGS,
  NODE_KEY,
  NONE,
  REST_END,
  REST_REVISION,
  REST_ROWS,
  REST_STANDING,
  SESSION_EVENTS,
  SESSION_FIRST,
  SESSION_LOG,
  SESSION_REST,
  STANDING_BYTES,
  STANDING_IDENTITY,
  STANDING_MADE_OF,
  STANDING_ROW,
} from './lane-layout';
import { count, given, taken, uncount } from './lane-memory';
import { blockBytes } from './memory';
import { program } from './model';
import { bufferAt, bufferBegin, bufferBytes } from './row-buffer';
import { buildRow, rowSignAt, rowStartMs } from './row';
import { closedByOf } from './windows';

const EVENT_BITS: u32 = 28;
const EVENTS_MAX: u32 = (1 << EVENT_BITS) - 1;

/**
 * What few sessions need: made when it is. A closed session without it has the row that it was closed with, which is what its
 * events say and its first: that is said now.
 */
export function restOf(lane: usize, session: usize): usize {
  const known: usize = load<u32>(session + SESSION_REST);
  if (known != 0) return known;
  const rest = taken(lane, <u32>REST_ROWS + STANDING_BYTES);
  store<i64>(rest + REST_END, NONE);
  store<u32>(rest + REST_REVISION, 0);
  store<u32>(rest + REST_STANDING, 0);
  const isClosed = (load<u32>(session + NODE_FLAGS) & FLAG_CLOSED) != 0;
  // what it was closed by is asked while it has no end yet
  const closedBy: u32 = isClosed ? closedByOf(session) : 0;
  store<u32>(session + SESSION_REST, <u32>rest);
  if (!isClosed) return rest;
  addVirtual(lane, session, load<i64>(session + SESSION_FIRST), load<u32>(session + SESSION_EVENTS), closedBy);
  store<u32>(rest + REST_REVISION, 1);
  return rest;
}

export function setEnd(lane: usize, session: usize, endMs: i64, bySplit: bool): void {
  const flags = load<u32>(session + NODE_FLAGS);
  store<u32>(session + NODE_FLAGS, bySplit ? flags | FLAG_SPLIT : flags & ~FLAG_SPLIT);
  if (endMs == NONE && load<u32>(session + SESSION_REST) == 0) return;
  store<i64>(restOf(lane, session) + REST_END, endMs);
}

/** The reference to the row is the session's from now on; its bytes are counted by whoever made it stand. */
export function addStanding(lane: usize, session: usize, identityMs: i64, row: u32): void {
  store<u64>(newStanding(lane, session, identityMs) + STANDING_ROW, row);
}

/** Can a row of so many events be virtual? */
// @ts-ignore: decorator
@inline
export function mayBeVirtual(events: u32): bool {
  return events <= EVENTS_MAX;
}

/** The row of the session's first events, with the revision before its next one. It is the only one that stands. */
export function addVirtual(lane: usize, session: usize, identityMs: i64, events: u32, closedBy: u32): void {
  const standing = newStanding(lane, session, identityMs);
  store<u32>(standing + STANDING_ROW, 0);
  store<u32>(standing + STANDING_MADE_OF, madeOf(events, closedBy));
}

/** Is the only row that stands virtual? Of several, none is. */
// @ts-ignore: decorator
@inline
export function standsVirtually(rest: usize): bool {
  return load<u32>(rest + REST_STANDING) == 1 && load<u32>(rest + REST_ROWS + STANDING_ROW) == 0;
}

/** Is the virtual row the one that would be built of so many events now? */
// @ts-ignore: decorator
@inline
export function isMadeOf(rest: usize, events: u32, closedBy: u32): bool {
  return load<u32>(rest + REST_ROWS + STANDING_MADE_OF) == madeOf(events, closedBy);
}

/** Appends the session's virtual row to the row buffer. */
export function buildVirtual(session: usize, rest: usize): void {
  const made = load<u32>(rest + REST_ROWS + STANDING_MADE_OF);
  buildRow(
    load<u32>(session + NODE_KEY),
    load<u32>(session + SESSION_LOG),
    made & EVENTS_MAX,
    made >> EVENT_BITS,
    load<u32>(rest + REST_REVISION) - 1,
    load<i64>(rest + REST_ROWS + STANDING_IDENTITY),
  );
}

/** Before the session's log or its next revision change otherwise than by another event. */
export function makeReal(lane: usize, session: usize): void {
  const isClosed = (load<u32>(session + NODE_FLAGS) & FLAG_CLOSED) != 0;
  const rest = isClosed ? restOf(lane, session) : load<u32>(session + SESSION_REST);
  if (rest == 0 || !standsVirtually(rest)) return;
  bufferBegin();
  buildVirtual(session, rest);
  const row = newRow(bufferAt, bufferBytes, <i32>(rowStartMs / MS_PER_DAY), rowSignAt);
  count(lane, blockBytes(row));
  store<u32>(rest + REST_ROWS + STANDING_ROW, <u32>row);
}

export function dropStanding(lane: usize, rest: usize): void {
  const rows = load<u32>(rest + REST_STANDING);
  for (let index: u32 = 0; index < rows; index++) {
    const row: usize = load<u32>(rest + REST_ROWS + index * STANDING_BYTES + STANDING_ROW);
    if (row == 0) continue;
    uncount(lane, blockBytes(row));
    releaseRow(row);
  }
  store<u32>(rest + REST_STANDING, 0);
}

/** Where a row's sign lies, for a row that comes from a snapshot. */
export function signOf(bytes: usize): u32 {
  return <u32>(columnAt(bytes, load<u32>(program + P_SIGN_COLUMN)) - bytes);
}

// @ts-ignore: decorator
@inline
function madeOf(events: u32, closedBy: u32): u32 {
  return events | (closedBy << EVENT_BITS);
}

function newStanding(lane: usize, session: usize, identityMs: i64): usize {
  const rest = restOf(lane, session);
  const rows = load<u32>(rest + REST_STANDING);
  const bytes = <u32>REST_ROWS + rows * STANDING_BYTES;
  const need = bytes + STANDING_BYTES;
  let larger = rest;
  if (blockBytes(rest) < need) {
    larger = taken(lane, need);
    memory.copy(larger, rest, bytes);
    given(lane, rest);
    store<u32>(session + SESSION_REST, <u32>larger);
  }
  store<u32>(larger + REST_STANDING, rows + 1);
  store<i64>(larger + bytes + STANDING_IDENTITY, identityMs);
  return larger + bytes;
}
