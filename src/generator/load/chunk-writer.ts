import type { EventLayout } from './event-layout.js';
import type { Films } from './films.js';
import { Lz4Records } from './lz4-records.js';
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

/** Content of a batch; some 400 events. */
const BATCH_PLAIN_BYTES = 256 * 1024;
/** No record is longer; see EVENT_BYTES_MAX of slab.ts. */
const RECORD_BYTES_MAX = 5 * 1024;
/** Of the content: LZ4 adds to what does not repeat a 255th at most. */
const BATCH_BYTES_MAX =
  BATCH_OVERHEAD_BYTES + Math.ceil(((BATCH_PLAIN_BYTES + RECORD_BYTES_MAX) * 256) / 255) + 64;

export class ChunkWriter {
  readonly #records: Lz4Records;
  readonly #producer: ProducerIdentity;
  readonly #sequences = new Map<number, number>();

  constructor({
    layout,
    films,
    producer,
  }: { layout: EventLayout; films: Films; producer: ProducerIdentity }) {
    this.#records = new Lz4Records(layout, films.pieces);
    this.#producer = producer;
  }

  /** One batch of each partition that has records before `untilMs`, `recordsMax` each at most. */
  write(partitions: readonly PartitionLoad[], untilMs: number, recordsMax: number): Chunk {
    const bytes = Buffer.from(new ArrayBuffer(partitions.length * BATCH_BYTES_MAX));
    const batches: ChunkBatch[] = [];
    let at = 0;
    for (const load of partitions) {
      if (!load.hasNext(untilMs)) continue;
      const batch = this.#batch(bytes, at, load, untilMs, recordsMax);
      batches.push(batch);
      at = batch.to;
    }
    return { bytes: bytes.buffer as ArrayBuffer, batches };
  }

  #batch(bytes: Buffer, from: number, load: PartitionLoad, untilMs: number, recordsMax: number): ChunkBatch {
    const target = this.#records;
    const { draft, partition } = load;
    target.begin(bytes, from + BLOCK_FROM_BYTE);
    let records = 0;
    let firstTimeMs = 0;
    let timeMsMax = 0;
    for (let isLast = false; !isLast; ) {
      const value = load.take();
      const { producedMs } = draft;
      if (records === 0) firstTimeMs = producedMs;
      timeMsMax = Math.max(timeMsMax, producedMs);
      const plainBytes = target.plainBytes + RECORD_BYTES_MAX;
      isLast = records + 1 >= recordsMax || plainBytes >= BATCH_PLAIN_BYTES || !load.hasNext(untilMs);
      if (value === null) target.event(draft, producedMs - firstTimeMs, records, isLast);
      else target.other(draft, value, producedMs - firstTimeMs, records, isLast);
      records++;
    }
    const sequence = this.#sequences.get(partition) ?? 0;
    this.#sequences.set(partition, (sequence + records) % 2 ** 31);
    const facts = { records, firstTimeMs, timeMsMax, producer: this.#producer, sequence };
    const to = sealBatch(bytes, from, target.end(), facts);
    return { partition, from, to, records, sequence };
  }
}
