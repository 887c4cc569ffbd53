import { type SnappyElement, snappyBlockOf, xerialOf } from './snappy-writer.js';

/** Content as Java's clients send it: framed blocks of 32 KiB, in which what comes again is copied from where it was. */

const BLOCK_BYTES = 32_768;
const COPY_BYTES_MIN = 4;
const COPY_BYTES_MAX = 64;

export function xerialSnappy(content: Uint8Array): Buffer {
  const blocks: Uint8Array[] = [];
  for (let at = 0; at < content.length; at += BLOCK_BYTES) {
    blocks.push(snappyBlockOf(elementsOf(content.subarray(at, at + BLOCK_BYTES))).block);
  }
  return xerialOf(blocks);
}

/** The nearest four bytes that are the same begin a copy, as long as it can be. */
function elementsOf(content: Uint8Array): SnappyElement[] {
  const elements: SnappyElement[] = [];
  const seen = new Map<number, number>();
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  let from = 0;
  const literalUpTo = (end: number) => {
    if (end > from) elements.push({ literal: content.subarray(from, end) });
  };
  for (let at = 0; at + COPY_BYTES_MIN <= content.length; ) {
    const word = view.getUint32(at);
    const source = seen.get(word);
    seen.set(word, at);
    if (source === undefined) {
      at++;
      continue;
    }
    let bytes = COPY_BYTES_MIN;
    while (bytes < COPY_BYTES_MAX && content[source + bytes] === content[at + bytes]) {
      if (at + bytes === content.length) break;
      bytes++;
    }
    literalUpTo(at);
    // the writer adds the one that a distance has at least
    elements.push({ kind: 2, offset: at - source - 1, bytes });
    at += bytes;
    from = at;
  }
  literalUpTo(content.length);
  return elements;
}
