import type { Kernel } from '#src/kernel/kernel.js';
import type { DeadLetter } from '#src/model/types.js';
import type { DayRows, Emitted } from './engine.js';

/** Rows as they lie in the kernel: references u32 │ bytes u32 │ UTC day i32 │ place of the sign u32 │ canonical bytes. */
const ROW_LENGTH_AT = 4;
const ROW_DAY_AT = 8;
const ROW_BYTES_AT = 16;

/** Where a row's canonical bytes begin. */
export function rowBytes(row: number): number {
  return row + ROW_BYTES_AT;
}

/** Rows of one lane and day. */
export class KernelRows implements DayRows {
  /** Addresses. */
  readonly list: number[] = [];
  readonly #kernel: Kernel;
  #spilled: Uint8Array[] | null = null;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  get rows(): number {
    return this.list.length;
  }

  /** The addresses hold no rows any more. */
  get isSpilled(): boolean {
    return this.#spilled !== null;
  }

  spill(): void {
    this.#spilled ??= this.rowBytes().map((bytes) => new Uint8Array(bytes));
  }

  /** Canonical bytes of each row, which stay the kernel's. */
  rowBytes(): Uint8Array[] {
    if (this.#spilled !== null) return this.#spilled;
    return this.list.map((row) =>
      this.#kernel.slice(rowBytes(row), this.#kernel.view.getUint32(row + ROW_LENGTH_AT, true)),
    );
  }
}

/** What a lane gave between two cuts: its list of rows is the kernel's memory until `free`. */
export class KernelEmitted implements Emitted {
  readonly rows: number;
  readonly crc: number;
  readonly deadLetters: readonly DeadLetter[];
  readonly days = new Map<number, KernelRows>();
  readonly #kernel: Kernel;
  /** Address of the list of rows' addresses; 0: none, or given back. */
  #list: number;

  /** Takes the lane's rows over. */
  constructor(kernel: Kernel, lane: number, deadLetters: readonly DeadLetter[]) {
    const { exports, view } = kernel;
    this.#kernel = kernel;
    this.rows = exports.laneRowCount(lane);
    this.crc = exports.laneCrc(lane) >>> 0;
    this.deadLetters = deadLetters;
    this.#list = exports.laneTakeRows(lane) >>> 0;
    for (let index = 0; index < this.rows; index++) {
      const row = view.getUint32(this.#list + index * 4, true);
      this.#ofDay(view.getInt32(row + ROW_DAY_AT, true)).list.push(row);
    }
  }

  #ofDay(day: number): KernelRows {
    let rows = this.days.get(day);
    if (rows === undefined) {
      rows = new KernelRows(this.#kernel);
      this.days.set(day, rows);
    }
    return rows;
  }

  spill(): void {
    for (const rows of this.days.values()) rows.spill();
    this.free();
  }

  free(): void {
    if (this.#list !== 0) this.#kernel.exports.freeRows(this.#list, this.rows);
    this.#list = 0;
  }
}
