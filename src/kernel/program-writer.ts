import * as abi from './abi.js';

/** Grows; places are multiples of 8, zeroed. */
export class ProgramWriter {
  #bytes = Buffer.alloc(4096);
  #at = 0;

  reserve(bytes: number): number {
    const at = this.#at;
    this.#at = at + Math.ceil(bytes / 8) * 8;
    while (this.#at > this.#bytes.length) {
      this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(this.#bytes.length)]);
    }
    return at;
  }

  /** Negative numbers as two's complement. */
  u32(at: number, value: number): void {
    this.#bytes.writeUInt32LE(value >>> 0, at);
  }

  i64(at: number, value: number): void {
    this.#bytes.writeBigInt64LE(BigInt(value), at);
  }

  bytes(at: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, at);
  }

  text(text: string): { at: number; bytes: number } {
    const bytes = Buffer.from(text);
    const at = this.reserve(bytes.length + 32);
    bytes.copy(this.#bytes, at);
    return { at, bytes: bytes.length };
  }

  f64(at: number, value: number): void {
    this.#bytes.writeDoubleLE(value, at);
  }

  /** A number of its own. */
  number(value: number): number {
    const at = this.reserve(8);
    this.f64(at, value);
    return at;
  }

  textSet(texts: readonly string[]): number {
    const at = this.reserve(abi.SET_TEXTS + texts.length * abi.SET_TEXT_BYTES);
    this.u32(at + abi.SET_COUNT, texts.length);
    texts.forEach((each, index) => {
      const text = this.text(each);
      this.u32(at + abi.SET_TEXTS + index * abi.SET_TEXT_BYTES, text.at);
      this.u32(at + abi.SET_TEXTS + index * abi.SET_TEXT_BYTES + 4, text.bytes);
    });
    return at;
  }

  finish(): Uint8Array {
    // so that the last text may be read ahead of
    this.reserve(abi.READ_AHEAD_BYTES);
    this.u32(abi.P_BYTES, this.#at);
    return new Uint8Array(this.#bytes.subarray(0, this.#at));
  }
}
