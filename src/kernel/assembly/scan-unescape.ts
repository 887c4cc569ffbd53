/**
 * Strings with escapes. Such a string is written out, as UTF-8, into the scratch region: never longer than it was.
 * A surrogate without its other half becomes U+FFFD, as String.prototype.toWellFormed does.
 */
import { hexAt, simpleEscape } from './scan-escape';
import { plainEnd } from './scan-string';
import { putUtf8, utf8End } from './scan-utf8';

const QUOTE: u32 = 0x22;
const BACKSLASH: u32 = 0x5c;
const REPLACEMENT: u32 = 0xfffd;
/** Copies may write so many bytes too far. */
const SLACK_BYTES: usize = 16;

let scratchStart: usize = 0;
let scratchAt: usize = 0;
let scratchEnd: usize = 0;
/** Where the last string was written to. */
let writtenAt: usize = 0;
let writtenBytes: usize = 0;

export function scratchInit(at: usize, bytes: u32): void {
  scratchStart = at;
  scratchAt = at;
  scratchEnd = at + bytes;
}

export function scratchReset(): void {
  scratchAt = scratchStart;
}

export function scratchPlace(): usize {
  return scratchAt;
}

/** Gives back what was written since. */
export function scratchReturn(place: usize): void {
  scratchAt = place;
}

export function scratchFree(): u32 {
  const left = scratchEnd - scratchAt;
  return left < SLACK_BYTES ? 0 : <u32>(left - SLACK_BYTES);
}

/** A string's value as abi.ts has it: address │ bytes. */
export function writtenString(): u64 {
  return <u64>writtenAt | (<u64>writtenBytes << 32);
}

/**
 * The closing quote of a string that begins at `start` and is not plain at `at`, its value in writtenString(); 0: malformed,
 * or no room for it.
 */
export function oddStringValue(start: usize, at: usize, end: usize): usize {
  let from = start;
  writtenAt = 0;
  while (at < end) {
    const byte: u32 = load<u8>(at);
    if (byte == QUOTE) return finish(start, from, at);
    if (byte == BACKSLASH) {
      if (writtenAt == 0 && !begin(start, end)) return 0;
      copyPlain(from, at);
      at = unescape(at, end);
      from = at;
    } else if (byte >= 0x80) at = utf8End(at, end);
    else return 0;
    if (at == 0) return 0;
    at = plainEnd(at, end);
  }
  return 0;
}

/** So much room that nothing behind has to ask: a string is never longer than what is left of its event. */
function begin(start: usize, end: usize): bool {
  writtenAt = scratchAt;
  writtenBytes = 0;
  return scratchEnd - scratchAt >= end - start + SLACK_BYTES;
}

function finish(start: usize, from: usize, at: usize): usize {
  if (writtenAt == 0) {
    writtenAt = start;
    writtenBytes = at - start;
  } else {
    copyPlain(from, at);
    scratchAt += writtenBytes;
  }
  return at;
}

/** In steps of SLACK_BYTES; memory.copy would be a call into the engine. */
@inline
function copyPlain(from: usize, at: usize): void {
  let to = writtenAt + writtenBytes;
  writtenBytes += at - from;
  for (; from < at; from += SLACK_BYTES, to += SLACK_BYTES) v128.store(to, v128.load(from));
}

function unescape(at: usize, end: usize): usize {
  if (at + 1 >= end) return 0;
  const letter: u32 = load<u8>(at, 1);
  if (letter != 0x75) {
    const byte = simpleEscape(letter);
    store<u8>(writtenAt + writtenBytes++, byte);
    return byte != 0 ? at + 2 : 0;
  }
  let code = hexAt(at, end);
  if (code < 0) return 0;
  at += 6;
  if (code >> 11 == 0x1b) {
    const low = code < 0xdc00 ? lowSurrogateAt(at, end) : -1;
    if (low < 0) code = REPLACEMENT;
    else {
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      at += 6;
    }
  }
  writtenBytes += putUtf8(writtenAt + writtenBytes, code);
  return at;
}

function lowSurrogateAt(at: usize, end: usize): i32 {
  if (at + 6 > end || load<u16>(at) != 0x755c) return -1;
  const code = hexAt(at, end);
  return code >> 10 == 0x37 ? code : -1;
}
