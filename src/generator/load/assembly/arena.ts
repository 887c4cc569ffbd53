/** Memory that is never given back: all of it is reserved before the first record. */

const PAGE_BYTES: usize = 65536;
let end: usize = (__heap_base + 63) & ~63;

/** Zeroed, at a multiple of 64. Traps when there is no memory. */
export function reserve(bytes: u32): usize {
  const at = end;
  end = (at + bytes + 63) & ~63;
  const have = <usize>memory.size() * PAGE_BYTES;
  if (end > have) {
    const pages = (end - have + PAGE_BYTES - 1) / PAGE_BYTES;
    if (memory.grow(<i32>pages) < 0) unreachable();
  }
  return at;
}
