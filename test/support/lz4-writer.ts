import { xxh32 } from './xxh32.js';

/** LZ4 frames sequence by sequence, so that a test knows their content without a decoder, and wrong ones. */

/** Literals, then a match: `offset` back, taken modulo what there is; null at a block's end. */
export interface Lz4Sequence {
  literals: Uint8Array;
  match: { offset: number; bytes: number } | null;
}

export interface Lz4Block {
  bytes: Uint8Array;
  /** Left as it is, not compressed. */
  stored: boolean;
}

export interface Lz4FrameSpec {
  blocks: Lz4Block[];
  /** 4: 64 KiB, … 7: 4 MiB */
  blockSizeCode?: number;
  linked?: boolean;
  blockChecksums?: boolean;
  /** Adds its checksum. */
  checkedContent?: Uint8Array;
  contentBytes?: number;
  /** Bits for FLG, beside those of the fields above. */
  flags?: number;
}

export function lz4FrameOf(spec: Lz4FrameSpec): Buffer {
  const flags =
    0x40 |
    (spec.linked === true ? 0 : 0x20) |
    (spec.blockChecksums === true ? 0x10 : 0) |
    (spec.contentBytes === undefined ? 0 : 0x08) |
    (spec.checkedContent === undefined ? 0 : 0x04) |
    (spec.flags ?? 0);
  const size = Buffer.alloc(spec.contentBytes === undefined ? 0 : 8);
  if (spec.contentBytes !== undefined) size.writeBigUInt64LE(BigInt(spec.contentBytes));
  const header = Buffer.concat([Buffer.of(flags, (spec.blockSizeCode ?? 4) << 4), size]);
  return Buffer.concat([
    Buffer.of(0x04, 0x22, 0x4d, 0x18),
    header,
    Buffer.of((xxh32(header) >>> 8) & 0xff),
    ...spec.blocks.flatMap(({ bytes, stored }) => [
      u32(stored ? (bytes.length | 0x80000000) >>> 0 : bytes.length),
      bytes,
      spec.blockChecksums === true ? u32(xxh32(bytes)) : Buffer.alloc(0),
    ]),
    u32(0),
    spec.checkedContent === undefined ? Buffer.alloc(0) : u32(xxh32(spec.checkedContent)),
  ]);
}

/** One compressed block and its content; `before` is what a match of a linked block may reach. */
export function lz4BlockOf(
  sequences: readonly Lz4Sequence[],
  before: Uint8Array = new Uint8Array(0),
): { block: Lz4Block; content: Uint8Array } {
  const content = [...before];
  const bytes: number[] = [];
  for (const { literals, match } of sequences) {
    const matchCode = match === null ? 0 : match.bytes - 4;
    bytes.push((Math.min(15, literals.length) << 4) | Math.min(15, matchCode));
    pushLength(bytes, literals.length);
    bytes.push(...literals);
    content.push(...literals);
    if (match === null) continue;
    const offset = 1 + (match.offset % Math.min(65_535, content.length));
    bytes.push(offset & 0xff, offset >> 8);
    pushLength(bytes, matchCode);
    for (let index = 0; index < match.bytes; index++) content.push(content[content.length - offset]!);
  }
  return {
    block: { bytes: Uint8Array.from(bytes), stored: false },
    content: Uint8Array.from(content.slice(before.length)),
  };
}

function pushLength(bytes: number[], length: number): void {
  if (length < 15) return;
  let rest = length - 15;
  for (; rest >= 255; rest -= 255) bytes.push(255);
  bytes.push(rest);
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
