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
