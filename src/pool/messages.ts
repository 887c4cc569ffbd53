import type { PlainError } from '../errors.js';

/**
 * What the main thread and a worker say to each other. Commands that must keep their place among the data go through
 * the ring (RecordType); their payloads are here too. Everything else goes over a MessagePort.
 *
 * Offsets and ids are decimal strings or bigints: both survive a MessagePort and msgpack.
 */

/** What happened at a cut that is not in the log (ledger.md, rule 1). Applied in this order. */
export interface Marks {
  /** The watermark was moved to this by hand, ms. */
  idleWatermarkMs?: number;
  /** Sessions whose last event lies before this were evicted, ms. */
  evictBeforeMs?: number;
  /** Open sessions that changed were let out. */
  early?: boolean;
  /** The input ended here: open sessions were let out with closed_by end_of_input. */
  endOfInput?: boolean;
}

/** A cut of a lane as the ledger has it, met again in a replay. */
export interface RecordedCut {
  cutId: string;
  /** The offset behind the cut's last event. */
  to: bigint;
  marks: Marks;
  rows: number;
  deadLetters: number;
  /** Sum of the rows' CRC-32C, modulo 2³². */
  crc: number;
}

export interface SnapshotRef {
  /** Path below the table. */
  path: string;
  sizeBytes: number;
  /** Offset that the snapshot's state stands behind. */
  offset: bigint;
  cutId: string;
}

/** Ring payload of `assign`: a lane arrives, with all that its recovery needs. */
export interface AssignCommand {
  partition: number;
  incarnation: number;
  /** Newest usable snapshot, or null: replay starts at `startOffset`. */
  snapshot: SnapshotRef | null;
  /** Where the lane started (T0). */
  startOffset: bigint;
  /** What the ledger has committed (T): replay up to here has its output off. */
  committedTo: bigint;
  /** Cuts committed after the snapshot's, in order of version; the last one's `to` is `committedTo`. */
  replay: RecordedCut[];
}

/** Ring payload of `cut`. */
export interface CutCommand {
  /** Decimal, below 2⁶³. */
  cutId: string;
  /** The cut's time, ms since 1970: created_at of its rows. */
  createdAtMs: number;
  /** The lanes that take part; others of the worker are left alone. */
  lanes: { partition: number; incarnation: number; marks: Marks }[];
  /** Write a snapshot of each of these lanes at this cut. */
  snapshot: boolean;
}

/** Minimum, maximum and null count of a column in a file, as Delta's stats want them. */
export interface ColumnStats {
  min: string | number | null;
  max: string | number | null;
  nullCount: number;
}

export interface SealedFile {
  /** Path below the table, as in `add.path` before URL encoding: session_date=2026-01-01/part-….parquet */
  path: string;
  partitionValues: Record<string, string>;
  sizeBytes: number;
  rows: number;
  /** Delta's stats object as JSON text. */
  stats: string;
  /** Partitions of the lanes whose rows lie in it. */
  lanes: number[];
}

export interface SealedLane {
  partition: number;
  incarnation: number;
  /** The offset behind the last event before the cut. */
  to: bigint;
  watermarkMs: number | null;
  marks: Marks;
  rows: number;
  deadLetters: number;
  crc: number;
  openSessions: number;
  snapshot: SnapshotRef | null;
}

export interface SealedReport {
  cutId: string;
  worker: number;
  lanes: SealedLane[];
  files: SealedFile[];
  /** JSON lines below _headrace/dead-letters, or null. */
  deadLetterFile: { path: string; sizeBytes: number; letters: number } | null;
}

/** Worker → main. */
export type WorkerMessage =
  | { type: 'started'; worker: number; threadId: number; osThreadId: number | null }
  /** The lane's state is there; fetching may start at `nextOffset`. */
  | { type: 'lane-ready'; partition: number; incarnation: number; nextOffset: bigint }
  /** The replay has reached the ledger: the lane takes part in cuts from now on. */
  | { type: 'lane-live'; partition: number; incarnation: number }
  | { type: 'lane-revoked'; partition: number; incarnation: number }
  /** A batch did not check out; the lane waits for a `seek` to `offset`. */
  | { type: 'lane-corrupt'; partition: number; incarnation: number; offset: bigint; error: PlainError }
  /** The lane stands still for good; others go on. */
  | { type: 'lane-halted'; partition: number; incarnation: number; error: PlainError }
  | { type: 'sealed'; report: SealedReport }
  /** A seal failed after its retries; the report will not come. */
  | { type: 'seal-failed'; cutId: string; worker: number; error: PlainError }
  | { type: 'fatal'; error: PlainError };

/** Main → worker. */
export type MainMessage =
  /** The cut is in the ledger, or will never be: what was kept for it can go. */
  { type: 'cut-done'; cutId: string };
