/**
 * From value to value. The loop takes the likely steps by itself and leaves all others to calls: so few variables are alive
 * in it that the engine keeps them in registers.
 */
import { FIELD_NONE } from './scan-keys';
import {
  KIND_END,
  KIND_PART,
  WAY_ISO,
  WAY_NUMBER,
  WAY_SHORT,
  WAY_SHORT_FIXED,
  WAY_WIDE,
  WAY_WORD,
} from './scan-kinds';
import {
  headBytes,
  headKind,
  headLength,
  headWay,
  isText,
  likelyNode,
  nodeBits,
  nodeHead,
  nodeObject,
  nodeValue,
  noteLength,
} from './scan-node';
import { quickNumber } from './scan-number';
import {
  ask,
  askedAt,
  askedNode,
  countWalked,
  firstNode,
  learn,
  nextNode,
  otherNode,
  shapesRest,
  unknownNode,
} from './scan-shapes';
import { plainEndFar, stops, testBackslash, testFlip, testLow, WIDE_BYTES, wideStops } from './scan-string';
import { quickTime } from './scan-time';
import { readStringFrom, readValue } from './scan-values';
import { walkedBits, walkedField, walkedKind, walkedObject, walkToValue } from './scan-walk';

const QUOTE: u32 = 0x22;

let root: usize = 0;
/** Where among an event's values what nobody selected goes. */
let unselected: usize = 0;
/** Behind the last value that was not met by the loop: its node, and the object that it is in. */
let lastNode: usize = 0;
let lastObject: usize = 0;
/** Bits of the selected containers that the event has had. */
let met: u32 = 0;
/** Bytes of the event that were walked. */
let walked: u32 = 0;
let isEnd: bool = false;

/** `object`: the event's (scan-keys.ts). */
export function stepInit(object: usize, fields: u32): void {
  root = object;
  unselected = fields << 3;
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

/**
 * The record's end, 0: undecided. Two things make it what it is: the engine writes to memory whatever is alive behind a call,
 * at each turn, even when the call is hardly ever made, so calls take what they need with them; and where a value's length is
 * known beforehand, the next step begins there, not where the end was found, and so needn't wait for it.
 */
function takeSteps(at: usize, end: usize, node: usize, values: usize, nulls: usize): usize {
  const flip = testFlip();
  const low = testLow();
  const backslash = testBackslash();
  // 0 is over any end, too
  while (at - 1 < end) {
    let next = likelyNode(node);
    if (!isText(next, at)) {
      next = otherNode(node, at, end);
      at = askedAt;
      if (next == 0) {
        at = otherStep(askedNode, at, end, values, nulls);
        if (isEnd) return at;
        node = lastNode;
        continue;
      }
    }
    const head = nodeHead(next);
    const value = at + headBytes(head);
    const way = headWay(head);
    if (value <= end) {
      if (way <= WAY_WIDE) {
        if (nodeBits(next) != 0) {
          if (!meet(nodeBits(next))) return 0;
        }
        node = next;
        if (way <= WAY_SHORT_FIXED) {
          const found = stops(v128.load(value), flip, low, backslash);
          if (found != 0) {
            const length = <usize>ctz(found);
            if (way == WAY_SHORT) {
              at = value + length + 1;
              if (load<u8>(value + length) == QUOTE) {
                keepString(values + nodeValue(next), value, length);
                continue;
              }
            } else if (length == headLength(head)) {
              const expected = headLength(head);
              at = value + expected + 1;
              if (load<u8>(value + expected) == QUOTE) {
                keepString(values + nodeValue(next), value, expected);
                continue;
              }
            }
          }
        } else {
          const found = wideStops(value, flip, low, backslash);
          if (found != 0) {
            const length = <usize>ctz(found);
            if (way == WAY_WIDE) {
              at = value + length + 1;
              if (load<u8>(value + length) == QUOTE) {
                keepString(values + nodeValue(next), value, length);
                continue;
              }
            } else if (length == headLength(head)) {
              const expected = headLength(head);
              at = value + expected + 1;
              if (load<u8>(value + expected) == QUOTE) {
                keepString(values + nodeValue(next), value, expected);
                continue;
              }
            }
          } else if (way == WAY_WIDE) {
            at = readFarString(value, value + WIDE_BYTES, end, values + nodeValue(next), headKind(head));
            continue;
          }
        }
        at = readOtherString(node, value, end, values);
        continue;
      }
      if (way <= WAY_NUMBER) {
        ask(node, at);
        at = way == WAY_ISO ? quickTime(value, values + nodeValue(next)) : quickNumber(value, values + nodeValue(next));
        if (at != 0) {
          node = next;
          if (!meet(nodeBits(next))) return 0;
          continue;
        }
        node = askedNode;
        at = askedAt;
      } else if (way == WAY_WORD) {
        if (!meet(nodeBits(next))) return 0;
        node = next;
        store<u64>(values + nodeValue(next), load<u64>(nulls + nodeValue(next)));
        at = value;
        continue;
      } else if (headKind(head) == KIND_END) {
        if (value == end) return meet(nodeBits(next)) ? end : 0;
      }
    }
    at = otherStep(node, at, end, values, nulls);
    if (isEnd) return at;
    node = lastNode;
  }
  return 0;
}

@inline
function keepString(value: usize, at: usize, bytes: usize): void {
  store<u64>(value, <u64>at | (<u64>bytes << 32));
}

/** A string that the way of its node doesn't take; the node hears of it. As readValue. */
function readOtherString(node: usize, at: usize, end: usize, values: usize): usize {
  const head = nodeHead(node);
  const behind = readFarString(at, at, end, values + nodeValue(node), headKind(head));
  if (behind != 0) noteLength(node, head, behind - 1 - at);
  return behind;
}

function readFarString(start: usize, at: usize, end: usize, value: usize, kind: u32): usize {
  return readStringFrom(start, plainEndFar(at, end), end, value, kind);
}

/** Any step from behind a value of `node`: along a known node, else by the walk. As takeSteps. */
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
  return isEnd ? end : readValue(value, end, kind, nodeValue(node), values, nulls);
}

function walkStep(from: usize, at: usize, end: usize, values: usize, nulls: usize): usize {
  const isKnown = from != unknownNode();
  let behind = walkToValue(at, end, isKnown ? nodeObject(from) : lastObject, root);
  if (behind == 0) return 0;
  lastObject = walkedObject;
  const value = walkedField == FIELD_NONE ? unselected : <usize>walkedField << 3;
  lastNode = shapesRest()
    ? unknownNode()
    : learn(from, at, <u32>(behind - at), walkedKind, value, walkedObject, walkedBits);
  if (!meet(walkedBits)) return 0;
  if (walkedKind == KIND_END) isEnd = true;
  else behind = readValue(behind, end, walkedKind, value, values, nulls);
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
