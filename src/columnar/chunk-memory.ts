import { HeadraceError } from '../errors.js';
import type { ChunkExports, GatherExports } from '../kernel/kernel.js';
import { kernelModule } from '../kernel/kernel.js';
import { systemRandom } from '../random.js';

/**
 * Memory in which columns become pages: the kernel's own, where the columns lie that it built, or for all others that of an
 * instance which does nothing else, one a thread. The latter grows to the largest column and stays there.
 */
export interface ChunkMemory {
  readonly exports: ChunkExports;
  readonly memory: WebAssembly.Memory;
  /** Where the writer reports. */
  readonly report: number;
  /** Begins with a column; what was placed for the one before is gone. */
  clear(): void;
  /** The address of bytes: their own, or that of a copy. May throw NoRoom. */
  place(bytes: ArrayBufferView): number;
  /** Memory for the column's pages, good until `clear`. May throw NoRoom. */
  lend(bytes: number): number;
}

/** The kernel's heap is full. */
export class NoRoom extends Error {}

const PAGE_BYTES = 65_536;
/** Behind static data: what chunkInit reserves. */
const HEAP_BYTES = 8 * PAGE_BYTES;
const COLUMNS_AT = PAGE_BYTES + HEAP_BYTES;
/** Addresses have 32 bits, and the end of the memory must be one. */
const MEMORY_PAGES_MAX = 65_535;
/** What may be read behind a column. */
const READ_AHEAD_BYTES = 64;

export class OwnMemory implements ChunkMemory {
  readonly memory: WebAssembly.Memory;
  readonly exports: ChunkExports & GatherExports;
  readonly report: number;
  #end = COLUMNS_AT;
  /** What lies before it stays. */
  #kept = COLUMNS_AT;

  constructor() {
    const initial = COLUMNS_AT / PAGE_BYTES;
    this.memory = new WebAssembly.Memory({ initial, maximum: MEMORY_PAGES_MAX, shared: true });
    const never = () => {
      throw new HeadraceError('INVARIANT', 'the Parquet writer asked what only the kernel asks');
    };
    const host = { decide: never, decideNext: never, late: never, rows: never, kept: never, number: never };
    const imports = { env: { memory: this.memory, abort: never }, host };
    this.exports = new WebAssembly.Instance(kernelModule(), imports)
      .exports as unknown as typeof this.exports;
    this.exports.memoryInit(PAGE_BYTES, COLUMNS_AT);
    this.exports.bytesInit(systemRandom.id63());
    this.report = this.exports.chunkInit() >>> 0;
  }

  clear(): void {
    this.#end = this.#kept;
  }

  /** What was placed and lent so far stays, also behind `clear`, until `drop` is given what comes back. */
  keep(): number {
    const kept = this.#kept;
    this.#kept = this.#end;
    return kept;
  }

  drop(kept: number): void {
    this.#kept = kept;
    this.#end = kept;
  }

  place(bytes: ArrayBufferView): number {
    const { buffer, byteOffset, byteLength } = bytes;
    if (buffer === this.memory.buffer) return byteOffset;
    const at = this.lend(byteLength + READ_AHEAD_BYTES);
    new Uint8Array(this.memory.buffer, at).set(new Uint8Array(buffer, byteOffset, byteLength));
    return at;
  }

  lend(bytes: number): number {
    const at = this.#end;
    this.#end = Math.ceil((at + bytes) / 64) * 64;
    const pages = Math.ceil(this.#end / PAGE_BYTES);
    const missing = pages - this.memory.buffer.byteLength / PAGE_BYTES;
    if (missing > 0) this.#grow(pages, missing);
    return at;
  }

  #grow(pages: number, missing: number): void {
    if (pages > MEMORY_PAGES_MAX)
      throw new HeadraceError('INVARIANT', 'the Parquet writer refused a column of more than 2 GiB');
    (this.memory as unknown as { grow(pages: number): number }).grow(missing);
  }
}

let own: ChunkMemory | undefined;

/** For columns that lie anywhere. */
export function ownMemory(): ChunkMemory {
  own ??= new OwnMemory();
  return own;
}

const idle: OwnMemory[] = [];

/** A memory that nobody else has until `use` is over: one a thread, as long as one work at a time wants it. */
export async function withMemory<T>(use: (memory: OwnMemory) => Promise<T>): Promise<T> {
  const memory = idle.pop() ?? new OwnMemory();
  const kept = memory.keep();
  try {
    return await use(memory);
  } finally {
    memory.drop(kept);
    idle.push(memory);
  }
}

/** What is used of the kernel. */
export interface HeapExports extends ChunkExports {
  alloc(bytes: number): number;
  free(at: number): void;
}

/** For columns that the kernel built. What is lent comes out of its heap, and goes back with `giveBack`. */
export class KernelMemory implements ChunkMemory {
  readonly exports: HeapExports;
  readonly memory: WebAssembly.Memory;
  readonly report: number;
  #lent = 0;
  #lentBytes = 0;
  readonly #placed: number[] = [];

  constructor(exports: HeapExports, memory: WebAssembly.Memory, report: number) {
    this.exports = exports;
    this.memory = memory;
    this.report = report;
  }

  clear(): void {
    for (const at of this.#placed.splice(0)) this.exports.free(at);
  }

  place({ buffer, byteOffset, byteLength }: ArrayBufferView): number {
    if (buffer === this.memory.buffer) return byteOffset;
    const at = this.#alloc(byteLength + READ_AHEAD_BYTES);
    this.#placed.push(at);
    new Uint8Array(this.memory.buffer, at).set(new Uint8Array(buffer, byteOffset, byteLength));
    return at;
  }

  lend(bytes: number): number {
    if (bytes <= this.#lentBytes) return this.#lent;
    this.#giveBackLent();
    this.#lent = this.#alloc(bytes);
    this.#lentBytes = bytes;
    return this.#lent;
  }

  giveBack(): void {
    this.clear();
    this.#giveBackLent();
  }

  #giveBackLent(): void {
    if (this.#lent !== 0) this.exports.free(this.#lent);
    this.#lent = 0;
    this.#lentBytes = 0;
  }

  #alloc(bytes: number): number {
    const at = bytes > 2 ** 31 ? 0 : this.exports.alloc(bytes) >>> 0;
    if (at === 0) throw new NoRoom();
    return at;
  }
}
