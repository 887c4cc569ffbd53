const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads forward, little-endian, never behind the end: throws Error there. */
export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes not yet read. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  u32(): number {
    return this.#bytes.readUInt32LE(this.#skip(4));
  }

  f64(): number {
    return this.#bytes.readDoubleLE(this.#skip(8));
  }

  /** A whole number from 0 to 2⁵³ − 1, in seven-bit groups, little ones first. */
  varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = this.#bytes[this.#skip(1)]!;
      value += (byte & 0x7f) * factor;
      if (!Number.isSafeInteger(value)) throw new Error('a number that is too large');
      if (byte < 0x80) return value;
    }
  }

  /** A whole number within ±(2⁵³ − 1), as ByteWriter.signed writes it. */
  signed(): number {
    const first = this.#bytes[this.#skip(1)]!;
    const rest = first < 0x80 ? 0 : this.varint();
    const magnitude = rest * 0x40 + ((first & 0x7f) >> 1);
    if (!Number.isSafeInteger(magnitude)) throw new Error('a number that is too large');
    if ((first & 1) === 0) return magnitude;
    if (magnitude === 0) throw new Error('a number that is none');
    return -magnitude;
  }

  /** What lies in so many bytes, and nothing else does. */
  within<T>(bytes: number, read: () => T): T {
    const end = this.left - bytes;
    if (end < 0) throw new Error('it is cut off');
    const value = read();
    if (this.left !== end) throw new Error('a part with another length than it says');
    return value;
  }

  /** A view. */
  take(bytes: number): Buffer {
    const at = this.#skip(bytes);
    return this.#bytes.subarray(at, at + bytes);
  }

  /** Throws for what is not UTF-8. */
  text(bytes: number): string {
    try {
      return UTF8.decode(this.take(bytes));
    } catch (error) {
      if (error instanceof TypeError) throw new Error('a text that is not UTF-8');
      throw error;
    }
  }

  end(): void {
    if (this.left > 0) throw new Error(`${this.left} bytes behind its end`);
  }

  #skip(bytes: number): number {
    if (bytes > this.left) throw new Error('it is cut off');
    this.#at += bytes;
    return this.#at - bytes;
  }
}
