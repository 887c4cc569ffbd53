/**
 * The heap's pages of 64 KiB, given out in powers of two and put together again with their buddies.
 *
 * A table has one byte a page: what begins there. Free blocks are linked through their first bytes (next u32, previous
 * u32), one list an order. A page that was never given out is never touched, so the system has no memory for it.
 */

export const PAGE_BITS: u32 = 16;
export const PAGE_BYTES: u32 = 1 << 16;
/** 2 GiB */
const ORDER_MAX: u32 = 15;

const FREE: u8 = 0x40;
const LARGE: u8 = 0x80;
const SLAB: u8 = 0x20;

let base: usize = 0;
let pages: u32 = 0;
/** Heads of the free lists, u32 by order, and behind them the table. */
let heads: usize = 0;
let table: usize = 0;

/** Takes the memory from `at` to `end`, which is zero; but the last page, so that what is read behind a block is there. */
export function pagesInit(at: usize, end: usize): void {
  base = (at + (PAGE_BYTES - 1)) & ~(<usize>PAGE_BYTES - 1);
  pages = (<u32>(end - base) >> PAGE_BITS) - 1;
  heads = base;
  table = base + 64;
  const own: u32 = (64 + pages + PAGE_BYTES - 1) >> PAGE_BITS;
  // the pages behind our own, in the largest blocks that their places allow
  let page: u32 = own;
  while (page < pages) {
    let order: u32 = ctz(page);
    if (order > ORDER_MAX) order = ORDER_MAX;
    while (page + (<u32>1 << order) > pages) order--;
    push(page, order);
    page += <u32>1 << order;
  }
}

/** A block of 2^order pages, or 0. What is in it is undefined. */
export function takePages(order: u32): usize {
  let from = order;
  while (from <= ORDER_MAX && load<u32>(heads + (from << 2)) == 0) from++;
  if (from > ORDER_MAX) return 0;
  const at: usize = load<u32>(heads + (from << 2));
  const page = pageOf(at);
  unlink(at, from);
  while (from > order) {
    from--;
    push(page + (<u32>1 << from), from);
  }
  store<u8>(table + page, LARGE | <u8>order);
  return at;
}

export function givePages(at: usize): void {
  let page = pageOf(at);
  let order = <u32>(load<u8>(table + page) & 0x1f);
  store<u8>(table + page, 0);
  while (order < ORDER_MAX) {
    const buddy = page ^ (<u32>1 << order);
    if (buddy >= pages || load<u8>(table + buddy) != (FREE | <u8>order)) break;
    unlink(base + (<usize>buddy << PAGE_BITS), order);
    if (buddy < page) page = buddy;
    order++;
  }
  push(page, order);
}

/** The order of pages for a block that is larger than what slabs hold. */
export function orderOf(bytes: u32): u32 {
  if (bytes <= PAGE_BYTES) return 0;
  return 32 - clz((bytes - 1) >> PAGE_BITS);
}

/** A page for small blocks, or 0. */
export function takeSlab(): usize {
  const at = takePages(0);
  if (at != 0) store<u8>(table + pageOf(at), SLAB);
  return at;
}

// @ts-ignore: decorator
@inline
export function isSlab(at: usize): bool {
  return load<u8>(table + pageOf(at)) == SLAB;
}

/** Bytes of a block of pages. */
export function bytesOfPages(at: usize): u32 {
  return PAGE_BYTES << (load<u8>(table + pageOf(at)) & 0x1f);
}

// @ts-ignore: decorator
@inline
function pageOf(at: usize): u32 {
  return <u32>(at - base) >> PAGE_BITS;
}

function push(page: u32, order: u32): void {
  const at = base + (<usize>page << PAGE_BITS);
  const head = load<u32>(heads + (order << 2));
  store<u8>(table + page, FREE | <u8>order);
  store<u32>(at, head);
  store<u32>(at + 4, 0);
  if (head != 0) store<u32>(<usize>head + 4, <u32>at);
  store<u32>(heads + (order << 2), <u32>at);
}

function unlink(at: usize, order: u32): void {
  const next = load<u32>(at);
  const previous = load<u32>(at + 4);
  if (next != 0) store<u32>(<usize>next + 4, previous);
  if (previous != 0) store<u32>(<usize>previous, next);
  else store<u32>(heads + (order << 2), next);
  store<u8>(table + pageOf(at), 0);
}
