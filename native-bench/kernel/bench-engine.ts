import { MessageChannel } from 'node:worker_threads';
import { lakeAt } from '#src/config/lake-place.js';
import { sessionMemoryBytesMax, WASM_PAGE_BYTES, workerMemory } from '#src/config/worker-memory.js';
import type { CompiledModel } from '#src/model/types.js';
import type { WorkerTask } from '#src/pool/messages.js';
import { type BatchLimits, openBatches } from '#src/reference/batch-reader.js';
import { countersBytes } from '#src/telemetry/counters.js';
import type { LaneEngine, SessionEngine } from '../../workers/engines/engine.js';
import { makeEngine } from '../../workers/engines/make-engine.js';
import type { LaneBatch } from './lane-batches.js';

/** A worker's engine with its lanes, without the worker: batches lie in its memory as in the ring of a worker. */

export type EngineName = 'kernel' | 'reference';

const MiB = 2 ** 20;
/** For as many batches as are placed before they are read, uncompressed too. */
const RING_BYTES = 32 * MiB;
const RING_HEADER_BYTES = 256;
export const LIMITS: BatchLimits = { decompressedBatchBytesMax: 64 * MiB, recordBytesMax: MiB };
/** What a session may take, generously: the benchmark is about sessions that fit. */
const SESSION_BYTES_MAX = 640;
const SESSION_MEMORY_BYTES_MIN = 256 * MiB;

export class BenchEngine {
  readonly engine: SessionEngine;
  readonly lanes: readonly LaneEngine[];
  /** Where the ring's data would be. */
  readonly #ring: Uint8Array;
  #at = 0;

  constructor(name: EngineName, model: CompiledModel, lanes: number, openSessions: number) {
    const wanted = Math.ceil((openSessions * SESSION_BYTES_MAX) / MiB) * MiB;
    const sizes = { ...LIMITS, ringBytes: RING_BYTES, sessionMemoryBytes: 0 };
    sizes.sessionMemoryBytes = Math.min(
      Math.max(wanted, SESSION_MEMORY_BYTES_MIN),
      sessionMemoryBytesMax(sizes),
    );
    const { ringAt, totalPages } = workerMemory(sizes, name);
    const pages = Math.max(totalPages, Math.ceil((ringAt + RING_BYTES) / WASM_PAGE_BYTES));
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.#ring = new Uint8Array(memory.buffer, ringAt + RING_HEADER_BYTES, RING_BYTES);
    // ports and names are the worker's: an engine has no use for them
    const task: WorkerTask = {
      worker: 0,
      port: new MessageChannel().port1,
      memory,
      ringBaseBytes: ringAt,
      ringCapacityBytes: RING_BYTES,
      counters: new SharedArrayBuffer(countersBytes()),
      table: lakeAt('.'),
      topic: '',
      model,
      engine: name,
      limits: sizes,
      clickhouse: null,
      quality: null,
    };
    this.engine = makeEngine(task);
    if (this.engine.name !== name)
      throw new Error(`the engine that was made is ${this.engine.name}, not ${name}`);
    this.lanes = Array.from({ length: lanes }, () => this.engine.lane(null));
  }

  get openSessions(): number {
    return this.lanes.reduce((sum, lane) => sum + lane.openSessions, 0);
  }

  /** Puts batches where the ring would have it: behind the one before, or again at the start. */
  place(bytes: Uint8Array): Uint8Array {
    const { length } = bytes;
    if (this.#at + length > this.#ring.length) this.#at = 0;
    const placed = this.#ring.subarray(this.#at, this.#at + length);
    placed.set(bytes);
    this.#at += length;
    return placed;
  }

  /** Checks and reads a placed batch as a worker does. Throws Error when sessions no longer fit. Returns its events. */
  accept({ lane, baseOffset, count, bytes }: LaneBatch): number {
    const until = baseOffset + BigInt(count);
    let events = 0;
    openBatches(bytes, { fromOffset: baseOffset, limits: LIMITS }, this.engine.codecs, (batch) => {
      const accepted = this.lanes[lane]!.accept(batch, baseOffset, until);
      if (accepted.full) throw new Error('the session memory is full');
      events += accepted.events;
    });
    return events;
  }
}
