import type { Load } from './load.js';
import * as abi from './load-abi.js';
import type { PartitionLoad } from './partition-load.js';
import { BATCH_OVERHEAD_BYTES, BLOCK_FROM_BYTE, type ProducerIdentity, sealBatch } from './record-batch.js';

/** Writes batches of several partitions into one piece of memory: what a request, or one a broker, takes. */

export interface ChunkBatch {
  partition: number;
  /** Its place in the chunk. */
  from: number;
  to: number;
  records: number;
  /** Of the first record. */
  sequence: number;
}

export interface Chunk {
  bytes: ArrayBuffer;
  batches: ChunkBatch[];
}

/** Of the content: LZ4 adds to what does not repeat a 255th at most; copies write a vector more. */
const BATCH_BYTES_MAX =
  BATCH_OVERHEAD_BYTES + Math.ceil(((abi.BATCH_PLAIN_BYTES + abi.RECORD_BYTES_MAX) * 256) / 255) + 64;
/** What a batch takes at first; chunks grow to what they need. */
const BATCH_BYTES_MEAN = 128 * 1024;

export class ChunkWriter {
  readonly #load: Load;
  readonly #producer: ProducerIdentity;
  readonly #sequences = new Map<number, number>();
  /** Where the module writes a batch. */
  readonly #from: number;

  constructor(load: Load, producer: ProducerIdentity) {
    const { module, model, partitions } = load;
    this.#load = load;
    this.#producer = producer;
    this.#from = module.reserve(BATCH_BYTES_MAX);
    const byPlace = new Map(partitions.map((partition) => [partition.at, partition]));
    module.onOther = (at) => {
      const value = byPlace.get(at)!.malformed();
      module.bytes.set(value, module.view.getUint32(model + abi.M_OTHER, true));
      return value.length;
    };
  }

  /**
   * One batch of each partition that has records before `untilMs`, `recordsMax` each at most. `used`: an earlier chunk's
   * memory, which nobody reads any more; what was never touched costs a page fault every four kibibytes.
   */
  write(untilMs: number, recordsMax: number, used?: ArrayBuffer): Chunk {
    const { partitions } = this.#load;
    let bytes: Buffer = Buffer.from(used ?? new ArrayBuffer(partitions.length * BATCH_BYTES_MEAN));
    const batches: ChunkBatch[] = [];
    let at = 0;
    for (const load of partitions) {
      if (!load.hasNext(untilMs)) continue;
      const { made, ...facts } = this.#batch(load, untilMs, recordsMax);
      if (at + made.length > bytes.length) bytes = larger(bytes, at, at + made.length);
      bytes.set(made, at);
      batches.push({ partition: load.partition, from: at, to: at + made.length, ...facts });
      at += made.length;
    }
    return { bytes: bytes.buffer as ArrayBuffer, batches };
  }

  #batch({ at, partition }: PartitionLoad, untilMs: number, recordsMax: number) {
    const { module, model } = this.#load;
    const from = this.#from;
    const blockEnd = module.exports.writeBatch(at, from + BLOCK_FROM_BYTE, untilMs, recordsMax) >>> 0;
    const { bytes, view } = module;
    const records = view.getUint32(model + abi.M_RECORDS, true);
    const sequence = this.#sequences.get(partition) ?? 0;
    this.#sequences.set(partition, (sequence + records) % 2 ** 31);
    const to = sealBatch(bytes, from, blockEnd, {
      records,
      firstTimeMs: view.getFloat64(model + abi.M_FIRST_MS, true),
      timeMsMax: view.getFloat64(model + abi.M_GREATEST_MS, true),
      producer: this.#producer,
      sequence,
    });
    return { made: bytes.subarray(from, to), records, sequence };
  }
}

function larger(bytes: Buffer, kept: number, needed: number): Buffer {
  const more = Buffer.from(new ArrayBuffer(Math.max(needed, 2 * bytes.length)));
  bytes.copy(more, 0, 0, kept);
  return more;
}
