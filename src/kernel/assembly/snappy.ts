import { FAULT_COMPRESSION } from '../fault';
import { copyLiterals, copyMatch } from './wild-copy';

/**
 * Snappy, raw or in xerial's framing; src/reference/codecs/snappy.ts has the layouts and the words for what is wrong. What
 * is accepted here is accepted there with the same bytes; what is not, the host asks there about.
 *
 * The source is only read, up to 64 bytes behind its end; up to 64 bytes are written behind `dstBytesMax`.
 */

const READ_AHEAD_BYTES: usize = 64;
/** 0x82 S N A P P Y 0, as a little-endian word. */
const XERIAL_MAGIC: u64 = 0x00595050414e5382;
const XERIAL_HEADER_BYTES: usize = 16;
/** Three bytes of a copy give at most 64. */
const GROWTH_MAX_OF_3: u64 = 64;

let blockAt: usize = 0;
/** What the preamble says. */
let blockBytes: u32 = 0;

/** Bytes of the content, with 64 zero bytes behind them, or −FAULT_COMPRESSION. `dst` has room for dstBytesMax + 64. */
export function snappy(src: usize, srcBytes: u32, dst: usize, dstBytesMax: u32): i32 {
  if (<usize>srcBytes < XERIAL_HEADER_BYTES || load<u64>(src) != XERIAL_MAGIC) {
    return snappyBlock(src, srcBytes, dst, dstBytesMax);
  }
  // each side wrote version 1, big endian, since there is xerial's framing
  if (bswap<u32>(load<u32>(src, 12)) != 1) return -FAULT_COMPRESSION;
  const end = src + srcBytes;
  let at = src + XERIAL_HEADER_BYTES;
  let d = dst;
  while (at < end) {
    if (end - at < 4) return -FAULT_COMPRESSION;
    const bytes = bswap<u32>(load<u32>(at));
    at += 4;
    if (bytes > <u32>(end - at)) return -FAULT_COMPRESSION;
    const got = snappyBlock(at, bytes, d, dstBytesMax - <u32>(d - dst));
    if (got < 0) return got;
    d += got;
    at += bytes;
  }
  memory.fill(d, 0, READ_AHEAD_BYTES);
  return <i32>(d - dst);
}

/** The same of one raw block. */
export function snappyBlock(src: usize, srcBytes: u32, dst: usize, dstBytesMax: u32): i32 {
  const end = src + srcBytes;
  if (!readPreamble(src, end)) return -FAULT_COMPRESSION;
  if (blockBytes > dstBytesMax || <u64>blockBytes * 3 > <u64>srcBytes * GROWTH_MAX_OF_3) return -FAULT_COMPRESSION;
  if (!readElements(blockAt, end, dst, dst + blockBytes)) return -FAULT_COMPRESSION;
  memory.fill(dst + blockBytes, 0, READ_AHEAD_BYTES);
  return <i32>blockBytes;
}

/** A varint of 32 bits, little groups first. */
function readPreamble(from: usize, end: usize): bool {
  let value: u64 = 0;
  for (let index: usize = 0; index < 5; index++) {
    if (from + index >= end) return false;
    const byte = <u64>load<u8>(from + index);
    value |= (byte & 0x7f) << (index * 7);
    if (byte < 0x80) {
      blockAt = from + index + 1;
      blockBytes = <u32>value;
      return value <= 0xffffffff;
    }
  }
  return false;
}

/** Literals and copies, which must fill the output exactly. */
function readElements(src: usize, srcEnd: usize, dst: usize, dstEnd: usize): bool {
  let s = src;
  let d = dst;
  while (s < srcEnd) {
    const tag = <usize>load<u8>(s);
    s++;
    let bytes: usize = (tag >> 2) + 1;
    let offset: usize = 0;
    const kind = tag & 3;
    if (kind == 0) {
      if (bytes > 60) {
        const lengthBytes = bytes - 60;
        if (lengthBytes > srcEnd - s) return false;
        const word = load<u32>(s) & (0xffffffff >> ((4 - <u32>lengthBytes) << 3));
        s += lengthBytes;
        // so that adding 1 does not overflow
        if (word == 0xffffffff) return false;
        bytes = <usize>word + 1;
      }
      if (bytes > srcEnd - s || bytes > dstEnd - d) return false;
      copyLiterals(d, s, bytes);
      s += bytes;
      d += bytes;
      continue;
    }
    if (kind == 1) {
      bytes = ((tag >> 2) & 7) + 4;
      offset = ((tag >> 5) << 8) | <usize>load<u8>(s);
      s += 1;
    } else if (kind == 2) {
      offset = <usize>load<u16>(s);
      s += 2;
    } else {
      offset = <usize>load<u32>(s);
      s += 4;
    }
    if (s > srcEnd || offset == 0 || offset > d - dst || bytes > dstEnd - d) return false;
    copyMatch(d, offset, bytes);
    d += bytes;
  }
  return d == dstEnd;
}
