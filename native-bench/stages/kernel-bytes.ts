import type { ByteKernel } from '#src/kernel/bytes.js';
import { kernelModule } from '#src/kernel/kernel.js';

/** Payloads in a kernel's memory, as a ring holds them, and room for the content of one. */

const PAGE_BYTES = 65_536;
/** Between payloads, and behind the content: what may be read and written too much. */
const SPARE_BYTES = 64;

export class KernelBytes {
  readonly kernel: ByteKernel;
  readonly payloads: readonly { at: number; bytes: number }[];
  readonly contentAt: number;
  readonly #memory: Uint8Array;

  constructor(payloads: readonly Uint8Array[], contentBytesMax: number) {
    let next = PAGE_BYTES;
    this.payloads = payloads.map(({ length }) => {
      const at = next;
      next += length + SPARE_BYTES;
      return { at, bytes: length };
    });
    this.contentAt = next;
    const pages = Math.ceil((next + contentBytesMax + SPARE_BYTES) / PAGE_BYTES);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: PAGE_BYTES, shared: true });
    this.#memory = new Uint8Array(memory.buffer);
    payloads.forEach((payload, index) => {
      this.#memory.set(payload, this.payloads[index]!.at);
    });
    const notCalled = () => {
      throw new Error('the codecs call the host');
    };
    const { exports } = new WebAssembly.Instance(kernelModule(), {
      env: { memory, abort: notCalled },
      host: {
        decide: notCalled,
        decideNext: notCalled,
        late: notCalled,
        rows: notCalled,
        kept: notCalled,
        number: notCalled,
      },
    });
    this.kernel = exports as unknown as ByteKernel;
  }

  content(bytes: number): Uint8Array {
    return this.#memory.subarray(this.contentAt, this.contentAt + bytes);
  }
}
