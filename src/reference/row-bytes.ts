import type { Column, CompiledModel, Row, RowValue } from '../model/types.js';
import { FLOAT, INTEGER, LIST, NULL, STRING } from './row-crc.js';

/**
 * Canonical bytes of a row (row-crc.ts has the form) → the row: what two makes of a row are compared by, and how a row that
 * exists only as bytes is looked at. Created_at, batch_id and file_id are not in the bytes and come out as null.
 *
 * Bytes of an engine's own making, never from outside: anything that is not a row of this model throws RangeError.
 */

/** `int64` and `uint64` as bigint, other numbers as number. Throws RangeError. */
export function decodeRow(model: CompiledModel, bytes: Uint8Array): Row {
  const reader = new RowReader(bytes);
  const row = model.columns.map((column): RowValue => {
    const { op } = column.op;
    return op === 'created_at' || op === 'batch_id' || op === 'file_id' ? null : reader.value(column);
  });
  reader.end();
  return row;
}

class RowReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  value(column: Column): RowValue {
    const at = this.#take(1);
    const tag = this.#bytes[at]!;
    if (tag === NULL) return null;
    if (tag !== tagOf(column)) {
      throw new RangeError(`tag ${tag} at byte ${at} is none of ${column.type}, the type of ${column.name}`);
    }
    switch (tag) {
      case FLOAT:
        return this.#bytes.readDoubleLE(this.#take(8));
      case STRING:
        return this.#text();
      case LIST:
        return this.#texts();
    }
    const at8 = this.#take(8);
    const value = this.#bytes.readBigInt64LE(at8);
    switch (column.type) {
      case 'bool':
        return value !== 0n;
      case 'int64':
        return value;
      case 'uint64':
        return this.#bytes.readBigUInt64LE(at8);
      default:
        return Number(value);
    }
  }

  end(): void {
    const left = this.#bytes.length - this.#at;
    if (left > 0) throw new RangeError(`${left} bytes are left behind the row's last column`);
  }

  #texts(): string[] {
    const count = this.#bytes.readUInt32LE(this.#take(4));
    const texts: string[] = [];
    for (let i = 0; i < count; i++) texts.push(this.#text());
    return texts;
  }

  #text(): string {
    const bytes = this.#bytes.readUInt32LE(this.#take(4));
    const from = this.#take(bytes);
    return this.#bytes.toString('utf8', from, from + bytes);
  }

  /** Where the next `bytes` begin. */
  #take(bytes: number): number {
    const at = this.#at;
    if (this.#bytes.length - at < bytes) {
      throw new RangeError(`the row ends at byte ${this.#bytes.length}, ${bytes} more were to come at ${at}`);
    }
    this.#at = at + bytes;
    return at;
  }
}

function tagOf({ type }: Column): number {
  switch (type) {
    case 'float':
      return FLOAT;
    case 'string':
      return STRING;
    case 'list<string>':
      return LIST;
    default:
      return INTEGER;
  }
}
