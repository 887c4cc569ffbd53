import assert from 'node:assert/strict';
import { Vector } from 'apache-arrow';
import type { BuiltColumn } from '#src/columnar/built-column.js';
import { type ChunkMemory, KernelMemory } from '#src/columnar/chunk-memory.js';
import { groupByDate } from '#src/columnar/encode.js';
import { columnsOf } from '#src/columnar/kernel-columns.js';
import { Kernel } from '#src/kernel/kernel.js';
import type { CompiledModel, Row } from '#src/model/types.js';
import { encodeRow } from '#src/reference/row-crc.js';

/** Rows in a kernel's memory, as its lanes leave them: canonical bytes, and a table of their addresses for each date. */

const PAGE_BYTES = 65_536;
/** For what the kernel itself takes. */
const SPARE_BYTES = 64 * 2 ** 20;

export type Columns = readonly (BuiltColumn | null)[];

export class KernelRows {
  readonly #model: CompiledModel;
  readonly #kernel: Kernel;
  readonly #groups: { rowPtrs: number; count: number }[];
  /** Of all rows, one after the other. */
  readonly rowBytes: Uint8Array;
  readonly #copy: Uint8Array;

  constructor(model: CompiledModel, rows: readonly Row[]) {
    const groups = [...groupByDate(model, rows).values()];
    const encoded = groups.map((group) => group.map((row) => Buffer.from(encodeRow(model, row))));
    const bytes = Buffer.concat(encoded.flat());
    this.#model = model;
    // rows, columns, blocks of powers of two
    this.#kernel = startKernel(model, 4 * bytes.length + SPARE_BYTES);
    const at = this.#put(bytes);
    this.rowBytes = this.#kernel.slice(at, bytes.length);
    this.#copy = new Uint8Array(bytes.length);
    let next = at;
    this.#groups = encoded.map((group) => {
      const places = group.map((row) => {
        next += row.length;
        return next - row.length;
      });
      const rowPtrs = this.#put(Buffer.from(Uint32Array.from(places).buffer));
      return { rowPtrs, count: group.length };
    });
  }

  /** The columns of each date and the memory that they lie in, good as long as `use` runs. */
  build<T>(use: (columns: Columns, rows: number, memory: ChunkMemory) => T): T[] {
    const { exports, memory, program, chunkReport } = this.#kernel;
    const lent = new KernelMemory(exports, memory, chunkReport);
    return this.#groups.map(({ rowPtrs, count }) => {
      const built = exports.columnsBuild(program, rowPtrs, count) >>> 0;
      assert.ok(built > 1, 'the kernel has no memory for the columns');
      try {
        return use(columnsOf(this.#model, memory, built), count, lent);
      } finally {
        lent.giveBack();
        exports.columnsFree(built);
      }
    });
  }

  copyRows(): Uint8Array {
    this.#copy.set(this.rowBytes);
    return this.#copy;
  }

  #put(bytes: Uint8Array): number {
    const at = this.#kernel.exports.alloc(bytes.length + PAGE_BYTES) >>> 0;
    assert.ok(at > 0, 'the kernel has no memory for the rows');
    this.#kernel.bytes.set(bytes, at);
    return at;
  }
}

function startKernel(model: CompiledModel, bytes: number): Kernel {
  const pages = Math.ceil(bytes / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const never = () => assert.fail('no event is read here');
  return new Kernel({
    memory,
    heapAt: PAGE_BYTES,
    heapBytes: (pages - 1) * PAGE_BYTES,
    model,
    sessionBytesMax: PAGE_BYTES,
    recordBytesMax: PAGE_BYTES,
    seed: 1n,
    host: { decide: never, decideNext: never, late: never, rows: never, kept: never },
  });
}

/** Values by column, null for those of the seal: what stays when the columns are gone. */
export function copyOf(columns: Columns): (unknown[] | null)[] {
  return columns.map((column) => column && Array.from(new Vector([column.data]), plain));
}

/** Throws when the columns' values are not those of the rows. */
export function proveColumns(
  model: CompiledModel,
  rows: readonly Row[],
  groups: readonly (readonly (unknown[] | null)[])[],
): void {
  const sorted = [...groupByDate(model, rows).values()];
  groups.forEach((columns, group) => {
    columns.forEach((values, index) => {
      if (values !== null)
        assert.deepEqual(
          values,
          sorted[group]!.map((row) => plain(row[index])),
          model.columns[index]!.name,
        );
    });
  });
}

/** 64-bit numbers as numbers and lists as arrays, which is exact for the rows of the workload. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Vector) return value.toArray().length === 0 ? [] : [...value];
  return value;
}
