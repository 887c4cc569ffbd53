/**
 * Bytes → one raw snappy block, as snappy's own encoder does it: copies of what was met at the same four bytes, literals
 * between. src/reference/codecs/snappy.ts has the layout.
 */

const COPY_BYTES_MAX = 64;
const OFFSET_MAX = 65_535;

export function compressSnappy(content: Uint8Array): Buffer {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const seen = new Map<number, number>();
  // literals cost at most three bytes for their length, and are at least one apart
  const block = Buffer.allocUnsafe(16 + 4 * content.length);
  let end = putVarint(block, content.length);
  let literalAt = 0;
  for (let at = 0; at + 4 <= content.length; ) {
    const word = view.getUint32(at);
    const from = seen.get(word);
    seen.set(word, at);
    if (from === undefined || at - from > OFFSET_MAX) {
      at++;
      continue;
    }
    let bytes = 4;
    while (
      bytes < COPY_BYTES_MAX &&
      content[from + bytes] === content[at + bytes] &&
      at + bytes < content.length
    )
      bytes++;
    end = putLiteral(block, end, content.subarray(literalAt, at));
    end = putCopy(block, end, at - from, bytes);
    at += bytes;
    literalAt = at;
  }
  end = putLiteral(block, end, content.subarray(literalAt));
  return Buffer.from(block.subarray(0, end));
}

/** Each gives the place behind it. */
function putVarint(block: Buffer, value: number): number {
  let end = 0;
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) block[end++] = (rest % 0x80) | 0x80;
  block[end++] = rest;
  return end;
}

function putLiteral(block: Buffer, from: number, literal: Uint8Array): number {
  if (literal.length === 0) return from;
  const last = literal.length - 1;
  const lengthBytes = last < 60 ? 0 : Math.ceil((32 - Math.clz32(last)) / 8);
  block[from] = (lengthBytes === 0 ? last : 59 + lengthBytes) << 2;
  if (lengthBytes > 0) block.writeUIntLE(last, from + 1, lengthBytes);
  block.set(literal, from + 1 + lengthBytes);
  return from + 1 + lengthBytes + literal.length;
}

function putCopy(block: Buffer, from: number, offset: number, bytes: number): number {
  if (bytes < 12 && offset < 2048) {
    block[from] = 1 | ((bytes - 4) << 2) | ((offset >> 8) << 5);
    block[from + 1] = offset & 0xff;
    return from + 2;
  }
  block[from] = 2 | ((bytes - 1) << 2);
  block.writeUInt16LE(offset, from + 1);
  return from + 3;
}
