/** What a cut does to a lane beside the log: early rows, the end of the input, eviction; and the end of the lane itself. */
import { CLOSED_BY_EARLY, CLOSED_BY_END_OF_INPUT, CLOSED_BY_MEMORY } from '../abi';
import { freeRows } from './emitted';
import { dropIfEmpty, dropPassed, forgetSession, settleLane } from './lane';
import {
  FLAG_CHANGED,
  FLAG_CLOSED,
  KEY_MARKERS,
  KEY_SESSIONS,
  LANE_MASK,
  LANE_ROWS,
  LANE_ROW_COUNT,
  LANE_SLOTS,
  LANE_WHEEL,
  NODE_FLAGS,
  NODE_LATER,
  SESSION_LAST,
} from './lane-layout';
import { given } from './lane-memory';
import { gapField } from './model';
import { emitSession, freeSession } from './session';
import { free } from './memory';
import { freeRemembered } from './restored-values';
import { keepKey, snapshotDrop } from './snapshot-turns';
import { sweepRemoveLane } from './sweep';
import { unlink } from './wheel';

/** Lets all open sessions out, or with `changedOnly` those that have changed since their last row. They go on. */
function emitOpen(lane: usize, closedBy: u32, changedOnly: bool): void {
  const slots: usize = load<u32>(lane + LANE_SLOTS);
  const size = load<u32>(lane + LANE_MASK) + 1;
  for (let place: u32 = 0; place < size; place++) {
    const key: usize = load<u32>(slots + (place << 3) + 4);
    if (key == 0) continue;
    keepKey(lane, key);
    let session: usize = load<u32>(key + KEY_SESSIONS);
    while (session != 0) {
      const flags = load<u32>(session + NODE_FLAGS);
      if ((flags & FLAG_CLOSED) == 0 && (!changedOnly || (flags & FLAG_CHANGED) != 0)) {
        emitSession(lane, session, closedBy, true);
      }
      session = load<u32>(session + NODE_LATER);
    }
  }
}

export function laneEarly(lane: usize): void {
  emitOpen(lane, CLOSED_BY_EARLY, true);
}

export function laneEndOfInput(lane: usize): void {
  emitOpen(lane, CLOSED_BY_END_OF_INPUT, false);
}

/** Sessions whose last event lies before a time are let out if they are open, and forgotten. */
export function laneEvict(lane: usize, beforeMs: i64): void {
  let place: u32 = 0;
  while (place <= load<u32>(lane + LANE_MASK)) {
    const slots: usize = load<u32>(lane + LANE_SLOTS);
    const key: usize = load<u32>(slots + (place << 3) + 4);
    // where a key went, another may have moved up: the place is looked at again, or all of them in a table that shrank
    if (key == 0 || !evictKey(lane, key, beforeMs) || !dropIfEmpty(lane, key)) place++;
    else if (load<u32>(lane + LANE_SLOTS) != <u32>slots) place = 0;
  }
  // what was known because of them is not any more
  if (gapField >= 0) settleLane(lane, true);
}

/** True: a session went. */
function evictKey(lane: usize, key: usize, beforeMs: i64): bool {
  let went = false;
  let session: usize = load<u32>(key + KEY_SESSIONS);
  while (session != 0) {
    const later: usize = load<u32>(session + NODE_LATER);
    if (load<i64>(session + SESSION_LAST) < beforeMs) {
      went = true;
      keepKey(lane, key);
      unlink(lane, session);
      if ((load<u32>(session + NODE_FLAGS) & FLAG_CLOSED) == 0) {
        emitSession(lane, session, CLOSED_BY_MEMORY, false);
      }
      forgetSession(lane, key, session);
    }
    session = later;
  }
  if (went) dropPassed(lane, key);
  return went;
}

/** Gives a lane's memory back, rows under way too. */
export function laneFree(lane: usize): void {
  snapshotDrop(lane);
  freeRemembered(lane);
  const slots: usize = load<u32>(lane + LANE_SLOTS);
  const size = load<u32>(lane + LANE_MASK) + 1;
  for (let place: u32 = 0; place < size; place++) {
    const key: usize = load<u32>(slots + (place << 3) + 4);
    if (key == 0) continue;
    let session: usize = load<u32>(key + KEY_SESSIONS);
    while (session != 0) {
      const later: usize = load<u32>(session + NODE_LATER);
      freeSession(lane, session);
      session = later;
    }
    let marker: usize = load<u32>(key + KEY_MARKERS);
    while (marker != 0) {
      const later: usize = load<u32>(marker + NODE_LATER);
      given(lane, marker);
      marker = later;
    }
    given(lane, key);
  }
  given(lane, slots);
  given(lane, load<u32>(lane + LANE_WHEEL));
  freeRows(load<u32>(lane + LANE_ROWS), load<u32>(lane + LANE_ROW_COUNT));
  sweepRemoveLane(lane);
  free(lane);
}
