/**
 * Where events are written, byte by byte: one allocation serves some hundred of them, and what repeats is copied
 * instead of being encoded again (events joined as strings and then encoded cost twice the CPU).
 */
const SLAB_BYTES = 256 * 1024;
/** Room that is there when an event begins; none is longer. */
const EVENT_BYTES_MAX = 4096;

const HEX = Buffer.from('0123456789abcdef');
const ZERO = 0x30;
const DASH = 0x2d;

export class Slab {
  #bytes = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #start = 0;
  #at = 0;
  #second = Number.NaN;
  #secondText = Buffer.alloc(0);

  begin(): void {
    if (this.#at + EVENT_BYTES_MAX > SLAB_BYTES) {
      this.#bytes = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#at = 0;
    }
    this.#start = this.#at;
  }

  put(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** A UUID of version 4 from four random words of 32 bits. */
  putUuid(a: number, b: number, c: number, d: number): void {
    this.#hex(a, 0, 8);
    this.#bytes[this.#at++] = DASH;
    this.#hex(b, 0, 4);
    this.#bytes[this.#at++] = DASH;
    this.#hex((b & 0xffff0fff) | 0x4000, 4, 8);
    this.#bytes[this.#at++] = DASH;
    this.#hex((c & 0x3fffffff) | 0x80000000, 0, 4);
    this.#bytes[this.#at++] = DASH;
    this.#hex(c, 4, 8);
    this.#hex(d, 0, 8);
  }

  /** 2026-01-31T12:00:00.000Z; the part before the dot is kept for the events of the same second. */
  putTime(timeMs: number): void {
    const second = Math.floor(timeMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#secondText = Buffer.from(new Date(second * 1000).toISOString().slice(0, 20));
    }
    this.put(this.#secondText);
    const ms = timeMs - second * 1000;
    const hundreds = Math.floor(ms / 100);
    const tens = Math.floor(ms / 10) - 10 * hundreds;
    this.#bytes[this.#at++] = ZERO + hundreds;
    this.#bytes[this.#at++] = ZERO + tens;
    this.#bytes[this.#at++] = ZERO + (ms % 10);
    this.#bytes[this.#at++] = 0x5a;
  }

  /** The event that was begun. */
  end(): Buffer {
    return this.#bytes.subarray(this.#start, this.#at);
  }

  /** Hexadecimal digits `from` to `to` of a word, the highest is 0. */
  #hex(word: number, from: number, to: number): void {
    for (let digit = from; digit < to; digit++) {
      this.#bytes[this.#at++] = HEX[(word >>> (28 - 4 * digit)) & 15]!;
    }
  }
}
