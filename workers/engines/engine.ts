import type { EncodedRows, Seal } from '#src/columnar/encode.js';
import type { Marks } from '#src/model/marks.js';
import type { DeadLetter } from '#src/model/types.js';
import type { BatchCodecs, OpenBatch } from '#src/reference/batch-reader.js';

/**
 * The sessionizer of a worker, by its two makes: the reference (plain TypeScript, the oracle) and the kernel
 * (WebAssembly). Both give the same rows, dead letters and snapshots for the same log and marks.
 */
export interface SessionEngine {
  readonly name: 'kernel' | 'reference';
  /** How batches are decompressed and checked for this engine; the bytes of an open batch lie where it can read them. */
  readonly codecs: BatchCodecs;
  /** Bytes that the sessions of all lanes take, shared ones included. */
  readonly sessionBytes: number;
  /** How much of the memory beside the sessions is taken by rows under way and columns, 0 to 1; 0 where it has no end. */
  readonly rowPressure: number;
  /** Bytes that rows and columns under way take of the engine's own memory; 0 where they are objects. */
  readonly rowBytes: number;
  /** How long making columns of rows took so far; 0 where that is part of making the file. */
  readonly columnsMs: number;
  /** Records that the kernel could not decide and the reference did, so far; 0 for the reference. */
  readonly undecided: number;
  /**
   * A lane of a partition from a snapshot's content, or an empty one (null). Throws Error with what is wrong with the content, or
   * HeadraceError SESSION_MEMORY_FULL when it does not fit.
   */
  lane(content: Uint8Array | null, partition?: number): LaneEngine;
  /** The same from a snapshot's content, bit by bit: between two bits of work `turn` is awaited, and other lanes may go on. */
  laneInTurns(content: Uint8Array, turn: () => Promise<void>, partition?: number): Promise<LaneEngine>;
  /** Rows of one UTC day, of any lanes, as one Parquet file. As many as fit into memory once more: see DayRows.split. */
  encode(rows: readonly DayRows[], seal: Seal): EncodedRows;
}

export interface LaneEngine {
  /** Null before the first event. */
  readonly watermarkMs: number | null;
  readonly openSessions: number;
  /** Bytes of this lane's sessions, without what lanes share. */
  readonly sessionBytes: number;
  /** Values that did not fit their column, in the rows so far. */
  readonly clamped: number;
  /** Events that the model's filter left out, so far. */
  readonly filtered: number;
  /** Values that were to be IP addresses and are none, so far. */
  readonly blanked: number;
  /** Those that were not taken yet. */
  readonly deadLetters: readonly DeadLetter[];
  /**
   * Takes the records of an open batch with offsets in [from, until), in order. `full`: the sessions' memory ended before
   * the record at `nextOffset`; otherwise nextOffset is `until`.
   */
  accept(batch: OpenBatch, from: bigint, until: bigint): Accepted;
  /** In the ledger's order: watermark, eviction, early, end of input. */
  applyMarks(marks: Marks): void;
  /** What was emitted since the last call. All that the watermark has passed is closed before. */
  take(): Emitted;
  /** The state as bytes (src/reference/state-codec.ts). */
  snapshot(): Uint8Array;
  /** The same in turns, which later events do not reach. One that is still under way is finished before. */
  beginSnapshot(): StateInTurns;
  /** Gives its memory back, and what was not taken; the lane is not used again. What was taken stays. */
  free(): void;
}

/** A lane's state as it was at one place, made bit by bit while the lane goes on. */
export interface StateInTurns {
  /** A little work, well below a millisecond, and the bytes that are there since; null: that was all. */
  next(): Uint8Array[] | null;
  /** The lane was freed before all was there: what there is of it is no state. */
  readonly abandoned: boolean;
}

export interface Accepted {
  events: number;
  nextOffset: bigint;
  full: boolean;
}

/** What a lane emitted between two cuts. Its bytes stay until `free`, also when the lane is freed before. */
export interface Emitted {
  readonly rows: number;
  /** Sum of the rows' CRC-32C, modulo 2³². */
  readonly crc: number;
  readonly deadLetters: readonly DeadLetter[];
  /** Rows by the UTC day of session_start, in days since 1970. */
  readonly days: ReadonlyMap<number, DayRows>;
  /** Moves the rows out of memory that has an end. The same file will come of them. */
  spill(): void;
  /** May be called more than once. */
  free(): void;
}

/** Rows of one lane and day. What else it holds is the engine's own. */
export interface DayRows {
  readonly rows: number;
  /** About what they take, by which files are kept to a size. */
  readonly bytes: number;
  /** The same rows in parts of no more than this, in order; a row that is larger alone is a part. */
  split(most: { rows: number; bytes: number }): DayRows[];
}
