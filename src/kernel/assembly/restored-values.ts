/**
 * Values of a snapshot that is read, by the numbers under which it remembers them (src/reference/state-codec.ts). An entry stays while
 * a session has it, and a lane that is restored lets none go.
 *
 *   remembered   by place: values so far u32 │ REMEMBERED_MAX × entry u32, made with the first one
 */
import { REMEMBERED_MAX } from '../../reference/state-layout';
import { LANE_REMEMBERED } from './lane-layout';
import { alloc, free } from './memory';
import { loggedCount } from './model';

const LIST_BYTES: u32 = 4 + (REMEMBERED_MAX << 2);

/** Puts an entry under the next number of a place. False: there are too many. Traps when memory is full. */
export function remember(lane: usize, place: u32, entry: usize): bool {
  const list = listOf(lane, place);
  const count = load<u32>(list);
  if (count == REMEMBERED_MAX) return false;
  store<u32>(list + 4 + (count << 2), <u32>entry);
  store<u32>(list, count + 1);
  return true;
}

/** The entry under a number, or 0: there is none. */
// @ts-ignore: decorator
@inline
export function rememberedAt(lane: usize, place: u32, number: u64): usize {
  const lists: usize = load<u32>(lane + LANE_REMEMBERED);
  const list: usize = lists == 0 ? 0 : load<u32>(lists + (place << 2));
  return list == 0 || number >= <u64>load<u32>(list) ? 0 : load<u32>(list + 4 + (<usize>number << 2));
}

/** The numbers begin anew. */
export function forgetRemembered(lane: usize): void {
  const lists: usize = load<u32>(lane + LANE_REMEMBERED);
  if (lists == 0) return;
  for (let place: u32 = 0; place < loggedCount; place++) {
    const list: usize = load<u32>(lists + (place << 2));
    if (list != 0) store<u32>(list, 0);
  }
}

/** The lane is restored, or goes. */
export function freeRemembered(lane: usize): void {
  const lists: usize = load<u32>(lane + LANE_REMEMBERED);
  if (lists == 0) return;
  for (let place: u32 = 0; place < loggedCount; place++) {
    const list: usize = load<u32>(lists + (place << 2));
    if (list != 0) free(list);
  }
  free(lists);
  store<u32>(lane + LANE_REMEMBERED, 0);
}

function listOf(lane: usize, place: u32): usize {
  let lists: usize = load<u32>(lane + LANE_REMEMBERED);
  if (lists == 0) {
    lists = alloc(loggedCount << 2);
    if (lists == 0) unreachable();
    memory.fill(lists, 0, loggedCount << 2);
    store<u32>(lane + LANE_REMEMBERED, <u32>lists);
  }
  let list: usize = load<u32>(lists + (place << 2));
  if (list == 0) {
    list = alloc(LIST_BYTES);
    if (list == 0) unreachable();
    store<u32>(list, 0);
    store<u32>(lists + (place << 2), <u32>list);
  }
  return list;
}
