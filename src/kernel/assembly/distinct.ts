/** A set of entries for one column of one row: which values a session has already had. Emptied by a new generation. */
import { alloc, free } from './memory';

/** Slots: entry u32 │ generation u32. */
let slots: usize = 0;
let mask: u32 = 0;
let generation: u32 = 0;
const SLOTS_KEPT: u32 = 16384;

/** Begins an empty set for up to `count` entries. */
export function distinctBegin(count: u32): void {
  let size: u32 = 64;
  while (size < count << 1) size <<= 1;
  if (slots == 0 || size > mask + 1 || (mask + 1 > SLOTS_KEPT && size <= SLOTS_KEPT)) {
    if (slots != 0) free(slots);
    slots = alloc(size << 3);
    if (slots == 0) unreachable();
    memory.fill(slots, 0, size << 3);
    mask = size - 1;
    generation = 0;
  }
  generation++;
  if (generation == 0) {
    memory.fill(slots, 0, (mask + 1) << 3);
    generation = 1;
  }
}

/** False: it was there. */
export function distinctAdd(entry: u32): bool {
  let at = ((entry >> 3) * 0x9e3779b1) & mask;
  while (true) {
    const slot = slots + (at << 3);
    if (load<u32>(slot + 4) != generation) {
      store<u32>(slot, entry);
      store<u32>(slot + 4, generation);
      return true;
    }
    if (load<u32>(slot) == entry) return false;
    at = (at + 1) & mask;
  }
}
