import {
  Bool,
  Field,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  List,
  makeData,
  TimestampMicrosecond,
  Utf8,
} from 'apache-arrow';
import { invariant } from '../invariant.js';
import * as layout from '../kernel/columns-layout.js';
import type { Column, CompiledModel } from '../model/types.js';
import type { Bounds, BuiltColumn } from './built-column.js';
import { isSealed } from './encode.js';
import { timeJson } from './numbers.js';
import { fileType, isNullable } from './schema.js';
import { textBounds } from './text-bounds.js';

/**
 * What the kernel's columnsBuild gave → columns for encodeColumns. Nothing is copied: the columns are views of the kernel's
 * memory, good until columnsFree.
 */

/** By column index; null for those that the seal fills in. `at`: the descriptor's address. */
export function columnsOf(
  model: CompiledModel,
  memory: WebAssembly.Memory,
  at: number,
): (BuiltColumn | null)[] {
  const view = new DataView(memory.buffer);
  const rows = view.getUint32(at + layout.COLUMNS_ROWS, true);
  invariant(
    view.getUint32(at + layout.COLUMNS_COUNT, true) === model.columns.length,
    'columns are of another model',
    { model: model.name },
  );
  return model.columns.map((column, index) => {
    if (isSealed(column)) return null;
    const place = at + layout.COLUMNS_HEADER_BYTES + index * layout.BUILT_BYTES;
    return new BuiltReader(view, place, rows).column(column);
  });
}

/** One column by its descriptor, `at` in the memory. */
export function builtColumn(
  column: Column,
  memory: WebAssembly.Memory,
  at: number,
  rows: number,
): BuiltColumn {
  return new BuiltReader(new DataView(memory.buffer), at, rows).column(column);
}

class BuiltReader {
  readonly #view: DataView;
  readonly #at: number;
  readonly #rows: number;

  constructor(view: DataView, at: number, rows: number) {
    this.#view = view;
    this.#at = at;
    this.#rows = rows;
  }

  column(column: Column): BuiltColumn {
    const nullCount = this.#u32(layout.BUILT_NULLS);
    invariant(nullCount === 0 || isNullable(column), 'null in a column that has none', {
      column: column.name,
    });
    return { data: this.#data(column, nullCount), nullCount, bounds: this.#bounds(column) };
  }

  #data(column: Column, nullCount: number): BuiltColumn['data'] {
    const { buffer } = this.#view;
    const length = this.#rows;
    const nullBitmap =
      nullCount === 0
        ? undefined
        : new Uint8Array(buffer, this.#u32(layout.BUILT_VALIDITY), Math.ceil(length / 8));
    const values = this.#u32(layout.BUILT_VALUES);
    switch (fileType(column)) {
      case 'int8': {
        const data = new Int8Array(buffer, values, length);
        return makeData({ type: new Int8(), length, nullCount, nullBitmap, data });
      }
      case 'uint8':
      case 'int16': {
        const data = new Int16Array(buffer, values, length);
        return makeData({ type: new Int16(), length, nullCount, nullBitmap, data });
      }
      case 'uint16':
      case 'int32': {
        const data = new Int32Array(buffer, values, length);
        return makeData({ type: new Int32(), length, nullCount, nullBitmap, data });
      }
      case 'bool': {
        const data = new Uint8Array(buffer, values, Math.ceil(length / 8));
        return makeData({ type: new Bool(), length, nullCount, nullBitmap, data });
      }
      case 'uint32':
      case 'int64':
      case 'uint64': {
        const data = new BigInt64Array(buffer, values, length);
        return makeData({ type: new Int64(), length, nullCount, nullBitmap, data });
      }
      case 'float': {
        const data = new Float64Array(buffer, values, length);
        return makeData({ type: new Float64(), length, nullCount, nullBitmap, data });
      }
      case 'time': {
        const data = new BigInt64Array(buffer, values, length);
        return makeData({ type: new TimestampMicrosecond('UTC'), length, nullCount, nullBitmap, data });
      }
      case 'string':
        return this.#texts(layout.BUILT_OFFSETS, length, nullCount, nullBitmap);
      case 'list<string>': {
        const child = this.#texts(layout.BUILT_CHILD_OFFSETS, this.#u32(layout.BUILT_CHILDREN), 0, undefined);
        const valueOffsets = this.#offsets(layout.BUILT_OFFSETS, length);
        const list = new List(new Field('element', new Utf8(), false));
        return makeData({ type: list, length, nullCount: 0, valueOffsets, child });
      }
    }
  }

  #texts(offsets: number, length: number, nullCount: number, nullBitmap: Uint8Array | undefined) {
    const valueOffsets = this.#offsets(offsets, length);
    const bytes = this.#u32(layout.BUILT_VALUES_BYTES);
    const data = new Uint8Array(this.#view.buffer, this.#u32(layout.BUILT_VALUES), bytes);
    return makeData({ type: new Utf8(), length, nullCount, nullBitmap, valueOffsets, data });
  }

  #offsets(field: number, entries: number): Int32Array {
    return new Int32Array(this.#view.buffer, this.#u32(field), entries + 1);
  }

  #bounds({ type }: Column): Bounds | null {
    if (this.#u32(layout.BUILT_BOUNDS) !== layout.BOUNDS_KNOWN) return null;
    if (type === 'string')
      return textBounds(this.#text(layout.BUILT_LEAST), this.#text(layout.BUILT_GREATEST));
    return { min: this.#number(type, layout.BUILT_LEAST), max: this.#number(type, layout.BUILT_GREATEST) };
  }

  #number(type: Column['type'], field: number): string {
    const at = this.#at + field;
    if (type === 'float') return JSON.stringify(this.#view.getFloat64(at, true));
    const value = this.#view.getBigInt64(at, true);
    return type === 'time' ? timeJson(Number(value)) : String(value);
  }

  #text(field: number): string {
    const at = this.#u32(field);
    return Buffer.from(this.#view.buffer, at, this.#u32(field + 4)).toString();
  }

  #u32(field: number): number {
    return this.#view.getUint32(this.#at + field, true);
  }
}
