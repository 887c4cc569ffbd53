/** Memory of a lane's sessions, counted for the lane and for all of them. */
import { LANE_SESSION_BYTES } from './lane-layout';
import { alloc, blockBytes, free } from './memory';

/** Bytes of all lanes' sessions, without the values they share. */
export let lanesBytes: u64 = 0;

/** Traps when the heap is full: it is larger than what sessions may take, and that is looked at before. */
export function taken(lane: usize, bytes: u32): usize {
  const at = alloc(bytes);
  if (at == 0) unreachable();
  count(lane, blockBytes(at));
  return at;
}

export function given(lane: usize, at: usize): void {
  uncount(lane, blockBytes(at));
  free(at);
}

// @ts-ignore: decorator
@inline
export function count(lane: usize, bytes: u32): void {
  lanesBytes += bytes;
  store<u64>(lane + LANE_SESSION_BYTES, load<u64>(lane + LANE_SESSION_BYTES) + bytes);
}

// @ts-ignore: decorator
@inline
export function uncount(lane: usize, bytes: u32): void {
  lanesBytes -= bytes;
  store<u64>(lane + LANE_SESSION_BYTES, load<u64>(lane + LANE_SESSION_BYTES) - bytes);
}
