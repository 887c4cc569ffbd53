/** Bytes that grow, little-endian. */
export class ByteWriter {
  #bytes = Buffer.alloc(4096);
  #at = 0;

  u32(value: number): void {
    this.#reserve(4);
    this.#at = this.#bytes.writeUInt32LE(value, this.#at);
  }

  f64(value: number): void {
    this.#reserve(8);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  /** UTF-8, behind its length. */
  text(text: string): void {
    // three bytes are the most that a UTF-16 unit becomes
    this.#reserve(4 + text.length * 3);
    const bytes = this.#bytes.write(text, this.#at + 4, 'utf8');
    this.#bytes.writeUInt32LE(bytes, this.#at);
    this.#at += 4 + bytes;
  }

  /** Bytes behind their length. */
  sized(bytes: Uint8Array): void {
    this.u32(bytes.byteLength);
    this.bytes(bytes);
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.byteLength);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.byteLength;
  }

  /** What was written; the writer is not used again. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  #reserve(bytes: number): void {
    if (this.#bytes.length - this.#at >= bytes) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + bytes));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}
