/**
 * The kernel's heap. Small blocks (up to 32 KiB) come from slabs: a page of 64 KiB for blocks of one size, so that what a
 * session gives back is taken by the next of that size, and an empty page by any other. Larger ones are pages.
 *
 *   slab   0 class │ 4 blocks used │ 8 first free block │ 12 end of the blocks ever used │ 16 next page │ 20 previous page
 *          64 blocks …
 * Free blocks are linked through their first four bytes; pages with room are linked by class.
 */
import { PAGE_BYTES, bytesOfPages, givePages, isSlab, orderOf, pagesInit, takePages, takeSlab } from './pages';

const SMALL_BYTES_MAX: u32 = 32768;
const CLASSES: u32 = 144;
const SLAB_HEADER_BYTES: u32 = 64;
const S_CLASS: usize = 0;
const S_USED: usize = 4;
const S_FREE: usize = 8;
const S_END: usize = 12;
const S_NEXT: usize = 16;
const S_PREVIOUS: usize = 20;

/** By class: bytes of a block u32, first page with room u32. */
let classes: usize = 0;
let reserveAt: usize = 0;
let reserveEnd: usize = 0;
/** Bytes of all blocks that are given out. */
let used: u64 = 0;

export function memoryInit(at: usize, end: usize): void {
  pagesInit(at, end);
  classes = reserve(CLASSES * 8);
  for (let c: u32 = 0; c < CLASSES; c++) store<u32>(classes + (c << 3), classBytes(c));
}

/** Permanent memory, zeroed, at a multiple of 64. Traps when there is none: only for start-up. */
export function reserve(bytes: u32): usize {
  const need = (bytes + 63) & ~63;
  if (reserveEnd - reserveAt < need) {
    reserveAt = takePages(orderOf(need));
    if (reserveAt == 0) unreachable();
    reserveEnd = reserveAt + bytesOfPages(reserveAt);
  }
  const at = reserveAt;
  reserveAt += need;
  memory.fill(at, 0, need);
  return at;
}

/** A block of at least so many bytes, at a multiple of 8 (of 64 KiB when larger than 32 KiB); 0 when memory is full. */
export function alloc(bytes: u32): usize {
  if (bytes > SMALL_BYTES_MAX) {
    if (bytes > 0x80000000) return 0;
    const at = takePages(orderOf(bytes));
    if (at != 0) used += bytesOfPages(at);
    return at;
  }
  const c = classOf(bytes);
  const entry = classes + (c << 3);
  const size = load<u32>(entry);
  let page: usize = load<u32>(entry + 4);
  if (page == 0) {
    page = newSlab(c);
    if (page == 0) return 0;
  }
  used += size;
  store<u32>(page + S_USED, load<u32>(page + S_USED) + 1);
  let at: usize = load<u32>(page + S_FREE);
  if (at != 0) {
    store<u32>(page + S_FREE, load<u32>(at));
  } else {
    const end = load<u32>(page + S_END);
    at = page + end;
    store<u32>(page + S_END, end + size);
  }
  if (load<u32>(page + S_FREE) == 0 && load<u32>(page + S_END) + size > PAGE_BYTES) unlinkSlab(page, entry);
  return at;
}

export function free(at: usize): void {
  const page = at & ~(<usize>PAGE_BYTES - 1);
  if (!isSlab(page)) {
    used -= bytesOfPages(at);
    givePages(at);
    return;
  }
  const entry = classes + (load<u32>(page + S_CLASS) << 3);
  const size = load<u32>(entry);
  const wasFull = load<u32>(page + S_FREE) == 0 && load<u32>(page + S_END) + size > PAGE_BYTES;
  used -= size;
  store<u32>(at, load<u32>(page + S_FREE));
  store<u32>(page + S_FREE, <u32>at);
  const left = load<u32>(page + S_USED) - 1;
  store<u32>(page + S_USED, left);
  if (wasFull) linkSlab(page, entry);
  // none is kept for the next block of its size: a hundred such pages, all over the heap, would leave no room for a large one
  if (left == 0) {
    unlinkSlab(page, entry);
    givePages(page);
  }
}

/** What a block really holds. */
export function blockBytes(at: usize): u32 {
  const page = at & ~(<usize>PAGE_BYTES - 1);
  return isSlab(page) ? load<u32>(classes + (load<u32>(page + S_CLASS) << 3)) : bytesOfPages(at);
}

export function memoryUsed(): u64 {
  return used;
}

/** Up to 256 bytes in steps of 8; then sixteen steps for each doubling. */
function classOf(bytes: u32): u32 {
  if (bytes <= 256) return bytes == 0 ? 0 : (bytes - 1) >> 3;
  const bits = 31 - clz(bytes - 1);
  return 32 + ((bits - 8) << 4) + (((bytes - 1) >> (bits - 4)) & 15);
}

function classBytes(c: u32): u32 {
  if (c < 32) return (c + 1) << 3;
  const bits = 8 + ((c - 32) >> 4);
  return ((16 + ((c - 32) & 15) + 1) << (bits - 4));
}

function newSlab(c: u32): usize {
  const page = takeSlab();
  if (page == 0) return 0;
  store<u32>(page + S_CLASS, c);
  store<u32>(page + S_USED, 0);
  store<u32>(page + S_FREE, 0);
  store<u32>(page + S_END, SLAB_HEADER_BYTES);
  linkSlab(page, classes + (c << 3));
  return page;
}

function linkSlab(page: usize, entry: usize): void {
  const head = load<u32>(entry + 4);
  store<u32>(page + S_NEXT, head);
  store<u32>(page + S_PREVIOUS, 0);
  if (head != 0) store<u32>(<usize>head + S_PREVIOUS, <u32>page);
  store<u32>(entry + 4, <u32>page);
}

function unlinkSlab(page: usize, entry: usize): void {
  const next = load<u32>(page + S_NEXT);
  const previous = load<u32>(page + S_PREVIOUS);
  if (next != 0) store<u32>(<usize>next + S_PREVIOUS, previous);
  if (previous != 0) store<u32>(<usize>previous + S_NEXT, next);
  else store<u32>(entry + 4, next);
}
