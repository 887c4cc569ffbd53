import type { LimitsConfig } from './types.js';

/**
 * What lies where in a worker's memory: one shared WebAssembly.Memory, reserved once (initial = maximum, since growing it
 * would leave the other threads with a stale buffer) and touched only as far as it is used.
 *
 * ```
 *   0               the kernel's static data
 *   ringAt          ring (src/ring/layout.ts)
 *   decompressedAt  the one batch that is being read, decompressed, and zero bytes behind it
 *   heapAt          the kernel's heap: sessions up to limits.session_memory_bytes, and a reserve beside them
 * ```
 * The session limit is a soft one: before each batch, what the sessions take is compared with it. The reserve is what lies
 * physically beyond it, so that a full session memory can still be emptied, and a replay be finished: rows and columns of
 * an eviction, snapshots, the model's program, scratch for the largest records, and pages that sessions which closed left
 * partly used.
 */

const MiB = 2 ** 20;

export const WASM_PAGE_BYTES = 65_536;
/** Addresses have 32 bits, and the end of the memory must be one. */
export const WORKER_MEMORY_PAGES_MAX = 65_535;
/** src/kernel/abi.ts; a test holds them equal. */
const RING_AT = 65_536;
/** src/ring/layout.ts; a test holds them equal. */
const RING_HEADER_BYTES = 256;
const READ_AHEAD_BYTES = 64;

/** Of the session memory: fragmentation, and the rows of sessions that all close at one cut. */
const RESERVE_SHARE = 0.25;
/** Whatever the session memory: a large lane's snapshot, a Parquet file's columns, and the memory that its pages are made in. */
const RESERVE_BYTES_MIN = 128 * MiB;
/**
 * A record of the largest size is unescaped, kept, let out and made a column, each in a block of twice its size at most. A page of
 * such a column takes as much twice more, or is made outside where that is not there.
 */
const RESERVE_RECORDS = 8;
/** Of the session memory: what a replay may take, whose lanes are not side by side as they were. Part of the reserve. */
const REPLAY_SHARE = 1.2;

/** The two makes of the sessionizer; the reference keeps its sessions as objects in the worker's JavaScript heap. */
export type SessionEngineName = 'kernel' | 'reference';

/** The limits that decide a worker's memory. */
export type WorkerMemoryLimits = Pick<
  LimitsConfig,
  'ringBytes' | 'sessionMemoryBytes' | 'decompressedBatchBytesMax' | 'recordBytesMax'
>;

/** All multiples of a page. */
export interface WorkerMemory {
  ringAt: number;
  decompressedAt: number;
  /** Room for one batch of `decompressedBatchBytesMax` and what may be read behind it. */
  decompressedBytes: number;
  heapAt: number;
  heapBytes: number;
  /** May be more than WORKER_MEMORY_PAGES_MAX: the limits are refused then (limits.ts). */
  totalPages: number;
}

export function workerMemory(limits: WorkerMemoryLimits, engine: SessionEngineName): WorkerMemory {
  const decompressedAt = RING_AT + wholePages(RING_HEADER_BYTES + limits.ringBytes);
  const kernel = engine === 'kernel';
  const decompressedBytes = kernel ? wholePages(limits.decompressedBatchBytesMax + READ_AHEAD_BYTES) : 0;
  const heapBytes = kernel ? wholePages(limits.sessionMemoryBytes + reserveBytes(limits)) : 0;
  const heapAt = decompressedAt + decompressedBytes;
  return {
    ringAt: RING_AT,
    decompressedAt,
    decompressedBytes,
    heapAt,
    heapBytes,
    totalPages: (heapAt + heapBytes) / WASM_PAGE_BYTES,
  };
}

type ReserveLimits = Pick<LimitsConfig, 'sessionMemoryBytes' | 'recordBytesMax'>;

/** What the kernel's heap has beside the sessions. */
export function reserveBytes({ sessionMemoryBytes, recordBytesMax }: ReserveLimits): number {
  return Math.ceil(sessionMemoryBytes * RESERVE_SHARE) + fixedReserveBytes(recordBytesMax);
}

function fixedReserveBytes(recordBytesMax: number): number {
  return Math.max(RESERVE_BYTES_MIN, RESERVE_RECORDS * recordBytesMax);
}

/** Where sessions end in any case. */
export function replaySessionBytesMax({ sessionMemoryBytes }: { sessionMemoryBytes: number }): number {
  return Math.floor(sessionMemoryBytes * REPLAY_SHARE);
}

/** The largest limits.session_memory_bytes, in whole MiB, that fits beside the others; may be negative. */
export function sessionMemoryBytesMax(limits: WorkerMemoryLimits): number {
  const { heapAt } = workerMemory(limits, 'kernel');
  const room = WORKER_MEMORY_PAGES_MAX * WASM_PAGE_BYTES - heapAt - fixedReserveBytes(limits.recordBytesMax);
  return Math.floor(room / (1 + RESERVE_SHARE) / MiB) * MiB;
}

function wholePages(bytes: number): number {
  return Math.ceil(bytes / WASM_PAGE_BYTES) * WASM_PAGE_BYTES;
}
