import { gzipSync } from 'node:zlib';
import lz4 from 'lz4-napi';
import type { CODEC_OF } from './batch-builder.js';

/**
 * Record batches as each codec has them. Snappy and zstd as the formats allow at their simplest: everything is literal.
 */
export function compressPayload(codec: keyof typeof CODEC_OF, plain: Uint8Array): Uint8Array {
  switch (codec) {
    case 'none':
      return plain;
    case 'gzip':
      return gzipSync(plain);
    case 'snappy':
      return snappyOf(plain);
    case 'lz4':
      return lz4.compressFrameSync(Buffer.from(plain));
    case 'zstd':
      return zstdOf(plain);
  }
}

const SNAPPY_LITERAL_BYTES_MAX = 2 ** 16;

/** One block, as librdkafka writes it, without the framing of Java's clients. */
function snappyOf(plain: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [uvarint(plain.length)];
  for (let at = 0; at < plain.length; at += SNAPPY_LITERAL_BYTES_MAX) {
    const literal = plain.subarray(at, at + SNAPPY_LITERAL_BYTES_MAX);
    const head = Buffer.of(61 << 2, 0, 0);
    head.writeUInt16LE(literal.length - 1, 1);
    parts.push(head, literal);
  }
  return Buffer.concat(parts);
}

const ZSTD_BLOCK_BYTES_MAX = 2 ** 17;

/** A frame with its content size, of raw blocks, without a checksum. */
function zstdOf(plain: Uint8Array): Uint8Array {
  const head = Buffer.of(0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0);
  head.writeUInt32LE(plain.length, 5);
  const parts: Uint8Array[] = [head];
  let at = 0;
  do {
    const block = plain.subarray(at, at + ZSTD_BLOCK_BYTES_MAX);
    at += block.length;
    const blockHead = Buffer.alloc(3);
    blockHead.writeUIntLE((block.length << 3) | (at === plain.length ? 1 : 0), 0, 3);
    parts.push(blockHead, block);
  } while (at < plain.length);
  return Buffer.concat(parts);
}

function uvarint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
