/**
 * Learned shapes: what one producer's events repeat between their values, e.g. `","timestamp":"`. A node is such a text with
 * what follows it; it knows up to eight nodes that came next. Reading is then comparing texts, most often the first.
 * A text longer than a node's (scan-node.ts) is a chain of KIND_PART nodes and one at its end. Behind a node that knows no next
 * one comes the node of what is not known, which no event fits.
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
import { firstWay, KIND_END, KIND_PART, KIND_UNSURE, WAY_ANY } from './scan-kinds';
import {
  headBytes,
  headKind,
  isText,
  LENGTH_NONE,
  likelyNode,
  N_BITS,
  N_BYTES,
  N_KIND,
  N_LENGTH,
  N_MASK,
  N_NEXT,
  N_OBJECT,
  N_VALUE,
  N_WAY,
  NEXT_MAX,
  NODE_SHIFT,
  nodeBits,
  nodeHead,
  TEXT_BYTES_MAX,
} from './scan-node';
import { beginsNumber } from './scan-number';

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
  store<u32>(nodes + N_MASK, 0xffffffff);
  store<u8>(nodes + N_BYTES, TEXT_BYTES_MAX);
  store<u8>(nodes + N_KIND, KIND_PART);
  store<u8>(nodes + N_WAY, WAY_ANY);
  store<u32>(nodes + N_NEXT, <u32>nodes);
  store<u32>(nodes + (1 << NODE_SHIFT) + N_NEXT, <u32>nodes);
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

/** The known node behind `from` that fits the text at `at` and what follows it, 0: none. */
export function nextNode(from: usize, at: usize, end: usize): usize {
  const likely = likelyNode(from);
  if (likely <= nodes) return 0;
  return fits(likely, at, end) ? likely : otherNode(from, at, end);
}

/** Where the last step that was not likely began: what otherNode was asked for. */
export let askedNode: usize = 0;
export let askedAt: usize = 0;

@inline
export function ask(from: usize, at: usize): void {
  askedNode = from;
  askedAt = at;
}

/** As nextNode, when it isn't the likeliest. */
export function otherNode(from: usize, at: usize, end: usize): usize {
  ask(from, at);
  let place = from + N_NEXT;
  if (<usize>load<u32>(place) == nodes) return 0;
  while (true) {
    place += 4;
    const node: usize = load<u32>(place);
    if (node == 0) return 0;
    if (!fits(node, at, end)) continue;
    // what is met more often comes to the front, and a rare one doesn't push it back at once
    if ((++turn & 3) == 0) {
      store<u32>(place, load<u32>(place - 4));
      store<u32>(place - 4, <u32>node);
    }
    return node;
  }
}

@inline
function fits(node: usize, at: usize, end: usize): bool {
  const head = nodeHead(node);
  const behind = at + headBytes(head);
  if (behind > end || !isText(node, at)) return false;
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
  value: usize,
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
    node = make(at, bytes, kind, value, object, bits);
    if (node == 0) return nodes;
    if (shared) remember(node);
  }
  if (from != nodes) link(from, node);
  return node;
}

function make(at: usize, bytes: u32, kind: u8, value: usize, object: usize, bits: u32): usize {
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
  store<u8>(node + N_WAY, firstWay(kind));
  store<u8>(node + N_LENGTH, LENGTH_NONE);
  store<u32>(node + N_VALUE, <u32>value);
  store<u32>(node + N_NEXT, <u32>nodes);
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
  const last = from + N_NEXT + ((NEXT_MAX - 1) << 2);
  for (let place = from + N_NEXT; place <= last; place += 4) {
    const next: usize = load<u32>(place);
    if (next == node) return;
    if (next <= nodes) {
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
  let place = from + N_NEXT;
  while (true) {
    const node: usize = load<u32>(place);
    if (node <= nodes) return 0;
    place += 4;
    if (isNode(node, at, bytes, kind)) return node;
  }
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
