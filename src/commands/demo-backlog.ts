/**
 * How many bytes of each partition are produced and not yet committed by the engine. The demo's brokers forget what is
 * older than a few MiB, so the generator waits while a partition holds too much; this is what it waits by.
 *
 * The records of a partition are counted as they are produced: with one producer that never fails, the n-th record has
 * offset n. Bytes are counted before compression, with all that a record can cost in a batch of its own: what the
 * brokers store is never more.
 */

/** Headers of a record, and of a batch, should it be the only one in it. */
const RECORD_OVERHEAD_BYTES = 100;
/** Positions are remembered this far apart; commits in between count from the one before. */
const MARK_BYTES = 64 * 1024;

interface Lane {
  records: number;
  bytes: number;
  committed: number;
  /** Bytes before the oldest record that may not be committed. */
  committedBytes: number;
  marks: { records: number; bytes: number }[];
}

export class Backlog {
  readonly #lanes: Lane[];

  constructor(partitions: number) {
    this.#lanes = Array.from({ length: partitions }, () => ({
      records: 0,
      bytes: 0,
      committed: 0,
      committedBytes: 0,
      marks: [],
    }));
  }

  /** A record was produced. */
  add(partition: number, keyBytes: number, valueBytes: number): void {
    const lane = this.#lanes[partition]!;
    lane.records++;
    lane.bytes += keyBytes + valueBytes + RECORD_OVERHEAD_BYTES;
    const markedBytes = lane.marks.at(-1)?.bytes ?? lane.committedBytes;
    if (lane.bytes - markedBytes >= MARK_BYTES) lane.marks.push({ records: lane.records, bytes: lane.bytes });
  }

  /** The engine has committed all records of the partition before this offset. */
  committed(partition: number, offset: number): void {
    const lane = this.#lanes[partition];
    if (lane === undefined || offset <= lane.committed) return;
    lane.committed = offset;
    while (lane.marks.length > 0 && lane.marks[0]!.records <= offset) {
      lane.committedBytes = lane.marks.shift()!.bytes;
    }
  }

  /** Bytes of the fullest partition. */
  get bytesMax(): number {
    return Math.max(...this.#lanes.map((lane) => lane.bytes - lane.committedBytes));
  }

  get records(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.records, 0);
  }

  get committedRecords(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.committed, 0);
  }
}
