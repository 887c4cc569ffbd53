/**
 * Thrift's compact protocol, as far as a Parquet footer needs it: fields in ascending order, each with the step from the one
 * before; numbers as zigzag varints.
 */

const TRUE = 1;
const FALSE = 2;
const BYTE = 3;
const I16 = 4;
const I32 = 5;
const I64 = 6;
const BINARY = 8;
const LIST = 9;
const STRUCT = 12;

export class ThriftWriter {
  #bytes = Buffer.allocUnsafe(4096);
  #end = 0;
  #field = 0;
  /** Of the structs around this one. */
  readonly #fields: number[] = [];

  bool(field: number, value: boolean): void {
    this.#head(field, value ? TRUE : FALSE);
  }

  byte(field: number, value: number): void {
    this.#head(field, BYTE);
    this.#byte(value);
  }

  i16(field: number, value: number): void {
    this.#head(field, I16);
    this.#zigzag(value);
  }

  i32(field: number, value: number): void {
    this.#head(field, I32);
    this.#zigzag(value);
  }

  i64(field: number, value: number): void {
    this.#head(field, I64);
    this.#zigzag(value);
  }

  text(field: number, value: string): void {
    this.binary(field, Buffer.from(value));
  }

  binary(field: number, value: Uint8Array): void {
    this.#head(field, BINARY);
    this.#binary(value);
  }

  struct(field: number, write: () => void): void {
    this.#head(field, STRUCT);
    this.element(write);
  }

  /** A list of so many, each of which `write` puts there. */
  structs(field: number, count: number, write: () => void): void {
    this.#listHead(field, STRUCT, count);
    write();
  }

  texts(field: number, values: readonly string[]): void {
    this.#listHead(field, BINARY, values.length);
    for (const value of values) this.#binary(Buffer.from(value));
  }

  i32s(field: number, values: readonly number[]): void {
    this.#listHead(field, I32, values.length);
    for (const value of values) this.#zigzag(value);
  }

  /** A struct in a list, or the outermost. */
  element(write: () => void): void {
    this.#fields.push(this.#field);
    this.#field = 0;
    write();
    this.#byte(0);
    this.#field = this.#fields.pop()!;
  }

  /** Structs that were written before. */
  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#end);
  }

  #listHead(field: number, type: number, count: number): void {
    this.#head(field, LIST);
    if (count < 15) this.#byte((count << 4) | type);
    else {
      this.#byte(0xf0 | type);
      this.#varint(count);
    }
  }

  #head(field: number, type: number): void {
    this.#byte(((field - this.#field) << 4) | type);
    this.#field = field;
  }

  #binary(value: Uint8Array): void {
    this.#varint(value.length);
    this.raw(value);
  }

  /** Numbers up to 2⁵²: none here is larger. */
  #zigzag(value: number): void {
    this.#varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  #varint(value: number): void {
    this.#room(10);
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#bytes[this.#end++] = (rest % 0x80) | 0x80;
    this.#bytes[this.#end++] = rest;
  }

  #byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#end++] = value;
  }

  #room(bytes: number): void {
    if (this.#end + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#end + bytes));
    this.#bytes.copy(larger, 0, 0, this.#end);
    this.#bytes = larger;
  }
}
