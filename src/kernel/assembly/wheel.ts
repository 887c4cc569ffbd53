/**
 * When there is something to do with a session (close it, forget it) or an end marker (drop it): a hashed timing wheel for
 * each lane. A node lies in the bucket of the time that was due when it was put there; events that move it on do not touch
 * the wheel, it is put off when its bucket comes. So the watermark touches only what it passes.
 */
import { neededUntil } from './gap';
import { gapMs, latenessMs } from './model';
import {
  FLAG_CLOSED,
  FLAG_MARKER,
  LANE_BUCKET,
  LANE_WHEEL,
  MARKER_TIME,
  NODE_BUCKET,
  NODE_FLAGS,
  NODE_NEXT,
  NODE_PREVIOUS,
  WHEEL_BUCKETS,
} from './lane-layout';
import { closesAfter } from './windows';

/** Of a node that lies in none. */
export const NO_BUCKET: u32 = WHEEL_BUCKETS;

/** Event time that a bucket holds, ms. */
let bucketMs: i64 = 1;

export function wheelInit(): void {
  bucketMs = (gapMs + latenessMs) / (WHEEL_BUCKETS >> 1) + 1;
}

// @ts-ignore: decorator
@inline
export function bucketNumber(timeMs: i64): i64 {
  return timeMs < 0 ? 0 : timeMs / bucketMs;
}

/** When the watermark passes this, there is something to do. */
// @ts-ignore: decorator
@inline
export function dueOf(node: usize): i64 {
  const flags = load<u32>(node + NODE_FLAGS);
  if ((flags & (FLAG_CLOSED | FLAG_MARKER)) == 0) {
    return closesAfter(node);
  }
  if ((flags & FLAG_MARKER) != 0) return load<i64>(node + MARKER_TIME);
  return neededUntil(node) + latenessMs;
}

/** Puts a node into the bucket of its due time, or into the first that is still to come. */
export function link(lane: usize, node: usize): void {
  let bucket = bucketNumber(dueOf(node));
  const first = load<i64>(lane + LANE_BUCKET);
  if (bucket < first) bucket = first;
  const place = <u32>bucket & (WHEEL_BUCKETS - 1);
  const head = <usize>load<u32>(lane + LANE_WHEEL) + (place << 2);
  const next = load<u32>(head);
  store<u32>(node + NODE_PREVIOUS, 0);
  store<u32>(node + NODE_NEXT, next);
  store<u32>(node + NODE_BUCKET, place);
  if (next != 0) store<u32>(<usize>next + NODE_PREVIOUS, <u32>node);
  store<u32>(head, <u32>node);
}

export function unlink(lane: usize, node: usize): void {
  const next = load<u32>(node + NODE_NEXT);
  const previous = load<u32>(node + NODE_PREVIOUS);
  if (next != 0) store<u32>(<usize>next + NODE_PREVIOUS, previous);
  if (previous != 0) store<u32>(<usize>previous + NODE_NEXT, next);
  else store<u32>(<usize>load<u32>(lane + LANE_WHEEL) + (load<u32>(node + NODE_BUCKET) << 2), next);
}

export function relink(lane: usize, node: usize): void {
  unlink(lane, node);
  link(lane, node);
}

/** Does a node lie in another bucket than its due time's? */
// @ts-ignore: decorator
@inline
export function isMisplaced(node: usize, dueMs: i64, place: u32): bool {
  return (<u32>bucketNumber(dueMs) & (WHEEL_BUCKETS - 1)) != place;
}
