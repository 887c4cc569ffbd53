import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { invariant } from '../invariant.js';
import type { CompiledModel } from '../model/types.js';
import { encodeProgram } from './program.js';

/**
 * The kernel in one worker: dist/kernel/kernel.wasm over the worker's shared memory. Addresses are numbers below 2³²; 0 is
 * none. What it is told is trusted: whoever calls it has checked.
 */

/** What writes columns as pages (chunk-layout.ts). Addresses come back as i32. */
export interface ChunkExports {
  memoryInit(at: number, end: number): void;
  bytesInit(seed: bigint): void;
  chunkInit(): number;
  chunkNeeds(form: number, rows: number, offsets: number, childOffsets: number): number;
  chunkBegin(
    form: number,
    stride: number,
    hasDictionary: number,
    isNullable: number,
    rows: number,
    nulls: number,
    validity: number,
    values: number,
    offsets: number,
    childOffsets: number,
    scratch: number,
  ): void;
  chunkNext(): number;
}

/** What puts rows of columns into another order (assembly/gather.ts). */
export interface GatherExports {
  shiftOffsets(at: number, entries: number, by: number): void;
  gatherNeeds(out: number, type: number, source: number, order: number, rows: number): number;
  gather(out: number, type: number, source: number, order: number, rows: number, at: number): void;
}

/** What src/kernel/assembly/index.ts exports. Addresses come back as i32. */
export interface KernelExports extends ChunkExports {
  init(program: number, seed: bigint, sessionBytesMax: bigint, recordBytesMax: number): void;
  reserve(bytes: number): number;
  alloc(bytes: number): number;
  free(at: number): void;
  memoryUsed(): bigint;
  sessionBytes(): bigint;
  undecidedRecords(): number;
  lz4Frame(from: number, bytes: number, to: number, bytesMax: number): number;
  snappy(from: number, bytes: number, to: number, bytesMax: number): number;
  walkRecords(at: number, bytes: number, count: number, lastOffsetDelta: number): number;
  scanEvent(at: number, bytes: number, values: number): number;
  scanScratchReset(): void;
  decidedValues(): number;
  decidedText(bytes: number): number;
  run(
    lane: number,
    at: number,
    bytes: number,
    from: bigint,
    until: bigint,
    baseTimestampMs: bigint,
    appendTimeMs: bigint,
    recordBytesMax: number,
    baseOffset: bigint,
    partition: number,
  ): number;
  runEndedAt(): number;
  runWasFull(): number;
  runBlanked(): number;
  laneNew(): number;
  laneFree(lane: number): void;
  laneSettle(lane: number): void;
  laneMoveWatermark(lane: number, ms: bigint): void;
  laneEvict(lane: number, beforeMs: bigint): void;
  laneEarly(lane: number): void;
  laneEndOfInput(lane: number): void;
  laneWatermark(lane: number): bigint;
  laneOpenSessions(lane: number): number;
  laneSessionBytes(lane: number): bigint;
  laneClamped(lane: number): bigint;
  laneFiltered(lane: number): bigint;
  laneCrc(lane: number): number;
  laneRowCount(lane: number): number;
  laneTakeRows(lane: number): number;
  snapshotBegin(lane: number): void;
  snapshotNext(lane: number): number;
  restoreBegin(lane: number, watermarkMs: bigint): void;
  restoreKeys(lane: number, at: number, bytes: number, count: number): number;
  restoredKeys(): number;
  restoreEnd(lane: number): void;
  laneKeys(lane: number): number;
  freeRows(rows: number, count: number): void;
  columnsBuild(program: number, rows: number, count: number): number;
  columnsFree(built: number): void;
}

/** What the kernel asks of its host. Texts are addresses and bytes; −1 bytes: null. */
export interface KernelHost {
  /** A record it can't decide: DECIDED_…; the values of an event are where `decidedValues` says. */
  decide(
    offsetDelta: number,
    timestampMs: number,
    keyAt: number,
    keyBytes: number,
    valueAt: number,
    valueBytes: number,
  ): number;
  /** The next event of that record, after DECIDED_MORE. */
  decideNext(): number;
  /** An event that is late. */
  late(
    offsetDelta: number,
    timestampMs: number,
    keyAt: number,
    keyBytes: number,
    valueAt: number,
    valueBytes: number,
    eventMs: number,
  ): void;
  /** Keys of a lane's snapshot that is under way, as bytes which it must copy. */
  kept(lane: number, at: number, bytes: number): void;
  /** About a mebibyte of rows came since the last call, a lane's the latest: its rows may be taken out now (laneTakeRows). */
  rows(lane: number): void;
}

export interface KernelOptions {
  memory: WebAssembly.Memory;
  heapAt: number;
  heapBytes: number;
  model: CompiledModel;
  /** What sessions may take of the heap. */
  sessionBytesMax: number;
  recordBytesMax: number;
  /** Hashes of keys depend on it, rows don't. */
  seed: bigint;
  host: KernelHost;
}

/** The heap ends so far before the memory does: comparisons read a little ahead. */
const READ_AHEAD_BYTES = 65_536;

export class Kernel {
  readonly exports: KernelExports;
  readonly memory: WebAssembly.Memory;
  /** All of the memory. */
  readonly bytes: Buffer;
  readonly view: DataView;
  /** Where the model's program lies. */
  readonly program: number;
  /** Where the writer of pages reports. */
  readonly chunkReport: number;

  constructor(options: KernelOptions) {
    const { memory, heapAt, heapBytes, model, host } = options;
    this.memory = memory;
    this.bytes = Buffer.from(memory.buffer);
    this.view = new DataView(memory.buffer);
    const imports = {
      env: { memory, abort: () => invariant(false, 'the kernel stopped') },
      host: {
        decide: (o: number, t: number, k: number, kb: number, v: number, vb: number) =>
          host.decide(o, t, k >>> 0, kb, v >>> 0, vb),
        decideNext: () => host.decideNext(),
        late: (o: number, t: number, k: number, kb: number, v: number, vb: number, ms: number) =>
          host.late(o, t, k >>> 0, kb, v >>> 0, vb, ms),
        rows: (lane: number) => host.rows(lane >>> 0),
        kept: (lane: number, at: number, bytes: number) => host.kept(lane >>> 0, at >>> 0, bytes),
        number: (at: number, bytes: number) =>
          Number(this.bytes.toString('latin1', at >>> 0, (at >>> 0) + bytes)),
      },
    };
    const instance = new WebAssembly.Instance(kernelModule(), imports);
    this.exports = instance.exports as unknown as KernelExports;
    this.exports.memoryInit(heapAt, heapAt + heapBytes - READ_AHEAD_BYTES);
    const program = encodeProgram(model);
    this.program = this.exports.reserve(program.length) >>> 0;
    this.bytes.set(program, this.program);
    const { seed, sessionBytesMax, recordBytesMax } = options;
    this.exports.init(this.program, seed, BigInt(sessionBytesMax), recordBytesMax);
    this.chunkReport = this.exports.chunkInit() >>> 0;
  }

  /** A view of some bytes, which stay the kernel's. */
  slice(at: number, bytes: number): Buffer {
    return this.bytes.subarray(at, at + bytes);
  }
}

let compiled: WebAssembly.Module | undefined;

/** Compiled once a thread. */
export function kernelModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(readFileSync(kernelPath()));
  return compiled;
}

/** Beside this file where it is built, below dist for those that run the sources. */
function kernelPath(): string {
  const beside = fileURLToPath(new URL('kernel.wasm', import.meta.url));
  return existsSync(beside)
    ? beside
    : fileURLToPath(new URL('../../dist/kernel/kernel.wasm', import.meta.url));
}
