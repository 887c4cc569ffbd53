const VARINT_BYTES_MAX = 10;

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

  /** A safe integer that is not negative: seven-bit groups, little ones first. */
  varint(value: number): void {
    this.#reserve(VARINT_BYTES_MAX);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#at++] = rest;
  }

  /** A safe integer: the varint of twice its magnitude, plus one where it is negative. */
  signed(value: number): void {
    const magnitude = Math.abs(value);
    // twice a safe integer need not be one: the first group is made apart
    const first = ((magnitude % 0x40) << 1) | (value < 0 ? 1 : 0);
    const rest = Math.floor(magnitude / 0x40);
    this.#reserve(VARINT_BYTES_MAX);
    this.#bytes[this.#at++] = rest === 0 ? first : first | 0x80;
    if (rest !== 0) this.varint(rest);
  }

  /** UTF-8, behind its length. */
  text(text: string): void {
    this.sized(Buffer.from(text, 'utf8'));
  }

  /** Bytes behind their length. */
  sized(bytes: Uint8Array): void {
    this.varint(bytes.byteLength);
    this.bytes(bytes);
  }

  /** Writes what says how many bytes it takes before it: a u32. */
  framed(write: () => void): void {
    this.u32(0);
    const from = this.#at;
    write();
    this.#bytes.writeUInt32LE(this.#at - from, from - 4);
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
