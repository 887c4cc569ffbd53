import type { Marks } from '../model/marks.js';

/** A cut of a lane as the ledger has it, met again in a replay. */
export interface RecordedCut {
  /** Decimal, below 2⁶³. */
  cutId: string;
  /** The offset behind the cut's last event. */
  to: bigint;
  marks: Marks;
  rows: number;
  deadLetters: number;
  /** Sum of the rows' CRC-32C, modulo 2³². */
  crc: number;
}

/** A lane's open sessions at a cut, stored below the table. */
export interface SnapshotRef {
  /** Path below the table. */
  path: string;
  sizeBytes: number;
  /** Offset that the snapshot's state stands behind. */
  offset: bigint;
  cutId: string;
}

export interface SealedFile {
  /** Path below the table, unencoded: session_date=2026-01-01/part-….parquet */
  path: string;
  partitionValues: Record<string, string>;
  sizeBytes: number;
  rows: number;
  /** Delta's stats object as JSON text. */
  stats: string;
  /** Partitions of the lanes whose rows lie in it. */
  lanes: number[];
  laneRows?: LaneRows[];
}

/** How many rows of a file are of which lane, in the file's order: a lane's rows lie together. */
export interface LaneRows {
  partition: number;
  rows: number;
}

/** Dead letters of a cut, JSON lines below _headrace/dead-letters. */
export interface DeadLetterFile {
  path: string;
  sizeBytes: number;
  letters: number;
  lanes: number[];
}

/**
 * One lane's part of a cut, as its worker sealed it. A lane that gave up sessions between two cuts has several, in order of
 * `to`, of which the last one stands at the cut itself.
 */
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
  /** Open sessions that its eviction mark let out. */
  evicted: number;
  /** Bytes of the lane's sessions behind it. */
  sessionBytes: number;
  snapshot: SnapshotRef | null;
}

/** What a lane took in some time. */
export interface LaneTally {
  partition: number;
  /** Dead letters included. */
  events: number;
  /** Dead letters by reason. */
  reasons: Record<string, number>;
}

/** Ring payload of `cut`: seal what lies before. */
export interface CutCommand {
  /** Decimal, below 2⁶³. */
  cutId: string;
  /** The cut's time, ms since 1970: created_at of its rows. */
  createdAtMs: number;
  /** The lanes that take part; others of the worker are left alone. */
  lanes: CutLane[];
  /** How the worker makes room at this cut, should it need to. */
  eviction?: EvictionOrder;
}

/**
 * Which sessions go when a worker's session memory fills, decided on the main thread (src/lanes/eviction.ts). It holds
 * where the cut lies among the data, and until the next one should the memory end before: the worker alone knows how full
 * it is there and where the watermarks stand. What it comes to is a mark of each lane that gave something up,
 * `evictBeforeMs`, at the offset where the lane stood; the cut carries it into the ledger.
 */
export interface EvictionOrder {
  /** Nothing happens at or below this many bytes of sessions. */
  aboveBytes: number;
  /** Enough has gone when they take no more than this. */
  untilBytes: number;
  /** How far behind its lane's watermark a session's last event lies when it goes: from the most idle to the least. */
  idleMs: number[];
  /** A lane is asked again when its sessions to go lie this much behind those of the last time: before, little is found. */
  spacingMs: number;
}

export interface CutLane {
  partition: number;
  incarnation: number;
  /** `endOfInput` holds only if the lane has reached `endOffset`: a batch may yet fail to check out. */
  marks: Marks;
  endOffset?: bigint;
  /** Write a snapshot of the lane at this cut. */
  snapshot: boolean;
}

/** All that one worker has to say of a cut; its files are durable. */
export interface SealedReport {
  cutId: string;
  worker: number;
  /** Bytes of all sessions of the worker behind the cut. */
  sessionBytes: number;
  lanes: SealedLane[];
  files: SealedFile[];
  deadLetterFile: DeadLetterFile | null;
}

/** Offsets that a lane passed over: from the first that is missing up to the next that is there. */
export interface LaneGap {
  from: number;
  to: number;
}

/** A lane in a cut, in `commitInfo.headrace`. Offsets are JSON numbers (Kafka's stay far below 2⁵³). */
export interface CutLaneEntry {
  partition: number;
  from: number;
  to: number;
  watermarkMs: number | null;
  marks: Marks;
  rows: number;
  deadLetters: number;
  crc: number;
  /** Table version of the lane's last commit before this one; −1: there was none. */
  parent: number;
  snapshot?: { path: string; sizeBytes: number };
  /** This is the lane's first entry: it starts at `from`. */
  start?: true;
  /** The operator moved the lane (`headrace ledger reset`): it starts over at `to`, before or behind `from`, without sessions. */
  reset?: true;
  /** Offsets between `from` and `to` that the log lacked and the operator accepted to pass over; a replay passes them too. */
  gaps?: LaneGap[];
}

export interface CutEntry {
  /** Decimal, below 2⁶³: batch_id of the cut's rows. */
  id: string;
  /** created_at of the cut's rows, ms. */
  createdAtMs: number;
  lanes: CutLaneEntry[];
  deadLetterFiles: { path: string; sizeBytes: number; letters: number }[];
  /**
   * The data files of the cut, in the order in which their rows were let out: a follower has to know whose rows lie in
   * each. A cut without any lacks it, and entries of early 0.1 lack it or `laneRows`.
   */
  files?: { path: string; rows: number; lanes: number[]; laneRows?: LaneRows[] }[];
}

/** Rows that an operator had taken out of the table (`headrace forget`). Whose they were is nowhere. */
export interface ErasureEntry {
  /** Of the request, which may have several versions. */
  id: string;
  files: {
    /** Of a file that the version removes. */
    path: string;
    /** Which of its rows are gone, ascending. */
    gone: number[];
    /** Where the others are now; null: there are none. */
    to: { path: string; sizeBytes: number } | null;
  }[];
}

/** What was done to the table's files, in the background or by hand: no lane's rows, and nothing that followers want. */
export interface MaintenanceEntry {
  kind: 'fold' | 'compact' | 'expire' | 'archive';
  /** More on it, by kind. */
  [detail: string]: unknown;
}

/** The `headrace` object in a version's commitInfo: what the ledger knows beyond Delta's own actions. */
export interface LedgerEntry {
  format: 1;
  /** Id of this attempt to put a version; a lost answer is resolved by it. */
  attempt: string;
  /** Id of the engine's process. */
  engine: string;
  /** Hash of all that decides a row and is not in the log: model, limits, kernel semantics. */
  semantics: string;
  cuts: CutEntry[];
  /** App ids of lanes that the operator moved: the only ones whose `txn` may go backwards. */
  moved?: string[];
  /** It has no cuts then. */
  erasure?: ErasureEntry;
  /** The version whose files an operator brought back (`headrace lake restore`). It has no cuts then. */
  restore?: { to: number };
  /** Nor then. */
  maintenance?: MaintenanceEntry;
}
