import { HeadraceError } from '../../errors.js';
import { ByteSlices } from './byte-slices.js';

/** More tagged fields than this in one place is nonsense: brokers send a handful. */
const TAGGED_FIELDS_MAX = 64;

/**
 * A cursor over the bytes of a response, which may lie in many chunks.
 *
 * Invariants: nothing is read behind the end; every length and count is compared with the bytes that remain before it
 * is used, so that an announced size never allocates anything. Whatever does not fit is KAFKA_PROTOCOL.
 */
export class WireReader {
  readonly #chunks: readonly Buffer[];
  readonly #source: string;
  readonly #scratch = Buffer.allocUnsafe(8);
  #chunk = 0;
  #at = 0;
  #remaining: number;

  constructor(bytes: ByteSlices, source: string) {
    this.#chunks = bytes.chunks;
    this.#remaining = bytes.length;
    this.#source = source;
  }

  get remaining(): number {
    return this.#remaining;
  }

  int8(): number {
    const [bytes, at] = this.#take(1);
    return bytes.readInt8(at);
  }

  int16(): number {
    const [bytes, at] = this.#take(2);
    return bytes.readInt16BE(at);
  }

  int32(): number {
    const [bytes, at] = this.#take(4);
    return bytes.readInt32BE(at);
  }

  int64(): bigint {
    const [bytes, at] = this.#take(8);
    return bytes.readBigInt64BE(at);
  }

  boolean(): boolean {
    return this.int8() !== 0;
  }

  /** 16 bytes as 32 hex digits. */
  uuid(): string {
    return this.#joined(16).toString('hex');
  }

  /** Unsigned varint of at most 32 bits. */
  uvarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.int8() & 0xff;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        if (value > 0xffff_ffff) break;
        return value;
      }
    }
    throw this.error('a varint longer than 32 bits');
  }

  string(): string {
    return this.nullableString() ?? this.#fail('a string is null that may not be');
  }

  nullableString(): string | null {
    const length = this.int16();
    return length === -1 ? null : this.#text(length);
  }

  compactString(): string {
    return this.compactNullableString() ?? this.#fail('a string is null that may not be');
  }

  compactNullableString(): string | null {
    const length = this.uvarint() - 1;
    return length === -1 ? null : this.#text(length);
  }

  /** Elements of an array; null counts as none. Each one takes at least `elementBytesMin`. */
  array<T>(elementBytesMin: number, element: () => T): T[] {
    const count = this.int32();
    return count === -1 ? [] : this.#elements(count, elementBytesMin, element);
  }

  compactArray<T>(elementBytesMin: number, element: () => T): T[] {
    const count = this.uvarint() - 1;
    return count === -1 ? [] : this.#elements(count, elementBytesMin, element);
  }

  /** Bytes with a 32-bit length in front, not copied; null counts as none. */
  bytes(): ByteSlices {
    const length = this.int32();
    return length === -1 ? this.slice(0) : this.slice(length);
  }

  /** The next `length` bytes, not copied. */
  slice(length: number): ByteSlices {
    return new ByteSlices(this.#pieces(length), length);
  }

  skip(length: number): void {
    this.#need(length);
    this.#walk(length, () => undefined);
  }

  /** Tagged fields of a flexible version: none of them is known here. */
  skipTags(): void {
    const count = this.uvarint();
    if (count > TAGGED_FIELDS_MAX) throw this.error(`${count} tagged fields`);
    for (let i = 0; i < count; i++) {
      this.uvarint();
      this.skip(this.uvarint());
    }
  }

  /** Bytes behind the last field mean that the response was read by another layout than it was written. */
  end(): void {
    if (this.#remaining > 0) throw this.error(`${this.#remaining} bytes too many`);
  }

  error(what: string): HeadraceError {
    return new HeadraceError('KAFKA_PROTOCOL', `malformed ${this.#source}: ${what}`);
  }

  #fail(what: string): never {
    throw this.error(what);
  }

  #text(length: number): string {
    return this.#joined(length).toString('utf8');
  }

  /** Small fields only: a copy when they lie in more than one chunk. */
  #joined(length: number): Buffer {
    const pieces = this.#pieces(length);
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  }

  #pieces(length: number): Buffer[] {
    this.#need(length);
    const pieces: Buffer[] = [];
    this.#walk(length, (chunk, from, to) => pieces.push(chunk.subarray(from, to)));
    return pieces;
  }

  #elements<T>(count: number, elementBytesMin: number, element: () => T): T[] {
    if (count < 0 || count * elementBytesMin > this.#remaining) {
      throw this.error(`${count} elements announced with ${this.#remaining} bytes left`);
    }
    const elements: T[] = [];
    for (let i = 0; i < count; i++) elements.push(element());
    return elements;
  }

  #need(length: number): void {
    if (length < 0 || length > this.#remaining) {
      throw this.error(`${length} bytes announced with ${this.#remaining} left`);
    }
  }

  /** Where the next `length` ≤ 8 bytes lie in one piece; the cursor moves behind them. */
  #take(length: number): [Buffer, number] {
    this.#need(length);
    const chunk = this.#chunks[this.#chunk]!;
    if (chunk.length - this.#at >= length) {
      const at = this.#at;
      this.#at += length;
      this.#remaining -= length;
      return [chunk, at];
    }
    let filled = 0;
    this.#walk(length, (part, from, to) => {
      part.copy(this.#scratch, filled, from, to);
      filled += to - from;
    });
    return [this.#scratch, 0];
  }

  /** Moves the cursor over `length` bytes and shows the pieces. The caller has checked that they are there. */
  #walk(length: number, piece: (chunk: Buffer, from: number, to: number) => void): void {
    let left = length;
    while (left > 0) {
      const chunk = this.#chunks[this.#chunk]!;
      const to = Math.min(chunk.length, this.#at + left);
      if (to > this.#at) piece(chunk, this.#at, to);
      left -= to - this.#at;
      this.#at = to;
      if (to === chunk.length) {
        this.#chunk += 1;
        this.#at = 0;
      }
    }
    this.#remaining -= length;
  }
}
