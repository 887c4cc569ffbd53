import { READ_AHEAD_BYTES } from '#src/kernel/abi.js';
import { type ByteKernel, KernelCodecs } from '#src/kernel/bytes.js';
import { kernelModule } from '#src/kernel/kernel.js';
import { BatchFault } from '#src/reference/batch-fault.js';
import type { BatchCodecs } from '#src/reference/batch-reader.js';

/** The built kernel's codecs alone, in a memory of their own, watched for what they write. */

const PAGE_BYTES = 65_536;
const SOURCE_AT = PAGE_BYTES;
const SOURCE_BYTES_MAX = 2 * 1024 * 1024;
const WATCHED_BYTES = 4096;
const REGION_AT = SOURCE_AT + SOURCE_BYTES_MAX + PAGE_BYTES;
/** The most that a content may have, unless said otherwise. */
export const CONTENT_BYTES_MAX = 1024 * 1024;
/** What lies around everything; what is read of it by mistake must not pass. */
const LITTER = 0xee;
const LITTERED = Buffer.alloc(WATCHED_BYTES, LITTER);

export type Verdict = { content: Buffer } | { kind: string; message: string };

export class KernelBytes {
  readonly memory: WebAssembly.Memory;
  readonly bytes: Uint8Array;
  readonly kernel: ByteKernel;
  readonly codecs: KernelCodecs;

  /** `contentBytesMax`: whole pages. */
  constructor(contentBytesMax = CONTENT_BYTES_MAX) {
    const pages = (REGION_AT + contentBytesMax) / PAGE_BYTES + 2;
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: PAGE_BYTES, shared: true });
    this.bytes = new Uint8Array(this.memory.buffer);
    const notCalled = () => {
      throw new Error('the codecs call the host');
    };
    const { exports } = new WebAssembly.Instance(kernelModule(), {
      env: { memory: this.memory, abort: notCalled },
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
    this.codecs = new KernelCodecs(this.kernel, this.memory, {
      at: REGION_AT,
      bytes: contentBytesMax + READ_AHEAD_BYTES,
    });
    this.bytes.fill(LITTER);
  }

  /** Where a ring's payload would lie, with litter around it. */
  place(payload: Uint8Array): Uint8Array {
    const at = SOURCE_AT + WATCHED_BYTES;
    this.bytes.fill(LITTER, SOURCE_AT, at + payload.length + WATCHED_BYTES);
    this.bytes.set(payload, at);
    return this.bytes.subarray(at, at + payload.length);
  }

  /** Decompresses what lies in the kernel's memory. Throws Error where anything else was written than may be. */
  decompress(
    codec: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd',
    payload: Uint8Array,
    bytesMax: number,
  ): Verdict {
    const end = REGION_AT + bytesMax + READ_AHEAD_BYTES;
    this.bytes.fill(LITTER, REGION_AT - WATCHED_BYTES, end + WATCHED_BYTES);
    const placed = this.place(payload);
    const verdict = verdictOf(() => {
      const content = this.codecs.decompress(codec, placed, bytesMax);
      if (codec !== 'none' && content.length > 0) {
        const behind = this.bytes.subarray(content.byteOffset + content.length).subarray(0, READ_AHEAD_BYTES);
        if (behind.some((byte) => byte !== 0)) throw new Error('bytes behind the content that are not zero');
      }
      return content;
    });
    if (!Buffer.from(placed).equals(payload)) throw new Error('the source was written to');
    const isLitter = (from: number) => LITTERED.equals(this.bytes.subarray(from, from + WATCHED_BYTES));
    if (!isLitter(SOURCE_AT) || !isLitter(placed.byteOffset + payload.length)) {
      throw new Error('written beside the source');
    }
    if (!isLitter(REGION_AT - WATCHED_BYTES) || !isLitter(end)) throw new Error('written outside the region');
    return verdict;
  }

  /** The kernel's own answer, without the plain codec behind it. */
  alone(codec: 'snappy' | 'lz4', payload: Uint8Array, bytesMax: number): Buffer | null {
    const placed = this.place(payload);
    const decompress = codec === 'lz4' ? this.kernel.lz4Frame : this.kernel.snappy;
    const bytes = decompress(placed.byteOffset, placed.length, REGION_AT, bytesMax);
    return bytes < 0 ? null : copyOf(this.bytes.subarray(REGION_AT, REGION_AT + bytes));
  }
}

/** What came of it; an error that is no BatchFault is thrown on. */
export function verdictOf(decompress: () => Uint8Array): Verdict {
  try {
    return { content: copyOf(decompress()) };
  } catch (error) {
    if (!(error instanceof BatchFault)) throw error;
    return { kind: error.kind, message: error.message };
  }
}

function copyOf(bytes: Uint8Array): Buffer {
  const copy = Buffer.alloc(bytes.length);
  copy.set(bytes);
  return copy;
}

/** What the walk says: nothing, or the words of the fault. */
export function walkVerdict(
  codecs: BatchCodecs,
  records: Uint8Array,
  count: number,
  lastOffsetDelta: number,
): string | null {
  try {
    codecs.checkRecords(records, count, lastOffsetDelta);
    return null;
  } catch (error) {
    if (!(error instanceof BatchFault)) throw error;
    return `${error.kind}: ${error.message}`;
  }
}
