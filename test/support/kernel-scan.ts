import { NULL_NUMBER_HIGH, READ_AHEAD_BYTES, VALUE_BYTES } from '#src/kernel/abi.js';
import { kernelModule } from '#src/kernel/kernel.js';
import { encodeProgram } from '#src/kernel/program.js';
import type { CompiledModel } from '#src/model/types.js';
import type { FieldValues } from '#src/reference/event.js';

/** The built kernel's JSON scan alone, in a memory of its own. */

const PAGE_BYTES = 65_536;
const HEAP_AT = PAGE_BYTES;
const PROGRAM_AT = 4 * 1024 * 1024;
const PROGRAM_BYTES_MAX = 1024 * 1024;
const VALUES_AT = PROGRAM_AT + PROGRAM_BYTES_MAX;
const RECORDS_AT = VALUES_AT + PAGE_BYTES;

interface ScanExports {
  memoryInit(at: number, end: number): void;
  scanInit(program: number): void;
  scanEvent(at: number, bytes: number, values: number): number;
  scanScratch(at: number, bytes: number): void;
  scanScratchFree(): number;
  scanScratchReset(): void;
}

/** Where documents lie, one behind the other without a gap. */
export interface PlacedDocuments {
  at: Uint32Array;
  bytes: Uint32Array;
}

export class KernelScan {
  readonly #model: CompiledModel;
  readonly #memory: Uint8Array;
  readonly #view: DataView;
  readonly #kernel: ScanExports;
  readonly #scratchAt: number;
  /** Numbers that the host was asked for. */
  hostNumbers = 0;

  /** `documentBytesMax`: of all that are placed at once, and of what one record's strings take. */
  constructor(model: CompiledModel, documentBytesMax: number) {
    this.#model = model;
    this.#scratchAt = RECORDS_AT + documentBytesMax + READ_AHEAD_BYTES;
    const pages = Math.ceil((this.#scratchAt + documentBytesMax) / PAGE_BYTES) + 1;
    const memory = new WebAssembly.Memory({ initial: pages, maximum: 65_536, shared: true });
    this.#memory = new Uint8Array(memory.buffer);
    this.#view = new DataView(memory.buffer);
    this.#kernel = this.#instantiate(memory);
    this.#kernel.memoryInit(HEAP_AT, PROGRAM_AT);
    this.#memory.set(encodeProgram(model), PROGRAM_AT);
    this.#kernel.scanInit(PROGRAM_AT);
    this.#kernel.scanScratch(this.#scratchAt, documentBytesMax);
  }

  #instantiate(memory: WebAssembly.Memory): ScanExports {
    const number = (at: number, bytes: number) => {
      this.hostNumbers++;
      return Number(this.#text(at, bytes));
    };
    const abort = () => {
      throw new Error('the kernel aborted');
    };
    // the scan calls nothing else
    const host = new Proxy({ number } as WebAssembly.ModuleImports, {
      get: (imports, name: string) => imports[name] ?? abort,
    });
    const { exports } = new WebAssembly.Instance(kernelModule(), { env: { memory, abort }, host });
    return exports as unknown as ScanExports;
  }

  /** Whatever follows the last of them is `behind`. */
  place(documents: readonly Uint8Array[], behind = 0x22): PlacedDocuments {
    const at = new Uint32Array(documents.length);
    const bytes = new Uint32Array(documents.length);
    let next = RECORDS_AT;
    documents.forEach((document, index) => {
      if (next + document.length + READ_AHEAD_BYTES > this.#scratchAt) throw new Error('too many bytes');
      this.#memory.set(document, next);
      at[index] = next;
      bytes[index] = document.length;
      next += document.length;
    });
    this.#memory.fill(behind, next, next + READ_AHEAD_BYTES);
    return { at, bytes };
  }

  /** The values of a placed document; null: the kernel is undecided. */
  scan(placed: PlacedDocuments, index: number): FieldValues | null {
    this.#kernel.scanScratchReset();
    return this.isEvent(placed, index) ? this.#values() : null;
  }

  /** The scan alone, values left in memory. */
  isEvent(placed: PlacedDocuments, index: number): boolean {
    return this.#kernel.scanEvent(placed.at[index]!, placed.bytes[index]!, VALUES_AT) !== 0;
  }

  scanOne(document: Uint8Array | string): FieldValues | null {
    return this.scan(this.place([Buffer.from(document)]), 0);
  }

  /** Bytes of unescaped strings that the last document left behind. */
  scratchFree(): number {
    return this.#kernel.scanScratchFree();
  }

  #values(): FieldValues {
    return this.#model.fields.map(({ index, type }) => {
      const at = VALUES_AT + index * VALUE_BYTES;
      if (type !== 'string') {
        const isNull =
          this.#view.getUint32(at + 4, true) === NULL_NUMBER_HIGH && this.#view.getUint32(at, true) === 0;
        return isNull ? null : this.#view.getFloat64(at, true);
      }
      const text = this.#view.getUint32(at, true);
      return text === 0 ? null : this.#text(text, this.#view.getUint32(at + 4, true));
    });
  }

  /** Throws for bytes that are not UTF-8. */
  #text(at: number, bytes: number): string {
    // a decoder takes no shared memory
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      this.#memory.slice(at, at + bytes),
    );
  }
}
