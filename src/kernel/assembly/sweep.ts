/**
 * Lets go of pinned values that nothing refers to any more: marks what the open sessions' logs refer to, then looks through
 * the pools. It costs some 10 ns for each event that is kept, and comes when the pinned values have doubled, so at most as
 * often as that many new ones were seen.
 */
import { internBytes, pinnedBytes, poolOf, unpinUnmarked } from './intern';
import {
  KEY_SESSIONS,
  LANE_MASK,
  LANE_NEXT,
  LANE_PREVIOUS,
  LANE_SLOTS,
  NODE_LATER,
  SESSION_LOG,
  SESSION_LOG_BYTES,
} from './lane-layout';
import { markLog } from './log';
import { loggedCount } from './model';
import { forgetAll } from './snapshot-values';

/** Below it no sweep is worth its while. */
const PINNED_BYTES_MIN: u64 = 4 << 20;

let lanes: usize = 0;
let sweepAtBytes: u64 = PINNED_BYTES_MIN;

export function sweepAddLane(lane: usize): void {
  store<u32>(lane + LANE_NEXT, <u32>lanes);
  store<u32>(lane + LANE_PREVIOUS, 0);
  if (lanes != 0) store<u32>(lanes + LANE_PREVIOUS, <u32>lane);
  lanes = lane;
}

/** With the last lane all values go. */
export function sweepRemoveLane(lane: usize): void {
  const next: usize = load<u32>(lane + LANE_NEXT);
  const previous: usize = load<u32>(lane + LANE_PREVIOUS);
  if (next != 0) store<u32>(next + LANE_PREVIOUS, <u32>previous);
  if (previous != 0) store<u32>(previous + LANE_NEXT, <u32>next);
  else lanes = next;
  if (lanes == 0) sweep();
}

/** Sweeps if there is much to gain. */
// @ts-ignore: decorator
@inline
export function sweepIfDue(): void {
  if (pinnedBytes >= sweepAtBytes) sweep();
}

/** When memory is short: true if something was let go. */
export function sweepForRoom(): bool {
  if (pinnedBytes < sweepAtBytes >> 1) return false;
  const before = internBytes;
  sweep();
  return internBytes < before;
}

export function sweep(): void {
  forgetAll();
  for (let lane = lanes; lane != 0; lane = load<u32>(lane + LANE_NEXT)) markLane(lane);
  for (let place: u32 = 0; place < loggedCount; place++) unpinUnmarked(poolOf(place));
  sweepAtBytes = max<u64>(pinnedBytes << 1, PINNED_BYTES_MIN);
}

function markLane(lane: usize): void {
  const slots: usize = load<u32>(lane + LANE_SLOTS);
  const size = load<u32>(lane + LANE_MASK) + 1;
  for (let place: u32 = 0; place < size; place++) {
    const key: usize = load<u32>(slots + (place << 3) + 4);
    let session: usize = key == 0 ? 0 : load<u32>(key + KEY_SESSIONS);
    while (session != 0) {
      const log: usize = load<u32>(session + SESSION_LOG);
      if (log != 0) markLog(log, load<u32>(session + SESSION_LOG_BYTES));
      session = load<u32>(session + NODE_LATER);
    }
  }
}
