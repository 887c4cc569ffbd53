import { FAULT_COMPRESSION } from '../fault';
import { lz4Block } from './lz4-block';
import { xxh32 } from './xxh32';

/**
 * LZ4 frames; src/reference/lz4-frame.ts has the layout and the words for what is wrong. What is accepted here is accepted
 * there with the same bytes; what is not, the host asks there about.
 *
 * The source is only read, up to 64 bytes behind its end; up to 64 bytes are written behind `dstBytesMax`.
 */

const MAGIC: u32 = 0x184d2204;
const UNCOMPRESSED: u32 = 0x80000000;
const FLAG_VERSION: u32 = 0xc0;
const VERSION: u32 = 0x40;
const FLAG_INDEPENDENT: u32 = 0x20;
const FLAG_BLOCK_CHECKSUM: u32 = 0x10;
const FLAG_CONTENT_SIZE: u32 = 0x08;
const FLAG_CONTENT_CHECKSUM: u32 = 0x04;
/** A reserved bit, and the dictionary's. */
const FLAGS_REFUSED: u32 = 0x03;
const BD_RESERVED: u32 = 0x8f;
/** Magic, FLG, BD, checksum, end mark. */
const FRAME_BYTES_MIN: u32 = 11;
const READ_AHEAD_BYTES: usize = 64;

/** Bytes of the content, with 64 zero bytes behind them, or −FAULT_COMPRESSION. `dst` has room for dstBytesMax + 64. */
export function lz4Frame(src: usize, srcBytes: u32, dst: usize, dstBytesMax: u32): i32 {
  if (srcBytes < FRAME_BYTES_MIN || load<u32>(src) != MAGIC) return -FAULT_COMPRESSION;
  const end = src + srcBytes;
  const flags = <u32>load<u8>(src, 4);
  const descriptor = <u32>load<u8>(src, 5);
  if ((flags & FLAG_VERSION) != VERSION || (flags & FLAGS_REFUSED) != 0) return -FAULT_COMPRESSION;
  if ((descriptor & BD_RESERVED) != 0 || descriptor < 0x40) return -FAULT_COMPRESSION;
  // 64 KiB, and four times as much with each step
  const blockBytesMax: u32 = 1 << (8 + ((descriptor >> 4) << 1));
  const hasSize = (flags & FLAG_CONTENT_SIZE) != 0;
  const headerBytes: usize = hasSize ? 10 : 2;
  const blocks = src + 4 + headerBytes + 1;
  if (<u32>load<u8>(blocks - 1) != ((xxh32(src + 4, headerBytes) >> 8) & 0xff)) return -FAULT_COMPRESSION;
  const tailBytes: usize = (flags & FLAG_CONTENT_CHECKSUM) != 0 ? 4 : 0;
  if (!blocksFit(blocks, end - tailBytes, blockBytesMax, flags, dstBytesMax)) return -FAULT_COMPRESSION;

  const d = readBlocks(blocks, dst, dst + dstBytesMax, blockBytesMax, flags);
  if (d == 0) return -FAULT_COMPRESSION;
  const bytes = d - dst;
  if (hasSize && load<u64>(src, 6) != <u64>bytes) return -FAULT_COMPRESSION;
  if (tailBytes != 0 && load<u32>(end - 4) != xxh32(dst, bytes)) return -FAULT_COMPRESSION;
  memory.fill(d, 0, READ_AHEAD_BYTES);
  return <i32>bytes;
}

/** The blocks and their end mark end exactly at `end`, none is empty, and all of them cannot hold more than the limit. */
function blocksFit(from: usize, end: usize, blockBytesMax: u32, flags: u32, dstBytesMax: u32): bool {
  const checksumBytes: u64 = (flags & FLAG_BLOCK_CHECKSUM) != 0 ? 4 : 0;
  let at = from;
  let bytesMax: u64 = 0;
  while (at < end && end - at >= 4) {
    const size = load<u32>(at);
    at += 4;
    if (size == 0) return at == end && bytesMax <= <u64>dstBytesMax;
    const stored = size & ~UNCOMPRESSED;
    const isStored = stored != size;
    if (stored > blockBytesMax || stored == 0 || (stored == 1 && !isStored)) return false;
    if (<u64>stored + checksumBytes > <u64>(end - at)) return false;
    at += <usize>(<u64>stored + checksumBytes);
    bytesMax += isStored ? <u64>stored : min(<u64>blockBytesMax, <u64>stored * 255);
  }
  return false;
}

/** Where the content ends, or 0. The blocks' bounds were checked. */
function readBlocks(from: usize, dst: usize, dstEnd: usize, blockBytesMax: u32, flags: u32): usize {
  const isLinked = (flags & FLAG_INDEPENDENT) == 0;
  const hasChecksums = (flags & FLAG_BLOCK_CHECKSUM) != 0;
  let at = from;
  let d = dst;
  while (true) {
    const size = load<u32>(at);
    at += 4;
    if (size == 0) return d;
    const stored = <usize>(size & ~UNCOMPRESSED);
    if (hasChecksums && load<u32>(at + stored) != xxh32(at, stored)) return 0;
    if (<u32>stored != size) {
      if (stored > dstEnd - d) return 0;
      memory.copy(d, at, stored);
      d += stored;
    } else {
      const limit = min(d + blockBytesMax, dstEnd);
      d = lz4Block(at, at + stored, d, limit, isLinked ? dst : d);
      if (d == 0) return 0;
    }
    at += stored + (hasChecksums ? 4 : 0);
  }
}
