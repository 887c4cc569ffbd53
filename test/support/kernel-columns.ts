import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import asc from 'assemblyscript/asc';
import { type HeapExports, KernelMemory } from '#src/columnar/chunk-memory.js';
import { type EncodedFile, encodeColumns, type Seal } from '#src/columnar/encode.js';
import { columnsOf } from '#src/columnar/kernel-columns.js';
import { encodeProgram } from '#src/kernel/program.js';
import type { CompiledModel, Row } from '#src/model/types.js';
import { encodeRow } from '#src/reference/row-crc.js';

/** The kernel's columns and the pages of them alone, compiled from their sources: rows go in as canonical bytes, wherever they come from. */

const ASSEMBLY = join(import.meta.dirname, '../../src/kernel/assembly');
const ENTRY = `
  export { bytesInit } from './bytes';
  export { columnsBuild, columnsFree } from './columns';
  export { chunkBegin, chunkInit, chunkNeeds, chunkNext } from './parquet-chunk';
  export { alloc, free, memoryInit, memoryUsed } from './memory';
`;
const PAGE_BYTES = 65_536;
const READ_AHEAD_BYTES = 16;

interface Exports extends HeapExports {
  columnsBuild(program: number, rowPtrs: number, rows: number): number;
  columnsFree(at: number): void;
  memoryUsed(): bigint;
}

let compiled: WebAssembly.Module | undefined;

export class KernelColumns {
  readonly memory: WebAssembly.Memory;
  readonly exports: Exports;
  readonly #chunks: KernelMemory;

  static async start(pages: number): Promise<KernelColumns> {
    compiled ??= await compile();
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    const instance = new WebAssembly.Instance(compiled, { env: { memory } });
    return new KernelColumns(memory, instance.exports as unknown as Exports);
  }

  private constructor(memory: WebAssembly.Memory, exports: Exports) {
    this.memory = memory;
    this.exports = exports;
    exports.memoryInit(PAGE_BYTES, memory.buffer.byteLength);
    exports.bytesInit(1n);
    this.#chunks = new KernelMemory(exports, memory, exports.chunkInit());
  }

  /** Bytes of the heap that are given out. */
  get used(): number {
    return Number(this.exports.memoryUsed());
  }

  encode(model: CompiledModel, rows: readonly Row[], seal: Seal): EncodedFile {
    return this.build(
      model,
      rows.map((row) => Buffer.from(encodeRow(model, row))),
      (at) => {
        try {
          return encodeColumns(model, columnsOf(model, this.memory, at), rows.length, seal, this.#chunks);
        } finally {
          this.#chunks.giveBack();
        }
      },
    );
  }

  /** `use` gets what columnsBuild gave for these rows; all memory is given back behind it. */
  build<T>(model: CompiledModel, rows: readonly Uint8Array[], use: (at: number) => T): T {
    const program = this.#put(encodeProgram(model));
    const places = rows.map((row) => this.#put(row));
    const rowPtrs = this.#put(new Uint8Array(Uint32Array.from(places).buffer));
    const at = this.exports.columnsBuild(program, rowPtrs, rows.length);
    try {
      return use(at);
    } finally {
      if (at > 1) this.exports.columnsFree(at);
      for (const place of [program, rowPtrs, ...places]) this.exports.free(place);
    }
  }

  #put(bytes: Uint8Array): number {
    const at = this.exports.alloc(bytes.length + READ_AHEAD_BYTES);
    if (at === 0) throw new Error('the test has too little memory for its rows');
    new Uint8Array(this.memory.buffer).set(bytes, at);
    return at;
  }
}

async function compile(): Promise<WebAssembly.Module> {
  const written = new Map<string, Uint8Array | string>();
  const options =
    '--noAssert --runtime stub --importMemory --sharedMemory --initialMemory 1 --use abort='.split(' ');
  const { error, stderr } = await asc.main(
    [
      'entry.ts',
      '-o',
      'out.wasm',
      '-O1',
      ...options,
      ...['--maximumMemory', '65536', '--enable', 'simd', '--enable', 'threads'],
    ],
    {
      readFile: (name) => (name === 'entry.ts' ? ENTRY : readSource(name)),
      writeFile: (name, contents) => void written.set(name, contents),
      listFiles: () => [],
    },
  );
  if (error !== null) throw new Error(`the kernel's columns do not compile: ${stderr.toString()}`);
  return new WebAssembly.Module(written.get('out.wasm') as Uint8Array);
}

function readSource(name: string): string | null {
  try {
    return readFileSync(join(ASSEMBLY, name), 'utf8');
  } catch {
    return null;
  }
}
