/**
 * Learned shapes: what one producer's events repeat between their values, e.g. `","timestamp":"`. A node is such a text with
 * what follows it; it knows up to four nodes that came next. Reading is then comparing texts, most often the first.
 *
 *   node  0 text, zeroes behind, 32 bytes │ 32 mask of its bytes │ 36 its bytes u8 │ 37 kind u8 │ 38 field u16
 *         40 object that the value is in │ 44 bits of selected containers in the text │ 48 next nodes, 4 × u32, 0 at the end
 * One cache line. A text longer than 32 bytes is a chain of KIND_PART nodes and one at its end.
 *
 * Why a match needs no further look: a node was made by the walk behind a value of a certain object, and stands only in
 * lists of nodes whose values are in that object. So its text is right there too. Texts that begin in one object and end
 * in another are told apart by the object they end in, the selected containers they meet, and how many brackets they close
 * and open; parts, whose text says none of it, are never shared.
 *
 * Where keys come in random order, next to nothing is ever repeated: shapes then rest for a while (the walk alone reads),
 * are forgotten and learned anew; the rests double up to REST_MAX.
 */
import { reserve } from './memory';
import { KIND_END, KIND_PART, KIND_UNSURE } from './scan-kinds';
import { beginsNumber } from './scan-number';

const N_MASK: usize = 32;
const N_BYTES: usize = 36;
const N_KIND: usize = 37;
const N_FIELD: usize = 38;
const N_OBJECT: usize = 40;
const N_BITS: usize = 44;
const N_NEXT: usize = 48;
const NODE_SHIFT: usize = 6;
const TEXT_BYTES_MAX: u32 = 32;
/** Longer texts are walked each time. */
const CHAIN_BYTES_MAX: u32 = 256;

const NODES_MAX: u32 = 512;
const TABLE_SLOTS: u32 = 1024;

/** An event counts as badly predicted when more than this part of its bytes is walked: one in … */
const WALKED_PART: u32 = 3;
const BAD_MAX: u32 = 48;
const BAD_WEIGHT: u32 = 2;
const REST_MIN: u32 = 256;
const REST_MAX: u32 = 65536;

let nodes: usize = 0;
let table: usize = 0;
let count: u32 = 0;
let full: bool = false;
/** Of badly predicted events, paid off by good ones. */
let bad: u32 = 0;
let rest: u32 = REST_MIN;
let restLeft: u32 = 0;
let turn: u32 = 0;

export function shapesInit(): void {
  nodes = reserve(NODES_MAX << <u32>NODE_SHIFT);
  table = reserve(TABLE_SLOTS * 4);
  forget();
  bad = 0;
  rest = REST_MIN;
  restLeft = 0;
}

function forget(): void {
  memory.fill(nodes, 0, <usize>NODES_MAX << NODE_SHIFT);
  memory.fill(table, 0, TABLE_SLOTS * 4);
  // the first stands for what is not known, the second for a record's start
  count = 2;
  full = false;
}

/** The node behind which nothing is known. */
@inline
export function unknownNode(): usize {
  return nodes;
}

/** The node to begin a record with: unknownNode() while shapes rest. */
@inline
export function firstNode(): usize {
  if (restLeft == 0 && !full) return nodes + (1 << NODE_SHIFT);
  return firstNodeAgain();
}

function firstNodeAgain(): usize {
  if (restLeft != 0 && --restLeft != 0) return nodes;
  forget();
  return nodes + (1 << NODE_SHIFT);
}

@inline
export function shapesRest(): bool {
  return restLeft != 0;
}

/** After each record that was read while shapes do not rest. */
export function countWalked(bytes: u32, walked: u32): void {
  if (walked > bytes / WALKED_PART) countBad();
  else if (bad != 0 && --bad == 0) rest = REST_MIN;
}

function countBad(): void {
  bad += BAD_WEIGHT;
  if (bad < BAD_MAX) return;
  bad = BAD_MAX / 2;
  restLeft = rest;
  rest = min(rest * 2, REST_MAX);
}

/** Mask │ bytes │ kind │ field of a node in one. */
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
export function headField(head: u64): u32 {
  return <u32>(head >> 48);
}

@inline
export function nodeObject(node: usize): usize {
  return load<u32>(node + N_OBJECT);
}

@inline
export function nodeBits(node: usize): u32 {
  return load<u32>(node + N_BITS);
}

/** The likeliest node behind this one, 0: none is known. */
@inline
export function likelyNode(from: usize): usize {
  return load<u32>(from + N_NEXT);
}

/** Does the node's text lie at `at`? Whoever asks sees to it that it ends before the record does. */
@inline
export function isText(node: usize, head: u64, at: usize): bool {
  const mask = <u32>head;
  let same = <u32>i8x16.bitmask(i8x16.eq(v128.load(at), v128.load(node)));
  if (mask > 0xffff) same |= <u32>i8x16.bitmask(i8x16.eq(v128.load(at, 16), v128.load(node, 16))) << 16;
  return (same & mask) == mask;
}

/** The known node behind `from` that fits the text at `at` and what follows it, 0: none. */
export function nextNode(from: usize, at: usize, end: usize): usize {
  for (let place = from + N_NEXT; place < from + N_NEXT + 16; place += 4) {
    const node: usize = load<u32>(place);
    if (node == 0) return 0;
    if (!fits(node, at, end)) continue;
    // what is met more often comes to the front, and a rare one doesn't push it back at once
    if (place != from + N_NEXT && (++turn & 3) == 0) {
      store<u32>(place, load<u32>(place - 4));
      store<u32>(place - 4, <u32>node);
    }
    return node;
  }
  return 0;
}

function fits(node: usize, at: usize, end: usize): bool {
  const head = nodeHead(node);
  const behind = at + headBytes(head);
  if (behind > end || !isText(node, head, at)) return false;
  const kind = headKind(head);
  if (kind < KIND_UNSURE || kind == KIND_PART) return true;
  return kind == KIND_END ? behind == end : beginsNumber(load<u8>(behind));
}

/**
 * Makes a node for what the walk found behind `from`. Returns it, or unknownNode() when it was not learned.
 * The text is `bytes` ≥ 1 at `at`, all of it validated.
 */
export function learn(
  from: usize,
  at: usize,
  bytes: u32,
  kind: u8,
  field: u32,
  object: usize,
  bits: u32,
): usize {
  if (bytes > CHAIN_BYTES_MAX) return nodes;
  const shared = bytes <= TEXT_BYTES_MAX;
  while (bytes > TEXT_BYTES_MAX) {
    if (from == nodes) return nodes;
    let part = known(from, at, TEXT_BYTES_MAX, KIND_PART);
    if (part == 0) {
      part = make(at, TEXT_BYTES_MAX, KIND_PART, 0, 0, 0);
      if (part == 0) return nodes;
      link(from, part);
    }
    from = part;
    at += TEXT_BYTES_MAX;
    bytes -= TEXT_BYTES_MAX;
  }
  let node = shared ? find(at, bytes, kind, object, bits) : known(from, at, bytes, kind);
  if (node == 0) {
    node = make(at, bytes, kind, field, object, bits);
    if (node == 0) return nodes;
    if (shared) remember(node);
  }
  if (from != nodes) link(from, node);
  return node;
}

function make(at: usize, bytes: u32, kind: u8, field: u32, object: usize, bits: u32): usize {
  if (count == NODES_MAX) {
    full = true;
    return 0;
  }
  const node = nodes + ((<usize>count) << NODE_SHIFT);
  count++;
  memory.copy(node, at, bytes);
  store<u32>(node + N_MASK, maskOf(bytes));
  store<u8>(node + N_BYTES, bytes);
  store<u8>(node + N_KIND, kind);
  store<u16>(node + N_FIELD, field);
  store<u32>(node + N_OBJECT, <u32>object);
  store<u32>(node + N_BITS, bits);
  return node;
}

@inline
function maskOf(bytes: u32): u32 {
  return bytes == 32 ? 0xffffffff : (<u32>1 << bytes) - 1;
}

/** Into the list of those that come next; into a full one in place of its last, and not each time. */
function link(from: usize, node: usize): void {
  const last = from + N_NEXT + 12;
  for (let place = from + N_NEXT; place <= last; place += 4) {
    const next = load<u32>(place);
    if (next == <u32>node) return;
    if (next == 0) {
      store<u32>(place, <u32>node);
      return;
    }
  }
  if ((++turn & 7) == 0) store<u32>(last, <u32>node);
}

@inline
function isNode(node: usize, at: usize, bytes: u32, kind: u8): bool {
  if (load<u8>(node + N_BYTES) != bytes || load<u8>(node + N_KIND) != kind) return false;
  return memory.compare(node, at, bytes) == 0;
}

function known(from: usize, at: usize, bytes: u32, kind: u8): usize {
  for (let place = from + N_NEXT; place < from + N_NEXT + 16; place += 4) {
    const node: usize = load<u32>(place);
    if (node == 0) return 0;
    if (isNode(node, at, bytes, kind)) return node;
  }
  return 0;
}

/** The shared node of this text and meaning. The table has twice as many slots as there are nodes. */
function find(at: usize, bytes: u32, kind: u8, object: usize, bits: u32): usize {
  let slot = slotOf(at, bytes);
  while (true) {
    const node: usize = load<u32>(table + (slot << 2));
    if (node == 0) return 0;
    const sameEnd = load<u32>(node + N_OBJECT) == <u32>object && nodeBits(node) == bits;
    if (sameEnd && isNode(node, at, bytes, kind)) return node;
    slot = (slot + 1) & (TABLE_SLOTS - 1);
  }
}

function remember(node: usize): void {
  let slot = slotOf(node, load<u8>(node + N_BYTES));
  while (load<u32>(table + (slot << 2)) != 0) slot = (slot + 1) & (TABLE_SLOTS - 1);
  store<u32>(table + (slot << 2), <u32>node);
}

/** FNV-1a */
function slotOf(at: usize, bytes: u32): u32 {
  let hash: u32 = 0x811c9dc5;
  for (let i: u32 = 0; i < bytes; i++) hash = (hash ^ load<u8>(at + i)) * 0x01000193;
  return (hash ^ (hash >> 15)) & (TABLE_SLOTS - 1);
}
