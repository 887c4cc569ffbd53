/**
 * Writes one LZ4 block from literals and from matches that the caller knows of: no bytes are searched, and what repeats is
 * never written out.
 *
 *   (token │ literal length u8* │ literals │ offset u16 LE │ match length u8*)* │ token │ literal length u8* │ literals
 *
 * A match is held back until what follows is known not to continue it. The literals of a sequence are written at once, with
 * room for the usual one byte of length; other lengths move them.
 */

const OFFSET_MAX = 65_535;
export const MATCH_BYTES_MIN = 4;
/** In a token's half; more is said in bytes behind it. */
const IN_TOKEN_MAX = 14;
const NEVER = 0x7fff_ffff;

export class Lz4Block {
  /** Where the next literal goes: whoever writes there moves `at` and `plain`. */
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  /** Bytes of content so far, of all blocks: a place in an earlier one is never reached. */
  plain = 0;
  /** No match reaches before this. */
  #low = 0;
  #tokenAt = 0;
  #literalsAt = 0;
  #matchBytes = 0;
  #matchOffset = 0;

  /** A block from `at` on. */
  begin(bytes: Uint8Array, at: number): void {
    this.bytes = bytes;
    this.#low = this.plain;
    this.#matchBytes = 0;
    this.#sequence(at);
  }

  /** Must be called before literals are written. */
  literals(): void {
    if (this.#matchBytes > 0) this.#endMatch();
  }

  /** Can a match begin at this place of the content? */
  reaches(place: number): boolean {
    return place >= this.#low && this.plain - place <= OFFSET_MAX;
  }

  /** The content from `place` on again. It must be reached, and have `bytes` there, at least MATCH_BYTES_MIN. */
  match(place: number, bytes: number): void {
    const offset = this.plain - place;
    if (this.#matchBytes > 0 && offset !== this.#matchOffset) this.#endMatch();
    this.#matchOffset = offset;
    this.#matchBytes += bytes;
    this.plain += bytes;
  }

  /** From here on literals only: a block's last match begins 12 bytes before its end, and its last 5 bytes are literals. */
  noMoreMatches(): void {
    this.#low = NEVER;
  }

  /** Returns the place behind the block; behind `noMoreMatches`, 12 literals at least have come. */
  end(): number {
    this.literals();
    this.bytes[this.#tokenAt] = this.#putLiteralLength() << 4;
    return this.at;
  }

  #sequence(at: number): void {
    this.#tokenAt = at;
    this.#literalsAt = at + 2;
    this.at = at + 2;
  }

  #endMatch(): void {
    const { bytes } = this;
    const high = this.#putLiteralLength();
    const offset = this.#matchOffset;
    let at = this.at;
    bytes[at++] = offset & 0xff;
    bytes[at++] = offset >>> 8;
    let length = this.#matchBytes - MATCH_BYTES_MIN;
    if (length <= IN_TOKEN_MAX) bytes[this.#tokenAt] = (high << 4) | length;
    else {
      bytes[this.#tokenAt] = (high << 4) | 15;
      length -= 15;
      for (; length >= 255; length -= 255) bytes[at++] = 255;
      bytes[at++] = length;
    }
    this.#matchBytes = 0;
    this.#sequence(at);
  }

  /** Returns the token's half. */
  #putLiteralLength(): number {
    const { bytes } = this;
    const length = this.at - this.#literalsAt;
    if (length <= IN_TOKEN_MAX) {
      bytes.copyWithin(this.#literalsAt - 1, this.#literalsAt, this.at);
      this.at--;
      return length;
    }
    let rest = length - 15;
    const more = Math.floor(rest / 255);
    if (more > 0) {
      bytes.copyWithin(this.#literalsAt + more, this.#literalsAt, this.at);
      this.at += more;
    }
    let at = this.#tokenAt + 1;
    for (; rest >= 255; rest -= 255) bytes[at++] = 255;
    bytes[at] = rest;
    return 15;
  }
}
