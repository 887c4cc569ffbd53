import { type Data, DataType } from 'apache-arrow';
import { invariant } from '../invariant.js';
import * as layout from '../kernel/columns-layout.js';
import { COLUMN_TYPES } from '../kernel/program.js';
import type { Column } from '../model/types.js';
import type { BuiltColumn } from './built-column.js';
import type { OwnMemory } from './chunk-memory.js';
import { joinedBits, joinedValidity } from './joined-chunks.js';
import { builtColumn } from './kernel-columns.js';
import { fileType } from './schema.js';

/**
 * One column of all files of a merge, in the memory of the Parquet writer, from which rows are taken in any order. Its chunks are
 * copied there one behind the other; what is taken lies where the writer reads it. In JavaScript that took half of a merge's time.
 */
export class GatherSource {
  readonly #memory: OwnMemory;
  readonly #column: Column;
  readonly #source: number;

  /** `chunks` are as the model has the column. What is placed stays until the memory is dropped. */
  constructor(memory: OwnMemory, column: Column, chunks: readonly Data[]) {
    this.#memory = memory;
    this.#column = column;
    this.#source = memory.lend(layout.BUILT_BYTES);
    const placed = this.#place(chunks);
    const view = new DataView(memory.memory.buffer, this.#source, layout.BUILT_BYTES);
    view.setUint32(layout.BUILT_VALIDITY, placed.validity, true);
    view.setUint32(layout.BUILT_VALUES, placed.values, true);
    view.setUint32(layout.BUILT_OFFSETS, placed.offsets, true);
    view.setUint32(layout.BUILT_CHILD_OFFSETS, placed.children, true);
  }

  /** The rows whose numbers are the `rows` u32 at `order`. Good until the memory is dropped. */
  take(order: number, rows: number): BuiltColumn {
    const { exports, memory } = this.#memory;
    const type = COLUMN_TYPES[fileType(this.#column)];
    const out = this.#memory.lend(layout.BUILT_BYTES);
    const bytes = exports.gatherNeeds(out, type, this.#source, order, rows);
    invariant(bytes >= 0, 'rows of a file take more than Arrow reaches', { column: this.#column.name });
    exports.gather(out, type, this.#source, order, rows, this.#memory.lend(bytes));
    return builtColumn(this.#column, memory, out, rows);
  }

  #place(chunks: readonly Data[]): Record<'validity' | 'values' | 'offsets' | 'children', number> {
    const rows = chunks.reduce((sum, { length }) => sum + length, 0);
    const { nullCount, nullBitmap } = joinedValidity(chunks, rows);
    const validity = nullCount > 0 ? this.#memory.place(nullBitmap!) : 0;
    const type = chunks[0]?.type as DataType | undefined;
    if (DataType.isUtf8(type)) return { validity, ...this.#placeTexts(chunks), children: 0 };
    if (DataType.isList(type)) {
      const offsets = this.#placeOffsets(chunks);
      const { values, offsets: children } = this.#placeTexts(chunks.map(({ children: [child] }) => child!));
      return { validity, values, offsets, children };
    }
    const values = DataType.isBool(type)
      ? this.#memory.place(joinedBits(chunks, rows))
      : this.#placeBehind(chunks.map(({ values: own, length }) => (own as Float64Array).subarray(0, length)));
    return { validity, values, offsets: 0, children: 0 };
  }

  #placeTexts(chunks: readonly Data[]): { values: number; offsets: number } {
    const parts = chunks.map(({ values, valueOffsets, length }) => {
      const ends = valueOffsets as Int32Array;
      return (values as Uint8Array).subarray(ends[0], ends[length]);
    });
    return { values: this.#placeBehind(parts), offsets: this.#placeOffsets(chunks) };
  }

  /** From 0 on: each chunk's end is the next one's beginning. */
  #placeOffsets(chunks: readonly Data[]): number {
    const parts = chunks.map(({ valueOffsets, length }) =>
      (valueOffsets as Int32Array).subarray(0, length + 1),
    );
    const at = this.#memory.lend(parts.reduce((sum, { length }) => sum + 4 * (length - 1), 4));
    const { exports, memory } = this.#memory;
    new Uint32Array(memory.buffer, at, 1)[0] = 0;
    let [to, end] = [at, 0];
    for (const part of parts) {
      new Int32Array(memory.buffer, to, part.length).set(part);
      exports.shiftOffsets(to, part.length, end - part[0]!);
      to += 4 * (part.length - 1);
      end += part.at(-1)! - part[0]!;
      invariant(end < 2 ** 31, 'a column of files takes more than Arrow reaches', {
        column: this.#column.name,
      });
    }
    return at;
  }

  #placeBehind(parts: readonly ArrayBufferView[]): number {
    const at = this.#memory.lend(
      parts.reduce((sum, { byteLength }) => sum + byteLength, 0) + READ_AHEAD_BYTES,
    );
    let to = at;
    for (const { buffer, byteOffset, byteLength } of parts) {
      new Uint8Array(this.#memory.memory.buffer, to).set(new Uint8Array(buffer, byteOffset, byteLength));
      to += byteLength;
    }
    return at;
  }
}

/** Texts are copied some bytes at a time, over their end. */
const READ_AHEAD_BYTES = 64;
