/**
 * From value to value. The loop takes the likeliest step by itself and leaves all others to one call: so few variables are
 * alive in it that the engine keeps them in registers.
 */
import {
  KIND_END,
  KIND_PART,
  KIND_STRING,
  KIND_UNSURE,
} from './scan-kinds';
import { beginsNumber } from './scan-number';
import {
  countWalked,
  firstNode,
  headBytes,
  headField,
  headKind,
  isText,
  learn,
  likelyNode,
  nextNode,
  nodeBits,
  nodeHead,
  nodeObject,
  shapesRest,
  unknownNode,
} from './scan-shapes';
import { plainEnd } from './scan-string';
import { readValue } from './scan-values';
import { walkedBits, walkedField, walkedKind, walkedObject, walkToValue } from './scan-walk';

const QUOTE: u32 = 0x22;

let root: usize = 0;
/** Behind the last value that was not met by the loop: its node, and the object that it is in. */
let lastNode: usize = 0;
let lastObject: usize = 0;
/** Bits of the selected containers that the event has had. */
let met: u32 = 0;
/** Bytes of the event that were walked. */
let walked: u32 = 0;
let isEnd: bool = false;

/** `object`: the event's (scan-keys.ts). */
export function stepInit(object: usize): void {
  root = object;
}

/** Reads a whole record. False: undecided. `nulls`: the values of an event that has none. */
export function readValues(at: usize, end: usize, values: usize, nulls: usize): bool {
  const bytes = <u32>(end - at);
  met = 0;
  walked = 0;
  isEnd = false;
  lastObject = 0;
  at = takeSteps(at, end, firstNode(), values, nulls);
  if (!shapesRest()) countWalked(bytes, walked);
  return at != 0;
}

/** The record's end, 0: undecided. */
function takeSteps(at: usize, end: usize, node: usize, values: usize, nulls: usize): usize {
  while (at != 0) {
    const next = likelyNode(node);
    const head = nodeHead(next);
    const value = at + headBytes(head);
    if (next != 0 && isText(next, head, at) && value <= end) {
      const kind = headKind(head);
      const slot = values + (headField(head) << 3);
      if (kind < KIND_UNSURE || (kind < KIND_END && beginsNumber(load<u8>(value)))) {
        if (!meet(nodeBits(next))) return 0;
        node = next;
        if (kind <= KIND_STRING) {
          const quote = plainEnd(value, end);
          if (load<u8>(quote) == QUOTE) {
            at = quote + 1;
            if (kind == KIND_STRING) store<u64>(slot, <u64>value | (<u64>(quote - value) << 32));
            continue;
          }
        }
        at = readValue(value, end, kind, headField(head), values, nulls);
        continue;
      }
      if (kind == KIND_END && value == end) return meet(nodeBits(next)) ? end : 0;
    }
    at = otherStep(node, at, end, values, nulls);
    if (isEnd) return at;
    node = lastNode;
  }
  return 0;
}

/** Any step from behind a value of `node`: along another known node, else by the walk. As takeSteps. */
function otherStep(from: usize, at: usize, end: usize, values: usize, nulls: usize): usize {
  let value = at;
  let node = from;
  let head: u64 = 0;
  do {
    node = nextNode(node, value, end);
    if (node == 0) return walkStep(from, at, end, values, nulls);
    head = nodeHead(node);
    value += headBytes(head);
  } while (headKind(head) == KIND_PART);
  lastNode = node;
  const kind = headKind(head);
  if (!meet(nodeBits(node))) return 0;
  if (kind == KIND_END) isEnd = true;
  return isEnd ? end : readValue(value, end, kind, headField(head), values, nulls);
}

function walkStep(from: usize, at: usize, end: usize, values: usize, nulls: usize): usize {
  const isKnown = from != unknownNode();
  let behind = walkToValue(at, end, isKnown ? nodeObject(from) : lastObject, root);
  if (behind == 0) return 0;
  lastObject = walkedObject;
  lastNode = shapesRest()
    ? unknownNode()
    : learn(from, at, <u32>(behind - at), walkedKind, walkedField, walkedObject, walkedBits);
  if (!meet(walkedBits)) return 0;
  if (walkedKind == KIND_END) isEnd = true;
  else behind = readValue(behind, end, walkedKind, walkedField, values, nulls);
  walked += <u32>(behind - at);
  return behind;
}

/** Notes selected containers. False: one comes twice, and the host must say which counts. */
@inline
function meet(bits: u32): bool {
  if (bits == 0) return true;
  if ((met & bits) != 0) return false;
  met |= bits;
  return true;
}
