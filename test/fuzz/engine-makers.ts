import { RING_AT } from '#src/kernel/abi.js';
import { KernelEngine } from '../../workers/engines/kernel-engine.js';
import { PLANTED_DEFECTS, REFERENCE } from './planted-defects.js';
import type { EngineMaker } from './side.js';

/** The engines that can be compared, by name. */

const MiB = 2 ** 20;
const RING_BYTES = 16 * MiB;
const DECOMPRESSED_AT = RING_AT + RING_BYTES;
const DECOMPRESSED_BYTES = 65 * MiB;
const HEAP_AT = DECOMPRESSED_AT + DECOMPRESSED_BYTES;
const HEAP_BYTES = 512 * MiB;
/** What a case may take that says nothing of memory. */
const SESSION_BYTES = 256 * MiB;

/** One for all cases of a process: what blocks hold when they are given out is never zero by luck. */
let memory: WebAssembly.Memory | undefined;

/** What may lie behind a batch in the ring: bytes that a scan could take for more of a document. */
const BEHIND = [0x00, 0x20, 0x22, 0x30, 0x5c, 0x7d, 0x80, 0xff];

export const KERNEL: EngineMaker = {
  name: 'kernel',
  make: (model, limits) => {
    const pages = (HEAP_AT + HEAP_BYTES) / 65_536;
    memory ??= new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    // all that a kernel takes for zero: its table of pages
    new Uint8Array(memory.buffer, HEAP_AT, 65_536).fill(0);
    return new KernelEngine({
      memory,
      model,
      decompressedAt: DECOMPRESSED_AT,
      decompressedBytes: DECOMPRESSED_BYTES,
      heapAt: HEAP_AT,
      heapBytes: HEAP_BYTES,
      sessionBytesMax: limits.sessionBytesMax ?? SESSION_BYTES,
      recordBytesMax: limits.recordBytesMax,
      seed: BigInt(`0x${model.hash.slice(0, 16)}`),
    });
  },
  place: (bytes) => {
    if (memory === undefined || bytes.length > RING_BYTES / 2) return bytes;
    const ring = new Uint8Array(memory.buffer, RING_AT, RING_BYTES);
    // anywhere, and before whatever was in the ring; both the same for the same case
    const at = 256 + ((bytes.length * 7) % 4_096);
    ring.fill(BEHIND[bytes.length % BEHIND.length]!, at + bytes.length, at + bytes.length + 256);
    ring.set(bytes, at);
    return ring.subarray(at, at + bytes.length);
  },
};

export const ENGINE_MAKERS: ReadonlyMap<string, EngineMaker> = new Map(
  [KERNEL, REFERENCE, ...PLANTED_DEFECTS].map((maker) => [maker.name, maker]),
);
