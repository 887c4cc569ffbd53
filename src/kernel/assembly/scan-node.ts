/**
 * A node of the learned shapes: a text that events repeat, and what follows it.
 *
 *   node  0 text, zeroes behind, 32 bytes │ 32 mask of its bytes │ 36 its bytes u8 │ 37 kind u8 │ 38 way u8 │ 39 bytes that
 *         a string is expected to have u8 │ 40 place of the value among an event's │ 44 bits of selected containers in the
 *         text │ 48 next nodes, 8 × u32, 0 behind them │ 84 object that the value is in │ 88 other lengths that came u8
 * What the likely step needs is in one cache line.
 */
import { WAY_FIXED, WAY_SHORT, WAY_SHORT_FIXED, WAY_WIDE } from './scan-kinds';
import { WIDE_BYTES } from './scan-string';

export const N_MASK: usize = 32;
export const N_BYTES: usize = 36;
export const N_KIND: usize = 37;
export const N_WAY: usize = 38;
export const N_LENGTH: usize = 39;
export const N_VALUE: usize = 40;
export const N_BITS: usize = 44;
export const N_NEXT: usize = 48;
export const N_OBJECT: usize = 84;
const N_CHANGES: usize = 88;
export const NODE_SHIFT: usize = 7;
export const NEXT_MAX: usize = 8;
export const TEXT_BYTES_MAX: u32 = 32;

/** How often a node expects another length. */
const CHANGES_MAX: u8 = 4;
/** No string is expected to be so long. */
export const LENGTH_NONE: u8 = 255;

/** Mask │ bytes │ kind │ way │ length of a node in one. */
@inline
export function nodeHead(node: usize): u64 {
  return load<u64>(node + N_MASK);
}

@inline
export function headBytes(head: u64): usize {
  return <usize>(head >> 32) & 0xff;
}

@inline
export function headKind(head: u64): u32 {
  return <u32>(head >> 40) & 0xff;
}

@inline
export function headWay(head: u64): u32 {
  return <u32>(head >> 48) & 0xff;
}

@inline
export function headLength(head: u64): usize {
  return <usize>(head >> 56);
}

@inline
export function nodeValue(node: usize): usize {
  return load<u32>(node + N_VALUE);
}

@inline
export function nodeObject(node: usize): usize {
  return load<u32>(node + N_OBJECT);
}

@inline
export function nodeBits(node: usize): u32 {
  return load<u32>(node + N_BITS);
}

/** The likeliest node behind this one; unknownNode(): none is known. */
@inline
export function likelyNode(from: usize): usize {
  return load<u32>(from + N_NEXT);
}

/** Does the node's text lie at `at`? Whoever asks sees to it that it ends before the record does. */
@inline
export function isText(node: usize, at: usize): bool {
  const mask = load<u32>(node + N_MASK);
  let same = <u32>i8x16.bitmask(i8x16.eq(v128.load(at), v128.load(node)));
  if (mask > 0xffff) same |= <u32>i8x16.bitmask(i8x16.eq(v128.load(at, 16), v128.load(node, 16))) << 16;
  return (~same & mask) == 0;
}

/**
 * Tells a node of a string of so many bytes that its way may not have taken. One that is always as long is expected so: then
 * the next step needn't wait until the end is found. The first few others take that back; what sees a long one stays wide.
 */
export function noteLength(node: usize, head: u64, bytes: usize): void {
  const way = headWay(head);
  const isShort = bytes < 16;
  if (way == WAY_WIDE || (way == WAY_SHORT && isShort)) return;
  const isFixed = way != WAY_SHORT;
  if (isFixed && bytes == headLength(head)) return;
  const changes = load<u8>(node + N_CHANGES);
  const staysFixed = isFixed && changes < CHANGES_MAX && bytes < WIDE_BYTES;
  if (staysFixed) store<u8>(node + N_CHANGES, changes + 1);
  let next = isShort && way != WAY_FIXED ? WAY_SHORT : WAY_WIDE;
  if (staysFixed) next = isShort ? WAY_SHORT_FIXED : WAY_FIXED;
  store<u8>(node + N_WAY, next);
  store<u8>(node + N_LENGTH, staysFixed ? <u8>bytes : 0);
}
