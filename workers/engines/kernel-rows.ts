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

/** Rows that left the kernel: canonical bytes one behind the other, and where each ends. */
export interface MovedRows {
  bytes: Buffer;
  ends: number[];
}

/** Rows of one lane and day, in order: those that were moved out of the kernel, then those that lie in it. */
export class KernelRows implements DayRows {
  readonly moved: readonly MovedRows[];
  /** Addresses of the rows in the kernel. */
  readonly list: readonly number[];
  readonly #kernel: Kernel;

  constructor(kernel: Kernel, moved: readonly MovedRows[], list: readonly number[]) {
    this.#kernel = kernel;
    this.moved = moved;
    this.list = list;
  }

  get rows(): number {
    return this.moved.reduce((sum, { ends }) => sum + ends.length, this.list.length);
  }

  get bytes(): number {
    const here = this.list.reduce((sum, row) => sum + this.#length(row), 0);
    return this.moved.reduce((sum, { bytes }) => sum + bytes.length, here);
  }

  /** The same rows, none of them in the kernel any more; its memory is not freed by this. */
  movedOut(): KernelRows {
    if (this.list.length === 0) return this;
    const ends: number[] = [];
    let end = 0;
    for (const row of this.list) {
      end += this.#length(row);
      ends.push(end);
    }
    const bytes = Buffer.allocUnsafeSlow(end);
    let at = 0;
    for (const row of this.list) at += this.#kernel.slice(rowBytes(row), this.#length(row)).copy(bytes, at);
    return new KernelRows(this.#kernel, [...this.moved, { bytes, ends }], []);
  }

  /** With those of the same lane and day that were let out later. */
  followedBy(later: KernelRows): KernelRows {
    const first = later.moved.length > 0 ? this.movedOut() : this;
    return new KernelRows(this.#kernel, [...first.moved, ...later.moved], [...first.list, ...later.list]);
  }

  split(most: { rows: number; bytes: number }): KernelRows[] {
    const parts: KernelRows[] = [];
    for (const { bytes, ends } of this.moved) {
      const lengths = ends.map((end, index) => end - (ends[index - 1] ?? 0));
      for (const { from, to } of runs(lengths, most)) {
        const start = ends[from - 1] ?? 0;
        const part = {
          bytes: bytes.subarray(start, ends[to - 1]),
          ends: ends.slice(from, to).map((end) => end - start),
        };
        parts.push(new KernelRows(this.#kernel, [part], []));
      }
    }
    const lengths = this.list.map((row) => this.#length(row));
    for (const { from, to } of runs(lengths, most)) {
      parts.push(new KernelRows(this.#kernel, [], this.list.slice(from, to)));
    }
    return parts;
  }

  /** Canonical bytes of each row; those in the kernel stay the kernel's. */
  rowBytes(): Uint8Array[] {
    const moved = this.moved.flatMap(({ bytes, ends }) =>
      ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end)),
    );
    return [...moved, ...this.list.map((row) => this.#kernel.slice(rowBytes(row), this.#length(row)))];
  }

  #length(row: number): number {
    return this.#kernel.view.getUint32(row + ROW_LENGTH_AT, true);
  }
}

/** Neighbours that together are no more than `most`, one at least. */
function* runs(lengths: readonly number[], most: { rows: number; bytes: number }) {
  let from = 0;
  let bytes = 0;
  for (const [index, length] of lengths.entries()) {
    bytes += length;
    if (index === from || (index - from < most.rows && bytes <= most.bytes)) continue;
    yield { from, to: index };
    from = index;
    bytes = length;
  }
  if (from < lengths.length) yield { from, to: lengths.length };
}

/** What a lane gave between two cuts: its lists of rows are the kernel's memory until `free`. */
export class KernelEmitted implements Emitted {
  readonly deadLetters: readonly DeadLetter[];
  readonly days = new Map<number, KernelRows>();
  rows = 0;
  crc = 0;
  readonly #kernel: Kernel;
  /** Addresses of lists of rows' addresses, and how many are in each. */
  #lists: { at: number; rows: number }[] = [];

  /** Takes the lane's rows over, behind those that left it before. */
  constructor(
    kernel: Kernel,
    lane: number,
    deadLetters: readonly DeadLetter[],
    before: KernelEmitted | null = null,
  ) {
    this.#kernel = kernel;
    this.deadLetters = deadLetters;
    if (before !== null) this.#takeOver(before);
    const { exports, view } = kernel;
    const rows = exports.laneRowCount(lane);
    this.rows += rows;
    this.crc = (this.crc + (exports.laneCrc(lane) >>> 0)) % 2 ** 32;
    const list = exports.laneTakeRows(lane) >>> 0;
    if (list !== 0) this.#lists.push({ at: list, rows });
    const lists = new Map<number, number[]>();
    for (let index = 0; index < rows; index++) {
      const row = view.getUint32(list + index * 4, true);
      const day = view.getInt32(row + ROW_DAY_AT, true);
      const ofDay = lists.get(day);
      if (ofDay === undefined) lists.set(day, [row]);
      else ofDay.push(row);
    }
    for (const [day, ofDay] of lists) {
      const here = new KernelRows(kernel, [], ofDay);
      this.days.set(day, this.days.get(day)?.followedBy(here) ?? here);
    }
  }

  #takeOver(before: KernelEmitted): void {
    this.rows = before.rows;
    this.crc = before.crc;
    this.#lists = before.#lists;
    before.#lists = [];
    for (const [day, rows] of before.days) this.days.set(day, rows);
  }

  spill(): void {
    for (const [day, rows] of this.days) this.days.set(day, rows.movedOut());
    this.free();
  }

  free(): void {
    for (const { at, rows } of this.#lists) this.#kernel.exports.freeRows(at, rows);
    this.#lists = [];
  }
}
