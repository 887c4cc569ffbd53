/** Copying fewer costs less than another piece. */
const LARGE_BYTES = 4_096;

/** Builds the bytes of a message of Kafka's protocol (big endian). The counterpart of WireReader. */
export class WireWriter {
  readonly #parts: Buffer[] = [];

  int8(value: number): this {
    const part = Buffer.allocUnsafe(1);
    part.writeInt8(value);
    return this.raw(part);
  }

  int16(value: number): this {
    const part = Buffer.allocUnsafe(2);
    part.writeInt16BE(value);
    return this.raw(part);
  }

  int32(value: number): this {
    const part = Buffer.allocUnsafe(4);
    part.writeInt32BE(value);
    return this.raw(part);
  }

  int64(value: bigint): this {
    const part = Buffer.allocUnsafe(8);
    part.writeBigInt64BE(value);
    return this.raw(part);
  }

  boolean(value: boolean): this {
    return this.int8(value ? 1 : 0);
  }

  /** 32 hex digits as 16 bytes. */
  uuid(hex: string): this {
    return this.raw(Buffer.from(hex, 'hex'));
  }

  uvarint(value: number): this {
    const bytes: number[] = [];
    let left = value;
    while (left >= 0x80) {
      bytes.push((left % 0x80) | 0x80);
      left = Math.floor(left / 0x80);
    }
    bytes.push(left);
    return this.raw(Buffer.from(bytes));
  }

  string(value: string): this {
    const text = Buffer.from(value, 'utf8');
    return this.int16(text.length).raw(text);
  }

  compactString(value: string): this {
    const text = Buffer.from(value, 'utf8');
    return this.uvarint(text.length + 1).raw(text);
  }

  array<T>(elements: readonly T[], element: (writer: this, value: T) => void): this {
    this.int32(elements.length);
    for (const value of elements) element(this, value);
    return this;
  }

  compactArray<T>(elements: readonly T[], element: (writer: this, value: T) => void): this {
    this.uvarint(elements.length + 1);
    for (const value of elements) element(this, value);
    return this;
  }

  /** The empty set of tagged fields that ends each structure of a flexible version. */
  noTags(): this {
    return this.uvarint(0);
  }

  raw(bytes: Buffer): this {
    this.#parts.push(bytes);
    return this;
  }

  toBuffer(): Buffer {
    return Buffer.concat(this.#parts);
  }

  /** The same in pieces, as a socket takes them: what is large stays where it is, and what is small lies in one. */
  toPieces(): Buffer[] {
    const pieces: Buffer[] = [];
    let small: Buffer[] = [];
    for (const part of this.#parts) {
      if (part.length < LARGE_BYTES) {
        small.push(part);
        continue;
      }
      if (small.length > 0) pieces.push(Buffer.concat(small));
      small = [];
      pieces.push(part);
    }
    if (small.length > 0) pieces.push(Buffer.concat(small));
    return pieces;
  }
}
