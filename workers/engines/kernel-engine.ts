import { KernelMemory, NoRoom } from '#src/columnar/chunk-memory.js';
import { type EncodedRows, encodeColumns, encodeRows, type Seal } from '#src/columnar/encode.js';
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

/** Of the memory that rows may take: above it a lane's rows leave the kernel while it still lets others out. */
const MOVE_ABOVE = 0.7;
/** What may be read behind a row. */
const READ_AHEAD_BYTES = 64;

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
  #columnsMs = 0;
  /** By address. */
  readonly #lanes = new Map<number, KernelLane>();

  constructor(options: KernelEngineOptions) {
    this.#model = options.model;
    this.#sessionBytesMax = options.sessionBytesMax;
    this.#decider = new KernelDecider(options.model, {
      rows: (lane) => this.#onRows(lane),
      kept: (lane, bytes) => this.#lanes.get(lane)?.kept(bytes),
    });
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
    return this.rowBytes / (this.#reserveBytes + free / 2);
  }

  get rowBytes(): number {
    return Number(this.#kernel.exports.memoryUsed()) - this.sessionBytes;
  }

  get columnsMs(): number {
    return this.#columnsMs;
  }

  get undecided(): number {
    return this.#kernel.exports.undecidedRecords();
  }

  lane(content: Uint8Array | null, partition = 0): LaneEngine {
    const lane = this.#emptyLane(partition);
    if (content !== null) lane.restore(content, this.#sessionBytesMax);
    return lane;
  }

  async laneInTurns(content: Uint8Array, turn: () => Promise<void>, partition = 0): Promise<LaneEngine> {
    const lane = this.#emptyLane(partition);
    await lane.restoreInTurns(content, this.#sessionBytesMax, turn);
    return lane;
  }

  #emptyLane(partition: number): KernelLane {
    const lane = new KernelLane(this.#kernel, this.#decider, partition);
    // a lane that was freed leaves its address to the next one
    this.#lanes.set(lane.address, lane);
    return lane;
  }

  /** A lane may let out more in one go than the kernel has room for: the end of its input, a long silence that ends. */
  #onRows(lane: number): void {
    if (this.rowPressure > MOVE_ABOVE) this.#lanes.get(lane)?.moveRows();
  }

  encode(rows: readonly DayRows[], seal: Seal): EncodedRows {
    const sets = rows as readonly KernelRows[];
    const count = sets.reduce((sum, set) => sum + set.rows, 0);
    const loan = new KernelLoan(this.#kernel.exports);
    try {
      const beganMs = performance.now();
      const table = loan.alloc(count * 4);
      if (table === 0 || !this.#placeRows(sets, table, loan)) return this.#encodeOneByOne(sets, seal);
      const built = this.#kernel.exports.columnsBuild(this.#kernel.program, table, count) >>> 0;
      this.#columnsMs += performance.now() - beganMs;
      invariant(built !== COLUMNS_NOT_ROWS, 'rows of the kernel are not rows');
      if (built === COLUMNS_FULL) return this.#encodeOneByOne(sets, seal);
      try {
        return this.#write(built, count, seal);
      } finally {
        this.#kernel.exports.columnsFree(built);
      }
    } catch (error) {
      if (error instanceof NoRoom) return this.#encodeOneByOne(sets, seal);
      throw error;
    } finally {
      loan.giveBack();
    }
  }

  /** Columns become pages where they lie. */
  #write(built: number, rows: number, seal: Seal): EncodedRows {
    const { exports, memory, chunkReport } = this.#kernel;
    const pages = new KernelMemory(exports, memory, chunkReport);
    try {
      return encodeColumns(this.#model, columnsOf(this.#model, memory, built), rows, seal, pages);
    } finally {
      pages.giveBack();
    }
  }

  /** Fills the table with the rows' addresses; those that were moved out come back for a while. False: no room for them. */
  #placeRows(sets: readonly KernelRows[], table: number, loan: KernelLoan): boolean {
    const { view, bytes: memory } = this.#kernel;
    let at = table;
    for (const { moved, list } of sets) {
      for (const { bytes, ends } of moved) {
        const place = loan.alloc(bytes.length + READ_AHEAD_BYTES);
        if (place === 0) return false;
        bytes.copy(memory, place);
        for (let index = 0; index < ends.length; index++, at += 4) {
          view.setUint32(at, place + (index === 0 ? 0 : ends[index - 1]!), true);
        }
      }
      for (const row of list) {
        view.setUint32(at, rowBytes(row), true);
        at += 4;
      }
    }
    return true;
  }

  /** The kernel's heap has no room for the rows or their columns: they are taken out of it as values. Slower, and the same file. */
  #encodeOneByOne(sets: readonly KernelRows[], seal: Seal): EncodedRows {
    const rows = sets.flatMap((set) => set.rowBytes().map((bytes) => decodeRow(this.#model, bytes)));
    return encodeRows(this.#model, rows, seal);
  }
}

/** Blocks of the kernel's heap for as long as a file is made. */
class KernelLoan {
  readonly #exports: Kernel['exports'];
  #blocks: number[] = [];

  constructor(exports: Kernel['exports']) {
    this.#exports = exports;
  }

  /** 0: there is no room. */
  alloc(bytes: number): number {
    const at = this.#exports.alloc(bytes) >>> 0;
    if (at !== 0) this.#blocks.push(at);
    return at;
  }

  giveBack(): void {
    for (const at of this.#blocks) this.#exports.free(at);
    this.#blocks = [];
  }
}
