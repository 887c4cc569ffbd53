import type { Data } from 'apache-arrow';
import { invariant } from '../invariant.js';
import type { Column, RowValue } from '../model/types.js';
import { isNullable } from './schema.js';

/** One column of a data file. */
export interface BuiltColumn {
  data: Data;
  /** `data` has one value, which is every row's. */
  isConstant?: true;
  nullCount: number;
  /** Smallest and largest value as JSON text, for Delta's stats; null where there is none to give. */
  bounds: Bounds | null;
}

/** JSON texts; `max` is null when no upper bound of the allowed length exists. */
export interface Bounds {
  min: string;
  max: string | null;
}

/** Arrow's validity bits: one per row, least significant first, 1 = there. Allocated with the first null. */
export class Validity {
  readonly #column: Column;
  readonly #rows: number;
  #bits: Uint8Array | undefined;
  nullCount = 0;

  constructor(column: Column, rows: number) {
    this.#column = column;
    this.#rows = rows;
  }

  setNull(row: number): void {
    invariant(isNullable(this.#column), 'null in a column that has none', { column: this.#column.name });
    this.#bits ??= new Uint8Array(Math.ceil(this.#rows / 8)).fill(0xff);
    this.#bits[row >> 3]! &= ~(1 << (row & 7));
    this.nullCount++;
  }

  /** What makeData takes. */
  get props(): { nullCount: number; nullBitmap: Uint8Array | undefined } {
    return { nullCount: this.nullCount, nullBitmap: this.#bits };
  }
}

/** A value of another type than its column's is a bug of whoever built the row: typed arrays would wrap it silently. */
export function refuseValue(column: Column, value: RowValue | undefined): never {
  invariant(false, `value does not fit its column's type ${column.type}`, {
    column: column.name,
    value: String(value),
  });
}
