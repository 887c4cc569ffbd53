import { type EncodedFile, encodeColumns, encodeRows, type Seal } from '#src/columnar/encode.js';
import { columnsOf } from '#src/columnar/kernel-columns.js';
import { invariant } from '#src/invariant.js';
import { KernelCodecs } from '#src/kernel/bytes.js';
import { COLUMNS_FULL, COLUMNS_NOT_ROWS } from '#src/kernel/columns-layout.js';
import { Kernel, type KernelOptions } from '#src/kernel/kernel.js';
import type { CompiledModel } from '#src/model/types.js';
import type { BatchCodecs } from '#src/reference/batch-reader.js';
import { decodeRow } from '#src/reference/row-bytes.js';
import type { DayRows, LaneEngine, SessionEngine } from './engine.js';
import { KernelDecider } from './kernel-decider.js';
import { KernelLane } from './kernel-lane.js';
import { type KernelRows, rowBytes } from './kernel-rows.js';

/** The sessionizer in WebAssembly, over the memory that holds the worker's ring. */

export interface KernelEngineOptions extends Omit<KernelOptions, 'host'> {
  /** Where batches are decompressed to: `decompressedBytes` bytes, those that may be read behind a batch included. */
  decompressedAt: number;
  decompressedBytes: number;
}

export class KernelEngine implements SessionEngine {
  readonly name = 'kernel';
  readonly codecs: BatchCodecs;
  readonly #kernel: Kernel;
  readonly #model: CompiledModel;
  readonly #sessionBytesMax: number;
  readonly #decider: KernelDecider;
  readonly #reserveBytes: number;

  constructor(options: KernelEngineOptions) {
    this.#model = options.model;
    this.#sessionBytesMax = options.sessionBytesMax;
    this.#decider = new KernelDecider(options.model);
    this.#kernel = new Kernel({ ...options, host: this.#decider });
    this.#decider.attach(this.#kernel);
    this.#reserveBytes = options.heapBytes - options.sessionBytesMax;
    const { decompressedAt, decompressedBytes } = options;
    this.codecs = new KernelCodecs(this.#kernel.exports, options.memory, {
      at: decompressedAt,
      bytes: decompressedBytes,
    });
  }

  get sessionBytes(): number {
    return Number(this.#kernel.exports.sessionBytes());
  }

  /** Beside the reserve, rows may take half of what sessions leave free: they are gone before sessions could need it. */
  get rowPressure(): number {
    const { sessionBytes } = this;
    const free = Math.max(0, this.#sessionBytesMax - sessionBytes);
    const rows = Number(this.#kernel.exports.memoryUsed()) - sessionBytes;
    return rows / (this.#reserveBytes + free / 2);
  }

  get undecided(): number {
    return this.#kernel.exports.undecidedRecords();
  }

  lane(content: Uint8Array | null): LaneEngine {
    const lane = new KernelLane(this.#kernel, this.#decider);
    if (content !== null) lane.restore(content, this.#sessionBytesMax);
    return lane;
  }

  encode(rows: readonly DayRows[], seal: Seal): EncodedFile {
    const sets = rows as readonly KernelRows[];
    if (sets.some((set) => set.isSpilled)) return this.#encodeOneByOne(sets, seal);
    const count = sets.reduce((sum, set) => sum + set.rows, 0);
    const { exports, view } = this.#kernel;
    const table = exports.alloc(count * 4) >>> 0;
    if (table === 0) return this.#encodeOneByOne(sets, seal);
    let at = table;
    for (const { list } of sets) {
      for (const row of list) {
        view.setUint32(at, rowBytes(row), true);
        at += 4;
      }
    }
    const built = exports.columnsBuild(this.#kernel.program, table, count) >>> 0;
    exports.free(table);
    invariant(built !== COLUMNS_NOT_ROWS, 'rows of the kernel are not rows');
    if (built === COLUMNS_FULL) return this.#encodeOneByOne(sets, seal);
    try {
      return encodeColumns(this.#model, columnsOf(this.#model, this.#kernel.memory, built), count, seal);
    } finally {
      exports.columnsFree(built);
    }
  }

  /**
   * The kernel's heap has no room for the columns, or had none for the rows: they are taken out of it as values. Slower, and
   * the same file.
   */
  #encodeOneByOne(sets: readonly KernelRows[], seal: Seal): EncodedFile {
    const rows = sets.flatMap((set) => set.rowBytes().map((bytes) => decodeRow(this.#model, bytes)));
    return encodeRows(this.#model, rows, seal);
  }
}
