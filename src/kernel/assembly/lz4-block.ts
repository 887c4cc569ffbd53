import { copyLiterals, copyMatch } from './wild-copy';

/**
 * One LZ4 block: (token │ literal bytes u8* │ literals │ offset u16 │ match bytes u8*)*, ending in literals.
 *
 * Reads and writes up to 64 bytes behind `srcEnd` and `dstEnd`; `low` is the first byte that a match may reach.
 */

const MATCH_BYTES_MIN: usize = 4;

/** Where the output ends, or 0: corrupt, or more than fits before `dstEnd`. */
export function lz4Block(src: usize, srcEnd: usize, dst: usize, dstEnd: usize, low: usize): usize {
  let s = src;
  let d = dst;
  while (s < srcEnd) {
    const token = <usize>load<u8>(s);
    s++;
    let bytes = token >> 4;
    if (bytes < 15) {
      // bounds are checked behind the copy: it may write 16 bytes from any place up to the end
      v128.store(d, v128.load(s));
    } else {
      let more: usize = 255;
      while (more == 255) {
        if (s >= srcEnd) return 0;
        more = <usize>load<u8>(s);
        s++;
        bytes += more;
      }
      if (bytes > srcEnd - s || bytes > dstEnd - d) return 0;
      copyLiterals(d, s, bytes);
    }
    s += bytes;
    d += bytes;
    if (s >= srcEnd) return s == srcEnd && d <= dstEnd ? d : 0;
    if (s + 2 > srcEnd) return 0;
    const offset = <usize>load<u16>(s);
    s += 2;
    // half of the matches have a further byte, in no order that a branch could learn
    const isLong = (token & 15) == 15;
    const more = select<usize>(<usize>load<u8>(s), 0, isLong);
    bytes = (token & 15) + MATCH_BYTES_MIN + more;
    s += <usize>isLong;
    if (more == 255) {
      let last: usize = 255;
      while (last == 255) {
        if (s >= srcEnd) return 0;
        last = <usize>load<u8>(s);
        s++;
        bytes += last;
      }
    }
    // d may lie up to 14 bytes behind the end here
    if (offset == 0 || offset > d - low || d > dstEnd || bytes > dstEnd - d) return 0;
    copyMatch(d, offset, bytes);
    d += bytes;
  }
  // nothing is left where a token must be
  return 0;
}
