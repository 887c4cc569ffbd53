import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { invariant } from '../../invariant.js';

/** The load's WebAssembly (`assembly/`) in this thread, and its memory: tables are laid there once, then only read and written. */

/** What assembly/index.ts exports. */
interface LoadExports {
  memory: WebAssembly.Memory;
  reserve(bytes: number): number;
  modelAt(at: number): void;
  settle(partition: number): void;
  nowMs(partition: number): number;
  hasNext(partition: number, untilMs: number): number;
  isDone(partition: number): number;
  take(partition: number): number;
  nextWord(partition: number): number;
  writeBatch(partition: number, from: number, untilMs: number, recordsMax: number): number;
}

export class LoadModule {
  readonly exports: LoadExports;
  /** Makes a value that is no event where the tables say, of the partition that lies at `at`; returns its bytes. */
  onOther: (at: number) => number = () => 0;
  #bytes = Buffer.alloc(0);
  #view = new DataView(new ArrayBuffer(0));

  constructor() {
    const imports = {
      env: { abort: () => invariant(false, 'the load stopped') },
      host: { log: Math.log, other: (at: number) => this.onOther(at >>> 0) },
    };
    this.exports = new WebAssembly.Instance(compiledModule(), imports).exports as unknown as LoadExports;
  }

  /** Zeroed memory. What was taken from `bytes` and `view` before is void. */
  reserve(bytes: number): number {
    return this.exports.reserve(bytes) >>> 0;
  }

  get bytes(): Buffer {
    this.#renew();
    return this.#bytes;
  }

  get view(): DataView {
    this.#renew();
    return this.#view;
  }

  #renew(): void {
    // its own memory is not shared, whatever the type says of memories in general
    const buffer = this.exports.memory.buffer as unknown as ArrayBuffer;
    if (this.#bytes.buffer === buffer) return;
    this.#bytes = Buffer.from(buffer);
    this.#view = new DataView(buffer);
  }
}

let compiled: WebAssembly.Module | undefined;

/** Compiled once a thread. */
function compiledModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(readFileSync(modulePath()));
  return compiled;
}

/** Beside this file where it is built, below dist for those that run the sources. */
function modulePath(): string {
  const beside = fileURLToPath(new URL('load.wasm', import.meta.url));
  const built = '../../../dist/generator/load/load.wasm';
  return existsSync(beside) ? beside : fileURLToPath(new URL(built, import.meta.url));
}
